//! All inline buttons, and the data that Telegram brings back when one is pressed.

use serde::{Deserialize, Serialize};
use teloxide::types::{CallbackQuery, InlineKeyboardButton};

use crate::contents::{Field, Topic};
use crate::menu::Entry;
use crate::orders::Status;

/// The longest data that Telegram takes, in bytes.
const LIMIT: usize = 64;

/// What a press of an inline button asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Button {
    /// Go to this entry of the menu.
    Open(Entry),
    /// Send the order of this form.
    SendOrder(String),
    /// Forget the order of this form.
    DropOrder(String),
    /// Show this order.
    ShowOrder(String),
    /// Turn to this page of the reviews.
    Reviews(usize),
    /// Begin a review.
    WriteReview,
    /// Give this many stars.
    Rate(u8),
    /// Go on in the price calculator with these answers.
    Price(Vec<bool>),
    /// Close the price calculator.
    ClosePrice,
    /// Turn to this page of the portfolio or the questions.
    Topic(Topic, usize),
    /// Show one piece of the contents.
    Piece(String),
    /// What the administrator alone may do.
    #[serde(rename = "A")]
    Admin(Task),
}

/// What a button of the administrator asks for; an order is named by its client and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    Menu,
    Backups,
    Statistics,
    /// Show the reviews that wait.
    Reviews,
    PublishReview(String),
    RejectReview(String),
    /// Turn to this page of the orders with this status.
    Orders(Option<Status>, usize),
    Order(i64, String),
    /// Show the status of the order, and what can be done.
    Panel(i64, String),
    OrderFile(i64, String),
    SetStatus(i64, String, Status),
    /// Ask whether to delete the order, and then delete it.
    AskDeleteOrder(i64, String),
    DeleteOrder(i64, String),
    Contents,
    /// Turn to this page of the pieces of a topic.
    Topic(Topic, usize),
    Piece(String),
    Add(Topic),
    Change(String, Field),
    /// Ask whether to delete the piece, and then delete it.
    AskDeletePiece(String),
    DeletePiece(String),
    /// Write to this client.
    Reply(i64),
}

/// How much of a name fits on a button.
const LABEL: usize = 40;

/// A name as a button shows it; there is no HTML in it.
pub(crate) fn label(name: &str) -> String {
    let mut letters = name.chars();
    let label: String = letters.by_ref().take(LABEL).collect();
    if letters.next().is_some() { label + "…" } else { label }
}

impl Button {
    /// The button as it is shown; `None` if its data is too long for Telegram.
    pub(crate) fn labelled(&self, label: impl Into<String>) -> Option<InlineKeyboardButton> {
        let data = serde_json::to_string(self).ok().filter(|data| data.len() <= LIMIT)?;
        Some(InlineKeyboardButton::callback(label, data))
    }

    /// The button of a press, unless it is forged or one of an older version of the bot.
    pub(crate) fn of(query: CallbackQuery) -> Option<Self> {
        serde_json::from_str(&query.data?).ok()
    }
}

impl Task {
    /// The button as it is shown; `None` if its data is too long for Telegram.
    pub(crate) fn labelled(self, label: impl Into<String>) -> Option<InlineKeyboardButton> {
        Button::Admin(self).labelled(label)
    }
}

#[cfg(test)]
mod tests {
    use teloxide::types::InlineKeyboardButtonKind;

    use super::*;

    /// Telegram promises that ids stay below this.
    const HIGHEST_ID: i64 = 1 << 52;

    #[test]
    fn the_longest_data_fit_and_come_back_as_the_same_button() {
        let id = || "deadbeef".to_owned();
        for button in [
            Button::Price(vec![false; 3]),
            Button::Topic(Topic::Portfolio, 1_000_000),
            Button::Admin(Task::SetStatus(HIGHEST_ID, id(), Status::Waiting)),
            Button::Admin(Task::AskDeleteOrder(HIGHEST_ID, id())),
            Button::Admin(Task::Orders(Some(Status::Waiting), 1_000_000)),
        ] {
            let shown = button.labelled("").expect("it fits").kind;
            let InlineKeyboardButtonKind::CallbackData(data) = shown else { panic!("no data") };
            assert_eq!(serde_json::from_str::<Button>(&data).ok(), Some(button));
        }
        assert_eq!(Button::ShowOrder("x".repeat(60)).labelled(""), None);
    }
}
