//! Whose notes are whose.

use serde_json::json;

use super::*;
use crate::storage::MemoryStorage;

const ANNA: Option<u64> = Some(777);
const BORIS: Option<u64> = Some(888);

fn with(state: &Value) -> MemoryStorage {
    let storage = MemoryStorage::new();
    storage.write_state(state.to_string().as_bytes()).expect("written");
    storage
}

fn read(storage: &MemoryStorage, bot: Option<u64>) -> Notebook {
    Notebook::read(storage, bot).expect("a notebook")
}

fn state(storage: &MemoryStorage) -> Value {
    let json = storage.read_state().expect("read").expect("a notebook");
    serde_json::from_slice(&json).expect("JSON")
}

fn undo(token: &str, at: &str) -> Value {
    json!({
        "token": token, "safety": "backup_20260101_000000.zip", "safety_sha256": "0", "at": at,
    })
}

/// What a version before this one wrote: it knew no bots.
fn old() -> Value {
    let back = undo("old", "2026-01-01T00:00:00Z");
    json!({
        "version": 1,
        "proofs": { "backup_20260101_000000.zip": { "size_bytes": 7, "data_sha256": "0" } },
        "undo": back,
        "restoring": { "restored": "backup_20251231_000000.zip", "undo": back },
        "failing": { "since": "2026-01-01T00:00:00Z", "told": true },
    })
}

fn is_empty(notebook: &Notebook) -> bool {
    let Notebook { proofs, undo, restoring, failing, .. } = notebook;
    proofs.is_empty() && undo.is_none() && restoring.is_none() && failing.is_none()
}

#[test]
fn each_bot_reads_what_it_has_noted_and_nothing_else() {
    let storage = MemoryStorage::new();
    let failing = |told| Some(Failing { since: DateTime::UNIX_EPOCH, told, told_at: None });
    for (bot, told) in [(ANNA, true), (BORIS, false)] {
        let mut notebook = read(&storage, bot);
        assert!(is_empty(&notebook), "{notebook:?}");
        notebook.failing = failing(told);
        notebook.write(&storage).expect("written");
    }
    assert_eq!(read(&storage, ANNA).failing, failing(true));
    assert_eq!(read(&storage, BORIS).failing, failing(false));
    assert_eq!(read(&storage, BORIS).others().collect::<Vec<_>>(), [ANNA]);
}

#[test]
fn another_bots_notes_stay_as_they_are_whatever_they_are() {
    let foreign = json!({ "undo": 5, "what this version does not know": [{ "b": 1, "a": null }] });
    let storage = with(&json!({ "version": 2, "bots": { "888": foreign, "777": {} } }));
    let mut notebook = read(&storage, ANNA);
    notebook.prove(
        &BackupId::parse("backup_20260101_000000.zip").expect("a name"),
        7,
        "0",
        DateTime::UNIX_EPOCH,
    );
    notebook.write(&storage).expect("written");
    assert_eq!(state(&storage)["bots"]["888"], foreign);
    // what it cannot read of its own is lost, and nothing else is
    assert!(is_empty(&read(&storage, BORIS)));
    read(&storage, BORIS).write(&storage).expect("written");
    assert_eq!(read(&storage, ANNA).proofs.len(), 1);
}

#[test]
fn an_old_notebook_is_the_first_bots_and_is_read_whole() {
    let storage = with(&old());
    let notebook = read(&storage, ANNA);
    notebook.write(&storage).expect("written");
    let mut expected = old();
    expected.as_object_mut().expect("an object").remove("version");
    assert_eq!(state(&storage), json!({ "version": 2, "bots": { "777": expected } }));
    // the second one finds nothing that is its own
    assert!(is_empty(&read(&storage, BORIS)));
}

#[test]
fn a_program_without_a_token_speaks_for_the_only_bot() {
    let storage = with(&old());
    read(&storage, None).write(&storage).expect("written");
    assert_eq!(state(&storage)["undo"]["token"], "old", "no bot has come yet");
    read(&storage, ANNA).write(&storage).expect("written");
    let mut notebook = read(&storage, None);
    notebook.restoring = None;
    notebook.write(&storage).expect("written");
    assert!(read(&storage, ANNA).restoring.is_none());
    assert_eq!(state(&storage).as_object().expect("an object").len(), 2, "version and bots");
}

