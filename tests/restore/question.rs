//! What is asked first, and each answer to it: a yes counts once, a no changes nothing.

use std::time::Duration;

use telegram_sandbox::Fault;
use teloxide::Bot;
use teloxide::requests::Requester;
use teloxide::types::UserId;
use teloxide_backup::BackupPlugin;

use crate::support::{self, DOWNLOAD, NO, STALE, SURE, Scene, Step, UNDO, YES, shop};
use crate::{changed, data_of};

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

#[tokio::test]
async fn a_question_is_answered_while_its_archive_is_on_its_way() {
    let scene = changed().await;
    let question = scene.choose_newest().await;
    scene.sandbox.inject(Fault::Delay(Duration::from_secs(5)).on("sendDocument"));
    scene.admin.press_on(question.id, DOWNLOAD).await;
    let no = data_of(&question, NO);
    // the first one may come before the bot has let go of the press before it; one after it is stale
    while scene.admin.press_data(question.id, no.clone()).await.text.is_none() {}
    scene.admin.wait_for("❌ Отменено").await;
    assert!(scene.admin.chat().messages.iter().all(|message| message.document.is_none()));
    scene.finish().await;
}

#[tokio::test]
async fn a_yes_while_another_restore_runs_does_not_wait_for_it() {
    let scene = changed().await;
    let (first, second) = (scene.choose_newest().await, scene.choose_newest().await);
    scene.source.hold_at(Step::Restore);
    scene.admin.press_on(first.id, YES).await;
    scene.source.reached(Step::Restore, 1).await;
    scene.admin.press_on(second.id, YES).await;
    scene.admin.wait_for("Сейчас идёт другой бекап или восстановление").await;
    scene.source.release();
    scene.admin.wait_for("✅ Готово!").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.source.count(Step::Restore), 1);
    scene.finish().await;
}
