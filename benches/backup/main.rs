//! What a backup costs: `cargo bench` prints a table, `cargo bench -- create` a part of it, and
//! `BENCH_LARGE=1 cargo bench` adds 1 GB. `benches/compare.py` holds it against a Python program.
//!
//! Each line is measured in a process of its own, so that its peak of memory is its own, through the
//! command line that a host has: folder, lock, flushes and the proof by reading are all in it.

mod bot;
mod data;
mod measure;
mod pause;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use measure::Job;

const SIZES: [usize; 3] = [50_000, 5_000_000, 100_000_000];
const LARGE: usize = 1_000_000_000;
/// What is measured once of each size.
const ON_DISK: [(&str, &[&str]); 6] = [
    ("serialise", &[]),
    ("create", &["--compression", "fast"]),
    ("create", &["--compression", "small"]),
    ("verify", &[]),
    ("restore", &[]),
    ("restore-each", &[]),
];
/// How the bot is kept waiting: its data, and the threads of its runtime.
const PAUSES: [(&str, &str); 10] = [
    ("pause-deep", "1"),
    ("pause-arc", "1"),
    ("pause-persistent", "1"),
    ("pause-sqlite", "1"),
    ("pause-bot", "1"),
    ("pause-deep", "2"),
    ("pause-arc", "2"),
    ("pause-persistent", "2"),
    ("pause-sqlite", "2"),
    ("pause-bot", "2"),
];
/// Where flushes cost nothing.
const MEMORY_FOLDER: &str = "/dev/shm";

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if arguments.first().is_some_and(|word| word == "measure") {
        return measure::run(&Job::parse(&arguments.split_off(1))?);
    }
    let filter = arguments.first().map_or("", String::as_str);
    let disk = env::temp_dir();
    println!("| what | settings | bytes | s | CPU s | archive | extra peak KB | times stat |");
    println!("|---|---|---|---|---|---|---|---|");
    for words in table(&disk) {
        if words.join(" ").contains(filter) {
            line(&words)?;
        }
    }
    Ok(())
}

/// Every line of the table, as the words of a job.
fn table(disk: &Path) -> Vec<Vec<String>> {
    let sizes = SIZES.into_iter().chain(env::var_os("BENCH_LARGE").map(|_| LARGE));
    let memory = PathBuf::from(MEMORY_FOLDER);
    let fast = if memory.is_dir() { &memory } else { disk }.to_owned();
    let mut lines = Vec::new();
    for size in sizes {
        let runs = (20_000_000 / size).clamp(3, 50);
        let mut add = |task: &str, folder: &Path, more: &[&str]| {
            let numbers = [("--size", size), ("--runs", runs)];
            let mut words = vec![task.to_owned()];
            for (name, number) in numbers {
                words.extend([name.to_owned(), number.to_string()]);
            }
            words.extend(["--folder".to_owned(), folder.display().to_string()]);
            words.extend(more.iter().map(|&word| word.to_owned()));
            lines.push(words);
        };
        for folder in [disk, &memory].into_iter().filter(|folder| folder.is_dir()) {
            add("create", folder, &[]);
            if size > SIZES[0] {
                add("create", folder, &["--workers", "1"]);
            }
        }
        for percent in ["0", "1", "10", "100"] {
            add("create-again", &fast, &["--changed", percent]);
        }
        for (task, settings) in ON_DISK {
            add(task, disk, settings);
        }
        if size >= 100_000_000 {
            for (state, threads) in PAUSES {
                add(state, disk, &["--threads", threads, "--workers", "1"]);
            }
        }
        if size == SIZES[0] {
            for count in ["10", "1000", "10000"] {
                add("list", disk, &["--archives", count]);
            }
        }
    }
    lines
}

/// Measures in a process of its own; what the command line prints there is for people.
fn line(words: &[String]) -> io::Result<()> {
    let output = Command::new(env::current_exe()?)
        .arg("measure")
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let Some(result) = told.lines().find_map(|line| serde_json::from_str::<Value>(line).ok())
    else {
        return Err(io::Error::other(format!("{words:?}: {told}")));
    };
    if words[0].starts_with("pause-") {
        println!("{}: {result}", words.join(" "));
        return Ok(());
    }
    let number = |name: &str| result[name].as_f64().unwrap_or_default();
    let settings = words.get(5..).unwrap_or_default().join(" ");
    // of a list: how many times as long as a look at each archive takes
    let stats = number("seconds") / number("stat_seconds");
    let stats = if words[0] == "list" { format!("{stats:.1}") } else { String::new() };
    println!(
        "| {} | {settings} | {} | {:.5} | {:.2} | {} | {} | {stats} |",
        words[0],
        result["bytes"],
        number("seconds"),
        number("cpu"),
        result["archive"],
        result["extra_kb"],
    );
    Ok(())
}

/// Copies of one archive under the names of other seconds.
fn multiply(archive: &Path, folder: &Path, count: usize) -> io::Result<()> {
    for number in 0..count {
        let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
        let name = format!("backup_20260101_{hour:02}{minute:02}{second:02}.zip");
        fs::copy(archive, folder.join(name))?;
    }
    Ok(())
}
