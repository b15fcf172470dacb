//! What people do on the page.

use std::{sync::Arc, time::Duration};

use axum::{
    body::to_bytes,
    extract::{Request, State as Shared},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Door;
use crate::{
    core::Core, fault::Fault, html::utf16_len, person::Person, state::State, waiting::View,
};

/// An action as JSON: a text of 4,096 letters, each of them escaped, has room.
const BODY_LIMIT: usize = 64 << 10;
const TEXT_LIMIT: usize = 4096;
const NAME_LIMIT: usize = 64;
/// Ids of Telegram have up to 52 bits.
const ID_LIMIT: i64 = 1 << 52;
/// Faults are no longer than this.
const SECONDS_LIMIT: u32 = 600;

/// What somebody does.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    /// Joins the people; without an id, a free one is taken.
    Join { name: String, id: Option<i64>, language: Option<String> },
    /// Writes a message.
    Send { person: i64, text: String, reply_to: Option<i64> },
    /// Sends the own telephone number.
    Contact { person: i64, phone: String },
    /// Sends a point on the map.
    Location { person: i64, latitude: f64, longitude: f64 },
    /// Changes an own message.
    Edit { person: i64, message: i64, text: String },
    /// Presses an inline button.
    Press { person: i64, message: i64, data: String },
    /// Has read all up to a message.
    Read { person: i64, message: i64 },
    /// Blocks the bot or lets it write again.
    Block { person: i64, blocked: bool },
    /// Begins a fault that lasts, in place of another.
    Spoil { fault: Trouble },
    /// Ends all faults of a kind.
    Mend { kind: String },
}

/// A fault to try.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Trouble {
    /// Connections are closed without an answer.
    Down,
    /// Every call takes so much longer.
    Slow { seconds: u32 },
    /// 429 with this `retry_after`.
    Busy { seconds: u32 },
    /// 500.
    Broken,
}

