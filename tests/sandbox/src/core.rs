//! The shared heart of a sandbox: one state, and a signal for every change of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::state::State;

/// What the server and the people share.
#[derive(Debug)]
pub(crate) struct Core {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

impl Core {
    /// A core around a first state.
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), changes: watch::Sender::new(0) })
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and tells everyone who waits.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|number| *number = number.wrapping_add(1));
        result
    }

    /// Waits until `probe` gives something; `None` when `limit` has passed before.
    pub(crate) async fn until<T>(
        &self,
        limit: Duration,
        mut probe: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        self.watch(limit, || probe(&mut self.lock())).await
    }

    /// Like [`until`](Self::until), for a probe that looks at the core itself.
    pub(crate) async fn watch<T>(
        &self,
        limit: Duration,
        mut probe: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + limit;
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(found) = probe() {
                return Some(found);
            }
            match timeout_at(end, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return None,
            }
        }
    }

    /// How long people wait.
    pub(crate) fn patience(&self) -> Duration {
        self.read(|state| state.patience)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
