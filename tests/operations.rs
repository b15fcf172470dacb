//! The reference example as the person who runs it meets it: settings, log, start, end, systemd.
#![cfg(target_os = "linux")]

#[path = "support/canary.rs"]
mod canary;
#[path = "operations/service.rs"]
mod service;
#[path = "operations/trial.rs"]
mod trial;
#[path = "operations/unit.rs"]
mod unit;

use std::fs::{self, File};
use std::io::Read;
use std::process::Output;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest, Sha256};
use telegram_sandbox::Fault;
use tokio::process::Command;
use zip::ZipArchive;

use service::{Server, until};

/// How many orders take long enough to back up.
const MANY: i64 = 60_000;

/// The only archive there is: it is whole, and holds so many orders.
fn verify(server: &Server, orders: i64) {
    let archives = server.archives();
    assert_eq!(archives.len(), 1, "{archives:?}");
    let file = File::open(server.path("backups").join(&archives[0])).expect("opens");
    let mut zip = ZipArchive::new(file).expect("an archive");
    let mut read = |name| {
        let mut bytes = Vec::new();
        zip.by_name(name).expect(name).read_to_end(&mut bytes).expect("the bytes");
        bytes
    };
    let data = read("data.json");
    let metadata: Value = serde_json::from_slice(&read("metadata.json")).expect("JSON");
    assert_eq!(metadata["data_sha256"], hex(&Sha256::digest(&data)), "{metadata}");
    assert_eq!(metadata["records_count"]["tickets"], orders, "{metadata}");
    assert_eq!(server.drafts(), [""; 0]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_backup_finishes_it() {
    let server = Server::new().await;
    server.fill(MANY);
    let mut bot = server.start(&mut server.command());
    server.admin.send("/backup").await;
    until("a draft", || server.drafted() > 0).await;
    bot.terminate().await;
    server.told("STOPPING=1").await;
    assert!(bot.runs() && server.archives().is_empty(), "there was nothing to finish");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.log());
    verify(&server, MANY);
    server.admin.wait_for("Бекап создан").await;
    server.sandbox.finish().await;
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_restore_finishes_it() {
    let server = Server::new().await;
    server.fill(10);
    let mut bot = server.start(&mut server.command());
    server.admin.send("/backup").await;
    server.admin.wait_for("Бекап создан").await;
    let database = Connection::open(server.path("clientbotmanager.db")).expect("opens");
    database.execute_batch("UPDATE orders SET status = 'потерян'").expect("a loss");

    // the restore waits for whoever writes into the database
    database.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    server.admin.send("/backup_list").await;
    let list = server.admin.wait_for("Список бекапов").await;
    server.admin.press_on(list.id, &list.buttons[0][0].text).await;
    server.admin.wait_for("Восстановить данные из этого бекапа?").await;
    server.admin.press("✅ Да, восстановить").await;
    // it has begun once what is live is saved
    until("a safety backup", || server.archives().len() == 2).await;
    bot.terminate().await;
    server.told("STOPPING=1").await;
    let restored = "SELECT count(*) FROM orders WHERE status = 'новый'";
    let count = || database.query_row(restored, [], |row| row.get(0)).expect("a number");
    let before: i64 = count();
    assert!(bot.runs() && before == 0, "there was nothing to finish");

    database.execute_batch("ROLLBACK").expect("the lock is given back");
    assert_eq!(bot.end().await.code(), Some(0), "{}", bot.log());
    assert_eq!(count(), 10, "{}", bot.log());
    server.admin.wait_for("✅ Готово!").await;
    server.sandbox.finish().await;
}

/// teloxide hands a chat's updates over in a queue of 64, and waits while it is full.
#[tokio::test]
async fn sigterm_is_heard_while_a_chat_is_busy() {
    let server = Server::new().await;
    let anna = server.sandbox.person(42, "Анна").await;
    for _ in 0..80 {
        anna.send("/menu").await;
    }
    server.sandbox.inject(Fault::Delay(Duration::from_secs(3)).on("sendMessage"));
    let mut bot = server.start(&mut server.command());
    until("an answer", || !server.sandbox.calls_of("sendMessage").is_empty()).await;
    assert_eq!(bot.stop().await.code(), Some(0), "{}", bot.log());
    server.sandbox.finish().await;
}

#[tokio::test]
async fn a_second_ctrl_c_ends_at_once() {
    let server = Server::new().await;
    server.fill(MANY);
    let mut bot = server.start(server.command().env("BACKUP_ENABLED", "true"));
    until("a draft", || server.drafted() > 0).await;
    bot.interrupt().await;
    server.told("STOPPING=1").await;
    bot.interrupt().await;
    assert_eq!(bot.end().await.code(), Some(130), "{}", bot.log());
    assert_eq!(server.archives(), [""; 0]);
}

#[tokio::test]
async fn without_telegram_the_backups_are_made_and_the_end_is_clean() {
    let server = Server::new().await;
    server.fill(10);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let mut command = server.command();
    command.env("TELOXIDE_API_URL", format!("http://{address}")).env("BACKUP_ENABLED", "true");
    let mut bot = server.start(&mut command);
    let ready = server.told("READY=1").await;
    assert!(ready.contains("STATUS=Waiting for Telegram"), "{ready}");
    until("a backup", || !server.archives().is_empty()).await;
    assert!(bot.runs(), "{}", bot.log());
    assert_eq!(bot.stop().await.code(), Some(0), "{}", bot.log());
    verify(&server, 10);
}

#[tokio::test]
async fn telegram_may_come_later() {
    let server = Server::new().await;
    server.sandbox.inject(Fault::Drop.on("getMe").times(2));
    let mut bot = server.start(&mut server.command());
    let ready = server.told("STATUS=Serving").await;
    assert!(ready.contains("READY=1") && ready.contains(&server.sandbox.bot_username()), "{ready}");
    server.admin.send("/backup_settings").await;
    server.admin.wait_for("Интервал").await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let log = bot.log();
    let pauses: Vec<_> = log.lines().filter(|line| line.contains("asking again")).collect();
    assert!(pauses.len() == 2 && pauses[0].contains("in 1 s"), "{log}");
    assert!(pauses[1].contains("in 2 s"), "{log}");
    server.sandbox.finish().await;
}

#[tokio::test]
async fn a_wrong_token_is_a_mistake_that_no_restart_mends() {
    let server = Server::new().await;
    let token = "123456:AAWrongWrongWrongWrongWrongWrongWron";
    let mut bot = server.start(server.command().env("TELOXIDE_TOKEN", token));
    assert_eq!(bot.end().await.code(), Some(78));
    let log = bot.log();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.starts_with("<3>clientbotmanager: TELOXIDE_TOKEN"), "{log}");
    assert!(!log.contains("Wrong"), "{log}");
    server.sandbox.finish().await;
}

#[tokio::test]
async fn systemd_hears_that_the_bot_is_up_lives_and_ends() {
    let server = Server::new().await;
    let mut bot = server.start(server.command().env("WATCHDOG_USEC", "100000"));
    server.told("READY=1").await;
    for _ in 0..5 {
        server.told("WATCHDOG=1").await;
    }
    bot.terminate().await;
    server.told("STOPPING=1").await;
    assert_eq!(bot.end().await.code(), Some(0));
    server.sandbox.finish().await;
}

#[tokio::test]
async fn the_journal_gets_a_priority_a_target_and_nothing_of_the_clients() {
    let server = Server::new().await;
    let anna = server.sandbox.person(42, "Анна Каренина").await;
    // what it logs by itself
    let mut bot = server.start(server.command().env_remove("RUST_LOG"));
    anna.send("Меня зовут Анна").await;
    anna.wait_until(|chat| chat.last_from_bot().map(|_| ())).await;
    server.admin.send("/backup").await;
    server.admin.wait_for("Бекап создан").await;
    server.sandbox.inject(Fault::Drop.on("getUpdates"));
    until("a warning", || bot.log().contains("no updates")).await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let log = bot.log();
    let levels = ["<3>ERROR ", "<4>WARN ", "<6>INFO "];
    for line in log.lines() {
        assert!(levels.iter().any(|level| line.starts_with(level)), "{line}");
        let target = line.split(' ').nth(1).expect("a target");
        assert!(target.ends_with(':') && target.contains("::"), "{line}");
    }
    assert!(
        log.contains("<6>INFO teloxide_backup::service::create: made a backup backup="),
        "{log}"
    );
    assert!(log.contains("<4>WARN clientbotmanager::telegram: no updates"), "{log}");
    for secret in ["Анна", "Sandbox", &chrono::Utc::now().format("%Y-%m-%dT").to_string()] {
        assert!(!log.contains(secret), "{log}");
    }
    server.sandbox.finish().await;
}

#[tokio::test]
async fn the_token_may_come_from_systemd() {
    let server = Server::new().await;
    fs::write(server.path("TELOXIDE_TOKEN"), format!("{}\n", server.sandbox.token()))
        .expect("kept");
    let mut command = server.command();
    command.env_remove("TELOXIDE_TOKEN").env("CREDENTIALS_DIRECTORY", server.folder.path());
    let mut bot = server.start(&mut command);
    server.told("STATUS=Serving").await;
    assert_eq!(bot.stop().await.code(), Some(0));

    fs::write(server.path("TELOXIDE_TOKEN"), "\n").expect("emptied");
    let mut bot = server.start(&mut command);
    assert_eq!(bot.end().await.code(), Some(78));
    assert!(bot.log().contains("TELOXIDE_TOKEN"), "{}", bot.log());
    server.sandbox.finish().await;
}

/// Runs the bot with a mistake in its settings; gives its one line.
async fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().await.expect("the bot runs");
    let stderr = String::from_utf8_lossy(&stderr).trim_end().to_owned();
    assert_eq!(status.code(), Some(78), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[tokio::test]
async fn mistakes_in_the_settings_are_named_in_one_line() {
    let server = Server::new().await;
    for bad in ["nowhere", "mailto:anna@example.org", "socks5://localhost"] {
        for name in ["TELOXIDE_API_URL", "TELOXIDE_PROXY"] {
            let line = refused(server.command().env(name, bad)).await;
            assert!(line.contains(name), "{line}");
        }
    }
    for bad in ["@anna", "-5", "0", ""] {
        let line = refused(server.command().env("ADMIN_USER_ID", bad)).await;
        assert!(line.contains("the environment: ADMIN_USER_ID"), "{line}");
    }
    let line = refused(server.command().env_remove("ADMIN_USER_ID")).await;
    assert!(line.contains("ADMIN_USER_ID"), "{line}");
    let line = refused(server.command().env("CONFIG", "missing.toml")).await;
    assert!(line.contains("missing.toml"), "{line}");
    let line = refused(server.command().env("BACKUP_KEEP_COUNT", "0")).await;
    assert!(line.contains("the environment: BACKUP_KEEP_COUNT"), "{line}");
}

#[tokio::test]
async fn mistakes_in_the_file_are_named_with_their_line() {
    let server = Server::new().await;
    for (text, named) in [
        ("BACKUP_KEEP_COUNT = 'ten'", "line 1: BACKUP_KEEP_COUNT"),
        ("# много\n\nBACKUP_KEEP_COUNTS = 10", "line 3: there is no setting BACKUP_KEEP_COUNTS"),
        ("BACKUP_DIR = 'копии'\nBACKUP_INTERVAL_DAYS = 0", "line 2: BACKUP_INTERVAL_DAYS"),
        ("DATABASE_PATH = 7", "line 1: DATABASE_PATH"),
        ("BACKUP_ENABLED = true\nADMIN_USER_ID = -5", "line 2: ADMIN_USER_ID"),
        ("ADMIN_USER_ID = 1\nBACKUP_DIR =", "line 2"),
        ("ADMIN_USER_ID = 1\nADMIN_USER_ID = 2", "line 2"),
        ("[backup]\nenabled = true", "there is no setting backup"),
    ] {
        fs::write(server.path("config.toml"), text).expect("the settings");
        let line = refused(&mut server.command()).await;
        assert!(line.contains("config.toml, ") && line.contains(named), "{line}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named() {
    let server = Server::new().await;
    let mut bot = server.start(server.command().env("DATABASE_PATH", "no/such/folder.db"));
    assert_eq!(bot.end().await.code(), Some(1));
    assert!(bot.log().contains("no/such/folder.db"), "{}", bot.log());
}

#[tokio::test]
async fn the_end_does_not_wait_for_telegram_for_ever() {
    let server = Server::new().await;
    let mut bot = server.start(&mut server.command());
    server.told("STATUS=Serving").await;
    server.sandbox.inject(Fault::Delay(Duration::from_secs(3600)).on("getUpdates").times(9));
    assert_eq!(bot.stop().await.code(), Some(0), "{}", bot.log());
}

/// A command as cron gives it: with the settings alone; its exit code and its results.
async fn command(server: &Server, words: &[&str]) -> (Option<i32>, String) {
    let mut command = server.bare();
    command.env_remove("RUST_LOG");
    let output = command.env("CONFIG", "config.toml").args(words).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), told + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_python_bot_moves_in_by_one_command() {
    let server = Server::new().await;
    let settings = format!("ADMIN_USER_ID = {}\nBACKUP_ENABLED = false\n", service::ADMIN);
    fs::write(server.path("config.toml"), settings).expect("the settings");
    let archive = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/python-archives/backup_20260201_143025.zip"
    );
    let (code, told) = command(&server, &["restore", archive]).await;
    assert_eq!(code, Some(0), "{told}");
    let client = server.sandbox.person(4_341_649_069, "Мария").await;
    let mut command_line = server.bare();
    let mut bot = server.start(command_line.env("TELOXIDE_TOKEN", server.sandbox.token()));
    client.send("📦 Статус заказа").await;
    client.wait_for("efe6f675 — в работе").await;

    // beside the bot that runs
    let (code, told) = command(&server, &["backup"]).await;
    assert_eq!(code, Some(0), "{told}");
    let name = server.archives().into_iter().max().expect("a backup");
    assert!(told.trim_end().ends_with(&name), "{told}");
    let (code, told) = command(&server, &["verify"]).await;
    assert!(code == Some(0) && told.contains(&name), "{told}");
    fs::write(server.path("backups").join(&name), "PK").expect("damaged");
    let (code, told) = command(&server, &["verify"]).await;
    assert!(code == Some(3) && told.contains(&name), "{told}");
    let (code, told) = command(&server, &["restor"]).await;
    assert_eq!(code, Some(2), "{told}");
    assert_eq!(bot.stop().await.code(), Some(0), "{}", bot.log());
    server.sandbox.finish().await;
}

#[tokio::test]
async fn a_command_in_a_folder_without_settings_changes_nothing() {
    let server = Server::new().await;
    let mut command = server.bare();
    let output = command.args(["restore", "backup.zip"]).output().await.expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("config.toml") && told.contains("CONFIG"), "{told}");
    assert!(!server.path("clientbotmanager.db").exists());
}
