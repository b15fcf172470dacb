//! Telegram on its bad days: what was done stays done, and its answer comes later or not at all.

mod support;

use std::fs;
use std::time::Duration;

use support::{ADMIN, Scene, Step, UNDO, YES, shop};
use telegram_sandbox::{Fault, PlannedFault};
use teloxide::types::UserId;
use tokio::time::Instant;

/// Whatever Telegram may say to the answer, and whether the answer comes in spite of it.
fn bad_days() -> Vec<(PlannedFault, bool)> {
    let refuse = |status, description| Fault::Refuse { status, description };
    let later = [
        Fault::TooManyRequests { retry_after: 1 },
        Fault::Page(200),
        Fault::Page(404),
        Fault::Drop,
        Fault::DropAfter,
        refuse(413, "Request Entity Too Large"),
        refuse(400, "Bad Request: message can't be edited"),
        refuse(400, "Bad Request: message to edit not found"),
        refuse(400, "Bad Request: MESSAGE_TOO_LONG"),
        refuse(400, "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte 0"),
        refuse(403, "Forbidden: user is deactivated"),
        refuse(418, "I'm a teapot"),
        Fault::Delay(Duration::from_secs(1)),
    ];
    let later = later.into_iter().map(|fault| (fault.on("editMessageText"), true));
    // no private chat becomes a group; if one did, nobody would read the answer there
    later.chain([(Fault::MigratedTo(-1_009).on("editMessageText"), false)]).collect()
}

