//! The bot's life: database, backups, then updates until the end.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use teloxide::prelude::*;
use teloxide::stop::StopToken;
use teloxide::types::{ChatId, ParseMode};
use teloxide::update_listeners::{UpdateListener, polling_default};
use teloxide_backup::{BackupCommand, BackupPlugin, BackupPluginBuilder, Language};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::backup_source::BackupSource;
use crate::database::Database;
use crate::dialogue_storage::DialogueStorage;
use crate::settings::Settings;
use crate::{apology, commands, html, journal, routes, shutdown, systemd, telegram, trial};

/// With a token it is the bot of the settings, without one the trial.
pub(crate) async fn start() -> Result<ExitCode> {
    match telegram::bot()? {
        Some(bot) => {
            journal::begin(journal::BOT);
            run(bot, Settings::read()?).await?;
        }
        None => trial::run().await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs until Ctrl-C or SIGTERM, and then finishes what is being done.
pub(crate) async fn run(bot: Bot, settings: Settings) -> Result<()> {
    let stop = shutdown::on_signal()?;
    systemd::watch();
    let db = Database::open(&settings.database)?;
    let backup = backups(bot.clone(), &settings, &db).build().map_err(|e| settings.explain(e))?;
    let storage = Arc::new(DialogueStorage::new(db.clone()));
    let handler = dptree::entry().branch(backup.handler()).branch(apology::around(routes::all()));
    let bot = bot.parse_mode(ParseMode::Html);
    let admin = settings.admin;
    let dispatcher = Dispatcher::builder(bot.clone(), handler)
        .dependencies(dptree::deps![Arc::new(settings), db, storage])
        .default_handler(|_| async {})
        .build();

    let schedule = backup.spawn();
    let outcome = Box::pin(serve(&bot, admin, dispatcher, &stop)).await;
    systemd::stopping("Finishing what runs, such as a backup");
    schedule.shutdown().await;
    info!("stopped");
    outcome
}

/// Does what a command line asks for, without Telegram.
pub(crate) async fn command(command: BackupCommand) -> Result<ExitCode> {
    if let Some(code) = command.explain(Language::Russian) {
        return Ok(code);
    }
    journal::begin(journal::QUIET);
    // a command has exit codes of its own
    let settings = Settings::read().map_err(|mistake| anyhow!("{mistake}"))?;
    let db = Database::open(&settings.database)?;
    Ok(backups(telegram::silent_bot(), &settings, &db).run(command).await)
}

/// The backups of this bot: for the chat and for the command line.
pub(crate) fn backups(bot: Bot, settings: &Settings, db: &Database) -> BackupPluginBuilder {
    BackupPlugin::builder(bot, BackupSource::new(db.clone()))
        .config(&settings.backup)
        .settings_file(&settings.file)
        .refuse_strangers()
        .hold_updates(true)
}

type Handlers = Dispatcher<html::Bot, anyhow::Error, teloxide::dispatching::DefaultKey>;

async fn serve(
    bot: &html::Bot,
    admin: ChatId,
    mut handlers: Handlers,
    stop: &CancellationToken,
) -> Result<()> {
    while let Some(me) = telegram::answer(bot, stop).await? {
        info!(username = me.username(), "serving");
        systemd::ready(&format!("Serving @{}", me.username()));
        let prepared = async {
            commands::show_to_all(bot).await;
            commands::show_to_admin(bot, admin).await;
            polling_default(bot.clone()).await
        };
        let Some(mut updates) = stop.run_until_cancelled(prepared).await else { break };
        end_with(stop, updates.stop_token());
        let trouble = Arc::new(telegram::no_updates);
        match handlers.try_dispatch_with_listener(updates, trouble).await {
            Ok(()) => break,
            Err(error) => warn!("Telegram is gone again: {}", apology::reason(&error.into())),
        }
    }
    Ok(())
}

/// Ends the updates when the bot is to stop; those that have come are handled first. The
/// dispatcher's own `ShutdownToken` is not heard while it hands over an update.
fn end_with(stop: &CancellationToken, updates: StopToken) {
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        updates.stop();
    });
}
