//! Waiting for what the bot does in a chat.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    core::Core,
    journal::Call,
    shown::{Chat, Shown},
    state::State,
};

/// A chat to look at and to wait in.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) core: Arc<Core>,
    pub(crate) chat: i64,
}

impl View {
    pub(crate) fn chat(&self) -> Chat {
        self.core.read(|state| Chat::of(state, self.chat))
    }

    /// Waits for a new or edited message of the bot with this text.
    pub(crate) async fn wait_for(&self, substring: &str) -> Shown {
        let found = self
            .core
            .until(self.core.patience(), |state| take_new(state, self.chat, substring))
            .await;
        found.unwrap_or_else(|| self.fail(&format!("no new message of the bot has {substring:?}")))
    }

    /// Waits until a look at the chat gives something.
    pub(crate) async fn wait_until<T>(&self, mut look: impl FnMut(&Chat) -> Option<T>) -> T {
        let found = self.core.watch(self.core.patience(), || look(&self.chat())).await;
        found.unwrap_or_else(|| self.fail("what was waited for did not happen"))
    }

    /// Fails the test with all that is known.
    pub(crate) fn fail(&self, problem: &str) -> ! {
        let trouble = self.core.read(trouble);
        panic!("{problem}\n{}\n{trouble}", self.chat());
    }
}

/// Takes the oldest change with this text that nobody has waited for yet.
fn take_new(state: &mut State, chat: i64, substring: &str) -> Option<Shown> {
    let room = state.rooms.get(&chat)?;
    let versions = room.past.iter().chain(room.messages.values());
    let found = versions
        .filter(|message| message.from_bot && !message.deleted)
        .filter(|message| message.revision > room.seen && !room.taken.contains(&message.revision))
        .filter(|message| message.text.plain.contains(substring))
        .min_by_key(|message| message.revision)?;
    let shown = Shown::of(state, found);
    let revision = found.revision;
    state.room(chat).taken.insert(revision);
    Some(shown)
}

/// The last calls and all violations, for a failed test.
pub(crate) fn trouble(state: &State) -> String {
    let calls = state.journal.calls.iter();
    let heard = calls.filter(|call| call.method != "getUpdates" || call.status != 200);
    let mut lines: Vec<_> = heard.rev().take(12).map(told).collect();
    lines.push("last calls of the bot:".into());
    lines.reverse();
    lines.push(format!("updates that the bot has not confirmed: {}", state.queue.len()));
    if !state.queue.unwanted.is_empty() {
        lines.push(format!("updates that it did not ask for: {:?}", state.queue.unwanted));
    }
    let broken = state.journal.violations.iter();
    lines.extend(broken.map(|violation| format!("violation: {violation}")));
    lines.join("\n")
}

/// A call on one line.
fn told(call: &Call) -> String {
    let fields: String = call.fields.to_string().chars().take(200).collect();
    let refusal = call.answer.get("description").and_then(Value::as_str).unwrap_or_default();
    format!("  {} {} {fields} {refusal}", call.method, call.status)
}
