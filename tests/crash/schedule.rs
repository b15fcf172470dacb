//! The schedule over a storage that ails at one of its operations: the backup that is due is made all the
//! same, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupId, BackupPlugin, BackupPluginBuilder, Clock, Days, MemoryStorage, Shared, Storage,
};
use tokio::runtime::Builder;
use tokio::sync::RwLock;

use crate::clock::TestClock;
use crate::flaky::{At, Flaky, Trouble};

/// Strikes each operation of these names in turn; gives how many there were.
pub(crate) fn sweep_schedule(trouble: Trouble, names: &[&'static str]) -> usize {
    let before = Before::make();
    let strikes = |name: &&'static str| {
        let mut struck = 0;
        while strike(&before, trouble, At::Named(name, struck)) {
            struck += 1;
        }
        assert!(struck > 0, "{name} is never called");
        struck
    };
    names.iter().map(strikes).sum()
}

/// A place with two backups, a week and two weeks old.
struct Before {
    archives: Vec<(BackupId, Vec<u8>)>,
    state: Vec<u8>,
    now: DateTime<Utc>,
}

impl Before {
    fn make() -> Self {
        run(async {
            let clock = TestClock::at("2026-02-01 12:00:00", chrono_tz::UTC);
            let storage = MemoryStorage::new();
            for _ in 0..2 {
                let task = builder(storage.clone(), &clock).build().expect("a plugin").spawn();
                pass(TimeDelta::days(7)).await;
                task.shutdown().await;
            }
            let ids = storage.list().expect("a list").into_iter().map(|(id, _)| id);
            let bytes = |id| storage.get(&id).map(|bytes| (id, bytes.to_vec()));
            let archives: Vec<_> = ids.filter_map(bytes).collect();
            assert_eq!(archives.len(), 2);
            let state = storage.read_state().expect("a notebook").expect("a notebook");
            Self { archives, state, now: clock.now() }
        })
    }

    fn storage(&self) -> MemoryStorage {
        let storage = MemoryStorage::new();
        storage.write_state(&self.state).expect("written");
        for (id, bytes) in &self.archives {
            storage.insert(id.clone(), bytes.clone());
        }
        storage
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

fn builder(storage: impl Storage, clock: &TestClock) -> BackupPluginBuilder {
    // nobody answers there
    let url = "http://127.0.0.1:1".parse().expect("an address");
    let data = BTreeMap::from([("orders".to_owned(), vec![1, 2, 3])]);
    BackupPlugin::builder(
        Bot::new("777:token").set_api_url(url),
        Shared::new(Arc::new(RwLock::new(data))),
    )
    .admin(UserId(42))
    .every(Days::new(7))
    .keep(2)
    // its data never change, and each backup is to be seen
    .skip_unchanged(false)
    // several would ask in another order each time
    .workers(1)
    .storage(storage)
    .clock(clock.clone())
}

/// Strikes one operation of a program that makes the third backup; false where there is none.
fn strike(before: &Before, trouble: Trouble, at: At) -> bool {
    run(async {
        let clock = TestClock::new(before.now, chrono_tz::UTC);
        let held = before.storage();
        let flaky = Flaky::new(held.clone(), trouble, at);
        let freed = flaky.clone();
        // no time goes by while a thread of the runtime waits
        let watch = std::thread::spawn(move || {
            freed.wait();
            freed.free();
        });
        let built = builder(flaky.clone(), &clock).build();
        // a place that is not ready is said at once, and whoever runs the bot starts it again
        let plugin = built.unwrap_or_else(|_| {
            flaky.mend();
            builder(flaky.clone(), &clock).build().expect("a plugin, the second time")
        });
        let task = plugin.spawn();
        pass(TimeDelta::hours(1)).await;
        flaky.mend();
        pass(TimeDelta::hours(3)).await;
        task.shutdown().await;
        watch.join().expect("no panic");

        let now = held.list().expect("a list");
        let is_old = |id: &BackupId| before.archives.iter().any(|(old, _)| old == id);
        let new = now.iter().filter(|(id, _)| !is_old(id)).count();
        assert_eq!(new, 1, "{trouble:?} at {at:?}: {now:?}");
        let last = before.archives.iter().map(|(id, _)| id).max();
        let stays = now.iter().any(|(id, _)| Some(id) == last);
        assert!(stays, "{trouble:?} at {at:?}: {now:?}");
        flaky.struck().is_some()
    })
}

async fn pass(time: TimeDelta) {
    tokio::time::sleep(time.to_std().expect("it goes forward")).await;
}
