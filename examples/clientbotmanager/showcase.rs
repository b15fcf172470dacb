//! Portfolio, frequent questions, contacts and «about», as clients see them.

use anyhow::Result;
use teloxide::RequestError;
use teloxide::prelude::*;
use teloxide::types::{FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile};
use tracing::warn;

use crate::button::{Button, label};
use crate::contents::{self, Piece, Topic};
use crate::database::Database;
use crate::html::{Bot, short, story, units};
use crate::menu;
use crate::paging::{self, Page};
use crate::press;

/// The longest text below a photo, less what is around it.
const CAPTION: usize = 1000;

/// One of the four entries of the menu.
pub(crate) async fn open(bot: Bot, chat: ChatId, db: Database, topic: Topic) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, topic)).await?;
    match pieces.first() {
        None => {
            bot.send_message(chat, empty(topic)).await?;
        }
        Some(_) if topic.is_list() => {
            let (text, keyboard) = list(topic, &pieces, 0);
            bot.send_message(chat, text).reply_markup(keyboard).await?;
        }
        Some(text) => show_piece(&bot, chat, text).await?,
    }
    Ok(())
}

fn empty(topic: Topic) -> &'static str {
    match topic {
        Topic::Portfolio => "🖼 Скоро здесь появятся наши работы. Загляните попозже!",
        Topic::Faq => "❓ Здесь пока пусто. Спросите нас прямо: кнопка «💬 Поддержка».",
        Topic::Contacts => "📞 Быстрее всего — написать прямо здесь: кнопка «💬 Поддержка».",
        Topic::About => {
            "ℹ️ Мы делаем ботов для Telegram. Подробный рассказ о нас скоро будет здесь."
        }
    }
}

/// Another page of the list.
pub(crate) async fn turn(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (topic, page): (Topic, usize),
) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, topic)).await?;
    if pieces.is_empty() || !topic.is_list() {
        return menu::stale(bot, query).await;
    }
    let (text, keyboard) = list(topic, &pieces, page);
    press::turn(&bot, &query, &text, keyboard).await
}

fn list(topic: Topic, pieces: &[Piece], page: usize) -> (String, InlineKeyboardMarkup) {
    let page = Page::of(pieces.len(), page);
    let what = if topic == Topic::Faq { "вопрос" } else { "работу" };
    let text = format!("<b>{}</b>{}\n\nВыберите {what}.", topic.label(), page.name());
    let pieces = buttons(pieces, page, |piece| Button::Piece(piece.id.clone()));
    let turns = page.turns(|page| Button::Topic(topic, page));
    (text, InlineKeyboardMarkup::new(pieces.into_iter().chain(turns)))
}

/// The buttons of one page of pieces, one in a row.
pub(crate) fn buttons(
    pieces: &[Piece],
    page: Page,
    to: impl Fn(&Piece) -> Button,
) -> Vec<Vec<InlineKeyboardButton>> {
    let shown = pieces.iter().skip(page.start()).take(paging::SIZE);
    shown.filter_map(|piece| Some(vec![to(piece).labelled(label(piece.name()))?])).collect()
}

/// A press on one piece of a list.
pub(crate) async fn show(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    id: String,
) -> Result<()> {
    let found = db.call(move |db| contents::find(db, &id)).await?;
    let Some(piece) = found else { return menu::stale(bot, query).await };
    press::answer(&bot, &query, "").await;
    show_piece(&bot, chat, &piece).await
}

async fn show_piece(bot: &Bot, chat: ChatId, piece: &Piece) -> Result<()> {
    let link = piece.link.as_ref().map_or(String::new(), |link| format!("\n\n🔗 {link}"));
    let text = piece.text.clone() + &link;
    let title = format!("<b>{}</b>", short(piece.name(), 200));
    let mut pages = story(&title, &text);
    if let Some(photo) = &piece.photo {
        let fits = pages.len() == 1 && units(piece.name()) + units(&text) < CAPTION;
        let caption = if fits { pages.remove(0) } else { String::new() };
        if let Err(error) = send_photo(bot, chat, photo, &caption).await {
            // an id of another bot's file, as after a move
            warn!(piece = piece.id, "a photo cannot be shown: {error}");
            pages.extend(Some(caption).filter(|caption| !caption.is_empty()));
        }
    }
    for page in pages {
        bot.send_message(chat, page).await?;
    }
    Ok(())
}

async fn send_photo(bot: &Bot, chat: ChatId, id: &str, caption: &str) -> Result<(), RequestError> {
    let photo = InputFile::file_id(FileId(id.to_owned()));
    bot.send_photo(chat, photo).caption(caption).await.map(drop)
}
