//! A program that is killed, or that its disk fails or deceives, at any of its calls for files.
#![cfg(target_os = "linux")]

#[path = "crash/blocks.rs"]
mod blocks;
#[path = "support/canary.rs"]
mod canary;
#[path = "crash/chat.rs"]
mod chat;
#[path = "support/clock.rs"]
mod clock;
#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/flaky.rs"]
mod flaky;
#[path = "crash/flush.rs"]
mod flush;
#[path = "crash/folder.rs"]
mod folder;
#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "crash/half.rs"]
mod half;
#[path = "crash/host.rs"]
mod host;
#[path = "crash/program.rs"]
mod program;
#[path = "crash/run.rs"]
mod run;
#[path = "crash/schedule.rs"]
mod schedule;
#[path = "crash/series.rs"]
mod series;
#[path = "support/skip.rs"]
mod skip;
#[path = "crash/sweep.rs"]
mod sweep;
#[path = "crash/twin.rs"]
mod twin;
#[path = "crash/verdict.rs"]
mod verdict;

use std::process::Command;

use disk::{Mount, can_loop, can_mount, copy_image, make_image};
use flaky::Trouble;
use flush::{Flush, Flushed, flushes, tried_twice};
use half::{Call, Half};
use host::Kind;
use run::{CHANGES, Fault, Place, Point, copy};
use schedule::sweep_schedule;
use series::{Bench, Series, Shown, room};
use skip::skipped;
use sweep::{Amount, sweep, sweep_index};
use twin::Wrong;
use verdict::{Python, judge};

#[test]
#[ignore = "the program that is killed: only as a child of the tests below"]
fn program() {
    program::main();
}

#[test]
#[ignore = "the work over a storage that ails: only as a child of the tests below"]
fn storage() {
    let Ok(what) = std::env::var(STORAGE) else { return };
    canary::listen();
    for trouble in Trouble::ALL {
        let struck = match what.as_str() {
            "little" => sweep(Amount::Little, trouble, every()),
            "much" => sweep(Amount::Much, trouble, every()),
            _ => sweep_index(trouble),
        };
        eprintln!("struck: {trouble:?}, {struck} operations");
    }
}

/// Long runs strike every point, or every second, third and so on if they are told so.
fn every() -> usize {
    std::env::var(EVERY).ok().and_then(|every| every.parse().ok()).unwrap_or(1)
}

#[test]
fn a_storage_that_fails_lies_or_hangs_at_any_operation_of_the_schedule_costs_no_backup() {
    let all = [
        "claim",
        "delete",
        "draft",
        "flush",
        "free",
        "list",
        "lock",
        "open",
        "prepare",
        "publish",
        "read",
        "read_state",
        "reopen",
        "seek",
        "write",
        "write_state",
    ];
    for trouble in Trouble::ALL {
        let struck = sweep_schedule(trouble, &all);
        println!("{trouble:?}: {struck} operations");
    }
}

/// In a child, since what the command line says of each failure goes to nobody.
fn strike_storage(what: &str, every: usize) {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "storage", "--ignored", "--nocapture"])
        .env(STORAGE, what)
        .env(EVERY, every.to_string())
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{told}");
    let figures: Vec<_> = told.lines().filter(|line| line.starts_with("struck: ")).collect();
    assert_eq!(figures.len(), Trouble::ALL.len());
    println!("{}", figures.join("\n"));
}

const STORAGE: &str = "CRASH_STORAGE";
const EVERY: &str = "CRASH_EVERY";

#[test]
fn a_storage_that_fails_lies_or_hangs_here_and_there() {
    strike_storage("little", 11);
}

#[test]
fn a_storage_that_fails_lies_or_hangs_at_what_is_remembered_of_blocks() {
    strike_storage("index", 1);
}

#[test]
#[ignore = "every operation, for a minute"]
fn a_storage_that_fails_lies_or_hangs_at_every_operation() {
    strike_storage("little", every());
}

