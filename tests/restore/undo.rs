//! The way back: of the last restore, once, and as long as its safety backup is there.

use std::fs;
use std::io;

use chrono::TimeDelta;
use telegram_sandbox::{Fault, Shown};

use crate::support::{Place, REDO, STALE, SURE, Scene, Step, Trouble, UNDO, YES, shop};
use crate::{changed, data_of, flaky};

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
    scene.admin.wait_for("state.json рядом с бекапами был повреждён").await;
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
    scene.admin.wait_for("прервалось на середине").await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn a_journal_that_stays_open_is_no_crash_for_the_bot_that_is_there() {
    let (scene, storage) = flaky().await;
    let question = scene.choose_newest().await;
    storage.break_at(Place::Notes, 2, io::ErrorKind::StorageFull);
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    for _ in 0..2 {
        scene.choose_newest().await;
        let chat = scene.admin.chat();
        let told = |message: &Shown| message.plain.contains("прервалось на середине");
        assert!(!chat.messages.iter().any(told), "{chat}");
    }
    scene.finish().await;
}

#[tokio::test]
async fn a_crash_of_which_the_word_cannot_be_noted_is_told_of_once() {
    let (mut scene, storage) = flaky().await;
    let question = scene.choose_newest().await;
    storage.break_at(Place::Notes, 2, io::ErrorKind::StorageFull);
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    // the next start takes it for a crash, and cannot note that it has told of it
    scene.restart().await;
    let told = "прервалось на середине";
    scene.admin.wait_for(told).await;
    for _ in 0..2 {
        scene.choose_newest().await;
        let chat = scene.admin.chat();
        let times = chat.messages.iter().filter(|message| message.plain.contains(told)).count();
        assert_eq!(times, 1, "{chat}");
    }
    storage.mend();
    scene.restore_far_fewer().await;
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

/// Presses the button, and holds the undo while it checks what is to come back.
async fn begin_undo(scene: &Scene, message: i64) {
    let checks = scene.source.count(Step::Check);
    scene.source.hold_at(Step::Check);
    scene.admin.press_on(message, UNDO).await;
    scene.source.reached(Step::Check, checks + 1).await;
}

#[tokio::test]
async fn the_way_back_stays_open_when_the_folder_is_away() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    let (folder, elsewhere) = (scene.folder(), scene.folder().with_extension("away"));
    // as a disk that is no longer mounted
    fs::rename(&folder, &elsewhere).expect("moved");
    let unread = scene.admin.press_on(done.id, UNDO).await;
    let unread = unread.text.expect("a word");
    assert!(unread.contains("Кнопка ещё действует"), "{unread}");
    // and the empty folder on which it was
    fs::create_dir(&folder).expect("a folder");
    let unread = scene.admin.press_on(done.id, UNDO).await.text.expect("a word");
    assert!(unread.contains("Кнопка ещё действует"), "{unread}");
    fs::remove_dir_all(&folder).expect("removed");
    fs::rename(&elsewhere, &folder).expect("moved back");
    // and while what is to come back is looked at
    begin_undo(&scene, done.id).await;
    fs::rename(&folder, &elsewhere).expect("moved");
    scene.source.release();
    let failed = scene.admin.wait_for("❌").await;
    assert!(failed.button(UNDO).is_some(), "{failed}");
    assert_eq!(scene.shop().await, shop(12, 5));
    // nor is what cannot be found there gone
    let failed = scene.admin.press_on(failed.id, UNDO).await;
    assert!(failed.text.expect("a word").contains("Кнопка ещё действует"));
    fs::rename(&elsewhere, &folder).expect("moved back");
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn a_way_back_whose_notes_are_lost_is_out_of_date() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    // the archives are still there
    fs::remove_file(scene.folder().join("state.json")).expect("removed");
    let heard = scene.admin.press_on(done.id, UNDO).await.text.expect("a word");
    assert!(heard.contains("устарела"), "{heard}");
    scene.finish().await;
}

#[tokio::test]
async fn a_bot_that_is_killed_in_an_undo_leaves_its_button() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    begin_undo(&scene, done.id).await;
    // what stands there, if the bot says nothing more
    let running = scene.admin.wait_for("⏳ Возвращаю то, что было до восстановления").await;
    assert!(running.button(UNDO).is_some(), "{running}");
    // and a second tap does nothing while it runs
    assert_eq!(scene.admin.press_on(running.id, UNDO).await.text, None);
    scene.source.release();
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.source.count(Step::Restore), 2);
    scene.finish().await;
}

#[tokio::test]
async fn whoever_presses_again_before_the_answer_to_an_undo_has_arrived_waits_for_it() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    begin_undo(&scene, done.id).await;
    scene.admin.wait_for("⏳ Возвращаю то, что было до восстановления").await;
    scene.sandbox.settled().await;
    scene.sandbox.inject(Fault::TooManyRequests { retry_after: 3600 }.on("editMessageText"));
    scene.source.break_at(Step::Restore, Trouble::Fails);
    let edits = || scene.sandbox.calls_of("editMessageText").len();
    let before = edits();
    scene.source.release();
    while edits() == before {
        tokio::task::yield_now().await;
    }
    scene.sandbox.settled().await;
    let pending = scene.admin.press_on(done.id, UNDO).await.text.expect("a word");
    assert!(pending.contains("ещё в пути"), "{pending}");
    assert_eq!(scene.source.count(Step::Restore), 2);
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

#[tokio::test]
async fn an_undo_whose_age_nobody_knows_asks_first() {
    let scene = changed().await;
    let done = scene.restore_newest().await;
    // the clock was wrong until now
    scene.clock.forward(TimeDelta::days(-7));
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}
