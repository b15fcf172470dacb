//! Making a backup, and deciding which old ones go.

use std::collections::HashSet;
use std::io::SeekFrom;
use std::sync::Arc;

use chrono::{NaiveDateTime, SubsecRound};

use super::glances::Found;
use super::notebook::Notebook;
use super::owner::{Owner, anothers};
use super::turn::{guarded, let_go};
use super::{Chosen, Parts, Report, speaks_against};
use crate::archive::{ArchiveWriter, Index, Metadata, Origin, Previous, Unproved, Written};
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
pub(super) struct Drafted {
    draft: Box<dyn Draft>,
    pub(super) written: Written,
    pub(super) saved: AllSaved,
    /// Some of it was taken over from an earlier one.
    taken_over: bool,
}

impl Parts {
    pub(super) fn back_up(&self, trigger: Trigger) -> Result<Report> {
        let created = self.create(trigger)?;
        if trigger == Trigger::Manual {
            // what failed before works again, and the person who asked sees it
            self.forget_failure();
        }
        Ok(self.finish(created))
    }

    /// Lets old ones go, and tells of the new one.
    pub(super) fn finish(&self, created: Created) -> Report {
        let cleanup = self.clean_up(&created.info.id);
        let path = self.path(&created.info.id);
        Report { info: created.info, path, cleanup, unchanged: None }
    }

    /// Lets old ones go, but not the last of this bot's; or gives what keeps them.
    pub(super) fn clean_up(&self, last: &BackupId) -> Option<Error> {
        let cleanup = guarded(|| self.apply_retention(last)).err();
        if let Some(error) = &cleanup {
            tracing::warn!(kind = ?error.kind(), step = %error, "old backups were not removed");
        }
        cleanup
    }

    /// Writes, reads back, names: only then is it a backup.
    pub(super) fn create(&self, trigger: Trigger) -> Result<Created> {
        let create = || {
            let drafted = self.write(trigger)?;
            self.publish(drafted)
        };
        // of one before a restore the person hears by what becomes of that
        if trigger == Trigger::BeforeRestore { create() } else { self.making(create) }
    }

    /// Writes an archive that no list shows yet.
    pub(super) fn write(&self, trigger: Trigger) -> Result<Drafted> {
        let step = "write the archive";
        self.check_room()
            .map_err(|reason| Error::new(ErrorKind::StorageFull, step).because(reason))?;
        let mut origin = self.origin(trigger);
        let mut draft = self.draft()?;
        let previous = self.previous().map(Arc::new);
        let taken_over = previous.is_some();
        let (stamp, meter) = (origin.created_at, self.meter(&self.limits));
        let mut writer = ArchiveWriter::begin(&mut draft, stamp, meter, self.packing, previous)?;
        let (sections, saved) = self.export(&mut writer)?;
        origin.sections = sections;
        let written = writer.finish(&origin)?;
        Ok(Drafted { draft, written, saved, taken_over })
    }

    /// Proves what was written, and gives it its name.
    pub(super) fn publish(&self, drafted: Drafted) -> Result<Created> {
        let Drafted { mut draft, written, mut saved, taken_over } = drafted;
        let end = draft.seek(SeekFrom::End(0));
        let size_bytes = end.map_err(|e| Error::storage("write the archive", e))?;
        // nothing is taken over once more of what could not be proved
        self.read_back(draft.as_mut(), &written, &mut saved).inspect_err(|_| {
            if taken_over {
                self.note_index(&[]);
            }
        })?;
        let Written { metadata, summary, index } = written;
        let id = self.name(draft.as_mut(), metadata.created_at)?;
        let_go(draft);
        self.note_proof(&id, size_bytes, &summary.sha256);
        if !index.is_empty() {
            self.note_index(&index.to_bytes(&id.to_string()));
        }
        tracing::info!(backup = %id, size_bytes, trigger = ?metadata.trigger, "made a backup");
        let info = metadata.info(id, size_bytes);
        Ok(Created { info, data_sha256: summary.sha256 })
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
        let newest = found.into_iter().find(|found| self.is_measure(found));
        let needed = newest.map_or(0, |found| found.size_bytes);
        if free >= needed {
            return Ok(());
        }
        let kilobytes = |bytes: u64| bytes.div_ceil(1024);
        let (free, needed) = (kilobytes(free), kilobytes(needed));
        Err(format!("{free} KB are free, and the last backup took {needed} KB"))
    }

    /// Whether an archive says how long the next one may be: not what is broken or of the future, nor
    /// another bot's.
    fn is_measure(&self, found: &Found) -> bool {
        self.glance(found).is_ok_and(|metadata| {
            let come = metadata.created_at_utc.is_none_or(|at| at <= self.clock.now());
            come && !anothers(metadata.bot_id, self.bot_id)
        })
    }