#[test]
#[ignore = "every operation, for an hour"]
fn a_storage_of_much_that_fails_lies_or_hangs_at_every_operation() {
    strike_storage("much", every());
}

/// Of how many points one is struck each time; the long runs strike all.
const FEW: usize = 60;

fn can_trace() -> bool {
    let can = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let can = can.is_ok_and(|status| status.success());
    if !can {
        skipped("strace is not installed, or may not trace here");
    }
    can
}

/// Strikes these hosts with this, and fails at what is broken.
fn strike(kinds: &[Kind], fault: Fault, every: usize, wanted: impl Fn(&Point) -> bool + Copy) {
    if !can_trace() {
        return;
    }
    for &kind in kinds {
        Series::right(kind, fault, every).run(wanted).assert_whole(1);
    }
}

fn any(_: &Point) -> bool {
    true
}

/// A close that is kept from happening leaves the file open, which no disk does.
fn any_that_fails(point: &Point) -> bool {
    point.call != "close"
}

fn changes(point: &Point) -> bool {
    CHANGES.contains(&point.call.as_str())
}

/// Only ours: what a disk does to a host's own file is the host's to find.
fn writes_an_archive(point: &Point) -> bool {
    point.call == "write" && point.arguments.contains("/backups/")
}

fn writes_the_notebook(point: &Point) -> bool {
    writes_an_archive(point) && point.arguments.contains(r"{\n")
}

#[test]
fn killed_here_and_there() {
    strike(&Kind::SMALL, Fault::Kill, FEW, any);
}

#[test]
fn failed_here_and_there() {
    for error in ["EIO", "EINTR"] {
        strike(&Kind::SMALL, Fault::Error(error), 2 * FEW, any_that_fails);
    }
    for error in ["ENOSPC", "EROFS", "EACCES"] {
        strike(&Kind::SMALL, Fault::Error(error), FEW, changes);
    }
}

/// Who was killed there and comes back says so in the chat, and the button brings back what was.
#[test]
fn a_restore_that_was_cut_off_is_told_in_the_chat_with_the_way_back() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new(Kind::Loose, None);
    let points = bench.points();
    // the orders are written by the restore alone
    let writes: Vec<_> = points
        .iter()
        .filter(|point| point.call == "write" && point.arguments.contains("/orders/"))
        .collect();
    let middle = writes[writes.len() / 4];
    let ran = bench.strike(middle, Fault::Kill);
    assert_eq!((ran.killed, ran.done()), (true, vec!["backup", "backup"]));
    let host = bench.place.host();
    assert!(host.live().starts_with("mixture"), "{}", host.live());
    let told = chat::bring_back(&host, &bench.place.folder());
    assert!(told.contains("given.zip"), "{told}");
    assert_eq!(host.live(), "A");
}

#[test]
fn a_backup_that_was_cut_off_is_told_in_the_chat_once() {
    if !can_trace() {
        return;
    }
    let bench = Bench::new(Kind::Loose, None);
    let points = bench.points();
    let first = points.iter().find(|point| writes_an_archive(point) && !writes_the_notebook(point));
    let ran = bench.strike(first.expect("an archive is written"), Fault::Kill);
    assert!(ran.killed && ran.done().is_empty(), "{}", ran.output);
    let again = chat::tell_of_backup(&bench.place.host(), &bench.place.folder());
    assert_eq!(again, 0, "it was told");
}

/// `SQLite` says that a commit has failed, though it is done, when it cannot give its lock back.
#[test]
fn a_lock_that_cannot_be_given_back_is_no_lie() {
    if can_trace() {
        let comes_down =
            |point: &Point| point.call == "fcntl" && point.arguments.contains("l_type=F_RDLCK");
        Series::right(Kind::Database, Fault::Error("EIO"), 1).run(comes_down).assert_whole(4);
    }
}

