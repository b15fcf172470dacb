//! The program that is killed: it backs up, removes old backups, restores and undoes, and says what
//! is done. All its work on files is done by one thread, so that the calls of each run are the same.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::canary;
use crate::forward::forward;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeZone, Utc};
use teloxide::Bot;
use teloxide_backup::{
    BackupCommand, BackupId, BackupPlugin, Clock, Draft, FolderStorage, Language, Readable, Stamp,
    Storage,
};

use crate::host::{Host, Kind};
use crate::twin::{Twin, Wrong};

/// What the program is told in its environment.
pub(crate) const HOME: &str = "CRASH_HOME";
pub(crate) const KIND: &str = "CRASH_KIND";
pub(crate) const WORK: &str = "CRASH_WORK";
pub(crate) const WRONG: &str = "CRASH_WRONG";

/// Files that do not exist: to open them marks what lies between in a list of calls.
pub(crate) const BEGIN: &str = "/-begin-";
pub(crate) const END: &str = "/-end-";

/// Of the bot of the offline Telegram.
const TOKEN: &str = "7000000001:token";

/// More calls of each kind than the program's other threads make.
const WARMING: usize = 100;

/// Runs as the environment says; nothing without it.
pub(crate) fn main() {
    let Ok(home) = std::env::var(HOME) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        // no poll of descriptors: its wakings are writes, and not the same in each run
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let program = Program::new(home.into());
    let work = std::env::var(WORK).expect("what to do");
    if work != "work" {
        // there each line of a log would be one more call to strike
        canary::listen();
    }
    match work.split_once(' ') {
        Some((_, file)) => runtime.block_on(program.restore(file)),
        None if work == "seed" => runtime.block_on(program.seed()),
        None if work == "check" => runtime.block_on(program.check()),
        None => runtime.block_on(program.work()),
    }
}

struct Program {
    host: Host,
    storage: Place,
    clock: Seconds,
}

impl Program {
    fn new(home: PathBuf) -> Self {
        let kind = std::env::var(KIND).expect("a kind");
        let kind = Kind::named(&kind).expect("a kind");
        let folder = home.join("backups");
        let wrong = std::env::var(WRONG).ok().and_then(|name| Wrong::named(&name));
        let storage = match wrong {
            None => Place(Arc::new(FolderStorage::new(folder))),
            Some(wrong) => Place(Arc::new(Twin::new(folder, wrong))),
        };
        Self { host: Host { kind, home }, storage, clock: Seconds::default() }
    }

    async fn run(&self, keep: usize, words: &[&str]) -> bool {
        self.clock.tick();
        let builder = BackupPlugin::builder(Bot::new(TOKEN), self.host.clone())
            .language(Language::English)
            .storage(self.storage.clone())
            .clock(self.clock.clone())
            // threads of its own would make other calls in each run
            .workers(1)
            .keep(keep);
        let command = BackupCommand::parse(words.iter().map(Into::into)).expect("a command");
        builder.run(command).await == ExitCode::SUCCESS
    }

    /// Two backups of A, and one of B that lies elsewhere.
    async fn seed(self) {
        std::fs::create_dir(self.host.home.join("backups")).expect("a folder");
        self.host.write(&self.host.kind.orders('B')).expect("B is live");
        assert!(self.run(9, &["backup"]).await);
        let made = self.newest().await.expect("it is there");
        let home = &self.host.home;
        std::fs::rename(home.join("backups").join(made), home.join("given.zip")).expect("moved");
        self.host.write(&self.host.kind.orders('A')).expect("A is live");
        assert!(self.run(9, &["backup"]).await && self.run(9, &["backup"]).await);
    }

    /// A backup; one more, after which the old ones go; B for A, and A again.
    async fn work(self) {
        self.clock.0.fetch_add(1000, Ordering::Relaxed);
        warm_up().await;
        self.step("backup", 9, &["backup"]).await;
        self.step("backup", 2, &["backup"]).await;
        if self.host.kind != Kind::Brief {
            self.restore_and_undo().await;
        }
        mark(END).await;
    }

    async fn restore_and_undo(&self) {
        let given = self.host.home.join("given.zip");
        let restored =
            self.step("restore", 2, &["restore", "--yes", &given.to_string_lossy()]).await;
        if let Some(safety) = self.newest().await.filter(|_| restored) {
            self.step("undo", 2, &["restore", "--yes", &safety]).await;
        }
    }

    async fn step(&self, name: &str, keep: usize, words: &[&str]) -> bool {
        let done = self.run(keep, words).await;
        let newest = self.newest().await.unwrap_or_default();
        say(format!("{} {name} {newest}", if done { "done" } else { "failed" })).await;
        done
    }

    async fn newest(&self) -> Option<String> {
        let storage = self.storage.clone();
        let found = tokio::task::spawn_blocking(move || storage.list()).await.expect("no panic");
        found.ok()?.into_iter().map(|(id, _)| id).max().map(|id| id.to_string())
    }

    /// What a next start finds.
    async fn check(self) {
        self.clock.0.fetch_add(5000, Ordering::Relaxed);
        say(format!("live {}", self.host.live())).await;
        let verified = self.run(9, &["verify"]).await;
        say(format!("verified {verified}")).await;
        // a restore is refused, and says first whether the last one was cut off
        self.run(9, &["restore", "nothing"]).await;
        if self.host.kind.is_large() {
            // of what the last backups have left beside them
            let done = self.run(9, &["backup"]).await;
            say(format!("backed up {done}")).await;
        }
    }

    async fn restore(self, file: &str) {
        self.clock.0.fetch_add(9000, Ordering::Relaxed);
        let done = self.run(9, &["restore", "--yes", file]).await;
        say(format!("restored {done}")).await;
        say(format!("live {}", self.host.live())).await;
    }
}

/// Counts the calls of the one thread that works up, above those of the others.
async fn warm_up() {
    let work = || {
        for _ in 0..WARMING {
            let mut warm = String::new();
            let mut file = File::open("/proc/self/comm").expect("linux tells");
            file.read_to_string(&mut warm).expect("a name");
            file.read_at(&mut [0], 0).expect("its beginning");
            assert!(std::fs::read_dir("/proc/self").is_ok());
            io::stderr().write_all(b".").expect("written");
        }
    };
    tokio::task::spawn_blocking(work).await.expect("no panic");
    mark(BEGIN).await;
}

async fn mark(name: &'static str) {
    let opened = tokio::task::spawn_blocking(move || File::open(name)).await.expect("no panic");
    assert!(opened.is_err(), "there is no such file");
}

async fn say(line: String) {
    let said = tokio::task::spawn_blocking(move || writeln!(io::stdout(), "\n{line}"));
    // a terminal that is gone is no reason to stop
    let _ = said.await.expect("no panic");
}

/// A clock that stands still between two steps.
#[derive(Clone, Default)]
pub(crate) struct Seconds(Arc<AtomicI64>);

impl Seconds {
    pub(crate) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clock for Seconds {
    fn now(&self) -> DateTime<Utc> {
        let second = 1_769_947_200 + self.0.load(Ordering::Relaxed);
        DateTime::from_timestamp(second, 0).expect("a moment")
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

/// The right storage, or a wrong one.
#[derive(Clone)]
struct Place(Arc<dyn Storage>);

impl Storage for Place {
    forward!(0: name path prepare lock list list_stamped open free draft delete read_state write_state claim read_index write_index);
}
