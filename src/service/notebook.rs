//! `state.json`: what is remembered beside the archives. Lost or damaged, no backup is lost.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::backup::BackupId;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;

const VERSION: u32 = 2;
/// An archive that was read longer ago than this is read again before another goes for its sake.
const PROOF_LASTS: TimeDelta = TimeDelta::days(30);
/// So often in a row nobody restores.
const MOST_CUT_OFF: usize = 16;
/// Some years of a daily backup.
const MOST_GONE: usize = 1000;

/// The notes of one bot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Notebook {
    /// Which archives were read to their end, by name.
    #[serde(default)]
    proofs: BTreeMap<String, Proof>,
    /// The names of archives that are gone, the last ones: none is given a second time, wherever the
    /// clock is set.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    gone: VecDeque<String>,
    /// Archives that a person has sent, to be restored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    received: BTreeMap<String, Received>,
    /// The way back from the last restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<Undo>,
    /// The way to what a restore had left that was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<Undo>,
    /// The journal: written before a restore, cleared after it. Where none runs it tells of a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restoring: Option<Journal>,
    /// Since when a backup is being made. Where none is, it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) making: Option<DateTime<Utc>>,
    /// When the administrator last heard that one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_cut_off: Option<DateTime<Utc>>,
    /// That the schedule fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failing: Option<Failing>,
    /// The schedule's last backup, while nobody has heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) untold: Option<Untold>,
    /// The last time that the data were found the same as in an archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unchanged: Option<Unchanged>,
    /// What stood here before was damaged, and nobody has heard of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lost: bool,
    /// The restores that were cut off, until another one has replaced what is live and people have heard
    /// of them; and the way to what one of them had left that was taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cut_off: Vec<Journal>,
    /// They stand in the place of the backups.
    #[serde(skip)]
    pub(crate) stored: bool,
    #[serde(skip)]
    file: Shared,
    /// Whose notes these are: the key in the file. `None` where nobody can tell.
    #[serde(skip)]
    owner: Option<String>,
}

/// An archive that a person has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) at: DateTime<Utc>,
    /// It was not there before.
    pub(crate) new: bool,
}

/// A backup of which nobody has heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Untold {
    pub(crate) backup: String,
    /// A failure that the administrator has heard of ended with it.
    pub(crate) recovered: bool,
    /// It is an earlier one, with which the data were found the same then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unchanged: Option<DateTime<Utc>>,
}

impl Untold {
    /// Whether they are the same news.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.backup, self.unchanged) == (&other.backup, other.unchanged)
    }
}

/// That the data were the same as in an archive, which stands for a backup of that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unchanged {
    pub(crate) backup: String,
    pub(crate) at: DateTime<Utc>,
}

/// What the file holds besides: it is written back as it was read.
#[derive(Debug, Serialize, Deserialize)]
struct Shared {
    version: u32,
    /// The notes of each bot, by its Telegram id.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    bots: Map<String, Value>,
    /// Notes that name no bot: of a program without a token, or of an older version.
    #[serde(flatten)]
    unnamed: Map<String, Value>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { version: VERSION, bots: Map::new(), unnamed: Map::new() }
    }
}

/// A failure of the schedule that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failing {
    pub(crate) since: DateTime<Utc>,
    /// The administrator has heard of it,
    pub(crate) told: bool,
    /// and when that was for the last time; unknown in the notes of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_at: Option<DateTime<Utc>>,
}

impl Failing {
    /// When the administrator last heard of it.
    pub(crate) fn heard_at(&self) -> Option<DateTime<Utc>> {
        self.told.then(|| self.told_at.unwrap_or(self.since))
    }
}

/// What an archive was when it was proved; one of another length is another archive.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    size_bytes: u64,
    data_sha256: String,
    /// When that was; unknown in the notes of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    /// It could not be read since: it is none that was proved before its data have this hash again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    doubted: bool,
}

/// A restore under way, or one that was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// The archive that is restored.
    pub(crate) restored: String,
    /// None where what was live could not be saved, and was given up.
    pub(crate) undo: Option<Undo>,
    /// What sets it apart from another one of the same archive; earlier versions gave none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    /// The administrator has heard that it was cut off, or has taken back what was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) told: bool,
}

