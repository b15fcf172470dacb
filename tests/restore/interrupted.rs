//! A panic, a crash or a stop on the way: what is told of it, and what can be undone.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use telegram_sandbox::Fault;
use teloxide_backup::BackupPluginBuilder;

use crate::support::{AGAIN, NO, Place, REDO, SURE, Scene, Step, Trouble, UNDO, YES, shop};
use crate::{REFUSED, changed, flaky};

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
        \n\nthe bot's own code panicked: the host's own code is wrong\n\nВсё, что было до этого, \
        сохранено. Вернуть — кнопкой «↩️ Отменить восстановление».";
    assert_eq!(unclear.plain, expected);
    assert_eq!(scene.shop().await, shop(7, 0));
    scene.source.mend();
    scene.admin.press_on(unclear.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 7 заказов, 3 отзыва").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    assert_alive(&scene).await;
    scene.finish().await;
}

#[tokio::test]
async fn a_restore_whose_end_nobody_knows_closes_no_way_back_of_before() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    scene.source.break_at(Step::Restore, Trouble::Panics);
    scene.admin.press_on(done.id, UNDO).await;
    let unclear = scene.admin.wait_for("❌ Восстановление прервала ошибка").await;
    scene.source.mend();
    assert!(unclear.plain.ends_with("Вернуть — кнопкой «↩️ Вернуть обратно»."), "{unclear}");
    // people have read of it, so nothing more is to be told before the next question
    scene.admin.press_on(unclear.id, AGAIN).await;
    let question = scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    assert!(!scene.admin.chat().messages.iter().any(|told| told.plain.contains(CUT_OFF)));
    scene.admin.press_on(question.id, NO).await;
    scene.admin.wait_for("❌ Отменено").await;
    // both ways are there still, and one that fails for now takes the other away no more
    let exports = scene.source.count(Step::Export);
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.source.reached(Step::Export, exports + 1).await;
    scene.admin.press_on(unclear.id, REDO).await;
    let busy = scene.admin.wait_for("Сейчас идёт другой бекап или восстановление.").await;
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    assert_eq!(busy.id, unclear.id);
    assert!(busy.button(UNDO).is_some() && busy.button(REDO).is_some(), "{busy}");
    // all as the restore had left it; its own undo is open again
    scene.admin.press_on(busy.id, REDO).await;
    let back = scene.admin.wait_for("↩️ Готово, данные снова такие, как до отмены").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    assert!(back.button(REDO).is_some(), "what the undo had left can be had again: {back}");
    scene.admin.press_on(back.id, UNDO).await;
    let question = scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for(SURE).await;
    scene.admin.press(YES).await;
    scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_came_of_an_undo_arrives_after_a_ban_and_is_told_once() {
    let scene = changed().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    let done = scene.restore_newest().await;
    scene.source.break_at(Step::Restore, Trouble::Panics);
    // the old button stays under the message meanwhile
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    scene.admin.press_on(done.id, UNDO).await;
    let unclear = scene.admin.wait_for("❌ Восстановление прервала ошибка").await;
    assert_eq!(unclear.id, done.id);
    assert!(unclear.button(AGAIN).is_some() && unclear.button(REDO).is_some(), "{unclear}");
    scene.choose_newest().await;
    assert!(!scene.admin.chat().messages.iter().any(|told| told.plain.contains(CUT_OFF)));
    scene.finish().await;
}

