//! Where a conversation stands.

use serde::{Deserialize, Serialize};
use teloxide::prelude::Dialogue;

use crate::dialogue_storage::DialogueStorage;
use crate::editing::Draft;
use crate::order_form::{self, OrderForm};

/// The conversation with one person.
pub(crate) type Talk = Dialogue<State, DialogueStorage>;

/// What the next message of a person means.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) enum State {
    /// A button of the menu.
    #[default]
    Menu,
    /// An answer of the order form.
    Order(OrderForm),
    /// The number of an order to show.
    OrderNumber,
    /// The text of a review with this many stars.
    Review(u8),
    /// A word to the administrator.
    Support,
    /// A word of the administrator to this client.
    Reply(i64),
    /// A field of the contents that the administrator is writing.
    Editing(Draft),
}

impl State {
    /// What is said to who leaves here for the menu.
    pub(crate) fn farewell(&self) -> Option<&'static str> {
        Some(match self {
            Self::Menu => return None,
            Self::Order(_) => order_form::DROPPED,
            Self::OrderNumber | Self::Review(_) => "Хорошо, вернулись в меню.",
            Self::Support => "Разговор с поддержкой закончен. Понадобимся — мы рядом.",
            Self::Reply(_) => "Разговор с клиентом закончен.",
            Self::Editing(_) => "Хорошо, оставил как было.",
        })
    }

    /// The same as the beginning of what comes next.
    pub(crate) fn parting(&self) -> String {
        self.farewell().map_or_else(String::new, |farewell| format!("{farewell}\n\n"))
    }
}
