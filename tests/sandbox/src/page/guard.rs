//! Who may talk to the page: only itself, in a browser on this machine.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Nothing from elsewhere, nothing inline, in no frame.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Turns strangers away and puts the headers of safety on every answer.
pub(super) async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    let mut response = match refusal(port, &request) {
        Some((status, reason)) => (status, reason).into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = headers.entry(header::CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static(POLICY));
    response
}

/// Why a request is turned away, if it is.
fn refusal(port: u16, request: &Request) -> Option<(StatusCode, &'static str)> {
    let headers = request.headers();
    let host = text(headers, "host").unwrap_or_default();
    let ours = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}"));
    // A name of somebody else that leads to this machine is DNS rebinding.
    let address = request.uri().authority();
    let named = |name: &str| ours.iter().any(|own| own == name);
    if !named(host) || address.is_some_and(|address| !named(address.as_str())) {
        return Some((StatusCode::FORBIDDEN, "wrong Host"));
    }
    if text(headers, "origin").is_some_and(|origin| origin != format!("http://{host}")) {
        return Some((StatusCode::FORBIDDEN, "wrong Origin"));
    }
    let stranger = text(headers, "sec-fetch-site")
        .is_some_and(|site| !["same-origin", "none"].contains(&site));
    if stranger && request.uri().path().starts_with("/api/") {
        return Some((StatusCode::FORBIDDEN, "wrong Sec-Fetch-Site"));
    }
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    (!reads && !is_scripted(headers))
        .then_some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong Content-Type"))
}

/// Whether the content has a type that a form of another site cannot send.
fn is_scripted(headers: &HeaderMap) -> bool {
    let kind = text(headers, "content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/octet-stream"].contains(&kind)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}
