//! A piece that the administrator is writing, field by field.

use anyhow::Result;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use teloxide::prelude::*;

use super::piece_screen;
use crate::contents::{self, Field, Piece, Topic};
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, units};
use crate::menu::{self, question_keyboard};
use crate::orders;
use crate::press;

/// The longest name; it is also the label of a button.
const TITLE: usize = 100;

const NO_LINK: &str = "Без ссылки";
const NO_PHOTO: &str = "Без фото";

/// What is written so far.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Draft {
    piece: Piece,
    /// What the next message is.
    field: Field,
    /// The piece is new: the other fields follow.
    new: bool,
}

/// «➕ Добавить».
pub(crate) async fn add(
    bot: Bot,
    query: CallbackQuery,
    talk: Talk,
    state: State,
    chat: ChatId,
    db: Database,
    topic: Topic,
) -> Result<()> {
    let there = db.call(move |db| contents::on(db, topic)).await?;
    let field = topic.fields().first().filter(|_| topic.is_list() || there.is_empty());
    let Some(&field) = field else { return menu::stale(bot, query).await };
    let (title, text, link, photo) = Default::default();
    let piece = Piece { id: orders::new_id(), topic, title, text, link, photo };
    press::answer(&bot, &query, "").await;
    ask(&bot, chat, &talk, state.parting(), Draft { piece, field, new: true }).await
}

/// «✏️ …»: one field of a piece.
pub(crate) async fn change(
    bot: Bot,
    query: CallbackQuery,
    talk: Talk,
    state: State,
    chat: ChatId,
    db: Database,
    (id, field): (String, Field),
) -> Result<()> {
    let found = db.call(move |db| contents::find(db, &id)).await?;
    let Some(piece) = found.filter(|piece| piece.topic.fields().contains(&field)) else {
        return menu::stale(bot, query).await;
    };
    press::answer(&bot, &query, "").await;
    ask(&bot, chat, &talk, state.parting(), Draft { piece, field, new: false }).await
}

/// Asks for the next field, after a word about what was left for it.
async fn ask(bot: &Bot, chat: ChatId, talk: &Talk, parting: String, draft: Draft) -> Result<()> {
    let (prompt, ready) = draft.field.question(draft.piece.topic);
    talk.update(State::Editing(draft)).await?;
    bot.send_message(chat, parting + prompt).reply_markup(question_keyboard(ready)).await?;
    Ok(())
}

/// Any message while a field is asked for.
pub(crate) async fn write(
    bot: Bot,
    message: Message,
    talk: Talk,
    db: Database,
    mut draft: Draft,
) -> Result<()> {
    let chat = message.chat.id;
    if let Err(advice) = draft.read(&message) {
        bot.send_message(chat, advice).await?;
        return Ok(());
    }
    if let Some(field) = draft.next_field() {
        return ask(&bot, chat, &talk, String::new(), Draft { field, ..draft }).await;
    }
    let saved = db.call(move |db| draft.save(db)).await?;
    talk.update(State::Menu).await?;
    let Some(piece) = saved else {
        let text = "🗑 Сохранять уже некуда: это удалено. Добавить заново — в /admin.";
        bot.send_message(chat, text).reply_markup(menu::keyboard()).await?;
        return Ok(());
    };
    let saved = "✅ Сохранено, клиенты уже это видят.";
    bot.send_message(chat, saved).reply_markup(menu::keyboard()).await?;
    let (text, keyboard) = piece_screen(&piece);
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

impl Draft {
    /// Takes the field from a message, or gives advice.
    fn read(&mut self, message: &Message) -> Result<(), &'static str> {
        let text = message.text().map(|text| text.trim().to_owned());
        match self.field {
            Field::Title => self.piece.title = read_title(&text.ok_or(TEXT_PLEASE)?)?,
            Field::Text => self.piece.text = text.ok_or(TEXT_PLEASE)?,
            Field::Link => self.piece.link = text.ok_or(TEXT_PLEASE).and_then(read_link)?,
            Field::Photo => self.piece.photo = read_photo(message)?,
        }
        Ok(())
    }

    /// Gives back what is kept now; a piece that was deleted meanwhile stays deleted.
    fn save(self, db: &Connection) -> Result<Option<Piece>> {
        if !self.new && contents::find(db, &self.piece.id)?.is_none() {
            return Ok(None);
        }
        contents::put(db, &self.piece)?;
        Ok(Some(self.piece))
    }

    /// What else a new piece needs.
    fn next_field(&self) -> Option<Field> {
        let mut rest = self.piece.topic.fields().iter().skip_while(|&&field| field != self.field);
        rest.nth(1).copied().filter(|_| self.new)
    }
}

const TEXT_PLEASE: &str = "Здесь нужен текст, пожалуйста.";

fn read_title(text: &str) -> Result<String, &'static str> {
    if units(text) > TITLE {
        return Err("Длинновато: уложитесь, пожалуйста, в 100 знаков.");
    }
    Ok(text.replace('\n', " "))
}

fn read_link(text: String) -> Result<Option<String>, &'static str> {
    if text == NO_LINK {
        return Ok(None);
    }
    let is_link = text.starts_with("https://") || text.starts_with("http://");
    if !is_link || text.contains(char::is_whitespace) || units(&text) > 500 {
        return Err("Жду адрес, который начинается с https://, или кнопку «Без ссылки».");
    }
    Ok(Some(text))
}

fn read_photo(message: &Message) -> Result<Option<String>, &'static str> {
    if message.text() == Some(NO_PHOTO) {
        return Ok(None);
    }
    // the last one is the largest
    let photo = message.photo().and_then(<[_]>::last);
    let photo = photo.ok_or("Жду фотографию (не файлом) или кнопку «Без фото».")?;
    Ok(Some(photo.file.id.to_string()))
}

impl Field {
    /// The question, and the answers that wait on the keyboard.
    fn question(self, topic: Topic) -> (&'static str, &'static [&'static str]) {
        match (self, topic) {
            (Self::Title, Topic::Faq) => ("❓ Напишите вопрос, как его задал бы клиент.", &[]),
            (Self::Title, _) => ("✏️ Как называется работа?", &[]),
            (Self::Text, Topic::Faq) => ("✏️ Какой на него ответ?", &[]),
            (Self::Text, Topic::Portfolio) => ("✏️ Расскажите о ней.", &[]),
            (Self::Text, Topic::Contacts) => {
                ("📞 Как с вами связаться? Напишите одним текстом.", &[])
            }
            (Self::Text, Topic::About) => ("ℹ️ Что рассказать о вас? Напишите одним текстом.", &[]),
            (Self::Link, _) => ("🔗 Есть ссылка на работу?", &[NO_LINK]),
            (Self::Photo, _) => ("🖼 Есть фотография или снимок экрана? Пришлите.", &[NO_PHOTO]),
        }
    }

    /// The button that begins a change.
    pub(super) fn change_label(self, topic: Topic) -> &'static str {
        match (self, topic) {
            (Self::Title, Topic::Faq) => "✏️ Вопрос",
            (Self::Title, _) => "✏️ Название",
            (Self::Text, Topic::Faq) => "✏️ Ответ",
            (Self::Text, _) => "✏️ Текст",
            (Self::Link, _) => "🔗 Ссылка",
            (Self::Photo, _) => "🖼 Фото",
        }
    }
}
