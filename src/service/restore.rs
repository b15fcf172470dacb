//! Bringing a backup back, and bringing back what was before that.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use uuid::Uuid;

use super::comparison::Difference;
use super::interruption::Fate;
use super::notebook::{Journal, Notebook, Undo};
use super::turn::{guarded, of_source};
use super::{Checked, Chosen, Parts, Service, failed, nothing_known, sorted};
use crate::archive::Archive;
use crate::backup::{BackupId, BackupInfo, Counts, Missing, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Import;

/// How long after a restore one tap takes it back. Later than that a tap may be a slip, and much may
/// have been added meanwhile: then the question comes first.
const UNDO_UNASKED: TimeDelta = TimeDelta::minutes(10);

/// What happens to what is live before a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Save {
    /// It is saved; if that fails, nothing is restored.
    First,
    /// It cannot be read, and a person has agreed to give it up.
    GiveUp,
}

/// What a finished restore tells.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The archive, with the records that the bot took.
    pub(crate) info: BackupInfo,
    /// Sections of the archive that the bot does not know: they were passed over.
    pub(crate) unknown: Counts,
    /// Sections that are live and that the archive lacks: they stayed as they were.
    pub(crate) missing: Missing,
    /// What is live could not be proved to be what the archive holds.
    pub(crate) doubt: Option<Doubt>,
    /// The way back; none where nothing could be saved.
    pub(crate) undo: Option<Undo>,
}

/// Nobody can say that a restore left what the archive holds.
#[derive(Debug)]
pub(crate) struct Doubt {
    /// How the two differ, or why what is live cannot be read.
    pub(crate) found: Result<Difference>,
    pub(crate) cause: Cause,
}

/// Why that was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The bot was used meanwhile, and may have changed its data.
    Written,
    /// Another bot or another version made the archive, and may have had other records.
    Origin,
    /// A person has chosen what a restore had left.
    Chosen,
    /// What was live before could not be saved.
    NoWayBack,
}

/// Why a restore did not happen.
#[derive(Debug)]
pub(crate) struct RestoreFailed {
    pub(crate) error: Error,
    /// What is live may have been changed. It is noted like a crash: people must hear of it.
    pub(crate) cut_off: Option<Box<Journal>>,
    /// What is live could not be saved first.
    pub(crate) unsaved: bool,
    /// It happened, left something else than the archive holds, and was taken back. Empty where the two
    /// could not be compared.
    pub(crate) rolled_back: Option<Box<Difference>>,
    /// The way back, where there is one; after a roll-back that to what the restore had left.
    pub(crate) undo: Option<Box<Undo>>,
}

/// Where a button of the way back leads.
#[derive(Debug)]
pub(crate) struct UndoTarget {
    pub(crate) safety: BackupId,
    /// The restore is so recent that nobody needs to be asked.
    pub(crate) recent: bool,
    /// The way itself.
    pub(crate) undo: Undo,
}

/// What is restored, and how.
pub(super) struct Wanted<'a> {
    chosen: &'a Chosen,
    data_sha256: &'a str,
    save: Save,
    /// It is an undo,
    pub(super) undoes: bool,
    /// and the way back from it takes back an undo.
    pub(super) again: bool,
    /// A person has chosen what comes of it, whatever it is.
    pub(super) kept: bool,
    /// It takes back a restore that was cut off: the way back from that, by its token.
    takes_back: Option<String>,
}

/// How a restore ended.
pub(super) enum End {
    Done {
        taken: BTreeSet<String>,
        doubt: Option<Doubt>,
    },
    /// Nothing was changed.
    Refused(Error),
    /// All is as it was, and this leads to what the restore had left.
    RolledBack {
        error: Error,
        difference: Difference,
        left: Option<Undo>,
    },
    /// Nobody knows how far the source came.
    Unclear(Error),
}

