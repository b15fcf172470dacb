//! The way to Telegram: the token, the server, and the wait until it answers.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result};
use teloxide::prelude::*;
use teloxide::types::Me;
use teloxide::{ApiError, RequestError, net};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::apology::reason;
use crate::settings::mistake;
use crate::{html, systemd};

const TOKEN: &str = "TELOXIDE_TOKEN";
const SERVER: &str = "TELOXIDE_API_URL";
const PROXY: &str = "TELOXIDE_PROXY";

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The bot that the token belongs to; `None` where there is no token.
pub(crate) fn bot() -> Result<Option<Bot>> {
    let token = token()?;
    if token.is_empty() && systemd::is_service() {
        return Err(mistake(format!("{TOKEN} is empty: it is what @BotFather gave you")));
    }
    Ok(if token.is_empty() { None } else { Some(connect(token)?) })
}

/// A bot that never speaks, for the commands: where there is a token, it says whose the backups are.
pub(crate) fn silent_bot() -> Bot {
    Bot::new(token().unwrap_or_default())
}

/// The token of the environment, or else the one that systemd keeps for its service.
fn token() -> Result<String> {
    let mut token = env::var(TOKEN).unwrap_or_default();
    if token.trim().is_empty()
        && let Some(folder) = env::var_os("CREDENTIALS_DIRECTORY")
    {
        token = fs::read_to_string(Path::new(&folder).join(TOKEN))
            .map_err(|error| mistake(format!("the credential {TOKEN}: {error}")))?;
    }
    Ok(token.trim().to_owned())
}

fn connect(token: String) -> Result<Bot> {
    // teloxide panics for an address that is none
    address_of(PROXY)?;
    let bot = Bot::with_client(token, net::client_from_env());
    match address_of(SERVER)? {
        Some(server) => Ok(bot.set_api_url(server.parse().context(SERVER)?)),
        None => Ok(bot),
    }
}

/// An address that the environment names.
fn address_of(name: &str) -> Result<Option<String>> {
    let Some(address) = env::var_os(name) else { return Ok(None) };
    let address = address.to_string_lossy().trim_end_matches('/').to_owned();
    let is_server = address.parse().is_ok_and(|url| {
        let bot = Bot::new("").set_api_url(url);
        ["http", "https"].contains(&bot.api_url().scheme())
    });
    if is_server {
        return Ok(Some(address));
    }
    Err(mistake(format!("{name} is no address that begins with http:// or https://")))
}

/// Asks until Telegram answers who this bot is; `None` if the bot is to stop before that.
pub(crate) async fn answer(bot: &html::Bot, stop: &CancellationToken) -> Result<Option<Me>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(answer) = stop.run_until_cancelled(async { bot.get_me().await }).await else {
            return Ok(None);
        };
        let error = match answer {
            Ok(me) => return Ok(Some(me)),
            Err(error) => error,
        };
        if let RequestError::Api(ApiError::InvalidToken) = error {
            let server = bot.inner().api_url();
            return Err(mistake(format!("{TOKEN}: {server} does not know this token")));
        }
        let wait = wait_after(&error, pause);
        unreachable(&error, wait);
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return Ok(None);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn wait_after(error: &RequestError, pause: Duration) -> Duration {
    match error {
        RequestError::RetryAfter(seconds) => seconds.duration(),
        _ => pause,
    }
}

/// The service is up without Telegram too: the scheduled backups are made.
fn unreachable(error: &RequestError, wait: Duration) {
    let reason = reason(&error.clone().into());
    warn!("Telegram does not answer, asking again in {} s: {reason}", wait.as_secs());
    systemd::ready(&format!("Waiting for Telegram, scheduled backups are made: {reason}"));
}

/// Logs why no updates come; the polling goes on by itself, with growing pauses.
pub(crate) async fn no_updates(error: RequestError) {
    warn!("no updates from Telegram: {}", reason(&error.into()));
}
