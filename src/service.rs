//! The use cases: back up, list, inspect, restore, undo. One at a time.

mod comparison;
mod create;
mod doubts;
mod file;
mod gate;
mod glances;
mod interruption;
mod likeness;
mod news;
pub(crate) mod notebook;
mod own;
mod owner;
mod page;
mod receive;
mod restore;
mod rollback;
mod turn;
mod unchanged;

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::IgnoredAny;
use tokio::sync::{Mutex, Semaphore};

use crate::archive::{Archive, Metadata, Meter, Reading, Timer};
pub(crate) use crate::archive::{Compression, Limits, Packing};
use crate::backup::{BackupId, BackupInfo, Counts, Missing, Trigger};
use crate::clock::{Clock, moment_of};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::source::{AllSaved, AnySource, Export, Import, Section, Sections};
use crate::storage::{self, Draft, Readable, Storage};

pub(crate) use comparison::Difference;
pub(crate) use doubts::Doubts;
use doubts::speaks_against;
use file::{File, NewFile};
pub(crate) use gate::Gate;
pub(crate) use glances::Glances;
pub(crate) use interruption::{Fates, Making};
use notebook::Notebook;
pub(crate) use notebook::{Ailment, Failing, Journal, Undo, Untold};
pub(crate) use own::Moments;
pub(crate) use owner::anothers;
pub(crate) use page::{Listed, Page};
pub(crate) use restore::{Cause, Doubt, RestoreFailed, Restored, Save, UndoTarget};
pub(crate) use turn::{guarded, of_source};

/// One that never comes back leaves some for the others.
const LOOKS: usize = 3;

/// The parts that the use cases are made of, and the settings that they need.
pub(crate) struct Parts {
    pub(crate) source: Box<dyn AnySource>,
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keep: usize,
    /// The schedule makes no backup of data that have not changed.
    pub(crate) skips_unchanged: bool,
    /// The bot's Telegram id, where it is known.
    pub(crate) bot_id: Option<u64>,
    pub(crate) schema_version: u32,
    pub(crate) packing: Packing,
    /// Of the archives in the storage, and of those that are made for it.
    pub(crate) limits: Limits,
    /// Of an archive that came by the chat.
    pub(crate) upload_limits: Limits,
    pub(crate) gate: Gate,
    pub(crate) glances: Glances,
    pub(crate) doubts: Doubts,
    pub(crate) fates: Fates,
    /// There were notes in the storage.
    pub(crate) noted: AtomicBool,
    pub(crate) making: Making,
}

#[derive(Clone)]
pub(crate) struct Service {
    parts: Arc<Parts>,
    /// Held by whatever must not be disturbed.
    turn: Arc<Mutex<()>>,
    /// What may look at the notes for the schedule at once.
    looks: Arc<Semaphore>,
    /// A backup or restore runs, or waits for its turn.
    busy: Arc<AtomicBool>,
}

/// Which archive: one of the list, or a file that lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Stored(BackupId),
    File(PathBuf),
}

/// What a finished backup tells.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) info: BackupInfo,
    /// Where it lies, in the words of its storage.
    pub(crate) path: String,
    /// Old backups could not be removed; the new one is not touched by that.
    pub(crate) cleanup: Option<Error>,
    /// It is an earlier backup, and this is when the data were found the same.
    pub(crate) unchanged: Option<DateTime<Utc>>,
}

/// An archive that was read to its end, beside what is live.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) info: BackupInfo,
    pub(crate) data_sha256: String,
    /// What the bot passes over, because it does not know it.
    pub(crate) unknown: Counts,
    /// What is live now, or why nobody can tell.
    pub(crate) live: Result<Counts>,
    /// Another bot made it.
    pub(crate) foreign: bool,
}

/// That a restore leaves less than half of the records in the sections that it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fewer {
    pub(crate) archived: u64,
    pub(crate) live: u64,
    /// Nobody can tell: it depends on which sections have had another name.
    pub(crate) perhaps: bool,
}

impl Inspection {
    /// `None` where a restore leaves more, or nobody can tell.
    pub(crate) fn fewer(&self) -> Option<Fewer> {
        let (archived, live) = (&self.info.counts, self.live.as_ref().ok()?);
        let of = |chosen: &dyn Fn(&str) -> bool, perhaps| {
            let total = |counts: &Counts| counts.only(|name, _| chosen(name)).total();
            let (archived, live) = (total(archived), total(live));
            (archived < live.div_ceil(2)).then_some(Fewer { archived, live, perhaps })
        };
        let replaced = |name: &str| archived.get(name).is_some() && live.get(name).is_some();
        of(&replaced, false)
            // what is not live under its name may be so under any of the new ones
            .or_else(|| {
                let written = |name: &str| replaced(name) && live.has_written(name);
                self.missing().renamed.then(|| of(&written, true)).flatten()
            })
            .or_else(|| archived.names_more_than(live).then(|| of(&|_| true, true)).flatten())
    }