impl End {
    fn fate(&self, undo: Option<&Undo>, takes_back: Option<&String>) -> Fate {
        match self {
            Self::Refused(_) => Fate::Refused,
            Self::RolledBack { left, .. } => Fate::RolledBack(left.clone()),
            Self::Done { .. } => match takes_back {
                // where nothing could be saved, no way back is closed
                Some(of) if undo.is_some() => Fate::TakenBack { of: of.clone() },
                _ => Fate::Replaced(undo.cloned()),
            },
            // perhaps nothing was replaced: no way back of before is closed
            Self::Unclear(_) => Fate::CutOff,
        }
    }
}

impl Doubt {
    /// Whether the data are to blame, and not the place of the backups.
    pub(crate) fn is_of_the_data(&self) -> bool {
        self.found.as_ref().is_err_and(is_of_the_data)
    }
}

impl From<Error> for RestoreFailed {
    fn from(error: Error) -> Self {
        Self { error, cut_off: None, unsaved: false, rolled_back: None, undo: None }
    }
}

impl RestoreFailed {
    /// What is live cannot be saved, and a person may agree to give it up.
    pub(crate) fn may_be_given_up(&self) -> bool {
        self.unsaved && is_of_the_data(&self.error)
    }

    /// Whether the data are to blame, and not the place of the backups.
    pub(crate) fn is_of_the_data(&self) -> bool {
        is_of_the_data(&self.error)
    }

    /// Whether the place of the backups is.
    pub(crate) fn is_of_the_place(&self) -> bool {
        use ErrorKind::{AccessDenied, Damaged, NotFound, Storage, StorageFull};
        matches!(self.error.kind(), AccessDenied | Damaged | NotFound | Storage | StorageFull)
    }
}

/// Whether what is live is to blame, and not the place of the backups.
pub(super) fn is_of_the_data(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Source | ErrorKind::TooLarge)
}

impl Service {
    /// Replaces what is live by an archive, if it is still the one with this hash.
    pub(crate) async fn restore(
        &self,
        chosen: Chosen,
        data_sha256: String,
        save: Save,
    ) -> Result<Restored, RestoreFailed> {
        self.alone(move |parts| {
            let (chosen, data_sha256) = (&chosen, data_sha256.as_str());
            let notebook = parts.notebook_before_restore()?;
            // whoever chooses what a restore had left, and what was taken back, wants just that
            let is_kept = |undo: &Undo| undo.kept && undo.safety_sha256 == data_sha256;
            let kept = notebook.undos().any(is_kept);
            let (undoes, again) = (false, false);
            let leads_there = |way: &Undo| match chosen {
                Chosen::Stored(id) => way.safety().as_ref() == Some(id),
                // by its path, as a copy, or as any archive of the same data
                Chosen::File(_) => way.safety_sha256 == data_sha256,
            };
            let takes_back = notebook.cut_off_of(leads_there);
            let takes_back = takes_back.map(|way| way.token.clone());
            let wanted = Wanted { chosen, data_sha256, save, undoes, again, kept, takes_back };
            Ok(parts.restore(&wanted))
        })
        .await?
    }

