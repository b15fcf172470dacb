//! What became of backups and restores. One that was cut off is told of, and the way back from a restore
//! stays open meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use super::notebook::{Journal, Notebook, Undo};
use super::turn::guarded;
use super::{Parts, Service};
use crate::error::{Error, ErrorKind, Result};

/// How often people hear of a backup that is cut off again and again, as each night.
const TOLD_OF_A_BACKUP_EVERY: TimeDelta = TimeDelta::hours(20);

/// The notes of this program that a backup is being made, by when it began, until they are taken back, and
/// those of others that people have heard of; each with whether that is over.
#[derive(Debug, Default)]
pub(crate) struct Making(Mutex<Vec<(DateTime<Utc>, bool)>>);

/// What became of restores, until that is noted.
#[derive(Debug, Default)]
pub(crate) struct Fates(Mutex<Vec<(String, Fate)>>);

/// What became of the restore with a journal.
#[derive(Debug)]
pub(super) enum Fate {
    /// It was cut off; people still have to hear of it.
    CutOff,
    /// It was cut off, and people have heard of it.
    Told,
    /// It has changed nothing,
    Refused,
    /// or was taken back; this leads to what it had left.
    RolledBack(Option<Undo>),
    /// It took back one that was cut off, whose way back has this token.
    TakenBack { of: String },
    /// What is live was replaced; this leads back, where anything could be saved.
    Replaced(Option<Undo>),
}

impl Making {
    fn held(&self) -> MutexGuard<'_, Vec<(DateTime<Utc>, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the note back; one of another program stays.
    pub(super) fn take_back(&self, notebook: &mut Notebook) -> bool {
        let held = self.held();
        notebook.making.take_if(|at| held.iter().any(|(own, _)| own == at)).is_some()
    }

    /// The same with one that is over, if that could not be noted.
    pub(super) fn take_back_old(&self, notebook: &mut Notebook) {
        let held = self.held();
        notebook.making.take_if(|at| held.contains(&(*at, true)));
    }
}

impl Fates {
    fn held(&self) -> MutexGuard<'_, Vec<(String, Fate)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes all of it; what stands there already is noted once.
    pub(super) fn note(&self, notebook: &mut Notebook) {
        for (id, fate) in self.held().iter() {
            fate.note(notebook, id);
        }
    }
}

impl Fate {
    fn note(&self, notebook: &mut Notebook, id: &str) {
        let is_it = |journal: &&mut Journal| journal.id == id;
        let running = notebook.restoring.as_mut().as_ref().is_some_and(is_it);
        if let Self::Told = self {
            if running {
                notebook.cut_off();
            }
            return note_told(notebook, id);
        }
        if !running {
            // noted, or another program took it for one that was cut off
            return self.note_over(notebook, id);
        }
        match self {
            Self::CutOff => _ = notebook.cut_off(),
            // all is as it was before that one: the ways back of before lead where they did. Its own place
            // is taken by the way to what it had left, once it was told
            Self::TakenBack { of } => {
                notebook.close_cut_off(of);
                if let Some(journal) = &mut notebook.restoring {
                    journal.told = true;
                }
                notebook.cut_off();
            }
            // where nothing could be saved, the ways back of before are better than none
            Self::Told | Self::Refused | Self::Replaced(None) => notebook.restoring = None,
            Self::RolledBack(left) => {
                notebook.restoring = None;
                notebook.left = left.clone().or(notebook.left.take());
            }
            Self::Replaced(undo) => {
                notebook.restoring = None;
                notebook.left = None;
                notebook.undo.clone_from(undo);
                notebook.cut_off.retain(|journal| !journal.told);
            }
        }
    }

    /// The one who knows its end has told of that.
    fn note_over(&self, notebook: &mut Notebook, id: &str) {
        let is_it = |journal: &Journal| journal.id == id;
        if !notebook.cut_off.iter().any(is_it) {
            return;
        }
        match self {
            Self::CutOff => return,
            // its way back stays open
            Self::Told | Self::TakenBack { .. } | Self::Replaced(_) => {
                return note_told(notebook, id);
            }
            Self::Refused => {}
            Self::RolledBack(left) => notebook.left = left.clone().or(notebook.left.take()),
        }
        notebook.cut_off.retain(|journal| !is_it(journal));
    }
}

fn note_told(notebook: &mut Notebook, id: &str) {
    let told = notebook.cut_off.iter_mut().filter(|journal| journal.id == id);
    told.for_each(|journal| journal.told = true);
}

