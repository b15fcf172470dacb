//! The real plugin in a world that a test rules: copies that die, a clock that jumps, a storage that
//! fails. Time is tokio's, which is paused: years go by in a moment.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::storage::forward::forward;
use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use teloxide::Bot;
use teloxide::types::UserId;
use tokio_util::sync::CancellationToken;

use super::history::{Event, History, Trouble};
use super::rules::{Kind, Label, Rules, STRANGER};
use super::telegram::Telegram;
use crate::backup::{BackupId, Trigger};
use crate::clock::Clock;
use crate::error::BoxError;
use crate::plugin::BackupPlugin;
use crate::schedule::BackupTask;
use crate::service::{Chosen, Save};
use crate::source::{DataSource, Export, Import, Section};
use crate::storage::{Draft, MemoryStorage, Readable, Stamp, Storage};
use crate::text::Language;

/// The data at first: a number that `tests/canary.sh` finds where it does not belong.
const FIRST: u64 = 79_161_234_500_000;
/// Copies beyond this one are not started.
const MOST_COPIES: usize = 3;
/// Copies that stand by look twice a minute: for longer than this only one stays.
const LONGEST_TOGETHER: i64 = 6 * 60;

/// What all copies share, and a test watches.
#[derive(Clone)]
struct Ground {
    memory: MemoryStorage,
    rules: Arc<Mutex<Rules>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
    /// The data of the bot.
    number: Arc<AtomicU64>,
    zone: Tz,
}

impl Ground {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> Option<Trouble> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    fn set_trouble(&self, trouble: Option<Trouble>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.rules().set_trouble(trouble);
    }
}

impl Clock for Ground {
    fn now(&self) -> DateTime<Utc> {
        self.rules().now()
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&self.zone).naive_local()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        self.zone.from_local_datetime(&wall).map(|local| local.with_timezone(&Utc))
    }
}

/// Reads and writes the data of the bot.
struct Data(Ground);

impl DataSource for Data {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("notes")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        if self.0.trouble() == Some(Trouble::Source) {
            return Err("the database is locked".into());
        }
        Ok(out.value("notes", &BTreeMap::from([("number", self.0.live())]))?)
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let notes = data.value::<BTreeMap<String, u64>>("notes")?.ok_or("no notes")?;
        self.0.number.store(notes["number"], Ordering::Relaxed);
        Ok(())
    }
}

/// The calls that a process makes, until it is dead.
#[derive(Clone)]
struct Life {
    number: usize,
    /// How many are left to it.
    left: Arc<AtomicUsize>,
    dead: CancellationToken,
    /// Stops what its tasks would still do: its schedule lets go of what it holds.
    stop: Arc<OnceLock<CancellationToken>>,
    rules: Arc<Mutex<Rules>>,
}

impl Life {
    fn new(number: usize, rules: &Arc<Mutex<Rules>>) -> Self {
        Self {
            number,
            left: Arc::new(AtomicUsize::new(usize::MAX)),
            dead: CancellationToken::new(),
            stop: Arc::default(),
            rules: Arc::clone(rules),
        }
    }

    /// A call to the storage: the dead make none.
    fn act(&self) -> io::Result<()> {
        let order = Ordering::Relaxed;
        if self.left.fetch_update(order, order, |left| left.checked_sub(1)).is_err() {
            self.end();
        }
        if self.dead.is_cancelled() {
            Err(io::Error::other("this process is dead"))
        } else {
            Ok(())
        }
    }

    fn end(&self) {
        if !self.dead.is_cancelled() {
            self.dead.cancel();
            self.rules.lock().unwrap_or_else(PoisonError::into_inner).ended(self.number);
            self.stop.get().into_iter().for_each(CancellationToken::cancel);
        }
    }
}

/// The storage as one process sees it.
#[derive(Clone)]
struct View {
    ground: Ground,
    life: Life,
}

impl View {
    fn write(&self) -> io::Result<()> {
        self.life.act()?;
        match self.ground.trouble() {
            Some(Trouble::Full) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
}

impl Storage for View {
    forward!(ground.memory: name path);

    fn prepare(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.life.act()?;
        self.ground.memory.lock()
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.life.act()?;
        let claimed = self.ground.memory.claim(part)?;
        if claimed.is_some() {
            self.ground.rules().claimed(self.life.number);
        }
        Ok(claimed)
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        self.life.act()?;
        self.ground.memory.list()
    }

    fn list_stamped(&self) -> io::Result<Vec<(BackupId, u64, Option<Stamp>)>> {
        self.life.act()?;
        self.ground.memory.list_stamped()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        self.life.act()?;
        self.ground.memory.open(id)
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        let draft = self.write().and_then(|()| self.ground.memory.draft());
        let in_vain = draft.is_err() || self.ground.trouble().is_some();
        if in_vain && !self.life.dead.is_cancelled() {
            self.ground.rules().failed(self.life.number);
        }
        Ok(Box::new(ViewDraft { draft: draft?, view: self.clone() }))
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        self.write()?;
        self.ground.rules().deleted(self.life.number, id);
        self.ground.memory.delete(id)
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.life.act()?;
        self.ground.memory.read_state()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        self.write()?;
        self.ground.memory.write_state(state)?;
        if let Some((id, at)) = unchanged(state) {
            let live = self.ground.live();
            let whole = label(&self.ground.memory, &id).is_some_and(|label| label.holds == live);
            self.ground.rules().unchanged(self.life.number, id, at, live, whole);
        }
        Ok(())
    }
}

struct ViewDraft {
    draft: Box<dyn Draft>,
    view: View,
}

impl Draft for ViewDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        self.view.write()?;
        self.draft.reopen()
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        self.view.write()?;
        let published = self.draft.publish(id)?;
        if published {
            let label = label(&self.view.ground.memory, id).expect("it is whole");
            self.view.ground.rules().published(self.view.life.number, id, &label);
        }
        Ok(published)
    }
}

