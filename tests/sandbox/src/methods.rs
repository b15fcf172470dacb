//! The methods of the Bot API, one by one.

mod callback;
mod commands;
mod content;
mod copy;
mod delete;
mod edit;
mod file;
mod markup;
mod media;
mod menu_button;
mod poll;
mod send;

use serde_json::{Map, Value, json};

use crate::{
    card::CardJson, core::Core, file_kind::FileKind, refusal::Refusal, request::Incoming,
    state::State,
};

/// The answer of a method: its `result`, or why it is refused.
pub(crate) type Outcome = Result<Value, Refusal>;

/// Lets a method take effect.
pub(crate) async fn run(core: &Core, method: &str, request: &Incoming) -> Outcome {
    if method == "getUpdates" {
        return poll::get_updates(core, &request.fields).await;
    }
    core.change(|state| run_at_once(state, method, request))
}

fn run_at_once(state: &mut State, method: &str, request: &Incoming) -> Outcome {
    let fields = &request.fields;
    match method {
        "getMe" => Ok(me(state)),
        "sendMessage" => send::send_message(state, fields),
        "sendMediaGroup" => media::send_group(state, request),
        "sendContact" => send::send_card(state, fields, CardJson::told_contact(fields)),
        "sendLocation" => send::send_card(state, fields, CardJson::told_location(fields)),
        "copyMessage" => copy::copy_message(state, fields),
        "forwardMessage" => copy::forward_message(state, fields),
        "sendChatAction" => send::send_chat_action(state, fields),
        "editMessageText" => edit::edit_message_text(state, fields),
        "editMessageCaption" => edit::edit_message_caption(state, fields),
        "editMessageReplyMarkup" => edit::edit_message_reply_markup(state, fields),
        "deleteMessage" => delete::delete_message(state, fields),
        "deleteMessages" => delete::delete_messages(state, fields),
        "answerCallbackQuery" => callback::answer_callback_query(state, fields),
        "getFile" => file::get_file(state, fields),
        "setMyCommands" => commands::set(state, fields),
        "getMyCommands" => commands::get(state, fields),
        "deleteMyCommands" => commands::delete(state, fields),
        "setChatMenuButton" => menu_button::set(state, fields),
        "getChatMenuButton" => menu_button::get(state, fields),
        "getWebhookInfo" => Ok(json!({
            "url": "", "has_custom_certificate": false,
            "pending_update_count": state.queue.len(),
        })),
        "deleteWebhook" => {
            if flag(fields, "drop_pending_updates") {
                state.queue.confirm(i64::MAX);
            }
            Ok(true.into())
        }
        _ => match sent_kind(method) {
            Some(kind) => media::send(state, request, kind),
            None => Err(not_served()),
        },
    }
}

/// The kind of file that a method like `sendVideoNote` sends.
fn sent_kind(method: &str) -> Option<FileKind> {
    let name = method.strip_prefix("send")?;
    FileKind::ALL.into_iter().find(|kind| kind.field().replace('_', "").eq_ignore_ascii_case(name))
}

/// The refusal of a method that the sandbox doesn't have.
pub(crate) fn not_served() -> Refusal {
    Refusal { violation: true, ..Refusal::met(404, "Not Found: method not found") }
}

fn me(state: &State) -> Value {
    let mut me = state.bot_user();
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", true),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[name] = value.into();
    }
    me
}

/// A text field; none if it is absent.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn flag(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn integer(fields: &Map<String, Value>, name: &str) -> Option<i64> {
    fields.get(name).and_then(Value::as_i64)
}
