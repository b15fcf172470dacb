//! The same work over a storage that ails at operation 0, then 1, then 2, until none is left.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use teloxide::Bot;
use teloxide_backup::{BackupCommand, BackupPlugin, Language, MemoryStorage, Shared, Storage};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::RwLock;

use crate::flaky::{At, Flaky, Trouble};
use crate::program::Seconds;

type Orders = BTreeMap<String, BTreeMap<u32, String>>;
type Live = Arc<RwLock<Orders>>;

/// How much data there is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    Little,
    /// More than 1 MB, of which much is the same in A and B: blocks are taken over, by several threads.
    Much,
}

impl Amount {
    fn orders(self, version: &str) -> Orders {
        let mut texts: BTreeMap<_, _> =
            (1..=3).map(|number| (number, format!("{version}{number}"))).collect();
        if let Self::Much = self {
            texts.insert(
                4,
                (0..170_000).fold(String::new(), |text, number| text + &format!("{number} ")),
            );
        }
        Orders::from([("orders".to_owned(), texts)])
    }
}

/// A bot that works on a storage.
struct Bench {
    runtime: Runtime,
    live: Live,
    clock: Seconds,
    /// The two sets of data.
    a: Orders,
    b: Orders,
}

impl Bench {
    fn new(amount: Amount) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let [a, b] = ["A", "B"].map(|version| amount.orders(version));
        let live = Arc::new(RwLock::new(b.clone()));
        Self { runtime, live, clock: Seconds::default(), a, b }
    }

    fn run(&self, storage: impl Storage, words: &[&str]) -> bool {
        self.clock.tick();
        let builder = BackupPlugin::builder(Bot::new("777:token"), Shared::new(self.live.clone()))
            .language(Language::English)
            .storage(storage)
            .clock(self.clock.clone())
            .workers(3)
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
pub(crate) fn sweep(amount: Amount, trouble: Trouble, every: usize) -> usize {
    let operations = (0..).step_by(every);
    operations.take_while(|&at| strike(amount, trouble, At::Number(at), work).is_some()).count()
}

/// Strikes what is remembered of blocks alone: before the first backup, and after it.
pub(crate) fn sweep_index(trouble: Trouble) -> usize {
    let operations = ["read_index", "write_index"];
    for name in operations {
        assert_eq!(strike(Amount::Much, trouble, At::Named(name, 0), back_up), Some(name));
    }
    operations.len()
}

/// What is done meanwhile; the name is that of a backup of B.
type Work = fn(&Bench, &Flaky, &MemoryStorage, &str);

/// Strikes one operation, and gives its name; `None` where the work has ended before it.
fn strike(amount: Amount, trouble: Trouble, at: At, work: Work) -> Option<&'static str> {
    let held = MemoryStorage::new();
    let bench = Bench::new(amount);
    assert!(bench.run(held.clone(), &["backup"]));
    let given = names(&held).pop().expect("a backup of B");
    *bench.live.blocking_write() = bench.a.clone();
    assert!(bench.run(held.clone(), &["backup"]));

    let flaky = Flaky::new(held.clone(), trouble, at);
    let watch = watch(&flaky, &held, amount);
    work(&bench, &flaky, &held, &given);
    flaky.free();
    watch.join().expect("what others see while it hangs is whole");
    let struck = flaky.struck()?;
    assert!(bench.run(held.clone(), &["verify"]), "{trouble:?} at {at:?}, {struck}");
    assert!(bench.run(held, &["backup"]), "{trouble:?} at {at:?}, {struck}: and never again");
    Some(struck)
}

/// While an operation hangs, others read what is there.
fn watch(flaky: &Flaky, held: &MemoryStorage, amount: Amount) -> thread::JoinHandle<()> {
    let (flaky, held) = (flaky.clone(), held.clone());
    thread::spawn(move || {
        flaky.wait();
        if !flaky.hangs() {
            return;
        }
        let whole = Bench::new(amount).run(held, &["verify"]);
        flaky.free();
        assert!(whole, "{:?}", flaky.struck());
    })
}

/// Backups after which old ones go; B for A, and A again.
fn work(bench: &Bench, flaky: &Flaky, held: &MemoryStorage, given: &str) {
    back_up(bench, flaky, held, given);
    restore_and_undo(bench, flaky, held, given);
}

fn back_up(bench: &Bench, flaky: &Flaky, held: &MemoryStorage, _: &str) {
    let mut before = names(held);
    for _ in 0..2 {
        let done = bench.run(flaky.clone(), &["backup"]);
        let now = names(held);
        let new = now.iter().any(|name| !before.contains(name));
        assert!(new || !done, "said done, and nothing is there: {:?}", flaky.struck());
        assert!(done || !can_do_without(flaky), "failed for {:?}", flaky.struck());
        assert!(now.len() >= 2, "{now:?} are left: {:?}", flaky.struck());
        assert!(*bench.live.blocking_read() == bench.a);
        before = now;
    }
}

fn restore_and_undo(bench: &Bench, flaky: &Flaky, held: &MemoryStorage, given: &str) {
    // a backup of B is given back, should it be gone
    let b = if names(held).iter().any(|name| name == given) {
        given.to_owned()
    } else {
        again(bench, held)
    };
    let restored = restore(bench, flaky, &b, [&bench.a, &bench.b]);
    let safety = names(held).pop().expect("a backup");
    if restored {
        restore(bench, flaky, &safety, [&bench.b, &bench.a]);
    }
}

/// Without what is remembered of blocks a backup takes longer, and nothing else.
fn can_do_without(flaky: &Flaky) -> bool {
    matches!(flaky.struck(), Some("read_index" | "write_index")) && !flaky.goes_on()
}

/// A backup of B.
fn again(bench: &Bench, held: &MemoryStorage) -> String {
    *bench.live.blocking_write() = bench.b.clone();
    assert!(bench.run(held.clone(), &["backup"]));
    *bench.live.blocking_write() = bench.a.clone();
    names(held).pop().expect("a backup of B")
}

fn restore(bench: &Bench, flaky: &Flaky, name: &str, [old, new]: [&Orders; 2]) -> bool {
    let done = bench.run(flaky.clone(), &["restore", "--yes", name]);
    let expected = if done { new } else { old };
    assert!(*bench.live.blocking_read() == *expected, "done: {done}, {:?}", flaky.struck());
    done
}
