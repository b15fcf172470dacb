//! Clients who write while a restore runs: they are asked to wait, and nothing that they wrote is lost.

use std::fs;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::backups::{agree_to, back_up, backups};
use crate::world::World;

/// How long is waited on a busy machine before the test fails; the bot waits as long for the database.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until there are so many archives.
async fn archives(world: &World, number: usize) {
    let end = Instant::now() + PATIENCE;
    let is_archive = |name: &str| name.starts_with("backup_");
    let found = || {
        let names = fs::read_dir(backups(world)).expect("the folder");
        let names = names.map(|entry| entry.expect("an entry").file_name());
        names.filter(|name| is_archive(&name.to_string_lossy())).count()
    };
    while found() < number {
        assert!(Instant::now() < end, "there are never {number} archives");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_client_who_writes_during_a_restore_waits_for_its_end_and_is_heard() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("💬 Поддержка").await;
    anna.wait_for("Мы на связи").await;
    let name = back_up(&world).await;

    // the restore waits for whoever writes into the database
    let database = world.database();
    database.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    agree_to(&world, &name).await;
    // it has begun once what is live is saved
    archives(&world, 2).await;
    anna.send("Сколько стоит бот?").await;
    anna.wait_for("⏳ Идёт восстановление, минуту…").await;
    world.sandbox.settled().await;
    let restoring = world.admin.chat().last_from_bot().map(|message| message.plain.clone());
    assert!(restoring.is_some_and(|text| text.starts_with('⏳')), "it is over already");

    database.execute_batch("ROLLBACK").expect("the lock is given back");
    world.admin.wait_for("✅ Готово!").await;
    anna.wait_for("Передано администратору").await;
    world.admin.wait_for("Сколько стоит бот?").await;
    let count = "SELECT count(*) FROM support_messages";
    let kept: i64 = database.query_row(count, [], |row| row.get(0)).expect("a number");
    assert_eq!(kept, 1, "the restore has not taken it");
    world.sandbox.finish().await;
}
