//! The answer to a press, without which the button spins on the person's screen.

use teloxide::prelude::*;
use teloxide::types::CallbackQuery;
use tracing::warn;

use crate::html::Bot;

/// Answers with a word on top of the chat, or without any. A press of long ago, when the bot was
/// down, takes no answer any more: that keeps nobody from doing what was asked.
pub(crate) async fn answer(bot: &Bot, query: &CallbackQuery, text: &str) {
    if let Err(error) = bot.answer_callback_query(query.id.clone()).text(text).await {
        warn!("a press was not answered: {error}");
    }
}
