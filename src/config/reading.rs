//! One pass over all settings. It collects what is given, hands each declared key its value, and remembers what was
//! declared, what was wrong and what nobody asked for.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::path::Path;

use super::file::{Entry, FileEntries, read_small};
use super::nearest::nearest;
use super::origin::{Origin, Problem, RefusedSettings};
use super::rule::{Raw, Rule};
use super::variables::{self, variable_name};
use crate::domain::is_invisible;

/// A key as it is declared where it is read.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// Written like a given value.
    pub(super) default: &'static str,
    /// For the reference; one line.
    pub(super) meaning: &'static str,
}

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// The dotted key.
    pub key: &'static str,
    /// As it was written; redacted if it is a secret.
    pub value: String,
    /// Where it was given.
    pub origin: Origin,
}

impl fmt::Display for EffectiveSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.key, self.value, self.origin)
    }
}

struct Given {
    raw: Raw,
    origin: Origin,
}

struct Declared {
    key: Key,
    accepts: String,
    /// The `…_file` key that may stand in for a secret.
    file_key: Option<String>,
}

/// What is given, declared and wrong so far.
pub(super) struct Reading {
    given: BTreeMap<String, Given>,
    declared: Vec<Declared>,
    effective: Vec<EffectiveSetting>,
    problems: Vec<Problem>,
    /// Whether the file could not be read or understood, so that what it holds is unknown.
    file_unknown: bool,
}

impl Reading {
    /// Collects what `file` and `environment` give; the environment goes before the file.
    pub(super) fn of(file: FileEntries, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reading = Self {
            given: BTreeMap::new(),
            declared: Vec::new(),
            effective: Vec::new(),
            problems: Vec::new(),
            file_unknown: false,
        };
        match file {
            Ok(entries) => reading.collect(entries),
            Err(problems) => {
                reading.problems = problems;
                reading.file_unknown = true;
            }
        }
        let from_file = std::mem::take(&mut reading.given);
        reading.collect(variables::entries(environment));
        for (key, given) in from_file {
            reading.given.entry(key).or_insert(given);
        }
        reading
    }

    /// Takes entries of one source, in which no key may stand twice.
    fn collect(&mut self, entries: Vec<Entry>) {
        for Entry { key, raw, origin } in entries {
            if let Some(earlier) = self.given.get(&key) {
                let sentence = format!("is given a second time, after {}", earlier.origin);
                self.problems.push(Problem::with_key(&key, &origin, sentence));
            } else {
                self.given.insert(key, Given { raw, origin });
            }
        }
    }