    /// Goes this way back, if it is still open. A failure leaves it as it was.
    pub(crate) async fn undo(&self, known: Undo) -> Result<Restored, RestoreFailed> {
        let wanted = known.token.clone();
        let outcome = self.alone(move |parts| {
            let notebook = parts.notebook_before_restore()?;
            let undo = undo_in(&notebook, &wanted);
            let Some((id, undo)) = undo.and_then(|undo| Some((undo.safety()?, undo))) else {
                parts.has_notes(&notebook)?;
                return Ok(None);
            };
            let takes_back = notebook.cut_off_of(|way| way.token == undo.token);
            let takes_back = takes_back.map(|way| way.token.clone());
            // the way back from it is no second «undo the restore» beside those that stay open
            let stays_open = |other: &Undo| other.token != undo.token && !other.kept;
            let again = !undo.again || takes_back.is_some() && notebook.undos().any(stays_open);
            let (chosen, data_sha256) = (&Chosen::Stored(id), undo.safety_sha256.as_str());
            let (save, undoes, kept) = (Save::First, true, undo.kept);
            let wanted = Wanted { chosen, data_sha256, save, undoes, again, kept, takes_back };
            Ok(Some(parts.restore(&wanted)))
        });
        let mut failed = match outcome.await {
            Ok(Some(Ok(restored))) => return Ok(restored),
            Ok(Some(Err(failed))) => failed,
            Ok(None) => {
                let step = "this restore can no longer be undone";
                return Err(Error::new(ErrorKind::Changed, step).into());
            }
            Err(error) => error.into(),
        };
        failed.undo.get_or_insert_with(|| Box::new(known));
        Err(failed)
    }

    /// Where these tokens lead, so far as they lead somewhere.
    pub(crate) async fn open_among(&self, tokens: Vec<String>) -> Result<Vec<Undo>> {
        self.blocking(move |parts| {
            let notebook = parts.notebook()?;
            let ways = tokens.iter().filter_map(|token| undo_in(&notebook, token));
            let open: Vec<_> = ways.collect();
            if open.len() < tokens.len() {
                parts.has_notes(&notebook)?;
            }
            Ok(open)
        })
        .await
    }

    /// Where this token leads; `None` where it leads nowhere any more.
    pub(crate) async fn undo_target(&self, token: String) -> Result<Option<UndoTarget>> {
        self.blocking(move |parts| {
            let notebook = parts.notebook()?;
            let undo = undo_in(&notebook, &token);
            if undo.is_none() {
                parts.has_notes(&notebook)?;
            }
            let age = |undo: &Undo| parts.clock.now() - undo.at;
            // or there is a later one to press, of which people may not have read yet
            let crash = notebook.cut_off.iter().rev().find_map(|journal| journal.undo.as_ref());
            let last = undo.as_ref().is_some_and(|undo| {
                crash.is_none_or(|other| other.token == undo.token)
                    && notebook.undo.iter().all(|other| other.at <= undo.at)
            });
            Ok(undo.and_then(|undo| {
                // nobody knows the age of what a clock that was set back has made
                let recent = last && (TimeDelta::zero()..UNDO_UNASKED).contains(&age(&undo));
                Some(UndoTarget { safety: undo.safety()?, recent, undo })
            }))
        })
        .await
    }
}

