//! A group that the bot is a member of.

use crate::{
    shown::{Chat, Shown},
    waiting::View,
};

/// A group; people write in it with [`Person::say_in_group`](crate::Person::say_in_group).
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) view: View,
}

impl Group {
    /// Id of the group.
    pub fn id(&self) -> i64 {
        self.view.chat
    }

    /// The chat of the group as it is now.
    pub fn chat(&self) -> Chat {
        self.view.chat()
    }

    /// Waits for a message of the bot, like [`Person::wait_for`](crate::Person::wait_for).
    pub async fn wait_for(&self, substring: &str) -> Shown {
        self.view.wait_for(substring).await
    }

    /// Waits until a look at the chat gives something.
    pub async fn wait_until<T>(&self, look: impl FnMut(&Chat) -> Option<T>) -> T {
        self.view.wait_until(look).await
    }
}
