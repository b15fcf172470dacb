//! `setMyCommands`, `getMyCommands` and `deleteMyCommands`.

use serde_json::{Map, Value};

use super::{Outcome, integer, text};
use crate::{command, html::utf16_len, refusal::Refusal, state::State};

pub(super) fn set(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let place = place(state, fields)?;
    let mut commands =
        fields.get("commands").and_then(Value::as_array).cloned().unwrap_or_default();
    if commands.len() > 100 {
        return Err(Refusal::broken("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in &mut commands {
        // Telegram takes a name with its slash, too, and keeps it without
        let name = command.get("command").and_then(Value::as_str).unwrap_or_default().trim();
        command["command"] = name.strip_prefix('/').unwrap_or(name).into();
        check(command)?;
    }
    state.commands.insert(place, commands.into());
    Ok(true.into())
}

pub(super) fn get(state: &State, fields: &Map<String, Value>) -> Outcome {
    let place = place(state, fields)?;
    Ok(state.commands.get(&place).cloned().unwrap_or_else(|| Value::Array(Vec::new())))
}

pub(super) fn delete(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let place = place(state, fields)?;
    state.commands.remove(&place);
    Ok(true.into())
}

/// The scope and language of a request, as a key.
fn place(state: &State, fields: &Map<String, Value>) -> Result<String, Refusal> {
    let empty = Map::new();
    let scope = fields.get("scope").and_then(Value::as_object).unwrap_or(&empty);
    let mut ids = Vec::new();
    if scope.contains_key("chat_id") {
        ids.push(state.reachable_chat(scope)?);
    }
    ids.extend(integer(scope, "user_id"));
    let language = text(fields, "language_code").unwrap_or_default();
    let lawful = language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_lowercase());
    if !lawful && !language.is_empty() {
        return Err(Refusal::broken("invalid language code specified"));
    }
    Ok(command::place(text(scope, "type").unwrap_or("default"), &ids, language))
}

fn check(command: &Value) -> Result<(), Refusal> {
    let field = |name| command.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = field("command");
    let lawful =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    if !(1..=32).contains(&name.len()) || !name.bytes().all(lawful) {
        return Err(Refusal::broken("BOT_COMMAND_INVALID"));
    }
    if !(1..=256).contains(&utf16_len(field("description"))) {
        return Err(Refusal::broken("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    Ok(())
}
