//! Archives: other programs read ours, we read the Python system's, and nobody's broken ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use telegram_sandbox::{Person, Sandbox, Shown};
use teloxide::prelude::*;
use teloxide_backup::{
    BackupId, BackupPlugin, BackupPluginBuilder, BoxError, Clock, DataSource, Export,
    FolderStorage, Import, MemoryStorage, Section, Shared, Storage,
};
use tempfile::TempDir;
use tokio::sync::RwLock;

#[path = "support/canary.rs"]
mod canary;
#[path = "../src/storage/forward.rs"]
mod forward;
#[path = "archives/hostile.rs"]
mod hostile;
#[path = "archives/limits.rs"]
mod limits;

#[path = "support/clock.rs"]
mod clock;
use clock::TestClock;

const ADMIN: UserId = UserId(42);

/// The data of the specification.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Crm {
    tickets: BTreeMap<String, BTreeMap<String, Value>>,
    referrals: BTreeMap<String, Vec<u64>>,
    bonuses: BTreeMap<String, i64>,
    reviews: Vec<Value>,
}

impl Crm {
    /// Some users with two orders each, and the names that people have.
    fn with_users(users: u64) -> Self {
        let order = |user: u64, number: u64| {
            let id = format!("order_{user}_{number}");
            let order = json!({
                "order_id": id, "user_id": user, "timestamp": "2026-02-01T10:00:00", "status": "новый",
                "data": { "fio": "Иван \"Кавычка\" О'Нил\n\t\\ 😀\u{0}\u{2028}", "idea": "}]\"{," },
            });
            (id, order)
        };
        let ids = 1_000_000_000..1_000_000_000 + users;
        Self {
            tickets: ids
                .clone()
                .map(|user| (user.to_string(), (1..=2).map(|n| order(user, n)).collect()))
                .collect(),
            referrals: ids.clone().map(|user| (user.to_string(), vec![user + 1, 7])).collect(),
            bonuses: ids.clone().skip(1).map(|user| (user.to_string(), -500)).collect(),
            reviews: ids.skip(2).map(|_| json!({ "author": "Иван", "text": "<b>&" })).collect(),
        }
    }

    /// As the specification counts: orders, not the users who have them.
    fn counts(&self) -> Value {
        let orders: usize = self.tickets.values().map(BTreeMap::len).sum();
        json!({
            "tickets": orders, "referrals": self.referrals.len(),
            "bonuses": self.bonuses.len(), "reviews": self.reviews.len(),
        })
    }
}

fn sections() -> [Section; 4] {
    [
        Section::new("tickets").depth(2).ru("заказ", "заказа", "заказов"),
        Section::new("referrals").ru("реферал", "реферала", "рефералов").listed(false),
        Section::new("bonuses").ru("бонус", "бонуса", "бонусов").listed(false),
        Section::new("reviews").ru("отзыв", "отзыва", "отзывов"),
    ]
}

fn shared(state: &Arc<RwLock<Crm>>) -> Shared<Crm> {
    sections().into_iter().fold(Shared::new(Arc::clone(state)), Shared::section)
}

/// The same data, written by hand with every kind of writer.
struct Streamed(Mutex<Crm>);

impl DataSource for Streamed {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        sections().to_vec()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let crm = self.0.lock().map_err(|_| "poisoned")?.clone();
        let mut tickets = out.map("tickets")?;
        for (user, orders) in &crm.tickets {
            tickets.entry(user, orders)?;
        }
        tickets.end()?;
        let mut referrals = out.map("referrals")?;
        for (user, invited) in &crm.referrals {
            // a number as a key is text in JSON
            referrals.entry(&user.parse::<u64>()?, invited)?;
        }
        referrals.end()?;
        out.value("bonuses", &crm.bonuses)?;
        let mut reviews = out.list("reviews")?;
        for review in &crm.reviews {
            reviews.item(review)?;
        }
        reviews.end()?;
        Ok(())
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), BoxError> {
        Err("nobody restores here".into())
    }
}

fn clock_at(wall: &str) -> TestClock {
    TestClock::at(wall, chrono_tz::Europe::Moscow)
}

/// Lets a plugin make one backup by itself.
async fn back_up(source: impl DataSource, storage: impl Storage, clock: TestClock, keep: usize) {
    let bot = Bot::new("777:token").set_api_url("http://127.0.0.1:1".parse().expect("an address"));
    let builder = BackupPlugin::builder(bot, source).admin(ADMIN).storage(storage);
    let plugin = builder.clock(clock).keep(keep).schema_version(3).build().expect("a plugin");
    let task = plugin.spawn();
    // on a paused clock: all that is due now has happened then
    tokio::time::sleep(Duration::from_millis(1)).await;
    task.shutdown().await;
}

