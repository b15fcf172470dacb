//! The end of the bot when the system asks for it: `systemctl stop`, `docker stop`.

use std::time::Duration;

use anyhow::Result;
use teloxide::dispatching::ShutdownToken;

/// Ends the dispatching on SIGTERM; what is being handled is handled first.
#[cfg(unix)]
pub(crate) fn on_sigterm(dispatching: ShutdownToken) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut sigterm = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        sigterm.recv().await;
        while dispatching.shutdown().is_err() {
            // the dispatching has not begun yet
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    Ok(())
}

/// Other systems have Ctrl-C alone.
#[cfg(not(unix))]
pub(crate) fn on_sigterm(_dispatching: ShutdownToken) -> Result<()> {
    Ok(())
}
