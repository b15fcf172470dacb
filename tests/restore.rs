//! Restoring: what is confirmed is what happens, once, and there is a way back.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::{
    DOWNLOAD, Flaky, NO, Order, Place, REDO, STALE, SURE, Scene, Step, Trouble, UNDO, YES, shop,
};
use telegram_sandbox::Shown;
use teloxide::Bot;
use teloxide::requests::Requester;
use teloxide::types::UserId;
use teloxide_backup::{BackupPlugin, BackupPluginBuilder, Shared};
use tokio::sync::RwLock;

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

#[tokio::test]
async fn cancelling_changes_nothing() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    assert_eq!(scene.admin.press_on(question.id, NO).await.text, None);
    let cancelled = scene.admin.wait_for("❌").await;
    let shown = (cancelled.id, cancelled.plain.as_str());
    assert_eq!(shown, (question.id, "❌ Отменено. Данные бота не изменены."));
    // the other button of the same question is gone with it
    for label in [YES, NO] {
        let late = scene.admin.press_data(question.id, data_of(&question, label)).await;
        assert_eq!((late.text.as_deref(), late.show_alert), (Some(STALE), true));
    }
    assert_eq!(scene.source.count(Step::Restore), 0);
    assert_eq!((scene.shop().await, scene.archives().len()), (shop(1, 0), 1));
    scene.admin.press("📂 К списку").await;
    scene.admin.wait_for("📂 Список бекапов:").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_question_of_before_a_restart_is_out_of_date() {
    let mut scene = changed().await;
    let question = scene.choose_newest().await;
    scene.restart().await;
    let answer = scene.admin.press_on(question.id, YES).await;
    assert_eq!((answer.text.as_deref(), answer.show_alert), (Some(STALE), true));
    scene.sandbox.settled().await;
    assert_eq!(scene.source.count(Step::Restore), 0);
    assert_eq!((scene.shop().await, scene.archives().len()), (shop(1, 0), 1));
    scene.finish().await;
}

#[tokio::test]
async fn a_list_of_before_a_restart_still_works() {
    let mut scene = changed().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    scene.restart().await;
    scene.admin.press_on(list.id, "🔄 1. 2026-02-01 14:30").await;
    scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    scene.finish().await;
}

#[tokio::test]
async fn two_taps_on_yes_restore_once() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    // the first tap's work is held up, so that the second comes while it runs
    scene.source.hold();
    let checks = scene.source.count(Step::Check);
    let first = scene.admin.press_on(question.id, YES);
    let second = scene.admin.press_data(question.id, data_of(&question, YES));
    scene.source.reached(Step::Check, checks + 1).await;
    assert_eq!((first.await.text, second.await.text), (None, None));
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    // and the third when all is done
    let third = scene.admin.press_data(question.id, data_of(&question, YES)).await;
    assert_eq!(third.text.as_deref(), Some(STALE));
    assert_eq!(scene.source.count(Step::Restore), 1);
    assert_eq!((scene.shop().await, scene.archives().len()), (shop(12, 5), 2));
    scene.finish().await;
}

#[tokio::test]
async fn an_update_that_comes_again_restores_once() {
    let mut scene = changed().await;
    scene.restore_newest().await;
    scene.sandbox.settled().await;
    scene.sandbox.clear_calls();
    scene.sandbox.redeliver_last().await;
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    // a bot that crashed before it confirmed the update gets it again as well
    scene.restart().await;
    scene.sandbox.redeliver_last().await;
    scene.sandbox.settled().await;
    let calls = [("answerCallbackQuery".to_owned(), STALE.to_owned())];
    assert_eq!(scene.calls(), calls);
    assert_eq!(scene.source.count(Step::Restore), 1);
    scene.finish().await;
}

#[tokio::test]
async fn an_archive_that_was_replaced_meanwhile_is_refused() {
    let scene = changed().await;
    let second = scene.back_up().await;
    let question = scene.choose(1).await;
    let first = scene.folder().join("backup_20260201_143025.zip");
    fs::copy(scene.folder().join(second), first).expect("replaced");
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    let expected = format!(
        "{REFUSED}Архив изменился с тех пор, как вы его выбрали. Откройте список заново: \
        /backup_list"
    );
    assert_eq!((refused.id, refused.plain), (question.id, expected));
    assert_eq!(scene.source.count(Step::Restore), 0);
    assert_eq!((scene.shop().await, scene.archives().len()), (shop(1, 0), 2));
    scene.finish().await;
}