/// A host that loses an order in a restore is found out without the pipe that compares, too.
#[test]
fn a_restore_is_compared_without_a_pipe_too() {
    if can_trace() {
        let pipes = |point: &Point| point.call == "pipe2";
        Series::right(Kind::Forgetful, Fault::Error("EMFILE"), 1).run(pipes).assert_whole(1);
    }
}

/// A host whose restore must be taken back, struck while that is done.
fn strike_the_forgetful(every: usize) {
    if !can_trace() {
        return;
    }
    for fault in [Fault::Kill, Fault::Error("EIO")] {
        Series::right(Kind::Forgetful, fault, every).run(any_that_fails).assert_whole(1);
    }
}

#[test]
fn struck_here_and_there_while_a_restore_is_taken_back() {
    strike_the_forgetful(FEW / 2);
}

#[test]
#[ignore = "every point, for minutes"]
fn struck_at_every_call_while_a_restore_is_taken_back() {
    strike_the_forgetful(every());
}

/// Who is told that it is done has it after a power cut as well.
#[test]
fn what_could_not_be_flushed_is_not_told_as_done() {
    if !can_trace() {
        return;
    }
    let (bench, mut python) = (Bench::new(Kind::File, None), Python::start());
    let (found, steps) = (flushes(&bench.points()), Kind::File.done());
    for of in Flushed::ALL {
        let needing: Vec<_> = found.iter().filter(|flush| flush.of == of).collect();
        let steps: Vec<_> = needing.iter().map(|flush| steps[flush.step]).collect();
        let all = match of {
            Flushed::Archive | Flushed::ArchiveName => Kind::File.done(),
            Flushed::Journal | Flushed::JournalName => &["restore", "undo"],
        };
        assert_eq!(steps, all, "{of:?}");
    }
    for Flush { of, step, point } in &found {
        let ran = bench.strike(point, Fault::Error("EIO"));
        let told = format!("{of:?} of {}: {}{}", steps[*step], ran.output, ran.errors);
        assert_eq!(ran.failed(), [steps[*step]], "{told}");
        let is_file = matches!(of, Flushed::Archive | Flushed::Journal);
        let notes = std::fs::read_to_string(bench.notes()).expect("notes");
        assert!(!is_file || !tried_twice(&notes), "{told}{notes}");
        judge(&bench.place, &ran, &mut python).unwrap_or_else(|broken| panic!("{broken}: {told}"));
    }
}

#[test]
fn deceived_here_and_there() {
    strike(&Kind::SMALL, Fault::Lie, FEW / 4, writes_an_archive);
    strike(&Kind::SMALL, Fault::Lie, 3, writes_the_notebook);
}

#[test]
fn an_archive_that_is_written_in_place_is_caught() {
    if !can_trace() {
        return;
    }
    let wrong = Some(Wrong::InPlace);
    let series = Series { kind: Kind::File, wrong, fault: Fault::Kill, every: 4 };
    assert!(series.run(writes_an_archive).loses_an_archive(), "these tests prove nothing");
}

#[test]
#[ignore = "every point, for minutes"]
fn killed_at_every_call() {
    strike(&Kind::ALL, Fault::Kill, every(), any);
}

#[test]
#[ignore = "every point, for minutes"]
fn an_input_or_output_error_at_every_call() {
    strike(&Kind::ALL, Fault::Error("EIO"), every(), any_that_fails);
}

#[test]
#[ignore = "every point, for minutes"]
fn a_full_disk_at_every_call() {
    for error in ["ENOSPC", "EDQUOT"] {
        strike(&Kind::ALL, Fault::Error(error), every(), changes);
    }
}

#[test]
#[ignore = "every point, for minutes"]
fn a_disk_that_may_not_be_written_at_every_call() {
    for error in ["EROFS", "EACCES"] {
        strike(&Kind::ALL, Fault::Error(error), every(), changes);
    }
}

