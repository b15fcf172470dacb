//! Bringing a backup back, and bringing back what was before that.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::notebook::{Journal, Undo};
use super::turn::{guarded, panicked};
use super::{Checked, Chosen, Parts, Service, failed, nothing_known, sorted};
use crate::archive::Archive;
use crate::backup::{BackupId, BackupInfo, Counts, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Import;

/// How long after a restore one tap takes it back. Later than that a tap may be a slip, and much may
/// have been added meanwhile: then the question comes first.
const UNDO_UNASKED: TimeDelta = TimeDelta::minutes(10);

/// What happens to what is live before a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Save {
    /// It is saved; if that fails, nothing is restored.
    First,
    /// It cannot be read, and a person has agreed to give it up.
    GiveUp,
}

/// What a finished restore tells.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The archive, with the records that the bot took.
    pub(crate) info: BackupInfo,
    /// Sections of the archive that the bot does not know: they were passed over.
    pub(crate) unknown: Counts,
    /// Sections that are live and that the archive lacks: they stayed as they were.
    pub(crate) untouched: Counts,
    /// The way back; none where nothing could be saved.
    pub(crate) undo: Option<Undo>,
}

/// Why a restore did not happen.
#[derive(Debug)]
pub(crate) struct RestoreFailed {
    pub(crate) error: Error,
    /// What is live may have been changed.
    pub(crate) unclear: bool,
    /// What is live could not be saved first.
    pub(crate) unsaved: bool,
    /// The way back, where there is one.
    pub(crate) undo: Option<Box<Undo>>,
}

/// A restore that a crash cut off.
#[derive(Debug)]
pub(crate) struct Interrupted {
    pub(crate) restored: String,
    /// The way back, where there is one.
    pub(crate) undo: Option<Undo>,
}

/// Where a button of the way back leads.
#[derive(Debug)]
pub(crate) struct UndoTarget {
    pub(crate) safety: BackupId,
    /// The restore is so recent that nobody needs to be asked.
    pub(crate) recent: bool,
    /// It takes back an undo.
    pub(crate) again: bool,
}

impl From<Error> for RestoreFailed {
    fn from(error: Error) -> Self {
        Self { error, unclear: false, unsaved: false, undo: None }
    }
}

impl Service {
    /// Replaces what is live by an archive, if it is still the one with this hash.
    pub(crate) async fn restore(
        &self,
        chosen: Chosen,
        data_sha256: String,
        save: Save,
    ) -> Result<Restored, RestoreFailed> {
        self.alone(move |parts, handle| {
            Ok(parts.restore(handle, &chosen, &data_sha256, save, false))
        })
        .await?
    }

    /// Brings back what was live before the restore that gave this token. A failure leaves the token
    /// as it was.
    pub(crate) async fn undo(&self, token: String) -> Result<Restored, RestoreFailed> {
        let wanted = token.clone();
        let outcome = self.alone(move |parts, handle| {
            let undo = parts.undo_of(&wanted)?;
            let Some((id, undo)) = undo.and_then(|undo| Some((undo.safety()?, undo))) else {
                let step = "this restore can no longer be undone";
                return Err(Error::new(ErrorKind::Changed, step));
            };
            let safety = Chosen::Stored(id);
            let sha256 = &undo.safety_sha256;
            Ok(parts.restore(handle, &safety, sha256, Save::First, !undo.again))
        });
        let mut failed = match outcome.await {
            Ok(Ok(restored)) => return Ok(restored),
            Ok(Err(failed)) => failed,
            Err(error) => error.into(),
        };
        if failed.undo.is_none() {
            failed.undo = self
                .blocking(move |parts, _| parts.undo_of(&token))
                .await
                .ok()
                .flatten()
                .map(Box::new);
        }
        Err(failed)
    }

    /// Where this token leads; `None` where it leads nowhere any more.
    pub(crate) async fn undo_target(&self, token: String) -> Option<UndoTarget> {
        let found = self.blocking(move |parts, _| {
            let undo = parts.undo_of(&token)?;
            let age = |undo: &Undo| parts.clock.now() - undo.at;
            Ok(undo.and_then(|undo| {
                let recent = age(&undo) < UNDO_UNASKED;
                Some(UndoTarget { safety: undo.safety()?, recent, again: undo.again })
            }))
        });
        found.await.unwrap_or_default()
    }

    /// The restore that was cut off when the bot last ran.
    pub(crate) async fn interrupted(&self) -> Result<Option<Interrupted>> {
        // in turn: the journal of one that runs tells of no crash
        self.changing(|parts, _| {
            let notebook = parts.notebook()?;
            Ok(notebook
                .restoring
                .map(|journal| Interrupted { restored: journal.restored, undo: journal.undo }))
        })
        .await
    }

