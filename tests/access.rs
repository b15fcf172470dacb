//! Every wrong turn: who is not meant to get an answer gets none, and the host gets its update.

mod support;

use serde_json::{Value, json};
use support::{ADMIN, NO, STALE, STRANGER, Scene, YES};
use teloxide::types::UserId;
use teloxide_backup::BackupPluginBuilder;

const GROUP: i64 = -1_001_234;
/// Another administrator.
const BORIS: i64 = 43;
const PRIVATE_ONLY: &str = "💬 Бекапы — в личном чате со мной.";
const EMPTY_LIST: &str =
    "📂 Бекапов пока нет.\n\nСоздать первый: /backup\nВосстановить из файла: /backup_restore";
const REFUSAL: &str = "⛔️ Эта команда только для администратора.";

/// What an update should lead to.
enum Expected {
    /// The host's own handlers get it, and the plugin asks nothing of Telegram.
    Passed(&'static str),
    /// It is the plugin's: exactly these methods with these texts.
    Taken(&'static [(&'static str, &'static str)]),
}
use Expected::{Passed, Taken};

type Turn = (&'static str, Value, Expected);

const DISMISSED: Expected = Taken(&[("answerCallbackQuery", "")]);
const OUT_OF_DATE: Expected = Taken(&[("answerCallbackQuery", STALE)]);

fn user(id: i64) -> Value {
    json!({ "id": id, "is_bot": false, "first_name": "Somebody" })
}

fn private(id: i64) -> Value {
    json!({ "id": id, "type": "private", "first_name": "Somebody" })
}

fn group() -> Value {
    json!({ "id": GROUP, "type": "group", "title": "Team" })
}

fn channel() -> Value {
    json!({ "id": -1_001_000_000_777_i64, "type": "channel", "title": "News" })
}

/// A message of a person, with some fields of its own.
fn message(from: i64, chat: Value, text: &str, more: Value) -> Value {
    let mut message = json!({
        "message_id": 9000, "date": 1_769_945_425, "from": user(from), "text": text,
    });
    message["chat"] = chat;
    add(&mut message, more);
    message
}

fn add(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}

fn typed(from: i64, chat: Value, text: &str) -> Value {
    json!({ "message": message(from, chat, text, Value::Null) })
}

/// A press of a button below a message of the bot.
fn press(from: i64, chat: Value, data: &str) -> Value {
    let below = message(7_000_000_001, chat, "menu", Value::Null);
    query(from, data, json!({ "message": below }))
}

fn query(from: i64, data: &str, place: Value) -> Value {
    // an id of its own for each: Telegram never gives one twice
    let id = uuid::Uuid::new_v4().as_u128() >> 64;
    let mut query = json!({
        "id": id.to_string(), "from": user(from), "chat_instance": "1", "data": data,
    });
    add(&mut query, place);
    json!({ "callback_query": query })
}

/// Delivers each update twice, as Telegram may do, and looks what comes of it.
async fn take(scene: &Scene, turns: Vec<Turn>) {
    // the bot has begun
    scene.sandbox.settled().await;
    for (name, update, expected) in turns {
        scene.sandbox.clear_calls();
        scene.host.take();
        scene.sandbox.inject_update(update).await;
        let calls = match expected {
            Passed(_) => [].as_slice(),
            Taken(calls) => calls,
        };
        let calls: Vec<_> =
            calls.iter().map(|(method, text)| (method.to_string(), text.to_string())).collect();
        assert_eq!(scene.called(calls.len()).await, calls, "{name}");
        scene.sandbox.redeliver_last().await;
        scene.sandbox.settled().await;
        assert_eq!(scene.calls(), calls, "{name}, delivered again");
        let passed = match expected {
            Passed(told) => vec![told; 2],
            Taken(_) => Vec::new(),
        };
        assert_eq!(scene.host.take(), passed, "{name}");
    }
    assert_eq!(scene.archives(), [""; 0], "a wrong turn made a backup");
}

/// A bot with a stranger, a group and a second administrator.
async fn scene() -> Scene {
    people(Scene::with(|builder| builder.admin(UserId(43))).await).await
}

async fn people(scene: Scene) -> Scene {
    scene.sandbox.person(STRANGER, "Никто").await;
    scene.sandbox.person(BORIS, "Борис").await;
    scene.sandbox.group(GROUP, "Team").await;
    scene
}

/// The host of these tests answers no press: that is not what they are about.
async fn finish(scene: Scene) {
    scene.sandbox.expire_callbacks();
    scene.finish().await;
}

#[tokio::test]
async fn strangers_get_the_hosts_answers() {
    let scene = scene().await;
    let typed = |chat, text| typed(STRANGER, chat, text);
    let own = || private(STRANGER);
    take(
        &scene,
        vec![
            ("a command", typed(own(), "/backup"), Passed("message: /backup")),
            ("the list", typed(own(), "/backup_list"), Passed("message: /backup_list")),
            ("the settings", typed(own(), "/backup_settings"), Passed("message: /backup_settings")),
            ("in a group", typed(group(), "/backup"), Passed("message: /backup")),
            (
                "named, in a group",
                typed(group(), "/backup@sandbox_bot"),
                Passed("message: /backup@sandbox_bot"),
            ),
            ("a page", press(STRANGER, own(), "bkp:p:0"), Passed("press: bkp:p:0")),
            ("a forged button", press(STRANGER, own(), "bkp:y:1"), Passed("press: bkp:y:1")),
            (
                "in a foreign chat",
                press(STRANGER, private(ADMIN), "bkp:p:0"),
                Passed("press: bkp:p:0"),
            ),
            ("in a group", press(STRANGER, group(), "bkp:p:0"), Passed("press: bkp:p:0")),
        ],
    )
    .await;
    finish(scene).await;
}

#[tokio::test]
async fn strangers_are_refused_where_the_host_wants_it() {
    let scene = people(Scene::with(BackupPluginBuilder::refuse_strangers).await).await;
    let typed = |chat, text| typed(STRANGER, chat, text);
    let own = || private(STRANGER);
    let refused = || Taken(&[("sendMessage", REFUSAL)]);
    let alert = || Taken(&[("answerCallbackQuery", REFUSAL)]);
    take(
        &scene,
        vec![
            ("a command", typed(own(), "/backup"), refused()),
            ("the list", typed(own(), "/backup_list"), refused()),
            ("the settings", typed(own(), "/backup_settings@sandbox_bot"), refused()),
            ("a page", press(STRANGER, own(), "bkp:p:0"), alert()),
            ("in a foreign chat", press(STRANGER, private(ADMIN), "bkp:p:0"), alert()),
            ("in a group", press(STRANGER, group(), "bkp:p:0"), alert()),
            // what is not ours is the host's, whoever it comes from
            ("another command", typed(own(), "/start"), Passed("message: /start")),
            ("another button", press(STRANGER, own(), "order:7"), Passed("press: order:7")),
            // a group is no place to speak up
            ("in a group", typed(group(), "/backup"), Passed("message: /backup")),
        ],
    )
    .await;
    let answers = scene.sandbox.calls_of("answerCallbackQuery");
    assert!(answers.iter().all(|call| call.fields["show_alert"] == true));
    finish(scene).await;
}

#[tokio::test]
async fn the_administrator_elsewhere() {
    let scene = scene().await;
    let typed = |chat, text| typed(ADMIN, chat, text);
    let own = || private(ADMIN);
    let short = || Taken(&[("sendMessage", PRIVATE_ONLY)]);
    take(
        &scene,
        vec![
            ("in a group", typed(group(), "/backup"), Passed("message: /backup")),
            (
                "the list in a group",
                typed(group(), "/backup_list"),
                Passed("message: /backup_list"),
            ),
            ("named, in a group", typed(group(), "/backup@sandbox_bot"), short()),
            ("the list, named", typed(group(), "/backup_list@SANDBOX_bot"), short()),
            ("the settings, named", typed(group(), "/backup_settings@sandbox_bot"), short()),
            ("another bot", typed(own(), "/backup@otherbot"), Passed("message: /backup@otherbot")),
            (
                "another bot in a group",
                typed(group(), "/backup@otherbot"),
                Passed("message: /backup@otherbot"),
            ),
            (
                "a bot of a longer name",
                typed(own(), "/backup@sandbox_bot_2"),
                Passed("message: /backup@sandbox_bot_2"),
            ),
            ("no name", typed(own(), "/backup@"), Passed("message: /backup@")),
            ("a button in a group", press(ADMIN, group(), "bkp:p:0"), DISMISSED),
            ("a button of another", press(BORIS, private(ADMIN), "bkp:p:0"), DISMISSED),
        ],
    )
    .await;
    assert_eq!(scene.sandbox.chat(GROUP).messages.len(), 3);
    finish(scene).await;
}

#[tokio::test]
async fn what_is_almost_a_command() {
    let scene = scene().await;
    let typed = |text| typed(ADMIN, private(ADMIN), text);
    take(
        &scene,
        vec![
            ("in capitals", typed("/BACKUP"), Passed("message: /BACKUP")),
            ("a longer word", typed("/backups"), Passed("message: /backups")),
            ("another longer word", typed("/backup_lists"), Passed("message: /backup_lists")),
            ("without a slash", typed("backup"), Passed("message: backup")),
            ("a space too many", typed("/ backup"), Passed("message: / backup")),
            ("not at the beginning", typed("do /backup"), Passed("message: do /backup")),
            ("a quote of it", typed("«/backup»"), Passed("message: «/backup»")),
            ("letters that look alike", typed("/bаckup"), Passed("message: /bаckup")),
            ("only a slash", typed("/"), Passed("message: /")),
        ],
    )
    .await;
    finish(scene).await;
}

#[tokio::test]
async fn a_command_may_be_followed_by_anything() {
    for text in ["/backup\nfoo", "/backup now", "/backup@sandbox_bot", "/backup@Sandbox_Bot\tfoo"] {
        let scene = Scene::start().await;
        scene.admin.send(text).await;
        scene.admin.wait_for("✅ Бекап создан успешно").await;
        scene.sandbox.redeliver_last().await;
        scene.sandbox.settled().await;
        assert_eq!(scene.archives().len(), 1, "{text}");
        assert_eq!(scene.host.take(), [""; 0], "{text}");
        scene.finish().await;
    }
}

#[tokio::test]
async fn what_nobody_typed_just_now() {
    let scene = scene().await;
    let in_private = |more| json!({ "message": message(ADMIN, private(ADMIN), "/backup", more) });
    let edit = json!({ "edit_date": 1_769_945_426 });
    let edited = json!({ "edited_message": message(ADMIN, private(ADMIN), "/backup", edit) });
    let origin = json!({ "type": "hidden_user", "sender_user_name": "Somebody", "date": 1 });
    let of_admin = json!({ "type": "user", "sender_user": user(ADMIN), "date": 1 });
    let bot = json!({ "id": 99, "is_bot": true, "first_name": "Inline", "username": "inline_bot" });
    let document = json!({
        "message_id": 9000, "date": 1_769_945_425, "from": user(ADMIN), "chat": private(ADMIN),
        "document": { "file_id": "a", "file_unique_id": "b", "file_name": "a.zip", "file_size": 1 },
        "caption": "/backup",
    });
    take(
        &scene,
        vec![
            ("edited", edited, Passed("edited: /backup")),
            (
                "forwarded",
                in_private(json!({ "forward_origin": origin })),
                Passed("message: /backup"),
            ),
            (
                "forwarded, and their own",
                in_private(json!({ "forward_origin": of_admin })),
                Passed("message: /backup"),
            ),
            ("by an inline bot", in_private(json!({ "via_bot": bot })), Passed("message: /backup")),
            ("a caption", json!({ "message": document }), Passed("message: /backup")),
        ],
    )
    .await;
    finish(scene).await;
}

/// A message under an id that many people share, in the name of a chat.
fn in_the_name_of(sender: Value, id: i64, text: &str) -> Value {
    let mut message = message(id, group(), text, Value::Null);
    message["from"]["is_bot"] = (id != 777_000).into();
    message["sender_chat"] = sender;
    json!({ "message": message })
}

#[tokio::test]
async fn what_nobody_in_particular_wrote() {
    let scene = scene().await;
    let post = json!({
        "message_id": 9000, "date": 1_769_945_425, "chat": channel(), "sender_chat": channel(),
        "text": "/backup",
    });
    // somebody who writes in the name of a channel, with an administrator's id before it
    let borrowed =
        message(ADMIN, group(), "/backup@sandbox_bot", json!({ "sender_chat": channel() }));
    let named = "/backup@sandbox_bot";
    let passed = || Passed("message: /backup@sandbox_bot");
    take(
        &scene,
        vec![
            (
                "an anonymous administrator of the group",
                in_the_name_of(group(), 1_087_968_824, "/backup"),
                Passed("message: /backup"),
            ),
            ("naming the bot", in_the_name_of(group(), 1_087_968_824, named), passed()),
            ("as a channel", in_the_name_of(channel(), 136_817_688, named), passed()),
            ("the linked channel", in_the_name_of(channel(), 777_000, named), passed()),
            ("in a borrowed name", json!({ "message": borrowed }), passed()),
            ("a channel's post", json!({ "channel_post": post }), Passed("post: /backup")),
        ],
    )
    .await;
    finish(scene).await;
}

#[tokio::test]
async fn forged_buttons_of_the_administrator() {
    let scene = scene().await;
    let press = |data: &str| press(ADMIN, private(ADMIN), data);
    // 64 bytes, as many as Telegram allows
    let random = "\u{1}ÿqЖ\"'<b>&%s\\\u{202e}{}[]$;--../..\n01234567890123456789012345678901";
    let ours = format!("bkp:{}", &random[..random.len() - 4]);
    assert_eq!((random.len(), ours.len()), (64, 64));
    let token = "0123456789abcdef0123456789abcdef";
    take(
        &scene,
        vec![
            ("random bytes after our prefix", press(&ours), OUT_OF_DATE),
            ("a path", press("bkp:b:../../etc/passwd"), OUT_OF_DATE),
            ("a file name", press("bkp:b:backup_20260201_143025.zip"), OUT_OF_DATE),
            ("yes to nothing", press(&format!("bkp:y:{token}")), OUT_OF_DATE),
            ("no to nothing", press(&format!("bkp:n:{token}")), OUT_OF_DATE),
            ("undo nothing", press(&format!("bkp:u:{token}")), OUT_OF_DATE),
            ("an empty token", press("bkp:y:"), OUT_OF_DATE),
            ("an empty undo", press("bkp:u:"), OUT_OF_DATE),
            ("an unknown kind", press("bkp:z:1"), OUT_OF_DATE),
            ("no kind", press("bkp:"), OUT_OF_DATE),
            ("less than no page", press("bkp:p:-1"), OUT_OF_DATE),
            ("our prefix without its colon", press("bkp"), Passed("press: bkp")),
            ("another button", press("order:7"), Passed("press: order:7")),
        ],
    )
    .await;
    let mut game = query(ADMIN, "", json!({ "game_short_name": "chess" }));
    game["callback_query"].as_object_mut().expect("a query").remove("data");
    take(&scene, vec![("a game", game, Passed("press: nothing"))]).await;
    finish(scene).await;
}

#[tokio::test]
async fn random_bytes_are_the_hosts() {
    let scene = scene().await;
    let random = "\u{1}ÿqЖ\"'<b>&%s\\\u{202e}{}[]$;--../..\n01234567890123456789012345678901";
    scene.sandbox.inject_update(press(ADMIN, private(ADMIN), random)).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    assert_eq!(scene.host.take(), [format!("press: {random}")]);
    finish(scene).await;
}

#[tokio::test]
async fn buttons_of_messages_that_are_not_there() {
    let scene = scene().await;
    let inline = json!({ "inline_message_id": "AgAAAPx" });
    let gone = |chat: Value| json!({ "message": { "message_id": 8, "date": 0, "chat": chat } });
    let anew = Taken(&[
        ("answerCallbackQuery", ""),
        ("editMessageText", EMPTY_LIST),
        ("sendMessage", EMPTY_LIST),
    ]);
    let yes = "bkp:y:0123456789abcdef0123456789abcdef";
    take(
        &scene,
        vec![
            ("an inline message", query(ADMIN, "bkp:p:0", inline.clone()), DISMISSED),
            ("yes in an inline message", query(ADMIN, yes, inline.clone()), DISMISSED),
            ("a stranger's inline", query(STRANGER, "bkp:p:0", inline), Passed("press: bkp:p:0")),
            // the list is news enough to come as a message of its own
            ("an old message", query(ADMIN, "bkp:p:0", gone(private(ADMIN))), anew),
            ("yes in an old message", query(ADMIN, yes, gone(private(ADMIN))), OUT_OF_DATE),
            ("an old message of a group", query(ADMIN, "bkp:p:0", gone(group())), DISMISSED),
            ("no message at all", query(ADMIN, "bkp:p:0", Value::Null), DISMISSED),
        ],
    )
    .await;
    finish(scene).await;
}

#[tokio::test]
async fn nobody_but_the_one_who_was_asked_says_yes() {
    let scene = scene().await;
    let stranger = scene.sandbox.person(STRANGER, "Никто").await;
    let boris = scene.sandbox.person(BORIS, "Борис").await;
    scene.back_up().await;
    let question = scene.choose_newest().await;
    let yes = question.button(YES).and_then(|button| button.data.clone()).expect("a button");
    scene.host.take();
    scene.sandbox.settled().await;
    scene.sandbox.clear_calls();
    // a stranger with the very button, in the administrator's chat and in their own
    drop(stranger.press_elsewhere(ADMIN, question.id, YES));
    drop(stranger.press_elsewhere(ADMIN, question.id, NO));
    scene.sandbox.inject_update(press(STRANGER, private(STRANGER), &yes)).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    assert_eq!(scene.host.take().len(), 3);
    // another administrator, in the chat of the first and in their own
    assert_eq!(boris.press_elsewhere(ADMIN, question.id, YES).await.text, None);
    boris.send("/backup_settings").await;
    let own = boris.wait_for("⚙️").await;
    assert_eq!(boris.press_data(own.id, &yes).await.text.as_deref(), Some(STALE));
    assert_eq!(scene.source.count(support::Step::Restore), 0);
    // the question still stands
    assert_eq!(scene.admin.press_on(question.id, YES).await.text, None);
    scene.admin.wait_for("Готово!").await;
    finish(scene).await;
}

#[tokio::test]
async fn a_newcomer_costs_nothing() {
    let scene = scene().await;
    let newcomer = scene.sandbox.newcomer(777, "Новый").await;
    newcomer.send("/backup").await;
    newcomer.say_in_group(GROUP, "/backup_list@sandbox_bot").await;
    newcomer.block_bot().await;
    scene.sandbox.settled().await;
    assert_eq!(scene.calls(), []);
    let mut got = scene.host.take();
    // chats are handled beside each other
    got.sort();
    assert_eq!(got, ["message: /backup", "message: /backup_list@sandbox_bot", "other"]);
    finish(scene).await;
}
