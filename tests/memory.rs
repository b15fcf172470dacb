//! Memory does not grow with the data: alone in its program, since the peak is a process's.
#![cfg(target_os = "linux")]

use std::fs;

use chrono::Utc;
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupPlugin, DataSource, Error, Export, FolderStorage, Import, Section, Storage,
};

#[path = "support/clock.rs"]
mod clock;
use clock::TestClock;

const ENTRIES: u64 = 50_000;
/// 4 KB an entry: 200 MB in all.
const ENTRY: usize = 4096;
const MOST_GROWTH_KB: u64 = 32 << 10;

/// More data than a small server has memory, read one record after the other.
struct Log;

impl DataSource for Log {
    type Error = Error;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("by_number"), Section::new("lines")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), Error> {
        let line = "a line of a log, again. ".repeat(ENTRY / 24);
        let mut map = out.map("by_number")?;
        for number in 0..ENTRIES / 2 {
            map.entry(&number, &line)?;
        }
        map.end()?;
        let mut list = out.list("lines")?;
        for _ in 0..ENTRIES / 2 {
            list.item(&line)?;
        }
        list.end()
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), Error> {
        data.entries("by_number", |_: u64, _: String| Ok::<_, Error>(()))?;
        data.each("lines", |_: String| Ok::<_, Error>(()))?;
        Ok(())
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), Error> {
        Ok(())
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
async fn two_hundred_megabytes_are_backed_up_in_a_few() {
    let place = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::new(place.path());
    let bot = Bot::new("777:token").set_api_url("http://127.0.0.1:1".parse().expect("an address"));
    let plugin = BackupPlugin::builder(bot, Log)
        .admin(UserId(42))
        .storage(storage.clone())
        .clock(TestClock::new(Utc::now(), chrono_tz::UTC))
        .build()
        .expect("a plugin");
    let before = peak_kb();
    let task = plugin.spawn();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    task.shutdown().await;
    let growth = peak_kb() - before;

    let [(id, _)] = &storage.list().expect("a list")[..] else { panic!("not one backup") };
    let mut archive =
        zip::ZipArchive::new(storage.open(id).expect("opens").expect("there")).expect("a zip");
    let data = archive.by_name("data.json").expect("the data").size();
    assert!(data > 200_000_000, "{data} bytes of data");
    assert!(growth < MOST_GROWTH_KB, "{growth} KB more for {data} bytes of data");
}
