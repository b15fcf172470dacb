//! Who is an administrator, and where the plugin speaks.

use teloxide::types::{Chat, ChatId, Message, UserId};

/// What happens to a stranger's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strangers {
    /// The host's own handlers get it, as if there were no plugin.
    PassOn,
    /// It is refused.
    Refuse,
}

#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) admins: Vec<UserId>,
    pub(crate) strangers: Strangers,
}

impl Access {
    pub(crate) fn is_admin(&self, user: UserId) -> bool {
        self.admins.contains(&user)
    }
}

/// The private chat of a user has the user's own number. (The comparison that teloxide offers
/// panics on some numbers.)
pub(crate) fn private_chat(user: UserId) -> ChatId {
    ChatId(i64::try_from(user.0).unwrap_or(0))
}

pub(crate) fn is_private_chat_of(chat: &Chat, user: UserId) -> bool {
    chat.is_private() && chat.id == private_chat(user)
}

/// Who typed this message just now, with their own hands and in their own name.
pub(crate) fn author(message: &Message) -> Option<UserId> {
    let borrowed = message.sender_chat.is_some()
        || message.via_bot.is_some()
        || message.sender_business_bot.is_some()
        || message.forward_origin().is_some();
    let user = message.from.as_ref().filter(|user| !user.is_bot && !borrowed)?;
    Some(user.id)
}

/// The ids under which Telegram sends what anonymous administrators, channels and its own service
/// write: anybody can write under them.
const NOBODY: [u64; 3] = [777_000, 1_087_968_824, 136_817_688];

/// Why an id cannot be an administrator's.
pub(crate) fn refusal_of(id: u64, bot_id: Option<u64>) -> Option<&'static str> {
    match id {
        0 => Some("must be set to the administrator's Telegram id, got 0"),
        id if NOBODY.contains(&id) => Some("is an id under which anonymous people write"),
        id if id >= 1 << 40 => Some("is larger than any Telegram user's id"),
        id if Some(id) == bot_id => Some("is the bot's own id, not a person's"),
        _ => None,
    }
}
