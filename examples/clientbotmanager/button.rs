//! All inline buttons, and the data that Telegram brings back when one is pressed.

use teloxide::types::{CallbackQuery, InlineKeyboardButton};

/// The longest data that Telegram takes, in bytes.
const LIMIT: usize = 64;

/// What a press of an inline button asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    /// Send the order of this form.
    SendOrder(String),
    /// Forget the order of this form.
    DropOrder(String),
    /// Show this order.
    ShowOrder(String),
    /// Begin a review.
    WriteReview,
    /// Give this many stars.
    Rate(u8),
    /// Publish this waiting review.
    PublishReview(String),
    /// Reject this waiting review.
    RejectReview(String),
}

impl Button {
    /// The button as it is shown; `None` if its data is too long for Telegram.
    pub(crate) fn labelled(&self, label: impl Into<String>) -> Option<InlineKeyboardButton> {
        let data = self.data();
        (data.len() <= LIMIT).then(|| InlineKeyboardButton::callback(label, data))
    }

    /// The button of a press, unless it is one of an older version of the bot.
    pub(crate) fn of(query: CallbackQuery) -> Option<Self> {
        Self::parse(&query.data?)
    }

    fn data(&self) -> String {
        match self {
            Self::SendOrder(form) => format!("order:send:{form}"),
            Self::DropOrder(form) => format!("order:drop:{form}"),
            Self::ShowOrder(id) => format!("order:show:{id}"),
            Self::WriteReview => "review:write".to_owned(),
            Self::Rate(stars) => format!("review:rate:{stars}"),
            Self::PublishReview(id) => format!("review:publish:{id}"),
            Self::RejectReview(id) => format!("review:reject:{id}"),
        }
    }

    fn parse(data: &str) -> Option<Self> {
        let mut parts = data.splitn(3, ':');
        let (topic, action, detail) = (parts.next()?, parts.next()?, parts.next());
        Some(match (topic, action, detail) {
            ("order", "send", Some(form)) => Self::SendOrder(form.to_owned()),
            ("order", "drop", Some(form)) => Self::DropOrder(form.to_owned()),
            ("order", "show", Some(id)) => Self::ShowOrder(id.to_owned()),
            ("review", "write", None) => Self::WriteReview,
            ("review", "rate", Some(stars)) => {
                Self::Rate(stars.parse().ok().filter(|stars| (1..=5).contains(stars))?)
            }
            ("review", "publish", Some(id)) => Self::PublishReview(id.to_owned()),
            ("review", "reject", Some(id)) => Self::RejectReview(id.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_back_as_the_same_button() {
        let id = || "a:b".to_owned();
        for button in [
            Button::SendOrder(id()),
            Button::DropOrder(id()),
            Button::ShowOrder(id()),
            Button::WriteReview,
            Button::Rate(5),
            Button::PublishReview(id()),
            Button::RejectReview(id()),
        ] {
            assert_eq!(Button::parse(&button.data()), Some(button));
        }
        for forged in ["", "order", "order:send", "review:rate:6", "review:rate:-1", "x:y:z"] {
            assert_eq!(Button::parse(forged), None, "{forged}");
        }
    }
}
