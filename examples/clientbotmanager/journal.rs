//! The log: lines on stderr, in the form that the system's journal shows well.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::settings::Mistake;

/// What the bot logs unless `RUST_LOG` says otherwise: teloxide's dispatcher is silent, because it
/// prints whole updates, and those belong to the clients.
pub(crate) const BOT: &str =
    "info,teloxide=warn,teloxide::dispatching::dispatcher=off,teloxide_backup=info";

/// What a command and the trial log: they tell the rest themselves.
pub(crate) const QUIET: &str = "warn";

/// The exit code of a mistake in the settings: systemd shows it as `CONFIG`, and does not restart.
const CONFIG: u8 = 78;

/// Begins the log; `RUST_LOG` goes before what is said here.
pub(crate) fn begin(logged: &str) {
    let logged = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(logged));
    let lines = tracing_subscriber::fmt().with_env_filter(logged).with_writer(io::stderr);
    if is_journal() {
        lines.event_format(JournalLine(Format::default().with_ansi(false).without_time())).init();
    } else {
        lines.with_ansi(io::stderr().is_terminal()).init();
    }
}

/// Says why the program cannot go on; gives its exit code.
pub(crate) fn last_word(error: &anyhow::Error) -> ExitCode {
    let priority = if is_journal() { "<3>" } else { "" };
    // where nobody reads it, nothing can be done about that
    let _ = writeln!(io::stderr(), "{priority}clientbotmanager: {error:#}");
    if error.is::<Mistake>() { ExitCode::from(CONFIG) } else { ExitCode::FAILURE }
}

/// A line for the journal, which has a clock of its own and reads the priority from the line.
struct JournalLine(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for JournalLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        // each line break would begin an entry without a priority
        writeln!(
            writer,
            "<{}>{}",
            priority(*event.metadata().level()),
            line.trim().replace('\n', " ")
        )
    }
}

/// The priority as syslog counts it.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// Whether stderr leads to the journal, and not only that of the program that started this one.
#[cfg(unix)]
fn is_journal() -> bool {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let Ok(journal) = std::env::var("JOURNAL_STREAM") else { return false };
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let metadata = stderr.and_then(|stderr| stderr.metadata());
    metadata.is_ok_and(|stderr| journal == format!("{}:{}", stderr.dev(), stderr.ino()))
}

/// Other systems have no such journal.
#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}
