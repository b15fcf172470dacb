//! What happens when a handler fails: the log gets the reason, the person gets a word.

use std::ops::ControlFlow;

use anyhow::{Error, Result};
use teloxide::RequestError;
use teloxide::dispatching::UpdateHandler;
use teloxide::prelude::*;
use teloxide::types::UpdateKind;
use tracing::error;

use crate::html::Bot;

const SORRY: &str = "😔 Что-то пошло не так. Попробуйте ещё раз чуть позже: /menu";

/// The same handler, whose errors are answered here.
pub(crate) fn around(inner: UpdateHandler<Error>) -> UpdateHandler<Error> {
    let (description, signature) = (inner.description().clone(), inner.sig().clone());
    let wrapped = move |deps: DependencyMap, next: dptree::Cont<'static, Result<()>>| {
        let inner = inner.clone();
        async move {
            let (bot, update) = (deps.get::<Bot>(), deps.get::<Update>());
            match inner.dispatch(deps).await {
                ControlFlow::Break(Err(error)) => {
                    error!(update = update.id.0, "{}", reason(&error));
                    apologize(&bot, &update).await;
                    ControlFlow::Break(Ok(()))
                }
                ControlFlow::Break(Ok(())) => ControlFlow::Break(Ok(())),
                ControlFlow::Continue(deps) => next(deps).await,
            }
        }
    };
    dptree::from_fn_with_description(description, wrapped, signature)
}

/// For an update that should have been handled, but was not: its dialogue cannot be read.
pub(crate) async fn unhandled(bot: Bot, update: Update) -> Result<()> {
    apologize(&bot, &update).await;
    Ok(())
}

async fn apologize(bot: &Bot, update: &Update) {
    if let UpdateKind::CallbackQuery(query) = &update.kind {
        // it may have been answered before the failure
        let _ = bot.answer_callback_query(query.id.clone()).await;
    }
    if let Some(chat) = update.chat()
        && let Err(error) = bot.send_message(chat.id, SORRY).await
    {
        error!(update = update.id.0, "no apology either: {}", reason(&error.into()));
    }
}

/// The error and its causes, without what people wrote.
pub(crate) fn reason(error: &Error) -> String {
    match error.downcast_ref() {
        Some(RequestError::InvalidJson { source, .. }) => format!("Telegram's answer: {source}"),
        _ => format!("{error:#}"),
    }
}