impl Parts {
    /// A place where there are no notes any more is away, or is the empty folder that its disk was mounted
    /// on. One with archives has lost them.
    fn has_notes(&self, notebook: &Notebook) -> Result<()> {
        if notebook.stored {
            return Ok(());
        }
        let is_empty = self.stored()?.is_empty();
        if is_empty && self.noted.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Storage, "read the notes"));
        }
        Ok(())
    }

    fn restore(&self, wanted: &Wanted<'_>) -> Result<Restored, RestoreFailed> {
        let Wanted { chosen, data_sha256, .. } = *wanted;
        let mut checked = self.checked(chosen).inspect_err(|error| {
            if let Chosen::Stored(id) = chosen {
                self.doubt(id, error);
            }
        })?;
        if checked.archive.summary.sha256 != data_sha256 {
            return Err(Error::new(ErrorKind::Changed, format!("{chosen} was replaced")).into());
        }
        // until all of it is over, nobody writes into what is saved and replaced
        let gate = self.gate.close();
        let (undo, before) = self.save_first(wanted)?;
        let journal = Journal::new(chosen.to_string(), undo.clone());
        let id = journal.id.clone();
        if let Err(error) = guarded(|| self.begin(journal.clone())) {
            // it may stand there all the same
            self.conclude(id, Fate::Refused);
            return Err(error.into());
        }
        let end = self.replace_and_prove(&mut checked, undo.as_ref(), wanted, &gate);
        self.conclude(id, end.fate(undo.as_ref(), wanted.takes_back.as_ref()));
        match end {
            End::Done { taken, doubt } => {
                tracing::info!(backup = %chosen, proved = doubt.is_none(), "restored a backup");
                checked.taken = taken;
                Ok(restored(checked, &before, undo, doubt))
            }
            End::Refused(error) => Err(error.into()),
            End::RolledBack { error, difference, left } => Err(RestoreFailed {
                rolled_back: Some(Box::new(difference)),
                undo: left.map(Box::new),
                ..error.into()
            }),
            End::Unclear(error) => {
                let cut_off = Some(Box::new(journal));
                Err(RestoreFailed { cut_off, undo: undo.map(Box::new), ..error.into() })
            }
        }
    }

    /// Saves what is live, or goes on without where a person has agreed to that.
    fn save_first(&self, wanted: &Wanted<'_>) -> Result<(Option<Undo>, Counts), RestoreFailed> {
        match (guarded(|| self.save(wanted.again)), wanted.save) {
            (Ok((undo, before)), _) => Ok((Some(undo), before)),
            // what can be read again is given up no more: a full disk is no reason to
            (Err(error), Save::GiveUp) if is_of_the_data(&error) => Ok((None, Counts::default())),
            (Err(error), _) => Err(RestoreFailed { unsaved: true, ..error.into() }),
        }
    }

    /// Saves what is live, so that there is a way back.
    pub(super) fn save(&self, again: bool) -> Result<(Undo, Counts)> {
        let safety = self.create(Trigger::BeforeRestore)?;
        let undo = Undo {
            token: Uuid::new_v4().simple().to_string(),
            safety: safety.info.id.to_string(),
            safety_sha256: safety.data_sha256,
            at: self.clock.now(),
            again,
            kept: false,
        };
        Ok((undo, safety.info.counts))
    }

    fn begin(&self, journal: Journal) -> Result<()> {
        let mut notebook = self.notebook_before_restore()?;
        notebook.restoring = Some(journal);
        notebook.write(self.storage.as_ref())
    }

    /// Gives the sections that the source has taken.
    pub(super) fn replace(&self, archive: &mut Archive) -> Result<BTreeSet<String>, Failure> {
        let mut import = Import::new(archive);
        let outcome = of_source(|| pollster::block_on(self.source.restore(&mut import)));
        match (outcome, import.failure()) {
            (Ok(Ok(())), None) if import.taken().is_empty() && !import.names().is_empty() => {
                Err(Failure::Refused(nothing_known()))
            }
            (Ok(Ok(())), None) => Ok(import.taken()),
            // it went on after an error, with whatever it had
            (Ok(Ok(())), Some(failure)) => Err(Failure::Unknown(failure)),
            (Ok(Err(_)), Some(failure)) => Err(Failure::Refused(failure)),
            (Ok(Err(cause)), None) => {
                let error = failed(ErrorKind::Source, "put the data in its place", cause);
                Err(Failure::Refused(error))
            }
            (Err(panic), _) => Err(Failure::Unknown(panic)),
        }
    }
}

/// The way back with this token, if it is open.
fn undo_in(notebook: &Notebook, token: &str) -> Option<Undo> {
    notebook.undos().find(|undo| undo.token == token).cloned()
}

pub(super) enum Failure {
    /// The source says so, and promises that nothing was changed.
    Refused(Error),
    /// Nobody knows how far the source came.
    Unknown(Error),
}

fn restored(
    checked: Checked,
    before: &Counts,
    undo: Option<Undo>,
    doubt: Option<Doubt>,
) -> Restored {
    let Checked { info, archive, taken } = checked;
    let (counts, unknown) = sorted(&archive, &taken);
    let missing = before.missing_in(&counts);
    Restored { info: BackupInfo { counts, ..info }, unknown, missing, doubt, undo }
}
