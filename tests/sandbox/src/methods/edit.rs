//! `editMessageText`, `editMessageCaption` and `editMessageReplyMarkup`.

use serde_json::{Map, Value};

use super::{
    Outcome,
    content::{CAPTION, EDITED_TEXT, formatted},
    integer,
    markup::markup,
    text,
};
use crate::{
    message::Message,
    refusal::Refusal,
    state::{State, unix_now},
};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply \
    markup are exactly the same as a current content and reply markup of the message";

pub(super) fn edit_message_text(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let new_text = formatted(fields, &EDITED_TEXT)?;
    let inline = markup(fields)?.inline;
    if fields.contains_key("rich_message") {
        return Err(Refusal::broken("the sandbox doesn't know rich messages"));
    }
    if new_text.plain.is_empty() {
        return Err(Refusal::broken("message text is empty"));
    }
    let old = own_message(state, fields)?;
    if old.file.is_some() || old.card.is_some() {
        return Err(Refusal::broken("there is no text in the message to edit"));
    }
    let new = Message {
        raw: text(fields, "text").unwrap_or_default().to_owned(),
        parse_mode: text(fields, "parse_mode").map(ToOwned::to_owned),
        text: new_text,
        inline,
        ..old.clone()
    };
    replace(state, &old, new)
}

pub(super) fn edit_message_caption(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let caption = formatted(fields, &CAPTION)?;
    let inline = markup(fields)?.inline;
    let old = own_message(state, fields)?;
    if !state.takes_caption(&old) {
        return Err(Refusal::broken("there is no caption in the message to edit"));
    }
    let new = Message {
        raw: text(fields, "caption").unwrap_or_default().to_owned(),
        parse_mode: text(fields, "parse_mode").map(ToOwned::to_owned),
        text: caption,
        inline,
        ..old.clone()
    };
    replace(state, &old, new)
}

pub(super) fn edit_message_reply_markup(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let inline = markup(fields)?.inline;
    let old = own_message(state, fields)?;
    let new = Message { inline, ..old.clone() };
    replace(state, &old, new)
}

/// The bot's own message that a request is about.
fn own_message(state: &State, fields: &Map<String, Value>) -> Result<Message, Refusal> {
    if fields.contains_key("inline_message_id") {
        return Err(Refusal::met(400, "Bad Request: MESSAGE_ID_INVALID"));
    }
    let (Some(id), true) = (integer(fields, "message_id"), fields.contains_key("chat_id")) else {
        return Err(Refusal::broken("message identifier is not specified"));
    };
    let chat = state.reachable_chat(fields)?;
    let message = state.rooms.get(&chat).and_then(|room| room.messages.get(&id));
    let message = message
        .filter(|message| !message.deleted)
        .ok_or_else(|| Refusal::met(400, "Bad Request: message to edit not found"))?;
    let keyboard = message.keyboard.as_ref();
    let locked = keyboard.is_some_and(|keyboard| keyboard.get("remove_keyboard").is_none());
    if !message.from_bot || locked {
        return Err(Refusal::broken("message can't be edited"));
    }
    Ok(message.clone())
}

/// Puts a changed message in the place of the old one.
fn replace(state: &mut State, old: &Message, mut new: Message) -> Outcome {
    if new.shows_same(old) {
        return Err(Refusal::broken(NOT_MODIFIED));
    }
    new.edits += 1;
    new.edit_date = Some(unix_now());
    new.revision = state.next_revision();
    let json = new.json(state);
    state.show(new);
    Ok(json)
}
