//! The stage of the integration tests: a real dispatcher, real HTTP, and a pretended Telegram.
#![allow(dead_code, unreachable_pub)]

pub mod canary;
pub mod clock;
mod flaky;
#[path = "../../src/storage/forward.rs"]
pub(crate) mod forward;
mod probe;
mod shop;
mod wall;

use std::fmt::Debug;
use std::fs;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use telegram_sandbox::{Call, Person, Sandbox, Shown};
use teloxide::dispatching::{Dispatcher, ShutdownToken, UpdateHandler};
use teloxide::prelude::*;
use teloxide::types::UpdateKind;
use teloxide_backup::{BackupPlugin, BackupPluginBuilder, BackupTask, DataSource};
use tempfile::TempDir;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use probe::Release;
// each test program uses a part of it
#[allow(unused_imports)]
pub use {
    flaky::{Flaky, Place},
    probe::{Probe, Step, Trouble},
    shop::{Order, Review, Shop, State, sections, shop},
    wall::Wall,
};

/// The administrator of every scene.
pub const ADMIN: i64 = 42;
/// Somebody else.
pub const STRANGER: i64 = 666;

/// The host's own handlers: they take every update that gets as far as them, and say nothing.
#[derive(Clone, Default)]
pub struct Host(Arc<Mutex<Vec<String>>>);

impl Host {
    /// What came since the last call, like `message: /backup`.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A branch for each kind of update that some test sends.
    pub fn schema<E: Send + Sync + 'static>(&self) -> UpdateHandler<E> {
        let host = self.clone();
        let record = move |update: Update| {
            let host = host.clone();
            async move {
                host.0.lock().unwrap_or_else(PoisonError::into_inner).push(told(&update));
                Ok(())
            }
        };
        dptree::entry()
            .branch(Update::filter_message().endpoint(record.clone()))
            .branch(Update::filter_edited_message().endpoint(record.clone()))
            .branch(Update::filter_channel_post().endpoint(record.clone()))
            .branch(Update::filter_my_chat_member().endpoint(record.clone()))
            .branch(Update::filter_callback_query().endpoint(record))
    }
}

fn told(update: &Update) -> String {
    let words = |message: &Message| {
        message.text().or(message.caption()).unwrap_or("nothing to read").to_owned()
    };
    match &update.kind {
        UpdateKind::Message(message) => format!("message: {}", words(message)),
        UpdateKind::EditedMessage(message) => format!("edited: {}", words(message)),
        UpdateKind::ChannelPost(message) => format!("post: {}", words(message)),
        UpdateKind::CallbackQuery(query) => {
            format!("press: {}", query.data.as_deref().unwrap_or("nothing"))
        }
        _ => "other".to_owned(),
    }
}

/// How long is waited on a busy machine before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The client of a bot in the sandbox.
pub fn client(sandbox: &Sandbox) -> Bot {
    Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"))
}

/// A dispatcher that runs.
pub struct Running {
    token: ShutdownToken,
    dispatcher: JoinHandle<()>,
    task: Option<BackupTask>,
}

impl Running {
    pub fn start<R, E, K>(mut dispatcher: Dispatcher<R, E, K>) -> Self
    where
        K: Hash + Eq + Clone + Send + 'static,
        R: Requester + Clone + Send + Sync + 'static,
        R::GetUpdates: Send,
        R::GetMe: Send,
        R::DeleteWebhook: Send,
        R::Err: Debug + Send + Sync,
        E: Debug + Send + Sync + 'static,
    {
        let token = dispatcher.shutdown_token();
        let dispatcher = tokio::spawn(async move { dispatcher.dispatch().await });
        Self { token, dispatcher, task: None }
    }

    /// As `^C` does it: the dispatcher ends, then what the plugin still does.
    pub async fn stop(self) {
        loop {
            match self.token.shutdown() {
                Ok(stopped) => break stopped.await,
                // it has not begun yet
                Err(_) => tokio::task::yield_now().await,
            }
        }
        self.dispatcher.await.expect("a dispatcher never panics");
        if let Some(task) = self.task {
            task.shutdown().await;
        }
    }
}

