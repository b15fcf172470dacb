//! What was backed up comes back, also from the Python bot.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use telegram_sandbox::Shown;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::steps::{STATUS, fill_in, place, review};
use crate::world::World;

/// Restores the backup of this name by the buttons.
async fn restore(world: &World, name: &str) {
    agree_to(world, name).await;
    world.admin.wait_for("✅ Готово!").await;
}

/// The same for one with far fewer records than there are: that is asked twice.
async fn restore_far_fewer(world: &World, name: &str) {
    agree_to(world, name).await;
    world.admin.wait_for("❓ Точно восстановить?").await;
    world.admin.press("✅ Да, восстановить").await;
    world.admin.wait_for("✅ Готово!").await;
}

pub(crate) async fn agree_to(world: &World, name: &str) {
    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for("Список бекапов").await;
    let button = button_of(&list, name);
    world.admin.press_on(list.id, &button).await;
    world.admin.wait_for("Восстановить данные из этого бекапа?").await;
    world.admin.press("✅ Да, восстановить").await;
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

pub(crate) fn backups(world: &World) -> PathBuf {
    let folder = world.folder.path().join("backups");
    fs::create_dir_all(&folder).expect("the folder");
    folder
}

/// Makes a backup now; gives its name.
pub(crate) async fn back_up(world: &World) -> String {
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
async fn entries_of_the_python_bot_that_hold_nothing_are_named_and_no_more() {
    let world = World::new().await;
    // who has invited nobody is no client with friends here
    let data = json!({ "referrals": { "10": [], "11": [12] }, "tickets": { "9": {} } });
    let name = "backup_20260301_100000.zip";
    add_archive(&world, name, &data);
    let _bot = world.start();
    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for("Список бекапов").await;
    world.admin.press_on(list.id, &button_of(&list, name)).await;
    world.admin.wait_for("Восстановить данные из этого бекапа?").await;
    world.admin.press("✅ Да, восстановить").await;
    let told = world.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    let lines = "В бекапе: 2 клиента с друзьями\nСейчас в боте: 1 клиент с друзьями";
    assert!(told.plain.contains(lines), "{told}");
    assert!(told.button("↩️ Отменить восстановление").is_some(), "{told}");
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
    for command in ["/backup", "/backup_list", "/backup_restore", "/backup_settings"] {
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
    let [nothing, _] = names;
    for (name, fixture) in names.into_iter().rev().zip(fixtures.into_iter().rev()) {
        if name == nothing {
            restore_far_fewer(&world, name).await;
        } else {
            restore(&world, name).await;
        }
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

/// What nobody expects, in every section.
fn odd_data() -> Value {
    json!({
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
        "support_messages": [{ "bot_id": 5, "message_id": 7, "user_id": 9, "date": "2026-02-01" }],
        "dialogues": { "9": { "Review": 5 }, "11": { "Будущее": [1, { "a": null }] } },
    })
}

#[tokio::test]
async fn odd_old_data_survive_a_round_trip() {
    let world = World::new().await;
    let data = odd_data();
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

/// All records of all tables. Numbers that only keep an order are left out, and conversations that
/// stand in the menu, where there is nothing to go on with.
fn records(world: &World) -> Vec<(&'static str, Value)> {
    let database = world.database();
    let mut records = Vec::new();
    for (table, columns, order) in [
        ("clients", "user_id", "1"),
        ("orders", "user_id, order_id, timestamp, status, json(data)", "user_id, order_id"),
        ("referrals", "inviter_id, newcomer_id", "number"),
        ("bonuses", "user_id, roubles", "user_id"),
        ("reviews", "id, author, rating, text, date", "number"),
        ("pending_reviews", "id, user_id, author, rating, text, date", "number"),
        ("contents", "id, topic, title, text, link, photo", "number"),
        ("support_messages", "bot_id, message_id, user_id, date", "bot_id, message_id"),
        ("dialogues", "chat_id, json(state)", "chat_id"),
    ] {
        let all = format!("SELECT json_array({columns}) FROM {table} ORDER BY {order}");
        let mut all = database.prepare(&all).expect("a query");
        let rows = all.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        let rows = rows.map(|row| serde_json::from_str(&row.expect("a row")).expect("JSON"));
        let rows = rows.map(|row: Value| (table, row));
        records.extend(rows.filter(|(_, row)| row[1] != "Menu"));
    }
    records
}

/// Uses every function of the bot that keeps something; three conversations are left open.
async fn use_everything(world: &World) {
    let admin = &world.admin;
    let anna = world.sandbox.person(42, "Анна <&> 😀").await;
    let boris = world.sandbox.newcomer(43, "Борис").await;
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    place(&anna).await;
    boris.open_link("ref42").await;
    boris.wait_for("Здравствуйте").await;
    place(&boris).await;
    for text in ["Опубликуем", "Ждёт"] {
        review(&anna, "4 ⭐️", text).await;
        admin.wait_for(text).await;
    }
    admin.press("✅ Опубликовать").await;
    boris.send("💬 Поддержка").await;
    boris.wait_for("Мы на связи").await;
    boris.send("Вопрос").await;
    boris.wait_for("Передано").await;
    admin.press_data(1, r#"{"A":{"Add":"faq"}}"#).await;
    for (question, answer) in [("Напишите вопрос", "Когда?"), ("ответ", "<Завтра> & 😀")]
    {
        admin.wait_for(question).await;
        admin.send(answer).await;
    }
    admin.wait_for("Сохранено").await;
    admin.press_data(1, r#"{"A":{"Add":"portfolio"}}"#).await;
    admin.wait_for("называется").await;
    admin.send("Недописанное").await;
    admin.wait_for("о ней").await;
    fill_in(&anna).await;
    world.sandbox.settled().await;
}

#[tokio::test]
async fn all_that_the_bot_keeps_survives_a_backup_a_wipe_and_a_restore() {
    let world = World::new().await;
    let bot = world.start();
    use_everything(&world).await;
    let kept = records(&world);
    for table in [
        "clients",
        "orders",
        "referrals",
        "bonuses",
        "reviews",
        "pending_reviews",
        "contents",
        "support_messages",
        "dialogues",
    ] {
        assert!(kept.iter().any(|(kept, _)| *kept == table), "no {table} in {kept:#?}");
    }
    let open = kept.iter().filter(|(table, _)| *table == "dialogues");
    assert_eq!(open.count(), 3);
    let name = back_up(&world).await;
    assert_eq!(bot.stop().await.code(), Some(0));
    for file in fs::read_dir(world.folder.path()).expect("the folder").map_while(Result::ok) {
        if file.file_name().to_string_lossy().starts_with("clientbotmanager.db") {
            fs::remove_file(file.path()).expect("wiped");
        }
    }

    let _bot = world.start();
    world.admin.send("/backup_list").await;
    let list = world.admin.wait_for(&name).await;
    // the sections of the specification, and no others
    assert!(list.plain.ends_with("Записей: 2 заказа, 1 отзыв"), "{list}");
    assert_eq!(records(&world), []);
    restore(&world, &name).await;
    assert_eq!(records(&world), kept);

    // and the conversations go on where they stood
    let boris = world.sandbox.person(43, "Борис").await;
    boris.send("Ещё вопрос").await;
    world.admin.wait_for("Ещё вопрос").await;
    world.admin.send("Рассказ").await;
    world.admin.wait_for("ссылка").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_word_after_a_restore_goes_to_no_client_of_an_earlier_day() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("💬 Поддержка").await;
    anna.wait_for("Мы на связи").await;
    world.admin.send("/reply 42").await;
    world.admin.wait_for("Пишите клиенту 42").await;
    let name = back_up(&world).await;
    let (_, data) = data_of(backups(&world).join(&name));
    assert_eq!(data["dialogues"], json!({ "42": "Support" }));
    restore(&world, &name).await;
    world.admin.send("Уф, получилось").await;
    world.admin.wait_for("Не понял вас").await;
    anna.send("Я всё ещё здесь").await;
    world.admin.wait_for("Я всё ещё здесь").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_database_of_the_first_version_opens_without_loss() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let old = "INSERT INTO clients VALUES (42);
               INSERT INTO orders VALUES (42, 'deadbeef', '2026-01-01T10:00:00', 'новый', '{}');
               INSERT INTO bonuses VALUES (42, 300);
               INSERT INTO dialogues VALUES (42, '{\"Review\":5}');";
    let database = world.database();
    database.execute_batch(include_str!("first_schema.sql")).expect("the first version");
    database.execute_batch(old).expect("its data");
    drop(database);
    let _bot = world.start();
    anna.send("Всё хорошо").await;
    anna.wait_for("Спасибо за отзыв").await;
    anna.send(STATUS).await;
    anna.wait_for("deadbeef").await;
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("300 ₽").await;
    anna.send("❓ Частые вопросы").await;
    anna.wait_for("Здесь пока пусто").await;
    back_up(&world).await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_backup_leaves_a_whole_one() {
    const ORDERS: usize = 20_000;
    let world = World::new().await;
    let bot = world.start();
    world.admin.send("/menu").await;
    world.admin.wait_for("Здравствуйте").await;
    let many = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ORDERS})
         INSERT INTO orders SELECT i, printf('%08x', i), '2026-01-01T10:00:00', 'новый',
         json_object('idea', hex(randomblob(100))) FROM n"
    );
    world.database().execute_batch(&many).expect("many orders");
    let folder = backups(&world);
    let archives = || -> Vec<_> {
        let files = fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file"));
        let files = files.map(|file| file.path());
        files.filter(|file| file.extension().is_some_and(|end| end == "zip")).collect()
    };
    world.admin.send("/backup").await;
    // its draft comes first, and before it the locks between programs
    let files = || fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file"));
    while files().all(|file| file.file_name().to_string_lossy().starts_with(".lock")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(archives(), Vec::<PathBuf>::new());
    assert_eq!(bot.stop().await.code(), Some(0));
    let archives = archives();
    assert_eq!(archives.len(), 1, "{archives:?}");
    let (_, data) = data_of(archives[0].clone());
    assert_eq!(data["tickets"].as_object().map(Map::len), Some(ORDERS));
    world.sandbox.finish().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_nearly_twenty_megabytes_is_taken_in_or_refused_with_little_memory() {
    let world = World::new().await;
    let bot = world.start();
    world.admin.send("/start").await;
    world.admin.wait_for("").await;
    let text = "отзыв ".repeat(400);
    let reviews: Vec<Value> =
        (0..4500).map(|n| json!({ "author": format!("{n}"), "text": text })).collect();
    let stored = |reviews: Value| {
        let data = json!({ "tickets": {}, "referrals": {}, "bonuses": {}, "reviews": reviews });
        let metadata = json!({ "created_at": "2026-03-01T10:00:00", "backup_version": "1.0" });
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (file, json) in [("data.json", data), ("metadata.json", metadata)] {
            zip.start_file(file, stored).expect("an entry");
            zip.write_all(json.to_string().as_bytes()).expect("written");
        }
        let archive = zip.finish().expect("an archive").into_inner();
        assert!((19_000_000..20 << 20).contains(&archive.len()), "{}", archive.len());
        archive
    };
    let archive = stored(reviews.into());
    let length = archive.len() as u64;
    let before = bot.peak_kb(true);
    world.admin.send_document("backup.zip", archive, "/backup_restore").await;
    world.admin.wait_for("Архив проверен и теперь в списке").await;
    let growth = bot.peak_kb(false) - before;
    assert!(growth > length >> 10, "{growth} KB: it was measured too early");
    assert!(growth < 40 << 10, "{growth} KB");
    println!("{growth} KB");
    // as long texts as are taken, and one that is not
    let text = |megabytes: usize| "x".repeat(megabytes << 20);
    let reviews = json!([{ "author": "1", "text": text(8) }, { "author": "2", "text": text(11) }]);
    let before = bot.peak_kb(true);
    world.admin.send_document("backup.zip", stored(reviews), "/backup_restore").await;
    world.admin.wait_for("❌ Этот файл не подходит").await;
    let growth = bot.peak_kb(false) - before;
    assert!(growth < 64 << 10, "{growth} KB");
    println!("{growth} KB for a hostile one");
    world.sandbox.finish().await;
}
