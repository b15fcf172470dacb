//! People talk to a real teloxide bot.

mod bot;

use serde_json::json;
use telegram_sandbox::{Answer, Sandbox};

#[tokio::test]
async fn echoes_text_and_edits() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    anna.send("before the start").await;
    let running = bot::start(&sandbox);
    anna.wait_for("echo before the start").await;
    let id = anna.send("1 < 2 & 3").await;
    let shown = anna.wait_for("echo 1 < 2 & 3").await;
    assert_eq!(shown.text, "echo <b>1 &lt; 2 &amp; 3</b>");
    assert_eq!(shown.entities[0]["type"], "bold");
    anna.edit(id, "other").await;
    anna.wait_for("edited other").await;
    anna.forward_text("/menu").await;
    anna.wait_for("Menu").await;
    anna.forward_text("news").await;
    anna.wait_for("forwarded echo news").await;
    anna.send("/me").await;
    anna.wait_for(&sandbox.bot_username()).await;
    sandbox.settled().await;

    running.abort();
    let _ = running.await;
    anna.send("while away").await;
    bot::start(&sandbox);
    anna.wait_for("echo while away").await;
    sandbox.finish().await;
}

#[tokio::test]
async fn presses_buttons() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    bot::start(&sandbox);
    anna.send("/menu").await;
    let answer = anna.press("Count 0").await;
    assert_eq!(answer, Answer { text: Some("now 1".into()), show_alert: true });
    let menu = anna.wait_for("Menu 1").await;
    assert_eq!((menu.edits, menu.buttons.len()), (1, 2));
    assert_eq!(menu.buttons[1][0].url.as_deref(), Some("https://example.org/"));
    let (first, second) = (anna.press("Count 1"), anna.press_on(menu.id, "Count 1"));
    first.await;
    second.await;
    anna.wait_for("Menu 2").await;
    sandbox.expect_refusal("message is not modified");
    assert_eq!(anna.press_data(menu.id, "forged").await.text, None);
    assert_eq!(anna.press_data(999_999, [0xff, 0x00]).await, Answer::default());
    anna.press("Close").await;
    anna.wait_until(|chat| chat.last_from_bot()?.buttons.is_empty().then_some(())).await;
    sandbox.finish().await;
}

#[tokio::test]
async fn strangers_and_groups() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let stranger = sandbox.newcomer(666, "Nobody").await;
    let group = sandbox.group(-100_123, "Team").await;
    bot::start(&sandbox);
    stranger.send("/menu").await;
    stranger.say_in_group(group.id(), "/menu").await;
    sandbox.settled().await;
    assert!(stranger.chat().last_from_bot().is_none());
    assert!(group.chat().last_from_bot().is_none());

    anna.say_in_group(group.id(), "/menu").await;
    let menu = group.wait_for("Menu").await;
    let answer = stranger.press_elsewhere(group.id(), menu.id, "Count 0").await;
    assert_eq!(answer.text.as_deref(), Some("now 1"));
    group.wait_for("Menu 1").await;
    anna.block_bot().await;
    anna.unblock_bot().await;
    sandbox.settled().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn sends_documents_both_ways() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    bot::start(&sandbox);
    let id = anna.send_document("копия №1 \"a\".zip", b"12345", "take").await;
    let shown = anna.wait_for("back").await;
    let document = shown.document.clone().expect("a document");
    assert_eq!((document.file_name.as_str(), document.size), ("копия №1 \"a\".zip", 5));
    assert_eq!(sandbox.file(&document.file_id).as_deref(), Some(&b"54321"[..]));
    assert_eq!(shown.plain, "back");
    assert!(shown.button("Count 7").is_some());
    assert_eq!(anna.chat().messages[0].id, id);
    assert_eq!(sandbox.calls_of("download").len(), 1);
    sandbox.finish().await;
}

#[tokio::test]
async fn delivers_hostile_updates() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let group = sandbox.group(-1_001_234_567_890, "Team").await;
    bot::start(&sandbox);
    let chat = json!({ "id": group.id(), "type": "supergroup", "title": "Team" });
    let anonymous = json!({
        "id": 1_087_968_824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot",
    });
    sandbox
        .inject_update(json!({ "message": {
            "message_id": 1, "date": 1, "chat": chat, "from": anonymous, "sender_chat": chat,
            "text": "anonymous",
        } }))
        .await;
    group.wait_for("echo anonymous").await;
    let inline = json!({ "callback_query": {
        "id": "77", "from": { "id": 42, "is_bot": false, "first_name": "Анна" },
        "inline_message_id": "x", "chat_instance": "1", "data": "count 1",
    } });
    sandbox.inject_update(inline).await;
    sandbox.inject_update(json!({ "channel_post": { "strange": true } })).await;
    sandbox.settled().await;
    assert_eq!(sandbox.calls_of("answerCallbackQuery").len(), 1);

    anna.send("twice").await;
    anna.wait_for("echo twice").await;
    sandbox.settled().await;
    sandbox.redeliver_last().await;
    anna.wait_for("echo twice").await;
    sandbox.finish().await;
}
