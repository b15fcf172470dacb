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

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise: teloxide's dispatcher is silent, because it
/// prints whole updates, and those belong to the clients.
const LOGGED: &str = "info,teloxide::dispatching::dispatcher=off";

#[tokio::main]
async fn main() -> ExitCode {
    let logged = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(logged)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match bot::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clientbotmanager: {error:#}");
            ExitCode::FAILURE
        }
    }
}
