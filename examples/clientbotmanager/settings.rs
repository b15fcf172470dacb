//! The settings: a TOML file that may be missing, and the environment, which overrides it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use anyhow::Result;
use serde::Deserialize;
use teloxide::types::{ChatId, UserId};
use teloxide_backup::{BackupConfig, ErrorKind};
use toml::{Spanned, Table, Value};

const DATABASE_PATH: &str = "DATABASE_PATH";
const ADMIN_USER_ID: &str = "ADMIN_USER_ID";
const SETTINGS: [&str; 6] = [
    ADMIN_USER_ID,
    DATABASE_PATH,
    "BACKUP_ENABLED",
    "BACKUP_INTERVAL_DAYS",
    "BACKUP_DIR",
    "BACKUP_KEEP_COUNT",
];

/// Everything that the person who runs the bot decides.
pub(crate) struct Settings {
    /// The settings file's name as that person knows it.
    pub(crate) file: String,
    pub(crate) database: PathBuf,
    pub(crate) backup: BackupConfig,
    /// The private chat with the administrator.
    pub(crate) admin: ChatId,
    /// In which line of the file each setting stands.
    lines: BTreeMap<String, usize>,
}

/// A mistake that only a person can put right: to start again does not help.
#[derive(Debug)]
pub(crate) struct Mistake(String);

pub(crate) fn mistake(text: impl Into<String>) -> anyhow::Error {
    Mistake(text.into()).into()
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

impl Settings {
    /// Reads the file named in `CONFIG`, or else `config.toml`, then the environment.
    pub(crate) fn read() -> Result<Self> {
        let named = env::var("CONFIG").ok();
        let file = named.clone().unwrap_or_else(|| "config.toml".to_owned());
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
                String::new()
            }
            Err(error) => return Err(mistake(format!("{file}: {error}"))),
        };
        Self::of(file, &text)
    }

    /// The defaults, with everything in one folder.
    pub(crate) fn of_trial(folder: &Path, admin: u64) -> Self {
        let mut backup = BackupConfig::default();
        backup.admin_user_id = Some(admin);
        backup.dir = folder.join("backups");
        Self {
            file: "config.toml".to_owned(),
            database: folder.join("clientbotmanager.db"),
            backup,
            admin: UserId(admin).into(),
            lines: BTreeMap::new(),
        }
    }

    fn of(file: String, text: &str) -> Result<Self> {
        let mut table = Table::new();
        let mut lines = BTreeMap::new();
        for (name, value) in parse(&file, text)? {
            let line = line_of(text, value.span().start);
            let value = value.into_inner();
            if let Some(problem) = problem_of(&name, &value) {
                return Err(mistake(format!("{file}, line {line}: {problem}")));
            }
            lines.insert(name.clone(), line);
            table.insert(name, value);
        }
        let database = database(&table);
        let backup = BackupConfig::deserialize(table).map(BackupConfig::with_env);
        let backup = backup.map_err(|error| mistake(format!("{file}: {}", error.message())))?;
        let backup = backup.map_err(|error| in_environment(&error))?;
        let Some(admin) = backup.admin_user_id.and_then(|id| i64::try_from(id).ok()) else {
            return Err(mistake(format!(
                "{ADMIN_USER_ID} must be your Telegram id: set it in the environment or in {file}, \
                 which is looked for where the bot is started, unless CONFIG names another"
            )));
        };
        Ok(Self { file, database, backup, admin: ChatId(admin), lines })
    }

    /// An error of the backups; one about a setting says where that stands.
    pub(crate) fn explain(&self, error: teloxide_backup::Error) -> anyhow::Error {
        if error.kind() != ErrorKind::Config {
            return error.into();
        }
        let told = format!("{:#}", anyhow::Error::from(error));
        let name = told.split_whitespace().next().unwrap_or_default();
        mistake(match (env::var_os(name), self.lines.get(name)) {
            (Some(_), _) => format!("the environment: {told}"),
            (None, Some(line)) => format!("{}, line {line}: {told}", self.file),
            (None, None) => told,
        })
    }
}

fn in_environment(error: &teloxide_backup::Error) -> anyhow::Error {
    mistake(format!("the environment: {error}"))
}

fn parse(file: &str, text: &str) -> Result<BTreeMap<String, Spanned<Value>>> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        mistake(format!("{file}, line {line}: {}", error.message()))
    })
}

/// Counted from one.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// What is wrong with one setting of the file.
fn problem_of(name: &str, value: &Value) -> Option<String> {
    if !SETTINGS.contains(&name) {
        return Some(format!("there is no setting {name}"));
    }
    if name == DATABASE_PATH && !value.is_str() {
        return Some(format!("{name} must be a path in quotes"));
    }
    let alone = Table::from_iter([(name.to_owned(), value.clone())]);
    let error = BackupConfig::deserialize(alone).err()?;
    Some(format!("{name}: {}", error.message()))
}

fn database(table: &Table) -> PathBuf {
    let path = env::var_os(DATABASE_PATH).map(PathBuf::from);
    let path = path.or_else(|| table.get(DATABASE_PATH)?.as_str().map(PathBuf::from));
    path.unwrap_or_else(|| "clientbotmanager.db".into())
}