forward!(@bytes (draft) ViewDraft);

/// What an archive holds and says of itself, read without this library; `None` where it is not whole.
fn label(memory: &MemoryStorage, id: &BackupId) -> Option<Label> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(memory.get(id)?)).ok()?;
    let mut entry = |name| {
        let mut text = String::new();
        archive.by_name(name).ok()?.read_to_string(&mut text).ok()?;
        serde_json::from_str::<serde_json::Value>(&text).ok()
    };
    let (data, metadata) = (entry("data.json")?, entry("metadata.json")?);
    Some(Label {
        trigger: metadata["trigger"].as_str()?.to_owned(),
        at: metadata["created_at_utc"].as_str()?.parse().ok()?,
        holds: data["notes"]["number"].as_u64()?,
    })
}

/// What the bot has noted of data that have not changed.
fn unchanged(state: &[u8]) -> Option<(BackupId, DateTime<Utc>)> {
    let state: serde_json::Value = serde_json::from_slice(state).expect("JSON");
    let noted = &state["bots"]["777"]["unchanged"];
    Some((BackupId::parse(noted["backup"].as_str()?)?, noted["at"].as_str()?.parse().ok()?))
}

struct Process {
    plugin: BackupPlugin,
    task: BackupTask,
    life: Life,
}

pub(super) struct World {
    ground: Ground,
    telegram: Telegram,
    bot: Box<dyn Fn(String) -> Bot>,
    processes: Vec<Process>,
    started: usize,
    every: u64,
    keep: usize,
}

impl World {
    async fn new(history: &History) -> Self {
        let zone = history.zone;
        let wall =
            NaiveDateTime::parse_from_str(history.start, "%Y-%m-%d %H:%M:%S").expect("a time");
        let base = zone.from_local_datetime(&wall).earliest().expect("it exists").to_utc();
        let rules = Rules::new(zone, base, history.every, history.keep);
        let rules = Arc::new(Mutex::new(rules));
        let telegram = Telegram::start(Arc::clone(&rules)).await;
        let url = telegram.url.clone();
        let client = teloxide::net::default_reqwest_settings().build().expect("a client");
        let bot = move |token| {
            Bot::with_client(token, client.clone()).set_api_url(url.parse().expect("an address"))
        };
        crate::canary::listen();
        Self {
            ground: Ground {
                memory: MemoryStorage::new(),
                rules,
                trouble: Arc::default(),
                zone,
                number: Arc::new(AtomicU64::new(FIRST)),
            },
            telegram,
            bot: Box::new(bot),
            processes: Vec::new(),
            started: 0,
            every: history.every,
            keep: history.keep,
        }
    }

    /// Lives through a history; gives the rules that were broken, and how many backups were made
    /// and left out, and how often it was told once more that they fail.
    pub(super) async fn live(history: &History) -> (Vec<String>, [u64; 3]) {
        let mut world = Self::new(history).await;
        world.start();
        for event in &history.events {
            world.befall(*event).await;
            world.settle().await;
        }
        // whatever happened: in the end all is well again
        for event in [Event::Mend, Event::Silence(false), Event::Start, Event::Pass(3 * 24 * 60)] {
            world.befall(event).await;
            world.settle().await;
        }
        while !world.processes.is_empty() {
            world.stop(0).await;
        }
        let mut rules = world.ground.rules();
        (std::mem::take(&mut rules.violations), [rules.made, rules.left_out, rules.reminders])
    }

