//! What a source says of its restore is held against what is live; what is not so is taken back.

use std::collections::BTreeSet;

use super::comparison::{Closeness, Difference};
use super::gate::Closed;
use super::notebook::Undo;
use super::owner::anothers;
use super::restore::{Cause, Doubt, End, Failure, Wanted, is_of_the_data};
use super::turn::guarded;
use super::{Checked, Parts};
use crate::archive::Archive;
use crate::error::{Error, ErrorKind, Result};

impl Parts {
    /// Replaces what is live, and looks whether it is what the archive holds now.
    pub(super) fn replace_and_prove(
        &self,
        checked: &mut Checked,
        undo: Option<&Undo>,
        wanted: &Wanted<'_>,
        gate: &Closed,
    ) -> End {
        let taken = match self.replace(&mut checked.archive) {
            Ok(taken) => taken,
            Err(Failure::Refused(error)) if self.is_as_saved(undo) => {
                return End::Refused(error);
            }
            Err(Failure::Refused(error) | Failure::Unknown(error)) => return End::Unclear(error),
        };
        let closeness = self.closeness(&checked.archive);
        let mut compared = taken.clone();
        // it was made of this source: what was left out then held nothing
        if wanted.undoes && sections(&checked.archive).is_subset(&taken) {
            compared.extend(checked.archive.left_out());
        }
        let found = guarded(|| self.compare(&mut checked.archive, &compared, closeness));
        if found.as_ref().is_ok_and(Difference::is_none) {
            return End::Done { taken, doubt: None };
        }
        let cause = match undo {
            None => Cause::NoWayBack,
            Some(_) if wanted.kept => Cause::Chosen,
            Some(_) if gate.was_passed() => Cause::Written,
            // where the shape may differ lawfully, a person must look
            Some(_) if closeness == Closeness::Counts && found.is_ok() => Cause::Origin,
            Some(undo) => return self.roll_back(undo, wanted, found),
        };
        End::Done { taken, doubt: Some(Doubt { found, cause }) }
    }

    /// How closely an archive can be compared: another program, or another version of this one, gave
    /// its records another shape.
    fn closeness(&self, archive: &Archive) -> Closeness {
        let metadata = &archive.metadata;
        let ours = metadata.is_ours() && !anothers(metadata.bot_id, self.bot_id);
        let version = metadata.schema_version == Some(self.schema_version);
        if ours && version { Closeness::Contents } else { Closeness::Counts }
    }

    /// Whether nothing was changed, as the source says: a commit may fail after it took effect.
    fn is_as_saved(&self, undo: Option<&Undo>) -> bool {
        let compared = guarded(|| {
            let Some((undo, safety)) = undo.and_then(|undo| Some((undo, undo.safety()?))) else {
                return Ok(false);
            };
            let mut archive = self.archive_of_ours(&safety, &undo.safety_sha256)?;
            let all = saved_sections(&archive);
            Ok(self.compare(&mut archive, &all, Closeness::Contents)?.is_none())
        });
        compared.unwrap_or(false)
    }

    /// Brings back what was live before, and saves what the restore has left.
    fn roll_back(&self, undo: &Undo, wanted: &Wanted<'_>, found: Result<Difference>) -> End {
        let (error, difference) = match found {
            Ok(difference) => (differs("the data are not those of the backup"), difference),
            Err(error) if is_of_the_data(&error) => {
                let step = "read the data after the restore";
                (differs(step).because(error.chain()), Difference::default())
            }
            Err(error) => {
                let unread = Error::new(error.kind(), "read the backup after the restore");
                (unread.because(error.chain()), Difference::default())
            }
        };
        tracing::warn!(step = %error, "a restore is taken back");
        let left = guarded(|| self.save(!wanted.again)).ok();
        let left = left.map(|(left, _)| Undo { kept: true, ..left });
        match guarded(|| self.bring_back(undo)) {
            Ok(()) => End::RolledBack { error, difference, left },
            Err(error) => End::Unclear(error),
        }
    }

    fn bring_back(&self, undo: &Undo) -> Result<()> {
        let step = "bring back what was there before";
        let safety = undo.safety().ok_or_else(|| Error::new(ErrorKind::Internal, step))?;
        let mut archive = self.archive_of_ours(&safety, &undo.safety_sha256)?;
        let replaced = self.replace(&mut archive);
        // what is live counts, and not what the source says
        let all = saved_sections(&archive);
        if self.compare(&mut archive, &all, Closeness::Contents)?.is_none() {
            return Ok(());
        }
        match replaced {
            Err(Failure::Refused(error) | Failure::Unknown(error)) => Err(error),
            Ok(_) => Err(differs(step)),
        }
    }
}

fn differs(step: &'static str) -> Error {
    Error::new(ErrorKind::Source, step)
}

/// All that was live when this was saved, with what held nothing.
fn saved_sections(archive: &Archive) -> BTreeSet<String> {
    sections(archive).into_iter().chain(archive.left_out()).collect()
}

fn sections(archive: &Archive) -> BTreeSet<String> {
    archive.summary.sections.iter().map(|section| section.name.clone()).collect()
}
