//! The price calculator.

use crate::steps::{ORDER, fill_in};
use crate::world::World;

const PRICE: &str = "🧮 Рассчитать цену";

#[tokio::test]
async fn three_answers_lead_to_a_price_and_to_an_order() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    anna.send(PRICE).await;
    let screen = anna.wait_for("вопрос 1 из 3").await;
    anna.press("Да").await;
    anna.wait_for("вопрос 2 из 3").await;
    anna.press("‹ Назад").await;
    anna.wait_for("вопрос 1 из 3").await;
    anna.press("Да").await;
    anna.wait_for("вопрос 2 из 3").await;
    // what was answered is in the buttons, so a restart loses nothing
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.press("Нет").await;
    anna.wait_for("вопрос 3 из 3").await;
    anna.press("Да").await;
    let price = anna.wait_for("Примерная цена: 12000 ₽").await;
    assert_eq!(price.id, screen.id);
    for line in ["Бот — 5000 ₽", "Магазин — 5000 ₽", "Наш сервер — 2000 ₽"]
    {
        assert!(price.plain.contains(line), "{price}");
    }
    assert!(!price.plain.contains("Сложная"), "{price}");
    anna.press("🔁 Посчитать заново").await;
    anna.wait_for("вопрос 1 из 3").await;
    anna.press("❌ Отмена").await;
    let closed = anna.wait_for("расчёт закрыт").await;
    assert!(closed.buttons.is_empty(), "{closed}");

    anna.press_data(screen.id, r#"{"Price":[false,false,false]}"#).await;
    anna.wait_for("Примерная цена: 5000 ₽").await;
    anna.press(ORDER).await;
    anna.wait_for("Как вас зовут").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn bonuses_lower_the_price_but_never_below_nothing() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    let give = |roubles: i64| {
        let give = "INSERT OR REPLACE INTO bonuses (user_id, roubles) VALUES (42, ?1)";
        world.database().execute(give, [roubles]).expect("a gift");
    };
    for (roubles, price) in [(300, "4700 ₽"), (9000, "0 ₽"), (i64::MAX, "0 ₽"), (-5, "5000 ₽")]
    {
        give(roubles);
        anna.send(PRICE).await;
        for question in ["вопрос 1", "вопрос 2", "вопрос 3"] {
            anna.wait_for(question).await;
            anna.press("Нет").await;
        }
        anna.wait_for(&format!("Примерная цена: {price}")).await;
    }
    world.sandbox.finish().await;
}

#[tokio::test]
async fn the_price_may_be_asked_in_the_middle_of_an_order_and_forged_answers_do_no_harm() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/menu").await;
    let shortcuts = anna.wait_for("С чего начнём").await;
    fill_in(&anna).await;
    anna.press_on(shortcuts.id, PRICE).await.text.expect("a word: the order comes first");
    anna.press_data(shortcuts.id, r#"{"Price":[]}"#).await;
    anna.wait_for("вопрос 1 из 3").await;
    anna.press_data(shortcuts.id, r#"{"Price":[true,true,true,true,true,true]}"#).await;
    let price = anna.wait_for("Примерная цена: 19000 ₽").await;
    for forged in
        [r#"{"Price":[1]}"#, r#"{"Price":"да"}"#, r#"{"Price":[true]}}"#, "{", "[]", "null"]
    {
        let answer = anna.press_data(price.id, forged).await;
        assert!(answer.text.expect("a word").contains("уже не действует"), "{forged}");
    }
    let start = anna.press_on(price.id, ORDER).await;
    assert!(start.text.expect("a word").starts_with("Сначала закончим заказ"));
    anna.send("нет").await;
    anna.wait_for("работать").await;
    world.sandbox.finish().await;
}
