//! Portfolio, frequent questions, contacts and «about», as clients see them.

use anyhow::Result;
use teloxide::RequestError;
use teloxide::prelude::*;
use teloxide::types::{FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile};
use tracing::warn;

use crate::button::Button;
use crate::contents::{self, Piece, Shelf};
use crate::database::Database;
use crate::html::{Bot, short, story, units};
use crate::menu;
use crate::paging::{self, Page};
use crate::press;

/// How much of a name fits on a button.
const NAME: usize = 40;
/// The longest text below a photo, less what is around it.
const CAPTION: usize = 1000;

/// One of the four entries of the menu.
pub(crate) async fn open(bot: Bot, chat: ChatId, db: Database, shelf: Shelf) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, shelf)).await?;
    match pieces.first() {
        None => {
            bot.send_message(chat, empty(shelf)).await?;
        }
        Some(_) if shelf.is_list() => {
            let (text, keyboard) = list(shelf, &pieces, 0);
            bot.send_message(chat, text).reply_markup(keyboard).await?;
        }
        Some(text) => show_piece(&bot, chat, text).await?,
    }
    Ok(())
}

fn empty(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Portfolio => "🖼 Скоро здесь появятся наши работы. Загляните попозже!",
        Shelf::Faq => "❓ Здесь пока пусто. Спросите нас прямо: кнопка «💬 Поддержка».",
        Shelf::Contacts => "📞 Быстрее всего — написать прямо здесь: кнопка «💬 Поддержка».",
        Shelf::About => {
            "ℹ️ Мы делаем ботов для Telegram. Подробный рассказ о нас скоро будет здесь."
        }
    }
}

/// Another page of the list.
pub(crate) async fn turn(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (shelf, page): (Shelf, usize),
) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, shelf)).await?;
    if pieces.is_empty() || !shelf.is_list() {
        return menu::stale(bot, query).await;
    }
    let (text, keyboard) = list(shelf, &pieces, page);
    press::turn(&bot, &query, &text, keyboard).await
}

fn list(shelf: Shelf, pieces: &[Piece], page: usize) -> (String, InlineKeyboardMarkup) {
    let page = Page::of(pieces.len(), page);
    let what = if shelf == Shelf::Faq { "вопрос" } else { "работу" };
    let text = format!("<b>{}</b>{}\n\nВыберите {what}.", shelf.label(), page.name());
    let keyboard =
        InlineKeyboardMarkup::new(buttons(pieces, page, |piece| Button::Piece(piece.id.clone())));
    (text, keyboard.append_row(page.turns(|page| Button::Shelf(shelf, page))))
}

/// The buttons of one page of pieces, one in a row.
pub(crate) fn buttons(
    pieces: &[Piece],
    page: Page,
    to: impl Fn(&Piece) -> Button,
) -> Vec<Vec<InlineKeyboardButton>> {
    let shown = pieces.iter().skip(page.start()).take(paging::SIZE);
    shown.filter_map(|piece| Some(vec![to(piece).labelled(label(&piece.title))?])).collect()
}

/// A name as a button shows it: no HTML there.
fn label(name: &str) -> String {
    let mut letters = name.chars();
    let label: String = letters.by_ref().take(NAME).collect();
    if letters.next().is_some() { label + "…" } else { label }
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
    let mut text = piece.text.clone();
    if let Some(link) = &piece.link {
        text += &format!("\n\n🔗 {link}");
    }
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
