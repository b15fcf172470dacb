//! `setMyCommands`, `getMyCommands` and `deleteMyCommands`.

use serde_json::{Map, Value};

use super::{Outcome, text};
use crate::{html::utf16_len, refusal::Refusal, state::State};

/// Scopes, with the ids that each of them has.
const SCOPES: [(&str, &[&str]); 7] = [
    ("default", &[]),
    ("all_private_chats", &[]),
    ("all_group_chats", &[]),
    ("all_chat_administrators", &[]),
    ("chat", &["chat_id"]),
    ("chat_administrators", &["chat_id"]),
    ("chat_member", &["chat_id", "user_id"]),
];

pub(super) fn set(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let place = place(state, fields)?;
    let commands = fields.get("commands").and_then(Value::as_array).cloned().unwrap_or_default();
    if commands.len() > 100 {
        return Err(Refusal::broken("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in &commands {
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
    let kind = text(scope, "type").unwrap_or("default");
    let Some((_, ids)) = SCOPES.iter().find(|(name, _)| *name == kind) else {
        return Err(Refusal::broken("can't parse BotCommandScope: unsupported type"));
    };
    if ids.iter().any(|id| !scope.contains_key(*id))
        || scope.keys().any(|key| key != "type" && !ids.contains(&key.as_str()))
    {
        return Err(Refusal::broken(format!("can't parse BotCommandScope of type {kind}")));
    }
    if ids.contains(&"chat_id") {
        state.reachable_chat(scope)?;
    }
    let ids: Vec<_> = ids.iter().filter_map(|id| scope.get(*id)).map(Value::to_string).collect();
    let language = text(fields, "language_code").unwrap_or_default();
    Ok(format!("{kind} {} {language}", ids.join(" ")))
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
