//! What was seen of the archives, so that a list does not open each of them each time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Parts;
use crate::archive::{Metadata, glance};
use crate::backup::{BackupId, Counts};
use crate::error::{Error, Result};
use crate::storage::Stamp;

/// An archive in the list.
pub(super) struct Found {
    pub(super) id: BackupId,
    pub(super) size_bytes: u64,
    stamp: Option<Stamp>,
}

/// What the archives that a list has shown say of themselves; none of what was damaged. Checks and
/// restores know nothing of it: they read the archive.
#[derive(Default)]
pub(crate) struct Glances(Mutex<BTreeMap<BackupId, Seen>>);

/// What was seen of an archive of this length and stamp.
struct Seen {
    size_bytes: u64,
    stamp: Stamp,
    metadata: Arc<Metadata>,
    /// Where the data had to be read for them.
    counts: Option<Counts>,
}

impl Glances {
    fn held(&self) -> MutexGuard<'_, BTreeMap<BackupId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a part of what was seen, if that was the archive that is there now.
    fn get<T>(&self, found: &Found, part: impl Fn(&Seen) -> Option<T>) -> Option<T> {
        let held = self.held();
        let same = |seen: &&Seen| {
            seen.size_bytes == found.size_bytes && found.stamp.as_ref() == Some(&seen.stamp)
        };
        held.get(&found.id).filter(same).and_then(part)
    }

    /// The stamp is older than what was seen: an archive that has changed in between has another one
    /// in the next list, and is looked at anew.
    fn put(&self, found: &Found, metadata: &Arc<Metadata>, counts: Option<&Counts>) {
        if let Some(stamp) = found.stamp.clone() {
            let (size_bytes, metadata) = (found.size_bytes, Arc::clone(metadata));
            let seen = Seen { size_bytes, stamp, metadata, counts: counts.cloned() };
            self.held().insert(found.id.clone(), seen);
        }
    }

    /// Has all of them looked at anew.
    pub(super) fn forget(&self) {
        self.held().clear();
    }

    /// Forgets the archives that are gone.
    fn keep_only(&self, newest_first: &[Found]) {
        let mut oldest_first = newest_first.iter().rev().peekable();
        self.held().retain(|id, _| {
            while oldest_first.next_if(|found| found.id < *id).is_some() {}
            oldest_first.next_if(|found| found.id == *id).is_some()
        });
    }
}

impl Parts {
    pub(super) fn newest_first(&self) -> Result<Vec<Found>> {
        let listed = self.storage.list_stamped();
        let listed = listed.map_err(|error| Error::storage("list the backups", error))?.into_iter();
        let mut found: Vec<Found> =
            listed.map(|(id, size_bytes, stamp)| Found { id, size_bytes, stamp }).collect();
        found.sort_unstable_by(|a, b| (&b.id, b.size_bytes).cmp(&(&a.id, a.size_bytes)));
        self.glances.keep_only(&found);
        Ok(found)
    }

    /// What an archive says of itself.
    pub(super) fn glance(&self, found: &Found) -> Result<Arc<Metadata>> {
        if let Some(metadata) = self.glances.get(found, |seen| Some(Arc::clone(&seen.metadata))) {
            return Ok(metadata);
        }
        let metadata = Arc::new(glance(Box::new(self.open(&found.id)?), &self.limits)?);
        self.glances.put(found, &metadata, None);
        Ok(metadata)
    }

    /// The records of each section. The Python system counted users where it says orders: of its
    /// archives they are counted anew.
    pub(super) fn counts(&self, found: &Found, metadata: &Arc<Metadata>) -> Result<Counts> {
        if metadata.is_ours() {
            return Ok(metadata.records_count.clone());
        }
        if let Some(counts) = self.glances.get(found, |seen| seen.counts.clone()) {
            return Ok(counts);
        }
        let counts = self.read(self.open(&found.id)?, &self.limits)?.counts();
        self.glances.put(found, metadata, Some(&counts));
        Ok(counts)
    }
}

#[cfg(test)]
mod tests;