#[tokio::test]
async fn a_restore_whose_end_nobody_has_heard_is_told_of_at_the_next_start() {
    let mut scene = changed().await;
    let question = scene.choose_newest().await;
    scene.source.hold();
    let checks = scene.source.count(Step::Check);
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Check, checks + 1).await;
    scene.admin.wait_for("⏳ Восстанавливаю").await;
    scene.sandbox.settled().await;
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    scene.source.break_at(Step::Restore, Trouble::Panics);
    scene.source.release();
    scene.source.reached(Step::Restore, 1).await;
    scene.sandbox.settled().await;
    scene.source.mend();
    // the bot is started anew before the ban is over
    scene.restart().await;
    let told = scene.admin.wait_for(CUT_OFF).await;
    scene.admin.press_on(told.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

/// Makes the notebook what a crash in the middle of the last restore would have left. Gives the way back
/// that the restore has left in it.
fn crash_in_the_middle(scene: &Scene, earlier: Option<Value>) -> Value {
    note(scene, |notes| {
        let earlier_crash = |notes: &mut serde_json::Map<_, Value>| notes.remove("cut_off");
        let undo = notes.remove("undo").or_else(|| Some(earlier_crash(notes)?[0]["undo"].take()));
        let undo = undo.expect("there was a restore");
        let journal = json!({ "restored": "backup_20260201_143025.zip", "undo": undo });
        notes.insert("restoring".to_owned(), journal);
        if let Some(earlier) = earlier {
            notes.insert("undo".to_owned(), earlier);
        }
        undo
    })
}

/// Makes the notebook what a program that was killed while it restored this file would have left.
fn crash_of_another(scene: &Scene, file: &str) {
    note(scene, |notes| {
        let journal = json!({ "restored": file, "undo": null, "id": "0" });
        if let Some(earlier) = notes.insert("restoring".to_owned(), journal) {
            notes.insert("cut_off".to_owned(), json!([earlier]));
        }
    });
}

/// Changes the notes of the bot.
fn note<T>(scene: &Scene, change: impl FnOnce(&mut serde_json::Map<String, Value>) -> T) -> T {
    let file = scene.folder().join("state.json");
    let mut notebook: Value =
        serde_json::from_slice(&fs::read(&file).expect("read")).expect("JSON");
    let notes = notebook["bots"].as_object_mut().and_then(|bots| bots.values_mut().next());
    let changed = change(notes.and_then(Value::as_object_mut).expect("the notes of the bot"));
    fs::write(file, notebook.to_string()).expect("written");
    changed
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
    crash_in_the_middle(&scene, None);
    // nobody knows how far the restore came
    scene.set_shop(shop(12, 0)).await;
    scene
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_restore_is_told_once() {
    let mut scene = interrupted().await;
    scene.begin();
    let told = scene.admin.wait_for("⚠️").await;
    let expected = "⚠️ Восстановление из backup_20260201_143025.zip прервалось на середине. \
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
    scene.admin.wait_for(CUT_OFF).await;
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
    scene.admin.wait_for(CUT_OFF).await;
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

const CUT_OFF: &str = "прервалось на середине";

/// Starts a bot whose first message Telegram does not take.
async fn begin_unheard(scene: &mut Scene) {
    scene.sandbox.clear_calls();
    scene.sandbox.inject(Fault::Drop.on("sendMessage"));
    scene.begin();
    scene
        .admin
        .wait_until(|_| (!scene.sandbox.calls_of("sendMessage").is_empty()).then_some(()))
        .await;
}

fn told_of_the_crash(scene: &Scene) -> usize {
    let chat = scene.admin.chat();
    chat.messages.iter().filter(|message| message.plain.contains(CUT_OFF)).count()
}

#[tokio::test(start_paused = true)]
async fn a_crash_of_which_the_word_is_on_its_way_is_told_once_before_any_question() {
    let mut scene = interrupted().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.begin();
    scene.admin.wait_for(CUT_OFF).await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Список бекапов").await;
    scene.restore_newest().await;
    scene.stop().await;
    crash_in_the_middle(&scene, None);
    begin_unheard(&mut scene).await;
    scene.admin.press_on(list.id, &list.buttons[0][0].text).await;
    scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    // nor is it tried once more
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(told_of_the_crash(&scene), 2, "each of them once");
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_restored_while_nobody_could_be_told_of_a_crash() {
    let mut scene = interrupted().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.begin();
    let told = scene.admin.wait_for(CUT_OFF).await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Список бекапов").await;
    scene.stop().await;
    crash_in_the_middle(&scene, None);
    scene.sandbox.inject(Fault::Drop.on("sendMessage").times(1000));
    scene.begin();
    let untold = "Прошлое восстановление прервалось, а сообщение об этом Telegram пока не принял";
    scene.admin.press_on(list.id, &list.buttons[0][0].text).await;
    scene.admin.wait_for(untold).await;
    scene.admin.press_on(told.id, UNDO).await;
    let undo = scene.admin.wait_for(untold).await;
    assert!(undo.button(UNDO).is_some(), "{undo}");
    assert_eq!(scene.shop().await, shop(12, 0));
    scene.sandbox.clear_faults();
    scene.admin.wait_for(CUT_OFF).await;
    scene.admin.press_on(told.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    scene.finish().await;
}

#[tokio::test]
async fn an_older_way_back_asks_once_there_is_one_of_a_crash() {
    let mut scene = changed().await;
    let first = scene.restore_newest().await;
    scene.stop().await;
    let earlier = crash_in_the_middle(&scene, None);
    crash_in_the_middle_of_another(&mut scene, earlier).await;
    begin_unheard(&mut scene).await;
    // an older one is asked about, though it is not old: people have not read of the other yet
    scene.admin.press_on(first.id, UNDO).await;
    scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    assert_eq!((told_of_the_crash(&scene), scene.shop().await), (2, shop(3, 3)));
    // what was there before the restore that was cut off
    let cut_off = scene.admin.chat().messages.into_iter().rfind(|m| m.plain.contains(CUT_OFF));
    scene.admin.press_on(cut_off.expect("the word").id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(9, 9));
    scene.finish().await;
}

#[tokio::test]
async fn a_crash_of_another_program_while_one_is_told_of_is_told_of_too() {
    let mut scene = interrupted().await;
    begin_unheard(&mut scene).await;
    crash_of_another(&scene, "other.zip");
    let told = scene.admin.wait_for(CUT_OFF).await;
    assert!(told.plain.contains("backup_20260201_143025.zip"), "{told}");
    scene.admin.wait_for("Восстановление из other.zip прервалось").await;
    assert_eq!(told_of_the_crash(&scene), 2);
    // a question waits until all is told; the way back of the first is no worse for the second
    scene.choose_newest().await;
    scene.admin.press_on(told.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(7, 3));
    scene.finish().await;
}

/// The bot comes back from the crash, goes down in the middle of the next restore, and has the way back
/// of before still.
async fn crash_in_the_middle_of_another(scene: &mut Scene, earlier: Value) {
    scene.begin();
    scene.admin.wait_for(CUT_OFF).await;
    scene.set_shop(shop(9, 9)).await;
    scene.clock.forward(TimeDelta::minutes(1));
    scene.restore_far_fewer().await;
    scene.stop().await;
    crash_in_the_middle(scene, Some(earlier));
    scene.set_shop(shop(3, 3)).await;
}

#[tokio::test]
async fn nothing_is_asked_while_nobody_can_tell_whether_a_restore_was_cut_off() {
    let (scene, storage) = flaky().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Список бекапов").await;
    storage.break_at(Place::ReadNotes, 0, io::ErrorKind::TimedOut);
    scene.admin.press_on(list.id, &list.buttons[0][0].text).await;
    let told = scene.admin.wait_for("восстановить нельзя. Данные бота не изменены").await;
    assert!(told.plain.contains("Папка бекапов не работает"), "{told}");
    scene.finish().await;
}
