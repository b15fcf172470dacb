//! `state.json`, whatever became of it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::notes::{self, NOTES, Notes, Seen, WAY, is_newer, record, time};
use crate::backup::BackupId;
use crate::retention::{Candidate, Standing, Verdict, plan};
use crate::service::notebook::{Notebook, Received};
use crate::storage::{MemoryStorage, Storage};

/// Two bots, and a program that does not know which bot it is.
const PROGRAMS: [Option<u64>; 3] = [Some(7), Some(8), None];

/// Reads a notebook, uses it as a backup does, and writes it.
///
/// # Panics
/// If a way back that can be read is lost, another archive becomes a way back, anything is read or
/// written as what it is not, or another bot's or a newer program's notes are touched.
pub fn notebook(json: &[u8]) {
    let notebook = read(json, Some(7));
    ways_back(&notebook);
    if let Some(written) = write(&notebook, json) {
        let again = read(&written, Some(7));
        assert_eq!(notes(&again), notes(&notebook), "it is not read again");
        assert_eq!(write(&again, json), Some(written), "it is written in another way");
    }
    let Ok(file) = serde_json::from_slice::<Value>(json) else { return };
    // it came as one spelling of many; this one has no key twice
    let plain = file.to_string();
    for bot in PROGRAMS {
        seen(plain.as_bytes(), &file, bot);
    }
    used(plain.as_bytes(), Seen::by(Some(7), &file).notes, json.len());
}

fn read(json: &[u8], bot: Option<u64>) -> Notebook {
    let storage = MemoryStorage::new();
    let kept = storage.write_state(json);
    assert!(kept.is_ok(), "the memory is full");
    let notebook = Notebook::read(&storage, bot);
    assert!(notebook.is_ok(), "a damaged notebook is an error");
    notebook.unwrap_or_default()
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

/// All that it holds.
fn notes(notebook: &Notebook) -> Notes {
    let notes = serde_json::to_value(notebook).ok().and_then(|notes| record(&notes, NOTES));
    assert!(notes.is_some(), "it is written in another shape");
    notes.unwrap_or_default()
}

/// What a program reads is what stands there; it stands there again when it has written, and so does
/// all that is not its own.
fn seen(json: &[u8], file: &Value, bot: Option<u64>) {
    let notebook = read(json, bot);
    let expected = Seen::by(bot, file);
    held(&notebook, &expected.notes);
    let others: Vec<Option<u64>> = expected.others.keys().map(|bot| bot.parse().ok()).collect();
    assert_eq!(notebook.others().collect::<Vec<_>>(), others);
    let written = write(&notebook, json);
    assert_eq!(written.is_none(), is_newer(file), "a newer program's notebook");
    let Some(written) = written else { return };
    let written = serde_json::from_slice::<Value>(&written).unwrap_or_default();
    assert_eq!(written["version"], 2);
    assert_eq!(Seen::by(bot, &written), expected);
}

/// Every way back has a backup's name, and is kept however few backups are to stay.
fn ways_back(notebook: &Notebook) {
    let ways = notebook.undo_to();
    // from the last restore, to what one has left that was taken back, and from one that runs
    assert!(ways.len() <= 3 + notebook.cut_off.len());
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

/// It holds these notes, and each of their ways back.
fn held(notebook: &Notebook, expected: &Notes) {
    assert_eq!(notes(notebook), *expected);
    let all = Value::Object(expected.clone());
    let places = ["/undo", "/left", "/restoring/undo"];
    let cut_off = all["cut_off"].as_array().into_iter().flatten();
    let cut_off = cut_off.filter_map(|journal| journal.get("undo"));
    let ways = places.iter().filter_map(|place| all.pointer(place));
    let ways: Vec<&Value> = ways.chain(cut_off).collect();
    let found = notebook.undos().map(|undo| serde_json::to_value(undo).unwrap_or_default());
    let found: Vec<Value> = found.filter_map(|undo| Some(record(&undo, WAY)?.into())).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), ways, "a way back is lost");
    let names = ways.iter().filter_map(|undo| BackupId::parse(undo["safety"].as_str()?));
    assert_eq!(notebook.undo_to(), names.collect::<Vec<_>>());
}

/// Notes something of an archive, and the same in the simple way.
type Step = fn(&mut Notebook, &mut Notes, &BackupId);

