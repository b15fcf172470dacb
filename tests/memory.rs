//! Memory does not grow with the data, nor with anything that somebody has put into an archive: alone
//! in its program, since the peak is a process's.
#![cfg(target_os = "linux")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::Utc;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupCommand, BackupPlugin, DataSource, Error, Export, FolderStorage, Import, Limits, Section,
    Storage,
};
use tokio::sync::{Mutex, MutexGuard};

#[path = "support/canary.rs"]
mod canary;
#[path = "support/clock.rs"]
mod clock;
#[path = "archives/hostile.rs"]
#[allow(dead_code)] // a part of it is for other tests
mod hostile;
use clock::TestClock;

const ENTRIES: u64 = 50_000;
/// Fewer are enough to be restored and compared, which reads them seven times.
const FEWER: u64 = 15_000;
/// 4 KB an entry: 200 MB in all.
const ENTRY: usize = 4096;
const MOST_GROWTH_KB: u64 = 32 << 10;
/// Whatever is read.
const MOST_READ_KB: u64 = 64 << 10;

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

/// A bot with hardly any data, which takes any records one after the other.
struct Small;

impl DataSource for Small {
    type Error = Error;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("by_name"), Section::new("lines")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), Error> {
        out.value("by_name", &json!({ "a": 1 }))?;
        out.value("lines", &json!([1, 2]))
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), Error> {
        data.entries("by_name", |_: String, _: IgnoredAny| Ok::<_, Error>(()))?;
        data.each("lines", |_: Value| Ok::<_, Error>(()))?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), Error> {
        self.check(data).await
    }
}

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The most memory that this process has had since it began to measure.
struct Peak {
    _alone: MutexGuard<'static, ()>,
    before: u64,
}

impl Peak {
    async fn begin() -> Self {
        canary::listen();
        let alone = ALONE.lock().await;
        Self { _alone: alone, before: Self::reset() }
    }

    /// Forgets what was before, as proc(5) says.
    fn reset() -> u64 {
        fs::write("/proc/self/clear_refs", "5").expect("linux forgets the peak");
        Self::kilobytes()
    }

    fn kilobytes() -> u64 {
        let status = fs::read_to_string("/proc/self/status").expect("linux tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak");
        let number = line.split_whitespace().nth(1).expect("a number");
        number.parse().expect("a number")
    }

    fn growth(&self) -> u64 {
        Self::kilobytes().saturating_sub(self.before)
    }
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
    let peak = Peak::begin().await;
    let task = plugin.spawn();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    task.shutdown().await;
    let [(id, _)] = &storage.list().expect("a list")[..] else { panic!("not one backup") };
    let growth = peak.growth();
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
    let growth = peak.growth();
    assert!(growth < MOST_GROWTH_KB, "{growth} KB more for a restore");

    let mut archive =
        zip::ZipArchive::new(storage.open(id).expect("opens").expect("there")).expect("a zip");
    let data = archive.by_name("data.json").expect("the data").size();
    assert!(data > 200_000_000, "{data} bytes of data");
}

const MB: usize = 1 << 20;
/// The longest text that is taken.
const LONGEST: usize = 8 * MB;

