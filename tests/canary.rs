//! Canaries: markers stand for the token, for what clients have written and for what the host's own
//! errors say. None gets out: the token nowhere, the clients' words into archives alone, the host's
//! errors to the administrator alone. `tests/canary.sh` holds the other tests to the same.

mod support;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use support::{ADMIN, DOWNLOAD, Order, STRANGER, Scene, Shop, UNDO, YES, client};
use telegram_sandbox::Fault;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupCommand, BackupConfig, BackupId, BackupPlugin, BoxError, DataSource, Export,
    FolderStorage, Import, MemoryStorage, Section, Shared, Storage,
};
use tokio::sync::RwLock;
use tracing_subscriber::filter::LevelFilter;

/// The part of the sandbox's token that is secret.
const SECRET: &str = "AASandboxSandbox";
/// What a client has written, as text and as a number.
const CLIENT: &str = "canary-of-a-client";
const NUMBER: u64 = 79_161_234_567;
/// What an error or a panic of the host's own code says; hosts put their clients' data into it.
const ERROR: &str = "canary-of-an-error";

/// All that is logged, down to the last detail, by `tracing` and by `log`.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    }

    fn held(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.held()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn marked() -> Shop {
    let order = Order { idea: CLIENT.to_owned(), status: CLIENT.to_owned() };
    let orders = BTreeMap::from([(NUMBER, BTreeMap::from([(CLIENT.to_owned(), order)]))]);
    Shop { orders, reviews: Vec::new() }
}

/// The same data, of types that do not fit each other.
#[derive(Clone, Serialize, Deserialize)]
struct Phones<T> {
    phones: BTreeMap<String, T>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Colour {
    Red,
    Blue,
}

/// A host whose code fails in the words of the canary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    Panics,
    Exports,
    /// It refuses the records of a backup, one by one.
    Takes,
}

impl DataSource for Failing {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("phones")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        assert!(*self != Self::Panics, "{ERROR}");
        out.value("phones", &BTreeMap::from([(CLIENT, CLIENT)]))?;
        tracing::trace!(?out, "the host looks at it");
        if *self == Self::Takes { Ok(()) } else { Err(ERROR.into()) }
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.entries("phones", |_: String, _: String| Err::<(), BoxError>(ERROR.into()))?;
        Ok(())
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), BoxError> {
        Err(ERROR.into())
    }
}

/// What was seen of the bot from outside.
#[derive(Default)]
struct Seen {
    /// The requests to Telegram: the chat, and all fields.
    requests: Vec<(i64, String)>,
    /// What `{:?}` shows.
    shown: Vec<String>,
}

impl Seen {
    fn show(&mut self, value: &impl Debug) {
        self.shown.push(format!("{value:?} {value:#?}"));
    }

    async fn close(&mut self, scene: Scene) {
        scene.sandbox.settled().await;
        for call in scene.sandbox.calls() {
            let chat = call.fields["chat_id"].as_i64().unwrap_or_default();
            self.requests.push((chat, format!("{} {}", call.method, call.fields)));
        }
        for name in scene.files() {
            self.shown.push(name);
        }
        scene.sandbox.expire_callbacks();
        scene.finish().await;
    }
}

/// A person does all that can be done, on a day on which Telegram is not well.
async fn a_long_day(seen: &mut Seen) {
    let scene = Scene::start().await;
    scene.set_shop(marked()).await;
    let stranger = scene.sandbox.person(STRANGER, "Никто").await;
    scene.sandbox.inject(Fault::TooManyRequests { retry_after: 1 }.on("editMessageText"));
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    for fault in [Fault::Page(200), Fault::Drop] {
        scene.sandbox.inject(fault.on("editMessageText"));
    }
    let question = scene.choose_newest().await;
    scene.admin.press_on(question.id, DOWNLOAD).await;
    scene.admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    scene.admin.send("/backup_settings").await;
    scene.admin.wait_for("⚙️").await;
    stranger.send("/backup").await;
    damaged(&scene).await;
    seen.close(scene).await;
}

/// An archive that is broken in the middle of the clients' data.
async fn damaged(scene: &Scene) {
    let path = scene.folder().join("backup_20260201_143025.zip");
    let mut bytes = std::fs::read(&path).expect("read");
    // behind the header of the first entry
    bytes[70] ^= 0x55;
    std::fs::write(&path, bytes).expect("written");
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let row = list.buttons.last().expect("a row");
    scene.admin.press_on(list.id, &row[0].text).await;
    scene.admin.wait_for("восстановить нельзя").await;
}

async fn backed_up_by(scene: &mut Scene, source: impl DataSource) {
    let plugin = scene.plugin_of(source);
    scene.begin_with(&plugin);
    scene.back_up().await;
    scene.stop().await;
}

