//! What people do often: orders, reviews, backups.

use telegram_sandbox::{Person, Shown};

pub(crate) const ADMIN: i64 = 1_000_001;
pub(crate) const STATUS: &str = "📦 Статус заказа";
pub(crate) const ORDER: &str = "📝 Заказать бота";

/// What the client answers, and what the bot asks then.
pub(crate) const ANSWERS: [(&str, &str); 8] = [
    ("O'Brien <Test> & Co 😀", "связаться"),
    ("+79990001122", "идею"),
    ("Запись в салон", "Какой это бот"),
    ("магазин", "бюджет"),
    ("50000", "сроку"),
    ("2 недели", "тариф"),
    ("базовый", "пожелания"),
    ("нет", "файл"),
];

/// Begins the form and answers it up to the file.
pub(crate) async fn fill_in(client: &Person) {
    client.send(ORDER).await;
    client.wait_for("Как вас зовут").await;
    for (answer, question) in ANSWERS {
        client.send(answer).await;
        client.wait_for(question).await;
    }
}

/// Places an order without a file; gives its id.
pub(crate) async fn place(client: &Person) -> String {
    fill_in(client).await;
    client.send("Нет").await;
    client.wait_for("работать").await;
    client.send("ваш сервер").await;
    client.wait_for("Проверьте заказ").await;
    client.press("✅ Отправить заказ").await;
    order_id(&client.wait_for("принят").await)
}

pub(crate) fn order_id(thanks: &Shown) -> String {
    let id = thanks.plain.split_whitespace().nth(3).expect("an id").to_owned();
    assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{thanks}");
    id
}

/// Leaves a review, which then waits for the administrator.
pub(crate) async fn review(client: &Person, stars: &str, text: &str) {
    client.send("⭐️ Отзывы").await;
    client.wait_for("⭐️ Отзыв").await;
    client.press("✍️ Оставить отзыв").await;
    client.press(stars).await;
    client.wait_for("пара слов").await;
    client.send(text).await;
    client.wait_for("Спасибо за отзыв").await;
}

/// Leaves whatever the person is in the middle of.
pub(crate) async fn cancel(person: &Person) {
    person.send("❌ Отмена").await;
    let answer = person.wait_for("").await;
    assert!(answer.reply_keyboard.is_some(), "{answer}");
}
