//! Joins the parts: what a host builds, mounts and starts.

mod builder;
mod news;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use once_cell::sync::OnceCell;
use teloxide::Bot;
use teloxide::dispatching::UpdateHandler;
use teloxide::types::UserId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::{self, Chat, Told};
use crate::error::{Error, ErrorKind, Result};
use crate::schedule::{self, BackupTask, BoxFuture, Job, Part, Schedule};
use crate::service::{Ailment, Service};
use crate::source::DataSource;
use news::{News, TOLD_AGAIN};

pub use builder::BackupPluginBuilder;

/// A place that does not answer holds the schedule up no longer before it begins, and is told of then; nor
/// does a Telegram that is away.
const LOOKED_WITHIN: Duration = Duration::from_secs(60);
/// A program that ends sooner than that may be started again and again: it tells of nothing that lasts.
const LIVED: Duration = Duration::from_secs(60);

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
    /// It takes the administrators' `/backup`, `/backup_list`, `/backup_restore` (alone, or under a
    /// file) and `/backup_settings`, and the buttons under their answers; every other update goes on
    /// to the host's own handlers. It asks the dispatcher's dependencies for nothing, works with any
    /// error type and never fails.
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

    /// Starts the schedule, and tells the administrators of a backup or restore that was cut off when the
    /// bot last ran. A second call gives another handle to the same schedule.
    ///
    /// # Panics
    /// Outside a tokio runtime, as every spawn does.
    pub fn spawn(&self) -> BackupTask {
        self.started.get_or_init(|| self.start());
        BackupTask { stop: self.stop.clone(), work: self.work.clone() }
    }

    fn start(&self) {
        let plugin = self.clone();
        self.work.spawn(async move {
            // before the backup that may be due already, which would keep a crash waiting to be told,
            // and whose note begins a new notebook
            let crash = tokio::time::timeout(LOOKED_WITHIN, plugin.service.untold_cut_off());
            let _ = plugin.stop.run_until_cancelled(crash).await;
            let looked = plugin.ailment().await;
            plugin.work.spawn(plugin.clone().tell_of_crash());
            plugin.work.spawn(plugin.clone().tell_of_notebook(looked));
            plugin.work.spawn(plugin.clone().tell_of_words());
            // the next backup may end the bot as well; but a Telegram that is away keeps none waiting
            let telling = plugin.work.spawn(plugin.clone().tell_of_cut_off_backup());
            let told = tokio::time::timeout(LOOKED_WITHIN, telling);
            let _ = plugin.stop.run_until_cancelled(told).await;
            plugin.run_schedule().await;
        });
    }

    /// Says that a backup was cut off, as long as that is news.
    async fn tell_of_cut_off_backup(self) {
        until_heard(self.stop.clone(), || async {
            let since = match self.service.cut_off_backup().await {
                Ok(Some(since)) => since,
                // where it cannot be read now, the next start tells of it
                Ok(None) => return true,
                Err(error) => return error.kind() != ErrorKind::Busy,
            };
            tracing::warn!("a backup was cut off half-way");
            let heard = self.chat.tell_of_cut_off_backup(since).await;
            if heard {
                self.service.note_told_of_cut_off_backup(since).await;
            }
            heard
        })
        .await;
    }

    /// Says that some of the host's words cannot be said, once that is known.
    async fn tell_of_words(self) {
        let telling = until_heard(self.stop.clone(), || self.chat.tell_of_words());
        self.stop.run_until_cancelled(telling).await;
    }

    async fn tell_of_crash(self) {
        until_heard(self.stop.clone(), || async {
            let told = self.chat.tell_of_interruption(Instant::now()).await;
            told.is_ok_and(|told| told != Told::NotYet)
        })
        .await;
    }

    async fn tell_of_notebook(self, mut looked: Result<Option<Ailment>>) {
        // a moment is no matter, nor is a program that ends at once and is started again
        let mut rest = match &looked {
            Ok(None) => return,
            Ok(Some(Ailment::Damaged)) => Duration::ZERO,
            Ok(Some(Ailment::Newer)) => LIVED,
            Err(_) => TOLD_AGAIN,
        };
        while self.stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_some() {
            if looked.is_err() {
                // it may be read by now
                looked = self.ailment().await;
            }
            let Some(found) = looked.as_ref().map(Option::as_ref).transpose() else { return };
            if self.chat.tell_of_notebook(found).await {
                return;
            }
            rest = TOLD_AGAIN;
        }
    }
    async fn ailment(&self) -> Result<Option<Ailment>> {
        let looked = tokio::time::timeout(LOOKED_WITHIN, self.service.ailment()).await;
        looked.unwrap_or_else(|late| {
            Err(Error::new(ErrorKind::Storage, "read state.json").because(late))
        })
    }

    async fn run_schedule(&self) {
        if !self.enabled {
            tracing::info!("backups are made by hand only: BACKUP_ENABLED is false");
            return;
        }
        let (service, work) = (self.service.clone(), self.work.clone());
        let news = News::new(self.chat.clone(), service.clone(), self.stop.clone());
        let news = Arc::new(news);
        let (chat, stop) = (self.chat.clone(), self.stop.clone());
        let schedule = Arc::clone(&self.schedule);
        let stood_by = Arc::default();
        let job = ScheduledBackup { chat, service, news, schedule, stop, work, stood_by };
        let job = Arc::new(job);
        schedule::run(Arc::clone(&self.schedule), job, self.stop.clone()).await;
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

/// Tells something again and again, until somebody has heard it; false if the bot stops before that.
async fn until_heard<F>(stop: CancellationToken, mut tell: impl FnMut() -> F) -> bool
where
    F: Future<Output = bool>,
{
    while !tell().await {
        if stop.run_until_cancelled(tokio::time::sleep(TOLD_AGAIN)).await.is_none() {
            return false;
        }
    }
    true
}

/// What the schedule does when a backup is due.
struct ScheduledBackup {
    chat: Chat,
    service: Service,
    news: Arc<News>,
    schedule: Arc<Schedule>,
    stop: CancellationToken,
    work: TaskTracker,
    /// How often another program was seen to make the backups that this one might make.
    stood_by: Arc<AtomicU64>,
}

impl Job for ScheduledBackup {
    fn made_at(&self) -> BoxFuture<'_, Result<Vec<DateTime<Utc>>>> {
        Box::pin(async {
            let made_at = self.service.moments().await?.all();
            if self.news.is_new_among(&made_at) {
                // whoever has made one: what failed before is over
                let news = Arc::clone(&self.news);
                news.over();
                self.work.spawn(async move { news.ended().await });
            }
            Ok(made_at)
        })
    }

    fn claim(&self) -> BoxFuture<'_, Result<Option<Part>>> {
        Box::pin(async {
            let part = self.service.claim_schedule().await?;
            if part.is_some() {
                // of the program that had it before, too
                let news = Arc::clone(&self.news);
                self.work.spawn(async move { news.tell_what_is_left().await });
            }
            Ok(part)
        })
    }

    fn stands_by(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let (chat, schedule) = (self.chat.clone(), Arc::clone(&self.schedule));
            let times = Arc::clone(&self.stood_by);
            let time = times.fetch_add(1, Ordering::Relaxed) + 1;
            self.work.spawn(until_heard(self.stop.clone(), move || {
                // once this program makes the backups, there is nothing left to tell
                let over = !schedule.stands_by() || times.load(Ordering::Relaxed) != time;
                let chat = chat.clone();
                async move { over || chat.tell_of_standing_by().await }
            }));
        })
    }

    fn back_up(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async {
            let schedule = Arc::clone(&self.schedule);
            let made = self.service.back_up_if(move |made_at| schedule.is_due(made_at)).await?;
            let Some(report) = made else { return Ok(false) };
            let news = Arc::clone(&self.news);
            let noted = news.made(&report).await;
            // a message that Telegram does not take now must not hold the next backup up
            self.work.spawn(async move { news.tell(report, noted).await });
            Ok(true)
        })
    }

    fn failed(&self, error: Error) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let news = Arc::clone(&self.news);
            let event = news.trouble();
            self.work.spawn(async move { news.failed(event, error).await });
        })
    }

    fn stuck(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let news = Arc::clone(&self.news);
            let event = news.stop();
            self.work.spawn(async move { news.stuck(event).await });
        })
    }

    fn resumed(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let news = Arc::clone(&self.news);
            let end = news.end();
            self.work.spawn(async move { news.resumed(end).await });
        })
    }
}

#[cfg(test)]
mod tests;
