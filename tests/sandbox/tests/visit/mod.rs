//! A page with its sandbox, for the tests of the page.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use telegram_sandbox::{Page, Sandbox};

/// A page with its sandbox and a client for both.
pub(crate) struct Visit {
    pub(crate) sandbox: Sandbox,
    pub(crate) page: Page,
    pub(crate) client: Client,
}

impl Visit {
    pub(crate) async fn begin() -> Self {
        let sandbox = Sandbox::start().await;
        sandbox.person(42, "Анна").await;
        let page = sandbox.serve_page(0).await.expect("a port");
        Self { sandbox, page, client: Client::new() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.page.address()))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, body: &str) -> (u16, Value) {
        let request = self.request(Method::POST, "api/actions").body(body.to_owned());
        answered(request.header("content-type", "application/json").send().await).await
    }

    pub(crate) async fn act(&self, action: Value) -> Value {
        let (status, answer) = self.post(&action.to_string()).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    pub(crate) async fn upload(&self, query: &str, bytes: &'static [u8]) -> (u16, Value) {
        let request = self.request(Method::POST, &format!("api/files?{query}")).body(bytes);
        answered(request.header("content-type", "application/octet-stream").send().await).await
    }

    pub(crate) async fn changes(&self, since: u64) -> Value {
        let text = self.get(&format!("api/changes?since={since}")).await.text().await;
        serde_json::from_str(&text.expect("a body")).expect("JSON")
    }

    /// Calls a method of the Bot API.
    pub(crate) async fn bot(&self, method: &str, fields: Value) -> Result<Value, reqwest::Error> {
        let url = format!("{}/bot{}/{method}", self.sandbox.url(), self.sandbox.token());
        let request = self.client.post(url).header("content-type", "application/json");
        let text = request.body(fields.to_string()).send().await?.text().await?;
        Ok(serde_json::from_str(&text).expect("JSON"))
    }

    pub(crate) async fn bot_says(&self, text: &str) -> Value {
        let sent = self.bot("sendMessage", json!({ "chat_id": 42, "text": text })).await;
        sent.expect("an answer")["result"].clone()
    }

    pub(crate) async fn updates(&self) -> Vec<Value> {
        let found = self.bot("getUpdates", json!({})).await.expect("an answer");
        found["result"].as_array().cloned().unwrap_or_default()
    }
}

async fn answered(answer: Result<Response, reqwest::Error>) -> (u16, Value) {
    let answer = answer.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The next server-sent event that is no sign of life.
pub(crate) async fn event(stream: &mut Response) -> Option<Value> {
    let mut text = String::new();
    while let Some(chunk) = stream.chunk().await.expect("a chunk") {
        text += std::str::from_utf8(&chunk).expect("UTF-8");
        let data = text.lines().find_map(|line| line.strip_prefix("data: "));
        if let Some(data) = data.filter(|_| text.ends_with("\n\n")) {
            return Some(serde_json::from_str(data).expect("JSON"));
        }
    }
    None
}

/// The next event that tells something of this name; what comes between is about running calls.
pub(crate) async fn event_with(stream: &mut Response, name: &str) -> Value {
    loop {
        let told = event(stream).await.expect("an event");
        let list = told[name].as_array();
        if list.map_or(!told[name].is_null(), |list| !list.is_empty()) {
            return told;
        }
    }
}

pub(crate) fn texts(changes: &Value) -> Vec<&str> {
    let messages = changes["messages"].as_array().expect("messages").iter();
    messages.filter_map(|one| one["message"]["text"].as_str()).collect()
}
