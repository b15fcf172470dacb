//! Archives that were found bad: no good one goes for their sake.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notebook::Notebook;
use super::turn::guarded;
use super::{Chosen, Parts};
use crate::backup::BackupId;
use crate::error::{Error, ErrorKind, Result};

/// The archives that were found bad, each until that is noted.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<BTreeSet<BackupId>>);

impl Doubts {
    pub(super) fn held(&self) -> MutexGuard<'_, BTreeSet<BackupId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    /// What this bot has noted, and what it could not note.
    pub(super) fn notebook(&self) -> Result<Notebook> {
        let mut notebook = Notebook::read(self.storage.as_ref(), self.bot_id)?;
        for id in self.doubts.held().iter() {
            notebook.doubt_of_all(id);
        }
        Ok(notebook)
    }

    /// Notes a bad archive before anything else comes, so that no good one goes for its sake.
    pub(super) fn doubting<T>(
        &self,
        chosen: &Chosen,
        check: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        guarded(check).inspect_err(|error| {
            let Chosen::Stored(id) = chosen else { return };
            if !speaks_against(error) {
                return;
            }
            // most are not proved, and need no note: nobody waits for another program for that
            let proved = guarded(|| Ok(self.notebook()?.doubt_of_all(id))).unwrap_or(true);
            if proved {
                self.doubts.held().insert(id.clone());
                // where the place cannot be had, this program knows it at least
                let _ = guarded(|| self.lock().map(|_lock| self.note_doubt(id)));
            }
        })
    }

    /// Takes an archive for none that was proved, if this error speaks against it.
    pub(super) fn doubt(&self, id: &BackupId, error: &Error) {
        if speaks_against(error) {
            self.doubts.held().insert(id.clone());
            self.note_doubt(id);
        }
    }

    fn note_doubt(&self, id: &BackupId) {
        let noted = self.note("a doubt was not noted", |notebook| {
            notebook.doubt_of_all(id);
            true
        });
        if noted {
            self.doubts.held().remove(id);
        }
    }

    /// Takes an archive for one that was read to its end now.
    pub(super) fn prove(
        &self,
        notebook: &mut Notebook,
        id: &BackupId,
        size_bytes: u64,
        data_sha256: &str,
    ) {
        self.doubts.held().remove(id);
        notebook.prove(id, size_bytes, data_sha256, self.clock.now());
    }
}

/// Whether an error is the archive's own: what is wrong with today's data, or with the host's code
/// and types, is no fault of it.
pub(super) fn speaks_against(error: &Error) -> bool {
    use ErrorKind::{AccessDenied, Damaged, Storage, TooLarge, UnknownVersion};
    matches!(error.kind(), AccessDenied | Damaged | Storage | TooLarge | UnknownVersion)
}
