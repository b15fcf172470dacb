//! Whatever serde types a host has, what is saved is what comes back, to the last bit; or the backup
//! is refused on the day it is made.

use std::env;
use std::fmt::Debug;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::Bot;
use teloxide_backup::{BackupCommand, BackupPlugin, MemoryStorage, Shared, Storage};
use tracing_subscriber::filter::LevelFilter;

#[path = "round_trip/lossy.rs"]
mod lossy;
#[path = "round_trip/zoo.rs"]
mod zoo;

/// Every text of a client begins with it.
const SECRET: &str = "тайна";
/// Set in the process whose output is put away.
const APART: &str = "ROUND_TRIP_APART";
const CASES: u32 = 100;
const MANY_CASES: u32 = 10_000;

trait State: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> State
    for T
{
}

/// How a host makes its source.
type Source<T> = fn(Arc<Mutex<T>>) -> Shared<T>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Restored,
    Refused,
}

fn run<T: State>(source: Shared<T>, storage: &MemoryStorage, words: &[&str]) -> bool {
    let bot = Bot::new("777:token");
    let builder = BackupPlugin::builder(bot, source).storage(storage.clone());
    let command = BackupCommand::parse(words.iter().map(Into::into)).expect("a command");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = runtime.expect("a runtime").block_on(builder.run(command));
    // an exit code can be compared in no other way
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

/// Saves a state, puts another in its place, and restores.
fn round_trip<T: State>(saved: &T, other: &T, source: Source<T>) -> Outcome {
    let storage = MemoryStorage::new();
    let state = Arc::new(Mutex::new(saved.clone()));
    let made = run(source(Arc::clone(&state)), &storage, &["backup"]);
    let archives = storage.list().expect("a list");
    assert_eq!(archives.len(), usize::from(made), "what is refused leaves nothing");
    let Some((id, _)) = archives.first() else { return Outcome::Refused };
    other.clone_into(&mut state.lock().expect("not poisoned"));
    let words = ["restore", &id.to_string(), "--yes", "--force"];
    let restored = run(source(Arc::clone(&state)), &storage, &words);
    assert!(restored, "a late failure: {saved:?} over {other:?}");
    let live = state.lock().expect("not poisoned");
    assert!(*live == *saved, "saved was {saved:?}, and back came {live:?}");
    Outcome::Restored
}

/// The work, in a process of its own: the commands print for people. No reason that is printed may
/// hold a client's data, nor any log record, and each names the section.
fn apart(test: &str, sections: &[&str], work: impl FnOnce()) {
    if env::var_os(APART).is_some() {
        let log = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        log.with_writer(std::io::stderr).init();
        return work();
    }
    let program = env::current_exe().expect("the test's own path");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--include-ignored", "--nocapture"]).env(APART, "1");
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let reasons = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{}", tail(&reasons));
    assert!(!reasons.contains(SECRET), "a client's data is told: {}", tail(&reasons));
    reasons.lines().filter(|line| line.contains("Tally")).for_each(|line| eprintln!("{line}"));
    let (log, reasons): (Vec<&str>, Vec<&str>) =
        reasons.lines().partition(|line| line.contains("teloxide_backup::"));
    assert!(!log.is_empty(), "nothing was listened to");
    let reason = |line: &&&str| line.contains("as JSON") || line.contains("read back");
    for reason in reasons.iter().filter(reason) {
        let named = sections.iter().any(|section| reason.contains(&format!("«{section}")));
        assert!(named, "no section is named: {reason}");
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// How many of the cases ended so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    restored: u32,
    refused: u32,
}

/// Round trips of so many states by chance; `lawful` says which of them must be taken.
fn tally<T: State>(
    cases: u32,
    states: &impl Strategy<Value = T>,
    source: Source<T>,
    lawful: impl Fn(&T) -> Option<bool>,
) -> Tally {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = if cases == CASES { fixed(config) } else { TestRunner::new(config) };
    let tally = std::cell::Cell::new(Tally::default());
    let outcome = runner.run(&(states, states), |(saved, other)| {
        let outcome = round_trip(&saved, &other, source);
        let Tally { restored, refused } = tally.get();
        tally.set(match outcome {
            Outcome::Restored => Tally { restored: restored + 1, refused },
            Outcome::Refused => Tally { restored, refused: refused + 1 },
        });
        if let Some(lawful) = lawful(&saved) {
            prop_assert_eq!(outcome == Outcome::Restored, lawful);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.get();
    eprintln!("{}: {tally:?}", std::any::type_name::<T>().rsplit("::").next().unwrap_or_default());
    tally
}

/// The same states each time.
fn fixed(config: Config) -> TestRunner {
    use proptest::test_runner::{RngAlgorithm, TestRng};
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

// States that JSON can hold come back, and those that it cannot are refused.

#[test]
fn what_json_can_hold_comes_back_to_the_last_bit() {
    let test = "what_json_can_hold_comes_back_to_the_last_bit";
    apart(test, &zoo::SECTIONS, || zoo::all(CASES));
}

#[test]
#[ignore = "takes long: 10,000 states of each type"]
fn what_json_can_hold_comes_back_ten_thousand_times() {
    let test = "what_json_can_hold_comes_back_ten_thousand_times";
    apart(test, &zoo::SECTIONS, || zoo::all(MANY_CASES));
}

// Types that lose something are refused as soon as they lose it.

#[test]
fn what_a_type_loses_is_found_when_the_backup_is_made() {
    let test = "what_a_type_loses_is_found_when_the_backup_is_made";
    apart(test, &lossy::SECTIONS, || lossy::all(CASES));
}

#[test]
#[ignore = "takes long: 10,000 states of each type"]
fn what_a_type_loses_is_found_ten_thousand_times() {
    let test = "what_a_type_loses_is_found_ten_thousand_times";
    apart(test, &lossy::SECTIONS, || lossy::all(MANY_CASES));
}

// Edges, one by one.

#[test]
fn what_is_too_deep_is_refused_and_nothing_else() {
    let test = "what_is_too_deep_is_refused_and_nothing_else";
    apart(test, &["deep", "lossy"], || {
        let deepest = [0, 1, 125, 126, 127, 128, 200, 1000].map(|levels| {
            let saved = lossy::Deep::of(levels);
            (levels, round_trip(&saved, &lossy::Deep::of(3), Shared::new))
        });
        for (levels, outcome) in deepest {
            assert_eq!(outcome == Outcome::Restored, levels <= 126, "{levels} levels");
        }
        // no bracket stands in this one, however long it is
        let outcome = round_trip(&lossy::Linked::of(5000), &lossy::Linked::of(0), Shared::new);
        assert_eq!(outcome, Outcome::Refused);
    });
}

#[test]
fn a_long_text_comes_back() {
    apart("a_long_text_comes_back", &[], || {
        let text = "\"\\\u{0}\u{7f}\u{2028}\u{202e}\u{feff}😀\r\n".repeat(200_000);
        let outcome = round_trip(&vec![text], &Vec::new(), Shared::new);
        assert_eq!(outcome, Outcome::Restored);
    });
}

#[test]
fn live_data_that_cannot_be_saved_are_given_up_by_force_alone() {
    apart("live_data_that_cannot_be_saved_are_given_up_by_force_alone", &["data"], || {
        let storage = MemoryStorage::new();
        let state = Arc::new(Mutex::new(Some(Some(5_u8))));
        let source = || Shared::new(Arc::clone(&state));
        assert!(run(source(), &storage, &["backup"]));
        let id = storage.list().expect("a list")[0].0.to_string();
        *state.lock().expect("not poisoned") = Some(None);
        assert!(!run(source(), &storage, &["restore", &id]));
        assert_eq!(*state.lock().expect("not poisoned"), Some(None));
        assert!(run(source(), &storage, &["restore", &id, "--force"]));
        assert_eq!(*state.lock().expect("not poisoned"), Some(Some(5)));
    });
}
