//! `ClientBotManager`: a bot that takes orders, with an `SQLite` database and backups of it.
//!
//! The reference example of `teloxide-backup`. Where to look first: `backup_source.rs` is what a
//! bot with a database writes to be backed up, and [`bot`] is where the backups are mounted.

mod admin;
mod apology;
mod backup_source;
mod bot;
mod button;
mod commands;
mod contents;
mod database;
mod dialogue;
mod dialogue_storage;
mod editing;
mod html;
mod journal;
mod menu;
mod moderation;
mod news;
mod order_desk;
mod order_form;
mod order_status;
mod orders;
mod paging;
mod press;
mod price;
mod referrals;
mod reviews;
mod routes;
mod settings;
mod showcase;
mod shutdown;
mod statistics;
mod support;
mod systemd;
mod telegram;

use std::env;
use std::process::ExitCode;

use teloxide_backup::BackupCommand;

use settings::{Mistake, Settings, mistake};

/// The exit code of a mistake in the settings: systemd shows it as `CONFIG`, and does not restart.
const CONFIG: u8 = 78;

#[tokio::main]
async fn main() -> ExitCode {
    if let Some(command) = BackupCommand::parse(env::args_os().skip(1)) {
        journal::begin(journal::COMMAND);
        return bot::command(command).await.unwrap_or_else(|error| failed(&error, 1));
    }
    journal::begin(journal::BOT);
    match start().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Mistake>() => failed(&error, CONFIG),
        Err(error) => failed(&error, 1),
    }
}

async fn start() -> anyhow::Result<()> {
    let Some(bot) = telegram::bot()? else {
        return Err(mistake("TELOXIDE_TOKEN is not set: it is what @BotFather gave you"));
    };
    bot::run(bot, Settings::read()?).await
}

fn failed(error: &anyhow::Error, code: u8) -> ExitCode {
    journal::last_word(format_args!("{error:#}"));
    code.into()
}