#[tokio::test]
async fn an_archive_that_was_damaged_meanwhile_is_refused() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    let file = scene.folder().join("backup_20260201_143025.zip");
    let mut bytes = fs::read(&file).expect("read");
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x55;
    fs::write(file, bytes).expect("written");
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    assert!(refused.plain.starts_with(&format!("{REFUSED}Архив повреждён.")), "{refused}");
    assert_eq!(scene.source.count(Step::Restore), 0);
    assert_eq!((scene.shop().await, scene.archives().len()), (shop(1, 0), 1));
    scene.finish().await;
}

#[tokio::test]
async fn an_archive_that_was_deleted_meanwhile_is_refused() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    fs::remove_file(scene.folder().join("backup_20260201_143025.zip")).expect("removed");
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    let expected =
        format!("{REFUSED}Такого бекапа больше нет. Откройте список заново: /backup_list");
    assert_eq!(refused.plain, expected);
    assert_eq!((scene.shop().await, scene.archives()), (shop(1, 0), vec![]));
    scene.finish().await;
}

#[tokio::test]
async fn a_line_of_the_list_may_lead_to_nothing() {
    let scene = changed().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    fs::remove_file(scene.folder().join("backup_20260201_143025.zip")).expect("removed");
    scene.admin.press_on(list.id, "🔄 1. 2026-02-01 14:30").await;
    let refused = scene.admin.wait_for("❌").await;
    let expected = "❌ Из backup_20260201_143025.zip восстановить нельзя. Данные бота не \
        изменены.\n\nТакого бекапа больше нет. Откройте список заново: /backup_list";
    assert_eq!(refused.plain, expected);
    scene.finish().await;
}

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

#[tokio::test]
async fn a_restore_to_far_fewer_records_is_asked_twice() {
    let scene = Scene::start().await;
    scene.set_shop(shop(1, 0)).await;
    scene.back_up().await;
    scene.set_shop(shop(12, 5)).await;
    let question = scene.choose_newest().await;
    let line = "⚠️ Записей станет намного меньше: сейчас 17, в бекапе 1.";
    assert!(question.plain.contains(line), "{question}");
    for answer in [NO, YES] {
        let question = scene.choose_newest().await;
        assert_eq!(question.buttons[0][0].text, YES);
        scene.admin.press_on(question.id, YES).await;
        let again = scene.admin.wait_for(SURE).await;
        assert_eq!(again.id, question.id);
        assert!(again.plain.contains(line), "{again}");
        // who taps twice hits the no
        let buttons: Vec<_> = again.buttons.iter().map(|row| row[0].text.as_str()).collect();
        assert_eq!(buttons, [NO, YES, DOWNLOAD]);
        assert_eq!(scene.shop().await, shop(12, 5), "nothing has happened yet");
        scene.admin.press_on(again.id, answer).await;
        if answer == NO {
            scene.admin.wait_for("Отменено").await;
            assert_eq!(scene.shop().await, shop(12, 5));
        }
    }
    let done = scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    // a way back asks nothing
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("Восстановление отменено").await;
    scene.finish().await;
}

#[tokio::test]
async fn an_archive_of_another_bot_is_named_as_such() {
    let scene = Scene::start().await;
    let bot = Bot::new("123456:another").set_api_url(scene.sandbox.url().parse().expect("a URL"));
    let other = BackupPlugin::builder(bot, scene.source.clone())
        .admin(UserId(support::ADMIN.unsigned_abs()))
        .folder(scene.folder())
        .clock(scene.clock.clone())
        .build()
        .expect("a plugin");
    let task = other.spawn();
    // its schedule finds no backup and makes one; the shutdown waits for it
    scene.source.reached(Step::Check, 1).await;
    task.shutdown().await;
    let question = scene.choose_newest().await;
    let line = "\n\n⚠️ Этот бекап сделал другой бот.\n\n";
    assert!(question.plain.contains(line), "{question}");
    scene.finish().await;
}

