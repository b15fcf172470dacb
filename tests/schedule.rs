//! When backups are made by themselves: years pass here in seconds, on a paused clock.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use forward::forward;
use telegram_sandbox::{Fault, Sandbox};
use teloxide::Bot;
use teloxide::types::{Update, UserId};
use teloxide_backup::{
    BackupId, BackupPlugin, BackupPluginBuilder, BackupTask, Clock, DataSource, Days, Draft,
    Export, FolderStorage, Import, MemoryStorage, Readable, Section, Storage,
};
use tokio::sync::Notify;

#[path = "support/canary.rs"]
mod canary;
#[path = "support/clock.rs"]
mod clock;
#[path = "../src/storage/forward.rs"]
mod forward;
use clock::TestClock;

const ADMIN: UserId = UserId(42);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Lets the paused time go by; all that falls due meanwhile happens.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A telegram that nobody answers at.
fn deaf_bot(id: u64) -> Bot {
    let url = "http://127.0.0.1:1".parse().expect("an address");
    Bot::new(format!("{id}:token")).set_api_url(url)
}

/// What becomes of the attempt with this number.
type Fate = dyn Fn(usize) -> anyhow::Result<()> + Send + Sync;

/// A small source that notes when it was asked.
#[derive(Clone)]
struct Diary {
    clock: TestClock,
    asked: Arc<Mutex<Vec<DateTime<Utc>>>>,
    fate: Arc<Fate>,
    begun: Arc<Notify>,
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

