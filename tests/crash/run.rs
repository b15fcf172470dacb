//! One run of the program under strace, in a home of its own, and the points where it can be struck.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::canary;
use crate::host::{Host, Kind};
use crate::program::{BEGIN, END, HOME, KIND, WORK, WRONG};
use crate::twin::Wrong;

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program is killed before the call.
    Kill,
    /// The call fails with this error.
    Error(&'static str),
    /// The call says that it has written one byte, and has written none.
    Lie,
}

impl Fault {
    fn injection(self) -> String {
        match self {
            Self::Kill => "signal=KILL".to_owned(),
            Self::Error(error) => format!("error={error}"),
            Self::Lie => "retval=1".to_owned(),
        }
    }
}

/// The calls that change a disk.
pub(crate) const CHANGES: [&str; 20] = [
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "fchmod",
    "chmod",
    "fchown",
    "flock",
    "fallocate",
];

/// One call of the program: the n-th of its name in its thread.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) number: usize,
    /// What strace shows of its arguments, paths among them.
    pub(crate) arguments: String,
}

/// How a run ended, and what it had said.
pub(crate) struct Ran {
    pub(crate) killed: bool,
    pub(crate) ended_well: bool,
    /// The fault has befallen it.
    pub(crate) struck: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ran {
    pub(crate) fn new(output: &Output, struck: bool) -> Self {
        let [said, errors] =
            [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
        canary::note(&said);
        canary::note(&errors);
        Self {
            killed: output.status.signal() == Some(9),
            ended_well: output.status.success(),
            struck,
            output: said,
            errors,
        }
    }

    /// The rest of each line that begins with this word.
    pub(crate) fn said<'r>(&'r self, word: &str) -> impl Iterator<Item = &'r str> {
        let word = format!("{word} ");
        self.output.lines().filter_map(move |line| line.strip_prefix(&word))
    }

    /// What it says that it has done, a word each.
    pub(crate) fn done(&self) -> Vec<&str> {
        self.steps("done")
    }

    /// What it says that it could not do.
    pub(crate) fn failed(&self) -> Vec<&str> {
        self.steps("failed")
    }

    fn steps(&self, word: &str) -> Vec<&str> {
        self.said(word).filter_map(|line| line.split(' ').next()).collect()
    }

    /// The archive that the program names as the way back after these words.
    pub(crate) fn way_back(&self, words: &str) -> Option<&str> {
        let told = self.errors.split(words).last().filter(|told| told.len() < self.errors.len())?;
        let start = told.find(" restore backup_")? + " restore ".len();
        told[start..].split_whitespace().next()
    }
}

/// A host and its backups, in a folder of their own.
pub(crate) struct Place {
    pub(crate) home: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) wrong: Option<Wrong>,
}

impl Place {
    pub(crate) fn host(&self) -> Host {
        Host { kind: self.kind, home: self.home.clone() }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.join("backups")
    }

    pub(crate) fn program(&self, work: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        self.tell(&mut command, work);
        command
    }

    fn tell(&self, command: &mut Command, work: &str) {
        command
            .args(["--exact", "program", "--ignored", "--nocapture", "--test-threads=1"])
            .env(HOME, &self.home)
            .env(KIND, self.kind.name())
            .env(WORK, work)
            .env_remove("RUST_BACKTRACE")
            // cargo sets it, and the loader looks through it
            .env_remove("LD_LIBRARY_PATH")
            .stdin(Stdio::null());
        if let Some(wrong) = self.wrong {
            command.env(WRONG, wrong.name());
        }
    }

    pub(crate) fn run(&self, work: &str) -> Ran {
        Ran::new(&self.program(work).output().expect("it runs"), false)
    }

    fn traced(&self, words: &[&str], notes: &Path) -> Output {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-o"]).arg(notes).args(words);
        command.arg(std::env::current_exe().expect("this program"));
        self.tell(&mut command, "work");
        command.output().expect("strace runs")
    }

    /// Does all of the program's work, and lets this befall it at this point.
    pub(crate) fn strike(&self, point: &Point, fault: Fault, notes: &Path) -> Ran {
        let Point { call, number, .. } = point;
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:{}:when={number}", fault.injection());
        let mut words = vec!["-e", &trace, "-e", &inject];
        if fault != Fault::Kill {
            // the other calls run at their own speed; strace kills nothing then
            words.push("--seccomp-bpf");
        }
        let output = self.traced(&words, notes);
        let killed = output.status.signal() == Some(9);
        let struck = killed || fs::read_to_string(notes).expect("notes").contains("(INJECTED)");
        Ran::new(&output, struck)
    }

    /// Every call for files that the work consists of.
    pub(crate) fn points(&self, notes: &Path) -> Vec<Point> {
        let output = self.traced(&["-e", "trace=%file,%desc"], notes);
        let ran = Ran::new(&output, false);
        assert!(ran.ended_well, "{}{}", ran.output, ran.errors);
        assert_eq!(ran.done(), self.kind.done(), "{}{}", ran.output, ran.errors);
        read_points(&fs::read_to_string(notes).expect("notes"))
    }
}

fn read_points(notes: &str) -> Vec<Point> {
    let thread = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let begin = notes.lines().find(|line| line.contains(BEGIN)).expect("a beginning");
    let (worker, mut inside, mut points) = (thread(begin), false, Vec::new());
    let (mut ours, mut others) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
    for line in notes.lines() {
        let Some((head, arguments)) = line.split_once('(') else { continue };
        let Some(call) = head.split_whitespace().nth(1).filter(|call| *call != "<...") else {
            continue;
        };
        if thread(line) != worker {
            *others.entry(call.to_owned()).or_default() += 1;
            continue;
        }
        let number = ours.entry(call.to_owned()).or_default();
        *number += 1;
        if line.contains(END) {
            break;
        }
        if inside && !matches!(call, "mmap" | "ioctl" | "execve") {
            let arguments = arguments.to_owned();
            points.push(Point { call: call.to_owned(), number: *number, arguments });
        }
        inside |= line.contains(BEGIN);
    }
    // strace counts for each thread: another one must not be struck first
    points.retain(|point| !arguments_of_output(point));
    for Point { call, number, .. } in &points {
        let elsewhere = others.get(call).copied().unwrap_or_default();
        assert!(*number > elsewhere, "{call} {number} is also another thread's");
    }
    points
}

/// What the program says is no work on files.
fn arguments_of_output(point: &Point) -> bool {
    ["1<", "2<"].iter().any(|output| point.arguments.starts_with(output))
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
