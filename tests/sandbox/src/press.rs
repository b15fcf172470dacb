//! The press of an inline button.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use crate::{callback::Answer, person::Person, state::State, waiting::View};

/// A press; awaiting it gives the answer of the bot.
///
/// A button that is shown already is pressed at once. Otherwise the person
/// waits for it first, once the press is awaited.
#[derive(Debug, Clone)]
#[must_use = "await the answer of the bot"]
pub struct Press {
    view: View,
    person: i64,
    step: Step,
}

#[derive(Debug, Clone)]
enum Step {
    /// The newest message with this button, when there is one.
    Button(String),
    /// This callback query.
    Done(String),
}

impl Press {
    pub(crate) fn button(person: &Person, text: &str) -> Self {
        let view = person.view.clone();
        let found = view.core.change(|state| press_newest(state, person.id(), view.chat, text));
        let step = found.map_or_else(|| Step::Button(text.to_owned()), Step::Done);
        Self { view, person: person.id(), step }
    }

    pub(crate) fn data(person: &Person, chat: i64, message: i64, data: &str) -> Self {
        let view = View { chat, ..person.view.clone() };
        let id = view.core.change(|state| state.press(person.id(), chat, message, data));
        Self { view, person: person.id(), step: Step::Done(id) }
    }

    /// The answer of the bot, if it comes within this time.
    pub async fn answer_within(self, limit: Duration) -> Option<Answer> {
        let Self { view, person, step } = self;
        let id = match step {
            Step::Done(id) => id,
            Step::Button(text) => {
                let pressed = view
                    .core
                    .until(view.core.patience(), |state| {
                        press_newest(state, person, view.chat, &text)
                    })
                    .await;
                let Some(id) = pressed else { view.fail(&format!("no button {text:?} to press")) };
                // The queue has changed: wake the bot.
                view.core.change(|_| ());
                id
            }
        };
        let answer = |state: &mut State| state.callbacks.get(&id)?.answer.clone();
        view.core.until(limit, answer).await
    }
}

impl IntoFuture for Press {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let view = self.view.clone();
            let answer = self.answer_within(view.core.patience()).await;
            answer.unwrap_or_else(|| view.fail("the bot did not answer the press of a button"))
        })
    }
}

/// Presses the newest button with this label.
fn press_newest(state: &mut State, person: i64, chat: i64, text: &str) -> Option<String> {
    let shown = crate::shown::Chat::of(state, chat);
    let found = shown.visible().rev().find_map(|message| {
        let data = message.button(text)?.data.clone()?;
        Some((message.id, data))
    });
    let (message, data) = found?;
    Some(state.press(person, chat, message, &data))
}
