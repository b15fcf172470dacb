//! `ClientBotManager`: a bot that takes orders, with an `SQLite` database and backups of it.
//!
//! The reference example of `teloxide-backup`. Where to look first: `backup_source.rs` is what a
//! bot with a database writes to be backed up, and [`bot`] is where the backups are mounted.

// its life
mod bot;
mod journal;
mod settings;
mod shutdown;
mod systemd;
mod telegram;
mod trial;

// what it keeps
mod backup_source;
mod contents;
mod database;
mod dialogue;
mod dialogue_storage;
mod orders;

// whom it answers, and how
mod apology;
mod button;
mod commands;
mod html;
mod menu;
mod news;
mod paging;
mod press;
mod routes;

// for clients
mod order_form;
mod order_status;
mod price;
mod referrals;
mod reviews;
mod showcase;
mod support;

// for the administrator
mod admin;
mod editing;
mod moderation;
mod order_desk;
mod statistics;

use std::env;
use std::process::ExitCode;

use teloxide_backup::BackupCommand;

/// A word after the program's name is a command; with a token it is the bot, without one the trial.
#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match BackupCommand::parse(env::args_os().skip(1)) {
        Some(command) => bot::command(command).await,
        None => bot::start().await,
    };
    outcome.unwrap_or_else(|error| journal::last_word(&error))
}
