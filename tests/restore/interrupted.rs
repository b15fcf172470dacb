//! A panic, a crash or a stop on the way: what is told of it, and what can be undone.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use serde_json::{Value, json};
use teloxide_backup::BackupPluginBuilder;

use crate::support::{Scene, Step, Trouble, UNDO, YES, shop};
use crate::{REFUSED, changed};

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
    let steps = [(Step::Export, ""), (Step::Check, "read back what was written: ")];
    for (round, (step, when)) in steps.into_iter().enumerate() {
        scene.source.break_at(step, Trouble::Panics);
        scene.admin.send("/backup").await;
        let failed = scene.admin.wait_for("❌").await;
        let expected = format!(
            "❌ Бекап не создан.\n\nНе получилось прочитать или записать данные бота. \
            Старые бекапы на месте.\n\n{when}the bot's own code panicked: the host's own code is wrong"
        );
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
