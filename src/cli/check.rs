//! `check`: the settings in force, where each came from, and what is worth a second look.

use clap::Args;
use serde_json::json;

use super::Invocation;
use super::failure::Failure;
use crate::config::{Finding, Severity};

/// Print the settings in force, secrets redacted, and what is worth a second look
#[derive(Args, Debug)]
pub(super) struct Check {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Check {
    /// # Errors
    /// When the settings are refused, with every reason.
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let settings = invocation.settings()?;
        let findings = settings.findings();
        let output = &mut invocation.output;
        if self.json {
            let effective: Vec<_> = settings
                .effective()
                .iter()
                .map(|setting| json!({ "key": setting.key, "value": setting.value, "origin": setting.origin.to_string() }))
                .collect();
            let findings: Vec<_> = findings.iter().map(as_json).collect();
            output.json(&json!({ "settings": effective, "findings": findings }))?;
            return Ok(());
        }
        settings
            .effective()
            .iter()
            .try_for_each(|setting| output.line(&setting.to_string()))?;
        if !findings.is_empty() {
            output.line("")?;
        }
        findings
            .iter()
            .try_for_each(|finding| output.line(&finding.to_string()))?;
        Ok(())
    }
}

fn as_json(finding: &Finding) -> serde_json::Value {
    let severity = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
    };
    json!({ "severity": severity, "key": finding.key, "sentence": finding.sentence })
}
