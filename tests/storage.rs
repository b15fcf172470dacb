//! What every storage promises, and what the folder promises besides.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::SystemTime;

use forward::forward;
use teloxide_backup::{BackupId, Draft, FolderStorage, MemoryStorage, Readable, Storage};

#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "support/skip.rs"]
mod skip;

fn id(key: &str) -> BackupId {
    BackupId::parse(&format!("backup_{key}.zip")).expect("a backup's name")
}

fn names(storage: &dyn Storage) -> Vec<String> {
    let mut names: Vec<_> =
        storage.list().expect("a list").into_iter().map(|(id, _)| id.to_string()).collect();
    names.sort();
    names
}

fn publish(storage: &dyn Storage, id: &BackupId, bytes: &[u8]) -> bool {
    let mut draft = storage.draft().expect("a draft");
    draft.write_all(bytes).expect("written");
    draft.publish(id).expect("published or taken")
}

fn content(storage: &dyn Storage, id: &BackupId) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    storage.open(id).expect("opens")?.read_to_end(&mut bytes).expect("reads");
    Some(bytes)
}

/// The contract of [`Storage`], for an empty one.
fn keeps_its_contract(storage: &(impl Storage + Clone)) {
    storage.prepare().expect("ready");
    assert!(names(storage).is_empty());
    assert!(!storage.name().is_empty());
    nothing_is_no_error(storage);
    a_draft_is_invisible_until_it_is_published(storage);
    a_name_is_given_once(storage);
    a_stamp_lasts_as_long_as_its_archive(storage);
    the_notebook_is_replaced_whole(storage);
    the_index_is_no_archive(storage);
    one_of_many_wins(storage);
    one_at_a_time_holds_the_place(storage);
    one_at_a_time_plays_a_part(storage);
    // a second start finds everything as it was
    let before = names(storage);
    storage.prepare().expect("ready again");
    assert_eq!(names(storage), before);
    assert!(storage.path(&id("20260201_143025")).ends_with("backup_20260201_143025.zip"));
}

fn one_at_a_time_holds_the_place(storage: &(impl Storage + Clone)) {
    let held = storage.lock().expect("no error").expect("it is free");
    let another = storage.clone();
    thread::spawn(move || assert!(another.lock().expect("no error").is_none()))
        .join()
        .expect("it is held, for other threads too");
    // what only reads goes on
    assert!(!names(storage).is_empty());
    storage.prepare().expect("a second program may start");
    drop(held);
    drop(storage.lock().expect("no error").expect("it is free again"));
}

fn one_at_a_time_plays_a_part(storage: &(impl Storage + Clone)) {
    let held = storage.claim("777").expect("no error").expect("it is free");
    let another = storage.clone();
    thread::spawn(move || assert!(another.claim("777").expect("no error").is_none()))
        .join()
        .expect("it is held, for other threads too");
    // it stands in nobody's way: another bot's part, a change of the place
    drop(storage.claim("888").expect("no error").expect("another part"));
    drop(storage.lock().expect("no error").expect("the place is free"));
    drop(held);
    drop(storage.claim("777").expect("no error").expect("it is free again"));
}

fn a_stamp_lasts_as_long_as_its_archive(storage: &impl Storage) {
    let second = id("20260201_143025_2");
    assert!(publish(storage, &second, b"one"));
    let found = storage.list_stamped().expect("a list");
    let without: Vec<_> = found.iter().map(|(id, bytes, _)| (id.clone(), *bytes)).collect();
    assert_eq!(without, storage.list().expect("a list"));
    let stamp = || {
        let found = storage.list_stamped().expect("a list");
        found.into_iter().find_map(|(found, _, stamp)| (found == second).then_some(stamp))
    };
    // a folder gives none so soon
    let first = stamp().expect("it is there");
    assert_eq!(stamp(), Some(first.clone()));
    storage.delete(&second).expect("deleted");
    assert_eq!(stamp(), None);
    assert!(publish(storage, &second, b"two"));
    assert!(first.is_none() || stamp().expect("it is there again") != first);
    storage.delete(&second).expect("deleted");
}

fn nothing_is_no_error(storage: &impl Storage) {
    let nothing = id("20000101_000000");
    assert!(storage.open(&nothing).expect("no error").is_none());
    storage.delete(&nothing).expect("no error");
    assert_eq!(storage.read_state().expect("no error"), None);
}