/// Whatever is noted, and in whatever order, it is that and nothing else: every way back stays.
fn used(json: &[u8], mut expected: Notes, mut order: usize) {
    let mut notebook = read(json, Some(7));
    // a needed archive, where there is one
    let needed = notebook.undo_to().into_iter().next();
    let id = needed.unwrap_or_else(|| BackupId::new(NaiveDateTime::default(), 1));
    let mut steps: [Step; 5] = [prove, doubt, receive, retain, pass_on];
    for place in 0..steps.len() {
        let left = steps.len() - place;
        steps[place..].rotate_left(order % left);
        order /= left;
        steps[place](&mut notebook, &mut expected, &id);
        expected.retain(|_, notes| !notes::is_nothing(notes));
        held(&notebook, &expected);
        told(&notebook, &expected, &id);
    }
}

fn prove(notebook: &mut Notebook, expected: &mut Notes, id: &BackupId) {
    notebook.prove(id, 7, "00", DateTime::UNIX_EPOCH);
    let proof = json!({ "size_bytes": 7, "data_sha256": "00", "at": "1970-01-01T00:00:00Z" });
    under(expected, "proofs").insert(id.to_string(), proof);
}

fn doubt(notebook: &mut Notebook, expected: &mut Notes, id: &BackupId) {
    let proof = under(expected, "proofs").get_mut(&id.to_string());
    let proof = proof.filter(|proof| proof["doubted"] != true);
    assert_eq!(notebook.doubt(id), proof.is_some());
    if let Some(proof) = proof {
        proof["doubted"] = true.into();
    }
}

fn receive(notebook: &mut Notebook, expected: &mut Notes, id: &BackupId) {
    notebook.receive(id, Received { at: DateTime::UNIX_EPOCH, new: true });
    let received = under(expected, "received");
    let before = received.get(&id.to_string()).is_none_or(|before| before["new"] == true);
    received.insert(id.to_string(), json!({ "at": "1970-01-01T00:00:00Z", "new": before }));
}

fn retain(notebook: &mut Notebook, expected: &mut Notes, id: &BackupId) {
    let kept = id.to_string();
    notebook.retain(|name| name == kept);
    under(expected, "received").retain(|name, _| *name == kept);
    expected.retain(|name, notes| name != "unchanged" || notes["backup"] == kept);
    let proofs = under(expected, "proofs");
    let mut lost: Vec<String> = proofs.keys().filter(|name| **name != kept).cloned().collect();
    proofs.retain(|name, _| *name == kept);
    lost.sort_unstable();
    let gone = expected.entry("gone").or_insert_with(|| json!([]));
    if let Some(gone) = gone.as_array_mut() {
        gone.extend(lost.into_iter().map(Value::from));
        gone.drain(..gone.len().saturating_sub(1000));
    }
}

/// It is written, and read again after the other programs have done the same.
fn pass_on(notebook: &mut Notebook, _: &mut Notes, _: &BackupId) {
    let Some(mut json) = write(notebook, b"") else { return };
    for bot in [Some(8), None] {
        json = write(&read(&json, bot), &json).unwrap_or_default();
    }
    *notebook = read(&json, Some(7));
}

fn under<'n>(notes: &'n mut Notes, name: &str) -> &'n mut Notes {
    let found = notes.entry(name).or_insert_with(|| json!({}));
    found.as_object_mut().expect("notes under names")
}

/// What it tells of an archive is what it holds.
fn told(notebook: &Notebook, expected: &Notes, id: &BackupId) {
    let (all, name) = (Value::Object(expected.clone()), id.to_string());
    let (proof, received) = (&all["proofs"][&name], &all["received"][&name]);
    let good = proof.is_object() && proof["doubted"] != true;
    let proved = good && proof["size_bytes"] == 7;
    assert_eq!(notebook.is_proved(id, 7), proved);
    assert_eq!(notebook.has_proof(id), good);
    let hash = proof["data_sha256"].as_str().filter(|_| proof["size_bytes"] == 7);
    assert_eq!(notebook.hash(id, 7), hash);
    let now = DateTime::<Utc>::UNIX_EPOCH + chrono::Days::new(1);
    let lately = time(&proof["at"]).is_some_and(|at| at <= now && at > now - chrono::Days::new(30));
    assert_eq!(notebook.is_proved_lately(id, 7, now), proved && lately);
    let gone = all["gone"].as_array().is_some_and(|gone| gone.iter().any(|it| *it == name));
    assert_eq!(notebook.knows(id), proof.is_object() || gone);
    assert_eq!(notebook.is_received(id), received["new"] == true);
    let since = DateTime::<Utc>::UNIX_EPOCH;
    let late = time(&received["at"]).is_some_and(|at| at > since);
    assert_eq!(notebook.received_since(since).contains(id), late);
    let unchanged = &all["unchanged"];
    let stands = proved && unchanged["backup"] == name;
    let until = time(&unchanged["at"]).filter(|_| stands);
    let found = notebook.unchanged_among([(id, 7)].into_iter());
    assert_eq!(found, until.map(|until| (id.clone(), until)));
}
