//! What counts as the newest backup: the bot's own and whole ones, also those that no list shows.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use teloxide_backup::{BackupId, Clock, Draft, FolderStorage, MemoryStorage, Readable, Storage};

use crate::clock::TestClock;
use crate::forward::forward;
use crate::world::{DAY, HOUR, World, deaf_bot, pass};

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
