//! `answerCallbackQuery`.

use serde_json::{Map, Value};

use super::{Outcome, flag, text};
use crate::{callback::Answer, html::utf16_len, refusal::Refusal, state::State};

const TOO_LATE: &str =
    "Bad Request: query is too old and response timeout expired or query id is invalid";

pub(super) fn answer_callback_query(state: &mut State, fields: &Map<String, Value>) -> Outcome {
    let words = text(fields, "text").filter(|text| !text.is_empty());
    if words.is_some_and(|words| utf16_len(words) > 200) {
        return Err(Refusal::broken("MESSAGE_TOO_LONG"));
    }
    if text(fields, "url").is_some_and(|url| !url.is_empty() && !url.contains("t.me/")) {
        return Err(Refusal::broken("URL_INVALID"));
    }
    let id = text(fields, "callback_query_id").unwrap_or_default();
    let revision = state.next_revision();
    let query = state.callbacks.get_mut(id);
    match query.filter(|query| query.answer.is_none() && !query.expired) {
        Some(query) => {
            query.revision = revision;
            query.answer = Some(Answer {
                text: words.map(ToOwned::to_owned),
                show_alert: flag(fields, "show_alert"),
            });
            Ok(true.into())
        }
        None => Err(Refusal::met(400, TOO_LATE)),
    }
}
