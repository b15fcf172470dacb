//! teloxide's storage of dialogues over the bot's own database.

use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Error, Result};
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::dispatching::dialogue::Storage;
use teloxide::types::ChatId;
use tracing::warn;

use crate::database::{Database, Json};

/// Keeps the states of all conversations, also over a restart.
pub(crate) struct DialogueStorage {
    db: Database,
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

impl DialogueStorage {
    pub(crate) fn new(db: Database) -> Self {
        Self { db }
    }
}

/// Keeps the state of one conversation.
pub(crate) fn put<D: Serialize>(db: &Connection, chat: i64, state: &D) -> Result<()> {
    let keep = "INSERT OR REPLACE INTO dialogues (chat_id, state) VALUES (?1, ?2)";
    db.prepare_cached(keep)?.execute((chat, Json(state)))?;
    Ok(())
}

impl<D> Storage<D> for DialogueStorage
where
    D: Serialize + DeserializeOwned + Send + 'static,
{
    type Error = Error;

    fn remove_dialogue(self: Arc<Self>, ChatId(chat): ChatId) -> Answer<()> {
        Box::pin(async move {
            let forget = "DELETE FROM dialogues WHERE chat_id = ?1";
            self.db.call(move |db| Ok(db.execute(forget, [chat])?)).await?;
            Ok(())
        })
    }

    fn update_dialogue(self: Arc<Self>, ChatId(chat): ChatId, state: D) -> Answer<()> {
        Box::pin(async move { self.db.call(move |db| put(db, chat, &state)).await })
    }

    fn get_dialogue(self: Arc<Self>, ChatId(chat): ChatId) -> Answer<Option<D>> {
        Box::pin(async move {
            let find = "SELECT state FROM dialogues WHERE chat_id = ?1";
            let found: Option<String> = self
                .db
                .call(move |db| Ok(db.query_row(find, [chat], |row| row.get(0)).optional()?))
                .await?;
            let state = found.map(|json| serde_json::from_str(&json)).transpose();
            Ok(state.unwrap_or_else(|_| {
                // a state of another version of the bot: the conversation starts anew
                warn!("a dialogue has a state that this version does not know");
                None
            }))
        })
    }
}
