//! What people write: to the bot, and to its program.

use std::ffi::OsString;

use serde_json::{Value, json};
use teloxide::types::{
    CallbackQueryId, ChatId, FileId, Message, MessageId, Update, UpdateKind, UserId,
};

use crate::chat::access::{Access, Strangers};
use crate::chat::branch::{self, Action, Command, Press, read, read_command};
use crate::chat::button::Button;
use crate::command::arguments::{self, Question, Request};

const ADMIN: i64 = 42;
const ADMINISTRATOR: UserId = UserId(ADMIN.unsigned_abs());
const STRANGER: i64 = 43;
const BOT: &str = "Shop_bot";

/// Reads what people write. The first byte says what the rest is: a text, the arguments of a program
/// with a zero after each, an update of Telegram, or how an update is made ([`Sent`]) and its text.
///
/// # Panics
/// If anything but the words of a command is one, or anybody but the administrator is obeyed.
pub fn command(input: &[u8]) {
    match input.split_first() {
        Some((0, text)) => written(&String::from_utf8_lossy(text)),
        Some((1, line)) => typed(line),
        Some((2, update)) => arrived(update),
        Some((_, sent)) => sent_by(sent),
        None => {}
    }
}

fn written(text: &str) {
    assert_eq!(read_command(text, Some(BOT)), in_words(text, Some(BOT)), "{text:?}");
    assert_eq!(read_command(text, None), in_words(text, None), "{text:?}");
}

/// A command is its exact word, alone or before a blank, with or without the name of this bot.
fn in_words(text: &str, bot: Option<&str>) -> Option<(Command, bool)> {
    let ends = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
    for command in [Command::BackUp, Command::List, Command::Restore, Command::Settings] {
        let Some(rest) = text.strip_prefix(word_of(command)) else { continue };
        if ends(rest) {
            return Some((command, false));
        }
        let named = rest.strip_prefix('@').zip(bot).is_some_and(|(rest, bot)| {
            let name = rest.get(..bot.len());
            name.is_some_and(|name| name.eq_ignore_ascii_case(bot)) && ends(&rest[bot.len()..])
        });
        if named {
            return Some((command, true));
        }
    }
    None
}

fn word_of(command: Command) -> &'static str {
    match command {
        Command::BackUp => "/backup",
        Command::List => "/backup_list",
        Command::Restore => "/backup_restore",
        Command::Settings => "/backup_settings",
    }
}

fn typed(line: &[u8]) {
    let words: Vec<OsString> = line.split(|&byte| byte == 0).map(word).collect();
    let Some(request) = arguments::read(words.clone()) else {
        // the mark before words that begin with a line, and no word after it
        return assert_eq!(words, ["--"], "words that mean nothing");
    };
    let first = words.first().and_then(|word| word.to_str()).unwrap_or_default();
    let own = |word: &str| words.iter().take_while(|own| *own != "--").any(|own| own == word);
    let same: &[&str] = match &request {
        Request::BackUp => &["backup"],
        Request::List => &["list"],
        Request::Verify(None) => &["verify"],
        Request::Verify(Some(file)) => {
            return assert!(first == "verify" && words.contains(&file.into()));
        }
        Request::Restore { file, yes, force } => {
            assert!(first == "restore" && words.contains(&file.into()), "{words:?}");
            let short = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with("-y"));
            assert!(!yes || own("--yes") || words.iter().any(short), "nobody said yes: {words:?}");
            assert_eq!(*force, own("--force"), "{words:?}");
            let mut again: Vec<OsString> = vec!["restore".into()];
            again.extend(yes.then(|| "--yes".into()));
            again.extend(force.then(|| "--force".into()));
            again.extend(["--".into(), file.into()]);
            return assert_eq!(arguments::read(again), Some(request));
        }
        Request::Explain(Question::Help) => &["help"],
        Request::Explain(Question::NoFile) => &["restore"],
        Request::Explain(Question::Unknown(_)) => return,
    };
    assert_eq!(arguments::read(same.iter().map(OsString::from)), Some(request), "{words:?}");
}

