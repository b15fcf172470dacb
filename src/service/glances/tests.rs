//! A list that remembers is the same as one that does not, and opens less.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::sync::RwLock;

use super::super::{Doubts, Fates, Gate, Limits, Listed, Making, Packing, Service};
use super::*;
use crate::backup::Trigger;
use crate::clock::SystemClock;
use crate::source::Shared;
use crate::storage::forward::forward;
use crate::storage::{Draft, FolderStorage, MemoryStorage, Readable, Storage};

type Line = (BackupId, u64, Option<Stamp>);

/// A storage that counts what it is asked for.
#[derive(Clone)]
struct Counting {
    held: Arc<dyn Storage>,
    opened: Arc<AtomicUsize>,
    stamped: Arc<dyn Fn() -> io::Result<Vec<Line>> + Send + Sync>,
}

impl Counting {
    fn memory(memory: &MemoryStorage) -> Self {
        let held = memory.clone();
        Self::new(memory.clone(), move || held.list_stamped())
    }

    /// A folder, an hour later.
    fn folder(folder: &Path) -> Self {
        let held = FolderStorage::new(folder);
        let later = Duration::from_secs(60 * 60);
        Self::new(held.clone(), move || held.list_at(SystemTime::now() + later))
    }

    fn new(
        held: impl Storage,
        stamped: impl Fn() -> io::Result<Vec<Line>> + Send + Sync + 'static,
    ) -> Self {
        Self { held: Arc::new(held), opened: Arc::default(), stamped: Arc::new(stamped) }
    }

    /// How many archives were opened since this was asked.
    fn opened(&self) -> usize {
        self.opened.swap(0, Ordering::Relaxed)
    }

    fn service(&self) -> Service {
        self.service_of(777)
    }

    fn service_of(&self, bot_id: u64) -> Service {
        Service::new(Parts {
            source: Box::new(Shared::new(Arc::new(RwLock::new(
                json!({ "tickets": { "1": { "a": 1, "b": 2 } } }),
            )))),
            storage: Box::new(self.clone()),
            clock: Arc::new(SystemClock),
            keep: 100_000,
            skips_unchanged: true,
            bot_id: Some(bot_id),
            schema_version: 1,
            packing: Packing::default(),
            limits: Limits::folder(),
            upload_limits: Limits::upload(),
            gate: Gate::new(false),
            glances: Glances::default(),
            doubts: Doubts::default(),
            fates: Fates::default(),
            noted: AtomicBool::default(),
            making: Making::default(),
        })
    }
}

impl Storage for Counting {
    forward!(held: name path prepare lock list draft delete read_state write_state);

    fn list_stamped(&self) -> io::Result<Vec<Line>> {
        (self.stamped)()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.held.open(id)
    }
}

/// The list, as it is shown.
async fn list(service: &Service) -> Vec<String> {
    let page = service.list(0, usize::MAX).await.expect("a list");
    page.lines.iter().map(|line| format!("{line:?}")).collect()
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-archives");
    let files =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "zip")).collect()
}

fn id(number: usize) -> BackupId {
    let (minute, second) = (number / 60 % 60, number % 60);
    let name = format!("backup_20260101_{:02}{minute:02}{second:02}.zip", number / 3600);
    BackupId::parse(&name).expect("a name")
}

/// Two of ours, those of the Python system, and a broken one.
async fn filled() -> MemoryStorage {
    let memory = MemoryStorage::new();
    let service = Counting::memory(&memory).service();
    for trigger in [Trigger::Manual, Trigger::Scheduled] {
        service.back_up(trigger).await.expect("a backup");
    }
    for (number, path) in fixtures().iter().enumerate() {
        memory.insert(id(number), std::fs::read(path).expect("a fixture"));
    }
    memory.insert(id(100), *b"nothing of the kind");
    memory
}

#[tokio::test]
async fn a_second_list_is_the_same_and_opens_only_what_is_damaged() {
    let memory = filled().await;
    let storage = Counting::memory(&memory);
    let service = storage.service();
    let first = list(&service).await;
    let foreign = fixtures().len();
    assert!(foreign > 1 && first.len() == foreign + 3);
    assert_eq!(storage.opened(), 3 + 2 * foreign, "theirs are read for their counts");
    let damaged = first.iter().filter(|line| line.starts_with("Damaged")).count();
    assert_eq!(damaged, 1);
    for _ in 0..2 {
        assert_eq!(list(&service).await, first);
        assert_eq!(storage.opened(), damaged);
    }
    assert_eq!(list(&storage.service()).await, first, "and as one that remembers nothing");
    storage.opened();
    // nor does the schedule, nor a page
    let made_at = service.moments().await.expect("a list").all();
    assert_eq!((made_at.len(), storage.opened()), (foreign + 2, damaged));
    service.list(0, 1).await.expect("a page");
    assert_eq!(storage.opened(), 0);
    assert_eq!(list(&service).await, first);
}

#[tokio::test]
async fn what_is_checked_is_read_whatever_a_list_remembers() {
    let memory = filled().await;
    let storage = Counting::memory(&memory);
    let service = storage.service();
    list(&service).await;
    storage.opened();
    let (newest, _) = memory.list().expect("a list").pop().expect("an archive");
    service.verify(super::super::Chosen::Stored(newest)).await.expect("good");
    assert!(storage.opened() > 0);
}

