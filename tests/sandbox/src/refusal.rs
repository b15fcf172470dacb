//! An error answer of the Bot API.

use serde_json::{Value, json};

/// Why a request is refused, in the words of Telegram.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) description: String,
    /// Hints for a program.
    pub(crate) parameters: Option<Value>,
    /// Whether the bot broke a rule, rather than met an event of normal life.
    pub(crate) violation: bool,
}

impl Refusal {
    /// The bot broke a limit or the schema.
    pub(crate) fn broken(problem: impl AsRef<str>) -> Self {
        Self { violation: true, ..Self::met(400, format!("Bad Request: {}", problem.as_ref())) }
    }

    /// Something that may happen to a correct bot.
    pub(crate) fn met(status: u16, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), parameters: None, violation: false }
    }

    /// The chat is not known to the bot.
    pub(crate) fn chat_not_found() -> Self {
        Self::met(400, "Bad Request: chat not found")
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "ok": false, "error_code": self.status, "description": self.description,
        });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}
