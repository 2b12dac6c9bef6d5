//! Environment variables: `MINTMARK_` and the key in capitals, with `__` for the dot (`MINTMARK_DATABASE__URL`).

use super::file::{CONFIG_VARIABLE, Entry};
use super::origin::Origin;
use super::rule::Raw;

/// What every variable of ours begins with.
const PREFIX: &str = "MINTMARK_";

/// Variables of ours that are no settings: they belong to the command line.
const OF_THE_COMMAND_LINE: [&str; 3] = [CONFIG_VARIABLE, "MINTMARK_SERVER", "MINTMARK_OPERATOR_TOKEN"];

/// Short names that stand for a key.
const ALIASES: [(&str, &str); 1] = [("MINTMARK_MASTER_KEY_FILE", "keys.master_key_file")];

/// The variables of this process that begin with `MINTMARK_`. A value that is not UTF-8 holds U+FFFD and is refused by
/// [`super::Settings`].
#[must_use]
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// The variable for `key`.
pub(super) fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The key that a variable spells; the variable's own name when it spells none.
fn key_of(variable: &str) -> String {
    let alias = ALIASES.iter().find(|(name, _)| *name == variable);
    let spelled = variable
        .strip_prefix(PREFIX)
        .unwrap_or(variable)
        .replace("__", ".")
        .to_ascii_lowercase();
    match alias {
        Some((_, key)) => (*key).to_owned(),
        None if variable_name(&spelled) == variable => spelled,
        None => variable.to_owned(),
    }
}

/// Kubernetes puts these into every container for a service that is named `mintmark`; they are nobody's mistake.
fn describes_a_kubernetes_service(variable: &str, value: &str) -> bool {
    let rest = variable.strip_prefix(PREFIX).unwrap_or_default();
    rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || (rest == "PORT" && value.contains("://"))
        || (rest.starts_with("PORT_") && (rest.contains("_TCP") || rest.contains("_UDP")))
}

/// Every variable that means to be a setting.
pub(super) fn entries(environment: impl IntoIterator<Item = (String, String)>) -> Vec<Entry> {
    environment
        .into_iter()
        .filter(|(name, value)| {
            name.starts_with(PREFIX)
                && !OF_THE_COMMAND_LINE.contains(&name.as_str())
                && !describes_a_kubernetes_service(name, value)
        })
        .map(|(name, value)| Entry {
            key: key_of(&name),
            raw: Raw::Text(value),
            origin: Origin::Variable(name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(environment: &[(&str, &str)]) -> Vec<String> {
        entries(
            environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
        .into_iter()
        .map(|entry| entry.key)
        .collect()
    }

    #[test]
    fn a_variable_spells_its_key_in_capitals() {
        for (key, variable) in [
            ("public_url", "MINTMARK_PUBLIC_URL"),
            ("database.url_file", "MINTMARK_DATABASE__URL_FILE"),
            ("environments.qa.algorithm", "MINTMARK_ENVIRONMENTS__QA__ALGORITHM"),
        ] {
            assert_eq!(variable_name(key), variable);
            assert_eq!(key_of(variable), key);
        }
        assert_eq!(key_of("MINTMARK_public_url"), "MINTMARK_public_url");
        assert_eq!(key_of("MINTMARK_MASTER_KEY_FILE"), "keys.master_key_file");
    }

    #[test]
    fn variables_of_others_are_passed_over() {
        let foreign = [
            ("PATH", "/bin"),
            ("MINTMARKET_URL", "x"),
            ("MINTMARK_CONFIG", "x.toml"),
            ("MINTMARK_SERVER", "http://127.0.0.1:8081"),
            ("MINTMARK_OPERATOR_TOKEN", "mmo_x"),
            ("MINTMARK_SERVICE_HOST", "10.0.0.1"),
            ("MINTMARK_SERVICE_PORT_HTTP", "8080"),
            ("MINTMARK_PORT", "tcp://10.0.0.1:8080"),
            ("MINTMARK_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ];
        assert_eq!(keys(&foreign), Vec::<String>::new());
        assert_eq!(keys(&[("MINTMARK_PORT", "8080")]), ["port"]);
    }
}
