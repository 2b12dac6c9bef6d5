//! Settings, parsed once: defaults < TOML file < environment variables. Every wrong value is reported at the same start,
//! with its key and where it came from; no report and no print-out holds a secret.
//!
//! Each key is declared once, in `sections`, at the place where it is read. Parsing, the refusal of unknown keys,
//! the print-out of `mintmark check` and `docs/SETTINGS.md` all come from those declarations.

mod checks;
mod file;
mod findings;
mod nearest;
mod origin;
mod public_url;
mod reading;
mod rule;
mod sections;
#[cfg(test)]
mod tests;
mod trusted_proxies;
mod variables;

use std::path::Path;

pub use file::{CONFIG_VARIABLE, DEFAULT_FILE};
pub use findings::{Finding, Severity};
pub use origin::{Origin, Problem, RefusedSettings};
pub use public_url::PublicUrl;
pub use reading::EffectiveSetting;
pub use sections::{
    ConsoleSettings, DatabaseSettings, EnvironmentSettings, Environments, JwksSettings, KeySettings, LimitSettings,
    ListenSettings, LogSettings, MetadataSettings, NoticeSettings, OperatorSettings, RegistrySettings, SecretSettings,
    Settings, ShutdownSettings, TlsSettings, TokenSettings, UsageSettings, WebhookSettings,
};
pub use trusted_proxies::TrustedProxies;
pub use variables::process_environment;

use file::{FileEntries, SettingsFile};
use reading::Reading;

impl Settings {
    /// Reads the file that `named` or `MINTMARK_CONFIG` names (it must exist), else `mintmark.toml` in the working
    /// directory if there is one, and lays `environment` over it.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, RefusedSettings> {
        let environment: Vec<_> = environment.into_iter().collect();
        let entries = file::choose(named, &environment, Path::new(DEFAULT_FILE)).map_or_else(
            || Ok(Vec::new()),
            |path| SettingsFile::open(&path).and_then(|file| file.entries()),
        );
        Self::parse(entries, environment)
    }

    /// The defaults with `environment` laid over them; no settings file.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn from_environment(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, RefusedSettings> {
        Self::parse(Ok(Vec::new()), environment)
    }

    fn parse(
        file: FileEntries,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, RefusedSettings> {
        let mut reading = Reading::of(file, environment);
        let mut settings = Self::read(&mut reading);
        checks::across(&settings, &mut reading);
        reading.refuse_unknown();
        settings.effective = reading.finish()?;
        Ok(settings)
    }

    /// Every setting with its value in force and where that came from, in the order of the reference. Secrets are
    /// redacted.
    #[must_use]
    pub fn effective(&self) -> &[EffectiveSetting] {
        &self.effective
    }

    /// What an operator should know about these settings although they are valid. Looks whether the named files exist.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        findings::of(self)
    }
}

/// The table of all settings in Markdown: key, default, accepted values, meaning. `docs/SETTINGS.md` ends with it.
#[must_use]
pub fn reference() -> String {
    let mut reading = Reading::of(Ok(Vec::new()), []);
    Settings::read(&mut reading);
    reading.reference()
}
