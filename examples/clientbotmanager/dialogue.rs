//! Where a conversation stands.

use serde::{Deserialize, Serialize};
use teloxide::prelude::Dialogue;

use crate::dialogue_storage::DialogueStorage;
use crate::order_form::OrderForm;

/// The conversation with one client.
pub(crate) type Talk = Dialogue<State, DialogueStorage>;

/// What the next message of a client means.
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
}