/// The archive of this data, as the plugin of a bot with the id 777 makes it.
async fn archive_of(crm: &Crm) -> Vec<u8> {
    let storage = MemoryStorage::new();
    let (state, place) = (Arc::new(RwLock::new(crm.clone())), storage.clone());
    // on a paused clock, whatever the test's own does
    let made = tokio::task::spawn_blocking(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            back_up(shared(&state), place, clock_at("2026-02-01 14:30:25"), 10).await;
        });
    });
    made.await.expect("a backup");
    let [(id, _)] = &storage.list().expect("a list")[..] else { panic!("not one archive") };
    assert_eq!(id.to_string(), "backup_20260201_143025.zip");
    storage.get(id).expect("an archive").to_vec()
}

/// Runs a program that must like what it gets; gives what it prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let outcome = Command::new(program).args(arguments).output();
    let output = outcome.unwrap_or_else(|error| {
        panic!("{program}: {error}; these tests need unzip, 7z (p7zip-full) and python3")
    });
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}\n{out}\n{err}");
    out
}

/// A reader of the specification, as somebody else would write it.
const PYTHON: &str = r#"
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    with archive.open("data.json") as file:
        data = json.load(file)
    with archive.open("metadata.json") as file:
        metadata = json.load(file)
    raw = archive.read("data.json")
    json.dump({
        "files": archive.namelist(),
        "methods": [info.compress_type for info in archive.infolist()],
        "modes": [info.external_attr >> 16 & 0o777 for info in archive.infolist()],
        "times": [info.date_time for info in archive.infolist()],
        "comment": archive.comment.decode(),
        "sections": list(data),
        "keys": list(metadata),
        "counted": list(metadata["records_count"]),
        "data": data, "metadata": metadata,
        "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest(),
    }, sys.stdout)
"#;

fn read_by_python(archive: &Path) -> Value {
    let path = archive.to_str().expect("text");
    serde_json::from_str(&run("python3", &["-c", PYTHON, path])).expect("JSON")
}

const NAMES: [&str; 4] = ["tickets", "referrals", "bonuses", "reviews"];

/// Holds an archive against the specification, through the eyes of other programs.
fn assert_readable(archive: &Path, crm: &Crm) {
    let path = archive.to_str().expect("text");
    run("unzip", &["-t", path]);
    run("7z", &["t", "-y", path]);
    let seen = read_by_python(archive);
    assert_eq!(seen["files"], json!(["data.json", "metadata.json"]));
    assert_eq!(seen["methods"], json!([8, 8]), "DEFLATE");
    assert_eq!(seen["modes"], json!([0o600, 0o600]));
    assert_eq!(seen["comment"], "");
    assert_eq!(seen["sections"], json!(NAMES));
    assert_eq!(seen["counted"], json!(NAMES));
    assert_eq!(seen["data"], serde_json::to_value(crm).expect("JSON"));
    let metadata = &seen["metadata"];
    assert_eq!(metadata["records_count"], crm.counts());
    assert_eq!(
        seen["keys"].as_array().expect("keys")[..3],
        [json!("created_at"), json!("backup_version"), json!("records_count")]
    );
    assert_eq!(metadata["created_at"], "2026-02-01T14:30:25");
    assert_eq!(metadata["backup_version"], "1.0");
    assert_eq!(metadata["created_at_utc"], "2026-02-01T11:30:25Z");
    assert_eq!(metadata["trigger"], "scheduled");
    assert_eq!(metadata["bot_id"], 777);
    assert_eq!(metadata["schema_version"], 3);
    assert_eq!(metadata["data_bytes"], seen["bytes"]);
    assert_eq!(metadata["data_sha256"], seen["sha256"]);
    // ZIP counts in steps of two seconds
    assert_eq!(seen["times"], json!([[2026, 2, 1, 14, 30, 24], [2026, 2, 1, 14, 30, 24]]));
}

#[tokio::test(start_paused = true)]
async fn other_programs_read_an_archive_of_a_shared_state() {
    for users in [0, 1, 500] {
        let place = tempfile::tempdir().expect("a folder");
        let crm = Crm::with_users(users);
        let state = Arc::new(RwLock::new(crm.clone()));
        let storage = FolderStorage::new(place.path());
        back_up(shared(&state), storage, clock_at("2026-02-01 14:30:25"), 10).await;
        assert_readable(&place.path().join("backup_20260201_143025.zip"), &crm);
    }
}

