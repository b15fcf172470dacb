//! Faults of the network and of Telegram that a test orders.

use std::time::Duration;

/// Something that goes wrong with a call.
///
/// On its own it meets the next call of any method but `getUpdates`; see
/// [`on`](Self::on) and [`PlannedFault::times`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `retry_after`; the call has no effect.
    TooManyRequests {
        /// Seconds that the bot is told to wait.
        retry_after: u32,
    },
    /// This HTTP status, like 500 or 502; the call has no effect.
    ///
    /// teloxide itself waits 10 seconds after a status of 500 or more.
    Status(u16),
    /// This HTTP status with a gateway's page instead of an answer; the call has no effect.
    Page(u16),
    /// This error answer in the words of Telegram; the call has no effect.
    Refuse {
        /// HTTP status, like 400.
        status: u16,
        /// Like `Bad Request: message to edit not found`.
        description: &'static str,
    },
    /// The group has become a supergroup with this id; the call has no effect.
    MigratedTo(i64),
    /// The connection closes without an answer; the call has no effect.
    Drop,
    /// The call takes effect, then the connection closes without an answer.
    DropAfter,
    /// The call takes this much longer.
    Delay(Duration),
}

/// A fault together with the calls that it meets.
#[derive(Debug, Clone)]
pub struct PlannedFault {
    pub(crate) fault: Fault,
    pub(crate) method: Option<String>,
    pub(crate) times: usize,
    /// It meets `getUpdates` too and lasts until it is cleared.
    pub(crate) lasting: bool,
}

impl Fault {
    /// Limits the fault to one method, like `sendMessage`.
    ///
    /// The download of a file has the name `download` here.
    pub fn on(self, method: &str) -> PlannedFault {
        PlannedFault { method: Some(method.to_owned()), ..self.into() }
    }

    /// Repeats the fault for the next calls of any method but `getUpdates`.
    pub fn times(self, times: usize) -> PlannedFault {
        PlannedFault::from(self).times(times)
    }

    /// Lets the fault meet all calls, `getUpdates` too, until the faults are cleared.
    pub fn lasting(self) -> PlannedFault {
        PlannedFault { lasting: true, ..self.into() }
    }
}

impl Fault {
    /// Its name on the page.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "busy",
            Self::Status(_) | Self::Page(_) => "broken",
            Self::Refuse { .. } => "refused",
            Self::MigratedTo(_) => "migrated",
            Self::Drop => "down",
            Self::DropAfter => "drop_after",
            Self::Delay(_) => "slow",
        }
    }
}

impl PlannedFault {
    /// Repeats the fault for this many calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    fn meets(&self, method: &str) -> bool {
        match &self.method {
            Some(name) => name.eq_ignore_ascii_case(method),
            None => self.lasting || method != "getUpdates",
        }
    }
}

impl From<Fault> for PlannedFault {
    fn from(fault: Fault) -> Self {
        Self { fault, method: None, times: 1, lasting: false }
    }
}

/// Whether no connection is let through.
pub(crate) fn is_down(faults: &[PlannedFault]) -> bool {
    faults.iter().any(|planned| planned.lasting && planned.fault == Fault::Drop)
}

/// Takes the fault that meets this call, if there is one.
pub(crate) fn take_fault(faults: &mut Vec<PlannedFault>, method: &str) -> Option<Fault> {
    let found = faults.iter_mut().find(|planned| planned.times > 0 && planned.meets(method))?;
    if !found.lasting {
        found.times -= 1;
    }
    let fault = found.fault;
    faults.retain(|planned| planned.times > 0);
    Some(fault)
}
