//! The command line: the same use cases without Telegram, for cron, for deploys, and for the day on
//! which the bot does not start.

pub(crate) mod arguments;
mod message;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::backup::{BackupId, BackupInfo, Trigger};
use crate::error::{Error, ErrorKind};
use crate::service::{Cause, Chosen, Inspection, Listed, RestoreFailed, Restored, Save, Service};
use crate::text::{Language, Text};
use arguments::{Question, Request};

/// The program's work is done.
const DONE: u8 = 0;
/// It could not be done.
const FAILED: u8 = 1;
/// Nobody knows what the arguments mean.
const MISUSED: u8 = 2;
/// A backup is damaged, or this program cannot read it, or it is over a limit.
const UNFIT: u8 = 3;
/// Another program is at work on the backups.
const BUSY: u8 = 4;

/// What a person or a script asks of the backups on a command line.
///
/// | arguments | what they do |
/// |---|---|
/// | `backup` | makes a backup and prints its path on the last line |
/// | `list` | prints a line for each backup, the newest first; its name is the first word |
/// | `verify [FILE]` | reads a backup to its end as a restore would; all of them without `FILE` |
/// | `restore FILE` | replaces the bot's data, after saving what is live |
/// | `help` | prints all this |
///
/// `FILE` is a name from `list`, or the path of an archive that lies anywhere. Where standard input
/// is a terminal, `restore` asks before it changes anything, unless it is given `--yes`; elsewhere it
/// asks nothing. With `--force` it goes on where the live data cannot be read, and so cannot be saved
/// first.
///
/// A folder that is missing is made by `restore`, and by `backup` at a terminal. In a script a
/// `backup` fails: the folder may be on a disk that is not mounted, and nobody is looking.
///
/// Results go to standard output, reasons to standard error. The exit code is 0 when it is done, 1
/// when it could not be done, 2 for arguments that make no sense, 3 for a backup that is damaged,
/// not fit for this program or over one of its limits, 4 when another program is at work on the backups and did not end
/// within a minute.
///
/// It may run beside the bot: one lock keeps the two from changing the backups at once. The data are
/// the source's to keep: a database on a disk is shared with the bot, a state in memory is not, and
/// restoring into one that ends with the command line changes nothing.
///
/// ```no_run
/// # use std::{process::ExitCode, sync::Arc};
/// # use teloxide_backup::{BackupCommand, BackupPlugin, Shared};
/// # #[derive(Clone, serde::Serialize, serde::Deserialize)] struct Shop {}
/// # #[tokio::main] async fn main() -> ExitCode {
/// # let source = Shared::new(Arc::new(tokio::sync::RwLock::new(Shop {})));
/// // no token is needed for this
/// let bot = teloxide::Bot::new(std::env::var("TELOXIDE_TOKEN").unwrap_or_default());
/// let backup = BackupPlugin::builder(bot, source).folder("backups");
/// if let Some(command) = BackupCommand::parse(std::env::args_os().skip(1)) {
///     return backup.run(command).await;
/// }
/// // without arguments it is the bot
/// # ExitCode::SUCCESS }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupCommand(Request);

impl BackupCommand {
    /// Reads the arguments that follow the program's name; `None` where there are none. Arguments
    /// that make no sense are a command too: it explains itself, and ends with exit code 2.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        arguments::read(arguments).map(Self)
    }

    /// Answers what needs no bot, `help` and arguments that make no sense; `None` for the others.
    /// For a program that must read settings or open a database before it has a builder;
    /// [`run`](crate::BackupPluginBuilder::run) answers them as well.
    #[must_use]
    pub fn explain(&self, language: Language) -> Option<ExitCode> {
        let Request::Explain(question) = &self.0 else { return None };
        let text = Text::new(language, &[], Vec::new()).ok()?.plain();
        Some(explain(&text, question).into())
    }

    pub(crate) async fn run(self, service: &Service, text: &Text) -> ExitCode {
        let code = match self.0 {
            Request::BackUp => back_up(service, text).await,
            Request::List => list(service, text).await,
            Request::Verify(None) => verify_all(service, text).await,
            Request::Verify(Some(file)) => {
                let outcome = service.verify(find(service, &file).await).await;
                verdict(text, &file.to_string_lossy(), outcome)
            }
            Request::Restore { file, yes, force } => {
                restore(service, text, &file, yes, force).await
            }
            Request::Explain(question) => explain(text, &question),
        };
        code.into()
    }
}

/// Says why a command could not even begin.
pub(crate) fn refuse(error: &Error) -> ExitCode {
    complain(&error.chain());
    FAILED.into()
}

/// Makes the folder, if it is missing. What only reads makes none, and a script that backs up
/// neither: it may be a disk that is not mounted, and nobody is looking.
async fn prepare(service: &Service) -> Result<(), Error> {
    let step = format!("write to «{}»", service.storage_name());
    // a storage may wait there
    let working = service.clone();
    let prepared = tokio::task::spawn_blocking(move || working.prepare()).await;
    let prepared = prepared.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    prepared.map_err(|error| Error::storage(step, error))
}

async fn back_up(service: &Service, text: &Text) -> u8 {
    if io::stderr().is_terminal()
        && let Err(error) = prepare(service).await
    {
        return failed(&message::backup_failed(text, &error), &error);
    }
    match service.back_up(Trigger::Manual).await {
        Ok(report) => {
            if let Some(error) = &report.cleanup {
                complain(&message::uncleaned(text, error));
            }
            print(&message::backup_done(text, &report));
            DONE
        }
        Err(error) => failed(&message::backup_failed(text, &error), &error),
    }
}

