//! The end of the form: the order is placed, or forgotten.

use std::sync::Arc;

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{FileId, InputFile, User};
use tracing::error;

use super::{OrderForm, fields, question::Question};
use crate::apology::reason;
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, pages};
use crate::menu::{self, Entry};
use crate::order_desk;
use crate::orders::{self, Order};
use crate::press;
use crate::settings::Settings;

/// What is said when a client changes their mind.
pub(crate) const DROPPED: &str = "Хорошо, заказ не отправлен. Возвращайтесь, когда будете готовы!";

/// «✅ Отправить заказ».
pub(crate) async fn send_order(
    bot: Bot,
    query: CallbackQuery,
    talk: Talk,
    db: Database,
    settings: Arc<Settings>,
    form: OrderForm,
    pressed: String,
) -> Result<()> {
    if form.question != Question::Confirm || form.id != pressed {
        return menu::stale(bot, query).await;
    }
    press::answer(&bot, &query, "Заказ отправлен").await;
    let client = ChatId::from(query.from.id);
    let order = Order::new(form.id, client.0, form.answers);
    let order = db.call(move |db| orders::place(db, order)).await?;
    // the order is safe in the database now, whoever cannot be told of it
    if let Err(error) = tell_admin(&bot, settings.admin, &query.from, &order).await {
        error!(order = order.id, "the administrator was not told: {}", reason(&error));
    }
    // last: a press that is delivered again after a crash begins anew, and ends here
    talk.update(State::Menu).await?;
    let thanks = format!(
        "✅ Спасибо! Заказ <code>{}</code> принят.\n\n\
         Мы всё прочитаем и свяжемся с вами. Как идут дела — под кнопкой «{}».",
        order.id,
        Entry::Status.label()
    );
    bot.send_message(client, thanks).reply_markup(menu::keyboard()).await?;
    Ok(())
}

/// «❌ Отмена» below the summary.
pub(crate) async fn drop_order(
    bot: Bot,
    query: CallbackQuery,
    talk: Talk,
    form: OrderForm,
    pressed: String,
) -> Result<()> {
    if form.id != pressed {
        return menu::stale(bot, query).await;
    }
    talk.update(State::Menu).await?;
    press::answer(&bot, &query, "").await;
    let chat = ChatId::from(query.from.id);
    bot.send_message(chat, DROPPED).reply_markup(menu::keyboard()).await?;
    Ok(())
}

/// A button that would lead away from an open form.
pub(crate) async fn order_first(bot: Bot, query: CallbackQuery) -> Result<()> {
    let text = "Сначала закончим заказ: ответьте на вопрос или нажмите «❌ Отмена».";
    press::answer(&bot, &query, text).await;
    Ok(())
}

async fn tell_admin(bot: &Bot, admin: ChatId, client: &User, order: &Order) -> Result<()> {
    let mut all = vec![("Клиент", client.full_name()), ("ID", client.id.to_string())];
    all.extend(client.username.as_ref().map(|name| ("Ник", format!("@{name}"))));
    all.extend(fields(&order.data));
    for page in pages(&format!("🆕 <b>Новый заказ {}</b>\n", order.id), &all) {
        bot.send_message(admin, page).await?;
    }
    let (text, keyboard) = order_desk::panel(order);
    bot.send_message(admin, text).reply_markup(keyboard).await?;
    if let Some(file) = order.file() {
        let file = InputFile::file_id(FileId(file.to_owned()));
        let caption = format!("📎 Файл к заказу <code>{}</code>", order.id);
        bot.send_document(admin, file).caption(caption).await?;
    }
    Ok(())
}
