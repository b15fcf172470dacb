//! The HTTP side: routes, faults and the records of calls.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State as Shared},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, HOST, ORIGIN},
    },
    response::Response,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    connection::{Loopback, Switch},
    core::Core,
    fault::{Fault, is_down, take_fault},
    methods,
    refusal::Refusal,
    request::{Incoming, percent_decoded},
    schema::{Fields, schema},
};

/// Longer than any sandbox lives.
pub(crate) const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Serves until the state says that it is closing.
pub(crate) async fn serve(listener: TcpListener, core: Arc<Core>) {
    let router = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&core));
    let service = router.into_make_service_with_connect_info::<Switch>();
    let closing = async move {
        core.until(FOREVER, |state| state.closing.then_some(())).await;
    };
    let _ = axum::serve(Loopback(listener), service).with_graceful_shutdown(closing).await;
}

/// Answers every request: `/bot<token>/<method>` or `/file/bot<token>/<path>`.
async fn answer(
    Shared(core): Shared<Arc<Core>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    if is_from_browser(request.headers()) {
        return refused(&Refusal::met(403, "Forbidden: only bots are answered here"));
    }
    let path = percent_decoded(request.uri().path());
    let (is_file, rest) = match path.strip_prefix("/file/bot") {
        Some(rest) => (true, rest),
        None => (false, path.strip_prefix("/bot").unwrap_or_default()),
    };
    let Some((token, target)) = rest.split_once('/') else {
        return refused(&Refusal::met(404, "Not Found"));
    };
    if core.read(|state| state.bot.token != token) {
        return refused(&Refusal::met(401, "Unauthorized"));
    }
    if is_file {
        return download(&core, &switch, target).await;
    }
    match schema().method(target) {
        Some((method, fields)) => call(&core, &switch, method, fields, request).await,
        None => unknown(&core, target),
    }
}

/// Whether a website sends this: the token is well known, and a page could act as the bot.
fn is_from_browser(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    // A name of somebody else that leads to this machine is DNS rebinding.
    !["127.0.0.1", "localhost"].contains(&name)
        || headers.contains_key(ORIGIN)
        || headers.contains_key("sec-fetch-site")
}

/// A call that is being answered; ends its records even if the bot hangs up.
struct Running<'a> {
    core: &'a Core,
    counted: bool,
    number: u64,
}

impl<'a> Running<'a> {
    fn begin(core: &'a Core, method: &str, fields: Value) -> Self {
        let counted = method != "getUpdates";
        let number = core.change(|state| {
            if counted {
                state.journal.in_progress += 1;
                state.journal.activity += 1;
            }
            let revision = state.next_revision();
            state.journal.begin(method, fields, revision)
        });
        Self { core, counted, number }
    }

    fn record(&self, status: u16, answer: &Value) {
        self.core.change(|state| state.journal.end(self.number, status, answer));
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.core.change(|state| {
            let revision = state.next_revision();
            state.journal.close(self.number, revision);
            if self.counted {
                state.journal.in_progress = state.journal.in_progress.saturating_sub(1);
                state.journal.activity += 1;
            }
        });
    }
}