/// How a test changes the plugin before it is built.
type Settings = Box<dyn Fn(BackupPluginBuilder) -> BackupPluginBuilder>;

/// A bot with the plugin, its people and its data.
pub struct Scene {
    pub sandbox: Sandbox,
    pub admin: Person,
    pub state: State,
    pub source: Probe,
    pub host: Host,
    pub clock: Wall,
    home: TempDir,
    settings: Settings,
    running: Option<Running>,
    _release: Release,
}

impl Scene {
    /// A bot that runs. Its schedule is off, so that nothing happens by itself.
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    /// A bot that runs, with other settings.
    pub async fn with(
        settings: impl Fn(BackupPluginBuilder) -> BackupPluginBuilder + 'static,
    ) -> Self {
        let mut scene = Self::prepare(settings).await;
        scene.begin();
        scene
    }

    /// All that a bot needs; nothing runs yet.
    pub async fn prepare(
        settings: impl Fn(BackupPluginBuilder) -> BackupPluginBuilder + 'static,
    ) -> Self {
        canary::listen();
        let sandbox = Sandbox::start().await;
        sandbox.set_patience(PATIENCE);
        let admin = sandbox.person(ADMIN, "Анна").await;
        let state = Arc::new(RwLock::new(shop(12, 5)));
        let source = Probe::new(&state);
        Self {
            sandbox,
            admin,
            state,
            host: Host::default(),
            clock: Wall::at("2026-02-01 14:30:25"),
            home: TempDir::new().expect("a folder"),
            settings: Box::new(settings),
            running: None,
            _release: Release(source.clone()),
            source,
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.home.path().join("backups")
    }

    /// The plugin of this scene, with its settings.
    pub fn plugin(&self) -> BackupPlugin {
        self.plugin_of(self.source.clone())
    }

    /// The same for another source.
    pub fn plugin_of(&self, source: impl DataSource) -> BackupPlugin {
        let admin = UserId(ADMIN.unsigned_abs());
        let builder = BackupPlugin::builder(client(&self.sandbox), source)
            .admin(admin)
            .enabled(false)
            .folder(self.folder())
            .clock(self.clock.clone());
        (self.settings)(builder).build().expect("a plugin")
    }

    /// Starts the bot, and the schedule of its plugin.
    pub fn begin(&mut self) {
        let plugin = self.plugin();
        self.begin_with(&plugin);
    }

    /// Starts a bot with this plugin, and its schedule.
    pub fn begin_with(&mut self, plugin: &BackupPlugin) {
        self.mount(plugin);
        self.running.as_mut().expect("it runs").task = Some(plugin.spawn());
    }

    /// Starts a bot with this plugin, mounted first, before the host's own handlers.
    pub fn mount(&mut self, plugin: &BackupPlugin) {
        let tree = dptree::entry()
            .branch(plugin.handler::<teloxide::RequestError>())
            .branch(self.host.schema());
        self.run(tree);
    }

    /// Starts a bot with these handlers.
    pub fn run<E: Debug + Send + Sync + 'static>(&mut self, tree: UpdateHandler<E>) {
        let dispatcher = Dispatcher::builder(client(&self.sandbox), tree).build();
        self.set_running(Running::start(dispatcher));
    }

