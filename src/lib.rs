//! Backups for any [teloxide] bot: made on time, checked before they count, restored from the chat.
//!
//! A bot hands its data and an administrator's id to a [`BackupPlugin`], mounts its
//! [`handler`](BackupPlugin::handler) first in the dispatcher's tree and starts its
//! [`spawn`](BackupPlugin::spawn). From then on the administrator has `/backup`, `/backup_list`,
//! `/backup_restore` and `/backup_settings` in the private chat with the bot, and backups are made by
//! themselves.
//!
//! # What you get
//! - A backup is a plain ZIP of `data.json` and `metadata.json`. It has a name only after it was
//!   written, made durable, read back, and decoded with the bot's own types.
//! - A restore checks everything first, saves what is live, asks once, and can be undone.
//! - A schedule that counts from the newest backup: restarts do not shift it, clock changes neither
//!   skip nor double a backup, and a failure is told once and retried.
//! - Old backups go by a plan that never touches the newest verified one or a file of another's.
//! - Strangers see nothing of all this.
//!
//! # Mount it
//! ```no_run
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use serde::{Deserialize, Serialize};
//! use teloxide::prelude::*;
//! use teloxide_backup::{BackupPlugin, Days, Shared};
//! use tokio::sync::RwLock;
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! struct Shop {
//!     orders: BTreeMap<u64, String>,
//! }
//!
//! # fn schema() -> teloxide::dispatching::UpdateHandler<teloxide::RequestError> {
//! #     Update::filter_message().endpoint(|| async { Ok(()) })
//! # }
//! # #[tokio::main] async fn main() -> Result<(), teloxide_backup::Error> {
//! let bot = Bot::from_env();
//! let state = Arc::new(RwLock::new(Shop::default()));
//! let backup = BackupPlugin::builder(bot.clone(), Shared::new(state.clone()))
//!     .admin(UserId(123456789))
//!     .every(Days::new(7))
//!     .keep(10)
//!     .build()?;
//! let task = backup.spawn();
//! let tree = dptree::entry().branch(backup.handler()).branch(schema());
//! Dispatcher::builder(bot, tree).build().dispatch().await;
//! task.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Give it your data
//! - [`Shared`] takes any serde state in a lock, as above.
//! - [`DataSource`] is for everything else, a database above all: three functions, written as plain
//!   `async fn`s. `examples/clientbotmanager` does it for SQLite.
//!
//! # Without Telegram
//! [`BackupCommand`] gives the bot's own program the words `backup`, `list`, `verify` and `restore`, for
//! cron, for deploys and for the day the bot does not start.
//!
//! # Settings
//! Every setting is a method of [`BackupPluginBuilder`], with its default in its last sentence.
//! [`BackupConfig`] reads the usual ones from a settings file or from the environment:
//! `ADMIN_USER_ID`, `BACKUP_ENABLED`, `BACKUP_INTERVAL_DAYS`, `BACKUP_DIR`, `BACKUP_KEEP_COUNT`.
//!
//! # More
//! The repository has a guide (English and Russian), the archive format, and the reasons for the
//! design in `docs/`.

// a panic in a handler ends the host's bot
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod archive;
mod backup;
#[cfg(test)]
#[path = "../tests/support/canary.rs"]
mod canary;
mod chat;
mod clock;
mod command;
mod config;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
mod plugin;
mod retention;
mod schedule;
mod service;
mod source;
mod storage;
mod text;

pub use archive::{Compression, Limits};
pub use backup::BackupId;
pub use chrono::Days;
pub use clock::Clock;
pub use command::BackupCommand;
pub use config::BackupConfig;
pub use error::{BoxError, Error, ErrorKind};
pub use plugin::{BackupPlugin, BackupPluginBuilder};
pub use schedule::BackupTask;
pub use source::{DataSource, Export, Import, ListWriter, MapWriter, Section, Shared, SharedState};
pub use storage::{Draft, FolderStorage, MemoryStorage, Readable, Stamp, Storage};
pub use text::Language;

/// The README's code, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guide's code, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
struct Guide;

/// The same in Russian.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide.ru.md")]
struct RussianGuide;
