//! The bot's life: settings, database, backups, then updates until the end.

use std::sync::Arc;

use anyhow::{Context, Result};
use teloxide::prelude::*;
use teloxide::types::ParseMode;
use teloxide_backup::BackupPlugin;

use crate::backup_source::OrdersSource;
use crate::database::Database;
use crate::dialogue_storage::DialogueStorage;
use crate::settings::{self, Settings};
use crate::{apology, commands, routes, shutdown};

/// Runs until Ctrl-C or SIGTERM.
pub(crate) async fn run() -> Result<()> {
    let bot = settings::telegram()?;
    let settings = Arc::new(Settings::read()?);
    let db = Database::open(&settings.database)?;

    let backup = BackupPlugin::builder(bot.clone(), OrdersSource::new(db.clone()))
        .config(&settings.backup)
        .settings_file(&settings.file)
        .refuse_strangers()
        .build()?;

    bot.get_me().await.context("Telegram was asked who this bot is")?;
    let storage = Arc::new(DialogueStorage::new(db.clone()));
    let bot = bot.parse_mode(ParseMode::Html);
    commands::show_to_all(&bot).await;
    commands::show_to_admin(&bot, settings.admin).await;
    let handler = dptree::entry().branch(backup.handler()).branch(apology::around(routes::all()));
    let mut dispatcher = Dispatcher::builder(bot, handler)
        .dependencies(dptree::deps![settings, db, storage])
        .default_handler(|_| async {})
        .enable_ctrlc_handler()
        .build();

    shutdown::on_sigterm(dispatcher.shutdown_token())?;
    let task = backup.spawn();
    dispatcher.dispatch().await;
    task.shutdown().await;
    Ok(())
}