    /// Takes a bot that a test has started in its own way.
    pub fn set_running(&mut self, running: Running) {
        assert!(self.running.is_none(), "it runs already");
        self.running = Some(running);
    }

    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Another process of the same bot, with the same data and the same folder.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.begin();
    }

    /// Stops the bot, and fails where it broke a rule or left something behind.
    pub async fn finish(mut self) {
        self.stop().await;
        let left: Vec<_> = self.files().into_iter().filter(|name| name.starts_with('.')).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        self.sandbox.finish().await;
    }

    pub async fn set_shop(&self, shop: Shop) {
        *self.state.write().await = shop;
    }

    pub async fn shop(&self) -> Shop {
        self.state.read().await.clone()
    }

    /// The names of all that lies in the folder, but for the locks, which are always there.
    pub fn files(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder()) else { return Vec::new() };
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.retain(|name| !name.starts_with(".lock"));
        names.sort();
        names
    }

    /// The names of the archives.
    pub fn archives(&self) -> Vec<String> {
        self.files().into_iter().filter(|name| name != "state.json").collect()
    }

    /// Waits until the bot has asked so much of Telegram, and then is silent.
    pub async fn called(&self, times: usize) -> Vec<(String, String)> {
        self.admin.wait_until(|_| (self.calls().len() >= times).then_some(())).await;
        self.sandbox.settled().await;
        self.calls()
    }

    /// What the bot asked of Telegram, without the getting of updates: method and text.
    pub fn calls(&self) -> Vec<(String, String)> {
        self.whole_calls().into_iter().map(|call| (call.method.clone(), text_of(&call))).collect()
    }

    /// The same with all their fields.
    pub fn whole_calls(&self) -> Vec<Call> {
        let mut calls = self.sandbox.calls();
        calls.retain(|call| !POLLING.contains(&call.method.as_str()));
        calls
    }

    /// The administrator makes a backup; gives the name of its archive.
    pub async fn back_up(&self) -> String {
        self.admin.send("/backup").await;
        let done = self.admin.wait_for("Бекап создан успешно").await;
        let path = done.plain.lines().nth(1).expect("the path").to_owned();
        Path::new(&path).file_name().expect("a name").to_string_lossy().into_owned()
    }

    /// The administrator opens the list and chooses its first backup; gives the question.
    pub async fn choose_newest(&self) -> Shown {
        self.choose(0).await
    }

    /// The same for another line of the first page.
    pub async fn choose(&self, line: usize) -> Shown {
        self.admin.send("/backup_list").await;
        let list = self.admin.wait_for("Список бекапов").await;
        let label = &list.buttons[line][0].text;
        assert_eq!(self.admin.press_on(list.id, label).await.text, None);
        self.admin.wait_for("Восстановить данные из этого бекапа?").await
    }

    /// The administrator restores the newest backup; gives the answer.
    pub async fn restore_newest(&self) -> Shown {
        let question = self.choose_newest().await;
        self.admin.press_on(question.id, YES).await;
        self.admin.wait_for("Готово!").await
    }

    /// The same for one with far fewer records than are live.
    pub async fn restore_far_fewer(&self) -> Shown {
        let question = self.choose_newest().await;
        self.admin.press_on(question.id, YES).await;
        let again = self.admin.wait_for(SURE).await;
        self.admin.press_on(again.id, YES).await;
        self.admin.wait_for("Готово!").await
    }
}

/// What teloxide itself asks, to get its updates.
const POLLING: [&str; 4] = ["getUpdates", "getMe", "getWebhookInfo", "deleteWebhook"];

pub const SURE: &str = "❓ Точно восстановить?";
pub const YES: &str = "✅ Да, восстановить";
pub const NO: &str = "❌ Отмена";
pub const DOWNLOAD: &str = "📥 Скачать архив";
pub const UNDO: &str = "↩️ Отменить восстановление";
pub const REDO: &str = "↩️ Вернуть обратно";
pub const AGAIN: &str = "🔁 Попробовать ещё раз";
pub const KEEP: &str = "✅ Оставить то, что получилось";
pub const STALE: &str = "Кнопка устарела. Откройте список заново: /backup_list";

pub fn text_of(call: &Call) -> String {
    call.fields["text"].as_str().unwrap_or_default().to_owned()
}

/// The size of a file as the list shows it: one decimal, rounded half up.
pub fn size(file: &Path) -> String {
    let tenths = (fs::metadata(file).expect("a file").len() * 20 / 1024).div_ceil(2);
    format!("{}.{} KB", tenths / 10, tenths % 10)
}