fn a_draft_is_invisible_until_it_is_published(storage: &impl Storage) {
    let first = id("20260201_143025");
    let mut draft = storage.draft().expect("a draft");
    draft.write_all(b"half of ").expect("written");
    assert!(names(storage).is_empty());
    draft.write_all(b"it").expect("written");
    let mut read_back = Vec::new();
    draft.reopen().expect("reopens").read_to_end(&mut read_back).expect("reads");
    assert_eq!(read_back, b"half of it");
    assert!(names(storage).is_empty());
    assert!(storage.open(&first).expect("no error").is_none());
    assert!(draft.publish(&first).expect("published"));
    assert_eq!(names(storage), [first.to_string()]);
    assert_eq!(storage.list().expect("a list"), [(first.clone(), 10)]);
    assert_eq!(content(storage, &first).as_deref(), Some(&b"half of it"[..]));

    drop(storage.draft().expect("a draft that nobody publishes"));
    let mut dropped = storage.draft().expect("a draft");
    dropped.write_all(b"never").expect("written");
    drop(dropped);
    assert_eq!(names(storage).len(), 1);
}

fn a_name_is_given_once(storage: &impl Storage) {
    let first = id("20260201_143025");
    let mut draft = storage.draft().expect("a draft");
    draft.write_all(b"another").expect("written");
    assert!(!draft.publish(&first).expect("no error: the name is taken"));
    assert_eq!(content(storage, &first).as_deref(), Some(&b"half of it"[..]));
    // the same draft may take the next free name
    let second = id("20260201_143025_2");
    assert!(draft.publish(&second).expect("published"));
    assert_eq!(content(storage, &second).as_deref(), Some(&b"another"[..]));
    storage.delete(&second).expect("deleted");
    assert!(storage.open(&second).expect("no error").is_none());
    assert_eq!(names(storage), [first.to_string()]);
}

fn the_notebook_is_replaced_whole(storage: &impl Storage) {
    storage.write_state(&vec![b'x'; 100_000]).expect("written");
    storage.write_state(b"short").expect("written");
    assert_eq!(storage.read_state().expect("read").as_deref(), Some(&b"short"[..]));
    // it lies beside the archives, and is none
    assert_eq!(names(storage).len(), 1);
}

fn the_index_is_no_archive(storage: &impl Storage) {
    let before = names(storage);
    assert_eq!(storage.read_index().expect("no error"), None);
    storage.write_index(&vec![b'x'; 100_000]).expect("written");
    storage.write_index(b"short").expect("written");
    assert_eq!(storage.read_index().expect("read").as_deref(), Some(&b"short"[..]));
    assert_eq!(names(storage), before);
}

fn one_of_many_wins(storage: &(impl Storage + Clone)) {
    let wanted = id("20260202_000000");
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8_u8)
        .map(|number| {
            let (storage, start, wanted) = (storage.clone(), Arc::clone(&start), wanted.clone());
            thread::spawn(move || {
                let mut draft = storage.draft().expect("a draft");
                draft.write_all(&[number; 5000]).expect("written");
                start.wait();
                draft.publish(&wanted).expect("published or taken").then_some(number)
            })
        })
        .collect();
    let winners: Vec<u8> =
        threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect();
    let [winner] = winners[..] else { panic!("not one winner: {winners:?}") };
    assert_eq!(content(storage, &wanted), Some(vec![winner; 5000]));
    storage.delete(&wanted).expect("deleted");
}

#[test]
fn memory_keeps_the_contract() {
    keeps_its_contract(&MemoryStorage::new());
}

#[test]
fn a_folder_keeps_the_contract() {
    let place = tempfile::tempdir().expect("a folder");
    // deep, and made by the storage itself
    let folder = place.path().join("папка с пробелом").join("backups");
    keeps_its_contract(&FolderStorage::new(&folder));
    let left: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| {
            !name.starts_with(".lock")
                && ![".blocks", "state.json", "backup_20260201_143025.zip"].contains(&name.as_str())
        })
        .collect();
    assert!(left.is_empty(), "no draft is left: {left:?}");
}

/// No more than a storage must have.
#[derive(Clone, Default)]
struct Plain(MemoryStorage);

impl Storage for Plain {
    forward!(0: name path prepare lock list open draft delete read_state write_state);
}

#[test]
fn what_a_storage_need_not_keep_it_does_not_have() {
    let plain = Plain::default();
    publish(&plain, &id("20260201_143025"), b"archive");
    plain.write_index(b"blocks").expect("passed over");
    assert_eq!(plain.read_index().expect("no error"), None);
    assert_eq!(plain.free().expect("no error"), None);
    let stamped = plain.list_stamped().expect("a list");
    assert_eq!(stamped, [(id("20260201_143025"), 7, None)]);
}