#[cfg(unix)]
fn word(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn word(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn access(strangers: Strangers) -> Access {
    Access { admins: vec![ADMINISTRATOR], strangers }
}

fn arrived(update: &[u8]) {
    let Ok(update) = serde_json::from_slice::<Update>(update) else { return };
    let action = read(&update, &access(Strangers::PassOn), Some(BOT));
    let message = match &update.kind {
        UpdateKind::Message(message) => Some(message),
        _ => None,
    };
    let said = |words: fn(&Message) -> Option<&str>| in_words(message.and_then(words)?, Some(BOT));
    match action {
        None | Some(Action::Dismiss(_)) => {}
        Some(Action::NotHere(_)) => {
            let words = [said(Message::text), said(Message::caption)];
            assert!(words.into_iter().flatten().any(|(_, addressed)| addressed));
        }
        Some(Action::Command(command, chat)) => {
            let word = said(Message::text).map(|(command, _)| command);
            assert_eq!((chat, Some(command)), (ChatId(ADMIN), word));
        }
        Some(Action::Receive(sent)) => {
            assert_eq!((sent.chat, sent.admin), (ChatId(ADMIN), ADMINISTRATOR));
            let word = said(Message::caption).map(|(command, _)| command);
            assert_eq!(word, Some(Command::Restore), "nobody asked for a restore");
            let document = message.and_then(Message::document).map(|document| &document.file);
            let file = document.map(|file| (&file.id, file.size));
            assert_eq!(file, Some((&sent.file, sent.bytes)), "another file");
        }
        Some(Action::Press(press)) => {
            assert_eq!((press.chat, press.admin), (ChatId(ADMIN), ADMINISTRATOR));
        }
        Some(refusal) => assert_eq!(format!("{refusal:?}"), "none: strangers are passed on"),
    }
}

/// How an update was made: three bytes of the input.
#[derive(Debug)]
struct Sent {
    from: Option<i64>,
    is_bot: bool,
    chat: i64,
    private: bool,
    kind: &'static str,
    /// In another's name, through another bot, or another's words.
    borrowed: Option<&'static str>,
    strangers: Strangers,
    /// What the words are written under; alone, they are a text.
    over: Option<&'static str>,
    /// The length of a file; Telegram does not always say it.
    bytes: Option<u32>,
}

impl Sent {
    fn new(who: u8, place: u8, how: u8) -> Self {
        let borrowed = ["sender_chat", "via_bot", "forward_origin", "sender_business_bot"];
        let chats = [ADMIN, STRANGER, ADMIN, -7, -1_001_234_567_890, i64::MIN + 1];
        let kinds = ["message", "callback_query", "edited_message", "channel_post"];
        let people = [ADMIN, STRANGER, 777_000, 1_087_968_824, 136_817_688];
        let over = [None, Some("document"), Some("photo"), Some("reply_to_message")];
        Self {
            from: people.get(usize::from(who & 7)).copied(),
            is_bot: who & 8 > 0,
            chat: chats[usize::from(place) % chats.len()],
            private: usize::from(place) % chats.len() < 2,
            kind: kinds[usize::from(how & 3)],
            borrowed: borrowed.get(usize::from(how >> 2 & 7)).copied(),
            strangers: if how & 32 > 0 { Strangers::Refuse } else { Strangers::PassOn },
            over: over[usize::from(how >> 6)],
            bytes: (place < 100).then_some(place.into()),
        }
    }

    fn content(&self, text: &str) -> Value {
        let person = |id: Option<i64>| {
            id.map(|id| json!({ "id": id, "is_bot": self.is_bot, "first_name": "Anna" }))
        };
        let kind = if self.private { "private" } else { "supergroup" };
        let chat = json!({ "id": self.chat, "type": kind, "first_name": "Anna", "title": "Shop" });
        let mut message = json!({ "message_id": 1, "date": 1, "chat": chat });
        if self.kind == "callback_query" {
            return json!({
                "id": "1", "from": person(self.from), "message": message, "data": text,
                "chat_instance": "1",
            });
        }
        self.write(text, &mut message);
        message["from"] = person(self.from).into();
        match self.borrowed {
            Some("sender_chat") => message["sender_chat"] = chat,
            Some("forward_origin") => {
                message["forward_origin"] =
                    json!({ "type": "hidden_user", "date": 1, "sender_user_name": "Anna" });
            }
            Some(bot) => message[bot] = person(Some(9)).into(),
            None => {}
        }
        message
    }

    /// Puts the words into a message, and what they are written under.
    fn write(&self, text: &str, message: &mut Value) {
        let mut file = json!({ "file_id": "file", "file_unique_id": "1", "width": 1, "height": 1 });
        if let Some(bytes) = self.bytes {
            file["file_size"] = bytes.into();
        }
        match self.over {
            Some("document") => message["document"] = file,
            Some("photo") => message["photo"] = json!([file]),
            Some(answered) => {
                let mut earlier = message.clone();
                earlier["document"] = file;
                message[answered] = earlier;
            }
            None => {}
        }
        let under = matches!(self.over, Some("document" | "photo"));
        message[if under { "caption" } else { "text" }] = text.into();
    }

    /// What it must come to, in the words of `docs/guide.md`.
    fn expected(&self, text: &str) -> Option<Action> {
        match self.kind {
            "callback_query" if text.starts_with("bkp:") => self.pressed(text),
            "message" if self.borrowed.is_none() && !self.is_bot => self.said(text),
            _ => None,
        }
    }

    fn pressed(&self, data: &str) -> Option<Action> {
        let (query, chat) = (CallbackQueryId("1".to_owned()), ChatId(ADMIN));
        if self.from? != ADMIN {
            return (self.strangers == Strangers::Refuse).then_some(Action::RefusePress(query));
        }
        if self.chat != ADMIN || !self.private {
            return Some(Action::Dismiss(query));
        }
        let (message, button) = (MessageId(1), Button::decode(data));
        let (admin, beside) = (ADMINISTRATOR, Vec::new());
        Some(Action::Press(Press { query, admin, chat, message, button, beside }))
    }

    fn said(&self, text: &str) -> Option<Action> {
        let (command, addressed) = in_words(text, Some(BOT))?;
        let sent = match (self.over, command) {
            (Some("document"), Command::Restore) => true,
            (Some("document" | "photo"), _) => return None,
            _ => false,
        };
        let chat = ChatId(self.chat);
        let home = self.private && self.from == Some(self.chat);
        match (self.from == Some(ADMIN), home) {
            (true, true) if sent => {
                let file = FileId("file".to_owned());
                let bytes = self.bytes.unwrap_or(u32::MAX);
                Some(Action::Receive(branch::Sent { admin: ADMINISTRATOR, chat, file, bytes }))
            }
            (true, true) => Some(Action::Command(command, chat)),
            (true, false) => addressed.then_some(Action::NotHere(chat)),
            (false, true) if self.strangers == Strangers::Refuse => {
                Some(Action::RefuseCommand(chat))
            }
            (false, _) => None,
        }
    }
}

fn sent_by(input: &[u8]) {
    let Some((&[who, place, how], text)) = input.split_first_chunk() else { return };
    let text = String::from_utf8_lossy(text);
    let sent = Sent::new(who, place, how);
    // teloxide wants the number first
    let update = format!(r#"{{"update_id":1,"{}":{}}}"#, sent.kind, sent.content(&text));
    let update = serde_json::from_str::<Update>(&update);
    let action = update.ok().and_then(|update| read(&update, &access(sent.strangers), Some(BOT)));
    assert_eq!(action, sent.expected(&text), "{sent:?} {text:?}");
}
