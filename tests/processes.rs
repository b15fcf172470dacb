//! Several processes of one bot on one folder, killed at random: each slot has exactly one backup.
#![cfg(unix)]

#[path = "support/canary.rs"]
mod canary;
#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "processes/program.rs"]
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use program::{CLOCK, FOLDER, HOLDS, HOME, IDLE};
use teloxide_backup::{FolderStorage, Storage};

/// How long is waited on a busy machine before a test fails.
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
#[ignore = "the program that is started and killed: only as a child of the tests below"]
fn program() {
    program::main();
}

#[test]
fn four_processes_make_each_of_fifteen_backups_once() {
    let shown = World::new(4, 1).run(15);
    assert!(shown.kills >= 5 && shown.takeovers >= 5, "{shown:?}");
}

#[test]
#[ignore = "takes long: a minute or two"]
fn eight_processes_make_each_of_two_hundred_backups_once() {
    let shown = World::new(8, 8).run(200);
    println!("{shown:?}");
    assert!(shown.kills >= 100 && shown.takeovers >= 100 && shown.in_the_middle >= 20, "{shown:?}");
}

/// What a run has shown.
#[derive(Debug, Default)]
struct Shown {
    kills: usize,
    /// Kills between the beginning of an archive and its name.
    in_the_middle: usize,
    takeovers: usize,
    starts: usize,
}

/// A line that a process has said; `None` at its end.
type Said = (usize, Option<String>);

/// A process that runs.
struct Process {
    child: Child,
    turns: ChildStdin,
    idle: bool,
    /// What it has said since its last turn began.
    said: Vec<String>,
    /// It is killed once it has said so many lines in a turn.
    doom: Option<usize>,
}

struct World {
    home: tempfile::TempDir,
    now: DateTime<Utc>,
    processes: BTreeMap<usize, Process>,
    wanted: usize,
    holder: Option<usize>,
    tell: Sender<Said>,
    told: Receiver<Said>,
    dice: Dice,
    shown: Shown,
}

impl World {
    fn new(wanted: usize, seed: u64) -> Self {
        let (tell, told) = mpsc::channel();
        let world = Self {
            home: tempfile::tempdir().expect("a folder"),
            now: "2026-01-15T12:00:00Z".parse().expect("a moment"),
            processes: BTreeMap::new(),
            wanted,
            holder: None,
            tell,
            told,
            dice: Dice(seed),
            shown: Shown::default(),
        };
        world.set_clock();
        world
    }

    /// Gives each of these slots its day; each must have one backup, whoever is killed.
    fn run(mut self, slots: usize) -> Shown {
        for slot in 1..=slots {
            if slot > 1 {
                self.now += TimeDelta::days(1);
                self.set_clock();
                self.doom();
            }
            self.turn();
            for _ in 0..20 {
                if self.backups().len() >= slot {
                    break;
                }
                self.turn();
            }
            assert_eq!(self.backups().len(), slot, "on {}", self.now);
        }
        let days: BTreeSet<_> =
            self.backups().iter().map(|name| name["backup_".len()..][..8].to_owned()).collect();
        assert_eq!(days.len(), slots, "one a day");
        all_are_whole(&self.folder());
        std::mem::take(&mut self.shown)
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join(FOLDER)
    }

    fn backups(&self) -> Vec<String> {
        let found = FolderStorage::new(self.folder()).list().expect("a list");
        found.into_iter().map(|(id, _)| id.to_string()).collect()
    }

    /// Whoever reads the clock meanwhile sees the old time or the new one.
    fn set_clock(&self) {
        let new = self.home.path().join("new");
        fs::write(&new, self.now.timestamp().to_string()).expect("written");
        fs::rename(&new, self.home.path().join(CLOCK)).expect("in its place");
    }

    /// Chooses who dies in the next turn, and when: often the one that makes the backup.
    fn doom(&mut self) {
        let lines = 1 + self.dice.up_to(16);
        let any = self.dice.up_to(self.processes.len());
        let holder = self.holder.filter(|_| self.dice.up_to(2) == 0);
        let victim = holder.or_else(|| self.processes.keys().nth(any).copied());
        if let Some(process) = victim.and_then(|victim| self.processes.get_mut(&victim)) {
            process.doom = Some(lines);
        }
    }

    /// Lets all act until nobody has anything left to do. Who is killed is started again.
    fn turn(&mut self) {
        self.processes.values_mut().for_each(Process::begin_turn);
        loop {
            while self.processes.len() < self.wanted {
                self.start();
            }
            if self.processes.values().all(|process| process.idle) {
                return;
            }
            let Ok((number, line)) = self.told.recv_timeout(PATIENCE) else { self.nobody_acts() };
            if self.processes.contains_key(&number) {
                self.hear(number, line.expect("none ends by itself"));
            }
        }
    }

    fn nobody_acts(&self) -> ! {
        let acting = self.processes.values().filter(|process| !process.idle);
        let said: Vec<_> = acting.map(|process| process.said.as_slice()).collect();
        panic!("on {} nobody goes on after {said:?}", self.now)
    }

    fn hear(&mut self, number: usize, line: String) {
        if line == HOLDS {
            assert_eq!(self.holder, None, "{number} has what another one holds");
            self.holder = Some(number);
            self.shown.takeovers += 1;
        }
        let Some(process) = self.processes.get_mut(&number) else { return };
        // one whose looks fall on the end of its turn may act after it: the next turn will show
        process.idle |= line == IDLE;
        process.said.push(line);
        if process.doom.is_some_and(|lines| process.said.len() >= lines) {
            self.kill(number);
        }
    }

    fn kill(&mut self, number: usize) {
        // from now on another one may have it
        self.holder = self.holder.filter(|holder| *holder != number);
        let Some(mut process) = self.processes.remove(&number) else { return };
        process.child.kill().expect("killed");
        process.child.wait().expect("dead");
        let said = |word: &str| process.said.iter().any(|line| line == word);
        self.shown.kills += 1;
        self.shown.in_the_middle += usize::from(said("draft") && !said("published"));
    }

    fn start(&mut self) {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "program", "--ignored", "--nocapture", "--test-threads=1"])
            .env(HOME, self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let (number, tell) = (self.shown.starts, self.tell.clone());
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        thread::spawn(move || {
            // one that is killed may leave half a line
            for line in lines.map_while(Result::ok) {
                let _ = tell.send((number, Some(line)));
            }
            let _ = tell.send((number, None));
        });
        let turns = child.stdin.take().expect("a pipe");
        let process = Process { child, turns, idle: false, said: Vec::new(), doom: None };
        self.processes.insert(number, process);
        self.shown.starts += 1;
    }
}

impl Process {
    fn begin_turn(&mut self) {
        self.said.clear();
        self.idle = false;
        self.turns.write_all(b"\n").expect("it waits for its turn");
    }
}

/// A test that fails leaves no process behind.
impl Drop for World {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

/// Another program reads each archive to its end.
fn all_are_whole(folder: &Path) {
    let script = "import sys, zipfile, glob
for name in glob.glob(sys.argv[1] + '/backup_*.zip'):
    archive = zipfile.ZipFile(name)
    assert archive.testzip() is None, name
    assert archive.namelist() == ['data.json', 'metadata.json'], name";
    let read = Command::new("python3").args(["-c", script]).arg(folder).status();
    assert!(read.expect("python3 runs").success());
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).expect("it is small")
    }
}
