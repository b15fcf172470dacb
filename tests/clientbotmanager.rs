//! The reference example as its clients and its administrator meet it: a process of its own, with a
//! database and backups on a disk, against the strict offline Telegram.

#[path = "clientbotmanager/backups.rs"]
mod backups;
#[path = "clientbotmanager/world.rs"]
mod world;

use serde_json::json;
use telegram_sandbox::{Person, Shown};

use world::World;

const ADMIN: i64 = 1_000_001;
const STATUS: &str = "📦 Статус заказа";
const ORDER: &str = "📝 Заказать бота";

/// What the client answers, and what the bot asks then.
const ANSWERS: [(&str, &str); 8] = [
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
async fn fill_in(client: &Person) {
    client.send(ORDER).await;
    client.wait_for("Как вас зовут").await;
    for (answer, question) in ANSWERS {
        client.send(answer).await;
        client.wait_for(question).await;
    }
}

/// Places an order without a file; gives its id.
async fn place(client: &Person) -> String {
    fill_in(client).await;
    client.send("Нет").await;
    client.wait_for("работать").await;
    client.send("ваш сервер").await;
    client.wait_for("Проверьте заказ").await;
    client.press("✅ Отправить заказ").await;
    order_id(&client.wait_for("принят").await)
}

fn order_id(thanks: &Shown) -> String {
    let id = thanks.plain.split_whitespace().nth(3).expect("an id").to_owned();
    assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{thanks}");
    id
}

#[tokio::test]
async fn an_order_goes_from_the_first_question_to_the_administrator() {
    let world = World::new().await;
    let anna = world.sandbox.newcomer(42, "Анна <&>").await;
    let _bot = world.start();
    anna.send("/start").await;
    let greeting = anna.wait_for("Здравствуйте, Анна <&>!").await;
    assert!(greeting.reply_keyboard.is_some());

    fill_in(&anna).await;
    anna.send_document("план.txt", b"plan", "").await;
    anna.wait_for("работать").await;
    anna.send("мой сервер").await;
    let summary = anna.wait_for("Проверьте заказ").await;
    assert!(summary.plain.contains("Имя: O'Brien <Test> & Co 😀"), "{summary}");
    assert!(summary.plain.contains("Файл: приложен"), "{summary}");
    assert_eq!(anna.press("✅ Отправить заказ").await.text.as_deref(), Some("Заказ отправлен"));
    let id = order_id(&anna.wait_for("принят").await);

    let told = world.admin.wait_for(&format!("Новый заказ {id}")).await;
    for part in ["ID: 42", "Имя: O'Brien <Test> & Co 😀", "Хостинг: мой сервер", "Срок: 2 недели"]
    {
        assert!(told.plain.contains(part), "{told}");
    }
    let file = world.admin.wait_until(|chat| chat.last_from_bot()?.document.clone()).await;
    assert_eq!(world.sandbox.file(&file.file_id).as_deref(), Some(&b"plan"[..]));

    let again = anna.press_on(summary.id, "✅ Отправить заказ").await;
    assert!(again.text.expect("an answer").contains("уже не действует"));
    anna.send(STATUS).await;
    let list = anna.wait_for("Ваши заказы").await;
    assert_eq!(list.plain.matches(" — новый").count(), 1, "{list}");
    anna.press(&id).await;
    anna.wait_for("Статус: новый").await;
    anna.send(&id).await;
    anna.wait_for("Пожелания: нет").await;
    anna.send("deadbeef").await;
    anna.wait_for("такого номера нет").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn wrong_turns_get_a_friendly_answer() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("привет").await;
    anna.wait_for("Не понял вас").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("Отменять нечего").await;
    anna.send(STATUS).await;
    anna.wait_for("Заказов у вас пока нет").await;
    assert!(anna.press_data(1, "order:send:deadbeef").await.text.is_some());
    assert!(anna.press_data(1, "что-то").await.text.is_some());

    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    world.sandbox.inject_update(photo_from(&anna)).await;
    anna.wait_for("нужен ответ текстом").await;
    anna.send(STATUS).await;
    anna.wait_for("Сначала закончим заказ").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("заказ не отправлен").await;

    fill_in(&anna).await;
    anna.send("файла не будет").await;
    anna.wait_for("Жду файл или слово «нет»").await;
    world.sandbox.inject_update(photo_from(&anna)).await;
    anna.wait_for("пришлите его, пожалуйста, как документ").await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("Проверьте заказ").await;
    anna.send("да").await;
    anna.wait_for("Остался один шаг").await;
    anna.press("❌ Отмена").await;
    anna.wait_for("заказ не отправлен").await;
    let orders = world.database().query_row("SELECT count(*) FROM orders", [], |row| row.get(0));
    assert_eq!(orders, Ok(0));
    world.sandbox.finish().await;
}

fn photo_from(person: &Person) -> serde_json::Value {
    let user = json!({ "id": person.id(), "is_bot": false, "first_name": "Анна" });
    let chat = json!({ "id": person.id(), "type": "private", "first_name": "Анна" });
    let photo = json!([{ "file_id": "p", "file_unique_id": "u", "width": 1, "height": 1 }]);
    json!({ "message": {
        "message_id": 900_000, "date": 1, "chat": chat, "from": user, "photo": photo,
    } })
}

#[tokio::test]
async fn the_menu_closes_the_form_and_a_failure_is_told() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    fill_in(&anna).await;
    anna.press_data(1, "review:write").await;
    anna.send("/menu").await;
    anna.wait_for("Анкету я закрыл").await;
    world.database().execute_batch("DROP TABLE orders").expect("a broken database");
    anna.send(STATUS).await;
    anna.wait_for("Что-то пошло не так").await;
    anna.press_data(1, "order:show:deadbeef").await;
    anna.wait_for("Что-то пошло не так").await;
    anna.send("/menu").await;
    anna.wait_for("Здравствуйте, Анна").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn an_administrator_out_of_reach_loses_no_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    world.admin.block_bot().await;
    let _bot = world.start();
    let order = place(&anna).await;
    review(&anna, "5 ⭐️", "Всё хорошо").await;
    anna.send(STATUS).await;
    anna.wait_for(&order).await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_press_from_before_the_start_still_places_the_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    fill_in(&anna).await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("Проверьте заказ").await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let press = anna.press("✅ Отправить заказ");
    world.sandbox.expire_callbacks();
    let _bot = world.start();
    let id = order_id(&anna.wait_for("принят").await);
    world.admin.wait_for(&format!("Новый заказ {id}")).await;
    drop(press);
    world.sandbox.finish().await;
}

