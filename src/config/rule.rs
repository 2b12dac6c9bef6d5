//! What a setting accepts: one phrase for people and one parser, kept together. The phrase fills its column of the
//! reference and completes "must be …" when a value is refused, unless the parser knows a better reason.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::{Invalid, Seconds};

/// A value as it was written, before any rule has looked at it.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// A string, a number or a truth value.
    Text(String),
    /// An array of such values.
    List(Vec<String>),
    /// A table without anything in it.
    EmptyTable,
    /// An array of something else.
    Structure,
}

impl Raw {
    /// The texts inside.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(items) => items,
            Self::EmptyTable | Self::Structure => &[],
        }
    }
}

type Parser<T> = dyn Fn(&Raw) -> Result<T, Unfit>;

/// Turns a raw value into a `T`, or refuses it with its phrase.
pub(super) struct Rule<T> {
    accepts: Cow<'static, str>,
    parse: Box<Parser<T>>,
}

/// Why a value was refused.
enum Unfit {
    /// It is not what the phrase says.
    Phrase,
    /// The parser's own reason.
    Reason(Invalid),
}

impl<T: 'static> Rule<T> {
    /// A rule for single values.
    pub(super) fn new(accepts: impl Into<Cow<'static, str>>, parse: impl Fn(&str) -> Option<T> + 'static) -> Self {
        Self {
            accepts: accepts.into(),
            parse: Box::new(move |raw| match raw {
                Raw::Text(text) => parse(text).ok_or(Unfit::Phrase),
                Raw::List(_) | Raw::EmptyTable | Raw::Structure => Err(Unfit::Phrase),
            }),
        }
    }

    /// The same phrase for what `further` makes of the value; none from it refuses the value.
    pub(super) fn and_then<U>(self, further: impl Fn(T) -> Option<U> + 'static) -> Rule<U> {
        let parse = self.parse;
        Rule {
            accepts: self.accepts,
            parse: Box::new(move |raw| further(parse(raw)?).ok_or(Unfit::Phrase)),
        }
    }

    /// The phrase that completes "must be …".
    pub(super) fn accepts(&self) -> &str {
        &self.accepts
    }

    /// The value, or a sentence that begins with the key and never quotes the value.
    pub(super) fn parse(&self, raw: &Raw) -> Result<T, String> {
        (self.parse)(raw).map_err(|unfit| match unfit {
            Unfit::Phrase => format!("must be {}", self.accepts),
            Unfit::Reason(invalid) => invalid.to_string(),
        })
    }
}

/// A list: an array in the file, comma-separated in one text. Blank items are passed over.
pub(super) fn list<T, L>(accepts: &'static str) -> Rule<L>
where
    T: FromStr,
    L: FromIterator<T> + 'static,
{
    Rule {
        accepts: accepts.into(),
        parse: Box::new(|raw| {
            let items: Vec<&str> = match raw {
                Raw::Text(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
                Raw::List(items) => items.iter().map(String::as_str).collect(),
                Raw::EmptyTable | Raw::Structure => return Err(Unfit::Phrase),
            };
            items
                .into_iter()
                .map(|item| item.parse().map_err(|_| Unfit::Phrase))
                .collect()
        }),
    }
}

/// A value with a parser that gives its own reasons.
pub(super) fn parsed<T: FromStr<Err = Invalid> + 'static>(accepts: &'static str) -> Rule<T> {
    Rule {
        accepts: accepts.into(),
        parse: Box::new(|raw| match raw {
            Raw::Text(text) => text.parse().map_err(Unfit::Reason),
            Raw::List(_) | Raw::EmptyTable | Raw::Structure => Err(Unfit::Phrase),
        }),
    }
}

/// One of a closed set.
pub(super) fn choice<T: Copy + 'static>(choices: impl IntoIterator<Item = (&'static str, T)>) -> Rule<T> {
    let choices: Vec<_> = choices.into_iter().collect();
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
    Rule::new(format!("one of {}", words.join(", ")), move |text| {
        choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    })
}

/// `true` or `false`.
pub(super) fn flag() -> Rule<bool> {
    choice([("true", true), ("false", false)])
}

/// A whole number from `least` to `most`, in decimal digits.
pub(super) fn whole<T>(least: T, most: T) -> Rule<T>
where
    T: TryFrom<u64> + PartialOrd + Display + 'static,
{
    Rule::new(format!("a whole number from {least} to {most}"), move |text| {
        let number: u64 = decimal(text)?;
        T::try_from(number)
            .ok()
            .filter(|value| (&least..=&most).contains(&value))
    })
}

