//! Bringing a backup back, and bringing back what was before that.

use tokio::runtime::Handle;
use uuid::Uuid;

use super::notebook::{Notebook, Undo};
use super::{Parts, Service, failed, panicked};
use crate::archive::Archive;
use crate::backup::{BackupId, BackupInfo, Counts, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Import;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a finished restore tells.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) info: BackupInfo,
    /// Sections that are live and that the archive lacks: they stayed as they were.
    pub(crate) untouched: Counts,
    /// What the button for the way back must know.
    pub(crate) undo: String,
}

/// Why a restore did not happen.
#[derive(Debug)]
pub(crate) struct RestoreFailed {
    pub(crate) error: Error,
    /// The way back, where what is live may have been changed.
    pub(crate) undo: Option<String>,
}

/// A restore that a crash cut off.
#[derive(Debug)]
pub(crate) struct Interrupted {
    pub(crate) restored: String,
    pub(crate) undo: String,
}

impl From<Error> for RestoreFailed {
    fn from(error: Error) -> Self {
        Self { error, undo: None }
    }
}

impl Service {
    /// Replaces what is live by an archive, if it is still the one with this hash.
    pub(crate) async fn restore(
        &self,
        id: BackupId,
        data_sha256: String,
    ) -> Result<Restored, RestoreFailed> {
        self.alone(move |parts, handle| Ok(parts.restore(handle, &id, &data_sha256))).await?
    }

    /// Brings back what was live before the restore that gave this token.
    pub(crate) async fn undo(&self, token: String) -> Result<Restored, RestoreFailed> {
        let outcome = self.alone(move |parts, handle| {
            let undo = parts.undo_of(&token);
            let target = undo.and_then(|undo| Some((undo.safety()?, undo.safety_sha256)));
            let Some((id, data_sha256)) = target else {
                return Err(Error::new(ErrorKind::Changed, "this restore can no longer be undone"));
            };
            Ok(parts.restore(handle, &id, &data_sha256))
        });
        outcome.await?
    }

    /// Whether this token still leads to the state before a restore.
    pub(crate) async fn can_undo(&self, token: String) -> bool {
        let found = self.blocking(move |parts, _| Ok(parts.undo_of(&token).is_some()));
        found.await.unwrap_or(false)
    }

    /// The restore that was cut off when the bot last ran.
    pub(crate) async fn interrupted(&self) -> Option<Interrupted> {
        let found = self.blocking(|parts, _| {
            let notebook = Notebook::read(parts.storage.as_ref());
            Ok(notebook
                .restoring
                .map(|journal| Interrupted { restored: journal.restored, undo: journal.token }))
        });
        found.await.unwrap_or_default()
    }

    /// Clears the journal once the administrator knows; the way back stays open.
    pub(crate) async fn note_told_of_interruption(&self) {
        let noted = self.in_turn(|parts, _| {
            let mut notebook = Notebook::read(parts.storage.as_ref());
            if let Some(journal) = notebook.restoring.take() {
                notebook.undo = Some(journal);
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
    fn undo_of(&self, token: &str) -> Option<Undo> {
        let notebook = Notebook::read(self.storage.as_ref());
        [notebook.undo, notebook.restoring].into_iter().flatten().find(|undo| undo.token == token)
    }

    fn restore(
        &self,
        handle: &Handle,
        id: &BackupId,
        data_sha256: &str,
    ) -> Result<Restored, RestoreFailed> {
        let (mut archive, size_bytes) = self.checked(handle, id)?;
        if archive.summary.sha256 != data_sha256 {
            return Err(Error::new(ErrorKind::Changed, format!("{id} was replaced")).into());
        }
        let safety = self.create(handle, Trigger::BeforeRestore)?;
        let journal = Undo {
            token: Uuid::new_v4().simple().to_string(),
            restored: id.to_string(),
            safety: safety.info.id.to_string(),
            safety_sha256: safety.data_sha256,
            at: self.clock.now(),
        };
        let mut notebook = Notebook::read(self.storage.as_ref());
        notebook.restoring = Some(journal.clone());
        notebook.write(self.storage.as_ref())?;

        let outcome = self.replace(handle, &mut archive);

        notebook.restoring = None;
        if !matches!(outcome, Err(Failure::Refused(_))) {
            notebook.undo = Some(journal.clone());
        }
        if let Err(error) = notebook.write(self.storage.as_ref()) {
            // the next start will tell of a restore that was cut off, which is the safe side
            tracing::warn!(kind = ?error.kind(), step = %error, "the journal was not cleared");
        }
        match outcome {
            Ok(()) => {
                tracing::info!(backup = %id, "restored a backup");
                Ok(restored(id, size_bytes, archive, &safety.info.counts, journal.token))
            }
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Unknown(error)) => Err(RestoreFailed { error, undo: Some(journal.token) }),
        }
    }

    fn replace(&self, handle: &Handle, archive: &mut Archive) -> Result<(), Failure> {
        let mut import = Import::new(archive);
        let work = AssertUnwindSafe(|| handle.block_on(self.source.restore(&mut import)));
        match catch_unwind(work) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => {
                let error = import.failure().unwrap_or_else(|| {
                    failed(ErrorKind::Source, "put the data in its place", cause)
                });
                Err(Failure::Refused(error))
            }
            Err(panic) => Err(Failure::Unknown(panicked(panic.as_ref()))),
        }
    }
}

enum Failure {
    /// The source says so, and promises that nothing was changed.
    Refused(Error),
    /// The source panicked: nobody knows how far it came.
    Unknown(Error),
}

fn restored(
    id: &BackupId,
    size_bytes: u64,
    archive: Archive,
    before: &Counts,
    undo: String,
) -> Restored {
    let counts = archive.summary.counts();
    let untouched = before
        .iter()
        .filter(|(name, count)| *count > 0 && counts.get(name).is_none())
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    let info = archive.metadata.into_info(id.clone(), size_bytes);
    Restored { info: BackupInfo { counts, ..info }, untouched, undo }
}
