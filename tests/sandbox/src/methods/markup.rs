//! `reply_markup`: keyboards and their limits.

use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// A checked `reply_markup`.
#[derive(Debug, Default)]
pub(super) struct Markup {
    pub(super) inline: Option<Value>,
    pub(super) other: Option<Value>,
}

/// What a button does; exactly one of them.
const ACTIONS: [&str; 10] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// Reads and checks the keyboard of a request.
pub(super) fn markup(fields: &Map<String, Value>) -> Result<Markup, Refusal> {
    let Some(markup) = fields.get("reply_markup").filter(|markup| !markup.is_null()) else {
        return Ok(Markup::default());
    };
    if let Some(rows) = markup.get("inline_keyboard").and_then(Value::as_array) {
        return Ok(Markup { inline: inline(rows)?, other: None });
    }
    let mut markup = markup.clone();
    if let Some(rows) = markup.get_mut("keyboard").and_then(Value::as_array_mut) {
        rows.iter_mut().filter_map(Value::as_array_mut).flatten().for_each(spell_out);
        let buttons = rows.iter().filter_map(Value::as_array).flatten();
        check_texts(buttons, "keyboard")?;
        if rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty)) {
            return Err(Refusal::broken("object expected as reply markup"));
        }
    }
    Ok(Markup { inline: None, other: Some(markup) })
}

/// Makes an object of a button that is only a text.
fn spell_out(button: &mut Value) {
    if let Some(text) = button.as_str() {
        *button = serde_json::json!({ "text": text });
    }
}

/// Checks an inline keyboard; rows without buttons are left out.
fn inline(rows: &[Value]) -> Result<Option<Value>, Refusal> {
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row.as_array().is_some_and(|row| !row.is_empty()))
        .cloned()
        .collect();
    let buttons: Vec<_> = rows.iter().filter_map(Value::as_array).flatten().collect();
    check_texts(buttons.iter().copied(), "inline keyboard")?;
    if buttons.len() > 100 {
        return Err(Refusal::broken("REPLY_MARKUP_TOO_LONG"));
    }
    for button in &buttons {
        check_button(button)?;
    }
    Ok((!rows.is_empty()).then(|| serde_json::json!({ "inline_keyboard": rows })))
}

fn check_texts<'a>(
    buttons: impl Iterator<Item = &'a Value>,
    keyboard: &str,
) -> Result<(), Refusal> {
    for button in buttons {
        let text = button.get("text").and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            let problem = format!("can't parse {keyboard} button: Button text must be non-empty");
            return Err(Refusal::broken(problem));
        }
    }
    Ok(())
}

fn check_button(button: &Value) -> Result<(), Refusal> {
    let actions =
        ACTIONS.iter().filter(|action| button.get(**action).is_some_and(|it| !it.is_null()));
    match actions.count() {
        1 => {}
        0 => {
            return Err(Refusal::broken(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ));
        }
        _ => {
            return Err(Refusal::broken(
                "can't parse inline keyboard button: exactly one action is allowed",
            ));
        }
    }
    if let Some(data) = button.get("callback_data").and_then(Value::as_str)
        && !(1..=64).contains(&data.len())
    {
        return Err(Refusal::broken("BUTTON_DATA_INVALID"));
    }
    if let Some(url) = button.get("url").and_then(Value::as_str)
        && !["http://", "https://", "tg://"].iter().any(|scheme| url.starts_with(scheme))
    {
        return Err(Refusal::broken("BUTTON_URL_INVALID"));
    }
    let copied = button.pointer("/copy_text/text").and_then(Value::as_str);
    if copied.is_some_and(|text| !(1..=256).contains(&crate::html::utf16_len(text))) {
        return Err(Refusal::broken("BUTTON_COPY_TEXT_INVALID"));
    }
    Ok(())
}
