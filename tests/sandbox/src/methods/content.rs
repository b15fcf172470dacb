//! Text and captions: parsing and limits.

use serde_json::{Map, Value};

use super::text;
use crate::{
    html::{Formatted, utf16_len},
    refusal::Refusal,
};

/// Which text of a request, with its names and limit.
pub(super) struct Slot {
    pub(super) field: &'static str,
    entities: &'static str,
    limit: usize,
    too_long: &'static str,
}

pub(super) const TEXT: Slot =
    Slot { field: "text", entities: "entities", limit: 4096, too_long: "message is too long" };
pub(super) const EDITED_TEXT: Slot = Slot { too_long: "MESSAGE_TOO_LONG", ..TEXT };
pub(super) const CAPTION: Slot = Slot {
    field: "caption",
    entities: "caption_entities",
    limit: 1024,
    too_long: "message caption is too long",
};

/// Parses the text of a request and checks its length.
pub(super) fn formatted(fields: &Map<String, Value>, slot: &Slot) -> Result<Formatted, Refusal> {
    let raw = text(fields, slot.field).unwrap_or_default();
    let parsed = match text(fields, "parse_mode") {
        Some(mode) if mode.eq_ignore_ascii_case("html") => Formatted::html(raw)
            .map_err(|problem| Refusal::broken(format!("can't parse entities: {problem}")))?,
        Some("") | None => {
            Formatted { entities: listed_entities(fields, slot), ..Formatted::plain(raw) }
        }
        Some(_) => {
            return Err(Refusal::broken("unsupported parse_mode (the sandbox knows HTML only)"));
        }
    };
    if utf16_len(&parsed.plain) > slot.limit {
        return Err(Refusal::broken(slot.too_long));
    }
    if parsed.plain.chars().any(|letter| letter == '\0') {
        return Err(Refusal::broken("text must not contain null characters"));
    }
    Ok(parsed)
}

fn listed_entities(fields: &Map<String, Value>, slot: &Slot) -> Vec<Value> {
    fields.get(slot.entities).and_then(Value::as_array).cloned().unwrap_or_default()
}
