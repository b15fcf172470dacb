//! Archives that were found bad: no good one goes for their sake.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notebook::Notebook;
use super::turn::guarded;
use super::{Chosen, Parts};
use crate::backup::BackupId;
use crate::error::{Error, ErrorKind, Result};

/// The archives that were found bad, each until that is noted.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<BTreeMap<BackupId, Whose>>);

/// Whose notes an archive is found bad for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// This bot may not read it, or not so much of it, which another may.
    Own,
    /// It is bad for every bot in this place.
    All,
}

impl Whose {
    fn of(error: &Error) -> Self {
        use ErrorKind::{Damaged, Storage};
        if matches!(error.kind(), Damaged | Storage) { Self::All } else { Self::Own }
    }

    /// False where nothing stood in the notes that speaks for it.
    fn doubt(self, notebook: &mut Notebook, id: &BackupId) -> bool {
        match self {
            Self::Own => notebook.doubt(id),
            Self::All => notebook.doubt_of_all(id),
        }
    }
}

impl Doubts {
    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<BackupId, Whose>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, id: &BackupId, whose: Whose) {
        let mut held = self.held();
        let known = held.entry(id.clone()).or_insert(whose);
        *known = whose.max(*known);
    }
}

impl Parts {
    /// What this bot has noted, and what it could not note.
    pub(super) fn notebook(&self) -> Result<Notebook> {
        let mut notebook = Notebook::read(self.storage.as_ref(), self.bot_id)?;
        if notebook.stored {
            self.noted.store(true, Ordering::Relaxed);
        }
        for (id, whose) in self.doubts.held().iter() {
            whose.doubt(&mut notebook, id);
        }
        self.fates.note(&mut notebook);
        self.making.take_back_old(&mut notebook);
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
            let whose = Whose::of(error);
            let proved = guarded(|| Ok(whose.doubt(&mut self.notebook()?, id))).unwrap_or(true);
            if proved {
                self.doubts.hold(id, whose);
                // where the place cannot be had, this program knows it at least
                let _ = guarded(|| self.lock().map(|_lock| self.note_doubt(id, whose)));
            }
        })
    }

    /// Takes an archive for none that was proved, if this error speaks against it.
    pub(super) fn doubt(&self, id: &BackupId, error: &Error) {
        if speaks_against(error) {
            let whose = Whose::of(error);
            self.doubts.hold(id, whose);
            self.note_doubt(id, whose);
        }
    }

    fn note_doubt(&self, id: &BackupId, whose: Whose) {
        let noted = self.note("a doubt was not noted", |notebook| {
            whose.doubt(notebook, id);
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
