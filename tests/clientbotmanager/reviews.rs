//! Reviews and their moderation.

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
