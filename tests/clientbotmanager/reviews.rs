//! Reviews and their moderation.

use telegram_sandbox::FileKind;

use crate::steps::{ADMIN, review};
use crate::world::World;

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

#[tokio::test]
async fn wrong_turns_in_a_review_are_mended() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let bot = world.start();
    anna.send("⭐️ Отзывы").await;
    anna.press("✍️ Оставить отзыв").await;
    let stars = anna.wait_for("Поставьте оценку").await;
    for forged in [r#"{"Rate":0}"#, r#"{"Rate":6}"#, r#"{"Rate":-1}"#, r#"{"Rate":300}"#] {
        let refused = anna.press_data(stars.id, forged).await;
        assert!(refused.text.expect("a word").contains("уже не действует"), "{forged}");
    }
    anna.press_on(stars.id, "3 ⭐️").await;
    anna.wait_for("пара слов").await;
    anna.send("❌ Отмена").await;
    anna.wait_for("вернулись в меню").await;
    anna.send("это уже не отзыв").await;
    anna.wait_for("Не понял вас").await;
    // other stars after all
    anna.press_on(stars.id, "3 ⭐️").await;
    anna.wait_for("⭐️⭐️⭐️ Спасибо!").await;
    anna.press_on(stars.id, "4 ⭐️").await;
    anna.wait_for("⭐️⭐️⭐️⭐️ Спасибо!").await;
    anna.send_file(FileKind::Sticker, "sticker", b"sticker", "").await;
    anna.wait_for("Отзыв нужен текстом").await;
    world.sandbox.settled().await;
    assert_eq!(bot.stop().await.code(), Some(0));
    let _bot = world.start();
    anna.send("Написано после перезапуска").await;
    anna.wait_for("Спасибо за отзыв").await;
    world.admin.wait_for("⭐️⭐️⭐️⭐️ Анна").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_long_review_is_shown_whole_and_published_though_its_author_has_left() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    review(&anna, "4 ⭐️", &"<&😀".repeat(1000)).await;
    world.sandbox.settled().await;
    let pages = world.admin.chat();
    let smiles: usize = pages.messages.iter().map(|page| page.plain.matches("<&😀").count()).sum();
    assert_eq!(smiles, 1000);
    let asked = pages.last_from_bot().expect("a question").clone();
    anna.block_bot().await;
    world.admin.press_on(asked.id, "✅ Опубликовать").await;
    world.sandbox.settled().await;
    let again = world.admin.press_data(asked.id, asked.buttons[0][0].data.clone().expect("data"));
    assert!(again.await.text.expect("a word").contains("уже не действует"));
    anna.send("⭐️ Отзывы").await;
    let list = anna.wait_for("всего 1").await;
    assert!(list.plain.contains("<&😀"), "{list}");
    world.sandbox.finish().await;
}

#[tokio::test]
async fn a_mistyped_command_is_no_review() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("⭐️ Отзывы").await;
    anna.press("✍️ Оставить отзыв").await;
    anna.press("5 ⭐️").await;
    anna.wait_for("пара слов").await;
    anna.send("/help").await;
    anna.wait_for("Такой команды нет").await;
    anna.send("Всё хорошо").await;
    anna.wait_for("Спасибо за отзыв").await;
    world.admin.wait_for("Всё хорошо").await;
    world.sandbox.finish().await;
}

#[tokio::test]
async fn many_reviews_are_read_page_by_page() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    anna.send("/start").await;
    anna.wait_for("Здравствуйте").await;
    let add = "INSERT INTO reviews (author, rating, text, date)
               VALUES ('<&>', 5, ?1, '2026-02-01T10:00:00.123456')";
    for number in 1..=20 {
        let text = format!("Отзыв {number}. {}", "<&😀".repeat(1000));
        world.database().execute(add, [text]).expect("a review");
    }
    anna.send("⭐️ Отзывы").await;
    let first = anna.wait_for("всего 20, страница 1 из 3").await;
    assert!(first.plain.contains("⭐️⭐️⭐️⭐️⭐️ <&>, 2026-02-01\nОтзыв 20."), "{first}");
    anna.press("Вперёд ›").await;
    anna.wait_for("страница 2 из 3").await;
    anna.press("Вперёд ›").await;
    let last = anna.wait_for("страница 3 из 3").await;
    assert!(last.id == first.id && last.plain.contains("Отзыв 1."), "{last}");
    anna.press("✍️ Оставить отзыв").await;
    anna.wait_for("Поставьте оценку").await;
    world.sandbox.finish().await;
}
