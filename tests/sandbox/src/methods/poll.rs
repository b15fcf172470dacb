//! `getUpdates`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Outcome, integer};
use crate::{core::Core, refusal::Refusal, state::State};

const CONFLICT: &str = "Conflict: terminated by other getUpdates request; make sure that only one \
    bot instance is running";

/// Waits for updates; a newer call of it ends an older one.
pub(super) async fn get_updates(core: &Core, fields: &Map<String, Value>) -> Outcome {
    let limit = integer(fields, "limit").unwrap_or(100);
    let limit = usize::try_from(limit.clamp(1, 100)).unwrap_or(100);
    let seconds = integer(fields, "timeout").unwrap_or(0).clamp(0, 50);
    let turn = core.change(|state| begin(state, fields));
    let found = core.until(Duration::from_secs(seconds.unsigned_abs()), |state| {
        if state.queue.turn != turn {
            return Some(Err(Refusal::met(409, CONFLICT)));
        }
        let updates = state.queue.batch(limit);
        if updates.is_empty() && !state.closing {
            return None;
        }
        state.note_delivered(&updates);
        Some(Ok(updates.into()))
    });
    found.await.unwrap_or_else(|| Ok(Value::Array(Vec::new())))
}

/// Confirms older updates and takes the turn from an older call.
fn begin(state: &mut State, fields: &Map<String, Value>) -> u64 {
    if let Some(kinds) = fields.get("allowed_updates").and_then(Value::as_array) {
        state.queue.allow(kinds.iter().filter_map(|kind| kind.as_str().map(ToOwned::to_owned)));
    }
    if let Some(offset) = integer(fields, "offset") {
        state.queue.confirm(offset);
    }
    state.queue.turn += 1;
    state.queue.turn
}
