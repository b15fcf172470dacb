//! One at a time: in this program by a turn, between programs by a lock of the place.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Parts, Service};
use crate::error::{Error, ErrorKind, Result};

/// How long another program's work on the same place is waited for.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);
/// How often is looked whether it has ended: a lock has no better way to tell.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Service {
    /// Changes something, if no other backup or restore runs here or waits for its turn.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some(busy) = Busy::begin(&self.busy) else {
            return Err(Error::new(ErrorKind::Busy, "another backup or restore is running"));
        };
        self.changing(move |parts| {
            let _busy = busy;
            work(parts)
        })
        .await
    }

    /// Changes something, after what runs has ended, here and in other programs.
    pub(super) async fn changing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.in_turn(move |parts| {
            let lock = parts.lock()?;
            let outcome = guarded(|| work(parts));
            let_go(lock);
            outcome
        })
        .await
    }

    /// Runs on a thread where it may block, after what runs here has ended.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let guard = Arc::clone(&self.turn).lock_owned().await;
        self.blocking(move |parts| {
            // held by the thread: it lasts as long as the work, whoever waits for it
            let _guard = guard;
            work(parts)
        })
        .await
    }

    /// Runs on a thread where it may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let parts = Arc::clone(&self.parts);
        let thread = tokio::task::spawn_blocking(move || {
            // what panics is the host's code; the bot must live
            guarded(|| work(&parts))
        });
        thread.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "the work was cut off").because(error))
        })
    }
}

impl Parts {
    /// Waits until no other program is at work on the same place.
    pub(super) fn lock(&self) -> Result<Box<dyn Any + Send>> {
        if let Some(lock) = self.look()? {
            return Ok(lock);
        }
        tracing::info!("waiting for another program, which is at work on the backups");
        let mut end = self.clock.now() + PATIENCE;
        loop {
            thread::sleep(LOOK_AGAIN);
            if let Some(lock) = self.look()? {
                return Ok(lock);
            }
            let now = self.clock.now();
            if now >= end {
                let step = "another program is at work on the backups";
                return Err(Error::new(ErrorKind::Busy, step));
            }
            // a clock that was set back does not make it longer
            end = end.min(now + PATIENCE);
        }
    }

    /// Takes the lock, if no other program has it.
    fn look(&self) -> Result<Option<Box<dyn Any + Send>>> {
        self.storage.lock().map_err(|error| Error::storage("lock the backups", error))
    }
}

/// What is done is done, whatever a lock or a file of the host's does at its end.
pub(super) fn let_go(held: impl Sized) {
    let _ = guarded(|| {
        drop(held);
        Ok(())
    });
}

/// Says that a backup or restore runs, until it is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn begin(busy: &Arc<AtomicBool>) -> Option<Self> {
        (!busy.swap(true, Ordering::AcqRel)).then(|| Self(Arc::clone(busy)))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Makes an error of a panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let panicked = |panic: Box<dyn Any + Send>| Err(panicked(ErrorKind::Internal, panic.as_ref()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

/// The same for what the host's source does: it says something of the data.
pub(crate) fn of_source<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|panic| panicked(ErrorKind::Source, panic.as_ref()))
}

pub(super) fn panicked(kind: ErrorKind, panic: &(dyn Any + Send)) -> Error {
    Error::new(kind, "the bot's own code panicked").because(said(panic))
}

/// What a panic says.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}
