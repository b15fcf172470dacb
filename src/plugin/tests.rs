//! The schedule as a whole, held against simple rules: random lives of a bot and its copies.

mod history;
mod rules;
mod telegram;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use teloxide::Bot;
use teloxide::types::UserId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::news::News;
use crate::error::{Error, ErrorKind};
use crate::service::Service;
use crate::source::Shared;
use crate::storage::MemoryStorage;
use history::Event::{self, BackUp, Break, Jump, Mend, Pass, Silence, Start, Stop};
use history::{History, Trouble, histories};
use world::World;

fn live(history: &History) -> (Vec<String>, [u64; 3]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(World::live(history))
}

/// So many random lives; a failing one is made as short as can be. Gives how many backups were made and
/// left out, and how often a failure was told of once more.
fn try_lives(cases: u32, seed: [u8; 32]) -> [u64; 3] {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let counts = [0; 3].map(AtomicU64::new);
    let outcome = TestRunner::new_with_rng(config, rng).run(&histories(), |history| {
        let (violations, backups) = live(&history);
        for (count, backups) in counts.iter().zip(backups) {
            count.fetch_add(backups, Ordering::Relaxed);
        }
        if violations.is_empty() { Ok(()) } else { Err(TestCaseError::fail(violations.join("\n"))) }
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    counts.map(AtomicU64::into_inner)
}

#[test]
fn some_lives_keep_all_rules() {
    let [made, left_out, reminders] = try_lives(100, [7; 32]);
    assert!(made > 200 && left_out > 200, "{made} backups, and {left_out} left out");
    assert!(reminders > 0, "no failure was told of once more");
}

#[test]
#[ignore = "takes long: two minutes with --release"]
fn ten_thousand_lives_keep_all_rules() {
    let halves = [1, 2].map(|_| {
        std::thread::spawn(|| {
            // others each time; what fails is shown whole
            let chance = uuid::Uuid::new_v4().into_bytes();
            try_lives(5000, std::array::from_fn(|n| chance[n % 16]))
        })
    });
    let made = halves.map(|half| half.join().expect("it keeps the rules"));
    let [made, left_out, reminders] =
        [0, 1, 2].map(|n| made.iter().map(|half| half[n]).sum::<u64>());
    println!("{made} backups, {left_out} left out, {reminders} reminders");
}

/// A life that has once broken a rule, with one backup a day of which one stays.
#[track_caller]
fn keeps_the_rules(events: &[Event]) {
    let (zone, start) = (chrono_tz::Europe::Berlin, "2026-03-27 02:30:00");
    keeps_all_rules(&History { zone, start, every: 1, keep: 1, events: events.to_vec() });
}

#[track_caller]
fn keeps_all_rules(history: &History) {
    let (violations, _) = live(history);
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn a_time_that_the_wall_shows_twice_has_come_when_it_is_shown_first() {
    let (zone, start) = (chrono_tz::Europe::Moscow, "2014-10-24 01:30:00");
    let events = [Break(Trouble::Source), Mend, Pass(1260), Stop(0), Pass(1680), Start].into();
    keeps_all_rules(&History { zone, start, every: 2, keep: 1, events });
}

#[test]
fn a_clock_that_is_set_back_to_within_a_sleep_is_seen() {
    let (zone, start) = (chrono_tz::Europe::Berlin, "2026-03-27 02:30:00");
    let events = [Start, Pass(720), Pass(1080), Pass(1440), BackUp(0), Jump(-2880)].into();
    keeps_all_rules(&History { zone, start, every: 3, keep: 1, events });
}

#[test]
fn a_reminder_that_is_on_its_way_when_a_backup_ends_the_incident_is_none_too_early() {
    keeps_the_rules(&[
        Break(Trouble::Source),
        Jump(3 * 1440),
        Silence(true),
        Stop(0),
        Start,
        Mend,
        Silence(false),
        BackUp(0),
        Pass(1),
    ]);
}

#[test]
fn what_was_told_and_noted_is_not_told_again_though_no_more_can_be_noted() {
    let source = Break(Trouble::Source);
    keeps_the_rules(&[
        Pass(3 * 1440),
        source,
        Jump(-2 * 1440),
        Pass(15),
        Break(Trouble::Full),
        Pass(3 * 1440),
    ]);
}

#[test]
fn a_failure_that_was_told_while_nothing_could_be_noted_is_not_told_again() {
    let of_the_data = Break(Trouble::Source);
    keeps_the_rules(&[Pass(1), Break(Trouble::Full), Pass(1440), of_the_data, Pass(60)]);
}

#[test]
fn a_backup_by_hand_ends_an_incident_that_could_not_be_noted() {
    let full = Break(Trouble::Full);
    keeps_the_rules(&[Pass(1), full, Pass(1450), Mend, BackUp(0), Pass(1500)]);
    let again = [full, Pass(1450)];
    keeps_the_rules(
        &[&[Pass(1), full, Pass(1450), Mend, BackUp(0), Pass(60)][..], &again].concat(),
    );
}

#[test]
fn a_clock_that_is_set_back_in_a_pause_does_not_end_the_incident() {
    keeps_the_rules(&[Break(Trouble::Full), Jump(-16), Pass(1)]);
    keeps_the_rules(&[
        Stop(0),
        Break(Trouble::Full),
        Start,
        Jump(-2880),
        Pass(2880),
        Jump(0),
        Pass(1),
    ]);
}

#[test]
fn backups_of_one_second_have_names_of_their_own_though_old_ones_go() {
    keeps_the_rules(&[BackUp(0), BackUp(0), BackUp(0)]);
}

#[test]
fn a_clock_that_comes_to_the_same_second_again_gives_no_name_again() {
    keeps_the_rules(&[Pass(1), BackUp(0), Pass(1), BackUp(0), Jump(-1), BackUp(0)]);
}

/// The news of a plugin that asks Telegram once at most: a bot that stops does no more.
fn news_to(bot: Bot) -> (News, Service) {
    let numbers = Arc::new(tokio::sync::RwLock::new(BTreeMap::from([("numbers".to_owned(), 7)])));
    let plugin = super::BackupPlugin::builder(bot, Shared::new(numbers))
        .admin(UserId(42))
        .storage(MemoryStorage::new())
        .build()
        .expect("a plugin");
    plugin.stop.cancel();
    let news = News::new(plugin.chat.clone(), plugin.service.clone(), plugin.stop.clone());
    (news, plugin.service.clone())
}

#[tokio::test]
async fn a_failure_that_waits_to_be_told_is_none_once_it_is_over() {
    let (news, service) = news_to(Bot::new("777:token"));
    let failure = || Error::new(ErrorKind::Busy, "another backup or restore is running");
    let (first, second) = (news.trouble(), news.trouble());
    news.failed(first, failure()).await;
    assert_eq!(service.failing().await.expect("notes"), None, "a newer one waits");
    news.over();
    news.failed(second, failure()).await;
    assert_eq!(service.failing().await.expect("notes"), None, "a backup was made since");
}

/// The news of such a plugin, and its Telegram.
async fn news_and_telegram() -> (Arc<News>, TcpListener) {
    let telegram = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", telegram.local_addr().expect("an address"));
    let bot = Bot::new("777:token").set_api_url(url.parse().expect("an address"));
    (Arc::new(news_to(bot).0), telegram)
}

/// Fails if the bot asks for anything.
async fn assert_silent(telegram: &TcpListener) {
    let asked = tokio::time::timeout(Duration::ZERO, telegram.accept()).await;
    assert!(asked.is_err(), "a word that is none any more");
}

#[tokio::test]
async fn a_stop_that_waits_to_be_told_is_none_once_it_is_over() {
    let (news, telegram) = news_and_telegram().await;
    let stopped = news.stop();
    news.over();
    news.stuck(stopped).await;
    assert_silent(&telegram).await;
}

#[tokio::test]
async fn the_end_of_a_stop_that_waits_to_be_told_is_none_once_there_is_another() {
    let (news, telegram) = news_and_telegram().await;
    let (stopped, telling) = (news.stop(), Arc::clone(&news));
    let told = tokio::spawn(async move { telling.stuck(stopped).await });
    let (mut connection, _) = telegram.accept().await.expect("a connection");
    let mut asked = Vec::new();
    while !asked.ends_with(b"}") {
        connection.read_buf(&mut asked).await.expect("a request");
    }
    let taken = telegram::TAKEN;
    let length = taken.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{taken}");
    connection.write_all(answer.as_bytes()).await.expect("sent");
    told.await.expect("no panic");
    let end = news.end();
    news.stop();
    news.resumed(end).await;
    let more = tokio::time::timeout(Duration::ZERO, connection.read_buf(&mut asked)).await;
    assert!(more.is_err(), "another stop has begun");
    assert_silent(&telegram).await;
}
