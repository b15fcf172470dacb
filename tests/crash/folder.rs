//! A folder that is taken away while the bot runs, or has a link in its place.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use teloxide_backup::{BackupId, Draft, FolderStorage, Storage};
use tempfile::TempDir;

fn id(key: &str) -> BackupId {
    BackupId::parse(&format!("backup_{key}.zip")).expect("a backup's name")
}

fn begin(storage: &FolderStorage) -> Box<dyn Draft> {
    let mut draft = storage.draft().expect("a draft");
    draft.write_all(b"an archive").expect("written");
    draft
}

/// A storage that runs, with one archive; its folder is `backups`.
fn running(place: &Path) -> FolderStorage {
    let storage = FolderStorage::new(place.join("backups"));
    storage.prepare().expect("ready");
    assert!(begin(&storage).publish(&id("20260201_000000")).expect("published"));
    storage
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn a_folder_that_goes_in_the_middle_of_a_backup() {
    let place = TempDir::new().expect("a folder");
    let storage = running(place.path());
    let mut draft = begin(&storage);
    draft.reopen().expect("it is there");
    fs::rename(place.path().join("backups"), place.path().join("away")).expect("moved");
    draft.publish(&id("20260202_000000")).expect_err("it has no place");
    storage.draft().map(drop).expect_err("nor has the next one");
    assert_eq!(names(place.path()), ["away"], "nothing is made in its place");
    // it comes back with all that it had
    fs::rename(place.path().join("away"), place.path().join("backups")).expect("moved");
    assert_eq!(storage.list().expect("a list").len(), 1);
    assert!(begin(&storage).publish(&id("20260202_000000")).expect("published"));
}

#[test]
fn a_link_that_leads_nowhere_is_an_error() {
    let place = TempDir::new().expect("a folder");
    let storage = running(place.path());
    fs::rename(place.path().join("backups"), place.path().join("away")).expect("moved");
    symlink(place.path().join("nowhere"), place.path().join("backups")).expect("a link");
    storage.draft().map(drop).expect_err("nowhere to write");
    storage.list().expect_err("no list is not an empty list");
    storage.write_state(b"{}").expect_err("nowhere to write");
    storage.lock().map(drop).expect_err("nothing to lock");
    assert_eq!(names(place.path()), ["away", "backups"], "nothing is made there");
}

#[test]
fn a_link_to_another_folder_takes_nobodys_files() {
    let place = TempDir::new().expect("a folder");
    let storage = running(place.path());
    let mut draft = begin(&storage);
    let other = place.path().join("other");
    fs::create_dir(&other).expect("a folder");
    for name in ["backup_20260202_000000.zip", "notes.txt"] {
        fs::write(other.join(name), "somebody's").expect("written");
    }
    fs::rename(place.path().join("backups"), place.path().join("away")).expect("moved");
    symlink(&other, place.path().join("backups")).expect("a link");
    // what was begun elsewhere does not appear here, and no name is taken twice
    draft.publish(&id("20260203_000000")).expect_err("it lies elsewhere");
    assert!(!begin(&storage).publish(&id("20260202_000000")).expect("no error: it is taken"));
    assert!(begin(&storage).publish(&id("20260204_000000")).expect("published"));
    for name in ["backup_20260202_000000.zip", "notes.txt"] {
        assert_eq!(fs::read_to_string(other.join(name)).expect("there"), "somebody's");
    }
    let archives = ["backup_20260202_000000.zip", "backup_20260204_000000.zip", "notes.txt"];
    assert_eq!(names(&other), archives);
}