    /// What is live and not in the archive.
    pub(crate) fn missing(&self) -> Missing {
        let live = self.live.as_ref();
        live.map(|live| live.missing_in(&self.info.counts)).unwrap_or_default()
    }
}

impl Service {
    pub(crate) fn new(parts: Parts) -> Self {
        let (turn, busy) = Default::default();
        Self { parts: Arc::new(parts), turn, looks: Arc::new(Semaphore::new(LOOKS)), busy }
    }

    /// Makes the place ready to be changed, or says why it cannot be.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        self.parts.storage.prepare()
    }

    /// Makes a backup; old ones go after it.
    pub(crate) async fn back_up(&self, trigger: Trigger) -> Result<Report> {
        self.alone(move |parts| parts.back_up(trigger)).await
    }

    /// Makes a scheduled backup, if one is due after those that were made at these moments; `None`
    /// where it is not, as when a person has just made one. Where the data are those of the last one,
    /// that one is proved again.
    pub(crate) async fn back_up_if(
        &self,
        is_due: impl FnOnce(&[DateTime<Utc>]) -> bool + Send + 'static,
    ) -> Result<Option<Report>> {
        self.alone(move |parts| {
            // asked under the lock, so that of two programs one makes it
            if !is_due(&parts.own()?.moments().all()) {
                return Ok(None);
            }
            parts.back_up_on_schedule().map(Some)
        })
        .await
    }

    /// Takes the schedule of this bot for as long as what is given lives; `None` while another
    /// program has it.
    pub(crate) async fn claim_schedule(&self) -> Result<Option<Box<dyn Any + Send>>> {
        self.blocking(|parts| {
            let part = parts.bot_id.map_or_else(|| "bot".to_owned(), |id| id.to_string());
            parts.storage.claim(&part).map_err(|error| Error::storage("take the schedule", error))
        })
        .await
    }

    /// A page of the list. Only the archives of the page are opened.
    pub(crate) async fn list(&self, page: usize, size: usize) -> Result<Page> {
        self.blocking(move |parts| parts.list(page, size)).await
    }

    /// What the schedule counts from.
    pub(crate) async fn moments(&self) -> Result<Moments> {
        self.blocking(|parts| Ok(parts.own()?.moments())).await
    }

    /// Whether the list has an archive of this name; one that cannot be opened is there too.
    pub(crate) async fn has(&self, id: BackupId) -> bool {
        let opened = self.blocking(move |parts| found(parts.storage.open(&id), &id)).await;
        !opened.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// The archive as it lies there; `None` where it is longer than so many bytes.
    pub(crate) async fn read(&self, id: BackupId, most: u64) -> Result<Option<Vec<u8>>> {
        self.blocking(move |parts| {
            let mut bytes = Vec::new();
            let file = parts.open(&id)?;
            let length = file.take(most + 1).read_to_end(&mut bytes);
            let length = length.map_err(|error| Error::storage("read the backup", error))?;
            Ok((length as u64 <= most).then_some(bytes))
        })
        .await
    }

    /// Where an archive lies, in the words of its storage.
    pub(crate) fn path(&self, id: &BackupId) -> String {
        self.parts.path(id)
    }

    /// Checks an archive wholly, and counts what is live.
    pub(crate) async fn inspect(&self, chosen: Chosen) -> Result<Inspection> {
        self.in_turn(move |parts| parts.doubting(&chosen, || parts.inspect(&chosen))).await
    }

    /// Checks an archive wholly, and gives what the bot would take of it.
    pub(crate) async fn verify(&self, chosen: Chosen) -> Result<BackupInfo> {
        self.in_turn(move |parts| parts.doubting(&chosen, || parts.verify(&chosen))).await
    }

    /// Whether a backup or restore runs here, or waits for its turn.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// What every update passes on its way to the host.
    pub(crate) fn gate(&self) -> &Gate {
        &self.parts.gate
    }

    pub(crate) fn storage_name(&self) -> String {
        guarded(|| Ok(self.parts.storage.name())).unwrap_or_default()
    }

    pub(crate) fn keep(&self) -> usize {
        self.parts.keep
    }

    pub(crate) fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        self.parts.clock.to_local(moment)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.parts.clock.now()
    }
}

