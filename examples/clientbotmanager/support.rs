//! The support chat: what a client writes goes to the administrator, and the answer comes back.

mod delivery;

use std::sync::Arc;

use anyhow::Result;
use chrono::Local;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;
use teloxide::types::{KeyboardButton, KeyboardMarkup, Me, MessageId, User};
use teloxide::utils::html::escape;
use tracing::error;

use crate::apology::reason;
use crate::button::Task;
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::menu::{Entry, LEAVE, is_command_or_label};
use crate::news;
use crate::press;
use crate::settings::Settings;
use delivery::{Words, deliver};

/// Which message of the administrator's chat came from whom, in the very shape that it has in a
/// backup: an answer to that message is an answer to that client.
#[derive(Serialize, Deserialize)]
pub(crate) struct Received {
    /// Another bot that is given this backup has other messages with the same ids.
    bot_id: i64,
    message_id: i32,
    user_id: i64,
    date: String,
}

impl Received {
    /// The columns [`COLUMNS`].
    pub(crate) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            bot_id: row.get(0)?,
            message_id: row.get(1)?,
            user_id: row.get(2)?,
            date: row.get(3)?,
        })
    }
}

/// What [`Received::of_row`] reads.
pub(crate) const COLUMNS: &str = "bot_id, message_id, user_id, date";

/// Notes from whom a message came.
pub(crate) fn put(db: &Connection, received: &Received) -> Result<()> {
    let put = "INSERT OR REPLACE INTO support_messages (bot_id, message_id, user_id, date)
               VALUES (?1, ?2, ?3, ?4)";
    let Received { bot_id, message_id, user_id, date } = received;
    db.prepare_cached(put)?.execute((bot_id, message_id, user_id, date))?;
    Ok(())
}

fn note(db: &Connection, me: &Me, delivered: &[MessageId], client: ChatId) -> Result<()> {
    let bot_id = i64::try_from(me.id.0)?;
    let date = Local::now().format("%Y-%m-%d").to_string();
    delivered.iter().try_for_each(|&MessageId(message_id)| {
        put(db, &Received { bot_id, message_id, user_id: client.0, date: date.clone() })
    })
}

fn sender(db: &Connection, me: &Me, message: MessageId) -> Result<Option<i64>> {
    let find = "SELECT user_id FROM support_messages WHERE bot_id = ?1 AND message_id = ?2";
    let message = (i64::try_from(me.id.0)?, message.0);
    Ok(db.query_row(find, message, |row| row.get(0)).optional()?)
}

fn keyboard() -> KeyboardMarkup {
    KeyboardMarkup::new([[KeyboardButton::new(LEAVE)]]).resize_keyboard()
}

/// «💬 Поддержка».
pub(crate) async fn enter(bot: Bot, chat: ChatId, talk: Talk) -> Result<()> {
    talk.update(State::Support).await?;
    let text = "💬 Мы на связи! Пишите, присылайте фото, файлы, видео или голосовые: \
                всё дойдёт до администратора, а ответ придёт сюда же.";
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// Any message of a client in the support chat.
pub(crate) async fn pass_on(
    bot: Bot,
    message: Message,
    me: Me,
    db: Database,
    settings: Arc<Settings>,
) -> Result<()> {
    let Some(client) = &message.from else { return Ok(()) };
    let (chat, title) = (message.chat.id, title(client));
    let answer = Task::Reply(chat.0).labelled("↩️ Ответить");
    let text = match deliver(&bot, settings.admin, &title, Words::of(&message), answer).await {
        Ok(delivered) => {
            db.call(move |db| note(db, &me, &delivered, chat)).await?;
            "✅ Передано администратору."
        }
        Err(error) => {
            error!("a word to support was not delivered: {}", reason(&error.into()));
            "😔 Передать не получилось. Попробуйте ещё раз чуть позже или напишите иначе."
        }
    };
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// A message that was edited in a conversation.
pub(crate) async fn ask_to_send_anew(bot: Bot, chat: ChatId) -> Result<()> {
    let text = "✏️ Исправление не дошло, осталось как было. Пришлите его новым сообщением.";
    bot.send_message(chat, text).await?;
    Ok(())
}

/// Who writes, as the administrator sees it.
fn title(client: &User) -> String {
    let nick =
        client.username.as_ref().map_or(String::new(), |name| format!(", @{}", escape(name)));
    format!("💬 <b>{}</b>, ID <code>{}</code>{nick}", short(&client.full_name(), 128), client.id)
}

/// `/reply ID`, with the words in the same line or in the next messages.
pub(crate) async fn reply(
    bot: Bot,
    chat: ChatId,
    talk: Talk,
    state: State,
    words: String,
) -> Result<()> {
    let words = words.trim();
    let (id, text) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let Some(client) = id.parse().ok().filter(|&id: &i64| id > 0) else {
        let usage = "Кому ответить? Напишите так: <code>/reply 123456789 текст</code>. \
                     Можно без текста, тогда уйдут ваши следующие сообщения, любые.";
        bot.send_message(chat, usage).await?;
        return Ok(());
    };
    match text.trim() {
        "" => begin(&bot, chat, &talk, &state, client).await,
        text => send(&bot, chat, client, Words::Text(text)).await,
    }
}

/// «↩️ Ответить».
pub(crate) async fn reply_by_button(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    talk: Talk,
    state: State,
    client: i64,
) -> Result<()> {
    press::answer(&bot, &query, "").await;
    begin(&bot, chat, &talk, &state, client).await
}

async fn begin(bot: &Bot, chat: ChatId, talk: &Talk, before: &State, client: i64) -> Result<()> {
    talk.update(State::Reply(client)).await?;
    let text = format!(
        "{}✍️ Пишите клиенту <code>{client}</code>: всё, что пришлёте, уйдёт ему. \
         Закончите — нажмите «{LEAVE}».",
        before.parting()
    );
    bot.send_message(chat, text).reply_markup(keyboard()).await?;
    Ok(())
}

/// The client whose message the administrator answers in Telegram's own way.
pub(crate) async fn answered_client(message: Message, me: Me, db: Database) -> Option<i64> {
    let answered = message.reply_to_message()?.id;
    if message.text().is_some_and(is_command_or_label) {
        return None;
    }
    let found = db.call(move |db| sender(db, &me, answered)).await;
    found.unwrap_or_else(|error| {
        error!("nobody knows whose message was answered: {}", reason(&error));
        None
    })
}

/// Any message of the administrator to a client.
pub(crate) async fn answer(bot: Bot, message: Message, chat: ChatId, client: i64) -> Result<()> {
    send(&bot, chat, client, Words::of(&message)).await
}

async fn send(bot: &Bot, admin: ChatId, client: i64, words: Words<'_>) -> Result<()> {
    let title = "💬 <b>Ответ поддержки</b>";
    let sent = deliver(bot, ChatId(client), title, words, Entry::Support.button()).await;
    let text = match sent {
        Ok(_) => format!("✅ Отправлено клиенту <code>{client}</code>."),
        Err(error) => match news::refusal(&error) {
            Some(why) => format!("🚫 Не доставлено: {}.", escape(&why)),
            None => return Err(error.into()),
        },
    };
    bot.send_message(admin, text).await?;
    Ok(())
}
