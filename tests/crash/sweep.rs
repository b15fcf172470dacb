//! The same work over a storage that ails at operation 0, then 1, then 2, until none is left.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use teloxide::Bot;
use teloxide_backup::{BackupCommand, BackupPlugin, Language, MemoryStorage, Shared, Storage};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::RwLock;

use crate::flaky::{Flaky, Trouble};
use crate::program::Seconds;

type Orders = BTreeMap<String, BTreeMap<u32, String>>;
type Live = Arc<RwLock<Orders>>;

fn orders(version: &str) -> Orders {
    let texts = (1..=3).map(|number| (number, format!("{version}{number}"))).collect();
    Orders::from([("orders".to_owned(), texts)])
}

/// A bot that works on a storage.
struct Bench {
    runtime: Runtime,
    live: Live,
    clock: Seconds,
}

impl Bench {
    fn new(live: &Live) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { runtime, live: Arc::clone(live), clock: Seconds::default() }
    }

    fn run(&self, storage: impl Storage, words: &[&str]) -> bool {
        self.clock.tick();
        let builder = BackupPlugin::builder(Bot::new("777:token"), Shared::new(self.live.clone()))
            .language(Language::English)
            .storage(storage)
            .clock(self.clock.clone())
            .keep(2);
        let command = BackupCommand::parse(words.iter().map(Into::into)).expect("a command");
        self.runtime.block_on(builder.run(command)) == ExitCode::SUCCESS
    }
}

fn names(storage: &MemoryStorage) -> Vec<String> {
    let mut ids: Vec<_> = storage.list().expect("a list").into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids.iter().map(ToString::to_string).collect()
}

/// Strikes the operations in turn, or every second or third or so; gives how many were struck.
pub(crate) fn sweep(trouble: Trouble, every: usize) -> usize {
    for (done, at) in (0..).step_by(every).enumerate() {
        let held = MemoryStorage::new();
        let live = Arc::new(RwLock::new(orders("B")));
        let bench = Bench::new(&live);
        assert!(bench.run(held.clone(), &["backup"]));
        let given = names(&held).pop().expect("a backup of B");
        *live.blocking_write() = orders("A");
        assert!(bench.run(held.clone(), &["backup"]));

        let flaky = Flaky::new(held.clone(), trouble, at);
        let watch = watch(&flaky, &held);
        work(&bench, &flaky, &held, &given);
        flaky.free();
        watch.join().expect("what others see while it hangs is whole");
        let Some(struck) = flaky.struck() else { return done };
        assert!(bench.run(held.clone(), &["verify"]), "{trouble:?} at {at}, {struck}");
        assert!(bench.run(held, &["backup"]), "{trouble:?} at {at}, {struck}: and never again");
    }
    unreachable!("the work has an end")
}

/// While an operation hangs, others read what is there.
fn watch(flaky: &Flaky, held: &MemoryStorage) -> thread::JoinHandle<()> {
    let (flaky, held) = (flaky.clone(), held.clone());
    thread::spawn(move || {
        flaky.wait();
        if !flaky.hangs() {
            return;
        }
        let another = Bench::new(&Arc::new(RwLock::new(orders("B"))));
        let whole = another.run(held, &["verify"]);
        flaky.free();
        assert!(whole, "{:?}", flaky.struck());
    })
}

/// A backup after which old ones go; B for A, and A again.
fn work(bench: &Bench, flaky: &Flaky, held: &MemoryStorage, given: &str) {
    let mut before = names(held);
    for _ in 0..2 {
        let done = bench.run(flaky.clone(), &["backup"]);
        let now = names(held);
        let new = now.iter().any(|name| !before.contains(name));
        assert!(new || !done, "said done, and nothing is there: {:?}", flaky.struck());
        assert!(now.len() >= 2, "{now:?} are left: {:?}", flaky.struck());
        assert_eq!(*bench.live.blocking_read(), orders("A"));
        before = now;
    }
    // a backup of B is given back, should it be gone
    let b = if names(held).iter().any(|name| name == given) {
        given.to_owned()
    } else {
        again(bench, held)
    };
    let restored = restore(bench, flaky, &b, ["A", "B"]);
    let safety = names(held).pop().expect("a backup");
    if restored {
        restore(bench, flaky, &safety, ["B", "A"]);
    }
}

/// A backup of B.
fn again(bench: &Bench, held: &MemoryStorage) -> String {
    *bench.live.blocking_write() = orders("B");
    assert!(bench.run(held.clone(), &["backup"]));
    *bench.live.blocking_write() = orders("A");
    names(held).pop().expect("a backup of B")
}

fn restore(bench: &Bench, flaky: &Flaky, name: &str, [old, new]: [&str; 2]) -> bool {
    let done = bench.run(flaky.clone(), &["restore", "--yes", name]);
    let live = bench.live.blocking_read().clone();
    let expected = if done { new } else { old };
    assert_eq!(live, orders(expected), "done: {done}, {:?}", flaky.struck());
    done
}
