//! Reviews that wait: the administrator publishes or rejects each.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;
use tracing::{error, warn};

use crate::apology::reason;
use crate::button::Task;
use crate::database::Database;
use crate::html::{Bot, story};
use crate::menu;
use crate::orders;
use crate::press;
use crate::reviews::{self, Review};

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

    /// The whole of it, as the administrator sees it.
    fn pages(&self) -> Vec<String> {
        let title = format!("📝 <b>Отзыв на проверку</b>\n{}", self.review.headline());
        story(&title, &self.review.text)
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
    let Some(id) = &pending.review.id else { return Ok(()) };
    let mut pages = pending.pages();
    let last = pages.pop().unwrap_or_default();
    for page in pages {
        bot.send_message(admin, page).await?;
    }
    let buttons = [
        Task::PublishReview(id.clone()).labelled("✅ Опубликовать"),
        Task::RejectReview(id.clone()).labelled("🚫 Отклонить"),
    ];
    let keyboard = InlineKeyboardMarkup::new([buttons.into_iter().flatten()]);
    bot.send_message(admin, last).reply_markup(keyboard).await?;
    Ok(())
}

/// How many reviews are shown at a time.
const SHOWN: u32 = 5;

/// «⭐️ Новые отзывы»: the oldest that wait, each with its buttons.
pub(crate) async fn show_queue(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
) -> Result<()> {
    press::answer(&bot, &query, "").await;
    let (waiting, all) = db.call(|db| oldest(db)).await?;
    let text = match all {
        0 => "⭐️ Все отзывы проверены.".to_owned(),
        all if all > SHOWN => format!("⭐️ Ждут проверки: {all}. Вот первые {SHOWN}."),
        all => format!("⭐️ Ждут проверки: {all}."),
    };
    bot.send_message(chat, text).await?;
    for pending in waiting {
        ask_admin(&bot, chat, &pending).await?;
    }
    Ok(())
}

fn oldest(db: &Connection) -> Result<(Vec<PendingReview>, u32)> {
    let oldest = format!("SELECT {COLUMNS} FROM pending_reviews ORDER BY number LIMIT ?1");
    let mut oldest = db.prepare(&oldest)?;
    let waiting = oldest.query_map([SHOWN], PendingReview::of_row)?.collect::<Result<_, _>>()?;
    Ok((waiting, db.query_row("SELECT count(*) FROM pending_reviews", [], |row| row.get(0))?))
}

/// «✅ Опубликовать».
pub(crate) async fn publish(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    id: String,
) -> Result<()> {
    let decided = db.call(move |db| decide(db, &id, true)).await?;
    let Some(pending) = decided else { return menu::stale(bot, query).await };
    tell_author(&bot, &pending, "🎉 Ваш отзыв опубликован. Спасибо, что поделились!").await;
    close(&bot, &query, &pending, "✅ Опубликован").await
}

/// «🚫 Отклонить».
pub(crate) async fn reject(bot: Bot, query: CallbackQuery, db: Database, id: String) -> Result<()> {
    let decided = db.call(move |db| decide(db, &id, false)).await?;
    let Some(pending) = decided else { return menu::stale(bot, query).await };
    let news = "Ваш отзыв не прошёл проверку. Напишите другой, если хотите: мы прочитаем.";
    tell_author(&bot, &pending, news).await;
    close(&bot, &query, &pending, "🚫 Отклонён").await
}

/// Puts the verdict in the place of the buttons.
async fn close(
    bot: &Bot,
    query: &CallbackQuery,
    pending: &PendingReview,
    verdict: &str,
) -> Result<()> {
    let last = pending.pages().pop().unwrap_or_default();
    let text = format!("{last}\n\n<b>{verdict}</b>");
    press::turn(bot, query, &text, InlineKeyboardMarkup::default()).await
}

async fn tell_author(bot: &Bot, pending: &PendingReview, news: &str) {
    let Some(author) = pending.user_id else { return };
    if let Err(error) = bot.send_message(ChatId(author), news).await {
        warn!("the author of a review could not be told: {error}");
    }
}
