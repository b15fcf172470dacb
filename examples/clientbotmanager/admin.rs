//! `/admin`: the one menu from which the administrator gets everywhere.

use std::sync::Arc;

use anyhow::{Error, Result};
use teloxide::dispatching::UpdateHandler;
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;

use crate::button::Task;
use crate::html::Bot;
use crate::press;
use crate::settings::Settings;

const TITLE: &str = "🛠 <b>Управление</b>\n\nЧто посмотрим?";

/// A step to handlers that are for the administrator alone.
pub(crate) fn only() -> UpdateHandler<Error> {
    dptree::filter(|chat: ChatId, settings: Arc<Settings>| chat == settings.admin)
}

/// Somebody else, with a button of the administrator.
pub(crate) async fn refuse(bot: Bot, query: CallbackQuery) -> Result<()> {
    press::answer(&bot, &query, "⛔️ Это может только администратор.").await;
    Ok(())
}

/// `/admin`.
pub(crate) async fn open(bot: Bot, chat: ChatId) -> Result<()> {
    bot.send_message(chat, TITLE).reply_markup(keyboard()).await?;
    Ok(())
}

/// Back to the menu from one of its screens.
pub(crate) async fn menu(bot: Bot, query: CallbackQuery) -> Result<()> {
    press::turn(&bot, &query, TITLE, keyboard()).await
}

fn keyboard() -> InlineKeyboardMarkup {
    let rows = [
        [Task::Orders(None, 0).labelled("📦 Заказы"), Task::Reviews.labelled("⭐️ Новые отзывы")],
        [Task::Contents.labelled("🗂 Содержимое"), Task::Statistics.labelled("📊 Статистика")],
        [Task::Backups.labelled("💾 Бекапы"), None],
    ];
    InlineKeyboardMarkup::new(rows.map(|row| row.into_iter().flatten().collect::<Vec<_>>()))
}

/// «💾 Бекапы»: where they are.
pub(crate) async fn backups(bot: Bot, query: CallbackQuery) -> Result<()> {
    let text = "💾 <b>Бекапы</b>\n\n\
                /backup — сделать бекап сейчас\n\
                /backup_list — список и восстановление\n\
                /backup_restore — восстановление из файла\n\
                /backup_settings — как часто и сколько хранить";
    press::turn(&bot, &query, text, back()).await
}

/// The way back to the menu.
pub(crate) fn back() -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([Task::Menu.labelled("« Управление")])
}
