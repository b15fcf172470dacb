//! The greeting, the keyboard below the input field, and answers to wrong turns.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;
use teloxide::types::Me;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, KeyboardMarkup};

use crate::button::{Button, Task};
use crate::commands;
use crate::contents::Topic;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::press;
use crate::referrals::{self, REWARD};
use crate::settings::Settings;

/// The way out of a question.
pub(crate) const CANCEL: &str = "❌ Отмена";
/// The way out of a conversation with support, on either side.
pub(crate) const LEAVE: &str = "🚪 Закончить разговор";

/// What a client can come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    Order,
    Price,
    Contents(Topic),
    Support,
    Status,
    Reviews,
    Bonuses,
}

impl Entry {
    const ALL: [Self; 10] = [
        Self::Order,
        Self::Status,
        Self::Price,
        Self::Contents(Topic::Portfolio),
        Self::Contents(Topic::Faq),
        Self::Support,
        Self::Reviews,
        Self::Bonuses,
        Self::Contents(Topic::About),
        Self::Contents(Topic::Contacts),
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Order => "📝 Заказать бота",
            Self::Price => "🧮 Рассчитать цену",
            Self::Contents(topic) => topic.label(),
            Self::Support => "💬 Поддержка",
            Self::Status => "📦 Статус заказа",
            Self::Reviews => "⭐️ Отзывы",
            Self::Bonuses => "🎁 Бонусы и друзья",
        }
    }

    fn labelled(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entry| entry.label() == text)
    }

    /// The entry whose button below the input field was pressed.
    pub(crate) fn of(message: &Message) -> Option<Self> {
        Self::labelled(message.text()?)
    }

    /// An inline button that leads here.
    pub(crate) fn button(self) -> Option<InlineKeyboardButton> {
        Button::Open(self).labelled(self.label())
    }
}

/// Whether a text is meant for the bot itself and is no answer to a question.
pub(crate) fn is_command_or_label(text: &str) -> bool {
    text.starts_with('/') || text == CANCEL || text == LEAVE || Entry::labelled(text).is_some()
}

/// The keyboard with everything that the bot can do.
pub(crate) fn keyboard() -> KeyboardMarkup {
    let rows = Entry::ALL.chunks(2);
    KeyboardMarkup::new(rows.map(|row| row.iter().map(|entry| KeyboardButton::new(entry.label()))))
        .resize_keyboard()
}

/// The keyboard of a question: its ready answers, and the way out.
pub(crate) fn question_keyboard(answers: &[&'static str]) -> KeyboardMarkup {
    let rows = answers.chunks(2).chain([[CANCEL].as_slice()]);
    KeyboardMarkup::new(rows.map(|row| row.iter().map(|&label| KeyboardButton::new(label))))
        .resize_keyboard()
}

/// `/start` and `/menu`.
pub(crate) async fn greet(
    bot: Bot,
    message: Message,
    me: Me,
    talk: Talk,
    state: State,
    settings: Arc<Settings>,
) -> Result<()> {
    talk.update(State::Menu).await?;
    let chat = message.chat.id;
    let name = message.from.as_ref().map_or("друг", |user| user.first_name.as_str());
    let text = format!(
        "👋 Здравствуйте, {}!\n\n{}\
         Я принимаю заказы на разработку ботов: расскажите идею, а мы её воплотим. \
         Всё, что я умею, — на кнопках внизу.\n\n\
         🎁 Приведите друга и получите {REWARD} ₽ — вот ваша ссылка:\n{}",
        short(name, 64),
        state.parting(),
        referrals::link(&me, chat.0)
    );
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    let is_admin = chat == settings.admin;
    let (text, shortcuts) = shortcuts(is_admin);
    bot.send_message(chat, text).reply_markup(shortcuts).await?;
    if is_admin {
        // the first word of the administrator is the first time that this can succeed
        commands::show_to_admin(&bot, chat).await;
    }
    Ok(())
}

/// What most people come for, under the greeting.
fn shortcuts(is_admin: bool) -> (&'static str, InlineKeyboardMarkup) {
    let rows = [[Entry::Order, Entry::Price], [Entry::Contents(Topic::Portfolio), Entry::Support]];
    let rows = rows.map(|row| row.into_iter().filter_map(Entry::button).collect::<Vec<_>>());
    let keyboard = InlineKeyboardMarkup::new(rows);
    if is_admin {
        let text = "🛠 Вы администратор: управление ботом — /admin. \
                    Бекапы: /backup — сделать, /backup_list — восстановить.";
        return (text, keyboard.append_row(Task::Menu.labelled("🛠 Управление")));
    }
    ("С чего начнём?", keyboard)
}

/// «❌ Отмена» at any question, «🚪 Закончить разговор» in any conversation.
pub(crate) async fn cancel(bot: Bot, chat: ChatId, talk: Talk, state: State) -> Result<()> {
    talk.update(State::Menu).await?;
    let text = state.farewell().unwrap_or("Отменять нечего, мы в меню 🙂");
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// A message that means nothing here.
pub(crate) async fn puzzled(bot: Bot, chat: ChatId) -> Result<()> {
    let text = "🤔 Не понял вас. Выберите кнопку внизу, и я помогу.";
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// A command that there is not, in the middle of something else.
pub(crate) async fn pass_over(bot: Bot, chat: ChatId) -> Result<()> {
    bot.send_message(chat, "🤔 Такой команды нет, я её пропустил. Можно продолжать.").await?;
    Ok(())
}

/// A button of an older time.
pub(crate) async fn stale(bot: Bot, query: CallbackQuery) -> Result<()> {
    press::answer(&bot, &query, "Эта кнопка уже не действует. Откройте /menu").await;
    Ok(())
}