impl Journal {
    pub(crate) fn new(restored: String, undo: Option<Undo>) -> Self {
        Self { restored, undo, id: Uuid::new_v4().simple().to_string(), told: false }
    }
}

/// The way back to a safety backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// What a button must know to use it.
    pub(crate) token: String,
    /// The archive of what was live before.
    pub(crate) safety: String,
    pub(crate) safety_sha256: String,
    pub(crate) at: DateTime<Utc>,
    /// It takes back an undo.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) again: bool,
    /// It leads to what a restore has left, which was not what the archive holds: who takes it knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) kept: bool,
}

impl Undo {
    pub(crate) fn safety(&self) -> Option<BackupId> {
        BackupId::parse(&self.safety)
    }
}

/// What is wrong with the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// Nothing in it can be read.
    Damaged,
    /// A newer program has written it.
    Newer,
}

impl Notebook {
    /// What a person must know of the file.
    pub(crate) fn ailment(&self) -> Option<Ailment> {
        if self.file.version > VERSION {
            return Some(Ailment::Newer);
        }
        self.lost.then_some(Ailment::Damaged)
    }

    /// Reads the notes of a bot; a notebook that is missing or damaged is an empty one. One that
    /// cannot be read now may hold the way back from a restore, so that is an error.
    pub(crate) fn read(storage: &dyn Storage, bot_id: Option<u64>) -> Result<Self> {
        let state = storage.read_state().map_err(|e| Error::storage("read state.json", e))?;
        let stored = state.is_some();
        match state.map_or_else(|| Ok(Shared::default()), |json| parse(&json)) {
            Ok(file) => Ok(Self { stored, ..Self::of(file, bot_id) }),
            Err(error) => {
                warn_of(&error);
                Ok(Self { lost: true, stored, ..Self::of(Shared::default(), bot_id) })
            }
        }
    }

    /// Takes a bot's notes out of the file. A program that does not know which bot it is speaks for
    /// the only one there is; and what names no bot is that one's.
    fn of(mut file: Shared, bot_id: Option<u64>) -> Self {
        let owner = bot_id.map(|id| id.to_string()).or_else(|| only(&file.bots));
        let own = owner.as_ref().and_then(|owner| file.bots.remove(owner));
        let mut notes = own.map_or_else(Self::default, read_notes);
        if owner.is_none() || file.bots.is_empty() {
            let unnamed = std::mem::take(&mut file.unnamed);
            notes.adopt(read_notes(Value::Object(unnamed)));
        }
        Self { file, owner, ..notes }
    }

    fn adopt(&mut self, other: Self) {
        for (name, proof) in other.proofs {
            self.proofs.entry(name).or_insert(proof);
        }
        self.gone.extend(other.gone);
        self.received.extend(other.received);
        self.undo = self.undo.take().into_iter().chain(other.undo).max_by_key(|undo| undo.at);
        self.left = self.left.take().or(other.left);
        self.restoring = self.restoring.take().or(other.restoring);
        self.making = self.making.or(other.making);
        self.told_cut_off = self.told_cut_off.or(other.told_cut_off);
        self.failing = self.failing.or(other.failing);
        self.untold = self.untold.take().or(other.untold);
        self.unchanged = self.unchanged.take().or(other.unchanged);
        self.lost |= other.lost;
        self.cut_off.extend(other.cut_off);
    }

    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<()> {
        let step = "write state.json";
        self.check_version()?;
        let json = self.in_file().and_then(|file| serde_json::to_vec_pretty(&file));
        let json = json.map_err(|error| Error::new(ErrorKind::Internal, step).because(error))?;
        storage.write_state(&json).map_err(|error| Error::storage(step, error))
    }

    /// The whole file, with these notes in it.
    fn in_file(&self) -> serde_json::Result<Shared> {
        let (mut bots, mut unnamed) = (self.file.bots.clone(), self.file.unnamed.clone());
        match (&self.owner, serde_json::to_value(self)?) {
            (Some(owner), notes) => {
                bots.insert(owner.clone(), notes);
            }
            (None, Value::Object(notes)) => unnamed = notes,
            (None, _) => {}
        }
        Ok(Shared { version: VERSION, bots, unnamed })
    }

