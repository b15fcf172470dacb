//! Ordered faults reach the bot.

#[allow(dead_code, reason = "only the client is wanted here")]
mod bot;

use std::time::{Duration, Instant};

use telegram_sandbox::{Fault, Sandbox};
use teloxide::{ApiError, RequestError, net::Download, prelude::*, types::FileId};

#[tokio::test]
async fn faults_meet_calls() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    let send = || async { bot.send_message(ChatId(42), "x").await };

    sandbox.inject(Fault::TooManyRequests { retry_after: 3 }.on("sendMessage").times(2));
    bot.get_me().await.expect("another method");
    for _ in 0..2 {
        let refused = send().await;
        assert!(matches!(refused, Err(RequestError::RetryAfter(wait)) if wait.seconds() == 3));
    }
    send().await.expect("over");
    assert_eq!(anna.chat().messages.len(), 1);

    sandbox.inject(Fault::Drop);
    bot.get_updates().await.expect("is not met");
    assert!(matches!(send().await, Err(RequestError::Network(_))));
    assert_eq!(anna.chat().messages.len(), 1);
    sandbox.inject(Fault::DropAfter);
    assert!(matches!(send().await, Err(RequestError::Network(_))));
    assert_eq!(anna.chat().messages.len(), 2);

    let start = Instant::now();
    sandbox.inject(Fault::Delay(Duration::from_millis(50)));
    send().await.expect("late");
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(sandbox.calls_of("sendMessage").len(), 6);

    sandbox.finish().await;
}

#[tokio::test]
async fn faults_meet_downloads() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    anna.send_document("a", b"abc", "").await;
    let file = anna.chat().messages.last().and_then(|shown| shown.document.clone());
    let file = bot.get_file(FileId(file.expect("a file").file_id)).await.expect("a file");
    sandbox.inject(Fault::Drop.on("download"));
    let mut bytes = Vec::new();
    bot.download_file(&file.path, &mut bytes).await.expect_err("cut off");
    bot.download_file(&file.path, &mut bytes).await.expect("downloads");
    assert_eq!(bytes, b"abc");
    sandbox.finish().await;
}

#[tokio::test]
async fn telegram_refuses() {
    let sandbox = Sandbox::start().await;
    sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    sandbox.inject(Fault::MigratedTo(-100_500));
    let moved = bot.send_message(ChatId(42), "x").await;
    assert!(matches!(moved, Err(RequestError::MigrateToChatId(ChatId(-100_500)))));
    let description = "Bad Request: message to edit not found";
    sandbox.inject(Fault::Refuse { status: 400, description });
    let refused = bot.send_message(ChatId(42), "x").await;
    assert!(matches!(refused, Err(RequestError::Api(ApiError::MessageToEditNotFound))));
    sandbox.finish().await;
}

#[tokio::test]
async fn servers_fail() {
    let sandbox = Sandbox::start().await;
    sandbox.inject(Fault::Status(502).on("getMe"));
    let url = format!("{}/bot{}/getMe", sandbox.url(), sandbox.token());
    let answer = reqwest::get(&url).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 502);
    assert!(answer.text().await.expect("a body").contains("Bad Gateway"));
    assert_eq!(reqwest::get(&url).await.expect("an answer").status().as_u16(), 200);
    sandbox.finish().await;
}
