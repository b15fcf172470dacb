//! The settings of the plugin, and the parts that come of them.

use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::Days;
use teloxide::Bot;
use teloxide::types::UserId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::BackupPlugin;
use crate::chat::access::{Access, Strangers, refusal_of};
use crate::chat::{self, Chat, Delivery};
use crate::clock::{Clock, SystemClock};
use crate::command::{self, BackupCommand};
use crate::config::{BackupConfig, invalid};
use crate::error::Result;
use crate::schedule::Schedule;
use crate::service::{self, Compression, Gate, Limits, Packing, Service, guarded, of_source};
use crate::source::DataSource;
use crate::storage::{FolderStorage, Storage};
use crate::text::{Language, Text};

/// The settings of a [`BackupPlugin`]. Each setter's last sentence is its default.
#[must_use]
pub struct BackupPluginBuilder {
    bot: Bot,
    source: Box<dyn crate::source::AnySource>,
    storage: Option<Box<dyn Storage>>,
    clock: Arc<dyn Clock>,
    admins: Vec<UserId>,
    strangers: Strangers,
    enabled: bool,
    every: Days,
    keep: usize,
    folder: PathBuf,
    settings_file: Option<String>,
    skips_unchanged: bool,
    schema_version: u32,
    packing: Packing,
    limits: Limits,
    upload_limits: Limits,
    holds_updates: bool,
    language: Language,
    texts: Vec<String>,
}

impl BackupPluginBuilder {
    pub(super) fn new(bot: Bot, source: impl DataSource) -> Self {
        let defaults = BackupConfig::default();
        Self {
            bot,
            source: Box::new(source),
            storage: None,
            clock: Arc::new(SystemClock),
            admins: Vec::new(),
            strangers: Strangers::PassOn,
            enabled: defaults.enabled,
            every: Days::new(defaults.interval_days.into()),
            keep: defaults.keep_count as usize,
            folder: defaults.dir,
            settings_file: None,
            skips_unchanged: true,
            schema_version: 1,
            packing: Packing::default(),
            limits: Limits::folder(),
            upload_limits: Limits::upload(),
            holds_updates: false,
            language: Language::default(),
            texts: Vec::new(),
        }
    }

    /// Takes all settings of a settings file: the administrator, the interval, the folder, how many
    /// backups stay and whether they are made by themselves. Default: those of
    /// [`BackupConfig::default`].
    pub fn config(mut self, config: &BackupConfig) -> Self {
        self.admins.extend(config.admin_user_id.map(UserId));
        self.enabled = config.enabled;
        self.every = Days::new(config.interval_days.into());
        self.keep = config.keep_count as usize;
        self.folder.clone_from(&config.dir);
        self
    }

    /// Adds an administrator, by their Telegram id. Default: none, which is an error.
    pub fn admin(mut self, admin: UserId) -> Self {
        self.admins.push(admin);
        self
    }

    /// Answers strangers who type the commands or press the buttons with a refusal. Default: the
    /// host's own handlers get their updates.
    pub fn refuse_strangers(mut self) -> Self {
        self.strangers = Strangers::Refuse;
        self
    }

    /// Whether backups are made by themselves; the commands work without it. Default: true.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// How many days lie between two backups, 1 to 3650. Default: 7.
    pub fn every(mut self, days: Days) -> Self {
        self.every = days;
        self
    }

    /// How many backups stay, 1 to 100000; what a restore can be undone to stays besides.
    /// Default: 10.
    pub fn keep(mut self, count: usize) -> Self {
        self.keep = count;
        self
    }

    /// Whether a scheduled backup of data that have not changed is left out: the last one is read to its
    /// end and decoded once more instead, the administrators are told so, and the next one is due an
    /// interval later, as after any other. The data are the same where each byte of their JSON is: a
    /// `HashMap` that comes in another order, as in another run of the program, makes a new backup. A
    /// last backup that is gone, damaged or another one's is never a reason to leave one out; one that a
    /// person asks for is always made. It is written to be compared, so there must be room for it; and
    /// who removes the last one by hand waits for the next slot or the next start. Default: true.
    pub fn skip_unchanged(mut self, skip: bool) -> Self {
        self.skips_unchanged = skip;
        self
    }

