//! What an operator should know about settings that are valid: `mintmark check` prints it, `serve` logs it.

use std::fmt;

use super::checks::is_loopback;
use super::sections::Settings;
use crate::domain::{Algorithm, Environment};
use crate::registry::Freshness;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Probably not what was meant, or a promise given up.
    Warning,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The setting to look at.
    pub key: &'static str,
    /// Completes a sentence that begins with the key.
    pub sentence: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {} {}", self.key, self.sentence)
    }
}

const fn note(key: &'static str, sentence: &'static str) -> Finding {
    Finding {
        severity: Severity::Note,
        key,
        sentence,
    }
}

const fn warning(key: &'static str, sentence: &'static str) -> Finding {
    Finding {
        severity: Severity::Warning,
        key,
        sentence,
    }
}

/// All findings, in the order of the settings.
pub(super) fn of(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    addresses(settings, &mut findings);
    files(settings, &mut findings);
    algorithms(settings, &mut findings);
    promises(settings, &mut findings);
    findings
}

fn addresses(settings: &Settings, findings: &mut Vec<Finding>) {
    let proxies = &settings.trusted_proxies;
    if settings.public_url.is_loopback() && !is_loopback(settings.listen.public) {
        findings.push(warning(
            "public_url",
            "is a loopback address, but listen.public is not: partners cannot reach the issuer that their tokens name",
        ));
    }
    if settings.public_url.is_https() && settings.tls.is_none() && proxies.is_empty() {
        findings.push(warning(
            "public_url",
            "uses https, but neither tls nor trusted_proxies says who terminates it: \
             all callers will count as one source address",
        ));
    }
    if !is_loopback(settings.listen.admin) {
        findings.push(warning(
            "listen.admin",
            "is reachable from other machines: make sure that partners' networks are not among them",
        ));
    }
    if proxies.include_everyone() {
        findings.push(warning(
            "trusted_proxies",
            "holds a whole address family: any caller can claim any source address",
        ));
    }
}

fn files(settings: &Settings, findings: &mut Vec<Finding>) {
    let tls = settings.tls.iter().flat_map(|tls| {
        [
            ("tls.certificate_file", &tls.certificate_file),
            ("tls.key_file", &tls.key_file),
        ]
    });
    let webhook = settings.webhook.iter().filter_map(|webhook| webhook.ca_file.as_ref());
    let webhook = webhook.map(|path| ("webhook.ca_file", path));
    for (key, path) in tls.chain(webhook) {
        if !path.exists() {
            findings.push(warning(key, "names no file that is there: the server will not start"));
        }
    }
    if !settings.keys.master_key_file.exists() {
        findings.push(note(
            "keys.master_key_file",
            "names no file yet: it will be created with a new key, which opens no existing store",
        ));
    }
}

fn algorithms(settings: &Settings, findings: &mut Vec<Finding>) {
    for (environment, key) in [
        (Environment::Qa, "environments.qa.algorithm"),
        (Environment::Production, "environments.production.algorithm"),
    ] {
        if settings.environments.of(environment).algorithm == Algorithm::EdDsa {
            findings.push(note(
                key,
                "is EdDSA, which some verifiers refuse, Apache's two OAuth modules among them",
            ));
        }
    }
}

fn promises(settings: &Settings, findings: &mut Vec<Finding>) {
    if let Freshness::Within(_) = settings.registry.freshness {
        findings.push(warning(
            "registry.freshness",
            "lets a replica confirm what another has revoked within this time",
        ));
    }
    if settings.registry.outage.is_some() {
        findings.push(warning(
            "registry.outage",
            "lets a replica that cannot reach the store confirm what another has revoked meanwhile",
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::tests::parse;

    #[test]
    fn findings_name_what_is_valid_but_worth_a_look() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        let keys = |settings: &Settings| -> Vec<_> {
            let shown = |finding: &Finding| format!("{:?} {}", finding.severity, finding.key);
            settings.findings().iter().map(shown).collect()
        };
        let with_key = [("KEYS__MASTER_KEY_FILE", key.to_str().unwrap())];
        assert_eq!(keys(&parse("", &with_key).unwrap()), ["Note keys.master_key_file"]);
        fs::write(&key, [0; 32]).unwrap();
        assert_eq!(keys(&parse("", &with_key).unwrap()), Vec::<String>::new());

        let beyond = "trusted_proxies = [\"10.0.0.0/8\", \"0.0.0.0/0\"]\nlisten.public = \"0.0.0.0:80\"\n\
                      listen.admin = \"0.0.0.0:81\"\n[registry]\nfreshness = \"5s\"\noutage = \"30s\"\n\
                      [environments]\nqa.algorithm = \"EdDSA\"\n[tls]\ncertificate_file = \"/no/c.pem\"\nkey_file = \"/no/k.pem\"\n\
                      [webhook]\nurl = \"https://h.example\"\nca_file = \"/no/ca.pem\"\n\
                      secret = \"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"";
        assert_eq!(
            keys(&parse(beyond, &with_key).unwrap()),
            [
                "Warning public_url",
                "Warning listen.admin",
                "Warning trusted_proxies",
                "Warning tls.certificate_file",
                "Warning tls.key_file",
                "Warning webhook.ca_file",
                "Note environments.qa.algorithm",
                "Warning registry.freshness",
                "Warning registry.outage",
            ]
        );
        let unterminated = parse("public_url = \"https://auth.example.com\"", &with_key).unwrap();
        assert_eq!(keys(&unterminated), ["Warning public_url"]);
        assert!(
            unterminated.findings()[0]
                .to_string()
                .starts_with("warning: public_url uses https, ")
        );
    }
}
