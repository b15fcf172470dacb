//! The order form: one question a step, then a summary to confirm.

mod placing;
mod question;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;

use crate::button::Button;
use crate::database::Database;
use crate::dialogue::{State, Talk};
use crate::html::{Bot, short};
use crate::menu::{self, question_keyboard};
use crate::orders::{self, Answers};
use crate::referrals;

pub(crate) use placing::{DROPPED, drop_order, order_first, send_order};
use question::Question;

/// How much of an answer the summary shows: twelve of these fit into one message.
const SHOWN: usize = 250;

/// What a missing file is called.
const NO_FILE: &str = "нет";

/// A form that a client is filling in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OrderForm {
    /// The id of the order to be, so that buttons of another form are known as such.
    id: String,
    question: Question,
    answers: Answers,
}

/// «📝 Заказать бота».
pub(crate) async fn begin(bot: Bot, chat: ChatId, talk: Talk) -> Result<()> {
    let question = Question::FIRST;
    let form = OrderForm { id: orders::new_id(), question, answers: Answers::new() };
    talk.update(State::Order(form)).await?;
    let text = format!(
        "Отлично! Несколько вопросов — и заказ готов. Передумаете — нажмите «{}».\n\n{}",
        menu::CANCEL,
        question.prompt()
    );
    let keyboard = question_keyboard(question.ready_answers());
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

/// Any message while the form is open.
pub(crate) async fn answer(
    bot: Bot,
    message: Message,
    talk: Talk,
    db: Database,
    mut form: OrderForm,
) -> Result<()> {
    let answers = match form.question.read(&message) {
        Ok(answers) => answers,
        Err(advice) => {
            let keyboard = question_keyboard(form.question.ready_answers());
            bot.send_message(message.chat.id, advice).reply_markup(keyboard).await?;
            return ask(&bot, message.chat.id, &form, None).await;
        }
    };
    form.answers.extend(answers);
    let user = message.chat.id.0;
    let roubles = db.call(move |db| referrals::balance(db, user)).await?;
    form.advance(roubles);
    talk.update(State::Order(form.clone())).await?;
    if form.question == Question::Confirm {
        // the answers of the last question leave the keyboard
        let done = bot.send_message(message.chat.id, "👌 Это все вопросы, осталось проверить.");
        done.reply_markup(question_keyboard(&[])).await?;
    }
    ask(&bot, message.chat.id, &form, Some(roubles)).await
}

impl OrderForm {
    /// Goes on to the next question; without bonuses nobody is asked about them.
    fn advance(&mut self, roubles: i64) {
        self.question = self.question.next();
        if self.question == Question::Bonus && roubles <= 0 {
            self.answers.insert("use_bonus".to_owned(), false.into());
            self.question = self.question.next();
        }
        let uses_bonus = self.answers.get("use_bonus") == Some(&Value::Bool(true));
        let amount = if uses_bonus { roubles.max(0) } else { 0 };
        self.answers.insert("bonus_amount".to_owned(), amount.into());
    }
}

/// Asks the question of the form; `roubles` are the bonuses, where they are known.
async fn ask(bot: &Bot, chat: ChatId, form: &OrderForm, roubles: Option<i64>) -> Result<()> {
    if form.question == Question::Confirm {
        return ask_to_confirm(bot, chat, form).await;
    }
    let mut text = form.question.prompt().to_owned();
    if let (Question::Bonus, Some(roubles)) = (form.question, roubles) {
        text = format!("🎁 На вашем счёте {roubles} ₽. {text}");
    }
    let keyboard = question_keyboard(form.question.ready_answers());
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

async fn ask_to_confirm(bot: &Bot, chat: ChatId, form: &OrderForm) -> Result<()> {
    let lines: Vec<String> = fields(&form.answers)
        .into_iter()
        .map(|(label, value)| format!("<b>{label}:</b> {}", short(&value, SHOWN)))
        .collect();
    let text = format!("📋 <b>Проверьте заказ</b>\n\n{}\n\nВсё верно?", lines.join("\n"));
    let buttons = [
        Button::SendOrder(form.id.clone()).labelled("✅ Отправить заказ"),
        Button::DropOrder(form.id.clone()).labelled(menu::CANCEL),
    ];
    let keyboard = InlineKeyboardMarkup::new([buttons.into_iter().flatten()]);
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

/// The answers as people read them, in the order of the form.
pub(crate) fn fields(answers: &Answers) -> Vec<(&'static str, String)> {
    let mut fields: Vec<_> = Question::ALL
        .iter()
        .filter_map(|question| {
            let value = readable(answers.get(question.key()?)?);
            let attached = *question == Question::File && value != NO_FILE;
            Some((question.label()?, if attached { "приложен".to_owned() } else { value }))
        })
        .collect();
    if let Some(roubles) = answers.get("bonus_amount").filter(|roubles| roubles.as_i64() != Some(0))
    {
        fields.push(("Бонусы", format!("{} ₽", readable(roubles))));
    }
    fields
}

fn readable(value: &Value) -> String {
    match value {
        Value::Null => NO_FILE.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
