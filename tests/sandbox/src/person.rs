//! A person who talks to the bot.

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    card::CardJson,
    command::Command,
    file_kind::FileKind,
    html::Formatted,
    message::Message,
    press::Press,
    shown::{Chat, Shown},
    state::{Account, State, unix_now},
    waiting::View,
};

/// A person with a private chat with the bot.
///
/// The id of the chat is the id of the person. Clones are the same person.
/// What is waited for times out after 20 seconds, unless changed by
/// [`Sandbox::set_patience`](crate::Sandbox::set_patience), and fails the test
/// with a transcript of the chat.
#[derive(Debug, Clone)]
pub struct Person {
    pub(crate) view: View,
}

impl Person {
    /// Id of the person and of the private chat.
    pub fn id(&self) -> i64 {
        self.view.chat
    }

    /// Gives the person a username, without `@`.
    #[must_use]
    pub fn with_username(self, username: &str) -> Self {
        self.change(|person| person.username = Some(username.to_owned()));
        self
    }

    /// Sets the language of the person's Telegram, like `ru`; it is `en` at first.
    #[must_use]
    pub fn with_language(self, language_code: &str) -> Self {
        self.change(|person| language_code.clone_into(&mut person.language));
        self
    }

    /// Writes to the bot; gives the id of the message.
    pub async fn send(&self, text: &str) -> i64 {
        self.say(self.id(), text, |_, _| {})
    }

    /// Starts the bot by a link like `t.me/bot?start=ref42`; the parameter is `ref42`.
    pub async fn open_link(&self, parameter: &str) -> i64 {
        let lawful = |letter: u8| letter.is_ascii_alphanumeric() || b"_-".contains(&letter);
        if !(1..=64).contains(&parameter.len()) || !parameter.bytes().all(lawful) {
            self.view.fail(&format!("Telegram makes no link with the parameter {parameter:?}"));
        }
        self.send(&format!("/start {parameter}")).await
    }

    /// Sends a file as a photo, a voice message or any other kind; an empty caption is none.
    ///
    /// The bytes are not looked into.
    pub async fn send_file(
        &self,
        kind: FileKind,
        file_name: &str,
        bytes: impl Into<Vec<u8>>,
        caption: &str,
    ) -> i64 {
        if !caption.is_empty() && !kind.takes_caption() {
            self.view.fail(&format!("a {kind:?} has no caption"));
        }
        let bytes = Bytes::from(bytes.into());
        self.say(self.id(), caption, |state, message| {
            message.file = Some(state.files.add(kind, file_name, bytes, &Map::new()));
        })
    }

    /// Sends a file as it is: [`send_file`](Self::send_file) with [`FileKind::Document`].
    pub async fn send_document(
        &self,
        file_name: &str,
        bytes: impl Into<Vec<u8>>,
        caption: &str,
    ) -> i64 {
        self.send_file(FileKind::Document, file_name, bytes, caption).await
    }

    /// Sends the own telephone number, like the button of a keyboard that asks for it.
    pub async fn send_contact(&self, phone_number: &str) -> i64 {
        self.say(self.id(), "", |_, message| {
            message.card = Some(CardJson::contact(&message.from, phone_number));
        })
    }

    /// Sends a point on the map.
    pub async fn send_location(&self, latitude: f64, longitude: f64) -> i64 {
        self.say(self.id(), "", |_, message| {
            message.card = Some(CardJson::location(latitude, longitude));
        })
    }

    /// Writes as a reply to a message of the private chat.
    pub async fn reply(&self, message_id: i64, text: &str) -> i64 {
        self.say(self.id(), text, |_, message| message.reply_to = Some(message_id))
    }

    /// Forwards a text that somebody else has written.
    pub async fn forward_text(&self, text: &str) -> i64 {
        self.say(self.id(), text, |_, message| {
            message.origin = Some(json!({
                "type": "hidden_user", "sender_user_name": "Somebody else", "date": unix_now() - 60,
            }));
        })
    }

    /// Forwards a message to the bot, from whatever chat it is in.
    pub async fn forward_message(&self, message_id: i64) -> i64 {
        let found = self.view.core.read(|state| state.message(message_id).cloned());
        let Some(source) = found.filter(|source| !source.deleted) else {
            self.view.fail(&format!("there is no message {message_id} to forward"));
        };
        self.say(self.id(), "", |_, message| message.forward(&source))
    }

    /// Writes in a group.
    pub async fn say_in_group(&self, group_id: i64, text: &str) -> i64 {
        self.say(group_id, text, |_, _| {})
    }

    /// Edits the text or the caption of an own message.
    pub async fn edit(&self, message_id: i64, text: &str) {
        let edited = self.view.core.change(|state| edit(state, self.id(), message_id, text));
        if edited.is_none() {
            self.view.fail(&format!("there is no own message {message_id} to edit"));
        }
    }

    /// Blocks the bot, which is told about it.
    pub async fn block_bot(&self) {
        self.set_blocked(true);
    }