#[test]
#[ignore = "every point, for minutes"]
fn an_interruption_at_every_call() {
    strike(&Kind::ALL, Fault::Error("EINTR"), every(), any_that_fails);
}

#[test]
#[ignore = "every point, for minutes"]
fn a_disk_that_lies_at_every_write() {
    strike(&Kind::ALL, Fault::Lie, every(), writes_an_archive);
}

/// All is done as if nothing was, where reads and writes stop half way: each of one run, or one of
/// each run.
fn stop_half_way(one_by_one: bool) {
    let Some(half) = Half::build() else { return };
    let mut python = Python::start();
    for kind in Kind::ALL {
        let bench = Bench::new(kind, None);
        let mut work = |only| {
            let (ran, halved) = half.run(bench.afresh(), only);
            assert_eq!(ran.done(), kind.done(), "{kind:?} {only:?} {}{}", ran.output, ran.errors);
            judge(&bench.place, &ran, &mut python)
                .unwrap_or_else(|broken| panic!("{only:?}: {broken}"));
            halved
        };
        let all = work(None);
        println!("{kind:?}: {all:?} at once");
        assert!(all.reads > 20 && all.writes > 20, "{all:?}");
        if one_by_one {
            let numbers = || (1..).step_by(every());
            let read = |&number: &usize| work(Some(Call::Read(number))).reads > 0;
            let reads = numbers().take_while(read).count();
            let write = |&number: &usize| work(Some(Call::Write(number))).writes > 0;
            let writes = numbers().take_while(write).count();
            println!("{kind:?}: {reads} reads and {writes} writes alone");
            let several = |alone: usize| alone * every() > 20;
            assert!(several(reads) && several(writes), "{reads} {writes}");
        }
    }
}

#[test]
fn reads_and_writes_that_stop_half_way() {
    stop_half_way(false);
}

#[test]
#[ignore = "one after the other, for minutes"]
fn each_read_and_write_that_stops_half_way() {
    stop_half_way(true);
}

/// Works on a disk of this size for the archives; the program's own home is elsewhere.
fn work_on(options: &str, kind: Kind, python: &mut Python) -> Result<bool, String> {
    let room = room();
    let place = Place { home: room.path().to_owned(), kind, wrong: None };
    assert!(place.run("seed").ended_well);
    let seed = room.path().join("seed");
    std::fs::rename(place.folder(), &seed).expect("moved");
    let _disk = Mount::memory(options, &place.folder());
    copy(&seed, &place.folder());
    let ran = place.run("work");
    judge(&place, &ran, python).map_err(|broken| format!("{options}: {broken}"))?;
    Ok(ran.said("failed").next().is_none())
}

#[test]
fn a_disk_that_fills_up() {
    if !can_mount(room().path()) {
        return;
    }
    let mut python = Python::start();
    let mut outcomes = Vec::new();
    for kilobytes in (48..=168).step_by(8) {
        let options = format!("size={kilobytes}k");
        outcomes.push(work_on(&options, Kind::File, &mut python).expect("nothing is broken"));
    }
    for inodes in 7..=12 {
        let options = format!("nr_inodes={inodes}");
        outcomes.push(work_on(&options, Kind::File, &mut python).expect("nothing is broken"));
    }
    // too small for all of it, and then not
    assert!(outcomes.contains(&false) && outcomes.contains(&true), "{outcomes:?}");
}

#[test]
fn a_disk_without_room_is_told_of_before_anything_is_written() {
    let room = room();
    if !can_mount(room.path()) {
        return;
    }
    let disk = Mount::memory("size=1m", &room.path().join("home"));
    let place = Place { home: room.path().join("home"), kind: Kind::File, wrong: None };
    assert!(place.run("seed").ended_well);
    disk.fill(8 << 10);
    let ran = place.run("work");
    assert_eq!(ran.said("done").count(), 0, "{}", ran.output);
    assert!(ran.errors.contains("8 KB are free, and the last backup took"), "{}", ran.errors);
    judge(&place, &ran, &mut Python::start()).expect("nothing is broken");
}

