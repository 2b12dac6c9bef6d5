//! What operators are told before it happens, and where that is sent.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::key;
use crate::config::reading::Reading;
use crate::config::rule::{duration, optional_path, parsed, seconds};
use crate::domain::{Invalid, Seconds, WebhookSecret, WebhookUrl};

/// Notices of what ends soon.
#[derive(Clone, Debug)]
pub struct NoticeSettings {
    /// How often it is looked for.
    pub every: Duration,
    /// For how long a notice is kept after its subject has ended.
    pub retention: Seconds,
}

impl NoticeSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            every: reading.value(
                key(
                    "notices.every",
                    "1m",
                    "How often to look for secrets and clients that end soon.",
                ),
                &duration("1s", "1h"),
            ),
            retention: reading.value(
                key(
                    "notices.retention",
                    "90d",
                    "How long a notice is kept after its secret or client has ended.",
                ),
                &seconds("7d", "3660d"),
            ),
        }
    }
}

/// Where notices are sent.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The receiver.
    pub url: WebhookUrl,
    /// What signs, the current one first.
    pub secrets: Vec<WebhookSecret>,
    /// For a whole exchange.
    pub timeout: Duration,
    /// Certificates to believe in place of the public authorities'.
    pub ca_file: Option<PathBuf>,
}

impl WebhookSettings {
    pub(super) fn read(reading: &mut Reading) -> Option<Self> {
        let (url, secrets) = (url(reading), secrets(reading));
        let timeout = reading.value(
            key(
                "webhook.timeout",
                "10s",
                "The longest that an attempt to send a notice takes, from the look-up of the name to the head of the answer.",
            ),
            &duration("100ms", "1m"),
        );
        let ca_file = reading.value(
            key(
                "webhook.ca_file",
                "",
                "Certificates in PEM that the receiver's is held against, in place of the public authorities'.",
            ),
            &optional_path(),
        );
        let missing = match (url, secrets) {
            (Some(url), [Some(secret), previous]) => {
                return Some(Self {
                    url,
                    secrets: [Some(secret), previous].into_iter().flatten().collect(),
                    timeout,
                    ca_file,
                });
            }
            (Some(_), [None, _]) => (
                "webhook.secret",
                "is missing: webhook.url is set, and a notice that is not signed could be anybody's",
            ),
            (None, [Some(_), _]) => ("webhook.url", "is missing: webhook.secret is set"),
            (None, [None, Some(_)]) => ("webhook.secret", "is missing: webhook.previous_secret is set"),
            (None, [None, None]) => return None,
        };
        // What was given and is wrong is reported already; nothing is missing then.
        let sound = |key: &str| reading.sound(&[key, &format!("{key}_file")]);
        if ["webhook.url", "webhook.secret", "webhook.previous_secret"]
            .into_iter()
            .all(sound)
        {
            reading.refuse(missing.0, missing.1);
        }
        None
    }
}

fn url(reading: &mut Reading) -> Option<WebhookUrl> {
    let key = key(
        "webhook.url",
        "",
        "Where each notice is sent. Shown without its path, which may be a secret in itself.",
    );
    let accepts = "an `https` address, or an `http` one of a loopback host, without user name and fragment; or empty";
    reading.secret(key, &parsed::<Given<WebhookUrl>>(accepts)).0
}

/// The current one and the one before.
fn secrets(reading: &mut Reading) -> [Option<WebhookSecret>; 2] {
    [
        key(
            "webhook.secret",
            "",
            "What signs each notice; the receiver has the same. `webhook.url` takes it.",
        ),
        key(
            "webhook.previous_secret",
            "",
            "The secret before: each notice is signed with both, until the receiver knows the new one.",
        ),
    ]
    .map(|key| reading.secret(key, &parsed::<Given<WebhookSecret>>(WEBHOOK_SECRET)).0)
}

const WEBHOOK_SECRET: &str = "`whsec_` and 32 to 64 random bytes in base64, or empty";

/// What may be left empty.
struct Given<T>(Option<T>);

impl<T: FromStr<Err = Invalid>> FromStr for Given<T> {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Ok(Self(None))
        } else {
            text.parse().map(Some).map(Self)
        }
    }
}

impl<T: fmt::Display> fmt::Display for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|value| value.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::config::tests::{parse, problems};

    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const URL: &str = "https://hooks.example.com/services/hunter2";

    #[test]
    fn a_webhook_takes_an_address_and_a_secret() {
        assert!(parse("", &[]).unwrap().webhook.is_none());
        let with_both = parse("", &[("WEBHOOK__URL", URL), ("WEBHOOK__SECRET", SECRET)]).unwrap();
        assert_eq!(with_both.webhook.unwrap().secrets.len(), 1);
        for (given, missing) in [
            (
                ("WEBHOOK__URL", URL),
                "webhook.secret (default) is missing: webhook.url is set",
            ),
            (("WEBHOOK__SECRET", SECRET), "webhook.url (default) is missing"),
            (
                ("WEBHOOK__PREVIOUS_SECRET", SECRET),
                "webhook.secret (default) is missing: webhook.previous_secret is set",
            ),
        ] {
            let found = problems("", &[given]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(missing), "{found:?}");
        }
    }

    #[test]
    fn one_mistake_is_one_problem_and_none_repeats_a_secret() {
        for (url, secret) in [
            ("http://hooks.example.com/hunter2", SECRET),
            ("https://ada:hunter2@hooks.example.com/", SECRET),
            (URL, "hunter2-hunter2-hunter2-hunter2-hunter2"),
            (URL, "whsec_aHVudGVyMg=="),
        ] {
            let found = problems("", &[("WEBHOOK__URL", url), ("WEBHOOK__SECRET", secret)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                !found[0].contains("hunter2") && !found[0].contains("aHVudGVyMg"),
                "{found:?}"
            );
        }
        let unreadable = problems("", &[("WEBHOOK__URL", URL), ("WEBHOOK__SECRET_FILE", "/no/such/file")]);
        assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    }

    #[test]
    fn what_is_printed_holds_neither_the_path_nor_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, format!("{SECRET}\n")).unwrap();
        let given = [
            ("WEBHOOK__URL", URL),
            ("WEBHOOK__SECRET_FILE", file.to_str().unwrap()),
            ("WEBHOOK__PREVIOUS_SECRET", SECRET),
        ];
        let settings = parse("", &given).unwrap();
        let printed: Vec<String> = settings.effective().iter().map(ToString::to_string).collect();
        let text = format!("{printed:?} {settings:?}");
        assert!(!text.contains("hunter2") && !text.contains(&SECRET[6..]), "{text}");
        assert!(
            text.contains("webhook.url = https://hooks.example.com/… (environment"),
            "{text}"
        );
        assert_eq!(settings.webhook.unwrap().secrets.len(), 2);
    }
}
