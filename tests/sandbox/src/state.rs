//! Everything the pretended Telegram knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use crate::{
    callback::Callback, fault::PlannedFault, files::Files, journal::Journal, message::Message,
    page::Desk, refusal::Refusal, update::Queue,
};

/// The state of a sandbox.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) bot: Bot,
    pub(crate) people: BTreeMap<i64, Account>,
    pub(crate) rooms: BTreeMap<i64, Room>,
    pub(crate) queue: Queue,
    pub(crate) callbacks: BTreeMap<String, Callback>,
    pub(crate) files: Files,
    /// Lists of commands by scope and language.
    pub(crate) commands: BTreeMap<String, Value>,
    /// Menu buttons by chat; that of all chats has no id.
    pub(crate) menu_buttons: BTreeMap<Option<i64>, Value>,
    pub(crate) faults: Vec<PlannedFault>,
    /// What the page remembers.
    pub(crate) desk: Desk,
    pub(crate) journal: Journal,
    /// Somebody tries the bot by hand: nothing that it does wrong is a reason to fail.
    pub(crate) forgiving: bool,
    /// The server is going away: no more waiting.
    pub(crate) closing: bool,
    /// How long a person waits before a test fails.
    pub(crate) patience: Duration,
    last_message: i64,
    revision: u64,
}

/// The bot under test.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) id: i64,
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) username: String,
}

/// A person's account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The person has written to the bot, so that it may write back.
    pub(crate) started: bool,
    pub(crate) blocked: bool,
    /// The name without `@`.
    pub(crate) username: Option<String>,
    /// Like `en` or `pt-br`.
    pub(crate) language: String,
}

/// A chat: private (id of the person) or a group.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: i64,
    /// The title of a group.
    pub(crate) title: Option<String>,
    pub(crate) messages: BTreeMap<i64, Message>,
    /// What messages looked like before they were changed.
    pub(crate) past: Vec<Message>,
    /// Changes up to here are old for those who wait.
    pub(crate) seen: u64,
    /// Newer changes that somebody has already waited for.
    pub(crate) taken: BTreeSet<u64>,
    /// The last chat action of the bot, and when it came.
    pub(crate) action: Option<(String, Instant)>,
}

/// How long a chat action is shown.
const ACTION_TIME: Duration = Duration::from_secs(5);

impl Room {
    /// What the bot is doing at this time.
    pub(crate) fn action(&self, now: Instant) -> Option<&str> {
        let (action, since) = self.action.as_ref()?;
        (now.saturating_duration_since(*since) < ACTION_TIME).then_some(action.as_str())
    }
}

impl State {
    pub(crate) fn new() -> Self {
        let id = 7_000_000_001;
        let token = format!("{id}:AASandboxSandboxSandboxSandboxSandb");
        Self {
            bot: Bot { id, token, name: "Sandbox bot".into(), username: "sandbox_bot".into() },
            people: BTreeMap::new(),
            rooms: BTreeMap::new(),
            queue: Queue::new(),
            callbacks: BTreeMap::new(),
            files: Files::default(),
            commands: BTreeMap::new(),
            menu_buttons: BTreeMap::new(),
            faults: Vec::new(),
            desk: Desk::default(),
            journal: Journal::default(),
            forgiving: false,
            closing: false,
            patience: Duration::from_secs(20),
            last_message: 100,
            revision: 0,
        }
    }

    /// The bot as a `User`.
    pub(crate) fn bot_user(&self) -> Value {
        json!({
            "id": self.bot.id, "is_bot": true, "first_name": self.bot.name,
            "username": self.bot.username,
        })
    }

    /// A person as a `User`.
    pub(crate) fn user(&self, id: i64) -> Value {
        let mut user = self.named(id);
        user["is_bot"] = false.into();
        user["language_code"] = self.people.get(&id).map_or("en", |person| &person.language).into();
        user
    }

