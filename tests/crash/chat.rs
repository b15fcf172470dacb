//! After a program that was killed in the middle of its work comes a bot, with a chat.

use std::path::Path;

use telegram_sandbox::{Person, Sandbox};
use teloxide::Bot;
use teloxide::dispatching::{Dispatcher, ShutdownToken};
use teloxide::types::UserId;
use teloxide_backup::{BackupPlugin, BackupTask};
use tokio::task::JoinHandle;

use crate::host::Host;

const ADMIN: i64 = 42;

/// The bot of the folder, with its chat.
struct Life {
    sandbox: Sandbox,
    admin: Person,
    task: BackupTask,
    stop: ShutdownToken,
    running: JoinHandle<()>,
}

impl Life {
    async fn begin(host: &Host, folder: &Path) -> Self {
        let sandbox = Sandbox::start().await;
        let admin = sandbox.person(ADMIN, "Анна").await;
        let url = sandbox.url().parse().expect("an address");
        let bot = Bot::new(sandbox.token()).set_api_url(url);
        let plugin = BackupPlugin::builder(bot.clone(), host.clone())
            .admin(UserId(ADMIN.cast_unsigned()))
            .folder(folder)
            .enabled(false)
            .build()
            .expect("a plugin");
        let mut dispatcher =
            Dispatcher::builder(bot, dptree::entry().branch(plugin.handler::<()>())).build();
        let stop = dispatcher.shutdown_token();
        let running = tokio::spawn(async move { dispatcher.dispatch().await });
        let task = plugin.spawn();
        Self { sandbox, admin, task, stop, running }
    }

    async fn end(self) {
        self.task.shutdown().await;
        self.stop.shutdown().expect("it runs").await;
        self.running.await.expect("it ends");
        self.sandbox.finish().await;
    }
}

/// Starts the bot, presses the button that it offers, and gives what it has told of the restore.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn bring_back(host: &Host, folder: &Path) -> String {
    let life = Life::begin(host, folder).await;
    let told = life.admin.wait_for("прервалось на середине").await;
    life.admin.press_on(told.id, "↩️ Отменить восстановление").await;
    // it was long ago by the program's clock: so it asks
    let question = life.admin.wait_for("Восстановить данные из этого бекапа?").await;
    life.admin.press_on(question.id, "✅ Да, восстановить").await;
    life.admin.wait_for("Готово!").await;
    life.end().await;
    told.plain
}

/// Starts the bot, which tells of a backup that was cut off, and starts it again; gives how often it was
/// told then.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn tell_of_backup(host: &Host, folder: &Path) -> usize {
    let life = Life::begin(host, folder).await;
    life.admin.wait_for("оборвался на середине").await;
    life.end().await;
    let life = Life::begin(host, folder).await;
    life.sandbox.settled().await;
    life.admin.send("/backup").await;
    life.admin.wait_for("✅ Бекап создан успешно").await;
    let calls = life.sandbox.calls_of("sendMessage");
    life.end().await;
    calls.iter().filter(|call| call.fields.to_string().contains("оборвался")).count()
}
