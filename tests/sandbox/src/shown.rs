//! What a person sees in a chat.

use std::{fmt, time::Instant};

use serde_json::Value;

use crate::{
    card::{Card, CardJson},
    file_kind::FileKind,
    files::StoredFile,
    message::Message,
    state::State,
};

/// A chat at one moment.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Id of the chat.
    pub id: i64,
    /// All messages in their order, also the deleted ones.
    pub messages: Vec<Shown>,
    /// What the bot is doing, like `typing`: for 5 seconds or until its next message.
    pub action: Option<String>,
}

/// A message as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Id of the message, unique over all chats.
    pub id: i64,
    /// Id of its chat.
    pub chat_id: i64,
    /// Whether the bot wrote it.
    pub from_bot: bool,
    /// Text or caption as it was sent, with its markup.
    pub text: String,
    /// The `parse_mode` that came with the text.
    pub parse_mode: Option<String>,
    /// Text or caption as people read it: after parsing.
    pub plain: String,
    /// The `MessageEntity`s of the plain text.
    pub entities: Vec<Value>,
    /// The inline buttons by rows.
    pub buttons: Vec<Vec<Button>>,
    /// What the message did to the keyboard below the input field.
    pub reply_keyboard: Option<ReplyKeyboard>,
    /// The attached file, of whatever kind.
    pub file: Option<File>,
    /// The attached file, if it is a document.
    pub document: Option<File>,
    /// The contact or the location that it shows.
    pub card: Option<Card>,
    /// It was first written elsewhere.
    pub forwarded: bool,
    /// The message that it replies to.
    pub reply_to: Option<i64>,
    /// How often it was edited.
    pub edits: u32,
    /// It is gone from the chat.
    pub deleted: bool,
}

/// An inline button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// The label.
    pub text: String,
    /// The callback data.
    pub data: Option<String>,
    /// The link that it opens.
    pub url: Option<String>,
}

/// A keyboard below the input field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyKeyboard {
    /// Buttons by rows; a press sends the label as a message.
    Buttons(Vec<Vec<String>>),
    /// The keyboard was taken away.
    Removed,
    /// The person is asked for a reply.
    ForceReply,
}

/// An attached file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it was sent as.
    pub kind: FileKind,
    /// Name of the file; people don't see it on a photo, a voice message and the like.
    pub file_name: String,
    /// Size in bytes.
    pub size: usize,
    /// Id of the file for the Bot API and for [`Sandbox::file`](crate::Sandbox::file).
    pub file_id: String,
}

impl Chat {
    pub(crate) fn of(state: &State, id: i64) -> Self {
        let room = state.rooms.get(&id);
        let messages = room.into_iter().flat_map(|room| room.messages.values());
        Self {
            id,
            messages: messages.map(|message| Shown::of(state, message)).collect(),
            action: room.and_then(|room| room.action(Instant::now())).map(ToOwned::to_owned),
        }
    }

    /// The messages that are not deleted.
    pub fn visible(&self) -> impl DoubleEndedIterator<Item = &Shown> {
        self.messages.iter().filter(|message| !message.deleted)
    }

    /// The newest message of the bot that is not deleted.
    pub fn last_from_bot(&self) -> Option<&Shown> {
        self.visible().rfind(|message| message.from_bot)
    }
}

impl Shown {
    pub(crate) fn of(state: &State, message: &Message) -> Self {
        let file = message.file.as_ref().and_then(|id| state.files.get(id)).map(File::of);
        Self {
            id: message.id,
            chat_id: message.chat,
            from_bot: message.from_bot,
            text: message.raw.clone(),
            parse_mode: message.parse_mode.clone(),
            plain: message.text.plain.clone(),
            entities: message.text.entities.clone(),
            buttons: buttons(message),
            reply_keyboard: message.keyboard.as_ref().map(reply_keyboard),
            document: file.clone().filter(|file| file.kind == FileKind::Document),
            file,
            card: message.card.as_ref().map(CardJson::shown),
            forwarded: message.origin.is_some(),
            reply_to: message.reply_to,
            edits: message.edits,
            deleted: message.deleted,
        }
    }

    /// The inline button with this label.
    pub fn button(&self, text: &str) -> Option<&Button> {
        self.buttons.iter().flatten().find(|button| button.text == text)
    }
}

impl File {
    fn of(file: &StoredFile) -> Self {
        Self {
            kind: file.kind,
            file_name: file.name.clone(),
            size: file.bytes.len(),
            file_id: file.id.clone(),
        }
    }
}

fn rows<'a>(keyboard: &'a Value, name: &str) -> impl Iterator<Item = &'a Vec<Value>> {
    keyboard.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_array)
}

fn field(button: &Value, name: &str) -> Option<String> {
    button.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn buttons(message: &Message) -> Vec<Vec<Button>> {
    let button = |button: &Value| Button {
        text: field(button, "text").unwrap_or_default(),
        data: field(button, "callback_data"),
        url: field(button, "url"),
    };
    let keyboard = message.inline.as_ref().into_iter();
    keyboard
        .flat_map(|keyboard| rows(keyboard, "inline_keyboard"))
        .map(|row| row.iter().map(button).collect())
        .collect()
}

fn reply_keyboard(keyboard: &Value) -> ReplyKeyboard {
    if keyboard.get("remove_keyboard").is_some() {
        return ReplyKeyboard::Removed;
    }
    if keyboard.get("force_reply").is_some() {
        return ReplyKeyboard::ForceReply;
    }
    let label = |button: &Value| field(button, "text").unwrap_or_default();
    let rows = rows(keyboard, "keyboard").map(|row| row.iter().map(label).collect());
    ReplyKeyboard::Buttons(rows.collect())
}

/// The chat as a transcript.
impl fmt::Display for Chat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "--- chat {} ---", self.id)?;
        for message in &self.messages {
            writeln!(formatter, "{message}")?;
        }
        write!(formatter, "---")
    }
}

/// The message as a part of a transcript.
impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.from_bot { "bot" } else { "person" };
        write!(formatter, "#{} {who}", self.id)?;
        if self.edits > 0 {
            write!(formatter, " (edited {}x)", self.edits)?;
        }
        if self.deleted {
            write!(formatter, " (deleted)")?;
        }
        write!(formatter, ": {}", self.plain.replace('\n', "\n    "))?;
        if let Some(File { kind, file_name, size, .. }) = &self.file {
            write!(formatter, "\n    [{kind:?} {file_name}, {size} bytes]")?;
        }
        if let Some(card) = &self.card {
            write!(formatter, "\n    [{card:?}]")?;
        }
        for row in &self.buttons {
            let row: Vec<_> = row.iter().map(|button| format!("[{}]", button.text)).collect();
            write!(formatter, "\n    {}", row.join(" "))?;
        }
        Ok(())
    }
}
