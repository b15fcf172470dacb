//! Reviews that wait: the administrator publishes or rejects each.

use std::sync::Arc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;
use tracing::{error, warn};

use crate::apology::reason;
use crate::button::Button;
use crate::database::Database;
use crate::html::{Bot, pages};
use crate::menu;
use crate::orders;
use crate::press;
use crate::reviews::{self, Review};
use crate::settings::Settings;

/// A review that waits, in the very shape that it has in a backup.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PendingReview {
    /// Who is told what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<i64>,
    #[serde(flatten)]
    pub(crate) review: Review,
}

impl PendingReview {
    /// The columns [`COLUMNS`].
    pub(crate) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { review: Review::of_row(row)?, user_id: row.get(5)? })
    }
}

/// What [`PendingReview::of_row`] reads.
pub(crate) const COLUMNS: &str = "id, author, rating, text, date, user_id";

/// Puts a review into the queue.
pub(crate) fn put(db: &Connection, pending: &PendingReview) -> Result<()> {
    let put = "INSERT OR REPLACE INTO pending_reviews (id, author, rating, text, date, user_id)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Review { id, author, rating, text, date } = &pending.review;
    let id = id.clone().unwrap_or_else(orders::new_id);
    db.prepare_cached(put)?.execute((id, author, rating, text, date, pending.user_id))?;
    Ok(())
}

/// Takes a review out of the queue, if it still waits, and publishes it if it may be.
fn decide(db: &mut Connection, id: &str, publish: bool) -> Result<Option<PendingReview>> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let take = format!("DELETE FROM pending_reviews WHERE id = ?1 RETURNING {COLUMNS}");
    let pending = change.query_row(&take, [id], PendingReview::of_row).optional()?;
    if let Some(pending) = pending.as_ref().filter(|_| publish) {
        reviews::put(&change, &pending.review)?;
    }
    change.commit()?;
    Ok(pending)
}

/// Shows a review to the administrator; it stays in the queue if that fails.
pub(crate) async fn tell_admin(bot: &Bot, admin: ChatId, pending: &PendingReview) {
    if let Err(error) = ask_admin(bot, admin, pending).await {
        error!("the administrator was not told of a review: {}", reason(&error));
    }
}

async fn ask_admin(bot: &Bot, admin: ChatId, pending: &PendingReview) -> Result<()> {
    let Review { id: Some(id), text, .. } = &pending.review else { return Ok(()) };
    let title = format!("📝 <b>Новый отзыв</b>\n{}\n", pending.review.headline());
    let mut pages = pages(&title, &[("Текст", text.clone())]);
    let last = pages.pop().unwrap_or_default();
    for page in pages {
        bot.send_message(admin, page).await?;
    }
    let buttons = [
        Button::PublishReview(id.clone()).labelled("✅ Опубликовать"),
        Button::RejectReview(id.clone()).labelled("🚫 Отклонить"),
    ];
    let keyboard = InlineKeyboardMarkup::new([buttons.into_iter().flatten()]);
    bot.send_message(admin, last).reply_markup(keyboard).await?;
    Ok(())
}

/// «✅ Опубликовать».
pub(crate) async fn publish(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    settings: Arc<Settings>,
    id: String,
) -> Result<()> {
    let Some(admin) = admin_of(&bot, &query, &settings).await else { return Ok(()) };
    let decided = db.call(move |db| decide(db, &id, true)).await?;
    let Some(pending) = decided else { return menu::stale(bot, query).await };
    close(&bot, query, admin, "✅ Отзыв опубликован").await;
    tell_author(&bot, &pending, "🎉 Ваш отзыв опубликован. Спасибо, что поделились!").await;
    Ok(())
}

/// «🚫 Отклонить».
pub(crate) async fn reject(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    settings: Arc<Settings>,
    id: String,
) -> Result<()> {
    let Some(admin) = admin_of(&bot, &query, &settings).await else { return Ok(()) };
    let decided = db.call(move |db| decide(db, &id, false)).await?;
    let Some(pending) = decided else { return menu::stale(bot, query).await };
    close(&bot, query, admin, "🚫 Отзыв отклонён").await;
    let news = "Ваш отзыв не прошёл проверку. Напишите другой, если хотите: мы прочитаем.";
    tell_author(&bot, &pending, news).await;
    Ok(())
}

/// The administrator who has pressed the button; anybody else is refused.
async fn admin_of(bot: &Bot, query: &CallbackQuery, settings: &Settings) -> Option<ChatId> {
    if ChatId::from(query.from.id) == settings.admin {
        return Some(settings.admin);
    }
    let refusal = "⛔️ Это решает только администратор.";
    press::answer(bot, query, refusal).await;
    None
}

/// Answers the press, and takes the buttons away, so that nobody presses them twice.
async fn close(bot: &Bot, query: CallbackQuery, admin: ChatId, done: &str) {
    press::answer(bot, &query, done).await;
    if let Some(message) = query.message
        && let Err(error) = bot.edit_message_reply_markup(admin, message.id()).await
    {
        warn!("the buttons of a review stay: {error}");
    }
}

async fn tell_author(bot: &Bot, pending: &PendingReview, news: &str) {
    let Some(author) = pending.user_id else { return };
    if let Err(error) = bot.send_message(ChatId(author), news).await {
        warn!("the author of a review could not be told: {error}");
    }
}
