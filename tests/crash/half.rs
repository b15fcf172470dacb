//! Reads and writes that stop half way, as the system may let any of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{Place, Ran};
use crate::skip::skipped;

/// A call that stops, of those for files of the home.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Read(usize),
    Write(usize),
}

/// How many stopped half way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Halved {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
}

/// What is loaded into the program to stop them.
pub(crate) struct Half {
    room: TempDir,
}

impl Half {
    /// `None` where there is no C compiler.
    pub(crate) fn build() -> Option<Self> {
        let half = Self { room: TempDir::new().expect("a folder") };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/half.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(half.library()).arg(source);
        let Ok(status) = compiler.status() else {
            skipped("cc is not installed");
            return None;
        };
        assert!(status.success(), "{source} does not compile");
        Some(half)
    }

    fn library(&self) -> PathBuf {
        self.room.path().join("half.so")
    }

    /// Does all of the program's work; each read and write stops half way, or this one alone.
    pub(crate) fn run(&self, place: &Place, only: Option<Call>) -> (Ran, Halved) {
        let notes = self.room.path().join("halved");
        let mut command = place.program("work");
        command.env("LD_PRELOAD", self.library()).env("HALVED", &notes);
        command.env("HALF_HOME", place.home.canonicalize().expect("a home"));
        match only {
            Some(Call::Read(number)) => _ = command.env("HALF_READ", number.to_string()),
            Some(Call::Write(number)) => _ = command.env("HALF_WRITE", number.to_string()),
            None => {}
        }
        let ran = Ran::new(&command.output().expect("it runs"), false);
        let notes = fs::read_to_string(&notes).expect("notes");
        let numbers: Vec<_> =
            notes.split(' ').map(|number| number.parse().expect("a number")).collect();
        (ran, Halved { reads: numbers[0], writes: numbers[1] })
    }
}