    fn asked(&self) -> Vec<DateTime<Utc>> {
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
struct World {
    bot: Bot,
    clock: TestClock,
    source: Diary,
    storage: MemoryStorage,
    every: u64,
}

impl World {
    fn new(clock: &TestClock, every: u64) -> Self {
        canary::listen();
        Self {
            bot: deaf_bot(777),
            clock: clock.clone(),
            source: Diary::new(clock),
            storage: MemoryStorage::new(),
            every,
        }
    }

    fn berlin(every: u64) -> Self {
        Self::new(&TestClock::at("2026-01-15 12:00:00", chrono_tz::Europe::Berlin), every)
    }

    fn fate(mut self, fate: impl Fn(usize) -> anyhow::Result<()> + Send + Sync + 'static) -> Self {
        self.source.fate = Arc::new(fate);
        self
    }

    fn builder(&self) -> BackupPluginBuilder {
        BackupPlugin::builder(self.bot.clone(), self.source.clone())
            .admin(ADMIN)
            .storage(self.storage.clone())
            .clock(self.clock.clone())
            .every(Days::new(self.every))
            .keep(100_000)
    }

    fn plugin(&self) -> BackupPlugin {
        self.builder().build().expect("a plugin")
    }

    fn start(&self) -> BackupTask {
        self.plugin().spawn()
    }

    fn runs(&self) -> usize {
        self.source.asked().len()
    }

    /// How long after one another the attempts were.
    fn gaps(&self) -> Vec<TimeDelta> {
        self.source.asked().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn archives(&self) -> Vec<BackupId> {
        let mut ids: Vec<_> =
            self.storage.list().expect("a list").into_iter().map(|(id, _)| id).collect();
        ids.sort();
        ids
    }

    /// What the only bot there is has noted.
    fn notebook(&self) -> serde_json::Value {
        let state = self.storage.read_state().expect("a notebook").expect("a notebook");
        let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
        let bots = state["bots"].as_object().expect("notes of bots");
        bots.values().next().expect("notes").clone()
    }
}

#[track_caller]
fn assert_near(found: TimeDelta, expected: TimeDelta) {
    // a timer rounds to milliseconds, the name of a backup to seconds
    assert!((found - expected).abs() <= TimeDelta::seconds(2), "{found} instead of {expected}");
}

#[tokio::test(start_paused = true)]
async fn the_first_backup_ever_comes_at_once_and_none_at_a_restart() {
    let world = World::berlin(7);
    let task = world.start();
    pass(Duration::from_secs(1)).await;
    assert_eq!((world.runs(), world.archives().len()), (1, 1));
    task.shutdown().await;
    for _ in 0..5 {
        let task = world.start();
        pass(DAY).await;
        task.shutdown().await;
    }
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_one_comes_an_interval_after_the_newest() {
    for days in [1_u32, 7, 30] {
        let world = World::berlin(days.into());
        let task = world.start();
        pass(DAY * days * 3 + HOUR).await;
        assert_eq!(world.runs(), 4, "every {days} days");
        task.shutdown().await;
        // in days of the wall, whatever summer time does
        let walls: Vec<NaiveDateTime> =
            world.source.asked().into_iter().map(|at| world.clock.to_local(at)).collect();
        for pair in walls.windows(2) {
            assert_near(pair[1] - pair[0], TimeDelta::days(days.into()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_spawn_starts_no_second_schedule() {
    let world = World::berlin(1);
    let plugin = world.plugin();
    let first = plugin.spawn();
    let second = plugin.clone().spawn();
    pass(3 * DAY + HOUR).await;
    assert_eq!(world.runs(), 4);
    first.shutdown().await;
    second.shutdown().await;
    pass(3 * DAY).await;
    assert_eq!(world.runs(), 4, "nothing runs after the shutdown");
}

/// The moments at which a zone's clocks are changed in a year, and by how much.
fn changes(zone: Tz, year: i32) -> Vec<(NaiveDateTime, TimeDelta)> {
    use chrono::{Offset, TimeZone};
    let start = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").and_hms_opt(0, 0, 0);
    let start = start.expect("a time");
    let offset = |at: NaiveDateTime| {
        let seconds = zone.offset_from_utc_datetime(&at).fix().local_minus_utc();
        TimeDelta::seconds(seconds.into())
    };
    let quarters = (0..366 * 96).map(|n| start + TimeDelta::minutes(15 * n));
    quarters
        .filter_map(|at| {
            let before = offset(at - TimeDelta::minutes(15));
            let change = offset(at) - before;
            // the middle of the hour that is skipped or repeated, on the wall
            (!change.is_zero()).then(|| (at + before + change / 2, change))
        })
        .collect()
}

/// Runs a daily backup at this time of day over this date; gives the local times of all.
async fn daily_around(wall: NaiveDateTime, zone: Tz) -> Vec<NaiveDateTime> {
    let start = (wall - TimeDelta::days(3)).to_string();
    let world = World::new(&TestClock::at(&start, zone), 1);
    let task = world.start();
    pass(7 * DAY + 2 * HOUR).await;
    task.shutdown().await;
    assert_eq!(world.archives().len(), world.runs(), "none was lost, {wall} {zone}");
    world.source.asked().into_iter().map(|at| world.clock.to_local(at)).collect()
}

fn exists(date: NaiveDate, zone: Tz) -> bool {
    use chrono::TimeZone;
    let quarters = (0..96).filter_map(|n| date.and_hms_opt(n / 4, n % 4 * 15, 0));
    quarters.into_iter().any(|wall| zone.from_local_datetime(&wall).earliest().is_some())
}

#[tokio::test(start_paused = true)]
async fn each_day_has_one_run_when_the_clocks_are_changed() {
    use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific};
    let zones = [
        Europe::Berlin,
        America::New_York,
        Australia::Lord_Howe,
        Africa::Cairo,
        America::Santiago,
        Asia::Kathmandu,
        Pacific::Apia,
        Europe::Moscow,
    ];
    let (mut gaps, mut folds) = (0, 0);
    for zone in zones {
        // 2011: Samoa skips a day, Moscow's last spring; 2014: Moscow's last autumn; 2026: now
        let mut walls: Vec<_> = [2011, 2014, 2026].map(|year| changes(zone, year)).concat();
        if walls.is_empty() {
            walls.push(("2026-03-29T02:30:00".parse().expect("a time"), TimeDelta::zero()));
        }
        for (wall, change) in walls {
            gaps += usize::from(change > TimeDelta::zero());
            folds += usize::from(change < TimeDelta::zero());
            let runs = daily_around(wall, zone).await;
            let dates: Vec<NaiveDate> = runs.iter().map(NaiveDateTime::date).collect();
            assert!(dates.len() >= 7, "{zone} {wall}: {runs:?}");
            for pair in dates.windows(2) {
                let next = pair[0].iter_days().skip(1).find(|date| exists(*date, zone));
                assert_eq!(Some(pair[1]), next, "{zone} {wall}: {runs:?}");
            }
        }
    }
    assert!(gaps >= 10 && folds >= 10, "{gaps} gaps and {folds} folds were met");
}

#[tokio::test(start_paused = true)]
async fn half_past_two_that_is_skipped_or_repeated_is_one_run() {
    let zone = chrono_tz::Europe::Berlin;
    let spring = daily_around("2026-03-29T02:30:00".parse().expect("a time"), zone).await;
    let hours: Vec<_> = spring.iter().map(|at| (at.hour(), at.minute())).collect();
    // the first moment after the gap, and from then on that time of day
    assert_eq!(hours[..3], [(2, 30); 3]);
    assert_eq!(hours[3..], [(3, 0); 5]);
    let autumn = daily_around("2026-10-25T02:30:00".parse().expect("a time"), zone).await;
    assert_eq!(autumn.iter().map(|at| (at.hour(), at.minute())).collect::<Vec<_>>(), [(2, 30); 8]);
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[tokio::test(start_paused = true)]
async fn five_years_of_restarts_have_a_backup_a_week() {
    let world = World::berlin(7);
    let mut dice = Dice(5);
    let end = world.clock.now() + TimeDelta::days(5 * 365 + 1);
    let longest_off = 6 * 60 * 60;
    let mut starts = 0;
    while world.clock.now() < end {
        // few old ones: each start reads them all
        let task = world.builder().keep(3).build().expect("a plugin").spawn();
        pass(Duration::from_secs(dice.up_to(9 * 24 * 60 * 60))).await;
        task.shutdown().await;
        pass(Duration::from_secs(dice.up_to(longest_off))).await;
        starts += 1;
    }
    for gap in world.gaps() {
        assert!(gap > TimeDelta::minutes(69 * 24 * 6), "{gap} is less than 6.9 days");
        // an hour for summer time, and the time the bot was off
        let late = TimeDelta::hours(1) + TimeDelta::seconds(longest_off.cast_signed());
        assert!(gap < TimeDelta::days(7) + late + TimeDelta::minutes(5), "{gap}");
    }
    assert!(starts > 300, "{starts} restarts");
    assert!((250..=262).contains(&world.runs()), "{} backups in five years", world.runs());
    assert_eq!(world.archives().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_at_the_start_is_caught_up_once() {
    let world = World::berlin(1);
    let task = world.start();
    pass(MINUTE).await;
    task.shutdown().await;
    pass(90 * DAY).await;
    let task = world.start();
    pass(MINUTE).await;
    assert_eq!(world.runs(), 2, "at once");
    pass(23 * HOUR).await;
    assert_eq!(world.runs(), 2, "and no burst");
    pass(HOUR).await;
    assert_eq!(world.runs(), 3);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_neither_starts_a_storm_nor_loses_a_backup() {
    let hours = [1, 3 * 24, 365 * 24, -1, -24, -365 * 24];
    for jump in hours.map(TimeDelta::hours) {
        let world = World::berlin(1);
        // by tokio's time, which nobody sets
        let steady = TestClock::new(world.clock.now(), chrono_tz::UTC);
        let task = world.start();
        pass(10 * DAY + HOUR * 5).await;
        let before: Vec<_> =
            world.archives().into_iter().map(|id| (id.clone(), world.storage.get(&id))).collect();
        assert_eq!(before.len(), 11);
        world.clock.jump(jump);
        let mut made = Vec::new();
        for _ in 0..30 {
            let runs = world.runs();
            pass(DAY).await;
            made.push(world.runs() - runs);
        }
        task.shutdown().await;
        assert!(made.iter().all(|runs| *runs <= 2), "{jump}: a storm {made:?}");
        // set back by less than an interval, it waits that long more, and never longer
        assert!(made.iter().filter(|runs| **runs == 0).count() <= 1, "{jump}: lost {made:?}");
        let total: usize = made.iter().sum();
        assert!((29..=31).contains(&total), "{jump}: {made:?}");
        assert_eq!(world.archives().len(), world.runs(), "{jump}: one was overwritten");
        for (id, bytes) in before {
            assert_eq!(world.storage.get(&id), bytes, "{jump}: {id} has changed");
        }
        assert_near(steady.now() - world.clock.now(), -jump);
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_while_the_bot_is_off_is_no_matter_either() {
    for jump in [1, 3 * 24, 365 * 24, -1, -24, -365 * 24].map(TimeDelta::hours) {
        let world = World::berlin(1);
        let task = world.start();
        pass(10 * DAY + HOUR * 5).await;
        task.shutdown().await;
        world.clock.jump(jump);
        let before = world.runs();
        let task = world.start();
        pass(30 * DAY).await;
        task.shutdown().await;
        let made = world.runs() - before;
        assert!((29..=31).contains(&made), "{jump}: {made}");
        assert_eq!(world.archives().len(), world.runs(), "{jump}");
    }
}

/// `/backup`, as the administrator types it.
fn backup_command() -> Update {
    // as text, since teloxide wants the id of an update before its content
    serde_json::from_str(
        r#"{ "update_id": 1, "message": {
            "message_id": 1, "date": 1770000000, "text": "/backup",
            "from": { "id": 42, "is_bot": false, "first_name": "Anna" },
            "chat": { "id": 42, "type": "private", "first_name": "Anna" },
            "entities": [{ "type": "bot_command", "offset": 0, "length": 7 }]
        } }"#,
    )
    .expect("an update")
}

#[tokio::test(start_paused = true)]
async fn a_backup_by_hand_moves_the_next_one() {
    let world = World::berlin(7);
    let plugin = world.plugin();
    let task = plugin.spawn();
    pass(3 * DAY).await;
    let outcome = plugin.handler::<anyhow::Error>().dispatch(dptree::deps![backup_command()]).await;
    assert!(matches!(outcome, std::ops::ControlFlow::Break(Ok(()))), "it is the plugin's");
    pass(MINUTE).await;
    assert_eq!(world.runs(), 2);
    pass(6 * DAY + 23 * HOUR).await;
    assert_eq!(world.runs(), 2, "none at the old time");
    pass(HOUR + MINUTE).await;
    assert_eq!(world.runs(), 3);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_asked_again_after_growing_pauses() {
    let world = World::berlin(7).fate(|attempt| {
        if attempt <= 10 {
            bail!("the database is locked")
        }
        Ok(())
    });
    let task = world.start();
    pass(7 * DAY).await;
    let minutes = [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440];
    assert_eq!(world.runs(), 11);
    for (gap, expected) in world.gaps().into_iter().zip(minutes) {
        assert_near(gap, TimeDelta::minutes(expected));
    }
    assert_eq!(world.archives().len(), 1, "a failed one leaves no archive");
    assert_eq!(world.notebook().get("failing"), None, "the incident is over");
    // and then the usual interval, not another pause
    pass(6 * DAY).await;
    assert_eq!(world.runs(), 12);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_pauses_of_one_incident_do_not_lengthen_the_next() {
    let world = World::berlin(1).fate(|attempt| {
        if matches!(attempt, 1..=3 | 5) {
            bail!("not now")
        }
        Ok(())
    });
    let task = world.start();
    pass(3 * DAY).await;
    task.shutdown().await;
    let expected = [15, 30, 60, 1440, 15].map(TimeDelta::minutes);
    for (gap, expected) in world.gaps().into_iter().zip(expected) {
        assert_near(gap, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_does_not_lengthen_the_pause_after_a_failure() {
    let world = World::berlin(7).fate(|attempt| {
        if attempt == 1 {
            bail!("not now")
        }
        Ok(())
    });
    let task = world.start();
    pass(MINUTE).await;
    world.clock.jump(TimeDelta::days(-365));
    pass(HOUR).await;
    assert_eq!(world.runs(), 2);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_does_not_end_the_schedule() {
    let world = World::berlin(7).fate(|attempt| {
        assert!(attempt > 3, "this panic is a part of the test");
        Ok(())
    });
    let task = world.start();
    pass(DAY).await;
    assert_eq!((world.runs(), world.archives().len()), (4, 1));
    pass(7 * DAY).await;
    assert_eq!(world.archives().len(), 2);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_by_hand_ends_the_pauses() {
    let world = World::berlin(7).fate(|attempt| {
        if attempt <= 6 {
            bail!("not now")
        }
        Ok(())
    });
    let plugin = world.plugin();
    let task = plugin.spawn();
    pass(10 * HOUR).await;
    let before = world.runs();
    assert_eq!(before, 6, "six failures, and now a pause of eight hours");
    let _ = plugin.handler::<anyhow::Error>().dispatch(dptree::deps![backup_command()]).await;
    pass(6 * DAY).await;
    assert_eq!(world.runs(), 7, "the one by hand is enough");
    pass(DAY + MINUTE).await;
    assert_eq!(world.runs(), 8);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_when_it_is_switched_off() {
    let world = World::berlin(1);
    let task = world.builder().enabled(false).build().expect("a plugin").spawn();
    pass(40 * DAY).await;
    assert_eq!(world.runs(), 0);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_backup_that_runs() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let world = World::berlin(1).fate(move |_| {
        // the thread may block: the plugin gives it one of its own
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv()?;
        Ok(())
    });
    let task = world.start();
    world.source.begun.notified().await;
    let ended = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&ended);
    let shutdown = tokio::spawn(async move {
        task.shutdown().await;
        mark.store(true, Ordering::Relaxed);
    });
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(!ended.load(Ordering::Relaxed));
    assert!(world.archives().is_empty());
    go.send(()).expect("the backup waits");
    shutdown.await.expect("it ends");
    assert_eq!(world.archives().len(), 1, "the backup was finished");
}

/// An archive that another plugin has made at this moment.
async fn made_elsewhere(at: DateTime<Utc>, bot_id: u64) -> (BackupId, Vec<u8>) {
    let clock = TestClock::new(at, chrono_tz::Europe::Berlin);
    let world = World { bot: deaf_bot(bot_id), ..World::new(&clock, 7) };
    let task = world.start();
    pass(Duration::from_millis(10)).await;
    task.shutdown().await;
    let [id] = &world.archives()[..] else { panic!("not one archive") };
    (id.clone(), world.storage.get(id).expect("an archive").to_vec())
}

/// Four days after the first backup this archive is put into the folder. The second backup must
/// come when the first one is a week old.
async fn counts_as_nothing(id: BackupId, archive: Vec<u8>) {
    let world = World::berlin(7);
    let task = world.start();
    pass(5 * DAY).await;
    task.shutdown().await;
    world.storage.insert(id, archive);
    let task = world.start();
    pass(DAY + 23 * HOUR).await;
    assert_eq!(world.runs(), 1);
    pass(2 * HOUR).await;
    assert_eq!(world.runs(), 2);
    task.shutdown().await;
}

fn four_days_on() -> DateTime<Utc> {
    World::berlin(7).clock.now() + TimeDelta::days(4)
}

#[tokio::test(start_paused = true)]
async fn another_bots_archive_does_not_count_as_newest() {
    let (id, archive) = made_elsewhere(four_days_on(), 888).await;
    counts_as_nothing(id, archive).await;
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_is_cut_off_does_not_count_as_newest() {
    let (id, archive) = made_elsewhere(four_days_on(), 777).await;
    counts_as_nothing(id.clone(), archive[..archive.len() - 1].to_vec()).await;
    counts_as_nothing(id.clone(), archive[..archive.len() / 2].to_vec()).await;
    counts_as_nothing(id, Vec::new()).await;
}

#[tokio::test(start_paused = true)]
async fn an_archive_from_the_far_future_does_not_stop_the_schedule() {
    let future = "2099-01-01T00:00:00Z".parse().expect("a moment");
    let (id, archive) = made_elsewhere(future, 777).await;
    let world = World::berlin(7);
    world.storage.insert(id, archive);
    let task = world.start();
    pass(28 * DAY + HOUR).await;
    assert_eq!(world.runs(), 5);
    assert_eq!(world.archives().len(), 6);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_gone_for_a_while_does_not_end_the_schedule() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("backups");
    let world = World::berlin(1);
    let plugin = world.builder().storage(FolderStorage::new(&folder)).build().expect("a plugin");
    let task = plugin.spawn();
    pass(HOUR).await;
    assert_eq!(world.runs(), 1);
    std::fs::remove_dir_all(&folder).expect("removed");
    pass(5 * DAY).await;
    // it may be a disk that is not mounted
    assert!(!folder.exists());
    std::fs::create_dir(&folder).expect("it is back");
    pass(2 * DAY).await;
    task.shutdown().await;
    let archives = FolderStorage::new(&folder).list().expect("a list").len();
    assert!((1..=3).contains(&archives), "{archives} backups in two days");
}

/// A storage whose list does not show what was put into it; it counts how often it is taken.
#[derive(Clone)]
struct Blind(MemoryStorage, Arc<AtomicUsize>);

impl Storage for Blind {
    forward!(0: name path prepare open draft delete read_state write_state);

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.lock()
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn backups_that_no_list_shows_are_made_once_an_interval_all_the_same() {
    let world = World::berlin(1).fate(|attempt| {
        // a storm ends here, and not the time that passes
        if attempt > 10 {
            bail!("more than enough")
        }
        Ok(())
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let storage = Blind(world.storage.clone(), Arc::clone(&taken));
    let task = world.builder().storage(storage).build().expect("a plugin").spawn();
    pass(3 * DAY + HOUR).await;
    assert_eq!((world.runs(), world.archives().len()), (4, 4));
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < 40, "who waits leaves the place to others, but it was taken {taken} times");
    task.shutdown().await;
}

/// What the bot has told the administrator, by the plain text of its messages.
fn told(sandbox: &Sandbox, part: &str) -> usize {
    let chat = sandbox.chat(ADMIN.0.cast_signed());
    chat.messages.iter().filter(|message| message.plain.contains(part)).count()
}

#[tokio::test]
async fn a_failure_and_its_end_are_told_once_even_over_restarts() {
    let sandbox = Sandbox::start().await;
    let _anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let broken = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&broken);
    let world = World { bot, ..World::berlin(7) }.fate(move |_| {
        if fails.load(Ordering::Relaxed) {
            bail!("the database is locked")
        }
        Ok(())
    });
    let once = async || {
        let task = world.start();
        world.source.begun.notified().await;
        // waits for the message as well
        task.shutdown().await;
    };
    for incident in 1..=2 {
        broken.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            once().await;
        }
        assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), incident);
        assert_eq!(world.notebook()["failing"]["told"], true);
        broken.store(false, Ordering::Relaxed);
        once().await;
        assert_eq!(told(&sandbox, "снова работают"), incident);
        assert_eq!(world.notebook().get("failing"), None);
        world.clock.jump(TimeDelta::days(8));
    }
    once().await;
    assert_eq!(told(&sandbox, "снова работают"), 2, "nothing has failed since");
    assert_eq!(told(&sandbox, "Бекап по расписанию создан"), 3);
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_incident_is_noted_once_over_all_its_attempts() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let world = World::berlin(7).fate(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        bail!("not now")
    });
    let task = world.start();
    pass(MINUTE * 5).await;
    let since = world.notebook()["failing"]["since"].clone();
    assert!(since.is_string());
    pass(3 * DAY).await;
    task.shutdown().await;
    let task = world.start();
    pass(DAY).await;
    task.shutdown().await;
    assert!(calls.load(Ordering::Relaxed) > 10);
    assert_eq!(world.notebook()["failing"]["since"], since);
}

#[tokio::test]
async fn a_failure_that_nobody_could_be_told_of_is_told_later() {
    let sandbox = Sandbox::start().await;
    // has not written to the bot yet, which then may not write either
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let world = World { bot, ..World::berlin(7) }.fate(|_| bail!("the database is locked"));
    for expected in [0, 1, 1] {
        let task = world.start();
        world.source.begun.notified().await;
        task.shutdown().await;
        assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), expected);
        anna.send("/start").await;
    }
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn another_program_that_has_come_to_a_stop_is_told_of_once() {
    let sandbox = Sandbox::start().await;
    let _anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let world = World { bot, ..World::berlin(7) };
    let held = Arc::new(AtomicBool::new(true));
    let place = Place::HeldWhile(Arc::clone(&held), world.clock.clone());
    let storage = Ailing(world.storage.clone(), place);
    let task = world.builder().storage(storage).build().expect("a plugin").spawn();
    pass(20 * MINUTE).await;
    assert_eq!((told(&sandbox, "не создан"), world.runs()), (0, 0), "a backup may take a while");
    pass(3 * HOUR).await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 1);
    assert_eq!(told(&sandbox, "Сейчас идёт другой бекап или восстановление"), 1);
    held.store(false, Ordering::Relaxed);
    pass(5 * MINUTE).await;
    assert_eq!((told(&sandbox, "Бекапы по расписанию снова работают"), world.runs()), (1, 1));
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_does_not_end_is_told_of_once_and_so_is_its_end() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let (end, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let world = World { bot, ..World::berlin(7) }.fate(move |_| {
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(Into::into)
    });
    let task = world.start();
    world.source.begun.notified().await;
    // no time goes by itself while a thread is at work
    let minutes = async |count| {
        for _ in 0..count {
            tokio::time::advance(MINUTE).await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    };
    minutes(59).await;
    assert_eq!(told(&sandbox, "не закончился за час"), 0, "a backup may take a while");
    minutes(3 * 60).await;
    anna.wait_for("не закончился за час").await;
    assert_eq!((told(&sandbox, "не закончился за час"), world.archives().len()), (1, 0));
    end.send(()).expect("it waits");
    anna.wait_for("Бекапы по расписанию снова работают").await;
    assert_eq!((world.archives().len(), told(&sandbox, "Бекап по расписанию создан")), (1, 1));
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn how_long_a_backup_takes_does_not_delay_the_next() {
    let world = World::berlin(1);
    let clock = world.clock.clone();
    let world = world.fate(move |_| {
        clock.jump(TimeDelta::minutes(40));
        Ok(())
    });
    let task = world.start();
    pass(5 * DAY).await;
    for gap in world.gaps() {
        assert_near(gap, TimeDelta::days(1));
    }
    assert!(world.runs() >= 5, "{}", world.runs());
    task.shutdown().await;
}

/// What is wrong with a storage.
#[derive(Clone)]
enum Place {
    Full,
    /// Another program holds it as long as this is true; each look at it takes a while.
    HeldWhile(Arc<AtomicBool>, TestClock),
}

/// A storage with which something is wrong.
#[derive(Clone)]
struct Ailing(MemoryStorage, Place);

impl Ailing {
    fn write(&self) -> io::Result<()> {
        match self.1 {
            Place::Full => Err(io::ErrorKind::StorageFull.into()),
            Place::HeldWhile(..) => Ok(()),
        }
    }
}

impl Storage for Ailing {
    forward!(0: name path prepare list open delete read_state);

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        if let Place::HeldWhile(held, clock) = &self.1
            && held.load(Ordering::Relaxed)
        {
            clock.jump(TimeDelta::minutes(1));
            return Ok(None);
        }
        self.0.lock()
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        self.write()?;
        self.0.draft()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        self.write()?;
        self.0.write_state(state)
    }
}

// the sandbox answers within this same paused runtime, so no time goes by on the way
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_told_of_once() {
    let sandbox = Sandbox::start().await;
    let _anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let world = World { bot, ..World::berlin(7) };
    let plugin = world
        .builder()
        .storage(Ailing(MemoryStorage::new(), Place::Full))
        .build()
        .expect("a plugin");
    let task = plugin.spawn();
    pass(5 * MINUTE).await;
    assert_eq!(told(&sandbox, "кончилось место"), 1);
    // the notebook cannot be written either, and is no place to remember that it was told
    pass(3 * DAY).await;
    task.shutdown().await;
    assert_eq!(told(&sandbox, "кончилось место"), 1, "more than once for one incident");
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

/// A plugin's clock that panics while it is told to.
#[derive(Clone)]
struct Fragile(TestClock, Arc<AtomicBool>);

impl Clock for Fragile {
    fn now(&self) -> DateTime<Utc> {
        assert!(!self.1.load(Ordering::Relaxed), "the clock has stopped");
        self.0.now()
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        self.0.to_local(moment)
    }

    fn to_utc(&self, wall: NaiveDateTime) -> chrono::MappedLocalTime<DateTime<Utc>> {
        self.0.to_utc(wall)
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_panics_does_not_end_the_schedule_and_is_told_of_once() {
    let sandbox = Sandbox::start().await;
    let _anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let world = World { bot, ..World::berlin(7) };
    let broken = Arc::new(AtomicBool::new(true));
    let clock = Fragile(world.clock.clone(), Arc::clone(&broken));
    let task = world.builder().clock(clock).build().expect("a plugin").spawn();
    pass(3 * HOUR).await;
    assert_eq!(told(&sandbox, "the clock has stopped"), 1);
    assert_eq!(world.runs(), 0);
    broken.store(false, Ordering::Relaxed);
    pass(HOUR).await;
    assert_eq!((told(&sandbox, "Бекапы по расписанию снова работают"), world.runs()), (1, 1));
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

/// A bot whose administrator has not written to it yet: no message arrives.
async fn unheard() -> (Sandbox, telegram_sandbox::Person, World, Arc<AtomicBool>) {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let broken = Arc::new(AtomicBool::new(false));
    let fails = Arc::clone(&broken);
    let world = World { bot, ..World::berlin(7) }.fate(move |_| {
        if fails.load(Ordering::Relaxed) {
            bail!("the database is locked")
        }
        Ok(())
    });
    (sandbox, anna, world, broken)
}

const MADE: &str = "Бекап по расписанию создан";
const NOT_MADE: &str = "Бекап по расписанию не создан";
const WORKS: &str = "Бекапы по расписанию снова работают";

#[tokio::test(start_paused = true)]
async fn a_backup_that_nobody_has_heard_of_is_told_later() {
    let (sandbox, anna, world, _) = unheard().await;
    let task = world.start();
    pass(HOUR).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (0, 1));
    anna.send("/start").await;
    pass(2 * HOUR).await;
    assert_eq!(told(&sandbox, MADE), 1);
    task.shutdown().await;
    // and not again at the next start
    let task = world.start();
    pass(HOUR).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (1, 1));
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_nobody_has_heard_of_is_told_after_a_restart() {
    let (sandbox, anna, world, _) = unheard().await;
    for expected in [0, 1, 1] {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        assert_eq!((told(&sandbox, MADE), world.archives().len()), (expected, 1));
        anna.send("/start").await;
    }
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn of_several_backups_that_nobody_has_heard_of_the_last_is_told() {
    let (sandbox, anna, world, _) = unheard().await;
    let task = world.start();
    pass(15 * DAY).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (0, 3));
    anna.send("/start").await;
    pass(2 * DAY).await;
    let newest = world.archives()[2].to_string();
    assert_eq!((told(&sandbox, MADE), told(&sandbox, &newest)), (1, 1));
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_of_a_failure_that_nobody_has_heard_of_is_told_once_with_the_last_of_it() {
    let (sandbox, anna, world, broken) = unheard().await;
    anna.send("/start").await;
    broken.store(true, Ordering::Relaxed);
    let once = async || {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
    };
    once().await;
    assert_eq!(told(&sandbox, NOT_MADE), 1);
    // it works again while she cannot be reached, then fails again: to her it has never worked
    anna.block_bot().await;
    broken.store(false, Ordering::Relaxed);
    once().await;
    world.clock.jump(TimeDelta::days(8));
    broken.store(true, Ordering::Relaxed);
    anna.unblock_bot().await;
    // at the start what is left is told, or what fails is the same failure: never both
    once().await;
    once().await;
    let (failures, recoveries) = (told(&sandbox, NOT_MADE), told(&sandbox, WORKS));
    assert_eq!(failures, recoveries + 1, "{failures} failures and {recoveries} ends");
    broken.store(false, Ordering::Relaxed);
    once().await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (failures, failures));
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_administrator_who_cannot_be_reached_keeps_no_other_waiting() {
    let sandbox = Sandbox::start().await;
    let people =
        [sandbox.person(ADMIN.0.cast_signed(), "Anna").await, sandbox.person(43, "Boris").await];
    let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
    let world = World { bot, ..World::berlin(7) }.fate(|_| bail!("the database is locked"));
    let plugin = world.builder().admin(UserId(43)).build().expect("a plugin");
    // one of the two has to wait
    sandbox.inject(Fault::TooManyRequests { retry_after: 100 }.on("sendMessage"));
    let task = plugin.spawn();
    let heard = || {
        let told = |text: &str| text.contains(NOT_MADE);
        let times = |chat: telegram_sandbox::Chat| {
            chat.messages.iter().filter(|message| told(&message.plain)).count()
        };
        let mut heard = people.each_ref().map(|person| times(person.chat()));
        heard.sort_unstable();
        heard
    };
    pass(Duration::from_secs(30)).await;
    assert_eq!(heard(), [0, 1]);
    pass(3 * DAY).await;
    assert_eq!(heard(), [1, 1], "each of them hears it once");
    task.shutdown().await;
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn to_whoever_has_not_heard_of_its_end_a_failure_is_still_the_same() {
    let (sandbox, anna, world, broken) = unheard().await;
    anna.send("/start").await;
    let once = async |fails: bool| {
        broken.store(fails, Ordering::Relaxed);
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        world.clock.jump(TimeDelta::days(8));
    };
    once(true).await;
    anna.block_bot().await;
    once(false).await;
    once(true).await;
    anna.unblock_bot().await;
    once(true).await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (1, 0));
    once(false).await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (1, 1));
    canary::note_calls(&sandbox);
    sandbox.finish().await;
}