#[test]
fn a_notebook_that_is_too_long_for_the_memory_is_an_error() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = FolderStorage::new(home.path());
    folder.prepare().expect("ready");
    let file = std::fs::File::create(home.path().join("state.json")).expect("a file");
    file.set_len((160 << 20) + 1).expect("it takes no room");
    let refused = folder.read_state().expect_err("too long");
    assert_eq!(refused.kind(), std::io::ErrorKind::FileTooLarge);
}

#[test]
fn clones_of_a_memory_share_what_they_hold() {
    let memory = MemoryStorage::new();
    assert!(publish(&memory.clone(), &id("20260201_143025"), b"one"));
    assert_eq!(memory.get(&id("20260201_143025")).as_deref(), Some(&b"one"[..]));
    memory.insert(id("20260201_143025"), *b"other");
    assert_eq!(content(&memory.clone(), &id("20260201_143025")), Some(b"other".to_vec()));
    let debug = format!("{memory:?}");
    assert!(
        debug.contains("2026-02-01") && !debug.contains("other"),
        "its data are the clients': {debug}"
    );
}

#[test]
fn only_exact_names_are_listed_and_foreign_files_stay() {
    let place = tempfile::tempdir().expect("a folder");
    let foreign = [
        "backup_20260201_143025_1.zip",
        "backup_20260201_143025.zip.bak",
        "backup_20260231_143025.zip",
        "Backup_20260201_143025.zip",
        "backup_20260201_143025.ZIP",
        "notes.txt",
        "state.json.old",
        ".hidden",
    ];
    for name in foreign {
        std::fs::write(place.path().join(name), name).expect("written");
    }
    let storage = FolderStorage::new(place.path());
    storage.prepare().expect("ready");
    assert!(publish(&storage, &id("20260201_143025"), b"ours"));
    assert_eq!(names(&storage), ["backup_20260201_143025.zip"]);
    for name in foreign {
        let left = std::fs::read_to_string(place.path().join(name)).expect(name);
        assert_eq!(left, name);
    }
}

#[test]
fn a_folder_that_is_gone_is_an_error_until_it_is_back() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("backups");
    let storage = FolderStorage::new(&folder);
    storage.prepare().expect("ready");
    let mut draft = storage.draft().expect("a draft");
    draft.write_all(b"one").expect("written");
    // a disk that is not mounted looks the same: nothing may be written in its place
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(draft.publish(&id("20260201_143025")).is_err());
    assert!(draft.publish(&id("20260201_143025")).is_err(), "nor a second time");
    drop(draft);
    storage.delete(&id("20260201_143025")).expect("no error");
    assert!(storage.open(&id("20260201_143025")).expect("no error").is_none());
    assert!(storage.list().is_err(), "no list is not an empty list");
    assert!(storage.draft().is_err());
    assert!(storage.write_state(b"{}").is_err());
    assert!(!folder.exists());
    std::fs::create_dir(&folder).expect("made by somebody");
    assert!(publish(&storage, &id("20260201_143025"), b"one"));
    storage.write_state(b"{}").expect("written");
    assert_eq!(names(&storage), ["backup_20260201_143025.zip"]);
}

/// Makes 100,000 files that are none of ours, some with names much like ours; gives the names.
fn fill_with_others(folder: &Path) -> Vec<String> {
    let others = (0..20_000).flat_map(|number| {
        [
            format!("photo_{number}.jpg"),
            format!("backup_{number}.zip"),
            format!("backup_20260201_143025.zip.{number}"),
            format!(".backup_{number}"),
            format!("{number}.tmp"),
        ]
    });
    let names: Vec<String> = others.collect();
    assert_eq!(names.len(), 100_000);
    // links are made sooner than files, and ext4 lets no file have more than 65,000
    for part in names.chunks(20_000) {
        let first = folder.join(&part[0]);
        let file = std::fs::File::create(&first).expect("made");
        // so old that nobody can still be writing it
        file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        for name in &part[1..] {
            std::fs::hard_link(&first, folder.join(name)).expect("made");
        }
    }
    names
}

