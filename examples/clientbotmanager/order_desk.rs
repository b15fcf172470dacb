//! The orders in the administrator's hands: list, whole form, status, deletion.

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile};

use crate::button::{Button, Task, label};
use crate::database::Database;
use crate::html::{Bot, pages, short};
use crate::menu;
use crate::news;
use crate::order_form::fields;
use crate::orders::{self, Order, Status};
use crate::paging::{self, Page};
use crate::press;

/// How much of an id and a status is shown.
const SHOWN: usize = 60;

/// «📦 Заказы»: the newest first, all or those with one status.
pub(crate) async fn list(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (status, page): (Option<Status>, usize),
) -> Result<()> {
    let work = move |db: &mut _| {
        let page = Page::of(orders::count(db, status)?, page);
        Ok((page, orders::list(db, status, page.start(), paging::SIZE)?))
    };
    let (page, orders) = db.call(work).await?;
    let what = status.map_or("", Status::name);
    let text = match (orders.as_slice(), what) {
        ([], _) => "📦 <b>Заказы</b>\n\nЗдесь пока пусто.".to_owned(),
        (_, "") => format!("📦 <b>Заказы</b>{}", page.name()),
        (_, what) => format!("📦 <b>Заказы</b> со статусом «{what}»{}", page.name()),
    };
    press::turn(&bot, &query, &text, list_buttons(&orders, status, page)).await
}

fn list_buttons(orders: &[Order], status: Option<Status>, page: Page) -> InlineKeyboardMarkup {
    let order = |order: &Order| {
        let icon = Status::of(&order.status).map_or("▫️", Status::icon);
        let name = format!("{icon} {} · {}", order.id, order.name().unwrap_or(order.day()));
        Some(vec![Task::Order(order.user_id, order.id.clone()).labelled(label(&name))?])
    };
    let filter = |wanted: Option<Status>| -> Option<InlineKeyboardButton> {
        let icon = wanted.map_or("Все", Status::icon);
        let label = if wanted == status { format!("· {icon} ·") } else { icon.to_owned() };
        Task::Orders(wanted, 0).labelled(label)
    };
    let filters = [None].into_iter().chain(Status::ALL.map(Some));
    let turns = page.turns(|page| Button::Admin(Task::Orders(status, page)));
    InlineKeyboardMarkup::new(orders.iter().filter_map(order).chain(turns))
        .append_row(filters.filter_map(filter))
        .append_row(Task::Menu.labelled("« Управление"))
}

