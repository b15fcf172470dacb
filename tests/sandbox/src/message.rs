//! A message of a chat, and how the Bot API shows it.

use serde_json::{Value, json};

use crate::{
    card::CardJson,
    html::Formatted,
    state::{State, unix_now},
};

/// A message as the chat keeps it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) chat: i64,
    /// The `User` who sent it.
    pub(crate) from: Value,
    pub(crate) from_bot: bool,
    pub(crate) date: i64,
    pub(crate) edit_date: Option<i64>,
    /// Text or caption as it was sent.
    pub(crate) raw: String,
    pub(crate) parse_mode: Option<String>,
    /// Text or caption after parsing.
    pub(crate) text: Formatted,
    /// Id of the attached file.
    pub(crate) file: Option<String>,
    pub(crate) card: Option<CardJson>,
    /// What the messages of an album have in common.
    pub(crate) album: Option<String>,
    /// Inline keyboard.
    pub(crate) inline: Option<Value>,
    /// Any other kind of `reply_markup`.
    pub(crate) keyboard: Option<Value>,
    pub(crate) origin: Option<Value>,
    pub(crate) reply_to: Option<i64>,
    pub(crate) edits: u32,
    pub(crate) deleted: bool,
    /// Number of the last change.
    pub(crate) revision: u64,
}

impl Message {
    /// A message of a person.
    pub(crate) fn from_person(state: &mut State, chat: i64, person: i64, text: &str) -> Self {
        Self {
            id: state.next_message(),
            chat,
            from: state.user(person),
            date: unix_now(),
            raw: text.to_owned(),
            text: Formatted::with_commands(text),
            revision: state.next_revision(),
            ..Self::default()
        }
    }

    /// A message of the bot, still without content.
    pub(crate) fn from_bot(state: &mut State, chat: i64) -> Self {
        let from = state.bot_user();
        let mut message = Self::from_person(state, chat, 0, "");
        message.from = from;
        message.from_bot = true;
        message
    }

    /// Takes over what another message says and carries, but not its buttons.
    pub(crate) fn copy_content(&mut self, source: &Self) {
        self.raw.clone_from(&source.raw);
        self.parse_mode.clone_from(&source.parse_mode);
        self.text = source.text.clone();
        self.file.clone_from(&source.file);
        self.card.clone_from(&source.card);
    }

    /// Becomes a forwarded message.
    pub(crate) fn forward(&mut self, source: &Self) {
        self.copy_content(source);
        let first = json!({ "type": "user", "sender_user": source.from, "date": source.date });
        self.origin = Some(source.origin.clone().unwrap_or(first));
    }

    /// Whether two contents look the same.
    pub(crate) fn shows_same(&self, other: &Self) -> bool {
        self.text == other.text && self.inline == other.inline
    }

    /// The message as a `Message` of the Bot API.
    pub(crate) fn json(&self, state: &State) -> Value {
        let mut json = self.flat_json(state);
        let replied = self.reply_to.and_then(|id| state.message(id));
        if let Some(replied) = replied {
            json["reply_to_message"] = replied.flat_json(state);
        }
        json
    }

    fn flat_json(&self, state: &State) -> Value {
        let mut json = json!({
            "message_id": self.id,
            "from": self.from,
            "chat": state.chat(self.chat),
            "date": self.date,
        });
        if let Some(date) = self.edit_date {
            json["edit_date"] = date.into();
        }
        if let Some(origin) = &self.origin {
            json["forward_origin"] = origin.clone();
        }
        if let Some(inline) = &self.inline {
            json["reply_markup"] = inline.clone();
        }
        if let Some(album) = &self.album {
            json["media_group_id"] = album.clone().into();
        }
        self.write_content(&mut json, state);
        json
    }

    fn write_content(&self, json: &mut Value, state: &State) {
        let file = self.file.as_ref().and_then(|id| state.files.get(id));
        if let Some(card) = &self.card {
            json[card.field] = card.value.clone();
        } else if let Some(file) = file {
            file.write(json);
            if file.kind.takes_caption() && !self.text.plain.is_empty() {
                self.write_text(json, "caption", "caption_entities");
            }
        } else {
            self.write_text(json, "text", "entities");
        }
    }

    fn write_text(&self, json: &mut Value, text: &str, entities: &str) {
        json[text] = self.text.plain.clone().into();
        if !self.text.entities.is_empty() {
            json[entities] = self.text.entities.clone().into();
        }
    }
}