#[test]
fn a_disk_that_is_read_only() {
    let room = room();
    if !can_mount(room.path()) {
        return;
    }
    let disk = Mount::memory("size=1m", &room.path().join("home"));
    let place = Place { home: room.path().join("home"), kind: Kind::File, wrong: None };
    assert!(place.run("seed").ended_well);
    disk.make_read_only();
    let ran = place.run("work");
    assert_eq!(ran.said("done").count(), 0, "{}", ran.output);
    let next = place.run("check");
    assert_eq!(next.said("verified").next(), Some("true"), "what is there can be read");
    assert_eq!(next.said("live").next(), Some("A"));
    assert!(ran.errors.contains("No access"), "{}", ran.errors);
}

/// The power goes at one call after the other, on a disk of its own each time.
fn cut_power(system: &str, kind: Kind, wrong: Option<Wrong>, every: usize) -> Shown {
    let room = room();
    let [seed, image, notes] = ["seed", "image", "notes"].map(|name| room.path().join(name));
    let place = Place { home: room.path().join("disk"), kind, wrong };
    make_image(system, &seed);
    let disk = Mount::image(&seed, &place.home);
    assert!(place.run("seed").ended_well);
    drop(disk);
    copy_image(&seed, &image);
    let disk = Mount::image(&image, &place.home);
    let points: Vec<_> = place.points(&notes).into_iter().filter(changes).collect();
    drop(disk);
    let (mut python, mut shown) = (Python::start(), Shown { points: 0, broken: Vec::new() });
    // and once when all of it is done
    for point in points.iter().step_by(every).map(Some).chain([None]) {
        copy_image(&seed, &image);
        let disk = Mount::image(&image, &place.home);
        let ran = match point {
            Some(point) => place.strike(point, Fault::Kill, &notes),
            None => place.run("work"),
        };
        assert!(ran.struck || point.is_none(), "{point:?} was not reached");
        disk.cut();
        let _disk = Mount::image(&image, &place.home);
        shown.points += 1;
        if let Err(broken) = judge(&place, &ran, &mut python) {
            shown.broken.push(format!("cut at {point:?}: {broken}"));
        }
    }
    let broken = shown.broken.len();
    println!("{system}, {kind:?}, {wrong:?}: {} cuts, {broken} broken", shown.points);
    shown
}

fn can_cut(system: &str) -> bool {
    let makes = Command::new(format!("mkfs.{system}")).arg("-V").output().is_ok();
    if !makes {
        skipped(&format!("mkfs.{system} is not installed"));
    }
    makes && can_trace() && can_mount(room().path()) && can_loop()
}

#[test]
fn the_power_is_cut_here_and_there() {
    for system in ["ext4", "xfs"] {
        if can_cut(system) {
            cut_power(system, Kind::File, None, FEW / 2).assert_whole(1);
            let wrong = cut_power(system, Kind::File, Some(Wrong::NoFlush), FEW / 2);
            assert!(wrong.loses_an_archive(), "these tests prove nothing");
        }
    }
}

/// Takes the power from the right program everywhere, and from the wrong ones until it shows.
fn cut_power_everywhere(system: &str) {
    if !can_cut(system) {
        return;
    }
    for wrong in Wrong::ALL {
        // a part of the points shows it already
        let shown = cut_power(system, Kind::File, Some(wrong), every().max(5));
        assert!(shown.loses_an_archive(), "{wrong:?} is not caught: these tests prove nothing");
    }
    for kind in Kind::ALL {
        cut_power(system, kind, None, every()).assert_whole(1);
    }
}

#[test]
#[ignore = "as root, for minutes"]
fn the_power_is_cut_on_ext4() {
    cut_power_everywhere("ext4");
}

#[test]
#[ignore = "as root, for minutes"]
fn the_power_is_cut_on_xfs() {
    cut_power_everywhere("xfs");
}
