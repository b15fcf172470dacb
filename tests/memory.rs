//! Memory does not grow with the data: alone in its program, since the peak is a process's.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::Utc;
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupCommand, BackupPlugin, DataSource, Error, Export, FolderStorage, Import, Section, Storage,
};

#[path = "support/clock.rs"]
mod clock;
use clock::TestClock;

const ENTRIES: u64 = 50_000;
/// Fewer are enough to be restored and compared, which reads them seven times.
const FEWER: u64 = 15_000;
/// 4 KB an entry: 200 MB in all.
const ENTRY: usize = 4096;
const MOST_GROWTH_KB: u64 = 32 << 10;

/// More data than a small server has memory, read one record after the other, in this order or the other.
#[derive(Clone)]
struct Log {
    entries: Arc<AtomicU64>,
    backwards: Arc<AtomicBool>,
}

impl Log {
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let half = self.entries.load(Ordering::Relaxed) / 2;
        let backwards = self.backwards.load(Ordering::Relaxed);
        (0..half).map(move |number| if backwards { half - 1 - number } else { number })
    }
}

impl DataSource for Log {
    type Error = Error;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("by_number"), Section::new("lines")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), Error> {
        let line = "a line of a log, again. ".repeat(ENTRY / 24);
        let mut map = out.map("by_number")?;
        for number in self.numbers() {
            map.entry(&number, &line)?;
        }
        map.end()?;
        let mut list = out.list("lines")?;
        for number in self.numbers() {
            list.item(&format!("{number} {line}"))?;
        }
        list.end()
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), Error> {
        data.entries("by_number", |_: u64, _: String| Ok::<_, Error>(()))?;
        data.each("lines", |_: String| Ok::<_, Error>(()))?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), Error> {
        self.check(data).await
    }
}

/// The most memory that this process has ever had.
fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("linux tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak");
    let number = line.split_whitespace().nth(1).expect("a number");
    number.parse().expect("a number")
}

// paused, so that the message which nobody takes is soon given up
#[tokio::test(start_paused = true)]
async fn two_hundred_megabytes_are_backed_up_restored_and_compared_in_a_few() {
    let place = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::new(place.path());
    let bot = Bot::new("777:token").set_api_url("http://127.0.0.1:1".parse().expect("an address"));
    let log = Log { entries: Arc::new(ENTRIES.into()), backwards: Arc::default() };
    let builder = || {
        BackupPlugin::builder(bot.clone(), log.clone())
            .admin(UserId(42))
            .storage(storage.clone())
            .clock(TestClock::new(Utc::now(), chrono_tz::UTC))
    };
    let plugin = builder().build().expect("a plugin");
    let before = peak_kb();
    let task = plugin.spawn();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    task.shutdown().await;
    let [(id, _)] = &storage.list().expect("a list")[..] else { panic!("not one backup") };
    let growth = peak_kb() - before;
    assert!(growth < MOST_GROWTH_KB, "{growth} KB more for a backup");

    log.entries.store(FEWER, Ordering::Relaxed);
    let run = async |words: &[&str]| {
        let command = BackupCommand::parse(words.iter().map(Into::into)).expect("a command");
        assert_eq!(builder().run(command).await, ExitCode::SUCCESS, "{words:?}");
    };
    run(&["backup"]).await;
    let newest = storage.list().expect("a list").into_iter().map(|(id, _)| id).max();
    // in another order the bytes differ, and what they say must be compared
    log.backwards.store(true, Ordering::Relaxed);
    run(&["restore", "--yes", &newest.expect("a backup").to_string()]).await;
    let growth = peak_kb() - before;
    assert!(growth < MOST_GROWTH_KB, "{growth} KB more for a restore");

    let mut archive =
        zip::ZipArchive::new(storage.open(id).expect("opens").expect("there")).expect("a zip");
    let data = archive.by_name("data.json").expect("the data").size();
    assert!(data > 200_000_000, "{data} bytes of data");
}
