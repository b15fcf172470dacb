//! Some lines of the list of backups.

use chrono::NaiveDateTime;

use super::Parts;
use super::glances::Found;
use crate::backup::{BackupId, BackupInfo};
use crate::error::{Error, Result};

/// A line of the list of backups.
#[derive(Debug)]
pub(crate) enum Listed {
    Good(BackupInfo),
    Damaged { id: BackupId, size_bytes: u64, error: Error },
}

/// Some lines of the list of backups, the newest first.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Listed>,
    /// Which page it is, from 0; the last one, where fewer were left.
    pub(crate) number: usize,
    pub(crate) pages: usize,
    pub(crate) size: usize,
    /// The archive with which the data were found the same, and until when.
    pub(crate) unchanged: Option<(BackupId, NaiveDateTime)>,
    /// Whose list it is, where that is known.
    pub(crate) bot_id: Option<u64>,
}

impl Page {
    /// Until when the data were found the same as in this archive.
    pub(crate) fn unchanged_until(&self, id: &BackupId) -> Option<NaiveDateTime> {
        self.unchanged.as_ref().filter(|(unchanged, _)| unchanged == id).map(|(_, until)| *until)
    }
}

impl Parts {
    pub(super) fn list(&self, page: usize, size: usize) -> Result<Page> {
        let found = self.newest_first()?;
        let size = size.max(1);
        let unchanged = self.unchanged_among(&found);
        let pages = found.len().div_ceil(size);
        let number = page.min(pages.saturating_sub(1));
        let lines = found.into_iter().skip(number * size).take(size);
        let lines = lines.map(|found| self.line(found)).collect();
        Ok(Page { lines, number, pages, size, unchanged, bot_id: self.bot_id })
    }

    pub(super) fn line(&self, found: Found) -> Listed {
        let outcome = self.glance(&found).and_then(|metadata| {
            let counts = self.counts(&found, &metadata)?;
            Ok(BackupInfo { counts, ..metadata.info(found.id.clone(), found.size_bytes) })
        });
        match outcome {
            Ok(info) => Listed::Good(info),
            Err(error) => Listed::Damaged { id: found.id, size_bytes: found.size_bytes, error },
        }
    }
}