    /// Reads what was written as every later reader will.
    fn read_back(
        &self,
        draft: &mut dyn Draft,
        written: &Written,
        saved: &mut AllSaved,
    ) -> Result<()> {
        use ErrorKind::{AccessDenied, Storage, StorageFull, TooLarge};
        // no archive comes of what fails here, so nothing is to be said of one
        let step = "read back what was written";
        let lost = |error: Error| match error.kind() {
            ErrorKind::Damaged => Error::new(ErrorKind::Storage, step).because(error.chain()),
            _ => error,
        };
        let file = draft.reopen().map_err(|e| Error::storage("save the archive to disk", e))?;
        let reading = self.reading(&self.limits_of_ours());
        let mut unproved = Unproved::open(Box::new(file), written, reading).map_err(lost)?;
        let outcome = self.check(unproved.archive(), saved);
        let kind = outcome.as_ref().err().map(Error::kind);
        if let Some(Storage | StorageFull | AccessDenied | TooLarge) = kind {
            return outcome.map(|_| ());
        }
        // data that are not what was written say nothing of the source
        unproved.prove().map_err(lost)?;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::new(ErrorKind::Source, step).because(error.chain())),
        }
    }

    fn forget_failure(&self) {
        self.note("the recovery was not noted", |notebook| notebook.failing.take().is_some());
    }

    /// A proof that is not noted costs one more reading later, and nothing else.
    fn note_proof(&self, id: &BackupId, size_bytes: u64, data_sha256: &str) {
        self.note("a proof was not noted", |notebook| {
            self.prove(notebook, id, size_bytes, data_sha256);
            self.making.take_back(notebook);
            true
        });
    }

    fn apply_retention(&self, last: &BackupId) -> Result<()> {
        let found = self.newest_first()?;
        if found.len() <= self.keep {
            return Ok(());
        }
        let mut notebook = self.notebook()?;
        // what it cannot note it must not do
        notebook.check_version()?;
        // nothing goes for the sake of an archive that could be read an hour ago
        self.glances.forget();
        let found: Vec<_> =
            found.into_iter().map(|found| (self.glance(&found).ok(), found)).collect();
        let made_here = found.iter().filter(|(_, found)| !notebook.is_received(&found.id));
        let named = made_here.filter_map(|(metadata, _)| Some(metadata.as_ref()?.bot_id));
        let owner = Owner::among(self.bot_id, named.chain(notebook.others()));
        let candidates: Vec<Candidate> =
            found.into_iter().map(|found| self.candidate(&mut notebook, &owner, found)).collect();
        let mut outcome = Ok(());
        let now = self.clock.now();
        let sent = notebook.received_since(now - SAFETY_KEPT);
        let needed = [notebook.undo_to(), sent, vec![last.clone()]].concat();
        for (id, verdict) in plan(&candidates, self.keep, now, &needed) {
            tracing::debug!(backup = %id, ?verdict, "retention");
            if verdict == Verdict::Delete
                && let Err(error) = self.storage.delete(&id)
            {
                outcome = Err(Error::storage("remove old backups", error));
            }
        }
        let left = self.newest_first()?;
        let left: HashSet<String> = left.iter().map(|found| found.id.to_string()).collect();
        notebook.retain(|name| left.contains(name));
        outcome.and(notebook.write(self.storage.as_ref()))
    }

    /// An archive that nobody has proved yet, or lately, is read now, so that none is deleted for its
    /// sake.
    fn candidate(
        &self,
        notebook: &mut Notebook,
        owner: &Owner,
        (metadata, found): (Option<Arc<Metadata>>, Found),
    ) -> Candidate {
        let Found { id, size_bytes, .. } = found;
        let Some(metadata) = metadata else {
            let (created_at, standing) = (self.clock.now(), Standing::Unproven);
            return Candidate { id, created_at, trigger: None, standing };
        };
        let ours = metadata.is_ours() && owner.owns(metadata.bot_id);
        let standing = if !ours {
            Standing::Foreign
        } else if notebook.is_proved_lately(&id, size_bytes, self.clock.now()) {
            Standing::Verified
        } else {
            match guarded(|| self.proved_anew(&id, notebook.hash(&id, size_bytes))) {
                Ok(data_sha256) => {
                    self.prove(notebook, &id, size_bytes, &data_sha256);
                    Standing::Verified
                }
                Err(error) => {
                    if speaks_against(&error) {
                        notebook.doubt(&id);
                    }
                    Standing::Unproven
                }
            }
        };
        Candidate { id, created_at: self.moment(&metadata), trigger: metadata.trigger, standing }
    }

    /// Reads an archive to its end, and gives the hash of its data. What was decoded once is held
    /// against its hash alone: that the host's types are others since is no fault of it.
    fn proved_anew(&self, id: &BackupId, hash: Option<&str>) -> Result<String> {
        let summary = match hash {
            Some(hash) => self.archive_of_ours(id, hash)?.summary,
            None => self.checked(&Chosen::Stored(id.clone()))?.archive.summary,
        };
        Ok(summary.sha256)
    }
}
