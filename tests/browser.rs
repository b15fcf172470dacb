//! The trial as a person meets it: in a real browser, from the first word to the undone restore.
//!
//! The pictures of the manual come from here: `UPDATE_IMAGES=1 cargo test --test browser`.
#![cfg(target_os = "linux")]

#[path = "support/canary.rs"]
mod canary;
#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/page.rs"]
mod page;
#[path = "browser/picture.rs"]
mod picture;
#[path = "browser/tab.rs"]
mod tab;
#[path = "browser/trial.rs"]
mod trial;

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use chromium::{Chromium, View};
use tab::{Tab, until};
use trial::Trial;

pub(crate) const ADMIN: i64 = 1;
pub(crate) const ANNA: i64 = 101;
pub(crate) const BORIS: i64 = 102;

const ORDER: &str = "📝 Заказать бота";
const STATUS: &str = "📦 Статус заказа";
const BRIEF: (&str, &str) = ("задание.txt", "Бот для цветочного магазина: витрина и доставка.\n");

/// What the client answers, and what the bot asks then.
const ANSWERS: [(&str, &str); 8] = [
    ("Анна Соколова", "связаться"),
    ("@anna_example", "идею"),
    ("Цветочный магазин с доставкой", "Какой это бот"),
    ("магазин", "бюджет"),
    ("60000", "сроку"),
    ("к 14 февраля", "тариф"),
    ("полный", "пожелания"),
    ("напоминать о поливе", "файл"),
];

/// Fills in the form up to the summary.
async fn fill_in(client: &Tab) {
    client.tap(ORDER).await;
    client.hears("Как вас зовут").await;
    for (answer, question) in ANSWERS {
        client.write(answer).await;
        client.hears(question).await;
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join(BRIEF.0);
    fs::write(&file, BRIEF.1).expect("a file");
    client.attach(&file).await;
    client.hears("Где бот будет работать").await;
    client.tap("ваш сервер").await;
    client.hears("Потратить бонусы").await;
    client.tap("Да").await;
    client.hears("Проверьте заказ").await;
}

/// Makes an order; gives its number.
async fn place(client: &Tab) -> String {
    fill_in(client).await;
    client.picture("order").await;
    client.press("✅ Отправить заказ").await;
    let thanks = client.hears("принят").await;
    let number = thanks.split_whitespace().nth(3).expect("a number").to_owned();
    assert!(number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_hexdigit()), "{thanks}");
    number
}

/// The orders that the client is shown.
async fn orders(client: &Tab) -> String {
    client.tap(STATUS).await;
    client.hears("Ваши заказы").await
}

/// The administrator deletes the order, as if by mistake.
async fn lose(admin: &Tab, order: &str) {
    admin.write("/admin").await;
    admin.press("📦 Заказы").await;
    admin.press(order).await;
    admin.hears("Статус: новый").await;
    admin.press("🗑 Удалить").await;
    admin.hears("Вернуть его сможет только бекап").await;
    admin.press("🗑 Да, удалить").await;
    admin.hears("удалён").await;
}

/// Restores the newest backup, which must be this one.
async fn restore(admin: &Tab, backup: &str) {
    admin.write("/backup_list").await;
    let list = admin.hears("Список бекапов").await;
    assert!(list.contains(&format!("1. {backup}")), "{list}");
    admin.picture("list").await;
    admin.press("🔄 1.").await;
    let question = admin.hears("Восстановить данные из этого бекапа?").await;
    assert!(question.contains(backup), "{question}");
    admin.picture("question").await;
    admin.press("📥 Скачать архив").await;
    admin.click(&format!("#messages a[download='{backup}']")).await;
    admin.press("✅ Да, восстановить").await;
    admin.hears("✅ Готово!").await;
    admin.picture("restored").await;
}

/// What Python's zipfile finds in an archive.
async fn read_by_python(archive: &[u8]) -> Value {
    let copy = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(copy.path(), archive).expect("written");
    let script = "import json, sys, zipfile\n\
        archive = zipfile.ZipFile(sys.argv[1])\n\
        data = json.loads(archive.read('data.json'))\n\
        print(json.dumps([archive.testzip(), archive.namelist(), data]))";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(copy.path()).stdin(Stdio::null());
    let output = python.output().await.expect("install python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_lost_order_comes_back() {
    let trial = Trial::start().await;
    let chromium = Chromium::open(View::Desktop).await;
    let client = chromium.first_tab(&trial.page_of(ANNA)).await;
    client.write("/start").await;
    client.hears("Здравствуйте, Анна!").await;
    client.hears("С чего начнём?").await;
    client.picture("greeting").await;
    // the greeting, what the administrator can do, and the first backup
    client.sees_unread(ADMIN, 3).await;
    let order = place(&client).await;
    // the form, what can be done with it, and the file
    client.sees_unread(ADMIN, 6).await;

    let admin = chromium.tab(&trial.page_of(ADMIN)).await;
    admin.hears(&format!("Новый заказ {order}")).await;
    admin.hears(BRIEF.0).await;
    admin.click("#messages a[data-file]").await;
    // so that there is more of the chat to see
    admin.click("#keyboard-toggle").await;
    assert_eq!(chromium.downloaded(BRIEF.0).await, BRIEF.1.as_bytes());

    admin.write("/backup").await;
    let done = admin.hears("✅ Бекап создан успешно").await;
    admin.picture("backup").await;
    let archive = done.lines().find(|line| line.starts_with('/')).expect("a path").trim();
    let backup = archive.rsplit('/').next().expect("a name");
    lose(&admin, &order).await;
    assert!(!orders(&client).await.contains(&order));
    restore(&admin, backup).await;
    assert!(orders(&client).await.contains(&order));
    admin.press("↩️ Отменить восстановление").await;
    admin.hears("Восстановление отменено").await;
    assert!(!orders(&client).await.contains(&order));
    admin.press("↩️ Вернуть обратно").await;
    admin.hears("Готово, данные снова такие, как до отмены").await;
    until("the order again", async || orders(&client).await.contains(&order).then_some(())).await;

    let downloaded = chromium.downloaded(backup).await;
    assert_eq!(downloaded, std::fs::read(archive).expect("on the server as well"));
    let found = read_by_python(&downloaded).await;
    assert_eq!(found[0], Value::Null);
    assert_eq!(found[1], json!(["data.json", "metadata.json"]));
    let kept = &found[2]["tickets"][ANNA.to_string()][&order];
    assert_eq!(kept["data"]["idea"], "Цветочный магазин с доставкой", "{kept}");
    chromium.close().await;
    trial.end().await;
}
