//! What a machine has not, so that a test cannot run: said aloud, and counted where somebody asks.

use std::fs::File;
use std::io::Write;

/// Names the file; `.ci/run` shows at its end what stands there.
const VARIABLE: &str = "SKIPPED_FILE";

pub(crate) fn skipped(why: &str) {
    println!("skipped: {why}");
    let Some(path) = std::env::var_os(VARIABLE) else { return };
    let mut file = File::options().create(true).append(true).open(path).expect("a file");
    writeln!(file, "{why}").expect("a line");
}
