//! What is refused, for its true reason: nothing is restored then, and all stays as it was.

use std::fs;
use std::io;

use telegram_sandbox::Shown;

use crate::support::{Place, Scene, Step, Trouble, YES, shop};
use crate::{REFUSED, changed, flaky};

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
