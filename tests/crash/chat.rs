//! After a program that was killed in the middle of a restore comes a bot, with a chat.

use std::path::Path;

use telegram_sandbox::Sandbox;
use teloxide::Bot;
use teloxide::dispatching::Dispatcher;
use teloxide::types::UserId;
use teloxide_backup::BackupPlugin;

use crate::host::Host;

const ADMIN: i64 = 42;

/// Starts the bot, presses the button that it offers, and gives the file that was restored.
pub(crate) async fn bring_back(host: &Host, folder: &Path) -> String {
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

    let told = admin.wait_for("прервалось на середине").await;
    admin.press_on(told.id, "↩️ Отменить восстановление").await;
    // it was long ago by the program's clock: so it asks
    let question = admin.wait_for("Восстановить данные из этого бекапа?").await;
    admin.press_on(question.id, "✅ Да, восстановить").await;
    admin.wait_for("Готово!").await;

    task.shutdown().await;
    stop.shutdown().expect("it runs").await;
    running.await.expect("it ends");
    sandbox.finish().await;
    told.plain
}
