//! What is wrong with the notebook as a whole is told at the start.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use telegram_sandbox::Sandbox;
use teloxide_backup::{BackupId, Clock, Draft, MemoryStorage, Readable, Storage};

use crate::clock::TestClock;
use crate::forward::forward;
use crate::world::{ADMIN, DAY, HOUR, MINUTE, World, heard, pass, told};

const DAMAGED: &str = "state.json рядом с бекапами был повреждён";
const NEWER: &str = "state.json рядом с бекапами записала более новая версия бота";
const UNREAD: &str = "state.json рядом с бекапами не читается";

#[tokio::test(start_paused = true)]
async fn a_damaged_notebook_is_told_of_at_one_start() {
    let (sandbox, _anna, world) = heard(7).await;
    let task = world.start();
    pass(MINUTE).await;
    task.shutdown().await;
    // none of these starts writes a note of its own
    world.storage.write_state(b"{").expect("written");
    for _ in 0..3 {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        assert_eq!((told(&sandbox, DAMAGED), world.runs()), (1, 1));
    }
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_notebook_of_which_nobody_could_be_told_is_told_of_at_the_next_start() {
    let sandbox = Sandbox::start().await;
    // has not written to the bot yet, which then may not write either
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let world = World::berlin(7).with_bot_of(&sandbox);
    for (damaged, expected) in [(false, 0), (true, 0), (false, 1), (false, 1)] {
        if damaged {
            world.storage.write_state(b"{").expect("written");
        }
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        assert_eq!((told(&sandbox, DAMAGED), world.runs()), (expected, 1));
        if damaged {
            anna.send("/start").await;
        }
    }
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_notebook_that_was_replaced_before_anybody_heard_of_it_is_told_of_all_the_same() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let world = World::berlin(7).with_bot_of(&sandbox);
    world.storage.write_state(b"{").expect("written");
    for expected in [0, 1, 1] {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        assert!(
            world.notebook()["untold"].is_object() || expected > 0,
            "the schedule notes its backup"
        );
        assert_eq!(told(&sandbox, DAMAGED), expected);
        anna.send("/start").await;
    }
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_notebook_that_could_not_be_read_at_first_is_told_of_once_it_can() {
    let (sandbox, _anna, world) = heard(7).await;
    world.storage.write_state(b"{").expect("written");
    for _ in 0..2 {
        // of the restore that may have been cut off, and of the notebook
        let storage = Unread(world.storage.clone(), Arc::new(AtomicUsize::new(2)));
        let task = world.builder().storage(storage).build().expect("a plugin").spawn();
        pass(MINUTE).await;
        assert!(world.notebook()["proofs"].is_object(), "the schedule has replaced it");
        pass(HOUR).await;
        task.shutdown().await;
        assert_eq!((told(&sandbox, DAMAGED), told(&sandbox, UNREAD)), (1, 0));
    }
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_notebook_is_not_told_of_by_programs_that_end_at_once() {
    let (sandbox, _anna, world) = heard(7).await;
    let newer = br#"{"version": 3}"#;
    world.storage.write_state(newer).expect("written");
    for _ in 0..5 {
        let task = world.start();
        pass(MINUTE / 2).await;
        task.shutdown().await;
    }
    assert_eq!(told(&sandbox, NEWER), 0);
    let task = world.start();
    pass(DAY).await;
    task.shutdown().await;
    assert_eq!(told(&sandbox, NEWER), 1);
    assert_eq!(world.storage.read_state().expect("read").expect("notes"), newer);
    sandbox.finish().await;
}

/// A storage whose notes cannot be read so many times.
#[derive(Clone)]
struct Unread(MemoryStorage, Arc<AtomicUsize>);

impl Storage for Unread {
    forward!(0: name path prepare lock list open draft delete write_state);

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        let less = |left: usize| left.checked_sub(1);
        if self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.0.read_state()
    }
}

#[tokio::test(start_paused = true)]
async fn a_notebook_that_stays_unread_is_told_of_once() {
    let (sandbox, _anna, world) = heard(7).await;
    for (left, expected) in [(1, 0), (usize::MAX, 1)] {
        let storage = Unread(world.storage.clone(), Arc::new(AtomicUsize::new(left)));
        let task = world.builder().storage(storage).build().expect("a plugin").spawn();
        pass(MINUTE).await;
        assert_eq!(told(&sandbox, UNREAD), 0, "it may be a moment");
        pass(5 * HOUR).await;
        assert_eq!(told(&sandbox, UNREAD), expected);
        task.shutdown().await;
    }
    sandbox.finish().await;
}

/// A storage that another program is at work on until then; a minute goes by at each look.
#[derive(Clone)]
struct Held(MemoryStorage, TestClock, DateTime<Utc>);

impl Storage for Held {
    forward!(0: name path prepare list open draft delete read_state write_state);

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        if self.1.now() < self.2 {
            self.1.jump(TimeDelta::minutes(1));
            return Ok(None);
        }
        self.0.lock()
    }
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_was_cut_off_is_told_of_though_another_program_was_at_work_for_long() {
    const CUT_OFF: &str = "оборвался на середине";
    let (sandbox, _anna, world) = heard(7).await;
    let notes = br#"{"version":2,"making":"2026-01-14T11:00:00Z"}"#;
    world.storage.write_state(notes).expect("written");
    let until = world.clock.now() + TimeDelta::minutes(2);
    let storage = Held(world.storage.clone(), world.clock.clone(), until);
    let plugin = world.builder().storage(storage).enabled(false).build().expect("a plugin");
    let task = plugin.spawn();
    pass(MINUTE).await;
    assert!(world.clock.now() >= until, "it has not waited");
    assert_eq!(told(&sandbox, CUT_OFF), 0, "nobody knows yet whether another backup was made");
    pass(HOUR).await;
    assert_eq!(told(&sandbox, CUT_OFF), 1);
    task.shutdown().await;
    sandbox.finish().await;
}
