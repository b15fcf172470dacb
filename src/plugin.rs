//! Joins the parts: what a host builds, mounts and starts.

use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use once_cell::sync::OnceCell;
use teloxide::Bot;
use teloxide::dispatching::UpdateHandler;
use teloxide::types::UserId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backup::Trigger;
use crate::chat::access::{Access, Strangers, refusal_of};
use crate::chat::{self, Chat, Delivery};
use crate::clock::{Clock, SystemClock};
use crate::command::{self, BackupCommand};
use crate::config::{BackupConfig, invalid};
use crate::error::{Error, Result};
use crate::schedule::{self, BackupTask, BoxFuture, Job, Schedule};
use crate::service::{self, Compression, Packing, Service};
use crate::source::DataSource;
use crate::storage::{FolderStorage, Storage};
use crate::text::{Language, Text};

/// How long a note may wait for its turn.
const NOTED_WITHIN: Duration = Duration::from_secs(2 * 60);

/// How long after a message that nobody took it is tried anew.
const TOLD_AGAIN: Duration = Duration::from_secs(15 * 60);

/// The backups of one bot: a branch for its dispatcher and a schedule. Clones are the same plugin.
#[derive(Clone)]
pub struct BackupPlugin {
    chat: Chat,
    service: Service,
    schedule: Arc<Schedule>,
    enabled: bool,
    started: Arc<OnceCell<()>>,
    stop: CancellationToken,
    work: TaskTracker,
}

impl BackupPlugin {
    /// The plugin with all defaults.
    ///
    /// # Errors
    /// As [`BackupPluginBuilder::build`].
    pub fn new(bot: Bot, admin: UserId, source: impl DataSource) -> Result<Self> {
        Self::builder(bot, source).admin(admin).build()
    }

    /// Begins a plugin. Give it the plain bot, before it is wrapped in any adaptor.
    pub fn builder(bot: Bot, source: impl DataSource) -> BackupPluginBuilder {
        BackupPluginBuilder::new(bot, source)
    }

    /// The branch for the host's dispatcher: mount it first, at the root.
    ///
    /// It takes the administrators' `/backup`, `/backup_list` and `/backup_settings` and the
    /// buttons under their answers; every other update goes on to the host's own handlers. It asks
    /// the dispatcher's dependencies for nothing, works with any error type and never fails.
    ///
    /// ```
    /// # use teloxide::prelude::*;
    /// # use teloxide_backup::{BackupPlugin, MemoryStorage, Shared};
    /// # #[derive(Clone, serde::Serialize, serde::Deserialize)] struct Shop {}
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), teloxide_backup::Error> {
    /// # let bot = Bot::new("123:token");
    /// # let state = std::sync::Arc::new(tokio::sync::RwLock::new(Shop {}));
    /// # let backup = BackupPlugin::builder(bot.clone(), Shared::new(state))
    /// #     .admin(UserId(42)).storage(MemoryStorage::new()).build()?;
    /// let schema = Update::filter_message().endpoint(|| async { Ok::<_, anyhow::Error>(()) });
    /// let tree = dptree::entry().branch(backup.handler()).branch(schema);
    /// let mut dispatcher = Dispatcher::builder(bot, tree).build();
    /// # let _ = dispatcher; Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn handler<E: Send + Sync + 'static>(&self) -> UpdateHandler<E> {
        chat::branch(self.chat.clone())
    }

    /// Starts the schedule, and tells the administrators of a restore that was cut off when the bot
    /// last ran. A second call gives another handle to the same schedule.
    ///
    /// # Panics
    /// Outside a tokio runtime, as every spawn does.
    pub fn spawn(&self) -> BackupTask {
        self.started.get_or_init(|| self.start());
        BackupTask { stop: self.stop.clone(), work: self.work.clone() }
    }

    fn start(&self) {
        let chat = self.chat.clone();
        let stop = self.stop.clone();
        self.work.spawn(async move {
            while !chat.tell_of_interruption().await {
                if stop.run_until_cancelled(tokio::time::sleep(TOLD_AGAIN)).await.is_none() {
                    return;
                }
            }
        });
        if !self.enabled {
            tracing::info!("backups are made by hand only: BACKUP_ENABLED is false");
            return;
        }
        let job = Arc::new(ScheduledBackup {
            chat: self.chat.clone(),
            service: self.service.clone(),
            work: self.work.clone(),
            told: Arc::default(),
        });
        let schedule = Arc::clone(&self.schedule);
        self.work.spawn(schedule::run(schedule, job, self.stop.clone()));
    }
}

