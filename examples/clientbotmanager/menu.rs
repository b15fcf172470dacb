//! The greeting, the keyboard below the input field, and answers to wrong turns.

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::{KeyboardButton, KeyboardMarkup, Me};
use teloxide::utils::command::BotCommands;
use tracing::warn;

use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::order_form;
use crate::press;
use crate::referrals::{self, REWARD};

pub(crate) const ORDER: &str = "📝 Заказать бота";
pub(crate) const STATUS: &str = "📦 Статус заказа";
pub(crate) const REVIEWS: &str = "⭐️ Отзывы";
pub(crate) const BONUSES: &str = "🎁 Бонусы и друзья";
pub(crate) const CANCEL: &str = "❌ Отмена";

/// The commands of clients; those of the backups are the plugin's.
#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    /// With whatever follows in a link.
    Start(String),
    Menu,
}

/// Whether a text is meant for the bot itself and is no answer to a question.
pub(crate) fn is_command_or_label(text: &str) -> bool {
    text.starts_with('/') || [ORDER, STATUS, REVIEWS, BONUSES, CANCEL].contains(&text)
}

/// The keyboard with everything that the bot can do.
pub(crate) fn keyboard() -> KeyboardMarkup {
    let row = |labels: [&'static str; 2]| labels.map(KeyboardButton::new);
    KeyboardMarkup::new([row([ORDER, STATUS]), row([REVIEWS, BONUSES])]).resize_keyboard()
}

/// The keyboard of a question: its ready answers, and the way out.
pub(crate) fn question_keyboard(answers: &[&'static str]) -> KeyboardMarkup {
    let rows = answers.chunks(2).chain([[CANCEL].as_slice()]);
    KeyboardMarkup::new(rows.map(|row| row.iter().map(|&label| KeyboardButton::new(label))))
        .resize_keyboard()
}

/// `/start`, maybe by a friend's link.
pub(crate) async fn start(
    bot: Bot,
    message: Message,
    me: Me,
    db: Database,
    talk: Talk,
    state: State,
    link: String,
) -> Result<()> {
    let (user, inviter) = (message.chat.id.0, referrals::inviter(&link));
    let thanked = db.call(move |db| referrals::welcome(db, user, inviter)).await?;
    greet(&bot, &message, &me, (talk, state)).await?;
    if let Some(inviter) = thanked {
        let news = format!("🎉 По вашей ссылке пришёл новый друг! Вам начислено {REWARD} ₽.");
        if let Err(error) = bot.send_message(ChatId(inviter), news).await {
            warn!("an inviter could not be told: {error}");
        }
    }
    Ok(())
}

/// `/menu`.
pub(crate) async fn show(
    bot: Bot,
    message: Message,
    me: Me,
    talk: Talk,
    state: State,
) -> Result<()> {
    greet(&bot, &message, &me, (talk, state)).await
}

async fn greet(bot: &Bot, message: &Message, me: &Me, (talk, state): (Talk, State)) -> Result<()> {
    talk.update(State::Menu).await?;
    let name = message.from.as_ref().map_or("друг", |user| user.first_name.as_str());
    let closed = match state {
        State::Order(_) => "Анкету я закрыл, начать заново можно в любой момент.\n\n",
        _ => "",
    };
    let text = format!(
        "👋 Здравствуйте, {}!\n\n{closed}\
         Я принимаю заказы на разработку ботов: расскажите идею, а мы её воплотим. \
         Выберите, с чего начать.\n\n\
         🎁 Приведите друга и получите {REWARD} ₽ — вот ваша ссылка:\n{}",
        short(name, 64),
        referrals::link(me, message.chat.id.0)
    );
    bot.send_message(message.chat.id, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// «❌ Отмена» at any question.
pub(crate) async fn cancel(bot: Bot, message: Message, talk: Talk, state: State) -> Result<()> {
    let text = match state {
        State::Menu => "Отменять нечего, мы в меню 🙂",
        State::Order(_) => order_form::DROPPED,
        State::OrderNumber | State::Review(_) => "Хорошо, вернулись в меню.",
    };
    talk.update(State::Menu).await?;
    bot.send_message(message.chat.id, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// A message that means nothing here.
pub(crate) async fn puzzled(bot: Bot, message: Message) -> Result<()> {
    let text = "🤔 Не понял вас. Выберите кнопку внизу, и я помогу.";
    bot.send_message(message.chat.id, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// A button of an older time.
pub(crate) async fn stale(bot: Bot, query: CallbackQuery) -> Result<()> {
    press::answer(&bot, &query, "Эта кнопка уже не действует. Откройте /menu").await;
    Ok(())
}
