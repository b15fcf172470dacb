//! What fails is tried again after growing pauses, and is told once, as is its end.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::bail;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use teloxide_backup::{BackupId, BackupTask, Clock, Draft, MemoryStorage, Readable, Storage};

use crate::clock::TestClock;
use crate::forward::forward;
use crate::world::{DAY, HOUR, MINUTE, World, assert_near, backup_command, heard, pass, told};

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

#[tokio::test]
async fn a_failure_and_its_end_are_told_once_even_over_restarts() {
    let (sandbox, _anna, world) = heard(7).await;
    let (world, broken) = world.breakable(true);
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
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_lasts_is_told_of_again_after_three_intervals_over_restarts_too() {
    let (sandbox, _anna, world) = heard(2).await;
    let (world, broken) = world.breakable(true);
    let reminders = || told(&sandbox, "не получаются с 2026-01-15T12:00");
    for (days, reminded) in [(5, 0), (2, 1), (4, 1), (3, 2), (7, 3)] {
        // a restart each time
        let task = world.start();
        pass(days * DAY).await;
        assert_eq!(reminders(), reminded);
        assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 1);
        task.shutdown().await;
    }
    broken.store(false, Ordering::Relaxed);
    let task = world.start();
    pass(DAY).await;
    task.shutdown().await;
    assert_eq!((told(&sandbox, "снова работают"), reminders()), (1, 3));
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

#[tokio::test(start_paused = true)]
async fn another_program_that_has_come_to_a_stop_is_told_of_once() {
    let (sandbox, _anna, world) = heard(7).await;
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
    sandbox.finish().await;
}

/// A bot that has failed once, and a switch that lets it write no notes.
async fn failing_without_notes(world: &World) -> (BackupTask, Arc<AtomicBool>) {
    let unwritten = Arc::new(AtomicBool::new(false));
    let storage = Ailing(world.storage.clone(), Place::WithoutNotes(Arc::clone(&unwritten)));
    let task = world.builder().storage(storage).build().expect("a plugin").spawn();
    pass(5 * MINUTE).await;
    (task, unwritten)
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_backup_that_could_not_be_noted_is_told_of_at_once() {
    let (sandbox, _anna, world) = heard(7).await;
    let (world, broken) = world.breakable(true);
    let (task, unwritten) = failing_without_notes(&world).await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 1);
    unwritten.store(true, Ordering::Relaxed);
    broken.store(false, Ordering::Relaxed);
    pass(HOUR).await;
    assert_eq!((told(&sandbox, "снова работают"), world.archives().len()), (1, 1));
    unwritten.store(false, Ordering::Relaxed);
    broken.store(true, Ordering::Relaxed);
    pass(7 * DAY).await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 2);
    assert_eq!(told(&sandbox, "не получаются с"), 0);
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_an_end_whose_word_could_not_be_noted_is_told_of_at_once() {
    let (sandbox, anna, world) = heard(7).await;
    let (world, broken) = world.breakable(true);
    let (task, unwritten) = failing_without_notes(&world).await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 1);
    anna.block_bot().await;
    sandbox.allow_refusal("bot was blocked");
    broken.store(false, Ordering::Relaxed);
    pass(HOUR).await;
    // it is noted, and nobody has heard of it; then they do, and that cannot be noted
    unwritten.store(true, Ordering::Relaxed);
    anna.unblock_bot().await;
    pass(HOUR).await;
    assert_eq!((told(&sandbox, "снова работают"), world.archives().len()), (1, 1));
    unwritten.store(false, Ordering::Relaxed);
    broken.store(true, Ordering::Relaxed);
    pass(7 * DAY).await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 2);
    task.shutdown().await;
    sandbox.finish().await;
}

/// What is wrong with a storage.
#[derive(Clone)]
enum Place {
    Full,
    /// Its notes cannot be written as long as this is true.
    WithoutNotes(Arc<AtomicBool>),
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
            _ => Ok(()),
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
        if let Place::WithoutNotes(unwritten) = &self.1
            && unwritten.load(Ordering::Relaxed)
        {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.0.write_state(state)
    }
}

// the sandbox answers within this same paused runtime, so no time goes by on the way
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_told_of_once() {
    let (sandbox, _anna, world) = heard(7).await;
    let plugin = world
        .builder()
        .storage(Ailing(MemoryStorage::new(), Place::Full))
        .build()
        .expect("a plugin");
    let task = plugin.spawn();
    pass(5 * MINUTE).await;
    assert_eq!(told(&sandbox, "кончилось место"), 1);
    // the notebook cannot be written either, and is no place to remember that it was told
    pass(20 * DAY).await;
    assert_eq!(told(&sandbox, "кончилось место"), 1, "more than once for one incident");
    pass(2 * DAY).await;
    assert_eq!(
        told(&sandbox, "не получаются с 2026-01-15T12:00"),
        1,
        "three weeks without a backup"
    );
    pass(19 * DAY).await;
    task.shutdown().await;
    assert_eq!(told(&sandbox, "кончилось место"), 2);
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
    let (sandbox, _anna, world) = heard(7).await;
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
    sandbox.finish().await;
}
