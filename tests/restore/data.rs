//! Data that the archive lacks, and data that cannot be read, saved or restored.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use teloxide_backup::Shared;
use tokio::sync::RwLock;

use crate::changed;
use crate::support::{Order, Scene, Step, Trouble, UNDO, YES, shop};

#[derive(Clone, Serialize, Deserialize)]
struct OnlyOrders {
    orders: BTreeMap<u64, BTreeMap<String, Order>>,
}

#[tokio::test]
async fn what_the_archive_lacks_stays_and_is_named() {
    let mut scene = Scene::prepare(|builder| builder).await;
    // an earlier version of the bot knew no reviews
    let orders = OnlyOrders { orders: shop(2, 0).orders };
    let earlier = scene.plugin_of(Shared::new(Arc::new(RwLock::new(orders))));
    scene.begin_with(&earlier);
    scene.back_up().await;
    scene.restart().await;
    scene.set_shop(shop(3, 5)).await;
    let question = scene.choose_newest().await;
    let line = "\n\nВ этом бекапе нет части данных, они останутся как есть: 5 отзывов\n\n";
    assert!(question.plain.contains(line), "{question}");
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    let lines = "Восстановлено: 2 заказа\nВ бекапе не было, осталось как было: 5 отзывов";
    assert!(done.plain.ends_with(lines), "{done}");
    assert_eq!(scene.shop().await, shop(2, 5));
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 3 заказа, 5 отзывов").await;
    assert_eq!(scene.shop().await, shop(3, 5));
    scene.finish().await;
}

#[derive(Clone, Serialize, Deserialize)]
struct Prices {
    usd: f64,
}

#[tokio::test]
async fn what_could_not_be_restored_is_no_backup() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let prices = Arc::new(RwLock::new(Prices { usd: f64::NAN }));
    let plugin = scene.plugin_of(Shared::new(Arc::clone(&prices)));
    scene.begin_with(&plugin);
    scene.admin.send("/backup").await;
    let failed = scene.admin.wait_for("❌ Бекап не создан.").await;
    assert!(failed.plain.contains("usd"), "{failed}");
    // neither an archive nor an unfinished one
    assert_eq!(scene.archives(), [""; 0]);
    prices.write().await.usd = 92.5;
    scene.back_up().await;
    scene.finish().await;
}

/// JSON has one `null` for the two kinds of nothing.
#[expect(clippy::option_option, reason = "this is what cannot be saved")]
#[derive(Clone, Serialize, Deserialize)]
struct Discount {
    percent: Option<Option<u8>>,
}

#[tokio::test]
async fn data_that_cannot_be_saved_do_not_stand_in_the_way_of_a_restore() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let discount = Arc::new(RwLock::new(Discount { percent: Some(Some(5)) }));
    let plugin = scene.plugin_of(Shared::new(Arc::clone(&discount)));
    scene.begin_with(&plugin);
    scene.back_up().await;
    // it can be written and counted, and comes back as another
    discount.write().await.percent = Some(None);
    let question = scene.choose_newest().await;
    scene.admin.press_on(question.id, YES).await;
    let again = scene.admin.wait_for("прочитать не получилось").await;
    assert_eq!(discount.read().await.percent, Some(None));
    scene.admin.press_on(again.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    assert_eq!(discount.read().await.percent, Some(Some(5)));
    scene.finish().await;
}

#[tokio::test]
async fn what_is_readable_again_is_saved_after_all() {
    let scene = changed().await;
    scene.source.break_at(Step::Export, Trouble::Fails);
    let question = scene.choose_newest().await;
    scene.source.mend();
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn data_that_cannot_be_read_can_be_given_up_by_an_explicit_yes() {
    let scene = changed().await;
    scene.source.break_at(Step::Export, Trouble::Fails);
    let question = scene.choose_newest().await;
    assert!(question.plain.contains("прочитать не получилось"), "{question}");
    assert!(question.plain.contains("Отменить это восстановление будет нельзя."), "{question}");
    assert!(!question.plain.contains("можно будет отменить"), "{question}");
    assert_eq!(scene.shop().await, shop(1, 0));
    let archives = scene.archives();
    scene.admin.press_on(question.id, YES).await;
    // they cannot be read after it either, and so nobody can say that it is right
    let done = scene.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    assert!(done.plain.contains("сравнить их с бекапом нельзя"), "{done}");
    assert!(done.buttons.is_empty(), "there is no way back: {done}");
    assert_eq!(scene.shop().await, shop(12, 5));
    assert_eq!(scene.archives(), archives, "nothing could be saved");
    scene.finish().await;
}