#[tokio::test]
async fn a_backup_stays_whatever_telegram_says_to_its_answer() {
    for (fault, arrives) in bad_days() {
        let scene = Scene::start().await;
        scene.sandbox.allow_refusal("message is not modified");
        scene.sandbox.inject(fault.clone());
        scene.admin.send("/backup").await;
        if arrives {
            scene.admin.wait_for("✅ Бекап создан успешно").await;
        } else {
            scene.called(2).await;
        }
        scene.sandbox.settled().await;
        assert_eq!(scene.archives().len(), 1, "{fault:?}");
        // and the bot lives
        scene.admin.send("/backup_list").await;
        scene.admin.wait_for("📂 Список бекапов").await;
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_restore_stays_whatever_telegram_says_to_its_answer() {
    for (fault, arrives) in bad_days() {
        let scene = Scene::start().await;
        scene.sandbox.allow_refusal("message is not modified");
        scene.back_up().await;
        scene.set_shop(shop(1, 0)).await;
        let question = scene.choose_newest().await;
        scene.source.hold();
        let checks = scene.source.count(Step::Check);
        scene.admin.press_on(question.id, YES).await;
        scene.source.reached(Step::Check, checks + 1).await;
        // what it says first is said by now: the fault meets the result
        scene.admin.wait_for("⏳ Восстанавливаю").await;
        scene.sandbox.settled().await;
        scene.sandbox.inject(fault.clone());
        scene.source.release();
        if arrives {
            scene.admin.wait_for("Готово!").await;
        } else {
            scene.source.reached(Step::Restore, 1).await;
            scene.sandbox.settled().await;
        }
        assert_eq!(scene.shop().await, shop(12, 5), "{fault:?}");
        assert_eq!(scene.source.count(Step::Restore), 1, "{fault:?}");
        scene.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_way_back_arrives_when_telegram_is_back_hours_later() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    // a ban of an hour, and then an outage of some minutes more
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText").times(7));
    scene.sandbox.inject(Fault::Drop.on("editMessageText").times(8));
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.sandbox.allow_refusal("message is not modified");
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_a_ban_is_over() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    let asked = Instant::now();
    scene.admin.send("/backup").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    assert!(asked.elapsed() >= Duration::from_secs(3600), "after {:?}", asked.elapsed());
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn nor_does_the_schedule_say_a_word_before_it() {
    let mut scene = Scene::prepare(|builder| builder.enabled(true)).await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    // longer than a word is tried at a time
    let ban = Fault::TooManyRequests { retry_after: 3 * 3600 };
    scene.sandbox.inject(ban.on("sendMessage"));
    scene.begin();
    let began = Instant::now();
    scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    assert!(began.elapsed() >= Duration::from_secs(3 * 3600), "after {:?}", began.elapsed());
    assert_eq!(scene.sandbox.calls_of("sendMessage").len(), 2);
    scene.finish().await;
}

/// A bot that makes backups, after one that was killed in a backup.
async fn after_a_kill() -> Scene {
    let scene = Scene::prepare(|builder| builder.enabled(true)).await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    fs::create_dir(scene.folder()).expect("a folder");
    let notes = r#"{"version":2,"making":"2026-01-31T11:30:00Z"}"#;
    fs::write(scene.folder().join("state.json"), notes).expect("written");
    scene
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_was_cut_off_is_told_of_before_the_next_one_begins() {
    let mut scene = after_a_kill().await;
    scene.sandbox.inject(Fault::Delay(Duration::from_secs(10)).on("sendMessage"));
    scene.begin();
    scene.admin.wait_for("⚠️ Бекап, начатый 2026-01-31T14:30:00, оборвался на середине").await;
    assert_eq!(scene.source.count(Step::Export), 0, "it may end the bot as well");
    scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn no_backup_waits_long_for_a_word_about_the_last_one_nor_is_it_told_after_that() {
    let mut scene = after_a_kill().await;
    let ban = Fault::TooManyRequests { retry_after: 3 * 3600 };
    scene.sandbox.inject(ban.on("sendMessage"));
    scene.begin();
    let began = Instant::now();
    scene.source.reached(Step::Export, 1).await;
    let waited = began.elapsed();
    assert!(waited <= Duration::from_secs(61), "{waited:?}");
    scene.admin.wait_for("✅ Бекап по расписанию создан").await;
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    let chat = scene.admin.chat();
    assert!(!chat.messages.iter().any(|message| message.plain.contains("оборвался")), "{chat}");
    scene.finish().await;
}

#[tokio::test]
async fn whoever_presses_before_a_ban_is_over_hears_that_the_answer_is_on_its_way() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let done = scene.restore_newest().await;
    scene.sandbox.settled().await;
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    scene.admin.press_on(done.id, UNDO).await;
    let heard = loop {
        // while it runs, a press says nothing
        if let Some(heard) = scene.admin.press_on(done.id, UNDO).await.text {
            break heard;
        }
    };
    assert!(heard.starts_with("⏳ Ответ на прошлое нажатие ещё в пути"), "{heard}");
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_that_comes_too_late_is_none() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.back_up().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Список бекапов").await;
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    scene.admin.press_on(list.id, &list.buttons[0][0].text).await;
    let late = scene.admin.wait_for("Telegram долго не принимал мой вопрос").await;
    assert!(late.button(YES).is_none(), "{late}");
    scene.admin.press_on(late.id, "📂 К списку").await;
    scene.admin.wait_for("Список бекапов").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_question_whose_answer_telegram_puts_off_is_none() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    // what it says first, then the question, of which the bot does not hear that it is there
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    for fault in [Fault::Delay(Duration::ZERO), Fault::DropAfter, ban] {
        scene.sandbox.inject(fault.on("editMessageText"));
    }
    let question = scene.choose_newest().await;
    let banned = || scene.sandbox.calls_of("editMessageText").last().map(|call| call.status);
    scene.admin.wait_until(|_| (banned() == Some(429)).then_some(())).await;
    scene.sandbox.settled().await;
    let heard = scene.admin.press_on(question.id, YES).await.text.expect("an alert");
    assert!(heard.starts_with("⏳ Ответ на прошлое нажатие ещё в пути"), "{heard}");
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn an_answer_with_broken_markup_arrives_though_its_place_is_gone() {
    let scene = Scene::start().await;
    let refuse = |description| Fault::Refuse { status: 400, description }.on("editMessageText");
    scene.sandbox.inject(refuse("Bad Request: can't parse entities: Unsupported start tag"));
    scene.sandbox.inject(refuse("Bad Request: message to edit not found"));
    scene.admin.send("/backup").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_after_a_backup_is_another_though_its_answer_is_put_off() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    let ban = Fault::TooManyRequests { retry_after: 3600 };
    scene.sandbox.inject(ban.on("editMessageText"));
    let asked = Instant::now();
    scene.admin.send("/backup").await;
    scene.called(2).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    scene.admin.send("/backup").await;
    scene.admin.wait_until(|_| (scene.archives().len() == 2).then_some(())).await;
    assert!(asked.elapsed() < Duration::from_secs(3600), "it has waited for the first answer");
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.allow_refusal("message is not modified");
    scene.finish().await;
}

#[tokio::test]
async fn a_connection_that_hangs_holds_nothing_up() {
    let scene = Scene::start().await;
    // longer than teloxide's own patience, which is 17 seconds
    scene.sandbox.inject(Fault::Delay(Duration::from_secs(30)).on("editMessageText"));
    scene.admin.send("/backup").await;
    scene.admin.wait_for("⏳").await;
    scene.admin.send("/backup_settings").await;
    scene.admin.wait_for("⚙️").await;
    // beside it the notebook may be on its way to its name
    scene.admin.wait_until(|_| (scene.archives().len() == 1).then_some(())).await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.allow_refusal("message is not modified");
    scene.finish().await;
}

#[tokio::test]
async fn the_word_of_a_scheduled_backup_reaches_whoever_can_be_reached() {
    let admins =
        |builder: teloxide_backup::BackupPluginBuilder| builder.admin(UserId(43)).enabled(true);
    let mut scene = Scene::prepare(admins).await;
    let boris = scene.sandbox.person(43, "Борис").await;
    scene.admin.block_bot().await;
    scene.begin();
    boris.wait_for("✅ Бекап по расписанию создан").await;
    scene.sandbox.settled().await;
    scene.restart().await;
    scene.sandbox.settled().await;
    let told = |id| {
        let chat = scene.sandbox.chat(id);
        chat.messages.iter().filter(|message| message.plain.contains("по расписанию")).count()
    };
    assert_eq!((told(43), told(ADMIN)), (1, 0), "somebody has heard it");
    scene.finish().await;
}

#[tokio::test]
async fn all_that_is_wrong_at_once_ends_with_one_answer() {
    let scene = Scene::start().await;
    for (fault, _) in bad_days().into_iter().take(4) {
        scene.sandbox.inject(fault);
    }
    scene.admin.send("/backup").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.settled().await;
    let chat = scene.admin.chat();
    let results = chat.visible().filter(|shown| shown.plain.contains("успешно")).count();
    assert_eq!((results, scene.archives().len()), (1, 1), "{chat}");
    scene.finish().await;
}

#[tokio::test]
async fn a_text_that_telegram_calls_too_large_comes_without_its_markup() {
    let scene = Scene::start().await;
    let description = "Request Entity Too Large";
    scene.sandbox.inject(Fault::Refuse { status: 413, description }.on("sendMessage"));
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    assert_eq!(list.parse_mode, None);
    scene.finish().await;
}

#[tokio::test]
async fn a_button_that_a_host_has_left_empty_is_a_button() {
    let scene = Scene::with(|builder| builder.text("button-backup = { \"\" }")).await;
    scene.back_up().await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    assert_eq!(list.buttons[0][0].text, "…");
    scene.finish().await;
}
