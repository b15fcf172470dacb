//! A sandbox fails the test of a wrong bot.

mod bot;

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use telegram_sandbox::Sandbox;
use teloxide::prelude::*;

/// The message of the panic in which this ends.
async fn panic_of(task: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(task).await.expect_err("it should fail").into_panic();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

async fn broken() -> Sandbox {
    let sandbox = Sandbox::start().await;
    sandbox.person(42, "Анна").await;
    let _ = bot::client(&sandbox).send_message(ChatId(42), "").await;
    sandbox
}

#[tokio::test]
async fn finish_lists_violations() {
    let sandbox = broken().await;
    let text = panic_of(sandbox.finish()).await;
    assert!(text.contains("sendMessage: Bad Request: message text is empty"), "{text}");
    assert!(text.contains(r#""chat_id":42"#), "{text}");
}

#[tokio::test]
async fn assert_clean_and_drop_fail_too() {
    let sandbox = broken().await;
    let checked = std::panic::catch_unwind(AssertUnwindSafe(|| sandbox.assert_clean()));
    checked.expect_err("not clean");
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(sandbox)));
    dropped.expect_err("not clean");
}

#[tokio::test]
async fn expected_refusals_are_fine_and_wanted() {
    let sandbox = broken().await;
    sandbox.expect_refusal("text is empty");
    sandbox.finish().await;
    let sandbox = Sandbox::start().await;
    sandbox.expect_refusal("text is empty");
    let text = panic_of(sandbox.finish()).await;
    assert!(text.contains("expected refusal never came: text is empty"), "{text}");
}

#[tokio::test]
async fn unanswered_presses_fail() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    drop(anna.press_data(1, "forgotten"));
    sandbox.assert_clean();
    bot::client(&sandbox).get_updates().await.expect("updates");
    let text = panic_of(sandbox.finish()).await;
    assert!(text.contains("never answered: 42 pressed \"forgotten\""), "{text}");
}

#[tokio::test]
async fn a_forgiving_sandbox_never_fails() {
    let sandbox = broken().await;
    sandbox.forgive();
    drop(sandbox);

    let sandbox = broken().await;
    sandbox.forgive();
    sandbox.expect_refusal("never comes");
    let anna = sandbox.person(42, "Анна").await;
    drop(anna.press_data(1, "forgotten"));
    bot::client(&sandbox).get_updates().await.expect("updates");
    assert_eq!(sandbox.violations().len(), 1);
    let start = std::time::Instant::now();
    sandbox.finish().await;
    assert!(start.elapsed() < Duration::from_secs(2), "it waited for an answer");
}

#[tokio::test]
async fn impatience_shows_the_chat() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let running = bot::start(&sandbox);
    anna.send("hello").await;
    anna.wait_for("echo hello").await;
    running.abort();
    sandbox.set_patience(Duration::from_millis(50));
    let stranger = anna.clone();
    let text = panic_of(async move {
        stranger.wait_until(|chat| (chat.messages.len() > 5).then_some(())).await;
    });
    let text = text.await;
    assert!(text.contains("bot: echo hello"), "{text}");
    assert!(text.contains("sendMessage 200"), "{text}");
    sandbox.finish().await;
}
