//! `sendPhoto`, `sendDocument` and the like, and `sendMediaGroup`.

use serde_json::{Map, Value};

use super::{
    Outcome,
    content::CAPTION,
    send::{prepare, publish},
    text,
};
use crate::{
    file_kind::FileKind,
    files::{PHOTO_LIMIT, UPLOAD_LIMIT, is_picture},
    message::Message,
    refusal::Refusal,
    request::{Incoming, Upload},
    state::State,
};

/// Sends a file that the field of this kind names.
pub(super) fn send(state: &mut State, request: &Incoming, kind: FileKind) -> Outcome {
    let mut message = prepare(state, &request.fields, &CAPTION)?;
    message.file = Some(file(state, request, &request.fields, kind.field(), kind)?);
    Ok(publish(state, message))
}

/// Sends an album; nobody sees anything of it unless all of it is right.
pub(super) fn send_group(state: &mut State, request: &Incoming) -> Outcome {
    let media = request.fields.get("media").and_then(Value::as_array);
    let items: Vec<_> = media.into_iter().flatten().filter_map(Value::as_object).collect();
    check_album(&items)?;
    let mut messages = Vec::new();
    for item in items {
        let mut message = album_item(state, request, item)?;
        let first = messages.first().map_or(message.id, |first: &Message| first.id);
        message.album = Some(format!("{}", 13_000_000_000_000_000 + first));
        messages.push(message);
    }
    Ok(messages.into_iter().map(|message| publish(state, message)).collect())
}

fn check_album(items: &[&Map<String, Value>]) -> Result<(), Refusal> {
    if items.is_empty() {
        return Err(Refusal::broken("there are no messages to send"));
    }
    if items.len() > 10 {
        return Err(Refusal::broken("too many messages to send as an album"));
    }
    for alone in ["audio", "document"] {
        let count = items.iter().filter(|item| text(item, "type") == Some(alone)).count();
        if count != 0 && count != items.len() {
            let problem = format!("{alone} can't be mixed with other media types");
            return Err(Refusal::broken(problem));
        }
    }
    Ok(())
}

/// A message of an album that nobody sees yet.
fn album_item(
    state: &mut State,
    request: &Incoming,
    item: &Map<String, Value>,
) -> Result<Message, Refusal> {
    let name = text(item, "type").unwrap_or_default();
    let kind = FileKind::of_field(name)
        .ok_or_else(|| Refusal::broken(format!("the sandbox doesn't know {name} in an album")))?;
    let mut fields = request.fields.clone();
    fields.extend(item.clone());
    let mut message = prepare(state, &fields, &CAPTION)?;
    message.file = Some(file(state, request, item, "media", kind)?);
    Ok(message)
}

/// The id of the file to send: a new upload or one that Telegram has.
fn file(
    state: &mut State,
    request: &Incoming,
    fields: &Map<String, Value>,
    field: &str,
    kind: FileKind,
) -> Result<String, Refusal> {
    let value = fields.get(field).unwrap_or(&Value::Null);
    let Some(upload) = request.upload(value) else {
        return stored(state, value.as_str().unwrap_or_default(), kind);
    };
    check_upload(upload, kind)?;
    let name = if upload.file_name.is_empty() { "file" } else { &upload.file_name };
    Ok(state.files.add(kind, name, upload.bytes.clone(), fields))
}

fn check_upload(upload: &Upload, kind: FileKind) -> Result<(), Refusal> {
    let size = upload.bytes.len();
    if size == 0 {
        return Err(Refusal::broken("file must be non-empty"));
    }
    if size > UPLOAD_LIMIT {
        return Err(Refusal::broken("file is too big"));
    }
    if kind == FileKind::Photo && size > PHOTO_LIMIT {
        return Err(Refusal::broken(format!(
            "file of size {size} bytes is too big for a photo; the maximum size is {PHOTO_LIMIT} bytes"
        )));
    }
    if kind == FileKind::Photo && !is_picture(&upload.bytes) {
        return Err(Refusal::broken("IMAGE_PROCESS_FAILED"));
    }
    Ok(())
}

/// A file that Telegram has: it stays what it was first sent as.
fn stored(state: &State, id: &str, kind: FileKind) -> Result<String, Refusal> {
    let Some(file) = state.files.get(id) else {
        return Err(match id {
            _ if id.starts_with("attach://") => Refusal::broken("no such file is attached"),
            _ if id.starts_with("http://") || id.starts_with("https://") => {
                Refusal::met(400, "Bad Request: failed to get HTTP URL content")
            }
            _ => Refusal::met(400, "Bad Request: wrong file identifier/HTTP URL specified"),
        });
    };
    // Telegram keeps photos apart; a video that is sent as a document stays a video.
    if (file.kind == FileKind::Photo) != (kind == FileKind::Photo) {
        let (real, wanted) = (file.kind.type_name(), kind.type_name());
        return Err(Refusal::broken(format!("can't use file of type {real} as {wanted}")));
    }
    Ok(file.id.clone())
}
