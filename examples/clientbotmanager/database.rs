//! The `SQLite` database: one file, one shared connection for the handlers.

mod json;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::Connection;

pub(crate) use json::Json;

/// The tables; a new version of the bot adds its own here.
const SCHEMA: &str = include_str!("database/schema.sql");

/// How long a change waits for another one, such as a restore.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database of the bot; clones are the same one.
#[derive(Clone)]
pub(crate) struct Database {
    path: Arc<Path>,
    shared: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens the file, or creates it, with all its tables.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let step = || format!("open the database {}", path.display());
        let connection = connect(path).with_context(step)?;
        connection.pragma_update(None, "journal_mode", "WAL").with_context(step)?;
        connection.execute_batch(SCHEMA).with_context(step)?;
        Ok(Self { path: path.into(), shared: Arc::new(Mutex::new(connection)) })
    }

    /// Works with the database on a thread where that may take its time.
    pub(crate) async fn call<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            // a panic of another call has left no half-done change: its transaction is rolled back
            work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
        });
        task.await.context("the database call ended early")?
    }

    /// A second connection, for long work that must not hold up the handlers.
    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        connect(&self.path)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}
