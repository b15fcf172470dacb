//! The gate to the host's handlers: who passes while a restore runs, and who waits for its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// A restore that never ends must not stop the bot for ever.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// How long a restore waits for the handlers that have begun already.
const HANDLED_WITHIN: Duration = Duration::from_secs(5);

/// Every update on its way to the host passes it.
#[derive(Clone)]
pub(crate) struct Gate {
    /// Whether anybody waits at all.
    holds: bool,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many restores there were.
    restores: u64,
    restoring: Option<Restoring>,
    /// The updates that are with the host's handlers now.
    inside: u64,
}

#[derive(Debug)]
struct Restoring {
    until: Instant,
    /// The updates that were with the host's handlers while it ran: somebody may have written.
    passed: u64,
}

impl Gate {
    pub(crate) fn new(holds: bool) -> Self {
        Self { holds, state: Arc::default() }
    }

    /// Lets an update pass, or gives the number of the restore for which it must wait.
    pub(crate) fn pass(&self) -> Result<Passed, u64> {
        let mut restore = None;
        self.state.send_if_modified(|state| {
            match &mut state.restoring {
                Some(restoring) if self.holds && Instant::now() < restoring.until => {
                    restore = Some(state.restores);
                    return false;
                }
                Some(restoring) => restoring.passed += 1,
                None => {}
            }
            state.inside += 1;
            false
        });
        restore.map_or_else(|| Ok(Passed(self.clone())), Err)
    }

    /// Waits until the restore of this number is over, or has taken too long.
    pub(crate) async fn opened(&self, restore: u64) {
        let mut state = self.state.subscribe();
        let runs = |state: &State| state.restores == restore && state.restoring.is_some();
        let until = state.borrow().restoring.as_ref().map(|restoring| restoring.until);
        let Some(until) = until.filter(|_| runs(&state.borrow())) else { return };
        let _ = timeout_at(until, state.wait_for(|state| !runs(state))).await;
    }

    /// Closes it until what is given is dropped. Who has passed already is waited for a little.
    pub(super) fn close(&self) -> Closed {
        let until = Instant::now() + LONGEST;
        self.state.send_modify(|state| {
            state.restores += 1;
            state.restoring = Some(Restoring { until, passed: 0 });
        });
        let closed = Closed(self.clone());
        if self.holds && self.state.borrow().inside > 0 {
            let _ = pollster::block_on(async { timeout(HANDLED_WITHIN, self.handled()).await });
        }
        self.state.send_modify(|state| {
            if let Some(restoring) = &mut state.restoring {
                restoring.passed += state.inside;
            }
        });
        closed
    }

    async fn handled(&self) {
        let _ = self.state.subscribe().wait_for(|state| state.inside == 0).await;
    }
}

/// An update that has passed: with the host's handlers until it is dropped.
pub(crate) struct Passed(Gate);

impl Drop for Passed {
    fn drop(&mut self) {
        self.0.state.send_if_modified(|state| {
            state.inside = state.inside.saturating_sub(1);
            state.inside == 0 && state.restoring.is_some()
        });
    }
}

/// Keeps the gate closed.
pub(super) struct Closed(Gate);

impl Closed {
    /// Whether somebody may have written while it was closed.
    pub(super) fn was_passed(&self) -> bool {
        self.0.state.borrow().restoring.as_ref().is_some_and(|restoring| restoring.passed > 0)
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.restoring = None);
    }
}