#[tokio::test]
async fn a_storage_that_knows_no_stamps_is_read_for_each_list() {
    let memory = filled().await;
    let held = memory.clone();
    let storage = Counting::new(memory, move || {
        Ok(held.list()?.into_iter().map(|(id, size_bytes)| (id, size_bytes, None)).collect())
    });
    let service = storage.service();
    let first = list(&service).await;
    let opened = storage.opened();
    assert!(opened >= first.len());
    assert_eq!(list(&service).await, first);
    assert_eq!(storage.opened(), opened);
    assert!(service.parts.glances.held().is_empty());
}

#[tokio::test]
async fn what_comes_goes_or_takes_anothers_place_is_seen_at_once() {
    let memory = filled().await;
    let storage = Counting::memory(&memory);
    let service = storage.service();
    list(&service).await;
    let known = || service.parts.glances.held().len();
    let before = known();
    // each in the place of the other: theirs are of different days
    let (a, b) = (memory.get(&id(0)).expect("one"), memory.get(&id(1)).expect("another"));
    memory.insert(id(0), b.clone());
    memory.insert(id(1), a.clone());
    assert_eq!(list(&service).await, list(&storage.service()).await);
    assert_eq!(known(), before);
    // a broken one
    memory.insert(id(0), *b"nothing");
    assert_eq!(list(&service).await, list(&storage.service()).await);
    memory.insert(id(0), a);
    // one that comes, and two that go
    memory.insert(id(50), b);
    memory.delete(&id(1)).expect("gone");
    memory.delete(&id(0)).expect("gone");
    let now = list(&service).await;
    assert_eq!(now, list(&storage.service()).await);
    assert_eq!(known(), before - 1, "what is gone is forgotten");
    service.back_up(Trigger::Manual).await.expect("a backup");
    assert_eq!(list(&service).await.len(), now.len() + 1);
    // nothing of this name: the same number of archives, and all of them others
    let names: Vec<_> = memory.list().expect("a list").into_iter().map(|(id, _)| id).collect();
    for name in names {
        memory.delete(&name).expect("gone");
    }
    assert!(list(&service).await.is_empty());
    assert_eq!(known(), 0);
}

#[tokio::test]
async fn another_archive_of_the_same_name_and_length_is_told_by_its_stamp() {
    let memory = MemoryStorage::new();
    let storage = Counting::memory(&memory);
    let service = storage.service();
    let mut lengths = BTreeMap::new();
    let mut bots = 100..1000;
    let (one, other) = loop {
        let bot = storage.service_of(bots.next().expect("two of one length"));
        let made = bot.back_up(Trigger::Manual).await.expect("a backup").info;
        let archive = memory.get(&made.id).expect("an archive");
        memory.delete(&made.id).expect("gone");
        if let Some(before) = lengths.insert(archive.len(), Arc::clone(&archive)) {
            break (before, archive);
        }
    };
    memory.insert(id(1), one);
    let first = list(&service).await;
    memory.insert(id(1), other);
    let second = list(&service).await;
    assert_ne!(first, second);
    assert_eq!(second, list(&storage.service()).await);
}

/// Copies of one of our archives, as many as are asked for.
async fn folder_of(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Counting::folder(folder.path()).service();
    let made = service.back_up(Trigger::Manual).await.expect("a backup").info.id;
    for number in 0..count {
        let (from, to) = (made.to_string(), id(number).to_string());
        std::fs::copy(folder.path().join(from), folder.path().join(to)).expect("copied");
    }
    std::fs::remove_file(folder.path().join(made.to_string())).expect("gone");
    folder
}

#[tokio::test]
async fn a_folder_is_looked_at_and_its_archives_stay_closed() {
    let folder = folder_of(50).await;
    let storage = Counting::folder(folder.path());
    let service = storage.service();
    let first = list(&service).await;
    assert_eq!((first.len(), storage.opened()), (50, 50));
    assert_eq!(list(&service).await, first);
    assert_eq!(storage.opened(), 0);
    std::fs::write(folder.path().join(id(7).to_string()), "nothing").expect("written");
    let second = list(&service).await;
    assert_eq!(second.iter().zip(&first).filter(|(now, before)| now != before).count(), 1);
    assert_eq!(storage.opened(), 1);
}

/// What it costs to look at each archive and not into it.
fn look(folder: &Path) -> Duration {
    let begin = Instant::now();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        std::fs::symlink_metadata(entry.expect("an entry").path()).expect("a file");
    }
    begin.elapsed()
}

#[tokio::test]
#[ignore = "measures, and prints a table: run it alone, with --release and --nocapture"]
async fn what_a_list_costs() {
    println!("| archives | readdir and stat, ms | first list | second list |");
    for count in [10, 1000, 10_000] {
        let folder = folder_of(count).await;
        let storage = Counting::folder(folder.path());
        let mut costs = [const { Vec::new() }; 3];
        for _ in 0..15 {
            let service = storage.service();
            let mut lists = Vec::new();
            costs[0].push(look(folder.path()));
            for costs in &mut costs[1..] {
                let begin = Instant::now();
                let page = service.parts.list(0, usize::MAX).expect("a list");
                costs.push(begin.elapsed());
                assert!(page.lines.iter().all(|line| matches!(line, Listed::Good(_))));
                lists.push(format!("{:?}", page.lines));
            }
            assert!(lists[0] == lists[1] && storage.opened() == count);
        }
        let [stat, first, second] = costs.map(|mut costs| {
            costs.sort();
            costs[costs.len() / 2].as_secs_f64() * 1e3
        });
        let (cold, warm) = (first / stat, second / stat);
        println!("| {count} | {stat:.3} | {first:.3} ({cold:.1}×) | {second:.3} ({warm:.1}×) |");
    }
}