async fn list(service: &Service, text: &Text) -> u8 {
    match service.list(0, usize::MAX).await {
        Ok(page) if page.lines.is_empty() => {
            complain(&message::no_backups(text));
            DONE
        }
        Ok(page) => {
            page.lines.iter().for_each(|line| print(&message::line(text, line, &page)));
            DONE
        }
        Err(error) => failed(&message::list_failed(text, &error), &error),
    }
}

async fn verify_all(service: &Service, text: &Text) -> u8 {
    let page = match service.list(0, usize::MAX).await {
        Ok(page) => page,
        Err(error) => return failed(&message::list_failed(text, &error), &error),
    };
    let mut worst = None;
    for line in page.lines {
        let (Listed::Good(BackupInfo { id, .. }) | Listed::Damaged { id, .. }) = line;
        let name = id.to_string();
        let outcome = service.verify(Chosen::Stored(id)).await;
        // the bot may have removed an old one meanwhile
        if !outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            worst = worst.max(Some(verdict(text, &name, outcome)));
        }
    }
    worst.unwrap_or_else(|| {
        // a script that relies on backups must hear that there is none
        complain(&message::no_backups(text));
        FAILED
    })
}

fn verdict(text: &Text, name: &str, outcome: Result<BackupInfo, Error>) -> u8 {
    match outcome {
        Ok(info) => {
            print(&message::verified(text, name, &info));
            DONE
        }
        Err(error) => failed(&message::unfit(text, name, &error), &error),
    }
}

async fn restore(service: &Service, text: &Text, file: &Path, yes: bool, force: bool) -> u8 {
    if let Err(error) = prepare(service).await {
        return unrestored(text, &error.into());
    }
    match service.cut_off().await {
        Ok(None) => {}
        Ok(Some(cut_off)) => complain(&message::interrupted(text, &program(), &cut_off)),
        Err(error) => return unrestored(text, &error.into()),
    }
    let name = file.to_string_lossy();
    let chosen = find(service, file).await;
    let inspection = match service.inspect(chosen.clone()).await {
        Ok(inspection) => inspection,
        Err(error) => return failed(&message::unfit(text, &name, &error), &error),
    };
    if let Err(error) = &inspection.live
        && !force
    {
        return failed(&message::unsaved(text, error), error);
    }
    if let Some(refusal) = refusal(text, yes, &name, &inspection).await {
        complain(&refusal);
        return FAILED;
    }
    let save = if inspection.live.is_ok() { Save::First } else { Save::GiveUp };
    match replace(service, chosen, inspection.data_sha256, save, force).await {
        Ok(restored) => {
            print(&message::restore_done(text, &program(), &name, &restored));
            // what another program has made may lawfully differ; what else does is not done
            let lawful = restored.doubt.as_ref().is_none_or(|doubt| doubt.cause == Cause::Origin);
            if lawful { DONE } else { FAILED }
        }
        Err(failure) if failure.may_be_given_up() => {
            failed(&message::unsaved(text, &failure.error), &failure.error)
        }
        Err(error) => unrestored(text, &error),
    }
}

/// Live data may be counted, and yet come back as other data, or not at all: then it cannot be saved
/// either.
async fn replace(
    service: &Service,
    chosen: Chosen,
    data_sha256: String,
    save: Save,
    force: bool,
) -> Result<Restored, RestoreFailed> {
    let outcome = service.restore(chosen.clone(), data_sha256.clone(), save).await;
    match &outcome {
        Err(failure) if force && failure.may_be_given_up() => {
            service.restore(chosen, data_sha256, Save::GiveUp).await
        }
        _ => outcome,
    }
}

fn unrestored(text: &Text, error: &RestoreFailed) -> u8 {
    failed(&message::restore_failed(text, &program(), error), &error.error)
}

/// Asks the person at the terminal; a script has agreed by what it wrote.
async fn refusal(text: &Text, yes: bool, name: &str, inspection: &Inspection) -> Option<String> {
    if yes || !io::stdin().is_terminal() {
        return None;
    }
    if !io::stderr().is_terminal() {
        return Some(message::no_screen(text));
    }
    let agreed = ask(text, name, inspection).await;
    (!agreed).then(|| message::cancelled(text))
}

async fn ask(text: &Text, name: &str, inspection: &Inspection) -> bool {
    let mut screen = io::stderr();
    let _ = write!(screen, "{} ", message::confirm(text, name, inspection));
    let _ = screen.flush();
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.ok().and_then(Result::ok).unwrap_or_default().trim().to_lowercase();
    ["y", "yes", "д", "да"].contains(&answer.as_str())
}

/// A name from the list, unless it is a path.
async fn find(service: &Service, file: &Path) -> Chosen {
    let stored = file.to_str().and_then(BackupId::parse);
    match stored {
        Some(id) if service.has(id.clone()).await => Chosen::Stored(id),
        _ => Chosen::File(file.to_owned()),
    }
}

fn explain(text: &Text, question: &Question) -> u8 {
    let usage = message::usage(text, &program());
    let complaint = match question {
        Question::Help => {
            print(&usage);
            return DONE;
        }
        Question::Unknown(word) => message::unknown(text, word),
        Question::NoFile => message::no_file(text),
    };
    complain(&format!("{complaint}\n\n{usage}"));
    MISUSED
}

fn failed(complaint: &str, error: &Error) -> u8 {
    complain(complaint);
    match error.kind() {
        ErrorKind::Damaged
        | ErrorKind::UnknownVersion
        | ErrorKind::Incompatible
        | ErrorKind::TooLarge => UNFIT,
        ErrorKind::Busy => BUSY,
        _ => FAILED,
    }
}

/// The program as it was called, so that a line can be copied.
fn program() -> String {
    env::args_os().next().map_or_else(|| "bot".to_owned(), |name| name.to_string_lossy().into())
}

/// A reader that has gone away, as `head` does, is no reason to stop.
fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
