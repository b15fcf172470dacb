//! Whether a word to a client has arrived: some block the bot, some are gone.

use teloxide::{ApiError, RequestError};

/// Why Telegram does not deliver to this client, in the administrator's words; `None` if it was
/// not asked at all, or has not answered.
pub(crate) fn refusal(error: &RequestError) -> Option<String> {
    let RequestError::Api(error) = error else { return None };
    Some(match error {
        ApiError::BotBlocked => "клиент заблокировал бота".to_owned(),
        ApiError::UserDeactivated => "клиент удалил свой аккаунт".to_owned(),
        ApiError::ChatNotFound | ApiError::CantInitiateConversation => {
            "человек с таким ID ещё не писал боту".to_owned()
        }
        other => format!("Telegram отказал: {other}"),
    })
}