    /// Lets the bot write again.
    pub async fn unblock_bot(&self) {
        self.set_blocked(false);
    }

    /// Presses the newest inline button with this label in the private chat.
    pub fn press(&self, button: &str) -> Press {
        Press::button(self, button)
    }

    /// Presses an inline button of this message, in whatever chat it is.
    pub fn press_on(&self, message_id: i64, button: &str) -> Press {
        let found = self.view.core.read(|state| state.message(message_id).map(|found| found.chat));
        match found {
            Some(chat) => self.press_elsewhere(chat, message_id, button),
            None => self.view.fail(&format!("there is no message {message_id}")),
        }
    }

    /// Presses an inline button of a message in a chat, also in a foreign one.
    pub fn press_elsewhere(&self, chat_id: i64, message_id: i64, button: &str) -> Press {
        let chat = self.view.core.read(|state| Chat::of(state, chat_id));
        let message = chat.messages.iter().find(|message| message.id == message_id);
        let found = message.and_then(|message| message.button(button)).map(|found| &found.data);
        match found {
            Some(Some(data)) => Press::data(self, chat_id, message_id, data),
            Some(None) => self.view.fail(&format!("the button {button:?} has no data\n{chat}")),
            None => {
                self.view.fail(&format!("message {message_id} has no button {button:?}\n{chat}"))
            }
        }
    }

    /// Sends forged callback data for a message, in whatever chat it is.
    ///
    /// A message that is deleted or never was makes an inaccessible message.
    /// Bytes that are not UTF-8 become replacement characters.
    pub fn press_data(&self, message_id: i64, data: impl AsRef<[u8]>) -> Press {
        let found = self.view.core.read(|state| state.message(message_id).map(|found| found.chat));
        let data = String::from_utf8_lossy(data.as_ref());
        Press::data(self, found.unwrap_or(self.id()), message_id, &data)
    }

    /// The commands that the `/` menu of the private chat shows.
    pub fn commands(&self) -> Vec<Command> {
        self.view.core.read(|state| state.commands_of(self.id()))
    }

    /// The private chat as it is now.
    pub fn chat(&self) -> Chat {
        self.view.chat()
    }

    /// Waits for a new or edited message of the bot whose plain text has this part.
    ///
    /// New is what came after the last action of the person; each change of a
    /// message is found only once. A text that was soon edited is found too: the
    /// result is the message as it was then.
    pub async fn wait_for(&self, substring: &str) -> Shown {
        self.view.wait_for(substring).await
    }

    /// Waits until a look at the private chat gives something.
    pub async fn wait_until<T>(&self, look: impl FnMut(&Chat) -> Option<T>) -> T {
        self.view.wait_until(look).await
    }

    /// Writes a message, after `finish` has completed it.
    fn say(&self, chat: i64, text: &str, finish: impl FnOnce(&mut State, &mut Message)) -> i64 {
        self.view.core.change(|state| {
            if let Some(person) = state.people.get_mut(&self.id()).filter(|_| chat == self.id()) {
                person.started = true;
                person.blocked = false;
            }
            let mut message = Message::from_person(state, chat, self.id(), text);
            finish(state, &mut message);
            let id = message.id;
            let json = message.json(state);
            state.show(message);
            state.mark_seen(chat);
            state.deliver(json!({ "message": json }));
            id
        })
    }

    fn change(&self, change: impl FnOnce(&mut Account)) {
        self.view.core.change(|state| state.people.get_mut(&self.id()).map(change));
    }

    fn set_blocked(&self, blocked: bool) {
        self.view.core.change(|state| {
            if let Some(person) = state.people.get_mut(&self.id()) {
                person.blocked = blocked;
            }
            let (old, new) = if blocked { ("member", "kicked") } else { ("kicked", "member") };
            let member = |status: &str| match status {
                "kicked" => json!({ "status": status, "user": state.bot_user(), "until_date": 0 }),
                _ => json!({ "status": status, "user": state.bot_user() }),
            };
            let update = json!({
                "chat": state.chat(self.id()), "from": state.user(self.id()), "date": unix_now(),
                "old_chat_member": member(old), "new_chat_member": member(new),
            });
            state.deliver(json!({ "my_chat_member": update }));
        });
    }
}

/// Changes the text of a message of a person.
fn edit(state: &mut State, person: i64, id: i64, text: &str) -> Option<Value> {
    let own = state.message(id).filter(|message| message.from["id"] == person);
    let mut message = own.filter(|message| !message.deleted)?.clone();
    text.clone_into(&mut message.raw);
    message.text = Formatted::with_commands(text);
    message.edits += 1;
    message.edit_date = Some(unix_now());
    message.revision = state.next_revision();
    let chat = message.chat;
    let json = message.json(state);
    state.show(message);
    state.mark_seen(chat);
    state.deliver(json!({ "edited_message": json }));
    Some(json)
}
