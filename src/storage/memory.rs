//! Archives in memory, for tests and for trying out.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backup::BackupId;
use crate::storage::{Draft, Readable, Stamp, Storage};

/// Archives in memory: gone with the program. Clones share what they hold.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    /// Each with its number.
    archives: BTreeMap<BackupId, (Arc<[u8]>, u64)>,
    /// How many archives were put here, gone ones too.
    number: u64,
    state: Option<Vec<u8>>,
    index: Option<Vec<u8>>,
    locked: bool,
    claimed: BTreeSet<String>,
}

impl Held {
    fn insert(&mut self, id: BackupId, archive: Arc<[u8]>) {
        self.number += 1;
        self.archives.insert(id, (archive, self.number));
    }
}

/// Frees the place when it is dropped.
struct Lock(MemoryStorage);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.held().locked = false;
    }
}

/// Frees a part when it is dropped.
struct Claim(MemoryStorage, String);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.held().claimed.remove(&self.1);
    }
}

impl MemoryStorage {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an archive there, or takes its place.
    pub fn insert(&self, id: BackupId, archive: impl Into<Arc<[u8]>>) {
        self.held().insert(id, archive.into());
    }

    /// The bytes of an archive; `None` where there is none.
    #[must_use]
    pub fn get(&self, id: &BackupId) -> Option<Arc<[u8]>> {
        self.held().archives.get(id).map(|(archive, _)| Arc::clone(archive))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStorage {
    // the archives hold all data of the bot's clients
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let archives: Vec<BackupId> = self.held().archives.keys().cloned().collect();
        f.debug_struct("MemoryStorage").field("archives", &archives).finish_non_exhaustive()
    }
}

impl Storage for MemoryStorage {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn path(&self, id: &BackupId) -> String {
        id.to_string()
    }

    fn prepare(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        let taken = std::mem::replace(&mut self.held().locked, true);
        Ok((!taken).then(|| Box::new(Lock(self.clone())) as Box<dyn Any + Send>))
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        let free = self.held().claimed.insert(part.to_owned());
        Ok(free.then(|| Box::new(Claim(self.clone(), part.to_owned())) as Box<dyn Any + Send>))
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        let found = self.list_stamped()?.into_iter();
        Ok(found.map(|(id, size_bytes, _)| (id, size_bytes)).collect())
    }

    fn list_stamped(&self) -> io::Result<Vec<(BackupId, u64, Option<Stamp>)>> {
        let held = self.held();
        let line = |(id, (bytes, number)): (&BackupId, &(Arc<[u8]>, u64))| {
            (id.clone(), bytes.len() as u64, Some(Stamp::new(number.to_le_bytes())))
        };
        Ok(held.archives.iter().map(line).collect())
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        Ok(self.get(id).map(|archive| Box::new(Cursor::new(archive)) as Box<dyn Readable>))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(MemoryDraft { storage: self.clone(), bytes: Cursor::default() }))
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        self.held().archives.remove(id);
        Ok(())
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.held().state.clone())
    }

    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.held().index.clone())
    }

    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        self.held().index = Some(index.to_vec());
        Ok(())
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        self.held().state = Some(state.to_vec());
        Ok(())
    }
}

struct MemoryDraft {
    storage: MemoryStorage,
    bytes: Cursor<Vec<u8>>,
}

impl Draft for MemoryDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        Ok(Box::new(Cursor::new(self.bytes.get_ref().clone())))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        let mut held = self.storage.held();
        if held.archives.contains_key(id) {
            return Ok(false);
        }
        held.insert(id.clone(), self.bytes.get_ref().as_slice().into());
        Ok(true)
    }
}

impl Write for MemoryDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for MemoryDraft {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}
