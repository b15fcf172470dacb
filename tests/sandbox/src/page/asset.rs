//! The plain files of the page, carried within the program.

use axum::{
    body::Body,
    http::{StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../page/", $name)))),*]
    };
}

/// Names and contents.
const ASSETS: &[(&str, &[u8])] = assets![
    "index.html",
    "icon.svg",
    "look.css",
    "layout.css",
    "message.css",
    "controls.css",
    "panel.css",
    "main.js",
    "actions.js",
    "calls.js",
    "chat.js",
    "commands.js",
    "composer.js",
    "deeplink.js",
    "dialog.js",
    "element.js",
    "entities.js",
    "faults.js",
    "files.js",
    "inline.js",
    "keyboard.js",
    "live.js",
    "media.js",
    "message.js",
    "people.js",
    "person.js",
    "route.js",
    "store.js",
    "theme.js",
    "toast.js",
    "typing.js",
    "words.js",
];

/// Gives a file of the page.
pub(super) async fn get(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    match ASSETS.iter().find(|(known, _)| *known == name) {
        Some((_, bytes)) => ([(CONTENT_TYPE, kind(name))], Body::from(*bytes)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    }
}
