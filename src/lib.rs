//! Backups for any teloxide bot.
mod archive;
mod backup;
mod chat;
mod clock;
mod config;
mod error;
mod plugin;
mod retention;
mod schedule;
mod service;
mod source;
mod storage;
mod text;

pub use backup::{BackupId, BackupInfo, Counts, Trigger};
pub use chrono::Days;
pub use clock::Clock;
pub use config::BackupConfig;
pub use error::{BoxError, Error, ErrorKind};
pub use plugin::{BackupPlugin, BackupPluginBuilder};
pub use schedule::BackupTask;
pub use source::{DataSource, Export, Import, ListWriter, MapWriter, Section, Shared, SharedState};
pub use storage::{Draft, FolderStorage, MemoryStorage, Readable, Storage};
pub use text::Language;