    async fn befall(&mut self, event: Event) {
        match event {
            Event::Pass(minutes) => self.pass(minutes).await,
            Event::Start if self.processes.len() < MOST_COPIES => self.start(),
            Event::Start => {}
            Event::Stop(one) => self.stop(one).await,
            Event::Kill(one) => {
                if let Some(process) = self.one(one) {
                    process.life.end();
                }
            }
            Event::KillSoon(one, calls) => {
                if let Some(process) = self.one(one) {
                    process.life.left.store(calls, Ordering::Relaxed);
                }
            }
            Event::Jump(minutes) => {
                let mut rules = self.ground.rules();
                rules.jumped += TimeDelta::minutes(minutes);
                rules.disturbed();
            }
            Event::Break(trouble) => self.ground.set_trouble(Some(trouble)),
            Event::Mend => self.ground.set_trouble(None),
            Event::Silence(away) => {
                self.telegram.go_away(away);
                self.ground.rules().silence(away);
            }
            Event::Write => {
                self.ground.number.fetch_add(1, Ordering::Relaxed);
            }
            Event::BackUp(one) => self.back_up(one).await,
            Event::Restore(one, nth) => self.restore(one, nth).await,
            Event::Stranger => self.stranger().await,
            Event::Damage => self.damage(),
        }
    }

    /// Lets what has begun come to its end, buries the dead, and looks at what there is.
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (dead, alive) = std::mem::take(&mut self.processes)
            .into_iter()
            .partition::<Vec<_>, _>(|process| process.life.dead.is_cancelled());
        self.processes = alive;
        for process in dead {
            process.task.shutdown().await;
        }
        self.ground.rules().look();
    }

    async fn pass(&mut self, minutes: i64) {
        let mut left = minutes;
        if self.processes.len() > 1 && left > LONGEST_TOGETHER {
            sleep(LONGEST_TOGETHER).await;
            self.settle().await;
            left -= LONGEST_TOGETHER;
            while self.processes.len() > 1 {
                self.stop(self.started).await;
            }
        }
        sleep(left).await;
    }

    fn one(&self, one: usize) -> Option<&Process> {
        self.processes.get(one.checked_rem(self.processes.len())?)
    }

    fn plugin(&self, bot: u64, life: &Life, keep: usize) -> BackupPlugin {
        let token = format!("{bot}:P{}", life.number);
        BackupPlugin::builder((self.bot)(token), Data(self.ground.clone()))
            .admin(UserId(42))
            .storage(View { ground: self.ground.clone(), life: life.clone() })
            .clock(self.ground.clone())
            .every(Days::new(self.every))
            .keep(keep)
            .language(Language::English)
            .build()
            .expect("a plugin")
    }

    fn start(&mut self) {
        let life = Life::new(self.started, &self.ground.rules);
        self.started += 1;
        let plugin = self.plugin(777, &life, self.keep);
        life.stop.set(plugin.stop.clone()).expect("once");
        self.ground.rules().started(life.number);
        let task = plugin.spawn();
        self.processes.push(Process { plugin, task, life });
    }

    async fn stop(&mut self, one: usize) {
        let Some(place) = one.checked_rem(self.processes.len()) else { return };
        let process = self.processes.remove(place);
        process.task.shutdown().await;
        process.life.end();
    }

    async fn back_up(&mut self, one: usize) {
        let Some(process) = self.one(one) else { return };
        self.ground.rules().by_hand = Some(process.life.number);
        let _ = process.plugin.service.back_up(Trigger::Manual).await;
        self.ground.rules().by_hand = None;
    }

    async fn restore(&mut self, one: usize, nth: usize) {
        let Some(process) = self.one(one) else { return };
        let Some(id) = self.ground.rules().nth_newest(nth) else { return };
        self.ground.rules().by_hand = Some(process.life.number);
        let (service, chosen) = (&process.plugin.service, Chosen::Stored(id));
        if let Ok(inspection) = service.inspect(chosen.clone()).await {
            let restored = service.restore(chosen, inspection.data_sha256, Save::First).await;
            let way_back = restored.ok().and_then(|restored| restored.undo?.safety());
            let mut rules = self.ground.rules();
            // one that was cut off, or refused, may have taken the way back with it
            rules.undo_to =
                way_back.or(rules.undo_to.take().filter(|_| !process.life.dead.is_cancelled()));
        }
        self.ground.rules().by_hand = None;
    }

    async fn stranger(&mut self) {
        if self.ground.trouble().is_none() {
            let plugin = self.plugin(888, &Life::new(STRANGER, &self.ground.rules), 1);
            plugin.service.back_up(Trigger::Manual).await.expect("nothing is in its way");
        }
    }

    fn damage(&mut self) {
        let Some(newest) = self.ground.rules().nth_newest(0) else { return };
        let whole = self.ground.memory.get(&newest).expect("it is there");
        let now = self.ground.now();
        let id = BackupId::new(self.ground.to_local(now), 77);
        if self.ground.memory.get(&id).is_none() {
            self.ground.memory.insert(id.clone(), &whole[..whole.len() / 2]);
            self.ground.rules().appeared(&id, Kind::Damaged, now, 0);
        }
    }
}

async fn sleep(minutes: i64) {
    tokio::time::sleep(Duration::from_secs(minutes.unsigned_abs() * 60)).await;
}
