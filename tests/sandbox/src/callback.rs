//! Presses of inline buttons that wait for an answer of the bot.

use serde_json::{Value, json};

use crate::state::State;

/// What the bot answered to a press.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The text that pops up, if there is one.
    pub text: Option<String>,
    /// Whether the text is shown as a window rather than for a moment.
    pub show_alert: bool,
}

/// A callback query.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) answer: Option<Answer>,
    /// It was handed to the bot.
    pub(crate) delivered: bool,
    /// Its time is over: an answer comes too late.
    pub(crate) expired: bool,
    /// Number of the change that answered it.
    pub(crate) revision: u64,
    /// Who pressed what, for messages to the programmer.
    pub(crate) story: String,
}

impl State {
    /// A person presses a button with this data below this message.
    pub(crate) fn press(&mut self, person: i64, chat: i64, message: i64, data: &str) -> String {
        let shown = self.rooms.get(&chat).and_then(|room| room.messages.get(&message));
        let shown = match shown.filter(|message| !message.deleted) {
            Some(message) => message.json(self),
            None => json!({ "message_id": message, "date": 0, "chat": self.chat(chat) }),
        };
        let id = self.expect_answer(format!("{person} pressed {data:?} on message {message}"));
        let query = json!({
            "id": id, "from": self.user(person), "message": shown,
            "chat_instance": format!("{chat}"), "data": data,
        });
        self.mark_seen(chat);
        self.deliver(json!({ "callback_query": query }));
        id
    }

    /// The id of a new callback query.
    fn expect_answer(&mut self, story: String) -> String {
        let id = format!("{}", 4_382_000_000_000_000_usize + self.callbacks.len());
        let callback =
            Callback { answer: None, delivered: false, expired: false, revision: 0, story };
        self.callbacks.insert(id.clone(), callback);
        id
    }

    /// Puts an update into the queue of the bot.
    pub(crate) fn deliver(&mut self, update: Value) -> i64 {
        self.journal.activity += 1;
        if let Some(id) = update.pointer("/callback_query/id").and_then(Value::as_str) {
            self.callbacks.entry(id.to_owned()).or_insert_with(|| Callback {
                answer: None,
                delivered: false,
                expired: false,
                revision: 0,
                story: format!("callback query {id}"),
            });
        }
        self.queue.push(update)
    }

    /// Notes which callback queries the bot has got.
    pub(crate) fn note_delivered(&mut self, updates: &[Value]) {
        for update in updates {
            let id = update.pointer("/callback_query/id").and_then(Value::as_str);
            if let Some(callback) = id.and_then(|id| self.callbacks.get_mut(id)) {
                callback.delivered = true;
            }
        }
    }

    /// Callback queries that the bot got and never answered.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        let waiting = self.callbacks.values();
        waiting
            .filter(|query| query.delivered && query.answer.is_none() && !query.expired)
            .map(|query| query.story.clone())
            .collect()
    }
}