#[tokio::test]
async fn a_source_that_refuses_leaves_everything_as_it_was() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    scene.source.break_at(Step::Restore, Trouble::Fails);
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    let expected = format!(
        "{REFUSED}Не получилось прочитать или записать данные бота. Старые бекапы на месте.\n\n\
        put the data in its place: the database is <away>"
    );
    assert_eq!((refused.id, refused.plain.as_str()), (question.id, expected.as_str()));
    // nothing was changed, so there is nothing to undo
    assert!(refused.buttons.is_empty());
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.source.mend();
    scene.choose(1).await;
    scene.finish().await;
}

/// The bot answers the next update of the same chat, and a backup is possible again.
async fn assert_alive(scene: &Scene) {
    scene.source.mend();
    scene.admin.send("hello").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: hello"]);
    scene.back_up().await;
}

#[tokio::test]
async fn a_panic_during_a_backup_is_told() {
    let scene = Scene::start().await;
    for (round, step) in [Step::Export, Step::Check].into_iter().enumerate() {
        scene.source.break_at(step, Trouble::Panics);
        scene.admin.send("/backup").await;
        let failed = scene.admin.wait_for("❌").await;
        let expected = "❌ Бекап не создан.\n\nНе получилось прочитать или записать данные бота. \
            Старые бекапы на месте.\n\nthe bot's own code panicked: the host's own code is wrong";
        assert_eq!(failed.plain, expected);
        assert_eq!(scene.archives().len(), round);
        assert_alive(&scene).await;
    }
    scene.finish().await;
}

#[tokio::test]
async fn a_panic_before_the_question_is_told() {
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    scene.source.break_at(Step::Check, Trouble::Panics);
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let row = list.buttons.last().expect("a row");
    scene.admin.press_on(list.id, &row[0].text).await;
    let failed = scene.admin.wait_for("❌").await;
    let begin = format!("❌ Из {name} восстановить нельзя. Данные бота не изменены.\n\n");
    assert!(failed.plain.starts_with(&begin), "{failed}");
    assert_alive(&scene).await;
    // live data over which the source panics are unreadable, and no reason to refuse a restore
    scene.source.break_at(Step::Export, Trouble::Panics);
    let question = scene.choose_newest().await;
    assert!(question.plain.contains("прочитать не получилось"), "{question}");
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    assert_alive(&scene).await;
    scene.finish().await;
}

