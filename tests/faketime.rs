//! The bot with the machine's own clock, which is set meanwhile: libfaketime does that to a process
//! that knows nothing of it.
#![cfg(target_os = "linux")]

#[path = "support/canary.rs"]
mod canary;
#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use forward::forward;
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupId, BackupPlugin, Days, Draft, FolderStorage, Readable, Shared, Storage,
};
use tokio::sync::RwLock;

/// What the child is told in its environment.
const HOME: &str = "FAKETIME_HOME";
/// How long is waited on a busy machine before a test fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// A bot of nothing but backups, which ends when its input does.
#[test]
#[ignore = "the bot whose clock is set: only as a child of the test below"]
fn program() {
    let Ok(home) = std::env::var(HOME) else { return };
    canary::listen();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let url = "http://127.0.0.1:1".parse().expect("an address");
        let state = BTreeMap::from([("notes".to_owned(), ["canary-of-a-client".to_owned()])]);
        let task = BackupPlugin::builder(
            Bot::new("777:token").set_api_url(url),
            Shared::new(Arc::new(RwLock::new(state))),
        )
        .admin(UserId(42))
        .storage(Telling(FolderStorage::new(Path::new(&home).join("backups"))))
        .every(Days::new(1))
        // its data never change, and each backup is to be seen
        .skip_unchanged(false)
        .build()
        .expect("a plugin")
        .spawn();
        let end = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        end.await.expect("no panic").expect("a pipe");
        task.shutdown().await;
    });
}

#[test]
fn a_machine_whose_clock_is_set_makes_its_backups() {
    let Some(library) = library() else {
        skip::skipped("libfaketime is not installed");
        return;
    };
    let world = World { home: tempfile::tempdir().expect("a folder"), library };

    // an empty folder: at once, by the time that the process believes in
    let bot = world.start("2026-02-01 12:00:00");
    bot.says("published");
    bot.stop();
    assert_eq!(world.backups(), ["20260201_120000"]);

    // due in two seconds; meanwhile the clock is set a week ahead: one is made, not seven
    let bot = world.start("2026-02-02 11:59:58");
    bot.looks_and_sleeps();
    world.set_clock("2026-02-09 11:59:58");
    bot.says("published");
    bot.looks_and_sleeps();
    bot.stop();
    assert_eq!(world.backups(), ["20260201_120000", "20260209_115958"]);

    // due in two seconds; meanwhile the clock is set back by a day: it is not due any more
    let bot = world.start("2026-02-10 11:59:56");
    bot.looks_and_sleeps();
    world.set_clock("2026-02-09 11:59:56");
    bot.looks_and_sleeps();
    bot.stop();
    assert_eq!(world.backups().len(), 2);

    // set back while it is off, by some hours: it comes when it is its time again
    let bot = world.start("2026-02-09 07:00:00");
    bot.looks_and_sleeps();
    bot.stop();
    assert_eq!(world.backups().len(), 2);
    let bot = world.start("2026-02-10 11:59:58");
    bot.says("published");
    bot.stop();

    // set back by five days: what is there lies in the future, and holds nothing up
    let bot = world.start("2026-02-05 12:00:00");
    bot.says("published");
    bot.looks_and_sleeps();
    bot.stop();
    let all = ["20260201_120000", "20260205_120000", "20260209_115958", "20260210_115958"];
    assert_eq!(world.backups(), all);
}

fn library() -> Option<PathBuf> {
    let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let files = places.map(|place| Path::new(place).join("faketime/libfaketimeMT.so.1"));
    files.into_iter().find(|file| file.exists())
}

struct World {
    home: tempfile::TempDir,
    library: PathBuf,
}

/// A bot that runs, and what it asks of its storage.
struct Running {
    child: Child,
    said: Receiver<String>,
}

impl World {
    fn clock(&self) -> PathBuf {
        self.home.path().join("clock")
    }

    /// Sets the clock of the child. It stands there until it is set again, so that a busy machine is
    /// never too late.
    fn set_clock(&self, time: &str) {
        let new = self.home.path().join("new");
        fs::write(&new, time).expect("written");
        fs::rename(new, self.clock()).expect("in its place");
    }

    /// Starts the bot at this time.
    fn start(&self, time: &str) -> Running {
        self.set_clock(time);
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "program", "--ignored", "--nocapture", "--test-threads=1"])
            .env(HOME, self.home.path())
            .env("TZ", "UTC")
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.clock())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (tell, said) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Running { child, said }
    }

    /// The times in the names of the backups.
    fn backups(&self) -> Vec<String> {
        let found = FolderStorage::new(self.home.path().join("backups")).list().expect("a list");
        let mut times: Vec<_> =
            found.iter().map(|(id, _)| id.stamp().format("%Y%m%d_%H%M%S").to_string()).collect();
        times.sort();
        times
    }
}

impl Running {
    fn says(&self, word: &str) {
        loop {
            let line = self.said.recv_timeout(PATIENCE).expect("it goes on");
            assert!(word == "published" || line != "published", "nothing was to be made");
            if line == word {
                return;
            }
        }
    }

    /// Waits until it has looked at what there is, and has gone to sleep.
    fn looks_and_sleeps(&self) {
        self.says("looks");
        let mut last = None;
        loop {
            let now = self.at_rest();
            if now.is_some() && now == last {
                return;
            }
            last = now;
            thread::yield_now();
        }
    }

    /// How often the kernel has changed over to each of its threads, if all of them sleep: what is the
    /// same twice did nothing in between.
    fn at_rest(&self) -> Option<Vec<String>> {
        let mut threads = Vec::new();
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs") {
            let status =
                fs::read_to_string(thread.expect("a thread").path().join("status")).ok()?;
            if !status.lines().any(|line| line.starts_with("State:\tS")) {
                return None;
            }
            threads.extend(
                status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned),
            );
        }
        Some(threads)
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("it ends").success());
        assert!(self.said.iter().all(|line| line != "published"), "one more was made");
    }
}

/// The folder of the library, which tells what is asked of it.
struct Telling(FolderStorage);

fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "\n{line}");
}

impl Storage for Telling {
    forward!(0: name path prepare lock claim open delete read_state write_state read_index write_index);

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        let found = self.0.list();
        say("looks");
        found
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(TellingDraft(self.0.draft()?)))
    }
}

struct TellingDraft(Box<dyn Draft>);

impl Draft for TellingDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        self.0.reopen()
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        let published = self.0.publish(id)?;
        say("published");
        Ok(published)
    }
}

forward!(@bytes (0) TellingDraft);
