//! One update, who it comes from, and what may come of it.

use serde_json::{Value, json};
use teloxide::types::UserId;

use crate::support::{ADMIN, STRANGER};

/// The user id under which the anonymous administrators of all groups write.
const ANONYMOUS: i64 = 1_087_968_824;
pub(crate) const BORIS: i64 = 43;
pub(crate) const GROUP: i64 = -1_001_234;
pub(crate) const FORUM: i64 = -1_002_000_000_555;

/// Who sends an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Admin,
    Stranger,
    /// An anonymous administrator of a group: everybody can be one, in a group of their own.
    Anonymous,
}

/// What an update leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The host gets it, and the plugin says nothing.
    Passed,
    /// It is the plugin's: exactly these calls.
    Taken(Vec<Told>),
    /// teloxide cannot read it, and nobody gets it.
    Unreadable,
}
/// A call of the bot: the method, the chat where it has one, and the first line of its text.
pub(crate) type Told = (&'static str, Option<i64>, &'static str);

pub(crate) use Outcome::{Passed, Taken, Unreadable};

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) update: Value,
    pub(crate) outcome: Outcome,
}

/// The rows of one sender. What an administrator is given, everybody else is not.
pub(crate) struct Rows {
    pub(crate) who: Who,
    rows: Vec<Row>,
}

impl Rows {
    pub(crate) fn of(who: Who) -> Self {
        Self { who, rows: Vec::new() }
    }

    /// Adds an update, with what comes of it for an administrator.
    pub(crate) fn add(&mut self, name: &str, update: Value, outcome: Outcome) {
        let outcome = match outcome {
            Taken(_) if self.who != Who::Admin => Passed,
            outcome => outcome,
        };
        self.rows.push(Row { name: name.to_owned(), update, outcome });
    }

    pub(crate) fn done(self) -> Vec<Row> {
        self.rows
    }
}

/// What the administrator is told, in the private chat and nowhere else.
pub(crate) fn told(line: &'static str) -> Outcome {
    Taken(vec![("sendMessage", Some(ADMIN), line)])
}

pub(crate) fn list() -> Outcome {
    told("📂 Список бекапов:")
}

/// A command that names this bot where others would read the answer: only this is said in that chat.
pub(crate) fn private_only(chat: i64) -> Outcome {
    Taken(vec![("sendMessage", Some(chat), "💬 Бекапы — в личном чате со мной.")])
}

pub(crate) fn stale() -> Outcome {
    Taken(vec![("answerCallbackQuery", None, crate::support::STALE)])
}

/// The waiting that a press shows is ended, without a word.
pub(crate) fn dismissed() -> Outcome {
    Taken(vec![("answerCallbackQuery", None, "")])
}

/// The list below a message that is not there comes as a message of its own.
pub(crate) fn list_anew() -> Outcome {
    let list = "📂 Список бекапов:";
    let own = Some(ADMIN);
    Taken(vec![
        ("answerCallbackQuery", None, ""),
        ("editMessageText", own, list),
        ("sendMessage", own, list),
    ])
}

pub(crate) fn number_of(who: Who) -> i64 {
    match who {
        Who::Admin => ADMIN,
        Who::Stranger => STRANGER,
        Who::Anonymous => ANONYMOUS,
    }
}

pub(crate) fn id_of(who: Who) -> UserId {
    UserId(number_of(who).unsigned_abs())
}

pub(crate) fn user(who: Who) -> Value {
    let anonymous = who == Who::Anonymous;
    let mut user =
        json!({ "id": number_of(who), "is_bot": anonymous, "first_name": "Some <b>body</b>" });
    if anonymous {
        user["username"] = "GroupAnonymousBot".into();
    }
    user
}

pub(crate) fn private(id: i64) -> Value {
    json!({ "id": id, "type": "private", "first_name": "Somebody" })
}

pub(crate) fn own_chat(who: Who) -> Value {
    private(number_of(who))
}

pub(crate) fn group() -> Value {
    json!({ "id": GROUP, "type": "group", "title": "/backup_list" })
}

pub(crate) fn forum() -> Value {
    json!({ "id": FORUM, "type": "supergroup", "title": "Team", "is_forum": true })
}

pub(crate) fn channel() -> Value {
    json!({ "id": -1_001_000_000_777_i64, "type": "channel", "title": "News" })
}

/// Lays some fields over those of an object.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (object.as_object_mut(), more) {
        fields.extend(more);
    }
    object
}

/// The same without one field.
pub(crate) fn without(mut object: Value, field: &str) -> Value {
    object.as_object_mut().and_then(|fields| fields.remove(field)).expect("such a field");
    object
}

/// A message, still without any content.
pub(crate) fn bare(who: Who, chat: Value) -> Value {
    let mut message = json!({ "message_id": 9000, "date": 1_769_945_425, "from": user(who) });
    if who == Who::Anonymous && chat["type"] != "private" {
        message["sender_chat"] = chat.clone();
    }
    message["chat"] = chat;
    message
}

pub(crate) fn typed(who: Who, chat: Value, text: &str) -> Value {
    with(bare(who, chat), json!({ "text": text }))
}
