//! What follows a press: an answer, without which the button spins on the person's screen, and
//! often the next screen in the place of the one with the button.

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{CallbackQuery, InlineKeyboardMarkup};
use teloxide::{ApiError, RequestError};
use tracing::warn;

use crate::html::Bot;

/// Answers with a word on top of the chat, or without any. A press of long ago, when the bot was
/// down, takes no answer any more: that keeps nobody from doing what was asked.
pub(crate) async fn answer(bot: &Bot, query: &CallbackQuery, text: &str) {
    if let Err(error) = bot.answer_callback_query(query.id.clone()).text(text).await {
        warn!("a press was not answered: {error}");
    }
}

/// Answers without a word; a step on the way to a handler that knows nothing of presses.
pub(crate) async fn answered(bot: Bot, query: CallbackQuery) {
    answer(&bot, &query, "").await;
}

/// The private chat in which somebody has pressed a button of their own.
pub(crate) fn chat(query: &CallbackQuery) -> Option<ChatId> {
    let chat = query.message.as_ref()?.chat().id;
    (chat == ChatId::from(query.from.id)).then_some(chat)
}

/// Answers, and shows the next screen in the place of the one that was pressed. A screen that
/// takes no change any more stays, and the next one comes below.
pub(crate) async fn turn(
    bot: &Bot,
    query: &CallbackQuery,
    text: &str,
    keyboard: InlineKeyboardMarkup,
) -> Result<()> {
    answer(bot, query, "").await;
    let chat = ChatId::from(query.from.id);
    if let Some(screen) = &query.message {
        let edit = bot.edit_message_text(chat, screen.id(), text).reply_markup(keyboard.clone());
        match edit.await {
            Ok(_) | Err(RequestError::Api(ApiError::MessageNotModified)) => return Ok(()),
            Err(RequestError::Api(error)) => warn!("a screen stays: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}
