//! Contents in the administrator's hands: shown, added, changed and deleted in the chat.

mod draft;

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::button::{Button, Task};
use crate::contents::{self, Field, Piece, Topic};
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

/// «🗂 Содержимое»: the four topics.
pub(crate) async fn topics(bot: Bot, query: CallbackQuery) -> Result<()> {
    let topics = Topic::ALL.map(|topic| Task::Topic(topic, 0).labelled(topic.label()));
    let keyboard =
        InlineKeyboardMarkup::new(topics.chunks(2).map(|row| row.iter().flatten().cloned()))
            .append_row(Task::Menu.labelled("« Управление"));
    press::turn(&bot, &query, "🗂 <b>Содержимое</b>\n\nЧто изменим?", keyboard).await
}

/// One topic: its pieces, or its single text.
pub(crate) async fn topic(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (topic, page): (Topic, usize),
) -> Result<()> {
    let pieces = db.call(move |db| contents::on(db, topic)).await?;
    let (text, keyboard) = topic_screen(topic, &pieces, page);
    press::turn(&bot, &query, &text, keyboard).await
}

fn topic_screen(topic: Topic, pieces: &[Piece], page: usize) -> Screen {
    if let Some(single) = pieces.first().filter(|_| !topic.is_list()) {
        return piece_screen(single);
    }
    let page = Page::of(pieces.len(), page);
    let text = match pieces.len() {
        0 => format!("<b>{}</b>\n\nЗдесь пока пусто.", topic.label()),
        all => format!("<b>{}</b>, всего {all}{}", topic.label(), page.name()),
    };
    let open = |piece: &Piece| Button::Admin(Task::Piece(piece.id.clone()));
    let turn = |page| Button::Admin(Task::Topic(topic, page));
    let rows = showcase::buttons(pieces, page, open).into_iter().chain(page.turns(turn));
    let keyboard = InlineKeyboardMarkup::new(rows)
        .append_row(Task::Add(topic).labelled("➕ Добавить"))
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
    let mut paragraphs =
        vec![format!("<b>{}</b>", short(piece.name(), 200)), short(&piece.text, SHOWN)];
    paragraphs.extend(piece.link.as_ref().map(|link| format!("🔗 {}", short(link, 200))));
    paragraphs.extend(piece.photo.as_ref().map(|_| "🖼 С фотографией".to_owned()));
    let change = |field: &Field| -> Option<InlineKeyboardButton> {
        Task::Change(piece.id.clone(), *field).labelled(field.change_label(piece.topic))
    };
    let changes: Vec<_> = piece.topic.fields().iter().filter_map(change).collect();
    let back = if piece.topic.is_list() { Task::Topic(piece.topic, 0) } else { Task::Contents };
    let keyboard = InlineKeyboardMarkup::new(changes.chunks(2).map(<[_]>::to_vec))
        .append_row(Button::Piece(piece.id.clone()).labelled("👁 Как видят клиенты"))
        .append_row(Task::AskDeletePiece(piece.id.clone()).labelled("🗑 Удалить"))
        .append_row(back.labelled("« Назад"));
    (paragraphs.join("\n\n"), keyboard)
}

/// «🗑 Удалить»: first a question.
pub(crate) async fn ask_delete(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    id: String,
) -> Result<()> {
    let found = db.call(move |db| contents::find(db, &id)).await?;
    let Some(piece) = found else { return menu::stale(bot, query).await };
    let name = short(piece.name(), 200);
    let text = format!("🗑 Удалить «{name}»? Клиенты больше этого не увидят.");
    let buttons = [
        Task::DeletePiece(piece.id.clone()).labelled("🗑 Да, удалить"),
        Task::Piece(piece.id).labelled("Нет, оставить"),
    ];
    let keyboard = InlineKeyboardMarkup::new([buttons.into_iter().flatten()]);
    press::turn(&bot, &query, &text, keyboard).await
}

/// «🗑 Да, удалить».
pub(crate) async fn delete(bot: Bot, query: CallbackQuery, db: Database, id: String) -> Result<()> {
    let removed = db.call(move |db| contents::remove(db, &id)).await?;
    let Some(piece) = removed else { return menu::stale(bot, query).await };
    let text = format!("🗑 Удалено: «{}».", short(piece.name(), 200));
    let back = Task::Topic(piece.topic, 0).labelled("« Назад");
    press::turn(&bot, &query, &text, InlineKeyboardMarkup::new([back])).await
}
