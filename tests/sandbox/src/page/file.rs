//! Files up from the page and down to it.

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{
        HeaderName, StatusCode, Uri,
        header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Door,
    action::{Refused, person},
    query,
};
use crate::{file_kind::FileKind, files::UPLOAD_LIMIT, html::utf16_len};

const CAPTION_LIMIT: usize = 1024;
const NAME_LIMIT: usize = 255;

/// Sends the body as a file: `?person=42&kind=document&name=…&caption=…`.
pub(super) async fn upload(State(door): State<Door>, request: Request) -> Response {
    match take(&door, request).await {
        Ok(result) => ([(CONTENT_TYPE, "application/json")], result.to_string()).into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn take(door: &Door, request: Request) -> Result<Value, Refused> {
    let uri = request.uri().clone();
    let id = query::value(&uri, "person").parse().unwrap_or_default();
    let person = person(&door.core, id)?;
    let (name, caption) = (query::value(&uri, "name"), query::value(&uri, "caption"));
    if name.is_empty() || name.len() > NAME_LIMIT || name.contains(char::is_control) {
        return Err((StatusCode::BAD_REQUEST, "a file has a name of up to 255 bytes"));
    }
    let Some(kind) = FileKind::of_field(&query::value(&uri, "kind")) else {
        return Err((StatusCode::BAD_REQUEST, "there is no such kind of file"));
    };
    if utf16_len(&caption) > CAPTION_LIMIT || !(caption.is_empty() || kind.takes_caption()) {
        return Err((StatusCode::BAD_REQUEST, "a caption has up to 1024 letters, a sticker none"));
    }
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "a file has up to 50 MB");
    let bytes = to_bytes(request.into_body(), UPLOAD_LIMIT).await.map_err(|_| too_large)?;
    if bytes.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "the file is empty"));
    }
    let message = person.send_file(kind, &name, bytes, &caption).await;
    Ok(json!({ "id": message }))
}

/// Gives a file that was sent, to be saved or, with `?view=1`, to be shown.
pub(super) async fn download(
    State(door): State<Door>,
    Path((id, _)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let found = door.core.read(|state| state.files.get(&id).cloned());
    let Some(file) = found else { return StatusCode::NOT_FOUND.into_response() };
    let shown = media_type(&file.bytes).filter(|_| !query::value(&uri, "view").is_empty());
    let place = if shown.is_some() { "inline" } else { "attachment" };
    let headers: [(HeaderName, String); 3] = [
        (CONTENT_TYPE, shown.unwrap_or("application/octet-stream").to_owned()),
        (CONTENT_DISPOSITION, format!("{place}; filename*=UTF-8''{}", encoded(&file.name))),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    (headers, Body::from(file.bytes)).into_response()
}

/// The type of what a browser may show, by its first bytes.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let at =
        |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let kinds: [(usize, &[u8], &str); 9] = [
        (0, b"\x89PNG", "image/png"),
        (0, b"\xff\xd8\xff", "image/jpeg"),
        (0, b"GIF8", "image/gif"),
        (8, b"WEBP", "image/webp"),
        (4, b"ftyp", "video/mp4"),
        (0, b"\x1a\x45\xdf\xa3", "video/webm"),
        (0, b"OggS", "audio/ogg"),
        (0, b"ID3", "audio/mpeg"),
        (8, b"WAVE", "audio/wav"),
    ];
    kinds.into_iter().find(|(offset, mark, _)| at(*offset, mark)).map(|(_, _, kind)| kind)
}

/// A name for a header.
fn encoded(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let letter = |byte: u8| {
        if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    name.bytes().map(letter).collect()
}
