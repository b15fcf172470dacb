//! The queue of updates that wait for the bot.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

/// Updates, until the bot confirms them.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<Entry>,
    next_id: i64,
    allowed: BTreeSet<String>,
    /// Kinds that the bot missed, since it did not ask for them.
    pub(crate) unwanted: BTreeSet<String>,
    last: Option<Value>,
    /// The number of the newest `getUpdates`; older ones have to give up.
    pub(crate) turn: u64,
}

#[derive(Debug)]
struct Entry {
    id: i64,
    update: Value,
    /// Delivered in spite of a higher offset, once.
    again: bool,
}

/// The kinds of an update; normally one.
fn kinds(update: &Value) -> impl Iterator<Item = &str> {
    let fields = update.as_object().into_iter().flat_map(|fields| fields.keys());
    fields.map(String::as_str).filter(|name| *name != "update_id")
}

/// Kinds that a bot gets only if it asks for them.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            next_id: 500_000,
            allowed: BTreeSet::new(),
            unwanted: BTreeSet::new(),
            last: None,
            turn: 0,
        }
    }

    /// Adds an update, unless the bot doesn't want its kind; gives its id.
    pub(crate) fn push(&mut self, mut update: Value) -> i64 {
        let id = update.get("update_id").and_then(Value::as_i64).unwrap_or(self.next_id);
        if update.is_object() {
            update["update_id"] = id.into();
        }
        self.next_id = self.next_id.max(id.saturating_add(1));
        if self.wants(&update) {
            self.last = Some(update.clone());
            self.waiting.push_back(Entry { id, update, again: false });
        } else {
            self.unwanted.extend(kinds(&update).map(ToOwned::to_owned));
        }
        id
    }

    /// Delivers the newest update once more, even if it is confirmed.
    pub(crate) fn push_last_again(&mut self) -> Option<i64> {
        let update = self.last.clone()?;
        let id = update.get("update_id").and_then(Value::as_i64)?;
        // In front, so that the offset of the bot doesn't go back.
        self.waiting.push_front(Entry { id, update, again: true });
        Some(id)
    }

    fn wants(&self, update: &Value) -> bool {
        if self.allowed.is_empty() {
            return kinds(update).all(|kind| !ON_REQUEST.contains(&kind));
        }
        kinds(update).all(|kind| self.allowed.contains(kind))
    }

    /// Sets the kinds that new updates may have; none means the default.
    pub(crate) fn allow(&mut self, kinds: impl IntoIterator<Item = String>) {
        self.allowed = kinds.into_iter().collect();
    }

    /// Forgets what an offset confirms.
    pub(crate) fn confirm(&mut self, offset: i64) {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            self.waiting.drain(..self.waiting.len().saturating_sub(keep));
        } else {
            self.waiting.retain(|entry| entry.again || entry.id >= offset);
        }
    }

    /// The oldest updates; they stay until they are confirmed.
    pub(crate) fn batch(&mut self, limit: usize) -> Vec<Value> {
        let taken = self.waiting.iter_mut().take(limit);
        taken
            .map(|entry| {
                entry.again = false;
                entry.update.clone()
            })
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}
