//! Restoring: what is confirmed is what happens, once, and there is a way back.

mod support;

#[path = "restore/data.rs"]
mod data;
#[path = "restore/interrupted.rs"]
mod interrupted;
#[path = "restore/question.rs"]
mod question;
#[path = "restore/refused.rs"]
mod refused;
#[path = "restore/undo.rs"]
mod undo;

use chrono::TimeDelta;
use support::{Flaky, Scene, shop};
use telegram_sandbox::Shown;

const REFUSED: &str = "❌ Восстановить не получилось. Данные бота не изменены.\n\n";

fn data_of(message: &Shown, label: &str) -> String {
    message.button(label).and_then(|button| button.data.clone()).expect("a button with data")
}

/// A scene with one backup of 12 orders and 5 reviews, an hour after which 1 order is live.
async fn changed() -> Scene {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(1, 0)).await;
    scene
}

/// A scene with a backup of 12 orders and 5 reviews in a storage that fails when it is told to.
async fn flaky() -> (Scene, Flaky) {
    let storage = Flaky::new();
    let own = storage.clone();
    let scene = Scene::with(move |builder| builder.storage(own.clone())).await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    (scene, storage)
}
