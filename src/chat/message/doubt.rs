//! What the administrator reads when a restore left something else than the backup holds.

use super::{Message, counted, undo_button};
use crate::service::{Cause, Difference, Doubt, RestoreFailed, Restored};
use crate::text::{Text, Value};

/// It is done, but nobody can say that it is right.
pub(super) fn doubtful(text: &Text, restored: &Restored, doubt: &Doubt) -> Message {
    let name = restored.info.id.to_string();
    let mut parts = vec![text.say("restore-doubtful", &[("name", Value::Raw(&name))])];
    match &doubt.found {
        Ok(difference) => parts.push(differing(text, "difference-counts", difference)),
        Err(error) => {
            let detail = error.chain();
            let id = if doubt.is_of_the_data() { "restore-unreadable" } else { "restore-unread" };
            parts.push(text.say(id, &[("detail", Value::Text(&detail))]));
        }
    }
    parts.push(match doubt.cause {
        Cause::Written => text.say("doubt-written", &[]),
        Cause::Origin => text.say("doubt-origin", &[]),
        Cause::Chosen => text.say("doubt-chosen", &[]),
        Cause::NoWayBack => text.say("doubt-no-way-back", &[]),
    });
    let keyboard = restored.undo.as_ref().map(|undo| undo_button(text, undo));
    Message { html: parts.join("\n\n"), keyboard }
}

/// In what the data are not those of the backup.
fn differing(text: &Text, counts: &str, difference: &Difference) -> String {
    let Difference { archived, live, altered } = difference;
    let mut lines = Vec::new();
    if !archived.is_empty() {
        let values = [
            ("archived", Value::Raw(&text.records(archived))),
            ("live", Value::Raw(&text.records(live))),
        ];
        lines.push(text.say(counts, &values));
    }
    lines.extend(counted(text, "difference-contents", altered));
    lines.join("\n")
}

/// All is as it was, since the restore left something else than the backup holds.
pub(super) fn rolled_back(text: &Text, failed: &RestoreFailed, difference: &Difference) -> Message {
    let mut parts = if *difference == Difference::default() {
        let detail = failed.error.chain();
        let of_data = failed.is_of_the_data();
        let id = if of_data { "rolled-back-unreadable" } else { "rolled-back-unread" };
        vec![text.say(id, &[("detail", Value::Text(&detail))])]
    } else {
        vec![text.say("rolled-back", &[]), differing(text, "rolled-back-counts", difference)]
    };
    let left = failed.undo.as_ref();
    // an undo that was taken back may have left nothing: then the button is its own
    let kept = left.filter(|left| left.kept);
    parts.extend(kept.map(|_| text.say("rolled-back-left", &[])));
    Message { html: parts.join("\n\n"), keyboard: left.map(|left| undo_button(text, left)) }
}
