//! The fields of a request: in its address and in a body of JSON or of a form.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use serde_json::{Map, Value, json};

use crate::{files::UPLOAD_LIMIT, refusal::Refusal, schema::Fields};

/// A request of the bot, decoded.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) fields: Map<String, Value>,
    /// Uploaded files by the name that `attach://` refers to.
    pub(crate) uploads: BTreeMap<String, Upload>,
}

/// An uploaded file.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) file_name: String,
    pub(crate) bytes: Bytes,
}

const JSON_LIMIT: usize = 4 << 20;

impl Incoming {
    /// Reads a body for a method with these fields.
    ///
    /// What could be read is given in any case, for the records.
    pub(crate) async fn read(request: Request, known: &Fields) -> (Self, Result<(), Refusal>) {
        let mut incoming = Self::default();
        let result = incoming.read_all(request, known).await;
        (incoming, result)
    }

    async fn read_all(&mut self, request: Request, known: &Fields) -> Result<(), Refusal> {
        self.read_pairs(request.uri().query().unwrap_or_default(), known)?;
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is = |wanted| kind.is_some_and(|kind| kind.starts_with(wanted));
        if is("multipart/form-data") {
            return self.read_form(request, known).await;
        }
        let urlencoded = is("application/x-www-form-urlencoded");
        let body = axum::body::to_bytes(request.into_body(), JSON_LIMIT).await;
        let body = body.map_err(|_| too_large())?;
        match std::str::from_utf8(&body) {
            Ok(pairs) if urlencoded => self.read_pairs(pairs, known),
            Ok(_) => self.read_json(&body),
            Err(_) => Err(Refusal::broken("strings must be encoded in UTF-8")),
        }
    }

    /// Reads `name=value&…`.
    fn read_pairs(&mut self, pairs: &str, known: &Fields) -> Result<(), Refusal> {
        for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let [name, value] = [name, value].map(|text| percent_decoded(&text.replace('+', " ")));
            let value = match known.types_of(&name) {
                Some(types) => typed(&name, value, types)?,
                None => value.into(),
            };
            self.fields.insert(name, value);
        }
        Ok(())
    }

    /// The fields for the records: files are shown as name and size.
    pub(crate) fn described(&self) -> Value {
        let mut fields = self.fields.clone();
        for value in fields.values_mut() {
            if let Some(upload) = self.upload(value) {
                *value = json!({ "file_name": upload.file_name, "size": upload.bytes.len() });
            }
        }
        fields.into()
    }

    /// The file that a value like `attach://name` refers to.
    pub(crate) fn upload(&self, value: &Value) -> Option<&Upload> {
        self.uploads.get(value.as_str()?.strip_prefix("attach://")?)
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if body.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => self.fields.extend(fields),
            Ok(Value::Null) => {}
            _ => return Err(Refusal::broken("can't parse JSON object")),
        }
        Ok(())
    }

    async fn read_form(&mut self, request: Request, known: &Fields) -> Result<(), Refusal> {
        let broken = || Refusal::broken("can't parse the multipart form");
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
        let mut size = 0;
        while let Some(mut field) = form.next_field().await.map_err(|_| broken())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = file_name(&field);
            let mut bytes = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
                size += chunk.len();
                // The rest is still read, so that the bot gets the answer.
                if size <= UPLOAD_LIMIT + JSON_LIMIT {
                    bytes.extend_from_slice(&chunk);
                }
            }
            self.take_part(name, file_name, bytes, known)?;
        }
        let files = self.uploads.values().map(|upload| upload.bytes.len());
        if size > UPLOAD_LIMIT + JSON_LIMIT || files.sum::<usize>() > UPLOAD_LIMIT {
            return Err(too_large());
        }
        self.refuse_stray_files()
    }

    fn take_part(
        &mut self,
        name: String,
        file_name: Option<String>,
        bytes: Vec<u8>,
        known: &Fields,
    ) -> Result<(), Refusal> {
        match (known.types_of(&name), file_name) {
            (Some(types), None) => {
                let text = String::from_utf8(bytes)
                    .map_err(|_| Refusal::broken("strings must be encoded in UTF-8"))?;
                let value = typed(&name, text, types)?;
                self.fields.insert(name, value);
            }
            (types, file_name) => {
                if types.is_some() {
                    self.fields.insert(name.clone(), format!("attach://{name}").into());
                }
                let file_name = file_name.unwrap_or_default();
                self.uploads.insert(name, Upload { file_name, bytes: bytes.into() });
            }
        }
        Ok(())
    }

    fn refuse_stray_files(&self) -> Result<(), Refusal> {
        let mut used = Vec::new();
        self.fields.values().for_each(|value| attached(value, &mut used));
        match self.uploads.keys().find(|name| !used.contains(&name.as_str())) {
            Some(name) => Err(Refusal::broken(format!("unknown field \"{name}\""))),
            None => Ok(()),
        }
    }
}

/// Collects the names of the uploads that a value refers to.
fn attached<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => names.extend(text.strip_prefix("attach://")),
        Value::Array(items) => items.iter().for_each(|item| attached(item, names)),
        Value::Object(fields) => fields.values().for_each(|field| attached(field, names)),
        _ => {}
    }
}

fn too_large() -> Refusal {
    Refusal { violation: true, ..Refusal::met(413, "Request Entity Too Large") }
}

/// Reads the text of a form's field as one of its documented types.
fn typed(name: &str, text: String, types: &[String]) -> Result<Value, Refusal> {
    let is = |wanted: &str| types.iter().any(|name| name == wanted);
    if is("Integer")
        && let Ok(number) = text.parse::<i64>()
    {
        return Ok(number.into());
    }
    if is("String") || is("InputFile") {
        return Ok(text.into());
    }
    if is("Boolean") {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => return Ok(true.into()),
            "false" | "no" | "0" => return Ok(false.into()),
            _ => {}
        }
    }
    if text == "null" {
        return Err(Refusal::broken(format!("field \"{name}\" is null")));
    }
    serde_json::from_str(&text)
        .map_err(|_| Refusal::broken(format!("can't parse field \"{name}\" as JSON")))
}

/// The name of an uploaded file; also from `filename*=utf-8''…`.
fn file_name(field: &Field<'_>) -> Option<String> {
    let header = field.headers().get(CONTENT_DISPOSITION)?;
    let header = String::from_utf8_lossy(header.as_bytes());
    let extended = header.to_ascii_lowercase().find("filename*=utf-8''");
    if let Some(start) = extended {
        let value = &header[start + "filename*=utf-8''".len()..];
        return Some(percent_decoded(value.split(';').next().unwrap_or_default().trim()));
    }
    field.file_name().map(ToOwned::to_owned)
}

/// Decodes `%D0%B0` and the like.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let decoded = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = decoded.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