#[test]
fn a_hundred_thousand_files_of_others_are_no_hindrance() {
    let place = tempfile::tempdir().expect("a folder");
    let storage = FolderStorage::new(place.path());
    let ids = ["20260201_143025", "20260201_143025_2", "20260202_143025"].map(id);
    // some file systems name the first files first, some last
    assert!(publish(&storage, &ids[0], b"one"));
    let mut expected = fill_with_others(place.path());
    storage.prepare().expect("ready");
    for id in &ids[1..] {
        assert!(publish(&storage, id, b"one"));
        assert!(!publish(&storage, id, b"two"), "{id} is taken");
    }
    assert_eq!(names(&storage), ids.each_ref().map(ToString::to_string));
    storage.delete(&ids[1]).expect("deleted");
    storage.prepare().expect("ready again");
    let left = [&ids[0], &ids[2]];
    assert_eq!(names(&storage), left.map(ToString::to_string));
    for id in left {
        assert_eq!(content(&storage, id).as_deref(), Some(&b"one"[..]), "{id}");
    }

    expected.extend(left.map(ToString::to_string));
    expected.sort();
    let found = std::fs::read_dir(place.path()).expect("a folder");
    let found = found.map(|entry| entry.expect("an entry").file_name().into_string());
    let mut found: Vec<_> = found.map(|name| name.expect("text")).collect();
    found.sort();
    assert!(found == expected, "{} files, {} expected", found.len(), expected.len());
}

