//! What systemd is told of a bot that is its service; without systemd nobody listens.

#[cfg(unix)]
pub(crate) use notices::{is_service, ready, stopping, watch};

#[cfg(unix)]
mod notices {
    use std::env;
    use std::time::Duration;

    use sd_notify::NotifyState;
    use tracing::warn;

    /// Whether systemd has started this program.
    pub(crate) fn is_service() -> bool {
        ["NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY"].iter().any(|name| env::var_os(name).is_some())
    }

    /// The bot does its work; how, `systemctl status` shows.
    pub(crate) fn ready(status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(&line(status))]);
    }

    /// The bot is about to end.
    pub(crate) fn stopping(status: &str) {
        tell(&[NotifyState::Stopping, NotifyState::Status(&line(status))]);
    }

    /// Shows to the end that the runtime is alive, twice in the time that systemd waits.
    pub(crate) fn watch() {
        let Some(patience) = sd_notify::watchdog_enabled() else { return };
        let mut beat = tokio::time::interval((patience / 2).max(Duration::from_millis(1)));
        tokio::spawn(async move {
            loop {
                beat.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }

    fn tell(notices: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(notices) {
            warn!(%error, "systemd was not told");
        }
    }

    /// A second line would be a notice of its own.
    fn line(status: &str) -> String {
        status.replace('\n', " ")
    }
}

#[cfg(not(unix))]
pub(crate) use silence::{is_service, ready, stopping, watch};

#[cfg(not(unix))]
mod silence {
    pub(crate) fn is_service() -> bool {
        false
    }

    pub(crate) fn ready(_status: &str) {}

    pub(crate) fn stopping(_status: &str) {}

    pub(crate) fn watch() {}
}
