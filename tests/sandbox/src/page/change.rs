//! What has changed since a revision, as the page reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{
    command::Command,
    fault::{Fault, PlannedFault},
    journal::Call,
    message::Message,
    state::{Account, State},
};

/// So many old calls are told to a page that has just been opened.
const OLD_CALLS: usize = 400;

/// All changes between two revisions.
#[derive(Debug)]
pub(super) struct Changes {
    since: u64,
    pub(super) revision: u64,
    /// People, faults and the like, always whole; null if the page has them.
    pub(super) scene: Value,
    messages: Vec<Value>,
    calls: Vec<Value>,
    answers: Vec<Value>,
}

impl Changes {
    pub(super) fn since(state: &State, since: u64) -> Self {
        Self {
            since,
            revision: state.revision(),
            scene: scene(state),
            messages: messages(state, since),
            calls: calls(state, since),
            answers: answers(state, since),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let lists = [&self.messages, &self.calls, &self.answers];
        self.scene.is_null() && lists.iter().all(|list| list.is_empty())
    }

    pub(super) fn body(self, run: u64) -> String {
        let mut body = json!({
            "run": run, "since": self.since, "revision": self.revision,
            "messages": self.messages, "calls": self.calls, "answers": self.answers,
        });
        if !self.scene.is_null() {
            body["scene"] = self.scene;
        }
        body.to_string()
    }
}

/// All that is small enough to be told whole.
pub(super) fn scene(state: &State) -> Value {
    let people: Vec<_> = state.people.iter().map(|(id, who)| person(state, *id, who)).collect();
    let faults: Vec<_> = state.faults.iter().map(fault).collect();
    json!({
        "bot": state.bot_user(), "note": state.desk.note, "people": people, "faults": faults,
    })
}

fn person(state: &State, id: i64, account: &Account) -> Value {
    json!({
        "id": id, "name": account.name, "started": account.started, "blocked": account.blocked,
        "read": state.desk.read.get(&id).copied().unwrap_or_default(),
        "commands": commands(state, id),
    })
}

fn commands(state: &State, id: i64) -> Value {
    let command = |it: Command| json!({ "command": it.command, "description": it.description });
    state.commands_of(id).into_iter().map(command).collect()
}

fn fault(planned: &PlannedFault) -> Value {
    let number = match planned.fault {
        Fault::TooManyRequests { retry_after } => retry_after.into(),
        Fault::Status(status) | Fault::Page(status) | Fault::Refuse { status, .. } => status.into(),
        Fault::Delay(time) => time.as_secs(),
        Fault::MigratedTo(_) | Fault::Drop | Fault::DropAfter => 0,
    };
    let times = (!planned.lasting).then_some(planned.times);
    json!({ "kind": planned.fault.kind(), "number": number, "method": planned.method, "times": times })
}

fn messages(state: &State, since: u64) -> Vec<Value> {
    let all = state.rooms.values().flat_map(|room| room.messages.values());
    // Who has nothing yet needs no message that is gone.
    let new = all.filter(|it| it.revision > since && !(it.deleted && since == 0));
    let mut found: Vec<_> = new.collect();
    found.sort_by_key(|it| it.id);
    found.into_iter().map(|it| message(state, it)).collect()
}

fn message(state: &State, message: &Message) -> Value {
    let mut json = json!({ "id": message.id, "chat": message.chat, "from_bot": message.from_bot });
    if message.deleted {
        json["deleted"] = true.into();
        return json;
    }
    json["message"] = message.json(state);
    if let Some(keyboard) = &message.keyboard {
        json["keyboard"] = keyboard.clone();
    }
    if was_rewritten(state, message) {
        json["edited"] = true.into();
    }
    json
}

/// Whether the text was changed; Telegram doesn't tell of changes of a keyboard alone.
fn was_rewritten(state: &State, message: &Message) -> bool {
    let past = state.rooms.get(&message.chat).into_iter().flat_map(|room| &room.past);
    message.edits > 0 && past.filter(|old| old.id == message.id).any(|old| old.text != message.text)
}

fn calls(state: &State, since: u64) -> Vec<Value> {
    let calls = &state.journal.calls;
    let old = if since == 0 { calls.len().saturating_sub(OLD_CALLS) } else { 0 };
    // A call that runs is never old: the page shows by it that the bot is there.
    let told = calls.iter().enumerate().filter(|(place, call)| *place >= old || call.open);
    told.filter(|(_, call)| call.revision > since).map(|(_, it)| call(it)).collect()
}

fn call(call: &Call) -> Value {
    json!({
        "number": call.number, "method": call.method, "fields": call.fields,
        "answer": call.answer, "status": call.status, "open": call.open,
        "violation": call.violation,
        "started": millis(call.started),
        "took": u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

fn answers(state: &State, since: u64) -> Vec<Value> {
    let queries = state.callbacks.iter().filter(|(_, query)| query.revision > since);
    let answered = queries.filter_map(|(id, query)| Some((id, query.answer.as_ref()?)));
    answered
        .map(|(id, answer)| json!({ "id": id, "text": answer.text, "alert": answer.show_alert }))
        .collect()
}
