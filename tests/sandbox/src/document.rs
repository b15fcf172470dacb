//! Files that people and the bot have uploaded.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Value, json};

/// The largest file that a bot may upload.
pub(crate) const UPLOAD_LIMIT: usize = 50 << 20;
/// The largest file that a bot may download.
pub(crate) const DOWNLOAD_LIMIT: usize = 20 << 20;

/// All files by their id.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, StoredFile>);

/// A file that Telegram keeps.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) unique_id: String,
    pub(crate) name: String,
    /// The path for a download.
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
}

impl Files {
    /// Keeps a new file and gives its id.
    pub(crate) fn add(&mut self, name: &str, bytes: Bytes) -> String {
        let number = self.0.len();
        let id = format!("BQACAgIAAxkDAAI{number:06}Sandbox");
        let file = StoredFile {
            id: id.clone(),
            unique_id: format!("AgAD{number:06}"),
            name: name.to_owned(),
            path: format!("documents/file_{number}"),
            bytes,
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
    /// The file as a `Document`.
    pub(crate) fn document(&self) -> Value {
        json!({
            "file_id": self.id, "file_unique_id": self.unique_id,
            "file_size": self.bytes.len(), "file_name": self.name,
            "mime_type": self.mime_type(),
        })
    }

    /// The file as a `File`, which `getFile` gives.
    pub(crate) fn file(&self) -> Value {
        json!({
            "file_id": self.id, "file_unique_id": self.unique_id,
            "file_size": self.bytes.len(), "file_path": self.path,
        })
    }

    fn mime_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("zip") => "application/zip",
            Some("json") => "application/json",
            Some("txt") => "text/plain",
            _ => "application/octet-stream",
        }
    }
}