#[test]
fn a_file_in_the_folders_place_is_an_error() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("backups");
    std::fs::write(&file, "not a folder").expect("written");
    let storage = FolderStorage::new(&file);
    let backup = id("20260201_143025");
    assert!(storage.prepare().is_err());
    assert!(storage.lock().is_err() && storage.list().is_err() && storage.draft().is_err());
    assert!(storage.open(&backup).is_err() && storage.delete(&backup).is_err());
    assert!(storage.read_state().is_err() && storage.write_state(b"{}").is_err());
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "not a folder");
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }

    fn run(program: &str, arguments: &[&str], path: &Path) {
        let status = Command::new(program).args(arguments).arg(path).status();
        assert!(status.expect("the program is installed").success(), "{program}");
    }

    const NOBODY: u32 = 65534;
    /// Where the child finds its folder.
    const FOLDER: &str = "STORAGE_TEST_FOLDER";

    #[test]
    fn what_root_makes_is_the_owners_folder_by_folder() {
        use std::os::unix::fs::{MetadataExt, chown};
        let place = tempfile::tempdir().expect("a folder");
        if chown(place.path(), Some(NOBODY), Some(NOBODY)).is_err() {
            skip::skipped("only root gives folders away");
            return;
        }
        FolderStorage::new(place.path().join("bot/backups")).prepare().expect("ready");
        for folder in ["bot", "bot/backups"] {
            let made = fs::metadata(place.path().join(folder)).expect("made");
            assert_eq!((made.uid(), made.mode() & 0o777), (NOBODY, 0o700), "{folder}");
        }
    }

    #[test]
    #[ignore = "the child of the next ones, which is another user"]
    fn child() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let ready = FolderStorage::new(folder).prepare();
        println!("{}", ready.map_or_else(|error| error.to_string(), |()| "ready".to_owned()));
    }

    /// What another user is told, who works here and has backups there; `None` where only root, whom
    /// we are not, may become another user.
    fn told_as_nobody(here: &Path, folder: &Path) -> Option<String> {
        // the program itself may lie where the other user cannot go
        let bin = tempfile::tempdir().expect("a folder");
        chmod(bin.path(), 0o755);
        let program = bin.path().join("program");
        fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
        // it goes there before it becomes somebody else
        let mut child = Command::new("setpriv");
        child.args(["--reuid=65534", "--clear-groups", "--"]).arg(&program);
        child.args(["--exact", "unix::child", "--ignored", "--nocapture"]);
        let output = child.current_dir(here).env(FOLDER, folder).output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let refused = String::from_utf8_lossy(&output.stderr);
        if refused.contains("Operation not permitted") {
            skip::skipped("only root becomes another user");
            return None;
        }
        assert!(output.status.success(), "{told}{refused}");
        Some(told)
    }

    #[test]
    fn a_folder_of_somebody_elses_that_may_be_written_will_do() {
        let place = tempfile::tempdir().expect("a folder");
        chmod(place.path(), 0o777);
        if let Some(told) = told_as_nobody(Path::new("/"), place.path()) {
            assert!(told.contains("ready"), "{told}");
        }
    }

    #[test]
    fn a_working_folder_that_may_not_be_looked_at_is_an_error() {
        let place = tempfile::tempdir().expect("a folder");
        chmod(place.path(), 0o700);
        if let Some(told) = told_as_nobody(place.path(), Path::new("backups")) {
            assert!(told.contains("Permission denied"), "{told}");
        }
    }

    #[test]
    fn a_folder_that_is_shared_on_purpose_keeps_its_mode() {
        for mode_of_it in [0o1777, 0o2770] {
            let place = tempfile::tempdir().expect("a folder");
            chmod(place.path(), mode_of_it);
            FolderStorage::new(place.path()).prepare().expect("ready");
            let found = fs::metadata(place.path()).expect("there").permissions().mode();
            assert_eq!(found & 0o7777, mode_of_it);
        }
    }

    #[test]
    fn what_only_looks_like_a_backup_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        fs::write(at("secret"), "someone's own file").expect("written");
        symlink(at("secret"), at("backup_20260101_000001.zip")).expect("a link");
        symlink(at("nowhere"), at("backup_20260101_000002.zip")).expect("a dangling link");
        run("mkfifo", &[], &at("backup_20260101_000003.zip"));
        fs::create_dir(at("backup_20260101_000004.zip")).expect("a folder");
        let storage = FolderStorage::new(place.path());
        storage.prepare().expect("ready");
        assert!(names(&storage).is_empty());
        for key in 1..=4 {
            let id = id(&format!("20260101_00000{key}"));
            // opening the pipe would wait for ever: that this test ends is the proof
            assert!(storage.open(&id).expect("no error").is_none(), "{id}");
            // and no new archive takes their place
            assert!(!publish(&storage, &id, b"new"), "{id}");
        }
        assert_eq!(fs::read_to_string(at("secret")).expect("there"), "someone's own file");
        assert!(fs::symlink_metadata(at("nowhere")).is_err());
    }

    #[test]
    fn what_only_looks_like_a_lock_is_neither_taken_nor_given_away() {
        use std::os::unix::fs::{MetadataExt, chown};
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        let storage = FolderStorage::new(place.path());
        fs::write(at("secret"), "someone's own file").expect("written");
        let owner = fs::metadata(at("secret")).expect("there").uid();
        // for root alone this is somebody else's folder
        let _ = chown(place.path(), Some(65534), None);
        for name in [".lock", ".lock_777"] {
            let take = || if name == ".lock" { storage.lock() } else { storage.claim("777") };
            symlink(at("secret"), at(name)).expect("a link");
            assert!(take().is_err());
            assert_eq!(fs::metadata(at("secret")).expect("there").uid(), owner);
            fs::remove_file(at(name)).expect("removed");
            // opening the pipe would wait for ever: that this test ends is the proof
            run("mkfifo", &[], &at(name));
            assert!(take().is_err());
            fs::remove_file(at(name)).expect("removed");
            assert!(take().expect("no error").is_some());
        }
    }

    #[test]
    fn a_part_is_no_path() {
        let place = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::new(place.path().join("backups"));
        storage.prepare().expect("ready");
        for name in ["", "..", "/../../x", "a/b", "a b", "имя", "x\0"] {
            assert!(storage.claim(name).is_err(), "{name:?}");
        }
        assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn deleting_never_touches_what_is_not_an_archive() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        fs::write(at("secret"), "someone's own file").expect("written");
        symlink(at("secret"), at("backup_20260101_000001.zip")).expect("a link");
        run("mkfifo", &[], &at("backup_20260101_000002.zip"));
        fs::create_dir(at("backup_20260101_000003.zip")).expect("a folder");
        let storage = FolderStorage::new(place.path());
        for key in 1..=3 {
            let id = id(&format!("20260101_00000{key}"));
            // whether it is an error is open; that it stays is promised
            let _ = storage.delete(&id);
            assert!(fs::symlink_metadata(at(&id.to_string())).is_ok(), "{id} was deleted");
        }
        assert_eq!(fs::read_to_string(at("secret")).expect("there"), "someone's own file");
    }

    #[test]
    fn all_of_it_is_for_the_owner_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("a").join("backups");
        let storage = FolderStorage::new(&folder);
        storage.prepare().expect("ready");
        assert!(publish(&storage, &id("20260201_143025"), b"one"));
        storage.write_state(b"{}").expect("written");
        storage.write_index(b"blocks").expect("written");
        let _locks = (storage.lock().expect("free"), storage.claim("777").expect("free"));
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("backup_20260201_143025.zip")), 0o600);
        assert_eq!(mode(&folder.join("state.json")), 0o600);
        let _draft = storage.draft().expect("a draft");
        let entries: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
        // the archive, the notebook, the blocks, two locks and the draft
        assert_eq!(entries.len(), 6, "{entries:?}");
        for entry in entries {
            let path = entry.expect("an entry").path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn names_that_are_no_text_are_left_alone() {
        use std::os::unix::ffi::OsStrExt;

        let place = tempfile::tempdir().expect("a folder");
        let name = std::ffi::OsStr::from_bytes(b"backup_20260201_1430\xff5.zip");
        let tail = std::ffi::OsStr::from_bytes(b"backup_20260201_143025.zip\xff");
        let draft = std::ffi::OsStr::from_bytes(b".backup_\xff.tmp");
        for name in [name, tail, draft] {
            fs::write(place.path().join(name), "somebody's").expect("written");
        }
        let storage = FolderStorage::new(place.path());
        storage.prepare().expect("ready");
        assert_eq!(names(&storage), [""; 0]);
        for name in [name, tail, draft] {
            assert!(place.path().join(name).is_file(), "{}", name.display());
        }
    }

    #[test]
    fn a_folder_of_its_own_is_closed_to_others() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("backups");
        fs::create_dir(&folder).expect("made by somebody");
        // as git keeps an empty folder, and as an earlier run left it
        for name in [".gitkeep", "state.json", "backup_20260201_143025.zip"] {
            fs::write(folder.join(name), "").expect("written");
        }
        chmod(&folder, 0o755);
        FolderStorage::new(&folder).prepare().expect("ready");
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn a_folder_with_other_things_keeps_its_mode() {
        let place = tempfile::tempdir().expect("a folder");
        fs::write(place.path().join("photo.jpg"), "").expect("written");
        chmod(place.path(), 0o755);
        FolderStorage::new(place.path()).prepare().expect("ready");
        assert_eq!(mode(place.path()), 0o755);
    }

    #[test]
    fn only_abandoned_drafts_are_cleared_away() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        let storage = FolderStorage::new(place.path());
        // a real draft's name, which a crash leaves behind
        let draft = storage.draft().expect("a draft");
        let entry = fs::read_dir(place.path()).expect("a folder").next().expect("the draft");
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        let (stem, end) = name.rsplit_once('.').expect("an ending");
        let old = format!("{stem}old.{end}");
        for file in [&old, "backup_20250101_000000.zip", ".other.tmp", ".backup_notes", "notes"] {
            fs::write(at(file), "x").expect("written");
            run("touch", &["-d", "2 days ago"], &at(file));
        }
        fs::create_dir(at(".backup_folder.tmp")).expect("a folder");
        run("touch", &["-d", "2 days ago"], &at(".backup_folder.tmp"));
        storage.prepare().expect("ready");
        assert!(!at(&old).exists(), "an old draft is cleared away");
        let kept = [
            &name,
            "backup_20250101_000000.zip",
            ".other.tmp",
            ".backup_notes",
            "notes",
            ".backup_folder.tmp",
        ];
        for file in kept {
            assert!(at(file).exists(), "{file} is left alone");
        }
        drop(draft);
        assert!(!at(&name).exists(), "a dropped draft leaves nothing");
    }

    #[test]
    fn the_kernel_knows_whose_draft_it_is() {
        let place = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::new(place.path());
        let draft = storage.draft().expect("a draft");
        let entry = fs::read_dir(place.path()).expect("a folder").next().expect("the draft");
        let held = entry.expect("an entry").path();
        // a slow backup, and one of a minute ago that a crash cut off
        run("touch", &["-d", "2 days ago"], &held);
        let orphan = place.path().join(".backup_crashed.tmp");
        fs::write(&orphan, "x").expect("written");
        run("touch", &["-d", "1 minute ago"], &orphan);
        FolderStorage::new(place.path()).prepare().expect("ready");
        assert!(held.exists(), "somebody still writes it");
        assert!(!orphan.exists(), "nobody does");
        // its writer may be about to hold it
        fs::write(&orphan, "x").expect("written");
        for (age, stays) in [("3 seconds ago", true), ("20 seconds ago", false)] {
            run("touch", &["-d", age], &orphan);
            FolderStorage::new(place.path()).prepare().expect("ready");
            assert_eq!(orphan.exists(), stays, "{age}");
        }
        drop(draft);
        // a bot that crashes over and over leaves no more than its last one
        fs::write(&orphan, "x").expect("written");
        run("touch", &["-d", "1 minute ago"], &orphan);
        drop(storage.draft().expect("the next backup"));
        assert!(!orphan.exists(), "the next backup clears it away");
    }
}
