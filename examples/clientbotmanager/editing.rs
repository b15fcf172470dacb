//! Contents in the administrator's hands: shown, added, changed and deleted in the chat.

mod draft;

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::button::{Button, Sure, Task};
use crate::contents::{self, Field, Piece, Shelf};
use crate::database::Database;
use crate::html::{Bot, short};
use crate::menu;
use crate::paging::Page;
use crate::press;
use crate::showcase;

pub(crate) use draft::{Draft, add, change, write};

/// How much of a piece is shown here.
const SHOWN: usize = 800;

type Screen = (String, InlineKeyboardMarkup);

/// «🗂 Содержимое»: the four shelves.
pub(crate) async fn shelves(bot: Bot, query: CallbackQuery) -> Result<()> {
    let shelves = Shelf::ALL.map(|shelf| Task::Shelf(shelf, 0).labelled(shelf.label()));
    let keyboard =
        InlineKeyboardMarkup::new(shelves.chunks(2).map(|row| row.iter().flatten().cloned()))
            .append_row(Task::Menu.labelled("« Управление"));
    press::turn(&bot, &query, "🗂 <b>Содержимое</b>\n\nЧто изменим?", keyboard).await
}

/// One shelf: its list, or its single text.
pub(crate) async fn shelf(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (shelf, page): (Shelf, usize),
) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, shelf)).await?;
    let (text, keyboard) = shelf_screen(shelf, &pieces, page);
    press::turn(&bot, &query, &text, keyboard).await
}

fn shelf_screen(shelf: Shelf, pieces: &[Piece], page: usize) -> Screen {
    if let Some(single) = pieces.first().filter(|_| !shelf.is_list()) {
        return piece_screen(single);
    }
    let page = Page::of(pieces.len(), page);
    let text = match pieces.len() {
        0 => format!("<b>{}</b>\n\nЗдесь пока пусто.", shelf.label()),
        all => format!("<b>{}</b>, всего {all}{}", shelf.label(), page.name()),
    };
    let open = |piece: &Piece| Button::Admin(Task::Piece(piece.id.clone()));
    let turn = |page| Button::Admin(Task::Shelf(shelf, page));
    let keyboard = InlineKeyboardMarkup::new(showcase::buttons(pieces, page, open))
        .append_row(page.turns(turn))
        .append_row(Task::Add(shelf).labelled("➕ Добавить"))
        .append_row(Task::Contents.labelled("« Содержимое"));
    (text, keyboard)
}

/// One piece, with all that can be done to it.
pub(crate) async fn piece(bot: Bot, query: CallbackQuery, db: Database, id: String) -> Result<()> {
    let found = db.call(move |db| contents::find(db, &id)).await?;
    let Some(piece) = found else { return menu::stale(bot, query).await };
    let (text, keyboard) = piece_screen(&piece);
    press::turn(&bot, &query, &text, keyboard).await
}

fn piece_screen(piece: &Piece) -> Screen {
    let mut text = format!("<b>{}</b>\n\n{}", short(piece.name(), 200), short(&piece.text, SHOWN));
    if let Some(link) = &piece.link {
        text += &format!("\n\n🔗 {}", short(link, 200));
    }
    if piece.photo.is_some() {
        text += "\n\n🖼 С фотографией";
    }
    let change = |field: &Field| -> Option<InlineKeyboardButton> {
        Task::Change(piece.id.clone(), *field).labelled(field.change_label(piece.shelf))
    };
    let changes: Vec<_> = piece.shelf.fields().iter().filter_map(change).collect();
    let back = if piece.shelf.is_list() { Task::Shelf(piece.shelf, 0) } else { Task::Contents };
    let keyboard = InlineKeyboardMarkup::new(changes.chunks(2).map(<[_]>::to_vec))
        .append_row(Button::Piece(piece.id.clone()).labelled("👁 Как видят клиенты"))
        .append_row(Task::DeletePiece(piece.id.clone(), Sure::No).labelled("🗑 Удалить"))
        .append_row(back.labelled("« Назад"));
    (text, keyboard)
}

/// «🗑 Удалить»: first a question, then the deed.
pub(crate) async fn delete(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (id, sure): (String, Sure),
) -> Result<()> {
    let work = move |db: &mut _| match sure {
        Sure::No => Ok((contents::find(db, &id)?, Vec::new())),
        Sure::Yes => {
            let removed = contents::remove(db, &id)?;
            let shelf = removed.as_ref().map(|piece| contents::on(db, piece.shelf)).transpose()?;
            Ok((removed, shelf.unwrap_or_default()))
        }
    };
    let (piece, rest) = db.call(work).await?;
    let Some(piece) = piece else { return menu::stale(bot, query).await };
    let (text, keyboard) = match sure {
        Sure::No => deletion_screen(piece),
        Sure::Yes => {
            let (text, keyboard) = shelf_screen(piece.shelf, &rest, 0);
            (format!("🗑 Удалено: «{}».\n\n{text}", short(piece.name(), 200)), keyboard)
        }
    };
    press::turn(&bot, &query, &text, keyboard).await
}

fn deletion_screen(piece: Piece) -> Screen {
    let text = format!("🗑 Удалить «{}»? Клиенты больше этого не увидят.", short(piece.name(), 200));
    let buttons = [
        Task::DeletePiece(piece.id.clone(), Sure::Yes).labelled("🗑 Да, удалить"),
        Task::Piece(piece.id).labelled("Нет, оставить"),
    ];
    (text, InlineKeyboardMarkup::new([buttons.into_iter().flatten()]))
}
