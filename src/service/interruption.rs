//! A restore that was cut off: whoever begins another must have heard of it, and of the way back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notebook::{Journal, Notebook};
use super::{Parts, Service};
use crate::error::{Error, ErrorKind, Result};

/// The journal whose end people know, while it could not be cleared.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Option<Journal>>);

impl Known {
    fn held(&self) -> MutexGuard<'_, Option<Journal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, journal: Journal) {
        *self.held() = Some(journal);
    }

    fn is(&self, journal: &Journal) -> bool {
        self.held().as_ref() == Some(journal)
    }
}

impl Service {
    /// The restore that was cut off, if nobody has heard of it. What people know of is cleared.
    pub(crate) async fn interrupted(&self) -> Result<Option<Journal>> {
        // in turn: the journal of one that runs tells of no crash
        self.changing(|parts| {
            let Some(journal) = parts.notebook()?.restoring else { return Ok(None) };
            if !parts.known.is(&journal) {
                return Ok(Some(journal));
            }
            parts.note("the journal was not cleared", |notebook| {
                notebook.restoring = None;
                notebook.undo = journal.undo.or(notebook.undo.take());
                true
            });
            Ok(None)
        })
        .await
    }

    /// Whether a restore has begun that may have been cut off, or may run: nobody waits for a backup to
    /// hear that there was none.
    pub(crate) async fn has_journal(&self) -> Result<bool> {
        self.blocking(|parts| Ok(parts.notebook()?.restoring.is_some())).await
    }

    /// People have heard of it: another restore may begin.
    pub(crate) fn note_heard_of(&self, journal: Journal) {
        self.parts.known.hold(journal);
    }
}

impl Parts {
    /// The notes before another restore, which would take the place of one that was cut off.
    pub(super) fn notebook_before_restore(&self) -> Result<Notebook> {
        let notebook = self.notebook()?;
        if notebook.restoring.as_ref().is_some_and(|journal| !self.known.is(journal)) {
            // by another program, since people were told
            return Err(Error::new(ErrorKind::Busy, "another program's restore was cut off"));
        }
        Ok(notebook)
    }
}