/// Why an action cannot be done.
pub(super) type Refused = (StatusCode, &'static str);

/// Does one action.
pub(super) async fn act(Shared(door): Shared<Door>, request: Request) -> Response {
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too much for one action").into_response();
    };
    let Ok(action) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "no such action").into_response();
    };
    match perform(&door.core, action).await {
        Ok(result) => ([(CONTENT_TYPE, "application/json")], result.to_string()).into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn perform(core: &Arc<Core>, action: Action) -> Result<Value, Refused> {
    match action {
        Action::Join { name, id, language } => {
            core.change(|state| join(state, &name, id, language))
        }
        Action::Send { person, text, reply_to } => send(core, person, &text, reply_to).await,
        Action::Contact { person, phone } => contact(core, person, &phone).await,
        Action::Location { person, latitude, longitude } => {
            location(core, person, latitude, longitude).await
        }
        Action::Edit { person, message, text } => edit(core, person, message, &text).await,
        Action::Press { person, message, data } => press(core, person, message, &data),
        Action::Read { person, message } => {
            core.change(|state| read(state, person, message));
            Ok(json!({}))
        }
        Action::Block { person, blocked } => {
            let person = self::person(core, person)?;
            if blocked {
                person.block_bot().await;
            } else {
                person.unblock_bot().await;
            }
            Ok(json!({}))
        }
        Action::Spoil { fault } => spoil(core, &fault),
        Action::Mend { kind } => {
            core.change(|state| state.faults.retain(|planned| planned.fault.kind() != kind));
            Ok(json!({}))
        }
    }
}

/// The person with this id.
pub(super) fn person(core: &Arc<Core>, id: i64) -> Result<Person, Refused> {
    if !core.read(|state| state.people.contains_key(&id)) {
        return Err((StatusCode::NOT_FOUND, "there is no such person"));
    }
    Ok(Person { view: View { core: Arc::clone(core), chat: id } })
}

fn join(
    state: &mut State,
    name: &str,
    id: Option<i64>,
    language: Option<String>,
) -> Result<Value, Refused> {
    let name = name.trim();
    if name.is_empty() || utf16_len(name) > NAME_LIMIT {
        return Err((StatusCode::BAD_REQUEST, "a name has 1 to 64 letters"));
    }
    let free = |id: &i64| {
        !state.people.contains_key(id) && !state.rooms.contains_key(id) && *id != state.bot.id
    };
    let id = id.or_else(|| (1001..ID_LIMIT).find(free)).unwrap_or_default();
    if !(1..ID_LIMIT).contains(&id) {
        return Err((StatusCode::BAD_REQUEST, "an id is a positive number below 2^52"));
    }
    if !free(&id) {
        return Err((StatusCode::CONFLICT, "the id is taken"));
    }
    state.join(id, name, false);
    let lawful = |code: &String| code.len() == 2 && code.bytes().all(|it| it.is_ascii_lowercase());
    if let (Some(code), Some(account)) = (language.filter(lawful), state.people.get_mut(&id)) {
        account.language = code;
    }
    Ok(json!({ "id": id }))
}

fn checked(text: &str) -> Result<&str, Refused> {
    let text = text.trim();
    if text.is_empty() || utf16_len(text) > TEXT_LIMIT || text.contains('\0') {
        return Err((StatusCode::BAD_REQUEST, "a message has 1 to 4096 letters"));
    }
    Ok(text)
}

async fn send(
    core: &Arc<Core>,
    id: i64,
    text: &str,
    reply_to: Option<i64>,
) -> Result<Value, Refused> {
    let (person, text) = (person(core, id)?, checked(text)?);
    let message = match reply_to {
        Some(replied) => person.reply(replied, text).await,
        None => person.send(text).await,
    };
    Ok(json!({ "id": message }))
}

async fn contact(core: &Arc<Core>, id: i64, phone: &str) -> Result<Value, Refused> {
    let person = person(core, id)?;
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    if !(5..=15).contains(&digits) || phone.len() > 30 {
        return Err((StatusCode::BAD_REQUEST, "a telephone number has 5 to 15 digits"));
    }
    Ok(json!({ "id": person.send_contact(phone.trim()).await }))
}

async fn location(core: &Arc<Core>, id: i64, north: f64, east: f64) -> Result<Value, Refused> {
    let person = person(core, id)?;
    if north.abs() > 90.0 || east.abs() > 180.0 {
        return Err((StatusCode::BAD_REQUEST, "there is no such place"));
    }
    Ok(json!({ "id": person.send_location(north, east).await }))
}

async fn edit(core: &Arc<Core>, id: i64, message: i64, text: &str) -> Result<Value, Refused> {
    let (person, text) = (person(core, id)?, checked(text)?);
    let own = core.read(|state| {
        let found = state.rooms.get(&id).and_then(|room| room.messages.get(&message));
        found.is_some_and(|it| !it.from_bot && !it.deleted)
    });
    if !own {
        return Err((StatusCode::NOT_FOUND, "there is no such message of this person"));
    }
    person.edit(message, text).await;
    Ok(json!({}))
}

fn press(core: &Arc<Core>, id: i64, message: i64, data: &str) -> Result<Value, Refused> {
    let person = person(core, id)?;
    if !(1..=64).contains(&data.len()) {
        return Err((StatusCode::BAD_REQUEST, "the data of a button has 1 to 64 bytes"));
    }
    let query = core.change(|state| state.press(person.id(), id, message, data));
    Ok(json!({ "query": query }))
}

fn read(state: &mut State, person: i64, message: i64) {
    if state.people.contains_key(&person) {
        let mark = state.desk.read.entry(person).or_default();
        *mark = message.max(*mark);
    }
}

fn spoil(core: &Core, trouble: &Trouble) -> Result<Value, Refused> {
    let fault = match *trouble {
        Trouble::Down => Fault::Drop,
        Trouble::Broken => Fault::Status(500),
        Trouble::Slow { seconds } => Fault::Delay(Duration::from_secs(limited(seconds)?.into())),
        Trouble::Busy { seconds } => Fault::TooManyRequests { retry_after: limited(seconds)? },
    };
    core.change(|state| {
        // A call meets one fault: two that last would only seem to work together.
        state.faults.retain(|planned| !planned.lasting);
        state.faults.push(fault.lasting());
    });
    Ok(json!({}))
}

fn limited(seconds: u32) -> Result<u32, Refused> {
    match seconds {
        1..=SECONDS_LIMIT => Ok(seconds),
        _ => Err((StatusCode::BAD_REQUEST, "a fault has 1 to 600 seconds")),
    }
}