#[tokio::test(start_paused = true)]
async fn other_programs_read_an_archive_that_was_streamed() {
    for users in [0, 1, 500] {
        let place = tempfile::tempdir().expect("a folder");
        let crm = Crm::with_users(users);
        let source = Streamed(Mutex::new(crm.clone()));
        let storage = FolderStorage::new(place.path());
        back_up(source, storage, clock_at("2026-02-01 14:30:25"), 10).await;
        assert_readable(&place.path().join("backup_20260201_143025.zip"), &crm);
    }
}

/// A bot that runs, and the administrator in front of it.
struct Scene {
    sandbox: Sandbox,
    anna: Person,
    state: Arc<RwLock<Crm>>,
    place: TempDir,
}

impl Scene {
    async fn start(state: Crm, files: &BTreeMap<String, Vec<u8>>) -> Self {
        Self::start_with(state, files, |builder| builder).await
    }

    async fn start_with(
        state: Crm,
        files: &BTreeMap<String, Vec<u8>>,
        settings: impl FnOnce(BackupPluginBuilder) -> BackupPluginBuilder,
    ) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            fs::write(place.path().join(name), bytes).expect("written");
        }
        canary::listen();
        let sandbox = Sandbox::start().await;
        let anna = sandbox.person(ADMIN.0.cast_signed(), "Anna").await;
        let bot = Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"));
        let state = Arc::new(RwLock::new(state));
        let builder = BackupPlugin::builder(bot.clone(), shared(&state))
            .admin(ADMIN)
            .folder(place.path())
            .clock(clock_at("2026-03-01 12:00:00"));
        let plugin = settings(builder).build().expect("a plugin");
        let tree = dptree::entry().branch(plugin.handler::<anyhow::Error>());
        tokio::spawn(async move {
            let builder = Dispatcher::builder(bot, tree).default_handler(async |_| {});
            builder.build().dispatch().await;
        });
        Self { sandbox, anna, state, place }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.place.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
        let names = names.map(|name| name.expect("text"));
        let names = names.filter(|name| name != "state.json" && !name.starts_with(".lock"));
        names.map(|name| (name.clone(), fs::read(self.path(&name)).expect("read"))).collect()
    }

    async fn finish(self) {
        self.sandbox.finish().await;
    }

    async fn list(&self) -> Shown {
        self.anna.send("/backup_list").await;
        self.anna.wait_for("Список бекапов").await
    }

    /// Presses a backup's button under this list; gives what the bot makes of it.
    async fn choose(&self, list: i64, name: &str) -> String {
        let key = name.strip_prefix("backup_").and_then(|name| name.strip_suffix(".zip"));
        let data = format!("bkp:b:{}", key.expect("a backup's name"));
        self.anna.press_data(list, data).await;
        self.anna
            .wait_until(|chat| {
                let message = chat.messages.iter().find(|message| message.id == list)?;
                let answered = message.plain.contains(name)
                    && (message.plain.contains("восстановить нельзя")
                        || message.button("✅ Да, восстановить").is_some());
                answered.then(|| message.plain.clone())
            })
            .await
    }
}

fn fixture(name: &str) -> Vec<u8> {
    read_fixture(&format!("python-archives/{name}"))
}

fn read_fixture(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The content of one file of an archive.
fn file_of(archive: &[u8], name: &str) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).expect("a zip");
    let mut bytes = Vec::new();
    zip.by_name(name).expect(name).read_to_end(&mut bytes).expect("read");
    bytes
}

const PYTHONS: [&str; 3] =
    ["backup_20260201_143025.zip", "backup_20260125_100000.zip", "backup_20260118_090000.zip"];

fn fixtures() -> BTreeMap<String, Vec<u8>> {
    PYTHONS.iter().map(|name| ((*name).to_owned(), fixture(name))).collect()
}

#[tokio::test]
async fn archives_of_the_python_system_are_listed() {
    let scene = Scene::start(Crm::default(), &fixtures()).await;
    let list = scene.list().await;
    // the Python system counted 12 and 10 users where it says orders
    for part in [
        "1. backup_20260201_143025.zip\n   Размер: ",
        "\n   Создан: 2026-02-01T14:30:25\n   Записей: 24 заказа, 5 отзывов",
        "2. backup_20260125_100000.zip",
        "\n   Создан: 2026-01-25T10:00:00\n   Записей: 19 заказов, 4 отзыва",
        "3. backup_20260118_090000.zip",
        "\n   Создан: 2026-01-18T09:00:00\n   Записей: 0 заказов, 0 отзывов",
    ] {
        assert!(list.plain.contains(part), "{part:?} is not in\n{}", list.plain);
    }
    scene.finish().await;
}