impl Parts {
    /// Where an archive lies, in the words of its storage; its name, if that panics.
    fn path(&self, id: &BackupId) -> String {
        guarded(|| Ok(self.storage.path(id))).unwrap_or_else(|_| id.to_string())
    }

    /// Notes something: `change` says whether there was something to note. What was done stays done,
    /// whatever becomes of the note; true if it stands there.
    fn note(&self, unless: &'static str, change: impl FnOnce(&mut Notebook) -> bool) -> bool {
        let noted = guarded(|| {
            let mut notebook = self.notebook()?;
            if change(&mut notebook) { notebook.write(self.storage.as_ref()) } else { Ok(()) }
        });
        if let Err(error) = &noted {
            tracing::warn!(kind = ?error.kind(), step = %error, "{unless}");
        }
        noted.is_ok()
    }

    fn moment(&self, made: &Metadata) -> DateTime<Utc> {
        made.created_at_utc.unwrap_or_else(|| moment_of(self.clock.as_ref(), made.created_at))
    }

    fn verify(&self, chosen: &Chosen) -> Result<BackupInfo> {
        let Checked { info, archive, taken } = self.checked(chosen)?;
        let (counts, _) = sorted(&archive, &taken);
        Ok(BackupInfo { counts, ..info })
    }

    fn inspect(&self, chosen: &Chosen) -> Result<Inspection> {
        let Checked { info, archive, taken } = self.checked(chosen)?;
        let live = guarded(|| Ok(self.live()?.counts()));
        let data_sha256 = archive.summary.sha256.clone();
        let (counts, unknown) = sorted(&archive, &taken);
        let foreign = anothers(info.bot_id, self.bot_id);
        let info = BackupInfo { counts, ..info };
        Ok(Inspection { info, data_sha256, unknown, live, foreign })
    }

    /// Reads an archive to its end and decodes it with the host's types.
    fn checked(&self, chosen: &Chosen) -> Result<Checked> {
        self.checked_as(chosen, &mut AllSaved::new())
    }

    /// The same for an archive of which it is known what was saved.
    fn checked_as(&self, chosen: &Chosen, saved: &mut AllSaved) -> Result<Checked> {
        let mut file = match chosen {
            Chosen::Stored(id) => self.open(id)?,
            Chosen::File(path) => found(storage::open_file(path), chosen)?,
        };
        let size_bytes =
            file.seek(SeekFrom::End(0)).map_err(|e| Error::storage("open the backup", e))?;
        let mut archive = self.read(file, &self.limits_of(chosen, size_bytes))?;
        let taken = self.check(&mut archive, saved)?;
        archive.checked();
        let metadata = archive.metadata.clone();
        let id = chosen.id().unwrap_or_else(|| BackupId::new(metadata.created_at, 1));
        Ok(Checked { info: metadata.info(id, size_bytes), archive, taken })
    }

    fn draft(&self) -> Result<Box<dyn Draft>> {
        let draft = self.storage.draft();
        Ok(Box::new(NewFile(
            draft.map_err(|error| Error::storage("save the archive to disk", error))?,
        )))
    }

    fn open(&self, id: &BackupId) -> Result<Box<dyn Readable>> {
        let opened = self.storage.open(id);
        if let Ok(None) = opened {
            // in a place that is away nothing can be found, and nothing is gone for that
            self.stored()?;
        }
        found(opened, id)
    }

    /// What is in the place of the backups.
    fn stored(&self) -> Result<Vec<(BackupId, u64)>> {
        let listed = self.storage.list();
        listed.map_err(|error| Error::storage("look at the place of the backups", error))
    }

    /// An archive that was proved here, and whose data had this hash.
    fn archive_of_ours(&self, id: &BackupId, hash: &str) -> Result<Archive> {
        let archive = self.read(self.open(id)?, &self.limits_of_ours())?;
        if archive.summary.sha256 == hash {
            Ok(archive)
        } else {
            Err(Error::damaged("it is not what it was"))
        }
    }

    fn limits_of(&self, chosen: &Chosen, size_bytes: u64) -> Limits {
        let Chosen::Stored(id) = chosen else { return self.limits };
        let proved = guarded(|| Ok(self.notebook()?.hash(id, size_bytes).is_some()));
        if proved.unwrap_or(false) { self.limits_of_ours() } else { self.limits }
    }

    /// Of what was proved here: how long its disk takes over it is no fault of it, and no backup is
    /// made that could not be restored.
    fn limits_of_ours(&self) -> Limits {
        self.limits.time(Duration::MAX)
    }