impl fmt::Debug for BackupPlugin {
    // the bot inside would print its token
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupPlugin").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

const _: () = {
    const fn travels<T: Send + Sync + 'static>() {}
    travels::<BackupPlugin>();
    travels::<BackupTask>();
};

/// What the schedule does when a backup is due.
struct ScheduledBackup {
    chat: Chat,
    service: Service,
    work: TaskTracker,
    /// The administrator has heard that it fails, and the notebook could not take it.
    told: Arc<AtomicBool>,
}

impl Job for ScheduledBackup {
    fn made_at(&self) -> BoxFuture<'_, Result<Vec<DateTime<Utc>>>> {
        Box::pin(self.service.made_at())
    }

    fn back_up(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let report = self.service.back_up(Trigger::Scheduled).await?;
            let told = self.told.swap(false, Ordering::Relaxed);
            let recovered = self.service.note_working().await || told;
            let chat = self.chat.clone();
            // a message that Telegram does not take now must not hold the next backup up
            self.work.spawn(async move { chat.tell_done(&report, recovered).await });
            Ok(())
        })
    }

    fn failed(&self, error: Error) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // where the note cannot be written, as on a full disk or while a backup that never ends
            // holds the place, this program remembers it
            let noted = tokio::time::timeout(NOTED_WITHIN, self.service.note_failing()).await;
            let untold = match noted {
                Ok(Ok(untold)) => untold,
                _ => !self.told.swap(true, Ordering::Relaxed),
            };
            if untold {
                let told = Arc::clone(&self.told);
                let chat = self.chat.clone();
                let service = self.service.clone();
                self.work.spawn(async move {
                    if chat.tell_failed(&error).await {
                        service.note_told_of_failure().await;
                    } else {
                        told.store(false, Ordering::Relaxed);
                    }
                });
            }
        })
    }
}

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
    schema_version: u32,
    packing: Packing,
    language: Language,
    texts: Vec<String>,
}

impl BackupPluginBuilder {
    fn new(bot: Bot, source: impl DataSource) -> Self {
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
            schema_version: 1,
            packing: Packing::default(),
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

    /// The version of the host's own data, written into each archive. Default: 1.
    pub fn schema_version(mut self, version: u32) -> Self {
        self.schema_version = version;
        self
    }

    /// How small archives are, against the time that they take. Default: [`Compression::Default`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.packing.compression = compression;
        self
    }

    /// How many threads compress an archive of more than 1 MB; 8 at most, and one for 0. A bot that
    /// must not lend its cores takes one. Default: as many as the machine has cores.
    pub fn workers(mut self, count: usize) -> Self {
        self.packing.workers = Some(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        self
    }

    /// The language of the administrators. Default: [`Language::Russian`].
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// The host's own words in the place of some of the plugin's, as a Fluent file: the names and
    /// values are those of `src/text/ru.ftl`. Default: the plugin's words.
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
            next: Box::new(move |made_at| when.next(made_at)),
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
    pub async fn run(self, command: BackupCommand) -> ExitCode {
        let joined = self.texts().and_then(|text| Ok((self.service()?, text.plain())));
        match joined {
            Ok((service, text)) => command.run(&service, &text).await,
            Err(error) => command::refuse(&error),
        }
    }

    fn texts(&self) -> Result<Text> {
        Text::new(self.language, &self.texts, self.source.sections())
    }

    fn service(self) -> Result<Service> {
        let keep = within("BACKUP_KEEP_COUNT", self.keep as u64, 1..=100_000)?;
        let storage = self.storage.unwrap_or_else(|| Box::new(FolderStorage::new(self.folder)));
        Ok(Service::new(service::Parts {
            source: self.source,
            storage,
            clock: self.clock,
            keep: usize::try_from(keep).unwrap_or(usize::MAX),
            bot_id: bot_id(&self.bot),
            schema_version: self.schema_version,
            packing: self.packing,
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
    service.prepare().map_err(|error| {
        let problem = format!("«{}» cannot be written", service.storage_name());
        invalid("BACKUP_DIR", &problem).because(error)
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
