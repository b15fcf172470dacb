//! What must hold after each run, however it ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::host::Kind;
use crate::run::{Place, Ran};

/// Reads archives with another program than ours.
pub(crate) struct Python {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const READ: &str = r"
import sys, json, hashlib, zipfile
for line in sys.stdin:
    try:
        with zipfile.ZipFile(line.rstrip('\n')) as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == ['data.json', 'metadata.json'], archive.namelist()
            meta, data = json.loads(archive.read('metadata.json')), archive.read('data.json')
            assert meta['data_sha256'] == hashlib.sha256(data).hexdigest(), 'another hash'
            for name, records in json.loads(data).items():
                assert meta['records_count'][name] == len(records), 'another count'
        print('good', flush=True)
    except Exception as error:
        print(repr(error), flush=True)
";

impl Python {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("python3")
            .args(["-u", "-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let ask = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, ask, answers }
    }

    fn read(&mut self, archive: &Path) -> Result<(), String> {
        writeln!(self.ask, "{}", archive.display()).expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        if answer.trim() == "good" {
            Ok(())
        } else {
            Err(format!("{}: {answer}", archive.display()))
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("text");
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

fn archives(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.starts_with("backup_")).collect()
}

/// Whatever is neither an archive, a notebook nor a lock.
fn drafts(folder: &Path) -> Vec<String> {
    let ours = |name: &String| {
        let known = ["state.json", ".blocks"].contains(&name.as_str());
        known || name.starts_with("backup_") || name.starts_with(".lock")
    };
    names(folder).into_iter().filter(|name| !ours(name)).collect()
}

/// All promises, one after the other; the first that is broken is the error.
pub(crate) fn judge(place: &Place, ran: &Ran, python: &mut Python) -> Result<(), String> {
    if !ran.killed && !ran.ended_well {
        return Err(format!("it broke: {}{}", ran.output, ran.errors));
    }
    archives_are_whole(place, python)?;
    nothing_said_done_is_missing(place, ran)?;
    let journal = state_is_readable(place)?;
    grow_old(place);
    let next = place.run("check");
    if journal && !next.errors.contains("cut off half-way") {
        return Err(format!("the next start tells nothing: {}{}", next.output, next.errors));
    }
    if next.said("verified").next() != Some("true") {
        return Err(format!("the next start finds: {}{}", next.output, next.errors));
    }
    if place.kind.is_large() {
        goes_on(place, &next, python)?;
    }
    if let Some(left) = drafts(&place.folder()).first() {
        return Err(format!("{left} outlives the next start"));
    }
    live_is_old_or_new(place, ran, &next)
}

/// Whatever has become of the blocks that are remembered, the next start has made a backup.
pub(crate) fn goes_on(place: &Place, next: &Ran, python: &mut Python) -> Result<(), String> {
    if next.said("backed").next() != Some("up true") {
        return Err(format!("no backup can follow: {}{}", next.output, next.errors));
    }
    archives_are_whole(place, python)
}

fn archives_are_whole(place: &Place, python: &mut Python) -> Result<(), String> {
    let found = archives(&place.folder());
    // there were two, and old ones go only after new ones
    if found.len() < 2 {
        return Err(format!("only {found:?} are left"));
    }
    found.iter().try_for_each(|name| python.read(&place.folder().join(name)))
}

fn nothing_said_done_is_missing(place: &Place, ran: &Ran) -> Result<(), String> {
    let found = archives(&place.folder());
    for line in ran.said("done") {
        // a list that failed for a moment could not tell the name
        let Some(name) = line.split(' ').nth(1).filter(|name| !name.is_empty()) else { continue };
        if !found.iter().any(|found| found == name) {
            return Err(format!("what was said done is missing: {line}"));
        }
    }
    Ok(())
}

/// Gives whether a restore has begun of which no end is noted.
fn state_is_readable(place: &Place) -> Result<bool, String> {
    let Ok(state) = fs::read(place.folder().join("state.json")) else { return Ok(false) };
    let state: serde_json::Value =
        serde_json::from_slice(&state).map_err(|error| format!("state.json: {error}"))?;
    if state["version"] != 2 {
        return Err("state.json is not ours".to_owned());
    }
    let bots = state["bots"].as_object().into_iter().flat_map(serde_json::Map::values);
    Ok(bots.chain([&state]).any(|notes| notes["restoring"].is_object()))
}

/// A draft of the last seconds may be another program's: makes those of the dead program older.
fn grow_old(place: &Place) {
    for name in drafts(&place.folder()) {
        let draft = File::open(place.folder().join(name)).expect("a draft");
        let before = SystemTime::now() - Duration::from_secs(60);
        draft.set_modified(before).expect("set");
    }
}

fn live_is_old_or_new(place: &Place, ran: &Ran, next: &Ran) -> Result<(), String> {
    let live = next.said("live").next().unwrap_or("unknown");
    let (before, possible) = possible(ran);
    // a restore that an error cut off is told of at once, one that died at the next start
    let told = next.way_back("cut off half-way").or(ran.way_back("cut the restore off"));
    if let Some(safety) = told {
        let back = place.run(&format!("restore {safety}"));
        if back.said("live").next() != Some(before) {
            return Err(format!("the way back fails: {}{}", back.output, back.errors));
        }
    }
    // whoever is told that it was cut off knows that it may be either; a mixture is lawful only where there
    // is no transaction, or what was restored is wrong
    let may_mix = [Kind::Loose, Kind::Forgetful].contains(&place.kind);
    let told_of = told.is_some() && (may_mix || ["A", "B"].contains(&live));
    if possible.contains(&live) || told_of {
        return Ok(());
    }
    Err(format!("live is {live}, and could be {possible:?}: {}{}", ran.output, next.errors))
}

/// What was live before the restore that was the last to begin, and what may be live now.
fn possible(ran: &Ran) -> (&'static str, &'static [&'static str]) {
    let said = |word, step: &str| ran.said(word).any(|line| line.starts_with(step));
    if said("done", "undo") {
        ("B", &["A"])
    } else if said("failed", "undo") {
        ("B", &["B"])
    } else if said("done", "restore") {
        ("B", if ran.killed { &["A", "B"] } else { &["B"] })
    } else if said("failed", "restore") {
        ("A", &["A"])
    } else {
        let backups = ran.done().len() + ran.failed().len();
        ("A", if ran.killed && backups == 2 { &["A", "B"] } else { &["A"] })
    }
}
