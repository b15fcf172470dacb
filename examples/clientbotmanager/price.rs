//! The price calculator: three questions on buttons, then the sum.
//!
//! The answers travel in the buttons themselves, so there is nothing to keep or to lose.

use anyhow::Result;
use teloxide::prelude::*;
use teloxide::types::InlineKeyboardMarkup;

use crate::button::Button;
use crate::database::Database;
use crate::html::Bot;
use crate::menu::{CANCEL, Entry};
use crate::press;
use crate::referrals;

const BASE: i64 = 5000;

/// What may be added to the base: the question, its place in the sum, and the roubles.
const EXTRAS: [(&str, &str, i64); 3] = [
    ("🛍 Нужен магазин: каталог, корзина, оплата?", "Магазин", 5000),
    ("🧠 Бот сложный: много сценариев, связь с другими сервисами?", "Сложная логика", 7000),
    ("🖥 Разместить бота на нашем сервере?", "Наш сервер", 2000),
];

/// «🧮 Рассчитать цену».
pub(crate) async fn begin(bot: Bot, chat: ChatId) -> Result<()> {
    let (text, keyboard) = question(&[]).unwrap_or_default();
    bot.send_message(chat, text).reply_markup(keyboard).await?;
    Ok(())
}

/// An answer, or a step back to one.
pub(crate) async fn go_on(
    bot: Bot,
    query: CallbackQuery,
    chat: ChatId,
    db: Database,
    answers: Vec<bool>,
) -> Result<()> {
    if let Some((text, keyboard)) = question(&answers) {
        return press::turn(&bot, &query, &text, keyboard).await;
    }
    let bonuses = db.call(move |db| referrals::balance(db, chat.0)).await?;
    let text = breakdown(&answers, bonuses);
    let order = Entry::Order.button();
    let again = Button::Price(Vec::new()).labelled("🔁 Посчитать заново");
    let keyboard = InlineKeyboardMarkup::default().append_row(order).append_row(again);
    press::turn(&bot, &query, &text, keyboard).await
}

/// «❌ Отмена».
pub(crate) async fn close(bot: Bot, query: CallbackQuery) -> Result<()> {
    let text = "Хорошо, расчёт закрыт. Вернуться к нему можно из меню.";
    press::turn(&bot, &query, text, InlineKeyboardMarkup::default()).await
}

/// The question after these answers; `None` if all are answered.
fn question(answers: &[bool]) -> Option<(String, InlineKeyboardMarkup)> {
    let (question, ..) = EXTRAS.get(answers.len())?;
    let text = format!(
        "🧮 <b>Расчёт цены</b>, вопрос {} из {}\n\n{question}",
        answers.len() + 1,
        EXTRAS.len()
    );
    let with = |answer| Button::Price([answers, &[answer]].concat());
    let choice = [with(true).labelled("Да"), with(false).labelled("Нет")];
    let back = answers.split_last().map(|(_, before)| Button::Price(before.to_vec()));
    let back = back.and_then(|button| button.labelled("‹ Назад"));
    let ways_out = [back, Button::ClosePrice.labelled(CANCEL)];
    let rows = [choice, ways_out].map(|row| row.into_iter().flatten().collect::<Vec<_>>());
    Some((text, InlineKeyboardMarkup::new(rows)))
}

/// The sum, line by line; bonuses pay for no more than it comes to.
fn breakdown(answers: &[bool], bonuses: i64) -> String {
    let mut lines = vec![format!("Бот — {BASE} ₽")];
    let mut sum = BASE;
    for ((_, name, roubles), _) in EXTRAS.iter().zip(answers).filter(|(_, wanted)| **wanted) {
        lines.push(format!("{name} — {roubles} ₽"));
        sum += roubles;
    }
    let bonuses = bonuses.clamp(0, sum);
    if bonuses > 0 {
        lines.push(format!("Ваши бонусы — минус {bonuses} ₽"));
    }
    format!(
        "🧮 <b>Примерная цена: {} ₽</b>\n\n{}\n\nТочную назовём, когда прочитаем ваш заказ.",
        sum - bonuses,
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_the_sum_less_the_bonuses_and_never_below_nothing() {
        let price = |answers: &[bool], bonuses| {
            let text = breakdown(answers, bonuses);
            let start = text.find(": ").map_or(0, |at| at + 2);
            text[start..].split(' ').next().and_then(|price| price.parse().ok()).unwrap_or(-1)
        };
        assert_eq!(price(&[false; 3], 0), 5000);
        assert_eq!(price(&[true, false, false], 0), 10_000);
        assert_eq!(price(&[false, true, false], 0), 12_000);
        assert_eq!(price(&[false, false, true], 0), 7000);
        assert_eq!(price(&[true; 3], 100), 18_900);
        assert_eq!(price(&[false; 3], 6000), 0);
        assert_eq!(price(&[false; 3], i64::MAX), 0);
        // old data
        assert_eq!(price(&[false; 3], -300), 5000);
        // a forged button
        assert_eq!(price(&[true; 9], 0), 19_000);
    }
}