    /// A chat as a `Chat`.
    pub(crate) fn chat(&self, id: i64) -> Value {
        if let Some(title) = self.rooms.get(&id).and_then(|room| room.title.as_ref()) {
            let kind = if id <= -1_000_000_000_000 { "supergroup" } else { "group" };
            return json!({ "id": id, "type": kind, "title": title });
        }
        let mut chat = self.named(id);
        chat["type"] = "private".into();
        chat
    }

    /// What a person's `User` and `Chat` have in common.
    fn named(&self, id: i64) -> Value {
        let person = self.people.get(&id);
        let mut json = json!({
            "id": id, "first_name": person.map_or("Somebody", |person| &person.name),
        });
        if let Some(username) = person.and_then(|person| person.username.as_ref()) {
            json["username"] = username.clone().into();
        }
        json
    }

    /// Lets somebody join, with a private chat.
    pub(crate) fn join(&mut self, id: i64, name: &str, started: bool) {
        self.room(id);
        let account = Account {
            name: name.to_owned(),
            started,
            blocked: false,
            username: None,
            language: "en".to_owned(),
        };
        self.people.insert(id, account);
    }

    /// The number of the newest change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The room with this id, made if it isn't there.
    pub(crate) fn room(&mut self, id: i64) -> &mut Room {
        self.rooms.entry(id).or_insert_with(|| Room {
            id,
            title: None,
            messages: BTreeMap::new(),
            past: Vec::new(),
            seen: 0,
            taken: BTreeSet::new(),
            action: None,
        })
    }

    /// Finds the message in whatever chat it is.
    pub(crate) fn message(&self, id: i64) -> Option<&Message> {
        self.rooms.values().find_map(|room| room.messages.get(&id))
    }

    /// Whether a message carries a file that can have a caption.
    pub(crate) fn takes_caption(&self, message: &Message) -> bool {
        let file = message.file.as_ref().and_then(|id| self.files.get(id));
        file.is_some_and(|file| file.kind.takes_caption())
    }

    /// Shows a message: a new one, or instead of an older version of it.
    pub(crate) fn show(&mut self, message: Message) {
        let room = self.room(message.chat);
        if message.from_bot && !room.messages.contains_key(&message.id) {
            room.action = None;
        }
        room.past.extend(room.messages.insert(message.id, message));
    }

    /// The id for a new message; ids are unique over all chats.
    pub(crate) fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }

    /// The number of a new change of a message.
    pub(crate) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Whoever waits in this chat waits for changes from now on.
    pub(crate) fn mark_seen(&mut self, chat: i64) {
        let revision = self.revision;
        let room = self.room(chat);
        room.seen = revision;
        room.taken.clear();
    }

    /// The chat that a field of a request names.
    pub(crate) fn named_room(
        &self,
        fields: &Map<String, Value>,
        field: &str,
    ) -> Result<&Room, Refusal> {
        let id = match fields.get(field) {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
            None => None,
        };
        id.and_then(|id| self.rooms.get(&id)).ok_or_else(Refusal::chat_not_found)
    }

    /// The chat that a request names, if the bot may write to it.
    pub(crate) fn reachable_chat(&self, fields: &Map<String, Value>) -> Result<i64, Refusal> {
        let room = self.named_room(fields, "chat_id")?;
        if let Some(person) = self.people.get(&room.id) {
            if person.blocked {
                return Err(Refusal::met(403, "Forbidden: bot was blocked by the user"));
            }
            if !person.started {
                let text = "Forbidden: bot can't initiate conversation with a user";
                return Err(Refusal::met(403, text));
            }
        }
        Ok(room.id)
    }
}

/// The current time as Telegram writes it.
pub(crate) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_ends_after_five_seconds() {
        let mut state = State::new();
        let room = state.room(42);
        let start = Instant::now();
        room.action = Some(("typing".into(), start));
        assert_eq!(room.action(start + Duration::from_millis(4999)), Some("typing"));
        assert_eq!(room.action(start + ACTION_TIME), None);
    }
}
