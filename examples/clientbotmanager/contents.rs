//! What the bot tells about its author: portfolio, questions with answers, contacts, «about».

use anyhow::Result;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde::{Deserialize, Serialize};

/// What a piece is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topic {
    Portfolio,
    Faq,
    Contacts,
    About,
}

/// A part of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Field {
    Title,
    Text,
    Link,
    Photo,
}

impl Topic {
    pub(crate) const ALL: [Self; 4] = [Self::Portfolio, Self::Faq, Self::Contacts, Self::About];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Portfolio => "🖼 Портфолио",
            Self::Faq => "❓ Частые вопросы",
            Self::Contacts => "📞 Контакты",
            Self::About => "ℹ️ О нас",
        }
    }

    /// The fields of its pieces, in the order in which they are asked for.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Portfolio => &[Field::Title, Field::Text, Field::Link, Field::Photo],
            Self::Faq => &[Field::Title, Field::Text],
            Self::Contacts | Self::About => &[Field::Text],
        }
    }

    /// Whether there are many pieces of it, and not a single text.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::Portfolio | Self::Faq)
    }

    fn key(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Faq => "faq",
            Self::Contacts => "contacts",
            Self::About => "about",
        }
    }
}

impl ToSql for Topic {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.key().into())
    }
}

impl FromSql for Topic {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let key = value.as_str()?;
        Self::ALL.into_iter().find(|topic| topic.key() == key).ok_or(FromSqlError::InvalidType)
    }
}

/// One work, question or text, in the very shape that it has in a backup.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) id: String,
    pub(crate) topic: Topic,
    /// What it is called, or the question; a single text has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) title: String,
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    /// Telegram's id of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) photo: Option<String>,
}

impl Piece {
    /// The columns [`COLUMNS`].
    pub(crate) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            topic: row.get(1)?,
            title: row.get(2)?,
            text: row.get(3)?,
            link: row.get(4)?,
            photo: row.get(5)?,
        })
    }

    /// How it is called where it is one of many.
    pub(crate) fn name(&self) -> &str {
        if self.title.is_empty() { self.topic.label() } else { &self.title }
    }
}

/// What [`Piece::of_row`] reads.
pub(crate) const COLUMNS: &str = "id, topic, title, text, link, photo";

/// Writes a piece: in the place of the one with the same id, or at the end.
pub(crate) fn put(db: &Connection, piece: &Piece) -> Result<()> {
    let put = "INSERT INTO contents (id, topic, title, text, link, photo)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (id) DO UPDATE SET topic = ?2, title = ?3, text = ?4, link = ?5, photo = ?6";
    let Piece { id, topic, title, text, link, photo } = piece;
    db.prepare_cached(put)?.execute((id, topic, title, text, link, photo))?;
    Ok(())
}

/// All pieces of a topic.
pub(crate) fn on(db: &Connection, topic: Topic) -> Result<Vec<Piece>> {
    let pieces = format!("SELECT {COLUMNS} FROM contents WHERE topic = ?1 ORDER BY number");
    let mut pieces = db.prepare(&pieces)?;
    Ok(pieces.query_map([topic], Piece::of_row)?.collect::<Result<_, _>>()?)
}

pub(crate) fn find(db: &Connection, id: &str) -> Result<Option<Piece>> {
    let find = format!("SELECT {COLUMNS} FROM contents WHERE id = ?1");
    Ok(db.query_row(&find, [id], Piece::of_row).optional()?)
}

/// Takes a piece away, and gives it back if it was there.
pub(crate) fn remove(db: &Connection, id: &str) -> Result<Option<Piece>> {
    let remove = format!("DELETE FROM contents WHERE id = ?1 RETURNING {COLUMNS}");
    Ok(db.query_row(&remove, [id], Piece::of_row).optional()?)
}