#[tokio::test]
async fn long_answers_break_nothing_and_reach_the_administrator_whole() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, &"<&>".repeat(20)).await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    anna.send(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    for (_, question) in ANSWERS {
        anna.send(&"<&😀".repeat(1000)).await;
        anna.wait_for(question).await;
    }
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send(&"&".repeat(4096)).await;
    anna.wait_for("Проверьте заказ").await;
    anna.press("✅ Отправить заказ").await;
    let id = order_id(&anna.wait_for("принят").await);
    world.admin.wait_for("Хостинг").await;
    world.sandbox.settled().await;
    let told = world.admin.chat();
    let smiles: usize = told.messages.iter().map(|page| page.plain.matches('😀').count()).sum();
    assert_eq!(smiles, 8000);
    anna.send(STATUS).await;
    anna.press(&id).await;
    anna.wait_for("Статус: новый").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_the_form_goes_on() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    fill_in(&anna).await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    let summary = anna.wait_for("Проверьте заказ").await;
    assert!(summary.plain.contains("Бюджет: 50000"), "{summary}");
    anna.press("✅ Отправить заказ").await;
    anna.wait_for("принят").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_friend_counts_once_and_the_bonus_pays_for_an_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let boris = world.sandbox.newcomer(43, "Борис").await;
    let _bot = world.start();
    anna.send("/start ref42").await;
    let link = format!("https://t.me/{}?start=ref42", world.sandbox.bot_username());
    anna.wait_for(&link).await;
    boris.send("/start ref42").await;
    boris.wait_for("Здравствуйте, Борис").await;
    anna.wait_for("Вам начислено 100 ₽").await;
    boris.send("/start ref42").await;
    boris.wait_for("Здравствуйте, Борис").await;
    anna.send("/start ref43").await;
    anna.wait_for("Здравствуйте, Анна").await;
    anna.send("🎁 Бонусы и друзья").await;
    let page = anna.wait_for("На вашем счёте: 100 ₽").await;
    assert!(page.plain.contains("по вашей ссылке: 1") && page.plain.contains(&link), "{page}");

    fill_in(&anna).await;
    anna.send("нет").await;
    anna.wait_for("работать").await;
    anna.send("ваш сервер").await;
    anna.wait_for("У вас 100 ₽ бонусов").await;
    anna.send("может быть").await;
    anna.wait_for("Ответьте «Да» или «Нет»").await;
    anna.send("Да").await;
    anna.wait_for("Бонусы, ₽: 100").await;
    anna.press("✅ Отправить заказ").await;
    world.admin.wait_for("Бонусы, ₽: 100").await;
    anna.send("🎁 Бонусы и друзья").await;
    anna.wait_for("На вашем счёте: 0 ₽").await;
    world.sandbox.finish().await;
}

async fn review(client: &Person, stars: &str, text: &str) {
    client.send("⭐️ Отзывы").await;
    client.wait_for("⭐️ Отзыв").await;
    client.press("✍️ Оставить отзыв").await;
    client.press(stars).await;
    client.wait_for("пара слов").await;
    client.send(text).await;
    client.wait_for("Спасибо за отзыв").await;
}

#[tokio::test]
async fn a_review_is_published_by_the_administrator_alone() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна <&>").await;
    let stranger = world.sandbox.person(666, "Никто").await;
    let _bot = world.start();
    review(&anna, "5 ⭐️", "Отличный <бот> & всё").await;
    let asked = world.admin.wait_for("Отличный <бот> & всё").await;
    let press = stranger.press_elsewhere(ADMIN, asked.id, "✅ Опубликовать");
    assert!(press.await.text.expect("a refusal").starts_with("⛔️"));
    stranger.send("⭐️ Отзывы").await;
    stranger.wait_for("Отзывов пока нет").await;

    world.admin.press_on(asked.id, "✅ Опубликовать").await;
    anna.wait_for("Ваш отзыв опубликован").await;
    stranger.send("⭐️ Отзывы").await;
    let list = stranger.wait_for("всего 1").await;
    assert!(list.plain.contains("⭐️⭐️⭐️⭐️⭐️ Анна <&>"), "{list}");

    let long = "😀".repeat(2048);
    review(&anna, "1 ⭐️", &long).await;
    world.admin.press("🚫 Отклонить").await;
    anna.wait_for("не прошёл проверку").await;
    stranger.send("⭐️ Отзывы").await;
    stranger.wait_for("всего 1").await;
    world.sandbox.finish().await;
}
