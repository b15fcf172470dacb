//! A client's orders and how they are getting on.

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::button::Button;
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::menu::{self, Entry};
use crate::order_form::fields;
use crate::orders::{self, Order};
use crate::press;

/// How many orders the list shows.
const LISTED: u32 = 20;
/// How much of an id, a status and an answer is shown.
const SHOWN: (usize, usize, usize) = (40, 60, 250);

/// «📦 Статус заказа»: the newest orders, each with a button.
pub(crate) async fn list(bot: Bot, chat: ChatId, talk: Talk, db: Database) -> Result<()> {
    let ChatId(user) = chat;
    let (orders, all) = db.call(move |db| orders::newest(db, user, LISTED)).await?;
    if orders.is_empty() {
        let text =
            format!("📦 Заказов у вас пока нет. Первый — под кнопкой «{}».", Entry::Order.label());
        talk.update(State::Menu).await?;
        bot.send_message(chat, text).reply_markup(menu::keyboard()).await?;
        return Ok(());
    }
    talk.update(State::OrderNumber).await?;
    bot.send_message(chat, list_text(&orders, all)).reply_markup(list_buttons(&orders)).await?;
    Ok(())
}

fn list_text(orders: &[Order], all: u32) -> String {
    let lines: Vec<String> = orders.iter().map(headline).collect();
    let more = match all.saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\nи ещё {more}"),
    };
    format!(
        "📦 <b>Ваши заказы</b>\n\n{}{more}\n\n\
         Подробности — по кнопке, или пришлите номер заказа.",
        lines.join("\n")
    )
}

fn list_buttons(orders: &[Order]) -> InlineKeyboardMarkup {
    let button = |order: &Order| -> Option<InlineKeyboardButton> {
        Button::ShowOrder(order.id.clone()).labelled(order.id.clone())
    };
    let buttons: Vec<_> = orders.iter().filter_map(button).collect();
    InlineKeyboardMarkup::new(buttons.chunks(2).map(<[_]>::to_vec))
}

fn headline(order: &Order) -> String {
    let (id, status, _) = SHOWN;
    let line = format!("<code>{}</code> — {}", short(&order.id, id), short(&order.status, status));
    match order.day() {
        "" => line,
        day => format!("{line}, {}", short(day, 10)),
    }
}

/// A press on one order of the list.
pub(crate) async fn show(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    id: String,
) -> Result<()> {
    let found = db.call(move |db| orders::find(db, chat.0, &id)).await?;
    let Some(order) = found else { return menu::stale(bot, query).await };
    press::answer(&bot, &query, "").await;
    bot.send_message(chat, details(&order)).await?;
    Ok(())
}

/// The number of an order, typed in.
pub(crate) async fn find(bot: Bot, message: Message, chat: ChatId, db: Database) -> Result<()> {
    let Some(id) = message.text().map(|text| text.trim().to_owned()) else {
        return menu::puzzled(bot, chat).await;
    };
    let found = db.call(move |db| orders::find(db, chat.0, &id)).await?;
    let text = found.as_ref().map_or_else(
        || {
            "🔎 Среди ваших заказов такого номера нет. Проверьте его или выберите кнопку внизу."
                .to_owned()
        },
        details,
    );
    bot.send_message(chat, text).reply_markup(menu::keyboard()).await?;
    Ok(())
}

fn details(order: &Order) -> String {
    let (id, status, answer) = SHOWN;
    let mut facts = vec![("Статус", short(&order.status, status))];
    if !order.timestamp.is_empty() {
        facts.push(("Создан", short(&order.moment(), 30)));
    }
    let answers = fields(&order.data).into_iter();
    facts.extend(answers.map(|(label, value)| (label, short(&value, answer))));
    let lines: Vec<_> =
        facts.iter().map(|(label, fact)| format!("<b>{label}:</b> {fact}")).collect();
    format!("📦 <b>Заказ {}</b>\n\n{}", short(&order.id, id), lines.join("\n"))
}
