//! The program that is started many times: a bot whose clock and whose time to act the parent gives.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::canary;
use crate::forward::forward;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeZone, Utc};
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupId, BackupPlugin, Clock, Days, Draft, FolderStorage, Readable, Shared, Storage,
};
use tokio::sync::RwLock;

/// What the program is told in its environment: where its folder and its clock are.
pub(crate) const HOME: &str = "PROCESSES_HOME";
pub(crate) const FOLDER: &str = "backups";
pub(crate) const CLOCK: &str = "clock";

/// What it says on a line of its own: what its storage is asked for, and these.
pub(crate) const HOLDS: &str = "holds";
pub(crate) const IDLE: &str = "idle";

/// How long the program may act, by its own time, for each line that it gets: longer than any of its
/// naps.
const TURN: Duration = Duration::from_secs(16 * 60);

/// Runs as the environment says; nothing without it.
pub(crate) fn main() {
    let Ok(home) = std::env::var(HOME) else { return };
    canary::listen();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(run(home.into()));
}

async fn run(home: PathBuf) {
    // nobody answers there: messages are tried again and given up
    let url = "http://127.0.0.1:1".parse().expect("an address");
    let state = BTreeMap::from([("notes".to_owned(), vec!["canary-of-a-client".to_owned(); 100])]);
    let _task = BackupPlugin::builder(
        Bot::new("777:token").set_api_url(url),
        Shared::new(Arc::new(RwLock::new(state))),
    )
    .admin(UserId(42))
    .storage(Telling(FolderStorage::new(home.join(FOLDER))))
    .clock(Given(home.join(CLOCK)))
    .every(Days::new(1))
    .keep(100_000)
    // its data never change, and each backup is to be seen
    .skip_unchanged(false)
    .build()
    .expect("a plugin")
    .spawn();
    loop {
        // time goes by only while nothing else is left to do
        tokio::time::sleep(TURN).await;
        say(IDLE);
        // while this thread waits, tokio's clock stands still
        let line = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        if line.await.expect("no panic").expect("a pipe") == 0 {
            return;
        }
    }
}

fn say(line: &str) {
    // a parent that is gone is no reason to panic
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// The clock that the parent sets.
struct Given(PathBuf);

impl Clock for Given {
    fn now(&self) -> DateTime<Utc> {
        let seconds = fs::read_to_string(&self.0).expect("a clock");
        DateTime::from_timestamp(seconds.parse().expect("seconds"), 0).expect("a moment")
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

/// The folder of the library, which tells what it is asked for before it does it: each line is a
/// moment at which the parent may kill.
struct Telling(FolderStorage);

impl Storage for Telling {
    forward!(0: name path open free delete read_index write_index);

    fn prepare(&self) -> io::Result<()> {
        say("prepare");
        self.0.prepare()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        say("lock");
        self.0.lock()
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        let claimed = self.0.claim(part)?;
        if claimed.is_some() {
            say(HOLDS);
        }
        Ok(claimed)
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        say("list");
        self.0.list()
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        say("draft");
        Ok(Box::new(TellingDraft(self.0.draft()?)))
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        say("read_state");
        self.0.read_state()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        say("write_state");
        self.0.write_state(state)
    }
}

struct TellingDraft(Box<dyn Draft>);

impl Draft for TellingDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        say("reopen");
        self.0.reopen()
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        say("publish");
        let published = self.0.publish(id)?;
        say("published");
        Ok(published)
    }
}

forward!(@bytes (0) TellingDraft);
