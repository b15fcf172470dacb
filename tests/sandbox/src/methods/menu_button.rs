//! `setChatMenuButton` and `getChatMenuButton`.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::{refusal::Refusal, state::State};

pub(super) fn set(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let chat = chat(state, fields)?;
    let button = fields.get("menu_button").cloned().unwrap_or_else(unset);
    state.menu_buttons.insert(chat, button);
    Ok(true.into())
}

pub(super) fn get(state: &State, fields: &Map<String, Value>) -> Outcome {
    let chat = chat(state, fields)?;
    Ok(state.menu_buttons.get(&chat).cloned().unwrap_or_else(unset))
}

fn unset() -> Value {
    json!({ "type": "default" })
}

/// The private chat that a request names; none means all of them.
fn chat(state: &State, fields: &Map<String, Value>) -> Result<Option<i64>, Refusal> {
    if fields.get("chat_id").is_none_or(Value::is_null) {
        return Ok(None);
    }
    state.reachable_chat(fields).map(Some)
}
