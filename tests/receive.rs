//! An archive that the administrator sends into the chat: checked like any other, restored like any other.

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use support::{ADMIN, NO, STRANGER, Scene, Step, UNDO, YES, shop};
use telegram_sandbox::{Fault, FileKind, Shown};
use teloxide::types::UserId;
use teloxide_backup::{BackupPlugin, MemoryStorage, Shared};
use tokio::time::Instant;

const CAPTION: &str = "/backup_restore";
const HELP: &str =
    "📎 Чтобы восстановить данные из файла, пришлите его сюда с подписью /backup_restore";
const UNFIT: &str = "❌ Этот файл не подходит. Данные бота не изменены.";
const TOO_LARGE: &str = "❌ Файл больше 20 МБ";

/// A scene without backups, and the archive of one that another server has made: 12 orders and 5
/// reviews. One order is live.
async fn moved() -> (Scene, Vec<u8>) {
    let scene = Scene::start().await;
    let name = scene.back_up().await;
    let archive = fs::read(scene.folder().join(&name)).expect("an archive");
    for file in [&name, "state.json"] {
        fs::remove_file(scene.folder().join(file)).expect("removed");
    }
    scene.set_shop(shop(1, 0)).await;
    (scene, archive)
}

/// Sends a file with the caption; gives the bot's last word on it.
async fn send(scene: &Scene, archive: &[u8], word: &str) -> Shown {
    scene.admin.send_document("mein backup (1).zip", archive, CAPTION).await;
    scene.admin.wait_for(word).await
}

/// Sends what is no archive of this bot; nothing may come of it.
async fn refused(scene: &Scene, archive: &[u8], reason: &str) {
    let before = scene.archives();
    let answer = send(scene, archive, UNFIT).await;
    assert!(answer.plain.contains(reason), "{}", answer.plain);
    assert!(answer.buttons.is_empty());
    assert_eq!((scene.shop().await, scene.archives()), (shop(1, 0), before));
    assert_eq!(scene.source.count(Step::Restore), 0);
}

