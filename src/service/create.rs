//! Making a backup, and deciding which old ones go.

use std::io::SeekFrom;
use std::sync::Arc;

use chrono::{NaiveDateTime, SubsecRound};
use tokio::runtime::Handle;

use super::notebook::Notebook;
use super::owner::{Owner, anothers};
use super::turn::guarded;
use super::{Checked, Chosen, Parts, Report};
use crate::archive::{Archive, ArchiveWriter, Index, Metadata, Origin, Previous};
use crate::backup::{BackupId, BackupInfo, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::retention::{Candidate, SAFETY_KEPT, Standing, Verdict, plan};
use crate::source::AllSaved;
use crate::storage::Draft;

/// How many backups may be made within one second.
const MOST_COPIES: u32 = 1000;

/// A backup that is published and proved.
pub(super) struct Created {
    pub(super) info: BackupInfo,
    pub(super) data_sha256: String,
}

/// An archive that is written, and neither proved nor published.
pub(super) struct Written {
    draft: Box<dyn Draft>,
    pub(super) metadata: Metadata,
    pub(super) saved: AllSaved,
    index: Index,
    /// Some of it was taken over from an earlier one.
    taken_over: bool,
}

impl Parts {
    pub(super) fn back_up(&self, handle: &Handle, trigger: Trigger) -> Result<Report> {
        let created = self.create(handle, trigger)?;
        if trigger == Trigger::Manual {
            // what failed before works again, and the person who asked sees it
            self.forget_failure();
        }
        Ok(self.finish(handle, created))
    }

    /// Lets old ones go, and tells of the new one.
    pub(super) fn finish(&self, handle: &Handle, created: Created) -> Report {
        let cleanup = guarded(|| self.apply_retention(handle)).err();
        if let Some(error) = &cleanup {
            tracing::warn!(kind = ?error.kind(), step = %error, "old backups were not removed");
        }
        let path = self.path(&created.info.id);
        Report { info: created.info, path, cleanup, unchanged: None }
    }

    /// Writes, reads back, names: only then is it a backup.
    pub(super) fn create(&self, handle: &Handle, trigger: Trigger) -> Result<Created> {
        let written = self.write(handle, trigger)?;
        self.publish(handle, written)
    }

    /// Writes an archive that no list shows yet.
    pub(super) fn write(&self, handle: &Handle, trigger: Trigger) -> Result<Written> {
        let step = "write the archive";
        self.check_room()
            .map_err(|reason| Error::new(ErrorKind::StorageFull, step).because(reason))?;
        let mut origin = self.origin(trigger);
        let mut draft = self.storage.draft().map_err(|e| Error::storage(step, e))?;
        let previous = self.previous().map(Arc::new);
        let taken_over = previous.is_some();
        let (stamp, meter) = (origin.created_at, self.meter(&self.limits));
        let mut writer = ArchiveWriter::begin(&mut draft, stamp, meter, self.packing, previous)?;
        let (sections, saved) = self.export(handle, &mut writer)?;
        origin.sections = sections;
        let (metadata, index) = writer.finish(&origin)?;
        Ok(Written { draft, metadata, saved, index, taken_over })
    }

    /// Proves what was written, and gives it its name.
    pub(super) fn publish(&self, handle: &Handle, written: Written) -> Result<Created> {
        let Written { mut draft, metadata, mut saved, index, taken_over } = written;
        let end = draft.seek(SeekFrom::End(0));
        let size_bytes = end.map_err(|e| Error::storage("write the archive", e))?;
        // nothing is taken over once more of what could not be proved
        let data_sha256 =
            self.read_back(handle, draft.as_mut(), &metadata, &mut saved).inspect_err(|_| {
                if taken_over {
                    self.note_index(&[]);
                }
            })?;
        let id = self.name(draft.as_mut(), metadata.created_at)?;
        self.note_proof(&id, size_bytes, &data_sha256);
        if !index.is_empty() {
            self.note_index(&index.to_bytes(&id.to_string()));
        }
        tracing::info!(backup = %id, size_bytes, trigger = ?metadata.trigger, "made a backup");
        Ok(Created { info: metadata.into_info(id, size_bytes), data_sha256 })
    }

    fn origin(&self, trigger: Trigger) -> Origin {
        // whole seconds are all that the name and the metadata hold
        let now = self.clock.now().trunc_subsecs(0);
        Origin {
            created_at: self.clock.to_local(now),
            created_at_utc: now,
            trigger,
            bot_id: self.bot_id,
            schema_version: self.schema_version,
            sections: Vec::new(),
        }
    }

    /// The newest archive, if the blocks of it are known.
    fn previous(&self) -> Option<Previous> {
        let found = guarded(|| {
            let kept = self.storage.read_index().ok().flatten();
            let Some((name, index)) = kept.and_then(|kept| Index::parse(&kept)) else {
                return Ok(None);
            };
            let file = BackupId::parse(&name).map(|id| self.open(&id)).transpose()?;
            Ok(file.map(|file| Previous::new(index, Box::new(file))))
        });
        found.ok().flatten()
    }

    /// Without it the next archive takes longer, and nothing else.
    fn note_index(&self, index: &[u8]) {
        let noted = guarded(|| {
            self.storage.write_index(index).map_err(|e| Error::storage("note the blocks", e))
        });
        if let Err(error) = noted {
            tracing::debug!(kind = ?error.kind(), "the blocks of the archive were not noted");
        }
    }

    /// Gives the archive a name that no other has, and none that is gone has had.
    pub(super) fn name(&self, draft: &mut dyn Draft, stamp: NaiveDateTime) -> Result<BackupId> {
        let notebook = self.notebook().unwrap_or_default();
        let free = (1..=MOST_COPIES).map(|copy| BackupId::new(stamp, copy));
        for id in free.filter(|id| !notebook.knows(id)) {
            let published = draft.publish(&id);
            if published.map_err(|error| Error::storage("name the archive", error))? {
                return Ok(id);
            }
        }
        Err(Error::new(ErrorKind::Storage, "find a free name"))
    }

    /// Says so before anything is written, where another archive as long as the newest has no room.
    fn check_room(&self) -> Result<(), String> {
        // who cannot tell is taken at no word: the writing will show
        let Ok(Some(free)) = self.storage.free() else { return Ok(()) };
        let found = self.newest_first().unwrap_or_default();
        let newest = found.into_iter().find(|(id, _)| self.is_measure(id));
        let needed = newest.map_or(0, |(_, size_bytes)| size_bytes);
        if free >= needed {
            return Ok(());
        }
        let kilobytes = |bytes: u64| bytes.div_ceil(1024);
        let (free, needed) = (kilobytes(free), kilobytes(needed));
        Err(format!("{free} KB are free, and the last backup took {needed} KB"))
    }

    /// Whether an archive says how long the next one may be: not what is broken or of the future, nor
    /// another bot's.
    fn is_measure(&self, id: &BackupId) -> bool {
        self.glance(id).is_ok_and(|metadata| {
            let come = metadata.created_at_utc.is_none_or(|at| at <= self.clock.now());
            come && !anothers(metadata.bot_id, self.bot_id)
        })
    }

    /// Reads what was written as every later reader will, and gives the hash of its data.
    fn read_back(
        &self,
        handle: &Handle,
        draft: &mut dyn Draft,
        written: &Metadata,
        saved: &mut AllSaved,
    ) -> Result<String> {
        // no archive comes of what fails here, so nothing is to be said of one
        let step = "read back what was written";
        let file = draft.reopen().map_err(|e| Error::storage("save the archive to disk", e))?;
        let mut archive = self.read(file, &self.limits).map_err(|error| match error.kind() {
            ErrorKind::Damaged => Error::new(ErrorKind::Storage, step).because(error.chain()),
            _ => error,
        })?;
        same(written, &archive)?;
        self.check(handle, &mut archive, saved).map_err(|error| match error.kind() {
            ErrorKind::TooLarge => error,
            _ => Error::new(ErrorKind::Source, step).because(error.chain()),
        })?;
        Ok(archive.summary.sha256.clone())
    }

    fn forget_failure(&self) {
        self.note("the recovery was not noted", |notebook| notebook.failing.take().is_some());
    }

    /// A proof that is not noted costs one more reading later, and nothing else.
    fn note_proof(&self, id: &BackupId, size_bytes: u64, data_sha256: &str) {
        self.note("a proof was not noted", |notebook| {
            notebook.prove(id, size_bytes, data_sha256);
            true
        });
    }

    fn apply_retention(&self, handle: &Handle) -> Result<()> {
        let found = self.newest_first()?;
        if found.len() <= self.keep {
            return Ok(());
        }
        let mut notebook = self.notebook()?;
        // what it cannot note it must not do
        notebook.check_version()?;
        let found: Vec<_> = found.into_iter().map(|(id, size)| self.found(id, size)).collect();
        let made_here = found.iter().filter(|found| !notebook.is_received(&found.id));
        let named = made_here.filter_map(|found| Some(found.metadata.as_ref()?.bot_id));
        let owner = Owner::among(self.bot_id, named.chain(notebook.others()));
        let candidates: Vec<Candidate> = found
            .into_iter()
            .map(|found| self.candidate(handle, &mut notebook, &owner, found))
            .collect();
        let mut outcome = Ok(());
        let now = self.clock.now();
        let needed = [notebook.undo_to(), notebook.received_since(now - SAFETY_KEPT)].concat();
        for (id, verdict) in plan(&candidates, self.keep, now, &needed) {
            tracing::debug!(backup = %id, ?verdict, "retention");
            if verdict == Verdict::Delete
                && let Err(error) = self.storage.delete(&id)
            {
                outcome = Err(Error::storage("remove old backups", error));
            }
        }
        let left = self.newest_first()?;
        notebook.retain(|name| left.iter().any(|(id, _)| id.to_string() == name));
        outcome.and(notebook.write(self.storage.as_ref()))
    }

    fn found(&self, id: BackupId, size_bytes: u64) -> Found {
        let metadata = self.glance(&id).ok();
        Found { id, size_bytes, metadata }
    }

    /// An archive that nobody has proved yet is read now, so that none is deleted for its sake.
    fn candidate(
        &self,
        handle: &Handle,
        notebook: &mut Notebook,
        owner: &Owner,
        found: Found,
    ) -> Candidate {
        let Found { id, size_bytes, metadata } = found;
        let Some(metadata) = metadata else {
            let (created_at, standing) = (self.clock.now(), Standing::Unproven);
            return Candidate { id, created_at, trigger: None, standing };
        };
        let ours = metadata.is_ours() && owner.owns(metadata.bot_id);
        let info = metadata.into_info(id.clone(), size_bytes);
        let standing = if !ours {
            Standing::Foreign
        } else if notebook.is_proved(&id, size_bytes) {
            Standing::Verified
        } else if let Ok(Checked { archive, .. }) =
            guarded(|| self.checked(handle, &Chosen::Stored(id.clone())))
        {
            notebook.prove(&id, size_bytes, &archive.summary.sha256);
            Standing::Verified
        } else {
            Standing::Unproven
        };
        Candidate { id, created_at: self.moment(&info), trigger: info.trigger, standing }
    }
}

/// An archive in the list, and what it says of itself, if it can be read.
struct Found {
    id: BackupId,
    size_bytes: u64,
    metadata: Option<Metadata>,
}

/// What was read back is what was written.
fn same(written: &Metadata, archive: &Archive) -> Result<()> {
    if *written == archive.metadata && written.records_count == archive.counts() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Storage, "what was read back is not what was written"))
}
