//! What the suite lets out: logs and requests, written to a file where one is named.
// each test program uses a part of it
#![allow(unreachable_pub, dead_code)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use telegram_sandbox::Sandbox;

/// Names the file. `tests/canary.sh` runs the suite so, and looks in it for what must not be there.
const VARIABLE: &str = "CANARY_FILE";

/// Writes all that is logged from now on into the file, down to the last detail.
pub(crate) fn listen() {
    let _ = file();
}

/// Writes what a bot has asked of Telegram, but not the bytes of files, which are counted only.
pub(crate) fn note_calls(sandbox: &Sandbox) {
    for call in sandbox.calls() {
        note(&format!("CALL {} {}", call.method, call.fields));
    }
}

/// Writes what a program has said.
pub(crate) fn note(said: &str) {
    let Some(file) = file() else { return };
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    // in one piece: other lines are written beside it
    file.write_all(format!("{said}\n").as_bytes()).expect("a line");
}

fn file() -> Option<&'static Mutex<File>> {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    FILE.get_or_init(|| {
        let path = std::env::var_os(VARIABLE)?;
        let open = || OpenOptions::new().create(true).append(true).open(&path).expect("a file");
        // a test may have a listener of its own
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Mutex::new(open()))
            .try_init();
        Some(Mutex::new(open()))
    })
    .as_ref()
}