#[tokio::test]
async fn an_archive_that_is_sent_is_restored_and_stays_in_the_list() {
    let (scene, archive) = moved().await;
    let question = send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    assert!(question.plain.starts_with(
        "📎 Архив проверен и теперь в списке: backup_20260201_143025.zip\n\n🔄 Восстановить"
    ));
    assert_eq!(scene.archives(), ["backup_20260201_143025.zip"]);
    let stored = fs::read(scene.folder().join("backup_20260201_143025.zip")).expect("stored");
    assert_eq!(stored, archive);
    assert_eq!(scene.shop().await, shop(1, 0), "nothing happens before the yes");

    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn the_same_file_is_kept_once_and_another_beside_it() {
    let (scene, archive) = moved().await;
    for _ in 0..2 {
        let question = send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
        scene.admin.press_on(question.id, NO).await;
        scene.admin.wait_for("Отменено").await;
    }
    assert_eq!(scene.archives(), ["backup_20260201_143025.zip"]);
    // made within the same second, and not the same
    let other = Scene::start().await;
    other.set_shop(shop(3, 3)).await;
    let name = other.back_up().await;
    let second = fs::read(other.folder().join(&name)).expect("an archive");
    send(&scene, &second, "backup_20260201_143025_2.zip").await;
    assert_eq!(fs::read(scene.folder().join(&name)).expect("the first"), archive);
    let kept = fs::read(scene.folder().join("backup_20260201_143025_2.zip")).expect("the second");
    assert_eq!(kept, second);
    other.finish().await;
    scene.finish().await;
}

#[tokio::test]
async fn what_was_sent_is_not_removed_for_newer_ones_before_it_is_restored() {
    let (old, archive) = moved().await;
    old.finish().await;
    let scene = Scene::with(|builder| builder.keep(1)).await;
    scene.set_shop(shop(1, 0)).await;
    scene.clock.forward(TimeDelta::days(30));
    scene.back_up().await;
    let question = send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    scene.clock.forward(TimeDelta::days(1));
    scene.back_up().await;
    assert!(scene.archives().contains(&"backup_20260201_143025.zip".to_owned()));
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    // in a week it is one among others
    scene.clock.forward(TimeDelta::days(8));
    scene.back_up().await;
    assert!(!scene.archives().contains(&"backup_20260201_143025.zip".to_owned()));
    scene.finish().await;
}

#[tokio::test]
async fn a_copy_of_what_is_there_keeps_it_from_going() {
    let scene = Scene::with(|builder| builder.keep(1)).await;
    let name = scene.back_up().await;
    let archive = fs::read(scene.folder().join(&name)).expect("an archive");
    scene.set_shop(shop(1, 0)).await;
    let question = send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    scene.clock.forward(TimeDelta::days(1));
    scene.back_up().await;
    assert_eq!(scene.archives().len(), 2);
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

#[tokio::test]
async fn trouble_of_ours_is_not_said_to_be_the_files() {
    let (scene, archive) = moved().await;
    fs::remove_dir_all(scene.folder()).expect("removed");
    let answer = send(&scene, &archive, "❌ Принять файл не получилось.").await;
    assert!(answer.plain.contains("Папка бекапов не работает"), "{answer}");
    fs::create_dir(scene.folder()).expect("back");
    send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    scene.finish().await;
}

#[tokio::test]
async fn the_command_alone_explains_itself() {
    let (scene, _) = moved().await;
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for(CAPTION).await;
    scene.admin.send(CAPTION).await;
    scene.admin.wait_for(HELP).await;
    scene.finish().await;
}

#[tokio::test]
async fn what_is_no_backup_of_this_bot_is_refused_and_not_kept() {
    let (scene, archive) = moved().await;
    refused(&scene, b"", "Архив повреждён").await;
    refused(&scene, b"PK\x03\x04 is how they begin", "Архив повреждён").await;
    refused(&scene, &archive[..archive.len() - 1], "Архив повреждён").await;
    let mut flipped = archive.clone();
    flipped[100] ^= 1;
    refused(&scene, &flipped, "Архив повреждён").await;
    refused(&scene, &notes_of_another_bot().await, "не может его прочитать").await;
    // and the bot goes on
    send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    scene.finish().await;
}

/// The archive of a bot that keeps something else.
async fn notes_of_another_bot() -> Vec<u8> {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Notes {
        notes: Vec<String>,
    }
    let scene = Scene::start().await;
    let state = std::sync::Arc::new(tokio::sync::RwLock::new(Notes { notes: vec!["…".into()] }));
    let storage = MemoryStorage::new();
    let plugin = BackupPlugin::builder(support::client(&scene.sandbox), Shared::new(state))
        .admin(teloxide::types::UserId(ADMIN.unsigned_abs()))
        .storage(storage.clone())
        .clock(scene.clock.clone())
        // the first backup of a schedule might be at work when somebody asks
        .enabled(false)
        .build()
        .expect("a plugin");
    let mut scene = scene;
    scene.stop().await;
    scene.begin_with(&plugin);
    scene.admin.send("/backup").await;
    scene.admin.wait_for("Бекап создан успешно").await;
    let id = teloxide_backup::BackupId::parse("backup_20260201_143025.zip").expect("a name");
    let archive = storage.get(&id).expect("an archive").to_vec();
    scene.finish().await;
    archive
}

#[tokio::test]
async fn a_file_that_telegram_does_not_give_is_told_of() {
    let (scene, archive) = moved().await;
    for fault in [
        Fault::Drop.on("download"),
        Fault::DropAfter.on("download"),
        Fault::Refuse { status: 404, description: "Not Found" }.on("download"),
        Fault::Refuse { status: 400, description: "Bad Request: file is too big" }.on("getFile"),
    ] {
        scene.sandbox.inject(fault);
        let answer = send(&scene, &archive, "Telegram сейчас не отдал файл").await;
        assert_eq!((scene.archives().len(), scene.shop().await), (0, shop(1, 0)), "{answer:?}");
    }
    send(&scene, &archive, "Восстановить данные из этого бекапа?").await;
    scene.finish().await;
}

/// The update of a document, with some fields of the message and of the file changed.
fn document(message: Value, file: Value) -> Value {
    let mut update = json!({ "message": {
        "message_id": 9001, "date": 1_769_945_425,
        "from": { "id": ADMIN, "is_bot": false, "first_name": "Анна" },
        "chat": { "id": ADMIN, "type": "private", "first_name": "Анна" },
        "caption": CAPTION,
        "document": {
            "file_id": "unknown", "file_unique_id": "x", "file_size": 1000,
            "file_name": "../../backup_20260201_143025.zip", "mime_type": "application/zip",
        },
    }});
    let change = |object: &mut Value, changes: Value| {
        for (key, value) in changes.as_object().expect("fields") {
            object[key] = value.clone();
        }
        // what is null is left out
        object.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    };
    change(&mut update["message"]["document"], file);
    change(&mut update["message"], message);
    update
}

/// Everything below a folder, by its name there.
fn tree(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().expect("a kind").is_dir() {
            names.extend(tree(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

/// A good archive, whatever its sender calls it: the name has no say in where it goes.
#[tokio::test]
async fn an_archive_of_any_name_is_taken_as_what_it_is() {
    let long = "ж".repeat(3000);
    let names = [
        Some("../../x-of-tests-receive.zip"),
        Some("/tmp/x-of-tests-receive.zip"),
        Some("<b>&amp;.zip"),
        Some("</code><a href=\"tg://user?id=666\">.zip"),
        Some("\u{202e}piz.\u{0}exe\u{0}"),
        Some("state.json"),
        Some(&long),
        Some(""),
        None,
    ];
    for name in names {
        let (scene, archive) = moved().await;
        let uploaded = scene.admin.send_document("x.zip", archive.clone(), "").await;
        let chat = scene.admin.chat();
        let message = chat.messages.into_iter().find(|message| message.id == uploaded);
        let id = message.and_then(|message| message.file).expect("a file").file_id;
        let file = json!({ "file_id": id, "file_size": archive.len(), "file_name": name });
        scene.sandbox.inject_update(document(json!({}), file)).await;
        let question = scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
        let stored = "backup_20260201_143025.zip";
        let told = format!("📎 Архив проверен и теперь в списке: {stored}\n");
        assert!(question.plain.starts_with(&told), "{name:?}: {question}");
        assert_eq!(fs::read(scene.folder().join(stored)).expect("stored"), archive);
        scene.admin.press_on(question.id, YES).await;
        scene.admin.wait_for("Готово!").await;
        assert_eq!(scene.shop().await, shop(12, 5), "{name:?}");
        // with the safety backup it is all that there is, here and elsewhere
        let files = [stored, "backup_20260201_143025_2.zip", "state.json"];
        assert_eq!(scene.files(), files, "{name:?}");
        let mut beside = tree(scene.folder().parent().expect("a folder"));
        beside.retain(|name| !name.starts_with("backups/"));
        assert_eq!(beside, [""; 0], "{name:?}");
        for start in [scene.folder(), std::env::current_dir().expect("a folder")] {
            let there = name.filter(|name| name.ends_with("receive.zip"));
            assert!(there.is_none_or(|name| !start.join(name).exists()), "{name:?} was made");
        }
        // Telegram took every text: one that is no HTML fails the test here
        scene.finish().await;
    }
}

#[tokio::test]
async fn what_is_too_large_is_never_asked_for() {
    let (scene, _) = moved().await;
    for size in [json!(20 * 1024 * 1024 + 1), json!(4_000_000_000_u32), Value::Null] {
        scene.sandbox.settled().await;
        scene.sandbox.clear_calls();
        scene.sandbox.inject_update(document(json!({}), json!({ "file_size": size }))).await;
        scene.admin.wait_for(TOO_LARGE).await;
        assert_eq!(scene.calls().len(), 1, "{:?}", scene.calls());
    }
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_ban_of_one_persons_chat_keeps_nobody_else_waiting_with_a_file() {
    let mut scene = Scene::prepare(|builder| builder.admin(UserId(43))).await;
    let boris = scene.sandbox.person(43, "Борис").await;
    scene.begin();
    let archive = fs::read(scene.folder().join(scene.back_up().await)).expect("an archive");
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.sandbox.clear_calls();
    let ban = Fault::TooManyRequests { retry_after: 540 };
    scene.sandbox.inject(ban.on("sendMessage"));
    scene
        .sandbox
        .inject_update(document(json!({}), json!({ "file_size": 4_000_000_000_u32 })))
        .await;
    scene.called(1).await;
    let asked = Instant::now();
    boris.send_document("backup.zip", archive, CAPTION).await;
    boris.wait_for("Восстановить данные из этого бекапа?").await;
    assert!(asked.elapsed() < Duration::from_secs(60), "after {:?}", asked.elapsed());
    scene.admin.wait_for(TOO_LARGE).await;
    scene.finish().await;
}

#[tokio::test]
async fn only_the_administrators_own_file_with_the_caption_is_taken() {
    let (scene, archive) = moved().await;
    let stranger = scene.sandbox.person(STRANGER, "Никто").await;
    scene.host.take();
    scene.sandbox.settled().await;
    scene.sandbox.clear_calls();
    stranger.send_document("backup_20260201_143025.zip", archive.clone(), CAPTION).await;
    scene.admin.send_document("backup_20260201_143025.zip", archive.clone(), "").await;
    scene.admin.send_document("backup_20260201_143025.zip", archive.clone(), "/backup").await;
    scene.admin.send_file(FileKind::Photo, "photo.jpg", archive, CAPTION).await;
    let origin = json!({ "type": "hidden_user", "sender_user_name": "X", "date": 1_769_945_000 });
    scene.sandbox.inject_update(document(json!({ "forward_origin": origin }), json!({}))).await;
    let group = json!({ "chat": { "id": -1_001_234, "type": "group", "title": "Team" } });
    scene.sandbox.inject_update(document(group, json!({}))).await;
    let edited = document(json!({}), json!({}))["message"].clone();
    scene.sandbox.inject_update(json!({ "edited_message": edited })).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), [], "the plugin kept silent");
    assert_eq!(scene.host.take().len(), 7, "and the host got them all");
    scene.finish().await;
}