impl Service {
    /// When a backup began that was cut off, and of which people are to hear. Not one that is there, and
    /// lacks its note alone; nor each time where a bot ends in every backup, and is started again.
    pub(crate) async fn cut_off_backup(&self) -> Result<Option<DateTime<Utc>>> {
        if self.blocking(Parts::notebook).await?.making.is_none() {
            return Ok(None);
        }
        // in turn: one that is being made is not cut off
        self.changing(|parts| {
            let mut notebook = parts.notebook()?;
            let Some(since) = notebook.making else { return Ok(None) };
            let now = parts.clock.now();
            // by a clock that was set back nobody knows how long it is
            let lately = |at| TimeDelta::zero() <= now - at && now - at < TOLD_OF_A_BACKUP_EVERY;
            // an archive's time is in whole seconds
            let since = since.trunc_subsecs(0) - TimeDelta::seconds(1);
            if notebook.told_cut_off.is_some_and(lately) || parts.has_made_one_since(since) {
                notebook.making = None;
                notebook.write(parts.storage.as_ref())?;
            }
            Ok(notebook.making)
        })
        .await
    }

    /// The administrator has heard that a backup was cut off.
    pub(crate) async fn note_told_of_cut_off_backup(&self, since: DateTime<Utc>) {
        self.parts.making.held().push((since, true));
        self.note_heard(|parts| {
            let now = parts.clock.now();
            parts.note("the message was not noted", |notebook| {
                (notebook.making, notebook.told_cut_off) = (None, Some(now));
                true
            });
        })
        .await;
    }

    /// The restore that was cut off since the last look; the administrator still has to hear of it.
    pub(crate) async fn cut_off(&self) -> Result<Option<Journal>> {
        self.changing(Parts::cut_off).await
    }

    /// The first restore that was cut off, and of which the administrator has not heard.
    pub(crate) async fn untold_cut_off(&self) -> Result<Option<Journal>> {
        let notebook = self.blocking(Parts::notebook).await?;
        if notebook.restoring.is_none() {
            // nobody waits for a backup to hear of it, or that there is none
            return Ok(notebook.untold_cut_off().cloned());
        }
        self.changing(|parts| {
            parts.cut_off()?;
            Ok(parts.notebook()?.untold_cut_off().cloned())
        })
        .await
    }

    /// The administrator has heard of a restore that was cut off; its way back stays open.
    pub(crate) async fn note_told_of(&self, cut_off: Journal) {
        self.parts.fates.held().push((cut_off.id, Fate::Told));
        self.note_heard(Parts::note_fates).await;
    }

    /// It was heard, whether or not that can be noted.
    async fn note_heard(&self, note: impl FnOnce(&Parts) + Send + 'static) {
        let noted = self.changing(|parts| {
            note(parts);
            Ok(())
        });
        if let Err(error) = noted.await {
            tracing::warn!(kind = ?error.kind(), step = %error, "the message was not noted");
        }
    }
}

impl Parts {
    /// Makes a backup, and notes meanwhile that one is being made.
    pub(super) fn making<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = guarded(|| Ok(self.clock.now())).unwrap_or_default();
        self.making.held().push((begun, false));
        let mut before = None;
        // no backup is left out for want of a note
        let noted = self.note("that a backup is being made was not noted", |notebook| {
            before = notebook.making.replace(begun);
            true
        });
        if noted {
            self.making.held().retain(|(_, over)| !over);
        }
        let made = guarded(work);
        self.note("the end of a backup was not noted", |notebook| {
            let noted = self.making.take_back(notebook);
            // people still have to hear of an earlier one that was cut off, as none has followed
            notebook.making = notebook.making.or(before.filter(|_| made.is_err()));
            noted
        });
        self.making.held().iter_mut().for_each(|(_, over)| *over = true);
        made
    }

    /// Looks for a restore that was cut off: in turn, as the journal of one that runs tells of no crash.
    fn cut_off(&self) -> Result<Option<Journal>> {
        let found = self.notebook()?.restoring;
        if let Some(journal) = &found {
            self.conclude(journal.id.clone(), Fate::CutOff);
        }
        Ok(found)
    }

    /// The notes before another restore. One that was cut off since the last look must be told first.
    pub(super) fn notebook_before_restore(&self) -> Result<Notebook> {
        let notebook = self.notebook()?;
        if notebook.restoring.is_some() {
            return Err(Error::new(ErrorKind::Busy, "another program's restore was cut off"));
        }
        Ok(notebook)
    }

    /// Notes what became of a restore. Where that fails another program takes it for one that was cut
    /// off, which is the safe side.
    pub(super) fn conclude(&self, id: String, fate: Fate) {
        self.fates.held().push((id, fate));
        self.note_fates();
    }

    fn note_fates(&self) {
        let held = self.fates.held().len();
        // whoever reads the notes has them with all of it
        if self.note("what became of a restore was not noted", |_| true) {
            self.fates.held().drain(..held);
        }
    }
}
