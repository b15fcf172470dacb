//! Data that are the same as in the last backup: no twin of it is made.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::create::Drafted;
use super::glances::Found;
use super::notebook::Unchanged;
use super::own::OwnArchive;
use super::turn::{guarded, let_go};
use super::{Checked, Chosen, Parts, Report};
use crate::archive::Metadata;
use crate::backup::{BackupId, BackupInfo, Trigger};
use crate::error::{Error, ErrorKind, Result};

impl Parts {
    /// Makes a backup that is due; old ones go after it. Where the data are those of the last one, that
    /// one is proved again instead.
    pub(super) fn back_up_on_schedule(&self) -> Result<Report> {
        self.making(|| {
            let mut drafted = self.write(Trigger::Scheduled)?;
            if self.skips_unchanged
                && let Some(last) = self.last_like(&drafted.written.metadata)
                && let Some(report) = self.prove_again(&last, &mut drafted)
            {
                let_go(drafted);
                return Ok(report);
            }
            self.publish(drafted).map(|created| self.finish(created))
        })
    }

    /// The last archive of this bot, if it says that it holds just this.
    fn last_like(&self, written: &Metadata) -> Option<OwnArchive> {
        // who cannot tell makes a backup
        let own = guarded(|| self.own()).ok()?;
        let last = own.last(written.created_at_utc?)?;
        last.metadata.holds_the_same(written).then_some(last)
    }

    /// Reads the last archive to its end, as if it had just been made of what was saved now, and notes
    /// that. `None` where it cannot stand for a new one.
    fn prove_again(&self, last: &OwnArchive, drafted: &mut Drafted) -> Option<Report> {
        let proved = guarded(|| {
            let chosen = Chosen::Stored(last.id.clone());
            let Checked { info, archive, .. } = self.checked_as(&chosen, &mut drafted.saved)?;
            if archive.metadata == *last.metadata && archive.counts() == info.counts {
                return Ok(info);
            }
            Err(Error::damaged("it is not what it was"))
        });
        let info = match proved {
            Ok(info) => info,
            Err(error) => {
                let (id, kind) = (&last.id, error.kind());
                tracing::warn!(backup = %id, ?kind, step = %error, "a new backup is needed");
                self.doubt(id, &error);
                return None;
            }
        };
        let at = drafted.written.metadata.created_at_utc?;
        if let Err(error) = guarded(|| self.note_unchanged(&info, &last.metadata, at)) {
            tracing::warn!(kind = ?error.kind(), step = %error, "no change could be noted");
            return None;
        }
        tracing::info!(backup = %info.id, "the data have not changed since this backup");
        let (path, cleanup) = (self.path(&info.id), self.clean_up(&info.id));
        Some(Report { info, path, cleanup, unchanged: Some(at) })
    }

    /// Notes it so that the schedule sees it, or gives an error.
    fn note_unchanged(
        &self,
        info: &BackupInfo,
        metadata: &Metadata,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let data_sha256 = metadata.data_sha256.as_deref().unwrap_or_default();
        let mut notebook = self.notebook()?;
        self.prove(&mut notebook, &info.id, info.size_bytes, data_sha256);
        self.making.take_back(&mut notebook);
        notebook.unchanged = Some(Unchanged { backup: info.id.to_string(), at });
        notebook.write(self.storage.as_ref())?;
        // a storage that forgets would be asked without end
        if self.own()?.moments().unchanged_at == Some(at) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Storage, "read what was noted"))
    }

    /// The archive in a list with which the data were found the same, and until when.
    pub(super) fn unchanged_among(&self, found: &[Found]) -> Option<(BackupId, NaiveDateTime)> {
        let notebook = guarded(|| self.notebook()).ok()?;
        let (id, at) =
            notebook.unchanged_among(found.iter().map(|found| (&found.id, found.size_bytes)))?;
        Some((id, self.clock.to_local(at)))
    }
}
