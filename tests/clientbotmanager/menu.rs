//! The greeting, the menu and its commands, and failures.

use crate::steps::{STATUS, fill_in};
use crate::world::World;

#[tokio::test]
async fn the_menu_closes_the_form_and_a_failure_is_told() {
    let world = World::new().await;
    let anna = world.sandbox.person(42, "Анна").await;
    let _bot = world.start();
    fill_in(&anna).await;
    anna.press_data(1, r#""WriteReview""#).await;
    anna.send("/menu").await;
    anna.wait_for("заказ не отправлен").await;
    world.database().execute_batch("DROP TABLE orders").expect("a broken database");
    anna.send(STATUS).await;
    anna.wait_for("Что-то пошло не так").await;
    anna.press_data(1, r#"{"ShowOrder":"deadbeef"}"#).await;
    anna.wait_for("Что-то пошло не так").await;
    anna.send("/menu").await;
    anna.wait_for("Здравствуйте, Анна").await;
    world.sandbox.finish().await;
}