fn decimal(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The name of a file.
pub(super) fn path() -> Rule<PathBuf> {
    Rule::new("the path of a file", |text| (!text.is_empty()).then(|| text.into()))
}

/// The name of a file, or nothing.
pub(super) fn optional_path() -> Rule<Option<PathBuf>> {
    Rule::new("the path of a file, or empty", |text| {
        Some((!text.is_empty()).then(|| text.into()))
    })
}

/// A number and its unit (`250ms`, `90s`, `15m`, `1h`, `30d`). A number alone means nothing.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, unit) = text.split_at(unit_at);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(decimal(digits)?.checked_mul(milliseconds)?))
}

/// A duration from `least` to `most`, which are written like one.
pub(super) fn duration(least: &'static str, most: &'static str) -> Rule<Duration> {
    let [low, high] = [least, most].map(|bound| parse_duration(bound).expect("bounds are written as durations"));
    Rule::new(
        format!("a duration from `{least}` to `{most}`, written with its unit: `ms`, `s`, `m`, `h` or `d`"),
        move |text| parse_duration(text).filter(|value| (low..=high).contains(value)),
    )
}

/// Like [`duration`], in whole seconds.
pub(super) fn seconds(least: &'static str, most: &'static str) -> Rule<Seconds> {
    duration(least, most).and_then(|value| {
        let whole = u32::try_from(value.as_secs()).ok()?;
        (value.subsec_nanos() == 0).then_some(Seconds(whole))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[test]
    fn a_duration_is_a_number_with_its_unit() {
        for (written, milliseconds) in [
            ("0s", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(
                parse_duration(written),
                Some(Duration::from_millis(milliseconds)),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let bad = [
            "",
            "90",
            "s",
            "-1s",
            "+1s",
            "1.5s",
            "1 s",
            " 1s",
            "1s ",
            "1S",
            "1w",
            "1h30m",
            "1sec",
            "٣s",
            "99999999999999999999s",
            "18446744073709551615d",
        ];
        for written in bad {
            assert_eq!(parse_duration(written), None, "{written:?}");
        }
    }

    #[test]
    fn seconds_are_whole_and_within_their_bounds() {
        let rule = seconds("60s", "1h");
        assert_eq!(rule.parse(&text("60s")), Ok(Seconds(60)));
        assert_eq!(rule.parse(&text("1h")), Ok(Seconds(3600)));
        assert_eq!(rule.parse(&text("120000ms")), Ok(Seconds(120)));
        for bad in ["59s", "3601s", "60001ms", "300"] {
            assert!(rule.parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_number_keeps_its_bounds() {
        let rule = whole(1_u32, 64);
        assert_eq!(rule.accepts(), "a whole number from 1 to 64");
        assert_eq!(rule.parse(&text("1")), Ok(1));
        assert_eq!(rule.parse(&text("64")), Ok(64));
        for bad in ["", "0", "65", "-1", "+8", "8.0", " 8", "0x8", "99999999999999999999"] {
            assert!(rule.parse(&text(bad)).is_err(), "{bad:?}");
        }
        assert!(rule.parse(&Raw::List(vec!["8".to_owned()])).is_err());
    }

    #[test]
    fn a_refusal_says_what_is_accepted_or_why() {
        assert_eq!(
            whole(1_u32, 64).parse(&text("0")),
            Err("must be a whole number from 1 to 64".to_owned())
        );
        assert_eq!(
            parsed::<crate::domain::Algorithm>("an algorithm").parse(&text("HS256")),
            Err("is none of ES256, EdDSA, RS256, PS256".to_owned())
        );
    }

    #[test]
    fn a_choice_is_taken_as_written_only() {
        let rule = flag();
        assert_eq!(rule.accepts(), "one of `true`, `false`");
        assert_eq!(rule.parse(&text("true")), Ok(true));
        assert_eq!(rule.parse(&text("false")), Ok(false));
        for bad in ["True", "1", "yes", ""] {
            assert!(rule.parse(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_is_an_array_or_separated_by_commas() {
        let rule: Rule<Vec<u8>> = list("numbers");
        assert_eq!(rule.parse(&text("")), Ok(vec![]));
        assert_eq!(rule.parse(&text("1, 2,3,")), Ok(vec![1, 2, 3]));
        assert_eq!(rule.parse(&Raw::List(vec!["4".to_owned()])), Ok(vec![4]));
        assert!(rule.parse(&text("1,x")).is_err());
        assert!(rule.parse(&Raw::List(vec!["1,2".to_owned()])).is_err());
        assert!(rule.parse(&Raw::Structure).is_err());
    }
}