/// An archive, and whether it is whole.
type Case = (&'static str, fn() -> Vec<u8>, bool);

/// Made one after the other, since each is large before it is compressed.
const CASES: [Case; 16] = [
    ("440,000 files", half_a_million_files, false),
    ("metadata of 200 MB", || hostile::zip_of(&[small_data(), metadata(None)]), false),
    ("metadata said to be short", || hostile::zip_of(&[small_data(), metadata(Some(100))]), false),
    ("a million sections", a_million_sections, false),
    ("a name of 100 MB", || packed(&format!("{{{}}}", key(100 * MB))), false),
    ("nested 16 million deep", || packed(&lines(&"[".repeat(16 * MB))), false),
    ("a text of 100 MB", || packed(&lines(&text(100 * MB))), false),
    ("a key of 100 MB", || packed(&by_name(&key(100 * MB))), false),
    ("a text of escapes", || packed(&lines(&escapes(16 * MB))), false),
    ("a number of 100 MB", || packed(&lines(&"7".repeat(100 * MB))), false),
    ("an unknown text of 100 MB", || packed(&format!("{{\"x\":{}}}", text(100 * MB))), false),
    ("a text without an end", || packed(&format!("{{\"lines\":[{}", text(100 * MB))), false),
    ("texts of 72 MB in 72 KB", || packed(&lines(&many(&text(LONGEST), 9))), true),
    ("a key of 8 MB", || packed(&by_name(&key(LONGEST))), true),
    ("tiny objects", || packed(&lines(&many("{\"a\":1}", MB))), true),
    ("tiny lists in a map", || packed(&by_name(&many("\"k\":[[]]", MB / 2))), true),
];

/// What takes minutes in a debug build.
const LARGE: [Case; 3] = [
    ("blanks of 1 GB behind the data", || packed(&in_lines("1", &" ".repeat(1024 * MB))), true),
    ("texts of 1 GB in 1 MB", || packed(&lines(&many(&text(LONGEST), 130))), true),
    ("tiny objects of 16 MB", || packed(&lines(&many("{\"a\":1}", 2 * MB))), true),
];

/// An archive as the Python system writes it: its data are read for a list.
fn packed(data: &str) -> Vec<u8> {
    let metadata = json!({
        "created_at": "2026-01-01T00:00:00", "backup_version": "1.0", "records_count": {},
    });
    hostile::packed(data.as_bytes(), &metadata, None)
}

fn in_lines(lines: &str, behind: &str) -> String {
    format!("{{\"by_name\":{{}},\"lines\":[{lines}]}}{behind}")
}

fn lines(lines: &str) -> String {
    in_lines(lines, "")
}

fn by_name(entries: &str) -> String {
    format!("{{\"by_name\":{{{entries}}},\"lines\":[]}}")
}

fn many(item: &str, count: usize) -> String {
    format!("{}{item}", format!("{item},").repeat(count - 1))
}

fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

fn escapes(count: usize) -> String {
    format!("\"{}\"", "\\u0000".repeat(count))
}

fn key(length: usize) -> String {
    format!("{}:1", text(length))
}

fn a_million_sections() -> Vec<u8> {
    let mut data = String::from("{\"s\":[]");
    (0..MB).for_each(|n| write!(data, ",\"s{n}\":[]").expect("written"));
    packed(&(data + "}"))
}

fn small_data() -> hostile::Entry {
    hostile::Entry::new("data.json", lines("1").as_bytes())
}

fn metadata(said: Option<u32>) -> hostile::Entry {
    let metadata = format!("{{\"backup_version\":\"1.0\"{}", " ".repeat(200 * MB));
    hostile::deflated("metadata.json", metadata.as_bytes(), said)
}

/// The usual end says two, and leaves it to the larger one to say where they are.
fn half_a_million_files() -> Vec<u8> {
    let count = 440_000;
    let files = (0..count).map(|n| hostile::Entry::new(n.to_string(), b""));
    hostile::elsewhere(hostile::large_end(files, count, |_| {}))
}

/// Runs a command inside this program, and gives its exit code as it is shown.
async fn run(words: &[&str], storage: &FolderStorage) -> String {
    let words: Vec<_> = words.iter().map(Into::into).collect();
    let command = BackupCommand::parse(words).expect("a command");
    let builder = BackupPlugin::builder(Bot::new(""), Small).storage(storage.clone());
    // as long as in the chat: a text lies in memory as a whole
    let builder = builder.limits(Limits::folder().text_bytes(LONGEST as u64));
    format!("{:?}", builder.run(command).await)
}

/// Where the child finds its archive.
const FOLDER: &str = "MEMORY_TEST_FOLDER";
const NAME: &str = "backup_20260101_000000.zip";

/// Reads an archive in each way, in a program that has had no large data of its own.
#[tokio::test]
#[ignore = "the child of the others"]
async fn child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let storage = FolderStorage::new(folder);
    let peak = Peak::begin().await;
    for words in [&["list"][..], &["verify", NAME], &["restore", NAME, "--yes"]] {
        let code = run(words, &storage).await;
        println!("{} ended with {code} after {} KB", words[0], peak.growth());
    }
}

fn assert_read_in_little_memory(cases: &[Case]) {
    for (what, archive, whole) in cases {
        let place = tempfile::tempdir().expect("a folder");
        fs::write(place.path().join(NAME), archive()).expect("written");
        let mut program = Command::new(env::current_exe().expect("this program"));
        program.args(["--exact", "child", "--ignored", "--nocapture"]).env(FOLDER, place.path());
        let output = program.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for (word, taken) in [("list", true), ("verify", *whole), ("restore", *whole)] {
            let code = ExitCode::from(if taken { 0 } else { 3 });
            let start = format!("{word} ended with {code:?} after ");
            let ended =
                said.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix(" KB"));
            let growth: u64 =
                ended.unwrap_or_else(|| panic!("{what}: {said}")).parse().expect("KB");
            assert!(growth < MOST_READ_KB, "{what}: {growth} KB more to {word}");
            println!("{what}: {growth} KB more to {word}");
        }
    }
}

#[tokio::test]
async fn whatever_an_archive_holds_it_is_read_in_little_memory() {
    let _alone = ALONE.lock().await;
    assert_read_in_little_memory(&CASES);
}

#[tokio::test]
#[ignore = "takes long: archives that unpack to a gigabyte; run it with --release"]
async fn a_gigabyte_is_read_in_little_memory() {
    let _alone = ALONE.lock().await;
    assert_read_in_little_memory(&LARGE);
}