    /// Reads an archive to its end, within these limits.
    fn read(&self, file: Box<dyn Readable>, limits: &Limits) -> Result<Archive> {
        Archive::open(Box::new(file), self.meter(limits), self.reading(limits))
    }

    fn reading(&self, limits: &Limits) -> Reading {
        let timer = Timer::start(&self.clock, limits);
        Reading { limits: *limits, timer, ahead: self.packing.workers() > 1 }
    }

    /// Gives the sections that the source has read. Of an archive that is just being made it is known
    /// what was saved.
    fn check(&self, archive: &mut Archive, saved: &mut AllSaved) -> Result<BTreeSet<String>> {
        let mut import = Import::of(archive, saved);
        let outcome = of_source(|| pollster::block_on(self.source.check(&mut import)));
        // a source may panic where reading fails: it is not to blame for that
        if let Some(failure) = import.failure() {
            return Err(failure);
        }
        outcome?.map_err(|cause| {
            failed(ErrorKind::Incompatible, "read the backup as the bot would", cause)
        })?;
        let taken = import.taken();
        let names = import.names();
        if taken.is_empty() && !names.is_empty() {
            return Err(nothing_known());
        }
        // what the source passes over must be whole as well
        for name in names.iter().filter(|name| !taken.contains(*name)) {
            import.value::<IgnoredAny>(name)?;
        }
        Ok(taken)
    }

    /// Gives the sections that the source has, and what was saved.
    fn export(&self, out: &mut (dyn Write + Send)) -> Result<(Vec<String>, AllSaved)> {
        let mut export = Export::new(out);
        let outcome = of_source(|| pollster::block_on(self.source.export(&mut export)));
        // nor where writing does
        if let Some(failure) = export.failure() {
            return Err(failure);
        }
        outcome?.map_err(|cause| failed(ErrorKind::Source, "read the bot's data", cause))?;
        let sections = of_source(|| self.source.sections())?;
        export.finish(sections.iter().map(|section| section.name.as_str()))
    }

    fn meter(&self, limits: &Limits) -> Meter {
        let depths: HashMap<String, u8> = self
            .source
            .sections()
            .into_iter()
            .map(|Section { name, depth, .. }| (name, depth))
            .collect();
        Meter::new(move |section| depths.get(section).copied().unwrap_or(1), limits)
    }
}

/// Keeps the kind of an error of ours that came back through the host's code.
fn failed(kind: ErrorKind, step: &str, cause: BoxError) -> Error {
    match cause.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(cause) => Error::new(kind, step).because(cause),
    }
}

fn found(
    file: io::Result<Option<Box<dyn Readable>>>,
    what: impl fmt::Display,
) -> Result<Box<dyn Readable>> {
    let file = file.map_err(|error| Error::storage("open the backup", error))?;
    let absent = || Error::new(ErrorKind::NotFound, format!("there is no {what}"));
    Ok(Box::new(File(file.ok_or_else(absent)?)))
}

impl Chosen {
    /// The name of the list, or one of the same form.
    fn id(&self) -> Option<BackupId> {
        match self {
            Self::Stored(id) => Some(id.clone()),
            Self::File(path) => BackupId::parse(path.file_name()?.to_str()?),
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(id) => id.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// An archive that was read to its end and decoded with the host's types.
struct Checked {
    /// What its metadata say of it.
    info: BackupInfo,
    archive: Archive,
    /// The sections that the host's types have taken.
    taken: BTreeSet<String>,
}

/// The counts of what the bot takes, and of what it passes over.
fn sorted(archive: &Archive, taken: &BTreeSet<String>) -> (Counts, Counts) {
    let (counts, left_out) = (archive.summary.counts(), archive.left_out());
    let known = counts.only(|name, _| taken.contains(name));
    let empty = left_out.iter().filter(|name| taken.contains(*name));
    (known.with_empty(empty), counts.only(|name, _| !taken.contains(name)))
}

fn nothing_known() -> Error {
    Error::new(ErrorKind::Incompatible, "the bot knows none of the sections in this backup")
}

impl Sections for Archive {
    fn names(&self) -> Vec<String> {
        self.summary.sections.iter().map(|section| section.name.clone()).collect()
    }

    fn left_out(&self) -> Vec<String> {
        Archive::left_out(self)
    }

    fn schema_version(&self) -> Option<u32> {
        self.metadata.schema_version
    }

    fn open(&mut self, section: &str) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.section(section)
    }
}

#[cfg(test)]
mod tests;
