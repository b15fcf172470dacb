//! Files that people and the bot have uploaded.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::file_kind::FileKind;

/// The largest file that a bot may upload.
pub(crate) const UPLOAD_LIMIT: usize = 50 << 20;
/// The largest file that a bot may upload as a photo.
pub(crate) const PHOTO_LIMIT: usize = 10 << 20;
/// The largest file that a bot may download.
pub(crate) const DOWNLOAD_LIMIT: usize = 20 << 20;

/// What a bot may tell about a file that it uploads.
const TOLD: [&str; 7] = ["width", "height", "length", "duration", "performer", "title", "emoji"];

/// All files by their id.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, StoredFile>);

/// A file that Telegram keeps.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) unique_id: String,
    pub(crate) kind: FileKind,
    pub(crate) name: String,
    /// The path for a download.
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
    /// Sizes, duration and the like.
    details: Map<String, Value>,
}

impl Files {
    /// Keeps a new file; `fields` may tell its duration and the like. Gives its id.
    pub(crate) fn add(
        &mut self,
        kind: FileKind,
        name: &str,
        bytes: Bytes,
        fields: &Map<String, Value>,
    ) -> String {
        let number = self.0.len();
        let id = format!("BQACAgIAAxkDAAI{number:06}Sandbox");
        let mut details = kind.made_up();
        let told = TOLD.into_iter().filter_map(|name| fields.get_key_value(name));
        let told = told.filter(|(_, value)| !value.is_null());
        details.extend(told.map(|(name, value)| (name.clone(), value.clone())));
        let file = StoredFile {
            id: id.clone(),
            unique_id: format!("AgAD{number:06}"),
            kind,
            name: name.to_owned(),
            path: format!("{}/file_{number}{}", kind.folder(), path_ending(name)),
            bytes,
            details,
        };
        self.0.insert(id.clone(), file);
        id
    }

    pub(crate) fn get(&self, id: &str) -> Option<&StoredFile> {
        self.0.get(id)
    }

    pub(crate) fn at_path(&self, path: &str) -> Option<&StoredFile> {
        self.0.values().find(|file| file.path == path)
    }
}

impl StoredFile {
    /// Writes the file into a `Message`.
    pub(crate) fn write(&self, message: &mut Value) {
        let shown = self.shown(self.kind);
        message[self.kind.field()] = match self.kind {
            FileKind::Photo => json!([shown]),
            _ => shown,
        };
        if self.kind == FileKind::Animation {
            message["document"] = self.shown(FileKind::Document);
        }
    }

    /// The file as a `File`, which `getFile` gives.
    pub(crate) fn file(&self) -> Value {
        let mut file = self.identity();
        file["file_path"] = self.path.clone().into();
        file
    }

    /// The file as a `Video`, a `Document` and so on.
    fn shown(&self, kind: FileKind) -> Value {
        let mut shown = self.identity();
        if kind.shows_name() {
            shown["file_name"] = self.name.clone().into();
        }
        if kind.shows_mime_type() {
            shown["mime_type"] = self.mime_type().into();
        }
        for (name, value) in self.details.iter().filter(|_| kind == self.kind) {
            shown[name] = value.clone();
        }
        shown
    }

    fn identity(&self) -> Value {
        json!({
            "file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.bytes.len(),
        })
    }

    pub(crate) fn mime_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("zip") => "application/zip",
            Some("json") => "application/json",
            Some("pdf") => "application/pdf",
            Some("txt") => "text/plain",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("png") => "image/png",
            Some("gif") => "image/gif",
            Some("webp") => "image/webp",
            Some("mp4") => "video/mp4",
            Some("webm") => "video/webm",
            Some("ogg" | "oga") => "audio/ogg",
            Some("mp3") => "audio/mpeg",
            Some("m4a") => "audio/mp4",
            _ => self.kind.mime_type(),
        }
    }
}

/// The ending of a name with its dot, if it is fit for a path.
fn path_ending(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, ending)) if ending.bytes().all(|letter| letter.is_ascii_alphanumeric()) => {
            format!(".{ending}")
        }
        _ => String::new(),
    }
}

/// Whether these bytes begin like a picture that Telegram takes as a photo.
pub(crate) fn is_picture(bytes: &[u8]) -> bool {
    let begins: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM"];
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    webp || begins.iter().any(|begin| bytes.starts_with(begin))
}
