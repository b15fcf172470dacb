//! Reviews: the published ones, and a new one from a client.

use std::sync::Arc;

use anyhow::Result;
use chrono::Local;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;

use crate::button::Button;
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::menu;
use crate::moderation::{self, PendingReview};
use crate::orders;
use crate::paging::{self, Page};
use crate::press;
use crate::settings::Settings;

/// How much of a review the list shows.
const SHOWN: usize = 350;

/// A review in the very shape that it has in a backup; old ones lack one thing or another.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Review {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) author: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rating: Option<i64>,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
}

impl Review {
    /// The columns [`COLUMNS`].
    pub(crate) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            author: row.get(1)?,
            rating: row.get(2)?,
            text: row.get(3)?,
            date: row.get(4)?,
        })
    }

    /// Stars and author, in one line of HTML.
    pub(crate) fn headline(&self) -> String {
        let author = format!("<b>{}</b>", short(&self.author, 64));
        match self.rating.and_then(|rating| usize::try_from(rating).ok()) {
            Some(rating @ 1..) => format!("{} {author}", "⭐️".repeat(rating.min(5))),
            _ => author,
        }
    }

    fn paragraph(&self) -> String {
        let day = self.date.as_ref().and_then(|date| date.split('T').next());
        let date = day.map_or(String::new(), |day| format!(", {}", short(day, 20)));
        format!("{}{date}\n{}", self.headline(), short(&self.text, SHOWN))
    }
}

/// What [`Review::of_row`] reads.
pub(crate) const COLUMNS: &str = "id, author, rating, text, date";

/// Adds a published review.
pub(crate) fn put(db: &Connection, review: &Review) -> Result<()> {
    let put = "INSERT INTO reviews (id, author, rating, text, date) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Review { id, author, rating, text, date } = review;
    db.prepare_cached(put)?.execute((id, author, rating, text, date))?;
    Ok(())
}

/// «⭐️ Отзывы»: the newest first.
pub(crate) async fn list(bot: Bot, chat: ChatId, db: Database) -> Result<()> {
    let (text, keyboard) = db.call(|db| screen(db, 0)).await?;
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

/// Another page of the list.
pub(crate) async fn turn(bot: Bot, query: CallbackQuery, db: Database, page: usize) -> Result<()> {
    let (text, keyboard) = db.call(move |db| screen(db, page)).await?;
    press::turn(&bot, &query, &text, keyboard).await
}

fn screen(db: &Connection, wanted: usize) -> Result<(String, InlineKeyboardMarkup)> {
    let all: i64 = db.query_row("SELECT count(*) FROM reviews", [], |row| row.get(0))?;
    let page = Page::of(usize::try_from(all)?, wanted);
    let paragraphs = newest(db, page)?.iter().map(Review::paragraph).collect::<Vec<_>>();
    let text = match all {
        0 => "⭐️ Отзывов пока нет. Ваш будет первым!".to_owned(),
        _ => format!("⭐️ <b>Отзывы</b>, всего {all}{}\n\n{}", page.name(), paragraphs.join("\n\n")),
    };
    let write = Button::WriteReview.labelled("✍️ Оставить отзыв");
    Ok((text, InlineKeyboardMarkup::new(page.turns(Button::Reviews)).append_row(write)))
}

fn newest(db: &Connection, page: Page) -> Result<Vec<Review>> {
    let newest = format!("SELECT {COLUMNS} FROM reviews ORDER BY number DESC LIMIT ?1 OFFSET ?2");
    let mut newest = db.prepare(&newest)?;
    let part = (i64::try_from(paging::SIZE)?, i64::try_from(page.start())?);
    Ok(newest.query_map(part, Review::of_row)?.collect::<Result<_, _>>()?)
}

/// «✍️ Оставить отзыв».
pub(crate) async fn ask_stars(bot: Bot, query: CallbackQuery, chat: ChatId) -> Result<()> {
    press::answer(&bot, &query, "").await;
    let stars = (1..=5).filter_map(|stars| Button::Rate(stars).labelled(format!("{stars} ⭐️")));
    let text = "Как вам работа с нами? Поставьте оценку.";
    bot.send_message(chat, text).reply_markup(InlineKeyboardMarkup::new([stars])).await?;
    Ok(())
}

/// A press on the stars.
pub(crate) async fn ask_text(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    talk: Talk,
    stars: u8,
) -> Result<()> {
    if !(1..=5).contains(&stars) {
        return menu::stale(bot, query).await;
    }
    talk.update(State::Review(stars)).await?;
    press::answer(&bot, &query, "").await;
    let text =
        format!("{} Спасибо! Теперь пара слов о том, как всё прошло.", "⭐️".repeat(stars.into()));
    bot.send_message(chat, text).reply_markup(menu::question_keyboard(&[])).await?;
    Ok(())
}

/// The text of the review: it goes to the administrator first.
pub(crate) async fn write(
    bot: Bot,
    message: Message,
    talk: Talk,
    db: Database,
    settings: Arc<Settings>,
    stars: u8,
) -> Result<()> {
    let (Some(text), Some(author)) = (message.text(), &message.from) else {
        bot.send_message(message.chat.id, "Отзыв нужен текстом, пожалуйста.").await?;
        return Ok(());
    };
    let review = Review {
        id: Some(orders::new_id()),
        author: author.full_name(),
        rating: Some(stars.into()),
        text: text.to_owned(),
        date: Some(Local::now().format("%Y-%m-%d").to_string()),
    };
    let pending = PendingReview { user_id: Some(message.chat.id.0), review };
    let kept = pending.clone();
    db.call(move |db| moderation::put(db, &kept)).await?;
    talk.update(State::Menu).await?;
    let thanks = "💛 Спасибо за отзыв! Он появится после проверки, я напишу вам.";
    bot.send_message(message.chat.id, thanks).reply_markup(menu::keyboard()).await?;
    moderation::tell_admin(&bot, settings.admin, &pending).await;
    Ok(())
}
