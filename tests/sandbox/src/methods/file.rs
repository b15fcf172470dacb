//! `getFile`.

use serde_json::{Map, Value};

use super::{Outcome, text};
use crate::{files::DOWNLOAD_LIMIT, refusal::Refusal, state::State};

pub(super) fn get_file(state: &State, fields: &Map<String, Value>) -> Outcome {
    let id = text(fields, "file_id").unwrap_or_default();
    let file = state.files.get(id);
    let file = file.ok_or_else(|| Refusal::met(400, "Bad Request: invalid file id"))?;
    if file.bytes.len() > DOWNLOAD_LIMIT {
        return Err(Refusal::broken("file is too big"));
    }
    Ok(file.file())
}