/// The types of the bot have changed, and the archive holds something else.
async fn what_does_not_fit(seen: &mut Seen) {
    let mut scene = Scene::prepare(|builder| builder).await;
    let phones = |number| Phones { phones: BTreeMap::from([(CLIENT.to_owned(), number)]) };
    let numbers = Arc::new(RwLock::new(phones(NUMBER)));
    let words = Phones { phones: BTreeMap::from([(CLIENT.to_owned(), CLIENT.to_owned())]) };
    let words = Arc::new(RwLock::new(words));
    let colours = Arc::new(RwLock::new(Phones { phones: BTreeMap::<String, Colour>::new() }));
    backed_up_by(&mut scene, Shared::new(Arc::clone(&numbers))).await;
    tell(&mut scene, Shared::new(Arc::clone(&words))).await;
    tell(&mut scene, Shared::new(Arc::clone(&colours))).await;
    scene.clock.forward(TimeDelta::hours(1));
    backed_up_by(&mut scene, Shared::new(words)).await;
    tell(&mut scene, Shared::new(colours)).await;
    tell(&mut scene, Shared::new(numbers)).await;
    tell(&mut scene, Failing::Takes).await;
    seen.close(scene).await;
}

/// The administrator reads why the newest backup cannot be restored.
async fn tell(scene: &mut Scene, source: impl DataSource) {
    let plugin = scene.plugin_of(source);
    scene.begin_with(&plugin);
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    scene.admin.press_on(list.id, &list.buttons[0][0].text).await;
    let told = scene.admin.wait_for("восстановить нельзя").await;
    assert!(told.plain.contains(" «phones»: "), "{told}");
    scene.stop().await;
}

/// The host's own code fails, by hand and on schedule.
async fn what_fails(seen: &mut Seen) {
    for failing in [Failing::Panics, Failing::Exports, Failing::Takes] {
        let mut scene = Scene::prepare(|builder| builder.enabled(true)).await;
        let plugin = scene.plugin_of(failing);
        scene.begin_with(&plugin);
        scene.admin.wait_for("❌ Бекап по расписанию не создан").await;
        scene.admin.send("/backup").await;
        let told = scene.admin.wait_for("❌ Бекап не создан").await;
        assert!(told.plain.contains(ERROR), "the administrator is told: {told}");
        seen.close(scene).await;
    }
}

/// Whatever a host may print of what it was given.
async fn every_public_type(seen: &mut Seen) {
    let scene = Scene::prepare(|builder| builder).await;
    let storage = MemoryStorage::new();
    let state = Arc::new(RwLock::new(marked()));
    let source = || Shared::new(Arc::clone(&state));
    seen.show(&source());
    let admin = UserId(ADMIN.unsigned_abs());
    let bot = || client(&scene.sandbox);
    let builder = BackupPlugin::builder(bot(), source()).admin(admin).storage(storage.clone());
    seen.show(&builder);
    let plugin = builder.build().expect("a plugin");
    seen.show(&plugin);
    let task = plugin.spawn();
    seen.show(&task);
    scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    task.shutdown().await;
    let listed = storage.list().expect("a list");
    seen.show(&listed);
    seen.show(&storage);
    let bytes = format!("{:?}", &storage.get(&listed[0].0).expect("an archive")[..8]);
    let bytes = bytes.trim_matches(['[', ']']);
    assert!(seen.shown.iter().all(|shown| !shown.contains(bytes)), "the bytes of an archive");
    seen.show(&FolderStorage::new(scene.folder()));
    seen.show(&BackupConfig::default());
    seen.show(&BackupCommand::parse(["backup".into()]));
    seen.show(&BackupId::parse("backup_20260201_143025.zip"));
    let bot_id = UserId(scene.sandbox.bot_id().unsigned_abs());
    let refused = BackupPlugin::new(bot(), bot_id, source()).expect_err("the bot itself");
    seen.show(&refused);
    seen.shown.push(refused.to_string());
    seen.close(scene).await;
}

#[tokio::test]
async fn neither_the_token_nor_a_clients_word_gets_out() {
    let log = Log::listen();
    let mut seen = Seen::default();
    a_long_day(&mut seen).await;
    what_does_not_fit(&mut seen).await;
    what_fails(&mut seen).await;
    every_public_type(&mut seen).await;

    let text = log.text();
    assert!(text.contains("TRACE") && text.contains("made a backup"), "it was listened to");
    assert!(seen.requests.len() > 40, "{} requests", seen.requests.len());
    let number = NUMBER.to_string();
    let clients = [SECRET, CLIENT, &number];
    let all = [SECRET, CLIENT, &number, ERROR];
    let to_admin = seen.requests.iter().filter(|(chat, _)| *chat == ADMIN).map(|(_, it)| it);
    let to_others = seen.requests.iter().filter(|(chat, _)| *chat != ADMIN).map(|(_, it)| it);
    let mut leaks = Vec::new();
    leaks.extend(found("a log", text.lines(), &all));
    // what a gateway answers may be anything, also the message itself
    leaks.extend(found("a log", text.lines(), &["Bad Gateway</title>"]));
    leaks.extend(found("a message", to_admin.map(String::as_str), &clients));
    leaks.extend(found("another chat", to_others.map(String::as_str), &all));
    leaks.extend(found("a debug text", seen.shown.iter().map(String::as_str), &all));
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// The texts that hold what must not be there.
fn found<'t>(place: &str, texts: impl Iterator<Item = &'t str>, markers: &[&str]) -> Vec<String> {
    let marked = |text: &str| markers.iter().any(|marker| text.contains(marker));
    texts.filter(|text| marked(text)).map(|text| format!("in {place}: {text}")).collect()
}
