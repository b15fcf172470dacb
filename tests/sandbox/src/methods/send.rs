//! `sendMessage`, `sendContact`, `sendLocation` and `sendChatAction`.

use std::time::Instant;

use serde_json::{Map, Value};

use super::{
    Outcome,
    content::{CAPTION, Slot, TEXT, formatted},
    markup::markup,
    text,
};
use crate::{card::CardJson, message::Message, refusal::Refusal, state::State};

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

pub(super) fn send_message(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let message = prepare(state, fields, &TEXT)?;
    if message.text.plain.is_empty() {
        return Err(Refusal::broken("message text is empty"));
    }
    Ok(publish(state, message))
}

/// Sends a contact or a location.
pub(super) fn send_card(state: &mut State, fields: &Map<String, Value>, card: CardJson) -> Outcome {
    let mut message = prepare(state, fields, &CAPTION)?;
    message.card = Some(card);
    Ok(publish(state, message))
}

pub(super) fn send_chat_action(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let Some(action) = text(fields, "action").filter(|action| ACTIONS.contains(action)) else {
        return Err(Refusal::broken("wrong parameter action in request"));
    };
    let chat = state.reachable_chat(fields)?;
    state.room(chat).action = Some((action.to_owned(), Instant::now()));
    Ok(true.into())
}

/// A checked message that nobody sees yet.
pub(super) fn prepare(
    state: &mut State,
    fields: &Map<String, Value>,
    slot: &Slot,
) -> Result<Message, Refusal> {
    let text_found = formatted(fields, slot)?;
    let markup = markup(fields)?;
    let chat = state.reachable_chat(fields)?;
    let reply_to = reply_to(state, chat, fields)?;
    Ok(Message {
        raw: text(fields, slot.field).unwrap_or_default().to_owned(),
        parse_mode: text(fields, "parse_mode").map(ToOwned::to_owned),
        text: text_found,
        inline: markup.inline,
        keyboard: markup.other,
        reply_to,
        ..Message::from_bot(state, chat)
    })
}

/// Shows a message of the bot.
pub(super) fn publish(state: &mut State, message: Message) -> Value {
    let json = message.json(state);
    state.show(message);
    json
}

/// The message that a request replies to.
fn reply_to(state: &State, chat: i64, fields: &Map<String, Value>) -> Result<Option<i64>, Refusal> {
    let Some(reply) = fields.get("reply_parameters") else { return Ok(None) };
    let id = reply.get("message_id").and_then(Value::as_i64).unwrap_or_default();
    let room = state.rooms.get(&chat);
    if room.and_then(|room| room.messages.get(&id)).is_some_and(|message| !message.deleted) {
        return Ok(Some(id));
    }
    if reply.get("allow_sending_without_reply").and_then(Value::as_bool) == Some(true) {
        return Ok(None);
    }
    Err(Refusal::met(400, "Bad Request: message to be replied not found"))
}
