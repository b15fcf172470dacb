//! The settings: a TOML file that may be missing, and the environment, which overrides it.

use std::path::PathBuf;
use std::{env, fs, io};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use teloxide::types::ChatId;
use teloxide_backup::BackupConfig;
use toml::Table;

const DATABASE_PATH: &str = "DATABASE_PATH";
const BACKUP_SETTINGS: [&str; 5] =
    ["ADMIN_USER_ID", "BACKUP_ENABLED", "BACKUP_INTERVAL_DAYS", "BACKUP_DIR", "BACKUP_KEEP_COUNT"];

/// Everything that the person who runs the bot decides.
pub(crate) struct Settings {
    /// The settings file's name as that person knows it.
    pub(crate) file: String,
    pub(crate) database: PathBuf,
    pub(crate) backup: BackupConfig,
    /// The private chat with the administrator.
    pub(crate) admin: ChatId,
}

impl Settings {
    /// Reads the file named in `CONFIG`, then the environment.
    pub(crate) fn read() -> Result<Self> {
        let named = env::var("CONFIG").ok();
        let file = named.clone().unwrap_or_else(|| "config.toml".to_owned());
        let mut table = match fs::read_to_string(&file) {
            Ok(text) => parse(&text).with_context(|| format!("the settings in {file}"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
                Table::new()
            }
            Err(error) => return Err(error).with_context(|| format!("the settings in {file}")),
        };
        let database = database(table.remove(DATABASE_PATH))?;
        let backup = backup(table).with_context(|| format!("the settings in {file}"))?;
        let backup = backup.with_env()?;
        let admin =
            backup.admin_user_id.and_then(|id| i64::try_from(id).ok()).with_context(|| {
                format!(
                    "ADMIN_USER_ID must be your Telegram id: set it in {file} or in the environment"
                )
            })?;
        Ok(Self { file, database, backup, admin: ChatId(admin) })
    }
}

/// The connection to Telegram: `TELOXIDE_TOKEN` and, for another server, `TELOXIDE_API_URL`.
pub(crate) fn telegram() -> Result<teloxide::Bot> {
    let token = env::var("TELOXIDE_TOKEN").unwrap_or_default();
    if token.is_empty() {
        bail!("TELOXIDE_TOKEN is not set: it is the token that @BotFather gave you");
    }
    if let Ok(address) = env::var("TELOXIDE_API_URL") {
        // `from_env` would panic
        let address = address.parse().context("TELOXIDE_API_URL is no address")?;
        if teloxide::Bot::new(token).set_api_url(address).api_url().cannot_be_a_base() {
            bail!("TELOXIDE_API_URL is no address of a server");
        }
    }
    Ok(teloxide::Bot::from_env())
}

fn parse(text: &str) -> Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        anyhow::anyhow!("line {line}: {}", error.message())
    })
}

fn database(setting: Option<toml::Value>) -> Result<PathBuf> {
    if let Some(path) = env::var_os(DATABASE_PATH) {
        return Ok(path.into());
    }
    match setting {
        None => Ok("clientbotmanager.db".into()),
        Some(toml::Value::String(path)) => Ok(path.into()),
        Some(_) => bail!("{DATABASE_PATH} must be a path in quotes"),
    }
}

/// Each setting by itself first, so that an error names it.
fn backup(table: Table) -> Result<BackupConfig> {
    for (name, value) in &table {
        if !BACKUP_SETTINGS.contains(&name.as_str()) {
            bail!("there is no setting {name}");
        }
        let alone = Table::from_iter([(name.clone(), value.clone())]);
        BackupConfig::deserialize(alone)
            .map_err(|error| anyhow::anyhow!("{name}: {}", error.message()))?;
    }
    Ok(BackupConfig::deserialize(table)?)
}
