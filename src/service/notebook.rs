//! `state.json`: what is remembered beside the archives. Lost or damaged, no backup is lost.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::backup::BackupId;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Notebook {
    version: u32,
    /// Which archives were read to their end, by name.
    #[serde(default)]
    proofs: BTreeMap<String, Proof>,
    /// The way back from the last restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<Undo>,
    /// The journal: written before a restore, cleared after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restoring: Option<Journal>,
    /// That the schedule fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failing: Option<Failing>,
    /// The schedule's last backup, while nobody has heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) untold: Option<Untold>,
}

/// A backup of which nobody has heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Untold {
    pub(crate) backup: String,
    /// A failure that the administrator has heard of ended with it.
    pub(crate) recovered: bool,
}

/// A failure of the schedule that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failing {
    pub(crate) since: DateTime<Utc>,
    /// The administrator has heard of it.
    pub(crate) told: bool,
}

/// What an archive was when it was proved; one of another length is another archive.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    size_bytes: u64,
    data_sha256: String,
}

/// A restore under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// The archive that is restored.
    pub(crate) restored: String,
    /// None where what was live could not be saved, and was given up.
    pub(crate) undo: Option<Undo>,
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

impl Default for Notebook {
    fn default() -> Self {
        Self {
            version: VERSION,
            proofs: BTreeMap::new(),
            undo: None,
            restoring: None,
            failing: None,
            untold: None,
        }
    }
}

impl Notebook {
    /// Reads it; one that is missing or damaged is an empty one. One that cannot be read now may
    /// hold the way back from a restore, so that is an error.
    pub(crate) fn read(storage: &dyn Storage) -> Result<Self> {
        let state = storage.read_state().map_err(|e| Error::storage("read state.json", e))?;
        let Some(json) = state else { return Ok(Self::default()) };
        Ok(Self::parse(&json).unwrap_or_else(|error| {
            tracing::warn!(line = error.line(), "state.json is damaged; starting a new one");
            Self::default()
        }))
    }

    fn parse(json: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(json)?;
        if version > VERSION {
            // a newer program's notes, of whatever shape: they are neither read nor replaced
            return Ok(Self { version, ..Self::default() });
        }
        serde_json::from_slice(json)
    }

    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<()> {
        let step = "write state.json";
        self.check_version()?;
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Internal, step).because(error))?;
        storage.write_state(&json).map_err(|error| Error::storage(step, error))
    }

    /// A newer program's notes are left to it.
    pub(crate) fn check_version(&self) -> Result<()> {
        if self.version <= VERSION {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Storage, "write state.json")
            .because("a newer version of this bot has written it; update the bot"))
    }

    pub(crate) fn prove(&mut self, id: &BackupId, size_bytes: u64, data_sha256: &str) {
        let proof = Proof { size_bytes, data_sha256: data_sha256.to_owned() };
        self.proofs.insert(id.to_string(), proof);
    }

    pub(crate) fn is_proved(&self, id: &BackupId, size_bytes: u64) -> bool {
        self.proofs.get(&id.to_string()).is_some_and(|proof| proof.size_bytes == size_bytes)
    }

    /// Forgets the archives that are gone.
    pub(crate) fn retain(&mut self, exists: impl Fn(&str) -> bool) {
        self.proofs.retain(|name, _| exists(name));
    }

    /// The safety backups that a button may still lead to.
    pub(crate) fn undo_to(&self) -> Vec<BackupId> {
        self.undos().filter_map(Undo::safety).collect()
    }

    pub(crate) fn undos(&self) -> impl Iterator<Item = &Undo> {
        let journal = self.restoring.as_ref().and_then(|journal| journal.undo.as_ref());
        self.undo.iter().chain(journal)
    }
}
