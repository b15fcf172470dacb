//! How words of any kind get from one chat into another.

use teloxide::RequestError;
use teloxide::prelude::*;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup, MessageId, ReplyParameters};

use crate::html::{Bot, story};

/// What somebody has written.
pub(super) enum Words<'m> {
    Text(&'m str),
    /// A photo, a file, a voice: whatever Telegram copies.
    Other(&'m Message),
}

impl<'m> Words<'m> {
    pub(super) fn of(message: &'m Message) -> Self {
        message.text().map_or(Self::Other(message), Self::Text)
    }
}

/// Sends the words under a title that says whose they are; gives the messages that they became.
pub(super) async fn deliver(
    bot: &Bot,
    to: ChatId,
    title: &str,
    words: Words<'_>,
    button: Option<InlineKeyboardButton>,
) -> Result<Vec<MessageId>, RequestError> {
    let keyboard = InlineKeyboardMarkup::new([button]);
    let mut delivered = Vec::new();
    match words {
        Words::Text(text) => {
            let mut pages = story(title, text);
            let last = pages.pop().unwrap_or_default();
            for page in pages {
                delivered.push(bot.send_message(to, page).await?.id);
            }
            delivered.push(bot.send_message(to, last).reply_markup(keyboard).await?.id);
        }
        Words::Other(message) => {
            // before the title: if this cannot be copied, nothing comes
            let copy = bot.copy_message(to, message.chat.id, message.id).await?;
            let title = bot.send_message(to, title).reply_markup(keyboard);
            let title = title.reply_parameters(ReplyParameters::new(copy));
            delivered.extend([copy, title.await?.id]);
        }
    }
    Ok(delivered)
}
