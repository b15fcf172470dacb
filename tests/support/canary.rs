//! What the suite lets out: what is logged and what programs say, written to a file where one is named.
// each test program uses a part of it
#![allow(unreachable_pub, dead_code)]

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Names the file. `tests/canary.sh` runs the suite so, and looks in it for what must not be there.
const VARIABLE: &str = "CANARY_FILE";

/// Writes all that is logged from now on into the file, down to the last detail.
pub(crate) fn listen() {
    let _ = file();
}

/// What `RUST_LOG` is for a program that is listened to: everything, but for the dispatcher, where
/// teloxide prints whole updates.
pub(crate) fn everything() -> Option<&'static str> {
    std::env::var_os(VARIABLE).map(|_| "trace,teloxide::dispatching::dispatcher=off")
}

/// The file, for a program that logs straight into it.
pub(crate) fn log() -> Option<File> {
    let path = std::env::var_os(VARIABLE)?;
    Some(File::options().create(true).append(true).open(path).expect("a file"))
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
        // a test may have a listener of its own
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Mutex::new(log()?))
            .try_init();
        log().map(Mutex::new)
    })
    .as_ref()
}
