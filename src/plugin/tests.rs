//! The schedule as a whole, held against simple rules: random lives of a bot and its copies.

mod history;
mod rules;
mod telegram;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use history::{History, histories};
use world::World;

fn live(history: &History) -> (Vec<String>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(World::live(history))
}

/// So many random lives; a failing one is made as short as can be.
fn try_lives(cases: u32, seed: [u8; 32]) -> u64 {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let made = AtomicU64::new(0);
    let outcome = TestRunner::new_with_rng(config, rng).run(&histories(), |history| {
        let (violations, backups) = live(&history);
        made.fetch_add(backups, Ordering::Relaxed);
        if violations.is_empty() { Ok(()) } else { Err(TestCaseError::fail(violations.join("\n"))) }
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    made.into_inner()
}

#[test]
fn some_lives_keep_all_rules() {
    let made = try_lives(150, [7; 32]);
    assert!(made > 500, "{made} backups");
}

#[test]
#[ignore = "takes long: some minutes with --release"]
fn ten_thousand_lives_keep_all_rules() {
    let halves = [1, 2].map(|_| {
        std::thread::spawn(|| {
            // others each time; what fails is shown whole
            let chance = uuid::Uuid::new_v4().into_bytes();
            try_lives(5000, std::array::from_fn(|n| chance[n % 16]))
        })
    });
    let made = halves.map(|half| half.join().expect("it keeps the rules"));
    println!("{} backups", made.iter().sum::<u64>());
}
