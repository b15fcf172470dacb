//! A bot with its clock, its source and its storage: what stays when it is restarted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use telegram_sandbox::{Person, Sandbox};
use teloxide::Bot;
use teloxide::types::{Update, UserId};
use teloxide_backup::{
    BackupId, BackupPlugin, BackupPluginBuilder, BackupTask, Clock, DataSource, Days, Export,
    Import, MemoryStorage, Section, Storage,
};
use tokio::sync::Notify;

use crate::canary;
use crate::clock::TestClock;

pub(crate) const ADMIN: UserId = UserId(42);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Lets the paused time go by; all that falls due meanwhile happens.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A telegram that nobody answers at.
pub(crate) fn deaf_bot(id: u64) -> Bot {
    let url = "http://127.0.0.1:1".parse().expect("an address");
    Bot::new(format!("{id}:token")).set_api_url(url)
}

/// What becomes of the attempt with this number.
type Fate = dyn Fn(usize) -> anyhow::Result<()> + Send + Sync;

/// A small source that notes when it was asked.
#[derive(Clone)]
pub(crate) struct Diary {
    clock: TestClock,
    asked: Arc<Mutex<Vec<DateTime<Utc>>>>,
    fate: Arc<Fate>,
    pub(crate) begun: Arc<Notify>,
}

impl Diary {
    fn new(clock: &TestClock) -> Self {
        Self {
            clock: clock.clone(),
            asked: Arc::default(),
            fate: Arc::new(|_| Ok(())),
            begun: Arc::default(),
        }
    }

    pub(crate) fn asked(&self) -> Vec<DateTime<Utc>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DataSource for Diary {
    type Error = anyhow::Error;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("notes")]
    }

    async fn export(&self, out: &mut Export<'_>) -> anyhow::Result<()> {
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(self.clock.now());
            asked.len()
        };
        self.begun.notify_one();
        (self.fate)(number)?;
        out.value("notes", &BTreeMap::from([("number", number)]))?;
        Ok(())
    }

    async fn restore(&self, _: &mut Import<'_>) -> anyhow::Result<()> {
        bail!("nobody restores here")
    }
}

/// What stays when the bot is restarted.
pub(crate) struct World {
    pub(crate) bot: Bot,
    pub(crate) clock: TestClock,
    pub(crate) source: Diary,
    pub(crate) storage: MemoryStorage,
    pub(crate) every: u64,
}

impl World {
    pub(crate) fn new(clock: &TestClock, every: u64) -> Self {
        canary::listen();
        Self {
            bot: deaf_bot(777),
            clock: clock.clone(),
            source: Diary::new(clock),
            storage: MemoryStorage::new(),
            every,
        }
    }

    pub(crate) fn berlin(every: u64) -> Self {
        Self::new(&TestClock::at("2026-01-15 12:00:00", chrono_tz::Europe::Berlin), every)
    }

    pub(crate) fn with_bot_of(self, sandbox: &Sandbox) -> Self {
        let url = sandbox.url().parse().expect("an address");
        Self { bot: Bot::new(sandbox.token()).set_api_url(url), ..self }
    }

    pub(crate) fn fate(
        mut self,
        fate: impl Fn(usize) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.source.fate = Arc::new(fate);
        self
    }

    /// The source fails as long as that is true.
    pub(crate) fn breakable(self, broken: bool) -> (Self, Arc<AtomicBool>) {
        let broken = Arc::new(AtomicBool::new(broken));
        let fails = Arc::clone(&broken);
        let world = self.fate(move |_| {
            if fails.load(Ordering::Relaxed) {
                bail!("the database is locked")
            }
            Ok(())
        });
        (world, broken)
    }

    pub(crate) fn builder(&self) -> BackupPluginBuilder {
        BackupPlugin::builder(self.bot.clone(), self.source.clone())
            .admin(ADMIN)
            .storage(self.storage.clone())
            .clock(self.clock.clone())
            .every(Days::new(self.every))
            .keep(100_000)
    }

    pub(crate) fn plugin(&self) -> BackupPlugin {
        self.builder().build().expect("a plugin")
    }

    pub(crate) fn start(&self) -> BackupTask {
        self.plugin().spawn()
    }

    pub(crate) fn runs(&self) -> usize {
        self.source.asked().len()
    }

    /// How long after one another the attempts were.
    pub(crate) fn gaps(&self) -> Vec<TimeDelta> {
        self.source.asked().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    pub(crate) fn archives(&self) -> Vec<BackupId> {
        let mut ids: Vec<_> =
            self.storage.list().expect("a list").into_iter().map(|(id, _)| id).collect();
        ids.sort();
        ids
    }

    /// What the only bot there is has noted.
    pub(crate) fn notebook(&self) -> serde_json::Value {
        let state = self.storage.read_state().expect("a notebook").expect("a notebook");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
        let bots = state["bots"].as_object().expect("notes of bots");
        bots.values().next().expect("notes").clone()
    }
}

/// A bot whose administrator has written to it, so that it may write to them.
pub(crate) async fn heard(every: u64) -> (Sandbox, Person, World) {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let world = World::berlin(every).with_bot_of(&sandbox);
    (sandbox, anna, world)
}

#[track_caller]
pub(crate) fn assert_near(found: TimeDelta, expected: TimeDelta) {
    // a timer rounds to milliseconds, the name of a backup to seconds
    assert!((found - expected).abs() <= TimeDelta::seconds(2), "{found} instead of {expected}");
}

/// `/backup`, as the administrator types it.
pub(crate) fn backup_command() -> Update {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // as text, since teloxide wants the id of an update before its content
    let update = format!(
        r#"{{ "update_id": {number}, "message": {{
            "message_id": {number}, "date": 1770000000, "text": "/backup",
            "from": {{ "id": 42, "is_bot": false, "first_name": "Anna" }},
            "chat": {{ "id": 42, "type": "private", "first_name": "Anna" }},
            "entities": [{{ "type": "bot_command", "offset": 0, "length": 7 }}]
        }} }}"#
    );
    serde_json::from_str(&update).expect("an update")
}

/// What the bot has told the administrator, by the plain text of its messages.
pub(crate) fn told(sandbox: &Sandbox, part: &str) -> usize {
    let chat = sandbox.chat(ADMIN.0.cast_signed());
    chat.messages.iter().filter(|message| message.plain.contains(part)).count()
}
