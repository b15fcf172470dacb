//! What does not end is told once, and so is its end.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use chrono::TimeDelta;
use telegram_sandbox::{Fault, Sandbox};
use teloxide_backup::{BackupId, Draft, MemoryStorage, Readable, Storage};
use tokio::sync::RwLock;

use crate::forward::forward;
use crate::world::{ADMIN, DAY, HOUR, MINUTE, World, backup_command, heard, pass, told};

/// A storage whose list does not come while its door is held.
#[derive(Clone)]
struct Behind {
    storage: MemoryStorage,
    door: Arc<RwLock<()>>,
    /// Nor do its notes.
    notes: bool,
    /// How many threads wait for those.
    waiting: Arc<AtomicUsize>,
}

impl Storage for Behind {
    forward!(storage: name path prepare lock open draft delete write_state);

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        drop(self.door.blocking_read());
        self.storage.list()
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        if self.notes {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            drop(self.door.blocking_read());
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        self.storage.read_state()
    }
}

impl Behind {
    fn door(world: &World) -> (Self, Arc<RwLock<()>>) {
        let door = Arc::new(RwLock::new(()));
        let (storage, waiting) = (world.storage.clone(), Arc::default());
        (Self { storage, door: Arc::clone(&door), notes: false, waiting }, door)
    }
}

