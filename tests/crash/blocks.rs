//! What is remembered of blocks, and their reading, may fail or be lost at any time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::host::Kind;
use crate::run::{Fault, Point};
use crate::series::Bench;
use crate::verdict::{Python, goes_on, judge};
use crate::{any_that_fails, can_trace, every};

/// What deals with the blocks of an earlier archive: what is remembered of them, and their reading
/// while a new archive is written.
fn takes_over() -> impl FnMut(&Point) -> bool {
    let mut writing = false;
    move |point| {
        let has = |text| point.arguments.contains(text);
        writing = (writing || has("/.blocks")) && point.call != "fsync";
        notes_blocks(point) || has("/.blocks") || writing && has("/backups/backup_")
    }
}

fn notes_blocks(point: &Point) -> bool {
    let renamed = point.call == "renameat" && point.arguments.contains("/.blocks");
    renamed || point.arguments.contains("bkpblk") && point.call == "write"
}

/// One of each call for each kind of file.
fn first_of_each(points: Vec<Point>) -> Vec<Point> {
    let mut known = BTreeSet::new();
    let file = |point: &Point| {
        let files = ["/.blocks", "/backups/backup_", "/.backup_"];
        files.map(|file| point.arguments.contains(file))
    };
    points.into_iter().filter(|point| known.insert((point.call.clone(), file(point)))).collect()
}

/// All is done without them, and no archive is another for what has become of them.
fn strike_blocks(kind: Kind, errors: &[&'static str], choose: impl Fn(Vec<Point>) -> Vec<Point>) {
    if !can_trace() {
        return;
    }
    let (bench, mut python) = (Bench::new(kind, None), Python::start());
    let points: Vec<_> = bench.points().into_iter().filter(takes_over()).collect();
    let reads = points.iter().filter(|point| point.call == "read").count();
    assert!(reads > 30, "only {reads} reads of {}: nothing was taken over", points.len());
    let errors = errors.iter().map(|error| Fault::Error(error));
    for fault in errors.chain([Fault::Kill]) {
        let wanted = if fault == Fault::Kill { notes_blocks } else { any_that_fails };
        let all: Vec<_> = points.iter().filter(|point| wanted(point)).cloned().collect();
        let number = all.len();
        let chosen = choose(all);
        println!("{fault:?}: {} of {number} points", chosen.len());
        assert!(!chosen.is_empty(), "nothing was struck");
        for point in &chosen {
            let ran = bench.strike(point, fault);
            let told = format!("{fault:?} at {point:?}: {}{}", ran.output, ran.errors);
            assert!(ran.killed || ran.done() == kind.done(), "{told}");
            judge(&bench.place, &ran, &mut python)
                .unwrap_or_else(|broken| panic!("{broken}: {told}"));
        }
    }
}

#[test]
fn struck_here_and_there_while_blocks_are_taken_over() {
    strike_blocks(Kind::Brief, &["EIO"], first_of_each);
}

#[test]
#[ignore = "every point, for an hour"]
fn struck_at_every_call_while_blocks_are_taken_over() {
    let choose = |points: Vec<_>| points.into_iter().step_by(every()).collect();
    strike_blocks(Kind::Large, &["EIO", "EINTR"], choose);
}

type Spoil = fn(&Path);

/// Ways in which what is remembered of blocks can be wrong: it is spoilt, or its archive is another.
const SPOILT: [(&str, Spoil); 6] = [
    ("gone", |folder| fs::remove_file(folder.join(".blocks")).expect("removed")),
    ("empty", |folder| fs::write(folder.join(".blocks"), "").expect("written")),
    ("half", |folder| change_blocks(folder, |blocks| blocks.truncate(blocks.len() / 2))),
    ("turned", |folder| change_blocks(folder, |blocks| blocks[700] ^= 1)),
    ("of an archive that is gone", |folder| fs::remove_file(newest(folder)).expect("removed")),
    ("of another archive", |folder| {
        let given = folder.with_file_name("given.zip");
        fs::copy(given, newest(folder)).map(drop).expect("copied");
    }),
];

fn change_blocks(folder: &Path, change: fn(&mut Vec<u8>)) {
    let mut blocks = fs::read(folder.join(".blocks")).expect("they are noted");
    change(&mut blocks);
    fs::write(folder.join(".blocks"), blocks).expect("written");
}

fn newest(folder: &Path) -> PathBuf {
    let found =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let archives = found.filter(|path| path.extension().is_some_and(|end| end == "zip"));
    archives.max().expect("an archive")
}

#[test]
fn whatever_is_remembered_of_blocks_no_archive_is_another() {
    let (bench, mut python) = (Bench::new(Kind::Brief, None), Python::start());
    for (what, spoil) in SPOILT {
        let place = bench.afresh();
        spoil(&place.folder());
        let next = place.run("check");
        let told = format!("{what}: {}{}", next.output, next.errors);
        goes_on(place, &next, &mut python).unwrap_or_else(|broken| panic!("{broken}: {told}"));
    }
}
