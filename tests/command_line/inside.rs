//! Commands inside the program that gives them: their patience, and who is at work beside them.

use std::any::Any;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};
use teloxide::Bot;
use teloxide_backup::{
    BackupCommand, BackupPlugin, BoxError, Clock, DataSource, Export, Import, MemoryStorage,
    Section, Shared, Storage,
};
use tokio::sync::RwLock;

use crate::fixture;

/// A clock on which a minute goes by at each look, and that is set back a day after the first.
#[derive(Clone, Default)]
struct Hasty(Arc<AtomicI64>);

impl Clock for Hasty {
    fn now(&self) -> DateTime<Utc> {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        let begin = DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
        begin + TimeDelta::minutes(looks) - TimeDelta::days(looks.min(1))
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

/// Runs a command inside this program, and gives its exit code.
async fn run(words: &[&str], source: impl DataSource, storage: &MemoryStorage) -> ExitCode {
    let words = words.iter().map(Into::into);
    let command = BackupCommand::parse(words.collect::<Vec<_>>()).expect("a command");
    let backup = BackupPlugin::builder(Bot::new(""), source);
    backup.storage(storage.clone()).clock(Hasty::default()).run(command).await
}

/// Exit codes can only be shown.
#[track_caller]
fn assert_code(found: ExitCode, expected: u8) {
    assert_eq!(format!("{found:?}"), format!("{:?}", ExitCode::from(expected)));
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let storage = MemoryStorage::new();
    let orders = || Shared::new(Arc::new(RwLock::new(BTreeMap::from([("orders".to_owned(), 1)]))));
    let held: Box<dyn Any + Send> = storage.lock().expect("no error").expect("free");
    let began = Instant::now();
    assert_code(run(&["backup"], orders(), &storage).await, 4);
    assert_code(run(&["restore", &fixture()], orders(), &storage).await, 4);
    assert!(began.elapsed() < Duration::from_secs(30), "a minute by the clock, wherever it is set");
    assert!(storage.list().expect("a list").is_empty());
    drop(held);
    assert_code(run(&["backup"], orders(), &storage).await, 0);
    assert_eq!(storage.list().expect("a list").len(), 1);
}

/// While it is backed up and while it is replaced, another program tries to back up and to restore.
struct Contested(MemoryStorage, Arc<Mutex<Vec<String>>>);

impl Contested {
    fn try_elsewhere(&self) {
        for words in [vec!["backup".to_owned()], vec!["restore".to_owned(), fixture()]] {
            let storage = self.0.clone();
            let program = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                let orders = BTreeMap::from([("orders".to_owned(), 1)]);
                let orders = Shared::new(Arc::new(RwLock::new(orders)));
                let code = runtime.expect("a runtime").block_on(run(&words, orders, &storage));
                format!("{code:?}")
            });
            let code = program.join().expect("no panic");
            self.1.lock().unwrap_or_else(PoisonError::into_inner).push(code);
        }
    }
}

impl DataSource for Contested {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        // what is counted before the question stands in nobody's way
        if self.0.list()?.is_empty() {
            self.try_elsewhere();
        }
        Ok(out.value("orders", &[1])?)
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        self.try_elsewhere();
        data.value::<Vec<u64>>("orders")?;
        Ok(())
    }
}

#[tokio::test]
async fn no_backup_or_restore_of_another_program_runs_in_a_restore_or_a_backup() {
    let storage = MemoryStorage::new();
    let tried = Arc::default();
    let source = || Contested(storage.clone(), Arc::clone(&tried));
    for (words, archives) in [(&["backup"][..], 1), (&["restore", "--yes"], 2)] {
        let newest = storage.list().expect("a list").pop().map(|(id, _)| id.to_string());
        let words: Vec<&str> = words.iter().copied().chain(newest.as_deref()).collect();
        assert_code(run(&words, source(), &storage).await, 0);
        assert_eq!(storage.list().expect("a list").len(), archives, "its own alone");
    }
    let tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
    let busy = format!("{:?}", ExitCode::from(4));
    assert!(tried.len() >= 4 && tried.iter().all(|code| *code == busy), "{tried:?}");
}

/// Refuses each restore, and notes what the notebook says meanwhile.
struct Stubborn(MemoryStorage, Arc<Mutex<Value>>);

fn notebook(storage: &MemoryStorage) -> Value {
    let state = storage.read_state().expect("no error").expect("a notebook");
    serde_json::from_slice(&state).expect("JSON")
}

impl DataSource for Stubborn {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        Ok(out.value("orders", &[1])?)
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), BoxError> {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = notebook(&self.0);
        Err("no".into())
    }
}

#[tokio::test]
async fn a_restore_that_is_refused_leaves_an_earlier_one_cut_off() {
    let storage = MemoryStorage::new();
    let undo = json!({
        "token": "0", "safety": "backup_20260101_000000.zip", "safety_sha256": "0",
        "at": "2026-01-01T00:00:00Z",
    });
    let cut_off = json!({ "restored": "backup_20251231_000000.zip", "undo": undo });
    let state = json!({ "version": 1, "restoring": cut_off });
    storage.write_state(state.to_string().as_bytes()).expect("written");
    let seen = Arc::default();
    let source = Stubborn(storage.clone(), Arc::clone(&seen));
    assert_code(run(&["restore", &fixture()], source, &storage).await, 1);
    let during = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(during["restoring"]["restored"], json!(fixture()), "as the person has named it");
    assert_eq!(during["cut_off"], json!([cut_off]), "a crash must not take it away");
    let after = notebook(&storage);
    assert_eq!((&after["restoring"], &after["cut_off"]), (&Value::Null, &json!([cut_off])));
}

/// A bot at whose side old backups are removed while one is checked.
struct Tidied(MemoryStorage);

impl DataSource for Tidied {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        Ok(out.value("orders", &[1])?)
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.value::<Value>("orders")?;
        for (id, _) in self.0.list()?.into_iter().rev().skip(1) {
            self.0.delete(&id)?;
        }
        Ok(())
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), BoxError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_backup_that_goes_while_all_are_checked_is_no_bad_one() {
    let (storage, elsewhere) = (MemoryStorage::new(), MemoryStorage::new());
    for _ in 0..2 {
        assert_code(run(&["backup"], Tidied(elsewhere.clone()), &storage).await, 0);
    }
    assert_eq!(storage.list().expect("a list").len(), 2);
    assert_code(run(&["verify"], Tidied(storage.clone()), &storage).await, 0);
    assert_eq!(storage.list().expect("a list").len(), 1);
}
