//! The settings file: which one, what it holds, and at which line. Errors name lines and never quote them, since a line
//! may hold a password.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::origin::{Origin, Problem};
use super::rule::Raw;

/// The environment variable that names the settings file.
pub const CONFIG_VARIABLE: &str = "MINTMARK_CONFIG";

/// The settings file when nobody names one; it need not exist.
pub const DEFAULT_FILE: &str = "mintmark.toml";

/// The largest file read for settings or for a secret, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The file to read: what the command line names, what the environment names, or `fallback` if it is there.
pub(super) fn choose(named: Option<&Path>, environment: &[(String, String)], fallback: &Path) -> Option<PathBuf> {
    let from_environment = || {
        environment
            .iter()
            .find(|(name, _)| name == CONFIG_VARIABLE)
            .map(|(_, path)| PathBuf::from(path))
    };
    named
        .map(Path::to_path_buf)
        .or_else(from_environment)
        .or_else(|| fallback.exists().then(|| fallback.to_path_buf()))
}

/// The text of a small file.
pub(super) fn read_small(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// A settings file that has been read but not yet understood.
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// What the file gives, or why that is unknown.
pub(super) type FileEntries = Result<Vec<Entry>, Vec<Problem>>;

/// One value of the file under its dotted key.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

impl SettingsFile {
    /// Reads the file whole.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8 or has more than a mebibyte.
    pub(super) fn open(path: &Path) -> Result<Self, Vec<Problem>> {
        match read_small(path) {
            Ok(text) => Ok(Self {
                path: path.to_path_buf(),
                text,
            }),
            Err(error) => {
                let sentence = format!("the settings file {} cannot be read: {error}", path.display());
                Err(vec![Problem::with_file(None, sentence)])
            }
        }
    }

    /// Every value in it.
    ///
    /// # Errors
    /// Each place where it is not TOML.
    pub(super) fn entries(&self) -> FileEntries {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        if errors.is_empty() {
            let mut entries = Vec::new();
            self.flatten("", table.get_ref(), &mut entries);
            return Ok(entries);
        }
        let problem = |error: toml::de::Error| {
            let start = error.span().map_or(self.text.len(), |span| span.start);
            Problem::with_file(Some(self.line_at(start)), format!("is not TOML: {}", error.message()))
        };
        Err(errors.into_iter().map(problem).collect())
    }

    fn flatten(&self, prefix: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.flatten(&format!("{key}."), inner, entries),
                _ => entries.push(Entry {
                    key,
                    raw: raw(value),
                    origin: self.line_at(name.span().start),
                }),
            }
        }
    }

    fn line_at(&self, offset: usize) -> Origin {
        let before = self.text.bytes().take(offset);
        Origin::File {
            path: self.path.clone(),
            line: 1 + before.filter(|byte| *byte == b'\n').count(),
        }
    }
}

/// The value as text, whatever its TOML type: the rules decide, and they are the same for file and environment.
fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::Array(items) => items
            .iter()
            .map(|item| match raw(item) {
                Raw::Text(text) => Some(text),
                Raw::List(_) | Raw::EmptyTable | Raw::Structure => None,
            })
            .collect::<Option<_>>()
            .map_or(Raw::Structure, Raw::List),
        // Only an empty one comes here; the others are entered.
        DeValue::Table(_) => Raw::EmptyTable,
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Boolean(flag) => Raw::Text(flag.to_string()),
        DeValue::Integer(number) => Raw::Text(number.to_string()),
        DeValue::Float(number) => Raw::Text(number.to_string()),
        DeValue::Datetime(moment) => Raw::Text(moment.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SettingsFile {
        SettingsFile {
            path: "x.toml".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn values_come_with_their_dotted_keys_and_lines() {
        let entries = file("a = 1_000\n\n[b.c]\nd = \"two\"\n[b]\ne = [true, 3]\nf = [[1]]\n")
            .entries()
            .unwrap();
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| format!("{} {:?} {}", entry.key, entry.raw, entry.origin))
            .collect();
        assert_eq!(
            shown,
            [
                "a Text(\"1000\") x.toml line 1",
                "b.c.d Text(\"two\") x.toml line 4",
                "b.e List([\"true\", \"3\"]) x.toml line 6",
                "b.f Structure x.toml line 7",
            ]
        );
    }

    #[test]
    fn every_place_that_is_not_toml_is_named_without_its_text() {
        let problems = file("a = hunter2\nb = 1\nb = 2\nc = \"hunter2\n")
            .entries()
            .err()
            .unwrap();
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        for line in [1, 3, 4] {
            let begins = format!("x.toml line {line}: is not TOML: ");
            assert!(
                shown.iter().any(|text| text.starts_with(&begins)),
                "{line} in {shown:?}"
            );
        }
        assert!(shown.iter().all(|text| !text.contains("hunter2")), "{shown:?}");
    }

    #[test]
    fn the_command_line_names_the_file_before_the_environment_and_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let fallback = folder.path().join(DEFAULT_FILE);
        let environment = [(CONFIG_VARIABLE.to_owned(), "from-environment.toml".to_owned())];
        let named = Path::new("named.toml");
        assert_eq!(choose(Some(named), &environment, &fallback).as_deref(), Some(named));
        assert_eq!(
            choose(None, &environment, &fallback).as_deref(),
            Some(Path::new("from-environment.toml"))
        );
        assert_eq!(choose(None, &[], &fallback), None);
        fs::write(&fallback, "").unwrap();
        assert_eq!(choose(None, &[], &fallback), Some(fallback));
    }

    #[test]
    fn a_file_that_is_missing_or_too_large_or_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let refusal = |path: &Path| SettingsFile::open(path).err().unwrap()[0].to_string();
        assert!(refusal(&path).contains("cannot be read"));
        fs::write(&path, "#".repeat(1 << 20)).unwrap();
        assert!(SettingsFile::open(&path).is_ok());
        fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
        assert!(refusal(&path).contains("cannot be read"));
        fs::write(&path, b"a = \"\xff\"").unwrap();
        assert!(refusal(&path).contains("cannot be read"));
    }
}
