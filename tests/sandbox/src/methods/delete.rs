//! `deleteMessage` and `deleteMessages`.

use serde_json::{Map, Value};

use super::{Outcome, integer};
use crate::{refusal::Refusal, state::State};

pub(super) fn delete_message(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let chat = state.reachable_chat(fields)?;
    if !delete(state, chat, integer(fields, "message_id").unwrap_or_default()) {
        return Err(Refusal::met(400, "Bad Request: message to delete not found"));
    }
    Ok(true.into())
}

/// Messages that are not there are skipped, as Telegram does.
pub(super) fn delete_messages(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let chat = state.reachable_chat(fields)?;
    let ids = fields.get("message_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    if ids.is_empty() {
        return Err(Refusal::broken("message identifiers are not specified"));
    }
    if ids.len() > 100 {
        return Err(Refusal::broken("too many message identifiers specified"));
    }
    for id in ids.iter().filter_map(Value::as_i64) {
        delete(state, chat, id);
    }
    Ok(true.into())
}

/// Takes a message away; false if it isn't there.
fn delete(state: &mut State, chat: i64, id: i64) -> bool {
    let message = state.room(chat).messages.get(&id).filter(|message| !message.deleted).cloned();
    let Some(mut message) = message else { return false };
    message.deleted = true;
    message.revision = state.next_revision();
    state.show(message);
    true
}