/// One order: the whole form, and below it what can be done.
pub(crate) async fn open(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    (client, id): (i64, String),
) -> Result<()> {
    let found = db.call(move |db| orders::find(db, client, &id)).await?;
    let Some(order) = found else { return menu::stale(bot, query).await };
    press::answer(&bot, &query, "").await;
    let mut facts = vec![("Клиент", client.to_string())];
    if !order.timestamp.is_empty() {
        facts.push(("Создан", order.moment()));
    }
    facts.extend(fields(&order.data));
    for page in pages(&format!("📄 <b>Анкета заказа {}</b>\n", short(&order.id, SHOWN)), &facts)
    {
        bot.send_message(chat, page).await?;
    }
    let (text, keyboard) = panel(&order);
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

/// «Нет, оставить»: back to what can be done.
pub(crate) async fn show_panel(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (client, id): (i64, String),
) -> Result<()> {
    let found = db.call(move |db| orders::find(db, client, &id)).await?;
    let Some(order) = found else { return menu::stale(bot, query).await };
    let (text, keyboard) = panel(&order);
    press::turn(&bot, &query, &text, keyboard).await
}

/// The status of an order, and the buttons to deal with it.
pub(crate) fn panel(order: &Order) -> (String, InlineKeyboardMarkup) {
    let status = |status: Status| -> Option<InlineKeyboardButton> {
        let name = format!("{} {}", status.icon(), status.name());
        let label = if status.name() == order.status { format!("· {name} ·") } else { name };
        Task::SetStatus(order.user_id, order.id.clone(), status).labelled(label)
    };
    let statuses: Vec<_> = Status::ALL.into_iter().filter_map(status).collect();
    let (client, id) = (order.user_id, &order.id);
    let file = order.file().and_then(|_| Task::OrderFile(client, id.clone()).labelled("📎 Файл"));
    let dealings = [file, Task::Reply(client).labelled("💬 Написать клиенту")];
    let text = format!(
        "📦 Заказ <code>{}</code>\nСтатус: <b>{}</b>",
        short(&order.id, SHOWN),
        short(&order.status, SHOWN)
    );
    let keyboard = InlineKeyboardMarkup::new(statuses.chunks(2).map(<[_]>::to_vec))
        .append_row(dealings.into_iter().flatten())
        .append_row(Task::AskDeleteOrder(client, id.clone()).labelled("🗑 Удалить"))
        .append_row(Task::Orders(None, 0).labelled("« Все заказы"));
    (text, keyboard)
}

/// The file that came with an order.
pub(crate) async fn send_file(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    (client, id): (i64, String),
) -> Result<()> {
    let found = db.call(move |db| orders::find(db, client, &id)).await?;
    let Some(file) = found.as_ref().and_then(Order::file) else {
        return menu::stale(bot, query).await;
    };
    press::answer(&bot, &query, "").await;
    let file = InputFile::file_id(FileId(file.to_owned()));
    if let Err(error) = bot.send_document(chat, file).await {
        // an id of another bot's file, as after a move
        let why = news::refusal(&error).ok_or(error)?;
        bot.send_message(chat, format!("🚫 Файл не открыть. {}", short(&why, 300))).await?;
    }
    Ok(())
}

/// A press on a status: it is set, and the client is told.
pub(crate) async fn set_status(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    (client, id, status): (i64, String, Status),
) -> Result<()> {
    let changed = db.call(move |db| orders::set_status(db, client, &id, status)).await?;
    let Some((order, before)) = changed else { return menu::stale(bot, query).await };
    if before == order.status {
        press::answer(&bot, &query, &format!("Статус и так «{before}»")).await;
        return Ok(());
    }
    let (text, keyboard) = panel(&order);
    press::turn(&bot, &query, &text, keyboard).await?;
    if let Err(error) = tell_client(&bot, &order).await {
        let why = news::refusal(&error).ok_or(error)?;
        let text = format!("Статус изменён, но клиент не узнал: {}.", short(&why, 300));
        bot.send_message(chat, text).await?;
    }
    Ok(())
}

async fn tell_client(bot: &Bot, order: &Order) -> Result<(), teloxide::RequestError> {
    let news = format!(
        "📦 Новый статус заказа <code>{}</code>: «{}».",
        short(&order.id, SHOWN),
        short(&order.status, SHOWN)
    );
    let details = Button::ShowOrder(order.id.clone()).labelled("Подробнее");
    let keyboard = InlineKeyboardMarkup::new([details]);
    bot.send_message(ChatId(order.user_id), news).reply_markup(keyboard).await.map(drop)
}

/// «🗑 Удалить»: first a question.
pub(crate) async fn ask_delete(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (client, id): (i64, String),
) -> Result<()> {
    let found = db.call(move |db| orders::find(db, client, &id)).await?;
    let Some(order) = found else { return menu::stale(bot, query).await };
    let name = short(&order.id, SHOWN);
    let text = format!("🗑 Удалить заказ <code>{name}</code>? Вернуть его сможет только бекап.");
    let buttons = [
        Task::DeleteOrder(client, order.id.clone()).labelled("🗑 Да, удалить"),
        Task::Panel(client, order.id).labelled("Нет, оставить"),
    ];
    let keyboard = InlineKeyboardMarkup::new([buttons.into_iter().flatten()]);
    press::turn(&bot, &query, &text, keyboard).await
}

/// «🗑 Да, удалить».
pub(crate) async fn delete(
    bot: Bot,
    query: CallbackQuery,
    db: Database,
    (client, id): (i64, String),
) -> Result<()> {
    let removed = db.call(move |db| orders::remove(db, client, &id)).await?;
    let Some(order) = removed else { return menu::stale(bot, query).await };
    let text = format!("🗑 Заказ <code>{}</code> удалён.", short(&order.id, SHOWN));
    let back = Task::Orders(None, 0).labelled("« Все заказы");
    press::turn(&bot, &query, &text, InlineKeyboardMarkup::new([back])).await
}