    /// The folder of the archives. Default: `backups`, from where the program was started.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Another place for the archives. Default: the folder.
    pub fn storage(mut self, storage: impl Storage) -> Self {
        self.storage = Some(Box::new(storage));
        self
    }

    /// The name of the file in which people change these settings; `/backup_settings` names it.
    /// Default: none, and the settings are said to stand in the program.
    pub fn settings_file(mut self, name: impl Into<String>) -> Self {
        self.settings_file = Some(name.into());
        self
    }

    /// Whether everybody's updates wait while a restore runs, so that nobody writes into what is about
    /// to be replaced. They go on afterwards, each chat's in order and none lost, and after five minutes
    /// at the latest; who writes in a private chat meanwhile is told so once. The plugin must be mounted
    /// first for this. While a chat's queue of the dispatcher is full (`worker_queue_size`, 64 by default),
    /// teloxide takes nobody's updates. A bot whose handlers change its data does well to switch it on.
    /// Default: false.
    pub fn hold_updates(mut self, hold: bool) -> Self {
        self.holds_updates = hold;
        self
    }

    /// The version of the host's own data, written into each archive. Raise it when a record gets
    /// another shape: a field goes, gets another name or a default that is not empty. What comes of an
    /// archive of the same version must be exactly what it holds, or the restore is taken back.
    /// Default: 1.
    pub fn schema_version(mut self, version: u32) -> Self {
        self.schema_version = version;
        self
    }