#[test]
fn among_several_bots_what_names_none_is_nobodys() {
    let mut state_before = old();
    state_before["version"] = 2.into();
    state_before["bots"] = json!({ "777": {}, "888": {} });
    let storage = with(&state_before);
    for bot in [ANNA, BORIS] {
        let notebook = read(&storage, bot);
        assert!(is_empty(&notebook));
        notebook.write(&storage).expect("written");
    }
    let unnamed = read(&storage, None);
    assert!(unnamed.restoring.is_some());
    unnamed.write(&storage).expect("written");
    for key in ["proofs", "undo", "restoring", "failing"] {
        assert_eq!(state(&storage)[key], state_before[key], "{key}");
    }
}

#[test]
fn of_two_ways_back_the_later_one_counts() {
    for (own, unnamed, expected) in [("3", "2", "own"), ("2", "3", "unnamed")] {
        let at = |day| format!("2026-01-0{day}T00:00:00Z");
        let notes = json!({ "777": { "undo": undo("own", &at(own)) } });
        let back = undo("unnamed", &at(unnamed));
        let storage = with(&json!({ "version": 2, "bots": notes, "undo": back }));
        assert_eq!(read(&storage, ANNA).undo.expect("a way back").token, expected);
    }
}

#[test]
fn the_names_of_the_last_thousand_archives_that_are_gone_are_remembered() {
    let name = |n: usize| {
        let key = format!("20260101_{:02}{:02}{:02}", n / 3600, n / 60 % 60, n % 60);
        BackupId::from_key(&key).expect("a name")
    };
    let mut notebook = Notebook::default();
    for n in 0..MOST_GONE + 10 {
        notebook.prove(&name(n), 7, "0", DateTime::UNIX_EPOCH);
        assert!(notebook.knows(&name(n)));
        notebook.retain(|_| false);
    }
    let storage = MemoryStorage::new();
    notebook.write(&storage).expect("written");
    let notebook = read(&storage, None);
    assert!(!notebook.knows(&name(9)));
    assert!((10..MOST_GONE + 10).all(|n| notebook.knows(&name(n))));
    assert!(!notebook.knows(&name(MOST_GONE + 10)));
}

#[test]
fn no_change_stands_for_a_backup_while_that_is_there_and_proved() {
    let [id, other] = ["20260101_000000", "20260101_000001"].map(BackupId::from_key);
    let (id, other) = (id.expect("a name"), other.expect("a name"));
    let at = DateTime::UNIX_EPOCH;
    let mut notebook = Notebook::default();
    notebook.prove(&id, 7, "0", DateTime::UNIX_EPOCH);
    notebook.prove(&other, 7, "0", DateTime::UNIX_EPOCH);
    assert_eq!(notebook.unchanged_among([(&id, 7)].into_iter()), None, "nothing is noted");
    notebook.unchanged = Some(Unchanged { backup: id.to_string(), at });
    let storage = MemoryStorage::new();
    notebook.write(&storage).expect("written");
    let mut notebook = read(&storage, ANNA);
    let among = |notebook: &Notebook, found: &[(&BackupId, u64)]| {
        notebook.unchanged_among(found.iter().copied()).is_some()
    };
    assert!(among(&notebook, &[(&other, 7), (&id, 7)]));
    assert!(!among(&notebook, &[(&other, 7)]), "it is gone");
    assert!(!among(&notebook, &[(&id, 8)]), "it is another");
    assert!(notebook.doubt(&id) && !notebook.doubt(&id));
    assert!(!among(&notebook, &[(&id, 7)]), "nobody knows whether it is good");
    notebook.prove(&id, 7, "0", DateTime::UNIX_EPOCH);
    assert!(among(&notebook, &[(&id, 7)]));
    notebook.retain(|name| name != id.to_string());
    assert_eq!(notebook.unchanged, None);
}

#[test]
fn damaged_notes_that_name_no_bot_are_told_of_by_who_would_take_them() {
    let broken = json!({ "version": 1, "undo": undo("old", "yesterday") });
    let beside_another = json!({ "version": 2, "bots": { "888": {} }, "undo": 7 });
    let ailment = |state: &Value, bot| read(&with(state), bot).ailment();
    for bot in [ANNA, None] {
        assert_eq!(ailment(&broken, bot), Some(Ailment::Damaged));
        assert_eq!(ailment(&old(), bot), None);
    }
    assert_eq!(ailment(&beside_another, ANNA), None, "they are not hers");
    assert_eq!(ailment(&beside_another, BORIS), Some(Ailment::Damaged));
    assert_eq!(ailment(&beside_another, None), Some(Ailment::Damaged));
    let his = json!({ "version": 2, "bots": { "888": 7 } });
    let found = [ANNA, BORIS, None].map(|bot| ailment(&his, bot));
    assert_eq!(found, [None, Some(Ailment::Damaged), Some(Ailment::Damaged)]);
}
