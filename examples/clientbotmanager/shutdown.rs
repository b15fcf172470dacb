//! The end of the bot: Ctrl-C, `systemctl stop`, `docker stop`.

use std::io;

use tokio_util::sync::CancellationToken;
use tracing::info;

/// The exit code of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Is cancelled when somebody asks the bot to end. A second Ctrl-C ends it at once.
pub(crate) fn on_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    let mut sigterm = Sigterm::new()?;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => info!("stopping; press Ctrl-C again to end at once"),
            () = sigterm.received() => info!("stopping"),
        }
        asked.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
    });
    Ok(stop)
}

#[cfg(unix)]
struct Sigterm(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Sigterm {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).map(Self)
    }

    async fn received(&mut self) {
        self.0.recv().await;
    }
}

/// Other systems have Ctrl-C alone.
#[cfg(not(unix))]
struct Sigterm;

#[cfg(not(unix))]
impl Sigterm {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn received(&mut self) {
        std::future::pending().await
    }
}
