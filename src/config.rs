//! The settings, under the names that the person who runs the bot knows.

use std::env;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The settings of the backups, as they stand in a settings file or in the environment.
///
/// ```
/// use teloxide_backup::BackupConfig;
///
/// let config: BackupConfig =
///     toml::from_str("ADMIN_USER_ID = 123456789\nBACKUP_INTERVAL_DAYS = 1").expect("settings");
/// assert_eq!(config.interval_days, 1);
/// assert_eq!(config.keep_count, 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BackupConfig {
    /// Whether backups are made by themselves. Without it the commands still work. Default: true.
    #[serde(rename = "BACKUP_ENABLED")]
    pub enabled: bool,
    /// How many days lie between two backups, 1 to 3650. Default: 7.
    #[serde(rename = "BACKUP_INTERVAL_DAYS")]
    pub interval_days: u32,
    /// The folder of the archives. Default: `backups`.
    #[serde(rename = "BACKUP_DIR")]
    pub dir: PathBuf,
    /// How many backups stay, 1 to 100000. Default: 10.
    #[serde(rename = "BACKUP_KEEP_COUNT")]
    pub keep_count: u32,
    /// The Telegram id of the administrator. Default: none, which is an error at the start.
    #[serde(rename = "ADMIN_USER_ID", skip_serializing_if = "Option::is_none")]
    pub admin_user_id: Option<u64>,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_days: 7,
            dir: PathBuf::from("backups"),
            keep_count: 10,
            admin_user_id: None,
        }
    }
}

impl BackupConfig {
    /// The settings of the environment alone, with defaults for the rest.
    ///
    /// # Errors
    /// A value that is no number or no yes or no; the error names the variable.
    pub fn from_env() -> Result<Self> {
        Self::default().with_env()
    }

    /// These settings, with those that the environment has in their place.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn with_env(self) -> Result<Self> {
        self.with(|name| match env::var_os(name) {
            None => Ok(None),
            Some(value) => value.into_string().map(Some).map_err(|_| invalid(name, "is not text")),
        })
    }

    pub(crate) fn with(
        mut self,
        read: impl Fn(&'static str) -> Result<Option<String>>,
    ) -> Result<Self> {
        if let Some(value) = read("BACKUP_ENABLED")? {
            self.enabled = yes_or_no("BACKUP_ENABLED", &value)?;
        }
        if let Some(value) = read("BACKUP_INTERVAL_DAYS")? {
            self.interval_days = number("BACKUP_INTERVAL_DAYS", &value)?;
        }
        if let Some(value) = read("BACKUP_DIR")? {
            self.dir = PathBuf::from(value);
        }
        if let Some(value) = read("BACKUP_KEEP_COUNT")? {
            self.keep_count = number("BACKUP_KEEP_COUNT", &value)?;
        }
        if let Some(value) = read("ADMIN_USER_ID")? {
            self.admin_user_id = Some(number("ADMIN_USER_ID", &value)?);
        }
        Ok(self)
    }
}

/// An error that names the setting.
pub(crate) fn invalid(setting: &str, problem: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{setting} {problem}"))
}

fn number<T: FromStr>(setting: &str, value: &str) -> Result<T> {
    value.trim().parse().map_err(|_| {
        let shown: String = value.chars().take(40).collect();
        invalid(setting, &format!("must be a whole number, got «{shown}»"))
    })
}

/// As Python, TOML and shells write it.
fn yes_or_no(setting: &str, value: &str) -> Result<bool> {
    match value.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => {
            let shown: String = value.chars().take(40).collect();
            Err(invalid(setting, &format!("must be true or false, got «{shown}»")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<BackupConfig> {
        BackupConfig::default().with(|name| {
            Ok(pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn the_environment_wins() {
        let config = with(&[
            ("BACKUP_ENABLED", "False"),
            ("BACKUP_INTERVAL_DAYS", "30"),
            ("BACKUP_DIR", "/var/lib/копии"),
            ("BACKUP_KEEP_COUNT", "20"),
            ("ADMIN_USER_ID", " 123456789 "),
        ])
        .expect("good settings");
        let expected = BackupConfig {
            enabled: false,
            interval_days: 30,
            dir: PathBuf::from("/var/lib/копии"),
            keep_count: 20,
            admin_user_id: Some(123_456_789),
        };
        assert_eq!(config, expected);
        assert_eq!(with(&[]).expect("defaults"), BackupConfig::default());
    }

    #[test]
    fn nonsense_names_its_setting() {
        for (setting, value) in [
            ("BACKUP_ENABLED", "maybe"),
            ("BACKUP_INTERVAL_DAYS", "-1"),
            ("BACKUP_INTERVAL_DAYS", "weekly"),
            ("BACKUP_KEEP_COUNT", "1e3"),
            ("ADMIN_USER_ID", "@anna"),
            ("ADMIN_USER_ID", "-100123"),
            ("ADMIN_USER_ID", ""),
        ] {
            let error = with(&[(setting, value)]).expect_err(value);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(setting), "{error}");
        }
    }
}
