//! A message of a chat, and how the Bot API shows it.

use serde_json::{Value, json};

use crate::{
    document::StoredFile,
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
        let file = self.file.as_ref().and_then(|id| state.files.get(id));
        self.write_content(&mut json, file);
        json
    }

    fn write_content(&self, json: &mut Value, file: Option<&StoredFile>) {
        let (text, entities) = match file {
            Some(file) => {
                json["document"] = file.document();
                ("caption", "caption_entities")
            }
            None => ("text", "entities"),
        };
        if file.is_none() || !self.text.plain.is_empty() {
            json[text] = self.text.plain.clone().into();
        }
        if !self.text.entities.is_empty() {
            json[entities] = self.text.entities.clone().into();
        }
    }
}
