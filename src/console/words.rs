//! How pages say what has a form of its own elsewhere.

use crate::domain::{Environment, Timestamp};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_to_the_minute() {
        assert_eq!(minute(&Timestamp::from_seconds(1_800_000_059)), "2027-01-15 08:00 UTC");
    }
}
