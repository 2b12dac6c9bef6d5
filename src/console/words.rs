//! How pages say what has a form of its own elsewhere.

use crate::domain::{Allowance, Environment, Timestamp};

/// A moment to the minute, in UTC, as people read it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand on references")]
pub(super) fn minute(at: &Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or_default())
}

/// The day of a moment, as a box for days takes it.
pub(super) fn day(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// An environment, as it stands in a heading.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand on references")]
pub(super) const fn title(environment: &Environment) -> &'static str {
    match environment {
        Environment::Qa => "QA",
        Environment::Production => "Production",
    }
}

/// What somebody may obtain, in a few words.
pub(super) fn allowance(allowance: &Allowance) -> String {
    let rate = allowance.rate.map(|rate| {
        let (second, burst) = (rate.tokens_per_second.get(), rate.burst.get());
        format!("{second} a second, {burst} at once")
    });
    let day = allowance.tokens_per_day.map(|count| format!("{} a day", count.get()));
    let month = allowance
        .tokens_per_month
        .map(|count| format!("{} a month", count.get()));
    let bounds: Vec<String> = [rate, day, month].into_iter().flatten().collect();
    if bounds.is_empty() {
        "unbounded".to_owned()
    } else {
        bounds.join(", ")
    }
}

/// A number with a comma before every three digits.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_to_the_minute() {
        assert_eq!(minute(&Timestamp::from_seconds(1_800_000_059)), "2027-01-15 08:00 UTC");
    }

    #[test]
    fn an_allowance_says_what_it_bounds() {
        assert_eq!(allowance(&Allowance::UNBOUNDED), "unbounded");
        let bounded: Allowance =
            serde_json::from_str(r#"{"tokens_per_second":5,"burst":9,"tokens_per_month":1000}"#).unwrap();
        assert_eq!(allowance(&bounded), "5 a second, 9 at once, 1000 a month");
    }

    #[test]
    fn a_long_number_is_said_in_threes() {
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
    }
}