    /// The value of `key`. When it is wrong, that is noted and the default stands in, so that reading can go on.
    pub(super) fn value<T: 'static>(&mut self, key: Key, rule: &Rule<T>) -> T {
        let given = self.given.remove(key.name);
        let (value, (origin, written)) = self.checked(&key, rule, given);
        self.effective.push(EffectiveSetting {
            key: key.name,
            value: written,
            origin,
        });
        self.declare(key, rule.accepts(), None);
        value
    }

    /// The value of a key that holds a secret: given itself, or by a file that `…_file` names. Printed by its `Display`,
    /// which redacts it.
    pub(super) fn secret<T: Display + 'static>(&mut self, key: Key, rule: &Rule<T>) -> T {
        let file_key = format!("{}_file", key.name);
        let named = self.given.remove(&file_key);
        let given = match (self.given.remove(key.name), named) {
            (Some(value), Some(file)) => {
                let sentence = format!("is given by value too ({}): give one of the two", value.origin);
                self.problems.push(Problem::with_key(&file_key, &file.origin, sentence));
                None
            }
            (value, None) => value,
            (None, Some(file)) => self.secret_file(&file_key, &file),
        };
        let (value, (origin, _)) = self.checked(&key, rule, given);
        self.effective.push(EffectiveSetting {
            key: key.name,
            value: value.to_string(),
            origin,
        });
        self.declare(key, rule.accepts(), Some(file_key));
        value
    }

    fn secret_file(&mut self, file_key: &str, named: &Given) -> Option<Given> {
        let Raw::Text(path) = &named.raw else {
            self.problem(file_key, &named.origin, "must be the path of a file");
            return None;
        };
        let path = Path::new(path);
        match read_small(path) {
            Ok(text) => Some(Given {
                raw: Raw::Text(text.trim_end_matches(['\r', '\n']).to_owned()),
                origin: Origin::SecretFile {
                    path: path.to_path_buf(),
                    named_by: Box::new(named.origin.clone()),
                },
            }),
            Err(error) => {
                let sentence = format!("names a file that cannot be read: {}", error.kind());
                self.problem(file_key, &named.origin, sentence);
                None
            }
        }
    }

    /// The value with its origin and text; the default's when none is given or what is given is wrong.
    fn checked<T: 'static>(&mut self, key: &Key, rule: &Rule<T>, given: Option<Given>) -> (T, (Origin, String)) {
        if let Some(Given { raw, origin }) = given {
            match fit(&raw).and_then(|()| rule.parse(&raw)) {
                Ok(value) => return (value, (origin, raw.texts().join(", "))),
                Err(sentence) => self.problem(key.name, &origin, sentence),
            }
        }
        let value = rule
            .parse(&Raw::Text(key.default.to_owned()))
            .expect("each default in sections is acceptable");
        (value, (Origin::Default, key.default.to_owned()))
    }

    fn declare(&mut self, key: Key, accepts: &str, file_key: Option<String>) {
        self.declared.push(Declared {
            key,
            accepts: accepts.to_owned(),
            file_key,
        });
    }

    fn problem(&mut self, key: &str, origin: &Origin, sentence: impl Into<String>) {
        self.problems.push(Problem::with_key(key, origin, sentence));
    }

    /// Refuses a combination of settings, under the key whose value is at odds with the rest.
    pub(super) fn refuse(&mut self, key: &'static str, sentence: impl Into<String>) {
        let origin = self.effective.iter().find(|setting| setting.key == key);
        let origin = origin.map_or(Origin::Default, |setting| setting.origin.clone());
        self.problem(key, &origin, sentence);
    }

    /// Whether the values of `keys` are as they were given, so that a combination of them means something.
    pub(super) fn sound(&self, keys: &[&str]) -> bool {
        let wrong = |key: &&str| self.problems.iter().any(|problem| problem.key.as_deref() == Some(*key));
        !self.file_unknown && !keys.iter().any(wrong)
    }

    /// Refuses what was given and never asked for, and names what was probably meant.
    pub(super) fn refuse_unknown(&mut self) {
        for (key, Given { raw, origin }) in std::mem::take(&mut self.given) {
            let section = format!("{key}.");
            let is_section = self.known_keys().any(|known| known.starts_with(&section));
            if is_section && matches!(raw, Raw::EmptyTable) {
                continue;
            }
            let sentence = if is_section {
                "is a section, not a setting".to_owned()
            } else {
                let spelled = |meant: &str| match origin {
                    Origin::Variable(_) => variable_name(meant),
                    _ => meant.to_owned(),
                };
                nearest(&key, self.known_keys()).map_or_else(
                    || "is not a setting".to_owned(),
                    |meant| format!("is not a setting; did you mean {}?", spelled(meant)),
                )
            };
            self.problem(&key, &origin, sentence);
        }
    }

    fn known_keys(&self) -> impl Iterator<Item = &str> {
        self.declared
            .iter()
            .flat_map(|declared| [Some(declared.key.name), declared.file_key.as_deref()])
            .flatten()
    }

    /// The settings in force.
    ///
    /// # Errors
    /// Everything that was found wrong.
    pub(super) fn finish(self) -> Result<Vec<EffectiveSetting>, RefusedSettings> {
        if self.problems.is_empty() {
            Ok(self.effective)
        } else {
            Err(RefusedSettings {
                problems: self.problems,
            })
        }
    }

    /// The declared keys as a Markdown table.
    pub(super) fn reference(&self) -> String {
        let mut table = String::from("| key | default | accepts | meaning |\n| --- | --- | --- | --- |\n");
        for Declared { key, accepts, file_key } in &self.declared {
            let default = match key.default {
                "" => String::new(),
                text => format!("`{text}`"),
            };
            let from_file = file_key.as_ref().map_or_else(String::new, |file_key| {
                format!(" A secret: `{file_key}` may name a file that holds it instead.")
            });
            writeln!(
                table,
                "| `{}` | {default} | {accepts} | {}{from_file} |",
                key.name, key.meaning
            )
            .expect("a String takes every text");
        }
        table
    }
}

/// Refuses what no setting can hold. A line break in a value is most often a paste gone wrong, and would break the lines
/// it is printed on.
fn fit(raw: &Raw) -> Result<(), String> {
    if raw
        .texts()
        .iter()
        .any(|text| text.contains(char::REPLACEMENT_CHARACTER))
    {
        Err("is not UTF-8".to_owned())
    } else if raw.texts().iter().any(|text| text.chars().any(is_invisible)) {
        Err("holds a character that cannot be seen".to_owned())
    } else {
        Ok(())
    }
}