#[tokio::test]
async fn archives_of_the_python_system_are_restored_and_its_reader_reads_ours() {
    let buttons = ["🔄 1. 2026-02-01 14:30", "🔄 2. 2026-01-25 10:00", "🔄 3. 2026-01-18 09:00"];
    for (button, name) in buttons.into_iter().zip(PYTHONS) {
        // the last one is empty, and asked about twice
        let live = Crm::with_users(3);
        let scene = Scene::start(live.clone(), &fixtures()).await;
        scene.list().await;
        scene.anna.press(button).await;
        scene.anna.wait_for("Восстановить данные").await;
        assert_eq!(*scene.state.read().await, live, "nothing is changed before the «yes»");
        scene.anna.press("✅ Да, восстановить").await;
        if name == PYTHONS[2] {
            scene.anna.wait_for("Точно восстановить?").await;
            scene.anna.press("✅ Да, восстановить").await;
        }
        scene.anna.wait_for("Готово").await;
        let expected: Value =
            serde_json::from_slice(&file_of(&fixture(name), "data.json")).expect("JSON");
        let restored = serde_json::to_value(&*scene.state.read().await).expect("JSON");
        assert_eq!(restored, expected, "{name}");
        // what we save of it is what the Python system reads again
        scene.anna.send("/backup").await;
        let done = scene.anna.wait_for("Бекап создан успешно").await;
        let path = done.plain.lines().find(|line| Path::new(line).is_absolute()).expect("a path");
        assert_eq!(read_by_python(Path::new(path))["data"], expected, "{name}");
        for (name, bytes) in fixtures() {
            assert!(scene.files()[&name] == bytes, "{name} has changed");
        }
        scene.finish().await;
    }
}

/// One archive of every format that a release has written stays in `tests/fixtures` for ever.
#[tokio::test]
async fn every_format_that_was_ever_written_is_restored() {
    for format in ["format-1.0"] {
        let name = "backup_20260201_143025.zip";
        let archive = read_fixture(&format!("{format}/{name}"));
        let scene = Scene::start(Crm::default(), &[(name.to_owned(), archive)].into()).await;
        let list = scene.list().await;
        assert!(list.plain.contains("Записей: 6 заказов, 1 отзыв"), "{}", list.plain);
        scene.anna.press("🔄 1. 2026-02-01 14:30").await;
        scene.anna.press("✅ Да, восстановить").await;
        scene.anna.wait_for("Готово").await;
        assert_eq!(*scene.state.read().await, Crm::with_users(3), "{format}");
        scene.finish().await;
    }
}

/// Names by the second, so that there is one for each.
fn name(number: usize) -> String {
    format!("backup_20260101_{:02}{:02}{:02}.zip", number / 3600, number / 60 % 60, number % 60)
}

/// All the names that the pages of the list show, and the lines that say «damaged».
async fn turn_all_pages(scene: &Scene) -> (Vec<String>, usize) {
    let (mut names, mut damaged) = (Vec::new(), 0);
    let mut page = scene.list().await;
    loop {
        let words = page.plain.split_whitespace();
        names.extend(words.filter(|w| BackupId::parse(w).is_some()).map(ToOwned::to_owned));
        damaged += page.plain.matches("Повреждён").count();
        if page.button("▶️").is_none() {
            return (names, damaged);
        }
        let number = page.plain.rsplit("Страница ").next().and_then(|of| of.split(' ').next());
        let number: usize = number.and_then(|n| n.parse().ok()).expect("the number of the page");
        scene.anna.press("▶️").await;
        page = scene.anna.wait_for(&format!("Страница {} из", number + 1)).await;
    }
}

