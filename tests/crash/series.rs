//! The same fault at one point after the other, each time in a home as it was before.

use std::path::{Path, PathBuf};

use teloxide_backup::{FolderStorage, Storage};
use tempfile::TempDir;

use crate::host::Kind;
use crate::run::{Fault, Place, Point, Ran, copy};
use crate::twin::Wrong;
use crate::verdict::{Python, judge};

/// In memory where that can be: flushing costs nothing there.
pub(crate) fn room() -> TempDir {
    let memory = Path::new("/dev/shm");
    // a container often has little of it, and a disk of our own takes much
    let free = FolderStorage::new(memory).free().ok().flatten();
    let roomy = free.is_some_and(|free| free > 2 << 30);
    if roomy { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder")
}

/// A home that is made anew, as the seed has left it, as often as it is asked for.
pub(crate) struct Bench {
    room: TempDir,
    pub(crate) place: Place,
}

impl Bench {
    pub(crate) fn new(kind: Kind, wrong: Option<Wrong>) -> Self {
        let room = room();
        let seed = Place { home: room.path().join("seed"), kind, wrong };
        std::fs::create_dir(&seed.home).expect("a folder");
        let ran = seed.run("seed");
        assert!(ran.ended_well, "{}{}", ran.output, ran.errors);
        let place = Place { home: room.path().join("home"), kind, wrong };
        Self { room, place }
    }

    /// What strace has noted of the last run.
    pub(crate) fn notes(&self) -> PathBuf {
        self.room.path().join("notes")
    }

    /// The home, as if nothing had happened in it.
    pub(crate) fn afresh(&self) -> &Place {
        let _ = std::fs::remove_dir_all(&self.place.home);
        copy(&self.room.path().join("seed"), &self.place.home);
        &self.place
    }

    pub(crate) fn points(&self) -> Vec<Point> {
        self.afresh().points(&self.notes())
    }

    pub(crate) fn strike(&self, point: &Point, fault: Fault) -> Ran {
        let ran = self.afresh().strike(point, fault, &self.notes());
        assert!(ran.struck, "{point:?} was not reached");
        ran
    }
}

/// A series of blows: the same fault at one point after the other.
pub(crate) struct Series {
    pub(crate) kind: Kind,
    pub(crate) wrong: Option<Wrong>,
    pub(crate) fault: Fault,
    pub(crate) every: usize,
}

/// What a series has shown.
pub(crate) struct Shown {
    pub(crate) points: usize,
    pub(crate) broken: Vec<String>,
}

impl Shown {
    pub(crate) fn loses_an_archive(&self) -> bool {
        let lost = |broken: &&String| broken.contains(".zip: ") || broken.contains("is missing");
        let lost: Vec<_> = self.broken.iter().filter(lost).collect();
        println!("{} of {}, such as: {:?}", lost.len(), self.points, lost.first());
        !lost.is_empty()
    }

    /// Fails at what is broken, and where less than so many points were struck.
    pub(crate) fn assert_whole(&self, least: usize) {
        let Self { points, broken } = self;
        assert!(*points >= least, "only {points} were struck");
        assert!(broken.is_empty(), "{} of {points} broken:\n{}", broken.len(), broken.join("\n"));
    }
}

impl Series {
    pub(crate) fn right(kind: Kind, fault: Fault, every: usize) -> Self {
        Self { kind, wrong: None, fault, every }
    }

    pub(crate) fn run(&self, wanted: impl FnMut(&Point) -> bool) -> Shown {
        let bench = Bench::new(self.kind, self.wrong);
        let points: Vec<Point> = bench.points().into_iter().filter(wanted).collect();
        // each series begins elsewhere, so that together they strike more
        let first = self.kind as usize * 7 % self.every;
        let mut python = Python::start();
        let mut shown = Shown { points: 0, broken: Vec::new() };
        for point in points.iter().skip(first).step_by(self.every) {
            let ran = bench.strike(point, self.fault);
            shown.points += 1;
            if let Err(broken) = judge(&bench.place, &ran, &mut python) {
                shown.broken.push(format!("{:?} at {point:?}: {broken}", self.fault));
            }
        }
        println!("{:?} {:?}: {} points", self.kind, self.fault, shown.points);
        shown
    }
}
