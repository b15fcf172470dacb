//! What was backed up comes back, also from the Python bot.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use telegram_sandbox::Shown;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::steps::{STATUS, place, review};
use crate::world::World;

/// Restores the backup of this name by the buttons.
async fn restore(world: &World, name: &str) {
    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for("Список бекапов").await;
    let button = button_of(&list, name);
    world.admin.press_on(list.id, &button).await;
    world.admin.wait_for("Восстановить данные из этого бекапа?").await;
    world.admin.press("✅ Да, восстановить").await;
    world.admin.wait_for("✅ Готово!").await;
}

/// The button that belongs to a backup in the list.
fn button_of(list: &Shown, name: &str) -> String {
    let line = list.plain.lines().find(|line| line.ends_with(name)).expect(name);
    let number = line.split_whitespace().next().expect("a number");
    let mut buttons = list.buttons.iter().flatten();
    let button = buttons.find(|button| button.text.contains(&format!(" {number} ")));
    button.expect("a button").text.clone()
}

/// Puts an archive of the Python bot among the backups.
fn add_fixture(world: &World, name: &str) -> PathBuf {
    let fixture =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-archives").join(name);
    let copy = backups(world).join(name);
    fs::copy(fixture, &copy).expect("the fixture");
    copy
}

/// Puts an archive with these data among the backups.
fn add_archive(world: &World, name: &str, data: &Value) {
    let sections = data.as_object().expect("a map").iter();
    let length = |data: &Value| data.as_object().map_or_else(|| list_length(data), Map::len);
    let counts: Map<_, _> =
        sections.map(|(name, data)| (name.clone(), length(data).into())).collect();
    let metadata = json!({
        "created_at": "2026-03-01T10:00:00", "backup_version": "1.0", "records_count": counts,
    });
    let mut zip = ZipWriter::new(File::create(backups(world).join(name)).expect("a file"));
    for (file, json) in [("data.json", data), ("metadata.json", &metadata)] {
        zip.start_file(file, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(json.to_string().as_bytes()).expect("written");
    }
    zip.finish().expect("an archive");
}

fn list_length(data: &Value) -> usize {
    data.as_array().map_or(0, Vec::len)
}

fn backups(world: &World) -> PathBuf {
    let folder = world.folder.path().join("backups");
    fs::create_dir_all(&folder).expect("the folder");
    folder
}

/// Makes a backup now; gives its name.
async fn back_up(world: &World) -> String {
    world.admin.send("/backup").await;
    let done = world.admin.wait_for("✅ Бекап создан").await;
    let name = done.plain.rsplit(['/', '\\']).next().expect("a name").trim().to_owned();
    assert!(name.starts_with("backup_"), "{done}");
    name
}

fn data_of(path: PathBuf) -> (String, Value) {
    let mut zip = ZipArchive::new(File::open(path).expect("opens")).expect("an archive");
    let mut text = String::new();
    zip.by_name("data.json").expect("the data").read_to_string(&mut text).expect("text");
    let data = serde_json::from_str(&text).expect("JSON");
    (text, data)
}

#[tokio::test]
async fn a_lost_order_comes_back_and_the_restore_can_be_undone() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    let first = place(&anna).await;
    review(&anna, "4 ⭐️", "Ждёт модерации").await;
    let name = back_up(&world).await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let database = world.database();
    database.execute_batch("DELETE FROM orders; DELETE FROM pending_reviews").expect("a loss");

    let _bot = world.start();
    let second = place(&anna).await;
    restore(&world, &name).await;
    anna.send(STATUS).await;
    let list = anna.wait_for("Ваши заказы").await;
    assert!(list.plain.contains(&first) && !list.plain.contains(&second), "{list}");
    // the button of before the loss works again
    world.admin.press("✅ Опубликовать").await;
    anna.wait_for("Ваш отзыв опубликован").await;

    world.sandbox.settled().await;
    world.admin.press("↩️ Отменить восстановление").await;
    world.admin.wait_for("Восстановление отменено").await;
    anna.send(STATUS).await;
    let list = anna.wait_for("Ваши заказы").await;
    assert!(list.plain.contains(&second) && !list.plain.contains(&first), "{list}");
    world.sandbox.finish().await;
}

