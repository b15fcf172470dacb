//! The page over plain HTTP: who may use it, what it tells and what can be done on it.

mod visit;

use std::{fs, path::Path};

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use telegram_sandbox::Fault;

use visit::{Visit, event, event_with, texts};

#[tokio::test]
async fn turns_strangers_away() {
    let visit = Visit::begin().await;
    let own = visit.page.address().replace("http://127.0.0.1", "localhost").replace('/', "");
    let hosts = ["evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:80", ""];
    for (host, status) in hosts.map(|host| (host, 403)).into_iter().chain([(own.as_str(), 200)]) {
        let answer = visit.request(Method::GET, "").header("host", host).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
    let send = json!({ "action": "send", "person": 42, "text": "x" }).to_string();
    let post = |name: &str, value: &str| {
        let request = visit.request(Method::POST, "api/actions").body(send.clone());
        request.header("content-type", "application/json").header(name, value).send()
    };
    for origin in ["http://evil.example", "null", &format!("http://{own}"), "https://127.0.0.1"] {
        assert_eq!(post("origin", origin).await.unwrap().status(), 403, "{origin}");
    }
    assert_eq!(post("sec-fetch-site", "cross-site").await.unwrap().status(), 403);
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = visit.request(Method::POST, "api/actions").header("content-type", kind);
        assert_eq!(request.body(send.clone()).send().await.unwrap().status(), 415, "{kind}");
    }
    assert!(visit.sandbox.chat(42).messages.is_empty());
    let address = visit.page.address();
    assert_eq!(post("origin", address.trim_end_matches('/')).await.unwrap().status(), 200);
    assert_eq!(visit.sandbox.chat(42).messages.len(), 1);
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let visit = Visit::begin().await;
    for path in ["", "main.js", "api/changes", "nothing", "../Cargo.toml", "api/files/x/y"] {
        let answer = visit.get(path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
    }
    assert_eq!(visit.get("nothing").await.status(), 404);
    assert_eq!(visit.get("%2e%2e/src/page.rs").await.status(), 404);
}

#[tokio::test]
async fn serves_all_of_its_files_and_needs_no_other() {
    let visit = Visit::begin().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let answer = visit.get(name).await;
        assert_eq!(answer.status(), 200, "{name}");
        let text = answer.text().await.unwrap();
        assert_eq!(text, fs::read_to_string(&path).unwrap(), "{name}");
        for inline in ["innerHTML", "insertAdjacentHTML", "style=", "onclick=", "<style"] {
            assert!(!text.contains(inline), "{name}: {inline}");
        }
        let foreign = text.split(['"', '\'', '(']).filter(|it| it.starts_with("http"));
        for address in foreign.filter(|it| it.contains("://")) {
            assert_eq!(address, "http://www.w3.org/2000/svg", "{name}");
        }
    }
    let index = visit.get("").await.text().await.unwrap();
    assert!(index.contains(r#"<script type="module" src="main.js"></script>"#));
}

#[tokio::test]
async fn takes_another_port_if_the_first_is_taken() {
    let visit = Visit::begin().await;
    let address = visit.page.address();
    let port = address.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let other = visit.sandbox.serve_page(port).await.expect("another port");
    assert_ne!(other.address(), address);
    assert_eq!(visit.client.get(other.address()).send().await.unwrap().status(), 200);
    assert_eq!(visit.get("").await.status(), 200);
}

#[tokio::test]
async fn ends_with_its_handle() {
    let visit = Visit::begin().await;
    let mut stream = visit.get("api/stream").await;
    assert!(event(&mut stream).await.is_some());
    let address = visit.page.address();
    drop(visit.page);
    assert!(event(&mut stream).await.is_none());
    // The socket closes a moment after the last stream.
    while Client::new().get(&address).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tells_every_change_once() {
    let visit = Visit::begin().await;
    let mut stream = visit.get("api/stream?since=0").await;
    let first = event(&mut stream).await.unwrap();
    assert_eq!(first["scene"]["people"][0]["name"], "Анна");
    let run = &first["run"];

    let sent = visit.bot_says("first & <only>").await;
    let told = event_with(&mut stream, "messages").await;
    assert_eq!(texts(&told), ["first & <only>"]);
    assert_eq!(told["messages"][0]["from_bot"], true);
    assert_eq!(told["scene"], Value::Null);
    let call = &visit.changes(0).await["calls"][0];
    assert_eq!((&call["method"], &call["status"]), (&json!("sendMessage"), &json!(200)));
    assert_eq!((&call["open"], &call["violation"]), (&json!(false), &json!(false)));

    let id = &sent["message_id"];
    let edit = json!({ "chat_id": 42, "message_id": id, "text": "second" });
    visit.bot("editMessageText", edit).await.unwrap();
    let told = event_with(&mut stream, "messages").await;
    assert_eq!((texts(&told), &told["messages"][0]["edited"]), (vec!["second"], &json!(true)));

    visit.bot("deleteMessage", json!({ "chat_id": 42, "message_id": id })).await.unwrap();
    let told = event_with(&mut stream, "messages").await;
    let gone = json!({ "id": id, "chat": 42, "from_bot": true, "deleted": true });
    assert_eq!(told["messages"], json!([gone]));

    visit.page.note("Это учебные данные.");
    let told = event_with(&mut stream, "scene").await;
    assert_eq!(told["scene"]["note"], "Это учебные данные.");
    assert_eq!((&told["messages"], &told["run"]), (&json!([]), run));
}

#[tokio::test]
async fn goes_on_where_the_reader_was() {
    let visit = Visit::begin().await;
    visit.bot_says("old").await;
    let seen = visit.changes(0).await;
    visit.bot_says("new").await;
    let (run, since) = (&seen["run"], &seen["revision"]);
    let stream = |run: &Value, last: &Value| {
        let path = format!("api/stream?since=0&run={run}");
        visit.request(Method::GET, &path).header("last-event-id", last.to_string()).send()
    };
    let told = event(&mut stream(run, since).await.unwrap()).await.unwrap();
    assert_eq!(texts(&told), ["new"]);
    // After a new start the numbers of the old run mean nothing.
    let told = event(&mut stream(&json!(1), since).await.unwrap()).await.unwrap();
    assert_eq!(texts(&told), ["old", "new"]);
}

#[tokio::test]
async fn a_change_is_small_in_a_long_chat() {
    let visit = Visit::begin().await;
    for number in 0..1000 {
        visit.bot_says(&format!("message {number}")).await;
    }
    let all = visit.changes(0).await;
    assert_eq!(texts(&all).len(), 1000);
    visit.bot_says("the last").await;
    let since = all["revision"].as_u64().unwrap();
    let news = visit.changes(since).await;
    assert_eq!(texts(&news), ["the last"]);
    assert!(news.to_string().len() < 3000, "{}", news.to_string().len());
}

#[tokio::test]
async fn people_join_and_write() {
    let visit = Visit::begin().await;
    let given = visit.act(json!({ "action": "join", "name": " Борис ", "id": 77 })).await;
    assert_eq!(given["id"], 77);
    let free = visit.act(json!({ "action": "join", "name": "<b>&", "language": "ru" })).await["id"]
        .clone();
    let people = visit.changes(0).await["scene"]["people"].clone();
    let names = people.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["Анна", "Борис", "<b>&"]);
    assert_eq!((&people[1]["started"], &people[2]["id"]), (&json!(false), &free));

    let text = "/start ref42";
    let id = visit.act(json!({ "action": "send", "person": 77, "text": text })).await["id"].clone();
    let reply = json!({ "action": "send", "person": 77, "text": "re", "reply_to": id });
    visit.act(reply).await;
    visit.act(json!({ "action": "edit", "person": 77, "message": id, "text": "/start" })).await;
    let updates = visit.updates().await;
    assert_eq!(updates[0]["message"]["text"], text);
    assert_eq!(updates[1]["message"]["reply_to_message"]["message_id"], id);
    assert_eq!(updates[2]["edited_message"]["text"], "/start");
    assert_eq!(visit.changes(0).await["scene"]["people"][1]["started"], true);

    visit.act(json!({ "action": "block", "person": 77, "blocked": true })).await;
    let refused = visit.bot("sendMessage", json!({ "chat_id": 77, "text": "x" })).await.unwrap();
    assert_eq!(refused["description"], "Forbidden: bot was blocked by the user");
    visit.act(json!({ "action": "block", "person": 77, "blocked": false })).await;
    visit.act(json!({ "action": "read", "person": 77, "message": id })).await;
    let person = visit.changes(0).await["scene"]["people"][1].clone();
    assert_eq!((&person["blocked"], &person["read"]), (&json!(false), &id));
}

#[tokio::test]
async fn shows_the_commands_of_each_person() {
    let visit = Visit::begin().await;
    visit.sandbox.newcomer(43, "Борис").await;
    let set = |commands: Value, scope: Value| {
        visit.bot("setMyCommands", json!({ "commands": commands, "scope": scope }))
    };
    let start = json!([{ "command": "start", "description": "Начать" }]);
    let admin = json!([{ "command": "backup", "description": "Сделать бекап" }]);
    set(start.clone(), json!({ "type": "default" })).await.unwrap();
    set(admin.clone(), json!({ "type": "chat", "chat_id": 42 })).await.unwrap();
    let people = visit.changes(0).await["scene"]["people"].clone();
    assert_eq!((&people[0]["commands"], &people[1]["commands"]), (&admin, &start));
}

#[tokio::test]
async fn a_press_is_answered() {
    let visit = Visit::begin().await;
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": "go" }]] });
    let fields = json!({ "chat_id": 42, "text": "menu", "reply_markup": keyboard });
    let menu = visit.bot("sendMessage", fields).await.unwrap()["result"]["message_id"].clone();
    let press = json!({ "action": "press", "person": 42, "message": menu, "data": "go" });
    let query = visit.act(press).await["query"].clone();
    let update = visit.updates().await.remove(0)["callback_query"].clone();
    assert_eq!((&update["id"], &update["data"]), (&query, &json!("go")));
    assert_eq!(update["message"]["message_id"], menu);
    let before = visit.changes(0).await["revision"].as_u64().unwrap();
    let answer = json!({ "callback_query_id": query, "text": "Done", "show_alert": true });
    visit.bot("answerCallbackQuery", answer).await.unwrap();
    let answers = visit.changes(before).await["answers"].clone();
    assert_eq!(answers, json!([{ "id": query, "text": "Done", "alert": true }]));
}

#[tokio::test]
async fn refusals_are_told_as_telegram_words_them() {
    let visit = Visit::begin().await;
    let bad = json!({ "chat_id": 42, "text": "<b>", "parse_mode": "HTML" });
    visit.bot("sendMessage", bad).await.unwrap();
    visit.bot("sendMessage", json!({ "chat_id": 5, "text": "x" })).await.unwrap();
    let calls = visit.changes(0).await["calls"].clone();
    let told = calls[0]["answer"]["description"].as_str().unwrap();
    assert!(told.starts_with("Bad Request: can't parse entities"), "{told}");
    assert_eq!((&calls[0]["status"], &calls[0]["violation"]), (&json!(400), &json!(true)));
    assert_eq!(calls[1]["answer"]["description"], "Bad Request: chat not found");
    assert_eq!(calls[1]["violation"], false);
    visit.sandbox.expect_refusal("can't parse entities");
}

#[tokio::test]
async fn files_go_up_and_down() {
    let visit = Visit::begin().await;
    let query =
        "person=42&kind=document&name=%D0%BA%D0%BE%D0%BF%D0%B8%D1%8F%201%22.zip&caption=a%26b";
    assert_eq!(visit.upload(query, b"\x89PNG is no picture").await.0, 200);
    let message = visit.updates().await.remove(0)["message"].clone();
    let document = &message["document"];
    assert_eq!(
        (&message["caption"], &document["file_name"]),
        (&json!("a&b"), &json!("копия 1\".zip"))
    );
    let path = format!("api/files/{}/any.zip", document["file_id"].as_str().unwrap());
    let answer = visit.get(&path).await;
    let header =
        |answer: &Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(&answer, "content-type"), "application/octet-stream");
    let name = "attachment; filename*=UTF-8''%D0%BA%D0%BE%D0%BF%D0%B8%D1%8F%201%22.zip";
    assert_eq!(header(&answer, "content-disposition"), name);
    assert!(header(&answer, "content-security-policy").contains("sandbox"));
    assert_eq!(&answer.bytes().await.unwrap()[..], b"\x89PNG is no picture");
    let shown = visit.get(&format!("{path}?view=1")).await;
    assert_eq!(header(&shown, "content-type"), "image/png");

    assert_eq!(visit.upload("person=42&kind=document&name=page.html", b"<script>").await.0, 200);
    let html = visit.updates().await.remove(1)["message"]["document"]["file_id"].clone();
    let shown = visit.get(&format!("api/files/{}/p.html?view=1", html.as_str().unwrap())).await;
    assert_eq!(header(&shown, "content-type"), "application/octet-stream");
    assert_eq!(visit.get("api/files/none/x").await.status(), 404);
}

#[tokio::test]
async fn sends_every_kind_of_file_and_cards() {
    let visit = Visit::begin().await;
    let kinds =
        ["photo", "video", "animation", "audio", "voice", "video_note", "sticker", "document"];
    for kind in kinds {
        let query = format!("person=42&kind={kind}&name=a");
        assert_eq!(visit.upload(&query, b"x").await.0, 200, "{kind}");
    }
    let phone = json!({ "action": "contact", "person": 42, "phone": "+79000000000" });
    visit.act(phone).await;
    let place = json!({ "action": "location", "person": 42, "latitude": 55.5, "longitude": -37 });
    visit.act(place).await;
    let updates = visit.updates().await;
    for (update, kind) in updates.iter().zip(kinds.into_iter().chain(["contact", "location"])) {
        assert!(!update["message"][kind].is_null(), "{kind}: {update}");
    }
    assert_eq!(updates.len(), kinds.len() + 2);
}

#[tokio::test]
async fn faults_last_until_they_are_mended() {
    let visit = Visit::begin().await;
    let spoil = |fault: Value| visit.act(json!({ "action": "spoil", "fault": fault }));
    let mend = |kind: &str| visit.act(json!({ "action": "mend", "kind": kind }));
    let me =
        async || visit.bot("getMe", json!({})).await.map(|answer| answer["error_code"].clone());

    spoil(json!({ "kind": "busy", "seconds": 7 })).await;
    for _ in 0..2 {
        let busy = visit.bot("getMe", json!({})).await.unwrap();
        assert_eq!(busy["parameters"]["retry_after"], 7);
    }
    let shown = visit.changes(0).await["scene"]["faults"].clone();
    assert_eq!(shown, json!([{ "kind": "busy", "number": 7, "method": null, "times": null }]));
    mend("busy").await;
    spoil(json!({ "kind": "broken" })).await;
    assert_eq!(me().await.unwrap(), 500);
    mend("broken").await;
    assert_eq!(me().await.unwrap(), Value::Null);

    // One at a time: the newer takes the place of the older.
    spoil(json!({ "kind": "broken" })).await;
    let start = std::time::Instant::now();
    spoil(json!({ "kind": "slow", "seconds": 1 })).await;
    assert_eq!(me().await.unwrap(), Value::Null);
    assert!(start.elapsed().as_millis() >= 1000);
    mend("slow").await;
    assert_eq!(visit.changes(0).await["scene"]["faults"], json!([]));
}

#[tokio::test]
async fn a_server_that_is_down_cuts_who_waits() {
    let visit = Visit::begin().await;
    let waiting = visit.bot("getUpdates", json!({ "timeout": 50 }));
    let going_down = async {
        while visit.sandbox.calls_of("getUpdates").is_empty() {
            tokio::task::yield_now().await;
        }
        visit.act(json!({ "action": "spoil", "fault": { "kind": "down" } })).await;
    };
    let (cut, ()) = tokio::join!(waiting, going_down);
    cut.unwrap_err();
    visit.bot("getMe", json!({})).await.unwrap_err();
    visit.bot("getUpdates", json!({})).await.unwrap_err();
    let last = visit.changes(0).await["calls"][2].clone();
    assert_eq!((&last["status"], &last["open"]), (&json!(0), &json!(false)));
    // What a test has ordered for some calls is told apart.
    visit.sandbox.inject(Fault::DropAfter.on("sendMessage").times(2));
    visit.act(json!({ "action": "mend", "kind": "down" })).await;
    visit.bot("getMe", json!({})).await.unwrap();
    let faults = visit.changes(0).await["scene"]["faults"].clone();
    let planned = json!({ "kind": "drop_after", "number": 0, "method": "sendMessage", "times": 2 });
    assert_eq!(faults, json!([planned]));
}

/// Actions that nobody can do, with the status of the answer.
fn bad_actions(bot: i64) -> Vec<(u16, String)> {
    let long = "я".repeat(4097);
    vec![
        (400, String::new()),
        (400, "[]".into()),
        (400, "{\"action\":".into()),
        (400, json!({ "action": "explode" }).to_string()),
        (400, json!({ "action": "send", "person": 42 }).to_string()),
        (400, json!({ "action": "send", "person": "42", "text": "x" }).to_string()),
        (400, json!({ "action": "send", "person": 42, "text": " \n" }).to_string()),
        (400, json!({ "action": "send", "person": 42, "text": long }).to_string()),
        (400, json!({ "action": "send", "person": 42, "text": "a\0b" }).to_string()),
        (404, json!({ "action": "send", "person": 1, "text": "x" }).to_string()),
        (404, json!({ "action": "edit", "person": 42, "message": -1, "text": "x" }).to_string()),
        (404, json!({ "action": "block", "person": i64::MIN, "blocked": true }).to_string()),
        (400, json!({ "action": "press", "person": 42, "message": 1, "data": "" }).to_string()),
        (400, json!({ "action": "contact", "person": 42, "phone": "none" }).to_string()),
        (
            400,
            json!({ "action": "location", "person": 42, "latitude": 91, "longitude": 0 })
                .to_string(),
        ),
        (404, json!({ "action": "press", "person": 1, "message": 1, "data": "x" }).to_string()),
        (400, json!({ "action": "join", "name": "" }).to_string()),
        (400, json!({ "action": "join", "name": "x".repeat(65) }).to_string()),
        (400, json!({ "action": "join", "name": "x", "id": -5 }).to_string()),
        (400, json!({ "action": "join", "name": "x", "id": i64::MAX }).to_string()),
        (409, json!({ "action": "join", "name": "x", "id": 42 }).to_string()),
        (409, json!({ "action": "join", "name": "x", "id": bot }).to_string()),
        (400, json!({ "action": "spoil", "fault": { "kind": "slow", "seconds": 0 } }).to_string()),
        (400, json!({ "action": "spoil", "fault": { "kind": "flood" } }).to_string()),
        (413, "x".repeat(65 << 10)),
    ]
}

#[tokio::test]
async fn bad_actions_are_refused() {
    let visit = Visit::begin().await;
    for (status, body) in bad_actions(visit.sandbox.bot_id()) {
        let (found, reason) = visit.post(&body).await;
        assert_eq!(found, status, "{body:.200}: {reason}");
    }
    assert!(visit.sandbox.chat(42).messages.is_empty());
    visit.act(json!({ "action": "send", "person": 42, "text": "still here" })).await;
}

#[tokio::test]
async fn bad_files_are_refused() {
    let visit = Visit::begin().await;
    let caption = format!("person=42&kind=document&name=a&caption={}", "x".repeat(1025));
    for (status, query) in [
        (404, "person=1&kind=document&name=a"),
        (404, "person=x&kind=document&name=a"),
        (404, ""),
        (400, "person=42&kind=document&name="),
        (400, "person=42&kind=document&name=a%0Ab"),
        (400, "person=42&kind=spell&name=a"),
        (400, caption.as_str()),
        (400, "person=42&kind=sticker&name=a&caption=b"),
    ] {
        assert_eq!(visit.upload(query, b"x").await.0, status, "{query:.60}");
    }
    assert_eq!(visit.upload("person=42&kind=document&name=a", b"").await.0, 400);
    assert_eq!(visit.get("api/changes?since=x&&=&%").await.status(), 200);
    assert_eq!(visit.get("api/changes?since=99999999999999999999").await.status(), 200);
    assert!(visit.sandbox.chat(42).messages.is_empty());
}
