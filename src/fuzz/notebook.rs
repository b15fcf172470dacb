//! `state.json`, whatever became of it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::backup::BackupId;
use crate::retention::{Candidate, Standing, Verdict, plan};
use crate::service::notebook::Notebook;
use crate::storage::{MemoryStorage, Storage};

/// Reads a notebook, uses it as a backup does, and writes it.
///
/// # Panics
/// If a way back that can be read is lost, another archive becomes a way back, a newer program's
/// notebook is touched, or writing changes what was read.
pub fn notebook(json: &[u8]) {
    let Some(notebook) = read(json) else { return };
    ways_back(&notebook);
    let Some(written) = write(&notebook, json) else { return };
    let again = read(&written);
    assert!(again.as_ref().is_some_and(|again| same(again, &notebook)), "it is not read again");
    let twice = again.and_then(|again| write(&again, json));
    assert_eq!(twice.as_ref(), Some(&written), "it is written in another way");
    proofs(notebook);
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        readable(&value);
    }
}

fn read(json: &[u8]) -> Option<Notebook> {
    let storage = MemoryStorage::new();
    let kept = storage.write_state(json);
    assert!(kept.is_ok(), "the memory is full");
    let notebook = Notebook::read(&storage, Some(7));
    assert!(notebook.is_ok(), "a damaged notebook is an error");
    notebook.ok()
}

/// The bytes that it is written as; a newer program's is refused, and left as it is.
fn write(notebook: &Notebook, json: &[u8]) -> Option<Vec<u8>> {
    let storage = MemoryStorage::new();
    let kept = storage.write_state(json);
    let written = notebook.write(&storage);
    assert_eq!(written.is_ok(), notebook.check_version().is_ok());
    let state = storage.read_state().ok().flatten();
    assert!(kept.is_ok() && (written.is_ok() || state.as_deref() == Some(json)), "it is touched");
    state.filter(|_| written.is_ok())
}

fn same(a: &Notebook, b: &Notebook) -> bool {
    (&a.undo, &a.restoring, &a.failing, &a.unchanged)
        == (&b.undo, &b.restoring, &b.failing, &b.unchanged)
}

/// Every way back has a backup's name, and is kept however few backups are to stay.
fn ways_back(notebook: &Notebook) {
    let ways = notebook.undo_to();
    assert!(ways.len() <= 2);
    for way in &ways {
        let name = way.to_string();
        assert!(notebook.undos().any(|undo| undo.safety == name), "{name} was not noted");
    }
    let later = DateTime::<Utc>::UNIX_EPOCH + chrono::Days::new(900);
    let candidate = |(age, id): (i32, BackupId)| Candidate {
        id,
        created_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(age.into()),
        trigger: None,
        standing: Standing::Verified,
    };
    let others = (1..4).map(|copy| BackupId::new(NaiveDateTime::default(), copy));
    let mut all = ways.clone();
    all.extend(others);
    let candidates: Vec<Candidate> = (0..).zip(all).map(candidate).collect();
    let newest = candidates.last().map(|candidate| candidate.id.clone());
    for (id, verdict) in plan(&candidates, 1, later, &ways) {
        let needed = ways.contains(&id) || Some(&id) == newest.as_ref();
        assert!(!needed || verdict != Verdict::Delete, "{id} is needed");
    }
}

/// What is proved stays so over a writing, for this length alone, until the archive is gone.
fn proofs(mut notebook: Notebook) {
    let [one, other] = [1, 2].map(|copy| BackupId::new(NaiveDateTime::default(), copy));
    notebook.prove(&one, 7, "00", DateTime::UNIX_EPOCH);
    notebook.prove(&other, 8, "00", DateTime::UNIX_EPOCH);
    notebook.retain(|name| name == one.to_string());
    let before = (notebook.undo.clone(), notebook.restoring.clone());
    let again = write(&notebook, b"").as_deref().and_then(read);
    assert!(again.is_some_and(|again| {
        again.is_proved(&one, 7)
            && !again.is_proved(&one, 8)
            && !again.is_proved(&other, 8)
            && (again.undo, again.restoring) == before
    }));
}

/// A notebook that notes nothing but a way back, each word of it in its place, notes that.
fn readable(value: &Value) {
    let undo = &value["undo"];
    let text = |key: &str| undo[key].as_str().map(ToOwned::to_owned);
    let at = text("at").and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let (Some(token), Some(safety), Some(_), Some(at)) =
        (text("token"), text("safety"), text("safety_sha256"), at)
    else {
        return;
    };
    // it came as one spelling of many; this one has no key twice
    let json = serde_json::json!({ "version": 1, "undo": {
        "token": token, "safety": safety, "safety_sha256": undo["safety_sha256"], "at": undo["at"],
    } });
    let notebook = read(json.to_string().as_bytes());
    let undo = notebook.and_then(|notebook| notebook.undo);
    assert!(undo.is_some_and(|undo| (undo.token, undo.safety, undo.at) == (token, safety, at)));
}