    /// Clears the journal once the administrator knows; the way back stays open.
    pub(crate) async fn note_told_of_interruption(&self) {
        let noted = self.changing(|parts, _| {
            let mut notebook = parts.notebook()?;
            if let Some(journal) = notebook.restoring.take() {
                notebook.undo = journal.undo.or(notebook.undo);
                notebook.write(parts.storage.as_ref())?;
            }
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::warn!(kind = ?error.kind(), step = %error, "the journal was not cleared");
        }
    }
}

impl Parts {
    fn undo_of(&self, token: &str) -> Result<Option<Undo>> {
        let notebook = self.notebook()?;
        Ok(notebook.undos().find(|undo| undo.token == token).cloned())
    }

    fn restore(
        &self,
        handle: &Handle,
        chosen: &Chosen,
        data_sha256: &str,
        save: Save,
        again: bool,
    ) -> Result<Restored, RestoreFailed> {
        let mut checked = self.checked(handle, chosen)?;
        if checked.archive.summary.sha256 != data_sha256 {
            return Err(Error::new(ErrorKind::Changed, format!("{chosen} was replaced")).into());
        }
        let (undo, before) = match save {
            Save::First => match guarded(|| self.save(handle, again)) {
                Ok((undo, before)) => (Some(undo), before),
                Err(error) => return Err(RestoreFailed { unsaved: true, ..error.into() }),
            },
            // it may be readable again; if it is not, a person has agreed
            Save::GiveUp => guarded(|| self.save(handle, again))
                .map_or((None, Counts::default()), |(undo, before)| (Some(undo), before)),
        };
        let mut notebook = self.notebook()?;
        let journal = Journal { restored: chosen.to_string(), undo: undo.clone() };
        let earlier = notebook.restoring.replace(journal);
        notebook.write(self.storage.as_ref())?;

        let outcome = self.replace(handle, &mut checked.archive);

        if matches!(outcome, Err(Failure::Refused(_))) {
            // nothing was changed: what a crash cut off before still is
            notebook.restoring = earlier;
        } else {
            notebook.restoring = None;
            notebook.undo.clone_from(&undo);
        }
        if let Err(error) = notebook.write(self.storage.as_ref()) {
            // the next start will tell of a restore that was cut off, which is the safe side
            tracing::warn!(kind = ?error.kind(), step = %error, "the journal was not cleared");
        }
        match outcome {
            Ok(taken) => {
                tracing::info!(backup = %chosen, "restored a backup");
                checked.taken = taken;
                Ok(restored(checked, &before, undo))
            }
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Unknown(error)) => {
                Err(RestoreFailed { unclear: true, undo: undo.map(Box::new), ..error.into() })
            }
        }
    }

    /// Saves what is live, so that there is a way back.
    fn save(&self, handle: &Handle, again: bool) -> Result<(Undo, Counts)> {
        let safety = self.create(handle, Trigger::BeforeRestore)?;
        let undo = Undo {
            token: Uuid::new_v4().simple().to_string(),
            safety: safety.info.id.to_string(),
            safety_sha256: safety.data_sha256,
            at: self.clock.now(),
            again,
        };
        Ok((undo, safety.info.counts))
    }

    /// Gives the sections that the source has taken.
    fn replace(&self, handle: &Handle, archive: &mut Archive) -> Result<BTreeSet<String>, Failure> {
        let mut import = Import::new(archive);
        let work = AssertUnwindSafe(|| handle.block_on(self.source.restore(&mut import)));
        let outcome = catch_unwind(work);
        match (outcome, import.failure()) {
            (Ok(Ok(())), None) if import.taken().is_empty() && !import.names().is_empty() => {
                Err(Failure::Refused(nothing_known()))
            }
            (Ok(Ok(())), None) => Ok(import.taken()),
            // it went on after an error, with whatever it had
            (Ok(Ok(())), Some(failure)) => Err(Failure::Unknown(failure)),
            (Ok(Err(_)), Some(failure)) => Err(Failure::Refused(failure)),
            (Ok(Err(cause)), None) => {
                let error = failed(ErrorKind::Source, "put the data in its place", cause);
                Err(Failure::Refused(error))
            }
            (Err(panic), _) => Err(Failure::Unknown(panicked(panic.as_ref()))),
        }
    }
}

enum Failure {
    /// The source says so, and promises that nothing was changed.
    Refused(Error),
    /// Nobody knows how far the source came.
    Unknown(Error),
}

fn restored(checked: Checked, before: &Counts, undo: Option<Undo>) -> Restored {
    let Checked { info, archive, taken } = checked;
    let (counts, unknown) = sorted(&archive, &taken);
    let untouched = before.only(|name, count| count > 0 && counts.get(name).is_none());
    Restored { info: BackupInfo { counts, ..info }, unknown, untouched, undo }
}