    /// How small archives are, against the time that they take. Default: [`Compression::Default`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.packing.compression = compression;
        self
    }

    /// How many threads compress an archive of more than 1 MB; 8 at most, and one for 0. With more than
    /// one, a thread unpacks as well while another decodes. Default: as many as the machine has cores
    /// but one, which stays the bot's; all of them in [`run`](Self::run).
    pub fn workers(mut self, count: usize) -> Self {
        self.packing.workers = Some(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        self
    }

    /// How much is read of an archive in the folder, and how large a backup may become. Default:
    /// [`Limits::folder`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.set_by("limits");
        self
    }

    /// How much is read of an archive that an administrator sends into the chat. Default:
    /// [`Limits::upload`].
    pub fn upload_limits(mut self, limits: Limits) -> Self {
        self.upload_limits = limits.set_by("upload_limits");
        self
    }

    /// The language of the administrators. Default: [`Language::Russian`].
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// The host's own words in the place of some of the plugin's, as a Fluent file: the names and
    /// values are those of `src/text/ru.ftl`. Default: the plugin's words, which also stand in for one that
    /// cannot be put together; the administrators are told of that once.
    pub fn text(mut self, fluent: impl Into<String>) -> Self {
        self.texts.push(fluent.into());
        self
    }

    /// Where the time comes from. Default: the machine's clock and its time zone.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the plugin: checks the settings and makes the folder ready.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a setting that makes no sense; the
    /// message names the setting. The folder's own errors, where it cannot be written.
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) where the host's own code panics.
    pub fn build(mut self) -> Result<BackupPlugin> {
        let admins = admins(mem::take(&mut self.admins), bot_id(&self.bot))?;
        let access = Access { admins, strangers: self.strangers };
        let days = within("BACKUP_INTERVAL_DAYS", days_in(self.every), 1..=3650)?;
        let text = self.texts()?;
        let schedule = Arc::new(Schedule::new(self.every, Arc::clone(&self.clock)));
        let (bot, enabled) = (self.bot.clone(), self.enabled);
        let settings_file = self.settings_file.take();
        let service = self.service()?;
        prepare(&service)?;
        let when = Arc::clone(&schedule);
        let parts = chat::Parts {
            service: service.clone(),
            text,
            access,
            enabled,
            days,
            settings_file,
            next: Box::new(move |made_at| (!when.stands_by()).then(|| when.next(made_at))),
            started: Arc::default(),
            work: TaskTracker::new(),
        };
        let (started, work) = (Arc::clone(&parts.started), parts.work.clone());
        let stop = CancellationToken::new();
        let chat = Chat::new(Delivery::new(bot, stop.clone()), parts);
        Ok(BackupPlugin { chat, service, schedule, enabled, started, stop, work })
    }

    /// Does what a command line asks for, without Telegram, and gives the exit code for `main`.
    /// Neither a token nor an administrator is needed for it.
    pub async fn run(mut self, command: BackupCommand) -> ExitCode {
        self.packing = self.packing.on_all_cores();
        let joined = self.texts().and_then(|text| Ok((self.service()?, text.plain())));
        match joined {
            Ok((service, text)) => command.run(&service, &text).await,
            Err(error) => command::refuse(&error),
        }
    }

    fn texts(&self) -> Result<Text> {
        let sections = of_source(|| self.source.sections())?;
        Text::new(self.language, &self.texts, sections)
    }

    fn service(self) -> Result<Service> {
        let keep = within("BACKUP_KEEP_COUNT", self.keep as u64, 1..=100_000)?;
        for (setting, limits) in [("limits", &self.limits), ("upload_limits", &self.upload_limits)]
        {
            if let Some(problem) = limits.problem() {
                return Err(invalid(setting, problem));
            }
        }
        let storage = self.storage.unwrap_or_else(|| Box::new(FolderStorage::new(self.folder)));
        Ok(Service::new(service::Parts {
            source: self.source,
            storage,
            clock: self.clock,
            keep: usize::try_from(keep).unwrap_or(usize::MAX),
            bot_id: bot_id(&self.bot),
            skips_unchanged: self.skips_unchanged,
            schema_version: self.schema_version,
            packing: self.packing,
            limits: self.limits,
            upload_limits: self.upload_limits,
            gate: Gate::new(self.holds_updates),
            glances: service::Glances::default(),
            doubts: service::Doubts::default(),
            fates: service::Fates::default(),
            noted: AtomicBool::default(),
            making: service::Making::default(),
        }))
    }
}

impl fmt::Debug for BackupPluginBuilder {
    // the bot inside would print its token
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupPluginBuilder").finish_non_exhaustive()
    }
}

fn prepare(service: &Service) -> Result<()> {
    guarded(|| {
        service.prepare().map_err(|error| {
            let problem = format!("«{}» cannot be written", service.storage_name());
            invalid("BACKUP_DIR", &problem).because(error)
        })
    })
}

/// The bot's Telegram id, which is the part of its token before the colon.
fn bot_id(bot: &Bot) -> Option<u64> {
    bot.token().split(':').next()?.parse().ok()
}

fn admins(mut admins: Vec<UserId>, bot_id: Option<u64>) -> Result<Vec<UserId>> {
    let setting = "ADMIN_USER_ID";
    if admins.is_empty() {
        return Err(invalid(setting, "must be set to the administrator's Telegram id"));
    }
    for admin in &admins {
        if let Some(problem) = refusal_of(admin.0, bot_id) {
            return Err(invalid(setting, problem));
        }
    }
    admins.sort_unstable();
    admins.dedup();
    Ok(admins)
}

fn within(setting: &str, value: u64, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(invalid(setting, &format!("must be between {least} and {most}, got {value}")))
}

/// chrono keeps the number to itself.
fn days_in(days: Days) -> u64 {
    let start = chrono::NaiveDate::MIN;
    start.checked_add_days(days).map_or(u64::MAX, |end| {
        u64::try_from(end.signed_duration_since(start).num_days()).unwrap_or(u64::MAX)
    })
}
