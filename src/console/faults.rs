//! What is wrong with a form, field by field, for the page that shows it once more.

use super::trouble::Trouble;
use crate::http::admin::problem::{Fault, Problem};

/// What is wrong with which field of a form.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Those of a problem that lies in the form.
    ///
    /// # Errors
    /// With the trouble, where it lies elsewhere.
    pub(super) fn of(problem: impl Into<Problem>) -> Result<Self, Trouble> {
        let problem = problem.into();
        let faults = problem.errors();
        if faults.is_empty() {
            Err(problem.into())
        } else {
            Ok(Self(faults))
        }
    }

    /// That of a field, or of a part of it: a sentence without its subject.
    pub(super) fn of_field(&self, name: &str) -> Option<&'static str> {
        let of_it = |fault: &&Fault| {
            let below = fault.field.strip_prefix(name);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        self.0.iter().find(of_it).map(|fault| fault.reason)
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_shown_at_its_field_and_nowhere_else() {
        let fault = |field: &str| Fault::new(field, "is wrong");
        let faults = Faults(vec![fault("scope[1]"), fault("plan.partner.burst"), fault("names")]);
        assert_eq!(faults.of_field("scope"), Some("is wrong"));
        assert_eq!(faults.of_field("plan"), Some("is wrong"));
        assert_eq!(faults.of_field("name"), None);
        assert!(faults.any() && !Faults::default().any());
    }
}