    /// A newer program's notes are left to it.
    pub(crate) fn check_version(&self) -> Result<()> {
        if self.file.version <= VERSION {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Storage, "write state.json")
            .because("a newer version of this bot has written it; update the bot"))
    }

    pub(crate) fn prove(
        &mut self,
        id: &BackupId,
        size_bytes: u64,
        data_sha256: &str,
        at: DateTime<Utc>,
    ) {
        let (data_sha256, at) = (data_sha256.to_owned(), Some(at));
        self.proofs.insert(id.to_string(), Proof { size_bytes, data_sha256, at, doubted: false });
    }

    /// The hash that the data of an archive had when it was read to its end, if it is as long as then.
    pub(crate) fn hash(&self, id: &BackupId, size_bytes: u64) -> Option<&str> {
        let proof = self.proofs.get(&id.to_string());
        proof.filter(|proof| proof.size_bytes == size_bytes).map(|proof| proof.data_sha256.as_str())
    }

    /// Whether something may be done for the sake of this archive.
    pub(crate) fn has_proof(&self, id: &BackupId) -> bool {
        self.proofs.get(&id.to_string()).is_some_and(|proof| !proof.doubted)
    }

    /// The same for one that is as long as when it was read to its end.
    pub(crate) fn is_proved(&self, id: &BackupId, size_bytes: u64) -> bool {
        self.has_proof(id) && self.hash(id, size_bytes).is_some()
    }

    /// Whether it was read not so long ago that its disk may have lost it since.
    pub(crate) fn is_proved_lately(
        &self,
        id: &BackupId,
        size_bytes: u64,
        now: DateTime<Utc>,
    ) -> bool {
        let at = self.proofs.get(&id.to_string()).and_then(|proof| proof.at);
        let lately = at.is_some_and(|at| at <= now && now - at < PROOF_LASTS);
        lately && self.is_proved(id, size_bytes)
    }

    /// Takes an archive for none that was proved; false where it was none.
    pub(crate) fn doubt(&mut self, id: &BackupId) -> bool {
        let proof = self.proofs.get_mut(&id.to_string()).filter(|proof| !proof.doubted);
        proof.map(|proof| proof.doubted = true).is_some()
    }

    /// The same, in the notes of every bot in this place.
    pub(crate) fn doubt_of_all(&mut self, id: &BackupId) -> bool {
        let name = id.to_string();
        let others = self.file.bots.values_mut().filter_map(|notes| notes.get_mut("proofs"));
        let proofs = others.chain(self.file.unnamed.get_mut("proofs"));
        let mut doubted = false;
        for proof in proofs.filter_map(|proofs| proofs.get_mut(&name)?.as_object_mut()) {
            doubted |= proof.insert("doubted".to_owned(), true.into()) != Some(true.into());
        }
        self.doubt(id) | doubted
    }

    /// The archive among these with which the data were found the same, and when; one that is another
    /// since, or in doubt, stands for nothing.
    pub(crate) fn unchanged_among<'i>(
        &self,
        mut found: impl Iterator<Item = (&'i BackupId, u64)>,
    ) -> Option<(BackupId, DateTime<Utc>)> {
        let unchanged = self.unchanged.as_ref()?;
        let (id, _) = found.find(|(id, size_bytes)| {
            id.to_string() == unchanged.backup && self.is_proved(id, *size_bytes)
        })?;
        Some((id.clone(), unchanged.at))
    }

    /// Keeps no more than the names of the archives that are gone.
    pub(crate) fn retain(&mut self, exists: impl Fn(&str) -> bool) {
        let (kept, gone) = std::mem::take(&mut self.proofs)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, _)| exists(name));
        self.proofs = kept;
        self.received.retain(|name, _| exists(name));
        self.unchanged = self.unchanged.take().filter(|unchanged| exists(&unchanged.backup));
        self.gone.extend(gone.into_keys());
        let surplus = self.gone.len().saturating_sub(MOST_GONE);
        self.gone.drain(..surplus);
    }

    /// Whether an archive of this name is there or was.
    pub(crate) fn knows(&self, id: &BackupId) -> bool {
        let name = id.to_string();
        self.proofs.contains_key(&name) || self.gone.contains(&name)
    }

    /// The other bots that have noted something here.
    pub(crate) fn others(&self) -> impl Iterator<Item = Option<u64>> {
        self.file.bots.keys().map(|bot| bot.parse().ok())
    }

    pub(crate) fn receive(&mut self, id: &BackupId, received: Received) {
        let before = self.received.get(&id.to_string());
        let new = before.map_or(received.new, |before| before.new);
        self.received.insert(id.to_string(), Received { new, ..received });
    }

    /// Whether this archive came from a person: it says nothing of who makes backups here.
    pub(crate) fn is_received(&self, id: &BackupId) -> bool {
        self.received.get(&id.to_string()).is_some_and(|received| received.new)
    }

    /// The archives that a person has sent since then.
    pub(crate) fn received_since(&self, moment: DateTime<Utc>) -> Vec<BackupId> {
        let late = self.received.iter().filter(|(_, received)| received.at > moment);
        late.filter_map(|(name, _)| BackupId::parse(name)).collect()
    }

    /// The safety backups that a button may still lead to.
    pub(crate) fn undo_to(&self) -> Vec<BackupId> {
        self.undos().filter_map(Undo::safety).collect()
    }

    pub(crate) fn undos(&self) -> impl Iterator<Item = &Undo> {
        let journal = self.restoring.as_ref().and_then(|journal| journal.undo.as_ref());
        let cut_off = self.cut_off.iter().filter_map(|journal| journal.undo.as_ref());
        self.undo.iter().chain(&self.left).chain(journal).chain(cut_off)
    }

    /// Takes the restore that is under way for one that was cut off: none runs.
    pub(crate) fn cut_off(&mut self) -> Option<&Journal> {
        self.cut_off.push(self.restoring.take()?);
        if self.cut_off.len() > MOST_CUT_OFF {
            // those that lead nowhere go first; else the first stays: it leads to what was live before all
            let lost =
                self.cut_off.iter().position(|journal| journal.told && journal.undo.is_none());
            let told = || self.cut_off.iter().skip(1).position(|journal| journal.told);
            let goes = lost.unwrap_or_else(|| 1 + told().unwrap_or_default());
            self.cut_off.remove(goes);
        }
        self.cut_off.last()
    }

    /// The first restore that was cut off and of which the administrator has not heard.
    pub(crate) fn untold_cut_off(&self) -> Option<&Journal> {
        self.cut_off.iter().find(|journal| !journal.told)
    }

    /// The way back from the last restore that was cut off of which this is true.
    pub(crate) fn cut_off_of(&self, is_it: impl Fn(&Undo) -> bool) -> Option<&Undo> {
        let mut ways = self.cut_off.iter().rev().filter_map(|journal| journal.undo.as_ref());
        ways.find(|way| is_it(way))
    }

    /// Closes the way back with this token, and those of later restores: they lead to what it had left.
    /// What people have to hear of stays until then.
    pub(crate) fn close_cut_off(&mut self, token: &str) {
        let leads = |journal: &Journal| journal.undo.as_ref().is_some_and(|way| way.token == token);
        let Some(closed) = self.cut_off.iter().position(leads) else { return };
        let mut place = 0..;
        self.cut_off.retain(|journal| match place.next() {
            Some(place) if place >= closed => !journal.told,
            _ => true,
        });
    }
}

fn parse(json: &[u8]) -> serde_json::Result<Shared> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(json)?;
    if version > VERSION {
        // a newer program's notes, of whatever shape: they are neither read nor replaced
        return Ok(Shared { version, ..Shared::default() });
    }
    serde_json::from_slice(json)
}

fn read_notes(notes: Value) -> Notebook {
    serde_json::from_value(notes).unwrap_or_else(|error| {
        warn_of(&error);
        Notebook { lost: true, ..Notebook::default() }
    })
}

fn warn_of(damage: &serde_json::Error) {
    tracing::warn!(line = damage.line(), "state.json is damaged; starting a new one");
}

/// The key of the only bot there is.
fn only(bots: &Map<String, Value>) -> Option<String> {
    let mut names = bots.keys();
    let name = names.next()?;
    names.next().is_none().then(|| name.clone())
}

#[cfg(test)]
mod tests;