/// Calls a method.
async fn call(
    core: &Core,
    switch: &Switch,
    method: &'static str,
    known: &Fields,
    request: Request,
) -> Response {
    let (incoming, readable) = Incoming::read(request, known).await;
    let running = Running::begin(core, method, incoming.described());
    let fault = core.change(|state| take_fault(&mut state.faults, method));
    let outcome = match met(fault, switch).await {
        Some(Err(refusal)) => Err(refusal),
        Some(Ok(())) => return cut_off(),
        None => match readable.and_then(|()| check(known, &incoming)) {
            Ok(()) => {
                let work = methods::run(core, method, &incoming);
                let Some(outcome) = unless_down(core, work).await else {
                    switch.cut();
                    return cut_off();
                };
                outcome
            }
            Err(refusal) => Err(refusal),
        },
    };
    if let Err(refusal) = &outcome {
        let fields = incoming.described();
        core.change(|state| state.journal.refuse(running.number, method, &fields, refusal));
    }
    if fault == Some(Fault::DropAfter) {
        switch.cut();
        return cut_off();
    }
    let (status, body) = match outcome {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    running.record(status, &body);
    if let Some(Fault::Page(_)) = fault {
        return gateway_page(status);
    }
    json_response(status, &body)
}

/// Gives up work that waits, like `getUpdates`, when the server goes down.
async fn unless_down<T>(core: &Core, work: impl Future<Output = T>) -> Option<T> {
    let down = core.until(FOREVER, |state| is_down(&state.faults).then_some(()));
    tokio::select! {
        biased;
        result = work => Some(result),
        _ = down => None,
    }
}

fn check(known: &Fields, incoming: &Incoming) -> Result<(), Refusal> {
    schema().check(known, &incoming.fields).map_err(Refusal::broken)
}

/// Lets a fault happen before a call; `Ok` when there is no answer at all.
async fn met(fault: Option<Fault>, switch: &Switch) -> Option<Result<(), Refusal>> {
    let fault = fault?;
    match fault {
        Fault::Drop => {
            switch.cut();
            return Some(Ok(()));
        }
        Fault::Delay(time) => tokio::time::sleep(time).await,
        _ => {}
    }
    refusal_for(fault).map(Err)
}

/// The error answer of a fault, if it has one.
fn refusal_for(fault: Fault) -> Option<Refusal> {
    match fault {
        Fault::TooManyRequests { retry_after } => {
            let text = format!("Too Many Requests: retry after {retry_after}");
            let parameters = Some(json!({ "retry_after": retry_after }));
            Some(Refusal { parameters, ..Refusal::met(429, text) })
        }
        Fault::MigratedTo(chat) => {
            let text = "Bad Request: group chat was upgraded to a supergroup chat";
            let parameters = Some(json!({ "migrate_to_chat_id": chat }));
            Some(Refusal { parameters, ..Refusal::met(400, text) })
        }
        Fault::Status(status) | Fault::Page(status) => {
            let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reason = code.canonical_reason().unwrap_or("Internal Server Error");
            Some(Refusal::met(code.as_u16(), reason))
        }
        Fault::Refuse { status, description } => Some(Refusal::met(status, description)),
        Fault::Drop | Fault::DropAfter | Fault::Delay(_) => None,
    }
}

/// A method that the sandbox doesn't serve.
fn unknown(core: &Core, method: &str) -> Response {
    let refusal = methods::not_served();
    let running = Running::begin(core, method, Value::Null);
    core.change(|state| state.journal.refuse(running.number, method, &Value::Null, &refusal));
    running.record(refusal.status, &refusal.body());
    refused(&refusal)
}

/// Gives the content of a file.
async fn download(core: &Core, switch: &Switch, path: &str) -> Response {
    let running = Running::begin(core, "download", json!({ "file_path": path }));
    let fault = core.change(|state| take_fault(&mut state.faults, "download"));
    let found = core.read(|state| state.files.at_path(path).map(|file| file.bytes.clone()));
    match met(fault, switch).await {
        Some(Err(refusal)) => {
            running.record(refusal.status, &refusal.body());
            return refused(&refusal);
        }
        Some(Ok(())) => return cut_off(),
        None if fault == Some(Fault::DropAfter) => {
            switch.cut();
            return cut_off();
        }
        None => {}
    }
    let Some(bytes) = found else {
        let refusal = Refusal::met(404, "Not Found");
        running.record(404, &refusal.body());
        return refused(&refusal);
    };
    running.record(200, &json!({ "size": bytes.len() }));
    Response::new(Body::from(bytes))
}

fn refused(refusal: &Refusal) -> Response {
    json_response(refusal.status, &refusal.body())
}

/// What nobody gets to see, since the connection is cut.
fn cut_off() -> Response {
    Response::new(Body::empty())
}

/// What a gateway says in the place of the server behind it.
fn gateway_page(status: u16) -> Response {
    let page = "<html>\r\n<head><title>Bad Gateway</title></head>\r\n</html>\r\n";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = axum::http::HeaderValue::from_static("text/html");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn json_response(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = axum::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
