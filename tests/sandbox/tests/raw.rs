//! Requests as no library makes them.

use telegram_sandbox::{ReplyKeyboard, Sandbox};

/// Posts a JSON body; gives status and answer.
async fn post(sandbox: &Sandbox, path: &str, body: &str) -> (u16, serde_json::Value) {
    let url = format!("{}/{path}", sandbox.url());
    let request = reqwest::Client::new().post(url).header("content-type", "application/json");
    let response = request.body(body.to_owned()).send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn call(sandbox: &Sandbox, method: &str, body: &str) -> (u16, String) {
    let (status, answer) = post(sandbox, &format!("bot{}/{method}", sandbox.token()), body).await;
    (status, answer["description"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn checks_the_schema() {
    let sandbox = Sandbox::start().await;
    sandbox.person(42, "Анна").await;
    let bad = [
        (r#"{"chat_id":42,"text":"x","txet":"y"}"#, "unknown field \"txet\""),
        (r#"{"chat_id":42}"#, "required field \"text\" is missing"),
        (r#"{"text":"x"}"#, "required field \"chat_id\" is missing"),
        (r#"{"chat_id":42,"text":7}"#, "field \"text\" must be of type String"),
        (r#"{"chat_id":4.2,"text":"x"}"#, "field \"chat_id\" is none of Integer, String"),
        (
            r#"{"chat_id":42,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"a","date":"b"}]]}}"#,
            "unknown field \"reply_markup.inline_keyboard[0][0].date\"",
        ),
        (r#"{"chat_id":42,"text":"x","reply_markup":{}}"#, "field \"reply_markup\" is none of"),
        (
            r#"{"chat_id":42,"text":"x","reply_markup":{"inline_keyboard":[[{"text":"a"}]]}}"#,
            "Text buttons are unallowed",
        ),
        (r#"{"chat_id":42,"text":"x","parse_mode":"Markdown"}"#, "unsupported parse_mode"),
        ("[1]", "can't parse JSON object"),
        ("{", "can't parse JSON object"),
    ];
    for (number, (body, problem)) in bad.iter().enumerate() {
        let (status, description) = call(&sandbox, "sendmessage", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(description.contains(problem), "{body}: {description}");
        assert_eq!(sandbox.violations().len(), number + 1, "{body}");
    }
    let good = r#"{"chat_id":"42","text":"x","reply_markup":null,"parse_mode":"html"}"#;
    assert_eq!(call(&sandbox, "sendMessage", good).await.0, 200);
    sandbox.allow_refusal("Bad Request");
    sandbox.finish().await;
}

#[tokio::test]
async fn answers_no_website() {
    let sandbox = Sandbox::start().await;
    let url = format!("{}/bot{}/getMe", sandbox.url(), sandbox.token());
    let status = async |name: &str, value: &str| {
        let request = reqwest::Client::new().get(&url).header(name, value);
        request.send().await.expect("an answer").status().as_u16()
    };
    for (name, value) in [
        ("host", "evil.example"),
        ("host", "evil.example:80"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        assert_eq!(status(name, value).await, 403, "{name}: {value}");
    }
    assert_eq!(status("host", "localhost:80").await, 200);
    assert_eq!(status("user-agent", "a bot").await, 200);
    assert_eq!(sandbox.calls_of("getMe").len(), 2);
}

#[tokio::test]
async fn takes_a_text_for_a_button() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let menu = r#"{"chat_id":42,"text":"x","reply_markup":{"keyboard":[["Да",{"text":"Нет"}]]}}"#;
    assert_eq!(call(&sandbox, "sendMessage", menu).await.0, 200);
    let keyboard = anna.wait_for("x").await.reply_keyboard;
    let Some(ReplyKeyboard::Buttons(rows)) = keyboard else { panic!("{keyboard:?}") };
    assert_eq!(rows, [["Да", "Нет"]]);
    sandbox.finish().await;
}

#[tokio::test]
async fn tells_the_types_of_a_union_apart() {
    let sandbox = Sandbox::start().await;
    sandbox.person(42, "Анна").await;
    let none = "field \"scope\" is none of";
    let bad = [
        (r#"{"type":"everyone"}"#, none),
        (r#"{"type":"chat"}"#, none),
        (r#"{"chat_id":42}"#, none),
        (r#"{"type":"default","chat_id":42}"#, "unknown field \"scope.chat_id\""),
        (r#"{"type":"chat","chat_id":42,"user_id":42}"#, "unknown field \"scope.user_id\""),
    ];
    for (scope, problem) in bad {
        let body = format!(r#"{{"commands":[],"scope":{scope}}}"#);
        let (status, description) = call(&sandbox, "setMyCommands", &body).await;
        assert_eq!(status, 400, "{body}");
        assert!(description.contains(problem), "{body}: {description}");
    }
    let body = r#"{"commands":[],"scope":{"type":"chat","chat_id":"42"}}"#;
    assert_eq!(call(&sandbox, "setMyCommands", body).await.0, 200);
    let body = r#"{"chat_id":42,"media":[{"type":"photo","media":"x","performer":"y"}]}"#;
    let (_, description) = call(&sandbox, "sendMediaGroup", body).await;
    assert!(description.contains("unknown field \"media[0].performer\""), "{description}");
    sandbox.allow_refusal("Bad Request");
    sandbox.finish().await;
}

#[tokio::test]
async fn checks_the_address() {
    let sandbox = Sandbox::start().await;
    assert_eq!(post(&sandbox, "bot1:wrong/getMe", "").await.0, 401);
    assert_eq!(post(&sandbox, "nowhere", "").await.0, 404);
    assert!(sandbox.violations().is_empty());
    assert_eq!(call(&sandbox, "getMe", "").await.0, 200);
    assert_eq!(call(&sandbox, "getWebhookInfo", "").await.0, 200);
    assert_eq!(call(&sandbox, "deleteWebhook", "{}").await.0, 200);
    assert_eq!(call(&sandbox, "sendPigeon", "{}").await.0, 404);
    assert_eq!(sandbox.violations()[0].method, "sendPigeon");
    sandbox.expect_refusal("method not found");
    sandbox.finish().await;
}

#[tokio::test]
async fn polls_by_the_rules() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let path = format!("bot{}/getUpdates", sandbox.token());
    for text in ["a", "b", "c"] {
        anna.send(text).await;
    }
    let ids = async |body: &str| -> Vec<i64> {
        let (_, answer) = post(&sandbox, &path, body).await;
        let updates = answer["result"].as_array().expect("updates").clone();
        updates.iter().filter_map(|update| update["update_id"].as_i64()).collect()
    };
    let all = ids("{}").await;
    assert_eq!(all.len(), 3);
    assert_eq!(ids(r#"{"limit":2}"#).await, all[..2]);
    assert_eq!(ids(&format!(r#"{{"offset":{}}}"#, all[1])).await, all[1..]);
    assert_eq!(ids(r#"{"offset":-1,"allowed_updates":["callback_query"]}"#).await, all[2..]);
    anna.send("not wanted").await;
    assert!(ids(&format!(r#"{{"offset":{}}}"#, all[2] + 1)).await.is_empty());
    sandbox.settled().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn takes_fields_as_every_library_sends_them() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let url = |rest: &str| format!("{}/bot{}/{rest}", sandbox.url(), sandbox.token());
    let in_address = url("sendMessage?chat_id=42&text=a+%26%20%D0%B6&disable_notification=True");
    assert_eq!(reqwest::get(in_address).await.expect("an answer").status().as_u16(), 200);
    anna.wait_for("a & ж").await;
    assert_eq!(call(&sandbox, "sendMessage?text=both", r#"{"chat_id":42}"#).await.0, 200);
    anna.wait_for("both").await;

    let form = async |body: &str| {
        let request = reqwest::Client::new().post(url("sendMessage"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(body.to_owned()).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    };
    let keyboard = "reply_markup=%7B%22remove_keyboard%22%3Atrue%7D";
    assert_eq!(form(&format!("chat_id=42&text=123&{keyboard}")).await.0, 200);
    assert_eq!(anna.wait_for("123").await.reply_keyboard, Some(ReplyKeyboard::Removed));
    let (status, answer) = form("chat_id=42&txet=x&text=y").await;
    assert!(status == 400 && answer.contains("unknown field"), "{answer}");
    let (status, answer) = form("chat_id=42&text=y&protect_content=perhaps").await;
    assert!(status == 400 && answer.contains("can't parse field"), "{answer}");
    sandbox.allow_refusal("");
    sandbox.finish().await;
}

/// Waits until this call of `getUpdates` has come or, if asked, is answered.
async fn polled(sandbox: &Sandbox, number: usize, answered: bool) {
    loop {
        let calls = sandbox.calls_of("getUpdates");
        if calls.get(number).is_some_and(|call| !answered || call.status != 0) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_second_poll_ends_the_first() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let path = format!("bot{}/getUpdates", sandbox.token());
    let poll = || post(&sandbox, &path, r#"{"timeout":30}"#);
    let second = async {
        polled(&sandbox, 0, false).await;
        poll().await
    };
    let sender = async {
        polled(&sandbox, 0, true).await;
        anna.send("news").await;
    };
    let (first, second, ()) = tokio::join!(poll(), second, sender);
    assert_eq!(first.0, 409);
    assert_eq!(second.1["result"][0]["message"]["text"], "news");
    sandbox.finish().await;
}