/// Presses the button of each hostile archive; gives those that could then be restored.
async fn choose_all(scene: &Scene, hostile: &hostile::Hostile) -> Vec<String> {
    // in turns, so that no tap meets the one before it
    let mut lists = Vec::new();
    for _ in 0..4 {
        lists.push(scene.list().await.id);
    }
    let mut confirmed = Vec::new();
    for (number, (what, _)) in hostile.iter().enumerate() {
        let answer = scene.choose(lists[number % 4], &name(number)).await;
        if !answer.contains("восстановить нельзя") {
            confirmed.push(what.clone());
        }
        if what == "version 2.0" {
            assert!(answer.contains("«2.0»"), "{answer}");
        }
        if what.starts_with("flags") {
            assert!(answer.contains("the archive is encrypted"), "{what}: {answer}");
        }
    }
    confirmed
}

#[tokio::test]
async fn hostile_archives_never_lead_to_a_confirmation() {
    let live = Crm::with_users(5);
    let (pythons, by_hand) = ("backup_20260201_100000.zip", "backup_20260201_100001.zip");
    // the bot's id belongs to what is honest about these archives
    let bot_id = Sandbox::start().await.bot_id();
    let hostile = hostile::archives(bot_id);
    let mut files: BTreeMap<String, Vec<u8>> =
        hostile.iter().enumerate().map(|(n, (_, bytes))| (name(n), bytes.clone())).collect();
    files.insert(pythons.to_owned(), fixture(PYTHONS[0]));
    // what is made by hand and honest is taken: it is not the making that is refused
    let data = hostile::DATA.as_bytes();
    let honest = hostile::pair(data, &hostile::metadata_of(data, bot_id));
    files.insert(by_hand.to_owned(), honest);
    let scene = Scene::start(live.clone(), &files).await;
    assert_eq!(scene.sandbox.bot_id(), bot_id);

    let (names, damaged) = turn_all_pages(&scene).await;
    assert!(names.iter().eq(files.keys().rev()), "each is listed once, the newest first");
    assert!(damaged > 100, "{damaged} are shown as damaged at once");
    let confirmed = choose_all(&scene, &hostile).await;
    assert_eq!(*scene.state.read().await, live);
    assert!(scene.files() == files, "the folder has changed");

    // and the bot is alive, and the good ones are as good as before
    scene.anna.send("/backup_settings").await;
    scene.anna.wait_for("Настройки автоматического бекапа").await;
    for good in [pythons, by_hand] {
        let list = scene.list().await;
        assert!(list.plain.contains(good), "{}", list.plain);
        let answer = scene.choose(list.id, good).await;
        assert!(answer.contains("Восстановить данные"), "{answer}");
    }
    assert_eq!(confirmed, Vec::<String>::new(), "these could be restored");
    scene.finish().await;
}

