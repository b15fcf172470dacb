//! Reads and writes that stop half way, as the system may let any of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{Place, Ran};

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
            println!("skipped: cc is not installed");
            return None;
        };
        assert!(status.success(), "{source} does not compile");
        Some(half)
    }

    fn library(&self) -> PathBuf {
        self.room.path().join("half.so")
    }

    /// Does all of the program's work; each read and write stops half way, or the one of this number.
    /// Gives how many did.
    pub(crate) fn run(&self, place: &Place, only: Option<usize>) -> (Ran, usize) {
        let notes = self.room.path().join("halved");
        let mut command = place.program("work");
        command.env("LD_PRELOAD", self.library()).env("HALVED", &notes);
        if let Some(only) = only {
            command.env("HALF", only.to_string());
        }
        let ran = Ran::new(&command.output().expect("it runs"), false);
        let halved = fs::read_to_string(&notes).expect("notes").parse().expect("a number");
        (ran, halved)
    }
}