#[tokio::test]
async fn clients_of_the_python_bot_find_their_orders() {
    let world = World::new().await;
    let client = world.sandbox.person(4_341_649_069, "Мария").await;
    let name = "backup_20260201_143025.zip";
    add_fixture(&world, name);
    let _bot = world.start();
    restore(&world, name).await;
    client.send(STATUS).await;
    let list = client.wait_for("Ваши заказы").await;
    for order in ["2b999f07 — ожидает ответа", "efe6f675 — в работе", "714699bd — в работе"]
    {
        assert!(list.plain.contains(order), "{list}");
    }
    client.press("efe6f675").await;
    client.wait_for("Имя: Мария Петрова").await;
    client.send("⭐️ Отзывы").await;
    client.wait_for("всего 5").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn strangers_are_refused_the_backups() {
    let world = World::new().await;
    let stranger = world.sandbox.person(666, "Никто").await;
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("examples/clientbotmanager/config.example.toml");
    fs::copy(example, world.folder.path().join("config.toml")).expect("the settings");
    let _bot = world.start();
    for command in ["/backup", "/backup_list", "/backup_settings"] {
        stranger.send(command).await;
        stranger.wait_for("⛔️").await;
    }
    world.admin.send("/backup_settings").await;
    let settings = world.admin.wait_for("config.toml").await;
    assert!(settings.plain.contains("Интервал: 7 дней"), "{settings}");
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_archives_of_the_python_bot_come_back_in_the_same_shape() {
    let world = World::new().await;
    let names = ["backup_20260118_090000.zip", "backup_20260125_100000.zip"];
    let fixtures = names.map(|name| add_fixture(&world, name));
    let _bot = world.start();
    for (name, fixture) in names.into_iter().rev().zip(fixtures.into_iter().rev()) {
        restore(&world, name).await;
        let (_, mut expected) = data_of(fixture);
        for section in ["pending_reviews", "contents", "clients", "support_messages"] {
            expected[section] = json!([]);
        }
        expected["dialogues"] = json!({});
        let (_, data) = data_of(backups(&world).join(back_up(&world).await));
        assert_eq!(data, expected);
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn odd_old_data_survive_a_round_trip() {
    let world = World::new().await;
    let data = json!({
        "tickets": { "9": {}, "10": {
            "order_123": {
                "order_id": "order_123", "user_id": 10, "timestamp": "2026-02-01T10:00:00",
                "status": "на паузе",
                "data": { "fio": "<&😀>", "промокод": ["A", 1.5, null], "file": null },
            },
            "0": { "order_id": "0", "user_id": 10, "timestamp": "", "status": "новый", "data": {} },
        } },
        "referrals": { "10": [9_007_199_254_740_991_i64, 3, 3] },
        "bonuses": { "9": -300, "10": 0 },
        "reviews": [
            { "author": "Иван", "text": "Отличный бот!" },
            { "id": "r", "author": "", "rating": 5, "text": "", "date": "2026-01-01" },
        ],
        "pending_reviews": [
            { "user_id": 9, "id": "abc", "author": "Анна", "rating": 1, "text": "…" },
        ],
        "contents": [
            { "id": "w", "topic": "portfolio", "title": "<&😀>", "text": "", "link": "x", "photo": "y" },
            { "id": "about", "topic": "about", "text": "Мы" },
        ],
        "clients": [9, 10],
        "support_messages": [{ "message_id": 7, "user_id": 9, "date": "2026-02-01" }],
        "dialogues": { "9": { "Review": 5 }, "11": { "Будущее": [1, { "a": null }] } },
    });
    add_archive(&world, "backup_20260301_100000.zip", &data);
    let client = world.sandbox.person(10, "Иван").await;
    let _bot = world.start();
    restore(&world, "backup_20260301_100000.zip").await;
    let (text, came_back) = data_of(backups(&world).join(back_up(&world).await));
    let mut expected = data;
    // a client without orders is no record
    expected["tickets"].as_object_mut().expect("a map").remove("9");
    assert_eq!(came_back, expected);
    assert!(text.contains(r#""bonuses":{"9":-300,"10":0}"#));
    client.send(STATUS).await;
    client.press("order_123").await;
    client.wait_for("Статус: на паузе").await;
    client.send("⭐️ Отзывы").await;
    client.wait_for("Отличный бот!").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_section_that_the_archive_lacks_stays_and_a_bad_archive_changes_nothing() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let reviews = json!({ "reviews": [{ "author": "Иван", "text": "Старый отзыв" }] });
    add_archive(&world, "backup_20260301_100000.zip", &reviews);
    let bad = json!({ "tickets": {}, "bonuses": { "42": "много" } });
    add_archive(&world, "backup_20260302_100000.zip", &bad);
    let _bot = world.start();
    let order = place(&anna).await;
    restore(&world, "backup_20260301_100000.zip").await;

    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for("Список бекапов").await;
    let button = button_of(&list, "backup_20260302_100000.zip");
    world.admin.press_on(list.id, &button).await;
    world.admin.wait_for("восстановить нельзя").await;
    anna.send(STATUS).await;
    anna.wait_for(&order).await;
    anna.send("⭐️ Отзывы").await;
    anna.wait_for("Старый отзыв").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restore_that_fails_half_way_changes_nothing() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let name = "backup_20260201_143025.zip";
    add_fixture(&world, name);
    let _bot = world.start();
    let order = place(&anna).await;
    let fault = "CREATE TRIGGER fault BEFORE INSERT ON reviews
                 BEGIN SELECT RAISE(ABORT, 'no reviews today'); END";
    world.database().execute_batch(fault).expect("a fault");
    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for("Список бекапов").await;
    world.admin.press_on(list.id, &button_of(&list, name)).await;
    world.admin.wait_for("Восстановить данные из этого бекапа?").await;
    world.admin.press("✅ Да, восстановить").await;
    let failure = world.admin.wait_for("Восстановить не получилось").await;
    assert!(failure.plain.contains("no reviews today"), "{failure}");
    anna.send(STATUS).await;
    anna.wait_for(&order).await;
    world.sandbox.finish().await;
}