#[tokio::test]
async fn a_lie_beside_the_data_is_refused_or_changes_nothing_of_them() {
    let bot_id = Sandbox::start().await.bot_id();
    let honest: Crm = serde_json::from_str(hostile::DATA).expect("the data");
    for (what, archive) in hostile::harmless(bot_id) {
        let live = Crm::with_users(1);
        let scene = Scene::start(live.clone(), &BTreeMap::from([(name(0), archive)])).await;
        let list = scene.list().await.id;
        let answer = scene.choose(list, &name(0)).await;
        if answer.contains("восстановить нельзя") {
            assert_eq!(*scene.state.read().await, live, "{what}");
        } else {
            scene.anna.press("✅ Да, восстановить").await;
            scene.anna.wait_for("Готово").await;
            assert_eq!(*scene.state.read().await, honest, "{what}");
        }
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_client_who_stands_in_an_archive_twice_is_noticed_and_taken_back() {
    let bot_id = Sandbox::start().await.bot_id();
    let twice = hostile::DATA.replace(r#"{"1":5}"#, r#"{"1":7,"1":5}"#).into_bytes();
    let archive = hostile::pair(&twice, &hostile::metadata_of(&twice, bot_id));
    let live = Crm::with_users(1);
    let scene = Scene::start(live.clone(), &BTreeMap::from([(name(0), archive)])).await;
    let list = scene.list().await.id;
    scene.choose(list, &name(0)).await;
    scene.anna.press("✅ Да, восстановить").await;
    let answer = scene.anna.wait_for("Я вернул всё, как было").await.plain;
    assert!(answer.contains("В бекапе: 2 бонуса"), "{answer}");
    assert!(answer.contains("После восстановления: 1 бонус"), "{answer}");
    assert_eq!(*scene.state.read().await, live);
    scene.finish().await;
}

#[tokio::test]
async fn what_an_archive_really_holds_is_shown_before_it_is_restored() {
    let bot_id = Sandbox::start().await.bot_id();
    let live = Crm::with_users(4);
    let data = hostile::DATA.as_bytes();
    let mut metadata = hostile::metadata_of(data, bot_id);
    metadata["records_count"]["tickets"] = json!(100);
    let none = r#"{"bonuses":{},"referrals":{},"reviews":[],"tickets":{}}"#.as_bytes();
    let mut nothing = hostile::metadata_of(b"{}", bot_id);
    nothing["records_count"] = json!({});
    for (archive, shown) in [
        // its metadata speak of a hundred
        (hostile::pair(data, &metadata), "В бекапе: 1 заказ,"),
        (hostile::pair(data, &metadata), "намного меньше: сейчас 17, в бекапе 2."),
        (hostile::pair(none, &hostile::metadata_of(none, bot_id)), "В бекапе: 0 заказов,"),
        (hostile::pair(none, &hostile::metadata_of(none, bot_id)), "сейчас 17, в бекапе 0."),
        (hostile::pair(b"{}", &nothing), "нет части данных, они останутся как есть: 8 заказов,"),
    ] {
        let scene = Scene::start(live.clone(), &BTreeMap::from([(name(0), archive)])).await;
        let list = scene.list().await.id;
        let answer = scene.choose(list, &name(0)).await;
        assert!(answer.contains(shown), "{shown:?} is not in\n{answer}");
        assert_eq!(*scene.state.read().await, live);
        scene.finish().await;
    }
}

/// Which of these the plugin proves to be whole.
///
/// Before it deletes for the sake of an archive, it checks that one just as before a restore: to
/// its end, and with the host's types. Of those that it has proved it keeps one here, the one that
/// it makes itself; what nobody can prove stays. So what is gone was taken for whole.
async fn taken_for_whole(archives: &[Vec<u8>]) -> Vec<usize> {
    let storage = MemoryStorage::new();
    let clock = clock_at("2026-03-01 12:00:00");
    let day_before = clock.wall() - chrono::TimeDelta::days(1);
    let ids: Vec<BackupId> = (0..archives.len())
        .map(|number| {
            let at = day_before + chrono::TimeDelta::seconds(i64::try_from(number).expect("few"));
            let id = BackupId::parse(&format!("backup_{}.zip", at.format("%Y%m%d_%H%M%S")));
            id.expect("a name")
        })
        .collect();
    for (id, bytes) in ids.iter().zip(archives) {
        storage.insert(id.clone(), bytes.clone());
    }
    let state = Arc::new(RwLock::new(Crm::default()));
    back_up(shared(&state), storage.clone(), clock.clone(), 1).await;
    let made = storage.list().expect("a list").into_iter().filter(|(id, _)| !ids.contains(id));
    assert_eq!(made.count(), 1, "the new backup was made at {}", clock.now());
    (0..ids.len()).filter(|number| storage.get(&ids[*number]).is_none()).collect()
}

#[tokio::test(start_paused = true)]
async fn no_cut_archive_is_taken_for_whole() {
    let archive = archive_of(&Crm::with_users(1)).await;
    let mut archives: Vec<_> = (0..archive.len()).map(|cut| archive[..cut].to_vec()).collect();
    archives.push(archive);
    let whole = archives.len() - 1;
    assert_eq!(taken_for_whole(&archives).await, [whole]);
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("64 bits");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("below a usize")
    }
}

#[tokio::test(start_paused = true)]
async fn a_corrupted_archive_is_refused_or_holds_the_same_data() {
    let archive = archive_of(&Crm::with_users(20)).await;
    let data = file_of(&archive, "data.json");
    let mut dice = Dice(2026);
    let mut archives = vec![archive.clone()];
    for number in 0..2000 {
        let mut bad = archive.clone();
        match number % 5 {
            0 => {
                let (from, to) = (dice.below(bad.len()), dice.below(bad.len()));
                bad.drain(from.min(to)..=from.max(to));
            }
            1 => {
                let from = dice.below(bad.len());
                let to = (from + dice.below(600)).min(bad.len());
                bad[from..to].fill(0);
            }
            some => {
                for _ in 1..some {
                    let at = dice.below(bad.len());
                    bad[at] ^= u8::try_from(1 + dice.below(255)).expect("a byte");
                }
            }
        }
        archives.push(bad);
    }
    let taken = taken_for_whole(&archives).await;
    assert!(taken.contains(&0), "the good one is taken");
    assert!(taken.len() < 200, "{} are taken", taken.len());
    for number in taken {
        let same = file_of(&archives[number], "data.json") == data;
        assert!(same, "corruption {number} has other data");
    }
}
