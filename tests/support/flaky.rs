//! A storage that a test lets fail.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use teloxide_backup::{BackupId, Draft, MemoryStorage, Readable, Storage};

use super::forward::forward;

/// What the plugin asks of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    List,
    Draft,
    Delete,
    Notes,
    ReadNotes,
}

/// A storage in memory that a test lets fail: at this place, after so many good calls.
#[derive(Clone)]
pub struct Flaky {
    memory: Arc<MemoryStorage>,
    fault: Arc<Mutex<Option<(Place, usize, io::ErrorKind)>>>,
}

impl Flaky {
    pub fn new() -> Self {
        Self { memory: Arc::new(MemoryStorage::new()), fault: Arc::default() }
    }

    pub fn break_at(&self, place: Place, after: usize, kind: io::ErrorKind) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((place, after, kind));
    }

    pub fn mend(&self) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn enter(&self, place: Place) -> io::Result<()> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault.as_mut().filter(|(at, ..)| *at == place) {
            None => Ok(()),
            Some((_, 0, kind)) => Err((*kind).into()),
            Some((_, after, _)) => {
                *after -= 1;
                Ok(())
            }
        }
    }
}

impl Storage for Flaky {
    forward!(memory: name path prepare lock open);

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        self.enter(Place::List)?;
        self.memory.list()
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        self.enter(Place::Draft)?;
        self.memory.draft()
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        self.enter(Place::Delete)?;
        self.memory.delete(id)
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.enter(Place::ReadNotes)?;
        self.memory.read_state()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        self.enter(Place::Notes)?;
        self.memory.write_state(state)
    }
}
