//! `copyMessage` and `forwardMessage`.

use serde_json::{Map, Value, json};

use super::{
    Outcome,
    content::CAPTION,
    integer,
    send::{prepare, publish},
};
use crate::{message::Message, refusal::Refusal, state::State};

pub(super) fn copy_message(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let source = source(state, fields, "copy")?;
    let mut copy = prepare(state, fields, &CAPTION)?;
    let (raw, parse_mode, caption) = (copy.raw.clone(), copy.parse_mode.clone(), copy.text.clone());
    copy.copy_content(&source);
    if fields.contains_key("caption") && state.takes_caption(&source) {
        (copy.raw, copy.parse_mode, copy.text) = (raw, parse_mode, caption);
    }
    let id = copy.id;
    publish(state, copy);
    Ok(json!({ "message_id": id }))
}

pub(super) fn forward_message(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let source = source(state, fields, "forward")?;
    let chat = state.reachable_chat(fields)?;
    let mut message = Message::from_bot(state, chat);
    message.forward(&source);
    Ok(publish(state, message))
}

/// The message that a request names.
fn source(state: &State, fields: &Map<String, Value>, verb: &str) -> Result<Message, Refusal> {
    let room = state.named_room(fields, "from_chat_id")?;
    let found = room.messages.get(&integer(fields, "message_id").unwrap_or_default());
    let found = found.filter(|message| !message.deleted).cloned();
    found.ok_or_else(|| Refusal::met(400, format!("Bad Request: message to {verb} not found")))
}
