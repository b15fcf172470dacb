//! `deleteMessage`.

use serde_json::{Map, Value};

use super::{Outcome, integer};
use crate::{refusal::Refusal, state::State};

pub(super) fn delete_message(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let chat = state.reachable_chat(fields)?;
    let id = integer(fields, "message_id").unwrap_or_default();
    let message = state.room(chat).messages.get(&id).filter(|message| !message.deleted).cloned();
    let Some(mut message) = message else {
        return Err(Refusal::met(400, "Bad Request: message to delete not found"));
    };
    message.deleted = true;
    message.revision = state.next_revision();
    state.show(message);
    Ok(true.into())
}
