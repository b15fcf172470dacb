//! What nobody could be told of is told later, once, and to each administrator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::bail;
use chrono::TimeDelta;
use telegram_sandbox::{Fault, Sandbox};
use teloxide::types::UserId;

use crate::world::{ADMIN, DAY, HOUR, MINUTE, World, pass, told};

#[tokio::test]
async fn a_failure_that_nobody_could_be_told_of_is_told_later() {
    let sandbox = Sandbox::start().await;
    // has not written to the bot yet, which then may not write either
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let world = World::berlin(7).with_bot_of(&sandbox).fate(|_| bail!("the database is locked"));
    for expected in [0, 1, 1] {
        let task = world.start();
        world.source.begun.notified().await;
        task.shutdown().await;
        assert_eq!(told(&sandbox, "Бекап по расписанию не создан"), expected);
        anna.send("/start").await;
    }
    sandbox.finish().await;
}

/// A bot whose administrator has not written to it yet: no message arrives.
async fn unheard() -> (Sandbox, telegram_sandbox::Person, World, Arc<AtomicBool>) {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.newcomer(ADMIN.0.cast_signed(), "Anna").await;
    let (world, broken) = World::berlin(7).with_bot_of(&sandbox).breakable(false);
    (sandbox, anna, world, broken)
}

const MADE: &str = "Бекап по расписанию создан";
const NOT_MADE: &str = "Бекап по расписанию не создан";
const WORKS: &str = "Бекапы по расписанию снова работают";

#[tokio::test(start_paused = true)]
async fn a_backup_that_nobody_has_heard_of_is_told_later() {
    let (sandbox, anna, world, _) = unheard().await;
    let task = world.start();
    pass(HOUR).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (0, 1));
    anna.send("/start").await;
    pass(2 * HOUR).await;
    assert_eq!(told(&sandbox, MADE), 1);
    task.shutdown().await;
    // and not again at the next start
    let task = world.start();
    pass(HOUR).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (1, 1));
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_nobody_has_heard_of_is_told_after_a_restart() {
    let (sandbox, anna, world, _) = unheard().await;
    for expected in [0, 1, 1] {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        assert_eq!((told(&sandbox, MADE), world.archives().len()), (expected, 1));
        anna.send("/start").await;
    }
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn of_several_backups_that_nobody_has_heard_of_the_last_is_told() {
    let (sandbox, anna, world, _) = unheard().await;
    let task = world.start();
    pass(15 * DAY).await;
    assert_eq!((told(&sandbox, MADE), world.archives().len()), (0, 3));
    anna.send("/start").await;
    pass(2 * DAY).await;
    let newest = world.archives()[2].to_string();
    assert_eq!((told(&sandbox, MADE), told(&sandbox, &newest)), (1, 1));
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_of_a_failure_that_nobody_has_heard_of_is_told_once_with_the_last_of_it() {
    let (sandbox, anna, world, broken) = unheard().await;
    anna.send("/start").await;
    broken.store(true, Ordering::Relaxed);
    let once = async || {
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
    };
    once().await;
    assert_eq!(told(&sandbox, NOT_MADE), 1);
    // it works again while she cannot be reached, then fails again: to her it has never worked
    anna.block_bot().await;
    broken.store(false, Ordering::Relaxed);
    once().await;
    world.clock.jump(TimeDelta::days(8));
    broken.store(true, Ordering::Relaxed);
    anna.unblock_bot().await;
    // at the start what is left is told, or what fails is the same failure: never both
    once().await;
    once().await;
    let (failures, recoveries) = (told(&sandbox, NOT_MADE), told(&sandbox, WORKS));
    assert_eq!(failures, recoveries + 1, "{failures} failures and {recoveries} ends");
    broken.store(false, Ordering::Relaxed);
    once().await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (failures, failures));
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn one_administrator_who_cannot_be_reached_keeps_no_other_waiting() {
    let sandbox = Sandbox::start().await;
    let people =
        [sandbox.person(ADMIN.0.cast_signed(), "Anna").await, sandbox.person(43, "Boris").await];
    let world = World::berlin(7).with_bot_of(&sandbox).fate(|_| bail!("the database is locked"));
    let plugin = world.builder().admin(UserId(43)).build().expect("a plugin");
    // one of the two has to wait
    sandbox.inject(Fault::TooManyRequests { retry_after: 100 }.on("sendMessage"));
    let task = plugin.spawn();
    let heard = || {
        let told = |text: &str| text.contains(NOT_MADE);
        let times = |chat: telegram_sandbox::Chat| {
            chat.messages.iter().filter(|message| told(&message.plain)).count()
        };
        let mut heard = people.each_ref().map(|person| times(person.chat()));
        heard.sort_unstable();
        heard
    };
    pass(Duration::from_secs(30)).await;
    assert_eq!(heard(), [0, 1]);
    pass(3 * DAY).await;
    assert_eq!(heard(), [1, 1], "each of them hears it once");
    task.shutdown().await;
    sandbox.finish().await;
}

#[tokio::test(start_paused = true)]
async fn to_whoever_has_not_heard_of_its_end_a_failure_is_still_the_same() {
    let (sandbox, anna, world, broken) = unheard().await;
    anna.send("/start").await;
    let once = async |fails: bool| {
        broken.store(fails, Ordering::Relaxed);
        let task = world.start();
        pass(MINUTE).await;
        task.shutdown().await;
        world.clock.jump(TimeDelta::days(8));
    };
    once(true).await;
    anna.block_bot().await;
    once(false).await;
    once(true).await;
    anna.unblock_bot().await;
    once(true).await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (1, 0));
    once(false).await;
    assert_eq!((told(&sandbox, NOT_MADE), told(&sandbox, WORKS)), (1, 1));
    sandbox.finish().await;
}