/// A world each of whose exports waits for a word.
fn waiting(world: World) -> (World, mpsc::Sender<()>) {
    let (end, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let world = world.fate(move |_| {
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(Into::into)
    });
    (world, end)
}

/// Lets so many minutes go by, and what comes of each: no time does so by itself while a thread is at
/// work.
async fn minutes(count: usize) {
    for _ in 0..count {
        tokio::time::advance(MINUTE).await;
        turns().await;
    }
}

/// Turns enough for a request and its answer.
async fn turns() {
    for _ in 0..5000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_does_not_end_is_told_of_once_and_so_is_its_end() {
    let (sandbox, anna, world) = heard(7).await;
    let (world, end) = waiting(world);
    let task = world.start();
    world.source.begun.notified().await;
    minutes(59).await;
    assert_eq!(told(&sandbox, "не закончился за час"), 0, "a backup may take a while");
    minutes(1).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    // no time goes by until Telegram has it, and the bot its answer
    anna.wait_for("не закончился за час").await;
    turns().await;
    minutes(2 * 60).await;
    assert_eq!((told(&sandbox, "не закончился за час"), world.archives().len()), (1, 0));
    end.send(()).expect("it waits");
    anna.wait_for("Бекапы по расписанию снова работают").await;
    assert_eq!((world.archives().len(), told(&sandbox, "Бекап по расписанию создан")), (1, 1));
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_never_ends_is_told_of_again_after_three_intervals() {
    let (sandbox, _anna, world) = heard(1).await;
    let (world, end) = waiting(world);
    let task = world.start();
    world.source.begun.notified().await;
    for (hours, times) in [(2, 1), (70, 1), (2, 2), (70, 2), (3, 3)] {
        for _ in 0..hours {
            tokio::time::advance(HOUR).await;
            turns().await;
        }
        assert_eq!(told(&sandbox, "не закончился за час"), times, "{hours} hours later");
    }
    end.send(()).expect("it waits");
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_ends_while_people_are_told_that_it_does_not_says_that_it_works_again() {
    let (sandbox, anna, world) = heard(7).await;
    let (world, end) = waiting(world);
    sandbox.inject(Fault::Delay(Duration::from_secs(10)).on("sendMessage"));
    let task = world.start();
    world.source.begun.notified().await;
    minutes(60).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    turns().await;
    assert_eq!(told(&sandbox, "не закончился за час"), 0, "it is on its way");
    // this one, and the next
    for _ in 0..2 {
        end.send(()).expect("it waits");
    }
    while world.archives().is_empty() {
        turns().await;
    }
    pass(MINUTE).await;
    anna.wait_for("не закончился за час").await;
    pass(8 * DAY).await;
    assert_eq!((world.archives().len(), told(&sandbox, "Бекап по расписанию создан")), (2, 2));
    assert_eq!(told(&sandbox, "снова работают"), 1, "of the first alone");
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_did_not_end_is_told_of_and_so_is_its_end_though_no_backup_is_due() {
    let (sandbox, anna, world) = heard(7).await;
    let task = world.start();
    pass(MINUTE).await;
    task.shutdown().await;
    assert_eq!(world.archives().len(), 1);
    let (storage, door) = Behind::door(&world);
    let closed = door.write().await;
    let task = world.builder().storage(storage).build().expect("a plugin").spawn();
    turns().await;
    minutes(60).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    // no time goes by until Telegram has it, and the bot its answer
    anna.wait_for("не закончился за час").await;
    turns().await;
    minutes(2 * 60).await;
    drop(closed);
    anna.wait_for("Бекапы по расписанию снова работают").await;
    task.shutdown().await;
    assert_eq!((told(&sandbox, "не закончился за час"), world.runs()), (1, 1));
    assert_eq!(world.notebook().get("failing"), None);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_failure_that_ends_a_step_which_had_stopped_is_told_with_its_reason() {
    let (sandbox, anna, world) = heard(7).await;
    let (end, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let world = world.fate(move |_| {
        let ended = wait.lock().unwrap_or_else(PoisonError::into_inner).recv();
        ended.map_err(|_| anyhow::anyhow!("the database is locked"))
    });
    let task = world.start();
    world.source.begun.notified().await;
    minutes(60).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    anna.wait_for("не закончился за час").await;
    turns().await;
    drop(end);
    anna.wait_for("the database is locked").await;
    assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), 1);
    // a clock that was set back ends no failure, though nothing is tried before the pause has ended
    world.clock.jump(TimeDelta::hours(-3));
    minutes(60).await;
    assert_eq!(told(&sandbox, "снова работают"), 0);
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_ends_while_people_are_told_that_it_does_not_is_told_to_have_ended() {
    let (sandbox, anna, world) = heard(1).await;
    let (storage, door) = Behind::door(&world);
    let task = world.builder().storage(storage).build().expect("a plugin").spawn();
    pass(23 * HOUR + 59 * MINUTE).await;
    assert_eq!(world.archives().len(), 1);
    let closed = door.write().await;
    minutes(60).await;
    sandbox.inject(Fault::Delay(Duration::from_secs(10)).on("sendMessage"));
    minutes(1).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    turns().await;
    assert_eq!(told(&sandbox, "не закончился за час"), 0, "it is on its way");
    // somebody else makes one, which the look then finds
    let other = world.plugin();
    let _ = other.handler::<anyhow::Error>().dispatch(dptree::deps![backup_command()]).await;
    while world.archives().len() == 1 {
        turns().await;
    }
    drop(closed);
    turns().await;
    pass(MINUTE).await;
    anna.wait_for("Бекапы по расписанию снова работают").await;
    assert_eq!((told(&sandbox, "не закончился за час"), world.runs()), (1, 2));
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_hangs_while_a_backup_is_told_of_is_told_to_hang() {
    let sandbox = Sandbox::start().await;
    // has not written to the bot yet, which then may not write either
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let world = World::berlin(1).with_bot_of(&sandbox);
    let (storage, door) = Behind::door(&world);
    let task = world
        .builder()
        .storage(Behind { notes: true, ..storage })
        .build()
        .expect("a plugin")
        .spawn();
    pass(5 * MINUTE).await;
    anna.send("/start").await;
    let closed = door.write().await;
    // the backup is to be told of once more, which takes a look at the notes
    minutes(15).await;
    for _ in 0..30 {
        tokio::time::advance(HOUR).await;
        turns().await;
    }
    anna.wait_for("не закончился за час").await;
    drop(closed);
    task.shutdown().await;
    assert_eq!(told(&sandbox, "не закончился за час"), 1);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_hangs_holds_no_more_threads_with_each_hour() {
    // nobody can be told, so it is tried again
    let world = World::berlin(1);
    let (storage, door) = Behind::door(&world);
    let storage = Behind { notes: true, ..storage };
    let closed = door.write().await;
    let task = world.builder().storage(storage.clone()).build().expect("a plugin").spawn();
    minutes(90).await;
    let waiting = storage.waiting.load(Ordering::Relaxed);
    assert!(waiting > 0, "nothing hangs");
    minutes(3 * 60).await;
    assert_eq!(storage.waiting.load(Ordering::Relaxed), waiting);
    drop(closed);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_a_backup_while_one_hangs_hears_that_it_runs() {
    let (sandbox, anna, world) = heard(7).await;
    let (world, end) = waiting(world);
    let plugin = world.plugin();
    let ask = async || {
        let _ = plugin.handler::<anyhow::Error>().dispatch(dptree::deps![backup_command()]).await;
        turns().await;
    };
    ask().await;
    world.source.begun.notified().await;
    ask().await;
    assert_eq!(
        told(&sandbox, "Сейчас идёт другой бекап"),
        0,
        "the first one's answer is its answer"
    );
    minutes(1).await;
    ask().await;
    anna.wait_for("Сейчас идёт другой бекап").await;
    end.send(()).expect("it waits");
    anna.wait_for("Бекап создан успешно").await;
    assert_eq!(world.archives().len(), 1);
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_which_nobody_has_heard_is_told_an_hour_later() {
    let sandbox = Sandbox::start().await;
    // has not written to the bot yet, which then may not write either
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let (world, end) = waiting(World::berlin(7).with_bot_of(&sandbox));
    let task = world.start();
    world.source.begun.notified().await;
    minutes(61).await;
    anna.send("/start").await;
    minutes(60).await;
    anna.wait_for("не закончился за час").await;
    end.send(()).expect("it waits");
    anna.wait_for("снова работают").await;
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_after_a_new_stop_is_none() {
    let (sandbox, anna, world) = heard(1).await;
    let (end, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let world = world.fate(move |attempt| match attempt {
        1 => anyhow::bail!("the database is locked"),
        2 => Ok(()),
        _ => wait.lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(Into::into),
    });
    let task = world.start();
    pass(5 * MINUTE).await;
    anna.block_bot().await;
    sandbox.allow_refusal("bot was blocked");
    pass(23 * HOUR).await;
    assert_eq!((world.archives().len(), told(&sandbox, "Бекап по расписанию создан")), (1, 0));
    anna.unblock_bot().await;
    minutes(3 * 60).await;
    anna.wait_for("не закончился за час").await;
    // the word of the first backup is tried again
    minutes(6 * 60).await;
    let (made, works) = ("Бекап по расписанию создан", "снова работают");
    assert_eq!((told(&sandbox, made), told(&sandbox, works)), (1, 0));
    end.send(()).expect("it waits");
    anna.wait_for(works).await;
    task.shutdown().await;
    sandbox.finish().await;
}