#[tokio::test]
async fn a_panic_before_the_data_are_touched_changes_nothing() {
    let scene = changed().await;
    // the check says that the archive will not do; the export, that nothing can be saved first
    for (step, answer) in [(Step::Check, REFUSED), (Step::Export, "🔄 Восстановить данные")]
    {
        let question = scene.choose_newest().await;
        scene.source.break_at(step, Trouble::Panics);
        scene.admin.press_on(question.id, YES).await;
        let told = scene.admin.wait_for("the bot's own code panicked").await;
        assert!(told.plain.starts_with(answer), "{told}");
        assert_eq!(scene.source.count(Step::Restore), 0);
        assert_eq!(scene.shop().await, shop(1, 0));
        assert_alive(&scene).await;
        scene.source.mend();
    }
    scene.finish().await;
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_restore_can_be_undone() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(7, 3)).await;
    let question = scene.choose_newest().await;
    scene.source.break_at(Step::Restore, Trouble::Panics);
    scene.admin.press_on(question.id, YES).await;
    let unclear = scene.admin.wait_for("❌").await;
    let expected = "❌ Восстановление прервала ошибка в самом боте. Данные могли измениться: \
        проверьте их.\n\nНе получилось прочитать или записать данные бота. Старые бекапы на месте.\
        \n\nthe bot's own code panicked: the host's own code is wrong\n\nВсё, что было до \
        восстановления, сохранено. Вернуть — кнопкой ниже.";
    assert_eq!(unclear.plain, expected);
    assert_eq!(scene.shop().await, shop(7, 0));
    scene.source.mend();
    scene.admin.press_on(unclear.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 7 заказов, 3 отзыва").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    assert_alive(&scene).await;
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
async fn the_way_back_survives_a_restart() {
    let mut scene = changed().await;
    let done = scene.restore_newest().await;
    scene.restart().await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn only_the_last_restore_can_be_undone() {
    let scene = changed().await;
    let first = scene.restore_newest().await;
    let question = scene.choose(1).await;
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    let stale = scene.admin.press_on(first.id, UNDO).await;
    assert_eq!((stale.text.as_deref(), stale.show_alert), (Some(STALE), true));
    assert_eq!(scene.source.count(Step::Restore), 2);
    scene.finish().await;
}

#[tokio::test]
async fn two_taps_on_undo_undo_once() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    scene.source.hold();
    let checks = scene.source.count(Step::Check);
    let first = scene.admin.press_on(done.id, UNDO);
    let second = scene.admin.press_data(done.id, data_of(&done, UNDO));
    scene.source.reached(Step::Check, checks + 1).await;
    assert_eq!((first.await.text, second.await.text), (None, None));
    scene.source.release();
    let undone = scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert!(undone.button(REDO).is_some());
    assert_eq!(scene.source.count(Step::Restore), 2);
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn a_safety_backup_that_is_gone_is_told() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    fs::remove_file(scene.folder().join("backup_20260201_153025.zip")).expect("removed");
    scene.admin.press_on(done.id, UNDO).await;
    let failed = scene.admin.wait_for("❌").await;
    assert!(failed.plain.contains("Такого бекапа больше нет."), "{failed}");
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

/// Makes the notebook what a crash in the middle of the last restore would have left.
fn crash_in_the_middle(scene: &Scene) {
    let file = scene.folder().join("state.json");
    let mut notebook: Value =
        serde_json::from_slice(&fs::read(&file).expect("read")).expect("JSON");
    let notes = notebook["bots"].as_object_mut().and_then(|bots| bots.values_mut().next());
    let notes = notes.and_then(Value::as_object_mut).expect("the notes of the bot");
    let undo = notes.remove("undo").expect("there was a restore");
    let journal = json!({ "restored": "backup_20260201_143025.zip", "undo": undo });
    notes.insert("restoring".to_owned(), journal);
    fs::write(file, notebook.to_string()).expect("written");
}

async fn interrupted() -> Scene {
    interrupted_with(|builder| builder).await
}

async fn interrupted_with(
    settings: impl Fn(BackupPluginBuilder) -> BackupPluginBuilder + 'static,
) -> Scene {
    let mut scene = Scene::with(settings).await;
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(7, 3)).await;
    scene.restore_newest().await;
    scene.stop().await;
    crash_in_the_middle(&scene);
    // nobody knows how far the restore came
    scene.set_shop(shop(12, 0)).await;
    scene
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_restore_is_told_once() {
    let mut scene = interrupted().await;
    scene.begin();
    let told = scene.admin.wait_for("⚠️").await;
    let expected = "⚠️ Бот выключился посреди восстановления из backup_20260201_143025.zip. \
        Проверьте данные.\n\nВсё, что было до восстановления, сохранено. Если что-то не так, верните \
        кнопкой ниже.";
    assert_eq!(told.plain, expected);
    scene.stop().await;
    scene.sandbox.clear_calls();
    scene.begin();
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    // the way back stays open
    scene.admin.press_on(told.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 7 заказов, 3 отзыва").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    scene.finish().await;
}

#[tokio::test]
async fn the_way_back_from_a_crash_works_at_once() {
    let mut scene = interrupted().await;
    scene.begin();
    scene.admin.press(UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    scene.finish().await;
}

#[tokio::test]
async fn a_crash_is_told_as_soon_as_somebody_hears() {
    let mut scene = interrupted().await;
    scene.admin.block_bot().await;
    scene.begin();
    scene.sandbox.settled().await;
    let calls: Vec<_> = scene.sandbox.calls_of("sendMessage").into_iter().rev().take(1).collect();
    assert_eq!(calls[0].status, 403);
    scene.admin.unblock_bot().await;
    scene.restart().await;
    scene.admin.wait_for("⚠️ Бот выключился посреди восстановления").await;
    scene.finish().await;
}

#[tokio::test]
async fn the_stop_of_the_bot_waits_for_a_restore() {
    let mut scene = changed().await;
    let question = scene.choose_newest().await;
    scene.source.hold();
    let checks = scene.source.count(Step::Check);
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Check, checks + 1).await;
    let source = scene.source.clone();
    tokio::join!(biased; scene.stop(), async { source.release() });
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.admin.wait_for("Готово!").await;
    scene.finish().await;
}

#[tokio::test]
async fn old_backups_go_and_the_safety_backup_does_not_count() {
    let scene = Scene::with(|builder| builder.keep(2)).await;
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(scene.back_up().await);
        scene.clock.forward(TimeDelta::days(1));
    }
    assert_eq!(scene.archives(), names[2..]);
    scene.restore_newest().await;
    let safety = "backup_20260205_143025.zip".to_owned();
    assert_eq!(scene.archives(), [names[2].clone(), names[3].clone(), safety.clone()]);
    scene.clock.forward(TimeDelta::days(1));
    let newest = scene.back_up().await;
    assert_eq!(scene.archives(), [names[3].clone(), safety, newest]);
    scene.finish().await;
}

#[tokio::test]
async fn a_damaged_notebook_loses_no_backup() {
    let mut scene = changed().await;
    let done = scene.restore_newest().await;
    scene.stop().await;
    fs::write(scene.folder().join("state.json"), "{\"version\": 1, \"proofs\"").expect("written");
    scene.begin();
    // the way back was noted there, and only there
    let stale = scene.admin.press_on(done.id, UNDO).await;
    assert_eq!(stale.text.as_deref(), Some(STALE));
    // but what it led to is a backup as any other
    scene.restore_far_fewer().await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.back_up().await;
    scene.finish().await;
}

#[tokio::test]
async fn the_notes_of_a_newer_program_are_left_to_it() {
    for notes in [r#"{"version": 3, "proofs": {}}"#, r#"{"version": 3, "bots": []}"#] {
        let mut scene = changed().await;
        scene.stop().await;
        let file = scene.folder().join("state.json");
        fs::write(&file, notes).expect("written");
        scene.begin();
        scene.back_up().await;
        assert_eq!(fs::read_to_string(&file).expect("read"), notes);
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_restore_that_cannot_be_noted_is_refused_for_its_true_reason() {
    let mut scene = changed().await;
    scene.stop().await;
    let file = scene.folder().join("state.json");
    fs::write(&file, r#"{"version": 3, "proofs": {}}"#).expect("written");
    scene.begin();
    let question = scene.choose_newest().await;
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    assert!(refused.plain.starts_with(REFUSED), "{refused}");
    assert_eq!((scene.source.count(Step::Restore), scene.shop().await), (0, shop(1, 0)));
    // the archive is of a version that this program knows very well
    assert!(!refused.plain.contains("Архив версии"), "{refused}");
    scene.finish().await;
}

#[tokio::test]
async fn the_source_is_asked_one_thing_at_a_time() {
    let scene = changed().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.source.reached(Step::Export, 2).await;
    // a source was promised that its functions never run beside each other
    scene.admin.press_on(list.id, "🔄 1. 2026-02-01 14:30").await;
    scene.sandbox.settled().await;
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.source.most_at_once(), 1);
    scene.finish().await;
}

#[tokio::test]
async fn no_progress_message_stays_behind() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    let id = teloxide::types::MessageId(i32::try_from(question.id).expect("an id"));
    let yes = data_of(&question, YES);
    let chat = teloxide::types::ChatId(support::ADMIN);
    support::client(&scene.sandbox).delete_message(chat, id).await.expect("deleted");
    scene.admin.press_data(question.id, yes).await;
    scene.admin.wait_for("Готово!").await;
    scene.sandbox.settled().await;
    let chat = scene.admin.chat();
    let waiting = chat.visible().filter(|shown| shown.plain.contains('⏳')).count();
    assert_eq!(waiting, 0, "{chat}");
    scene.finish().await;
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

/// Says yes; there is no room for what must be written first, and nothing is restored.
async fn assert_refused_for_want_of_room(scene: &Scene, question: &Shown) {
    scene.admin.press_on(question.id, YES).await;
    let refused = scene.admin.wait_for("❌").await;
    assert!(refused.plain.starts_with(&format!("{REFUSED}На диске кончилось место.")), "{refused}");
    assert_eq!((scene.source.count(Step::Restore), scene.shop().await), (0, shop(1, 0)));
}

#[tokio::test]
async fn without_a_safety_backup_nothing_is_restored() {
    let (scene, storage) = flaky().await;
    let question = scene.choose_newest().await;
    storage.break_at(Place::Draft, 0, io::ErrorKind::StorageFull);
    assert_refused_for_want_of_room(&scene, &question).await;
    scene.finish().await;
}

#[tokio::test]
async fn what_is_readable_again_and_has_no_room_is_not_given_up() {
    let (scene, storage) = flaky().await;
    scene.source.break_at(Step::Export, Trouble::Fails);
    let question = scene.choose_newest().await;
    assert!(question.plain.contains("прочитать не получилось"), "{question}");
    scene.source.mend();
    storage.break_at(Place::Draft, 0, io::ErrorKind::StorageFull);
    assert_refused_for_want_of_room(&scene, &question).await;
    scene.finish().await;
}

#[tokio::test]
async fn without_a_journal_nothing_is_restored() {
    let (scene, storage) = flaky().await;
    let question = scene.choose_newest().await;
    // the first note is the proof of the safety backup; the second is the journal
    storage.break_at(Place::Notes, 1, io::ErrorKind::StorageFull);
    assert_refused_for_want_of_room(&scene, &question).await;
    scene.finish().await;
}

#[tokio::test]
async fn a_journal_that_stays_open_keeps_the_way_back() {
    let (mut scene, storage) = flaky().await;
    let question = scene.choose_newest().await;
    storage.break_at(Place::Notes, 2, io::ErrorKind::StorageFull);
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    storage.mend();
    scene.restart().await;
    // told once too often rather than never
    scene.admin.wait_for("⚠️ Бот выключился посреди восстановления").await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn a_crash_is_told_once_even_if_a_backup_is_due_at_the_start() {
    let scheduled = Arc::new(AtomicBool::new(false));
    let enabled = Arc::clone(&scheduled);
    let settings =
        move |builder: BackupPluginBuilder| builder.enabled(enabled.load(Ordering::Relaxed));
    let mut scene = interrupted_with(settings).await;
    scheduled.store(true, Ordering::Relaxed);
    scene.clock.forward(TimeDelta::days(8));
    scene.source.hold();
    scene.begin();
    scene.admin.wait_for("⚠️ Бот выключился посреди восстановления").await;
    scene.sandbox.settled().await;
    scene.source.release();
    scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    scene.stop().await;
    scene.sandbox.clear_calls();
    scene.begin();
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    scene.finish().await;
}

#[tokio::test]
async fn the_way_back_stays_open_while_something_else_runs() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    let exports = scene.source.count(Step::Export);
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.source.reached(Step::Export, exports + 1).await;
    scene.admin.press_on(done.id, UNDO).await;
    let busy = scene.admin.wait_for("Сейчас идёт другой бекап или восстановление.").await;
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    // «wait and try again», it says: there must be something to try again with
    assert!(busy.button(UNDO).is_some(), "{busy}");
    scene.admin.press_on(busy.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn the_way_back_stays_open_when_the_source_refuses_it() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    scene.source.break_at(Step::Restore, Trouble::Fails);
    scene.admin.press_on(done.id, UNDO).await;
    let refused = scene.admin.wait_for("❌").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.source.mend();
    assert!(refused.button(UNDO).is_some(), "{refused}");
    scene.admin.press_on(refused.id, UNDO).await;
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

#[tokio::test]
async fn an_undo_over_unreadable_data_asks_whether_to_give_them_up() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    scene.source.break_at(Step::Export, Trouble::Fails);
    scene.admin.press_on(done.id, UNDO).await;
    let question = scene.admin.wait_for("прочитать не получилось").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn an_undo_of_long_ago_asks_first() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    scene.clock.forward(TimeDelta::minutes(11));
    // three weeks of orders could hang on a slip of the thumb
    scene.set_shop(shop(20, 0)).await;
    scene.admin.press_on(done.id, UNDO).await;
    let question = scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    assert!(question.plain.contains("В бекапе: 1 заказ"), "{question}");
    assert_eq!(scene.shop().await, shop(20, 0));
    scene.admin.press_on(question.id, YES).await;
    let again = scene.admin.wait_for(SURE).await;
    scene.admin.press_on(again.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}
