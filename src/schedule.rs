//! When the next backup is due, and the loop that makes it.

mod holder;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, moment_of};
use crate::error::{Error, ErrorKind};

pub(crate) use holder::Part;

/// How long a sleep may be at most: a suspended machine's timer stands still, and a clock that is
/// set does not wake it.
const LONGEST_SLEEP: Duration = Duration::from_secs(15 * 60);
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(15);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);
/// How far ahead of the present a backup may be and still count: its clock was set back since.
const CLOCK_ERROR: TimeDelta = TimeDelta::days(1);
/// When a restore or another backup is running.
const BUSY_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// A backup or restore that runs for longer than that has come to a stop.
const BUSY_TOO_LONG: TimeDelta = TimeDelta::hours(1);

/// The same for a step of the schedule's own.
const STUCK_AFTER: Duration = Duration::from_secs(60 * 60);

/// When the next backup is due.
pub(crate) struct Schedule {
    every: Days,
    clock: Arc<dyn Clock>,
    retry: Mutex<Retry>,
    /// Another program makes the backups.
    stands_by: AtomicBool,
    /// People may have heard of something wrong, and not of its end.
    troubled: AtomicBool,
}

#[derive(Clone, Copy, Default)]
struct Retry {
    failures: u32,
    /// Since when another backup or restore has kept this one waiting.
    busy_since: Option<DateTime<Utc>>,
    /// Not before this moment, and how long after the failure that was.
    pause: Option<(DateTime<Utc>, TimeDelta)>,
    /// When this schedule made its last one, whether or not a list shows it.
    made_at: Option<DateTime<Utc>>,
}

impl Schedule {
    pub(crate) fn new(every: Days, clock: Arc<dyn Clock>) -> Self {
        Self {
            every,
            clock,
            retry: Mutex::default(),
            stands_by: false.into(),
            troubled: false.into(),
        }
    }

    /// Whether another program of this bot makes the backups.
    pub(crate) fn stands_by(&self) -> bool {
        self.stands_by.load(Ordering::Relaxed)
    }

    fn stand_by(&self, stands_by: bool) {
        self.stands_by.store(stands_by, Ordering::Relaxed);
    }

    /// Whether one is due after the backups that were made at these moments.
    pub(crate) fn is_due(&self, made_at: &[DateTime<Utc>]) -> bool {
        let own = self.retry.lock().unwrap_or_else(PoisonError::into_inner).made_at;
        let now = self.clock.now();
        due(made_at.iter().copied().chain(own), now, self.every, self.clock.as_ref()) <= now
    }

    /// When the next backup is to be tried, after the backups that were made at these moments.
    pub(crate) fn next(&self, made_at: &[DateTime<Utc>]) -> DateTime<Utc> {
        let now = self.clock.now();
        let mut retry = self.retry.lock().unwrap_or_else(PoisonError::into_inner);
        let made_at = made_at.iter().copied().chain(retry.made_at);
        let due = due(made_at, now, self.every, self.clock.as_ref());
        if due > now {
            // somebody made one meanwhile: what failed before is no matter any more
            *retry = Retry { made_at: retry.made_at, ..Retry::default() };
            return due;
        }
        retry.until(now).unwrap_or(now)
    }

    /// Counts a failure; true for one that people must hear of.
    fn failed(&self, kind: ErrorKind) -> bool {
        let now = self.clock.now();
        let mut retry = self.retry.lock().unwrap_or_else(PoisonError::into_inner);
        if kind != ErrorKind::Busy {
            retry.failures = retry.failures.saturating_add(1);
            retry.busy_since = None;
            return true;
        }
        // a clock that was set back does not make it longer
        let since = retry.busy_since.map_or(now, |since| since.min(now));
        let too_long = now - since >= BUSY_TOO_LONG;
        // once an hour is enough
        retry.busy_since = Some(if too_long { now } else { since });
        too_long
    }

    /// Tries no other before a while has passed.
    fn pause(&self, kind: ErrorKind) {
        let mut retry = self.retry.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = if kind == ErrorKind::Busy { BUSY_PAUSE } else { pause_after(retry.failures) };
        retry.pause = Some((self.clock.now() + pause, pause));
    }

    /// Counts one that was begun at this moment: how long it took must not delay the next.
    fn succeeded(&self, made_at: DateTime<Utc>) {
        let made_at = Some(made_at);
        let retry = Retry { made_at, ..Retry::default() };
        *self.retry.lock().unwrap_or_else(PoisonError::into_inner) = retry;
    }

    fn paused_until(&self) -> Option<DateTime<Utc>> {
        self.retry.lock().unwrap_or_else(PoisonError::into_inner).until(self.clock.now())
    }
}

impl Retry {
    /// The end of the pause; a clock that was set back does not make it longer.
    fn until(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (until, pause) = self.pause.as_mut()?;
        *until = (*until).min(now + *pause);
        Some(*until)
    }
}

/// 15 minutes, then twice as long each time, a day at most.
fn pause_after(failures: u32) -> TimeDelta {
    let doubled = 2_i32.checked_pow(failures.saturating_sub(1));
    doubled.and_then(|n| FIRST_PAUSE.checked_mul(n)).map_or(LONGEST_PAUSE, |p| p.min(LONGEST_PAUSE))
}

/// The newest backup's time and the interval later, in days of the wall clock; now, where there is
/// none.
fn due(
    made_at: impl Iterator<Item = DateTime<Utc>>,
    now: DateTime<Utc>,
    every: Days,
    clock: &dyn Clock,
) -> DateTime<Utc> {
    let after = |moment: DateTime<Utc>| {
        let wall = clock.to_local(moment);
        wall.checked_add_days(every).map_or(DateTime::<Utc>::MAX_UTC, |w| moment_of(clock, w))
    };
    // a date further ahead is a wrong clock's: it would stop the backups for as long
    let horizon = now + CLOCK_ERROR;
    made_at.filter(|moment| *moment <= horizon).max().map_or(now, after)
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the loop does when a backup is due.
pub(crate) trait Job: Send + Sync + 'static {
    /// When the backups that there are were made.
    fn made_at(&self) -> BoxFuture<'_, Result<Vec<DateTime<Utc>>, Error>>;

    /// Takes the schedule for as long as what is given lives; `None` while another program has it.
    fn claim(&self) -> BoxFuture<'_, Result<Option<Part>, Error>>;

    /// Tells that another program makes the backups.
    fn stands_by(&self) -> BoxFuture<'_, ()>;

    /// Makes one, and tells of it; false where one was made meanwhile, so that none is due.
    fn back_up(&self) -> BoxFuture<'_, Result<bool, Error>>;

    /// Tells that there will be none.
    fn failed(&self, error: Error) -> BoxFuture<'_, ()>;

    /// Tells that the schedule waits for something that does not end.
    fn stuck(&self) -> BoxFuture<'_, ()>;

    /// Tells that it has ended, if it was told of and no backup has said so.
    fn resumed(&self) -> BoxFuture<'_, ()>;
}

/// Makes backups when they are due, until it is stopped; a backup that runs then is finished.
pub(crate) async fn run(schedule: Arc<Schedule>, job: Arc<dyn Job>, stop: CancellationToken) {
    let mut part = None;
    while !stop.is_cancelled() {
        // on a task of its own: the host's clock may panic
        let (schedule, worker) = (Arc::clone(&schedule), Arc::clone(&job));
        let outcome = match part {
            None => {
                let hold = holder::hold(schedule, worker, stop.clone());
                tokio::spawn(hold).await.map(|held| part = held)
            }
            Some(_) => tokio::spawn(round(schedule, worker, stop.clone())).await,
        };
        if let Err(panic) = outcome {
            let error = Error::new(ErrorKind::Internal, "make the scheduled backup");
            tracing::warn!(step = %error, "the schedule panicked");
            job.failed(error.because(panic)).await;
            // not by that clock
            stop.run_until_cancelled(tokio::time::sleep(LONGEST_SLEEP)).await;
        }
    }
    // what a storage has given may wait for the runtime when it goes; its panic ends nothing
    let _ = tokio::task::spawn_blocking(move || drop(part)).await;
}

async fn round(schedule: Arc<Schedule>, job: Arc<dyn Job>, stop: CancellationToken) {
    match watched(&schedule, job.as_ref(), job.made_at()).await {
        Ok(made_at) => {
            let next = schedule.next(&made_at);
            if next > schedule.clock.now() {
                // within a pause after a failure one is still due
                if !schedule.is_due(&made_at) {
                    resume(&schedule, job.as_ref()).await;
                }
                sleep_until(next, &schedule, &stop).await;
            } else {
                attempt(&schedule, &job).await;
            }
        }
        Err(error) => give_up(&schedule, job.as_ref(), error).await,
    }
    if let Some(until) = schedule.paused_until() {
        sleep_until(until, &schedule, &stop).await;
    }
}

async fn attempt(schedule: &Schedule, job: &Arc<dyn Job>) {
    let (running, began) = (Arc::clone(job), schedule.clock.now());
    // on a task of its own, so that a panic ends the task and not this loop
    let backup = tokio::spawn(async move { running.back_up().await });
    match watched(schedule, job.as_ref(), backup).await {
        Ok(Ok(true)) => schedule.succeeded(began),
        // the list will show it; a list that does not must not be asked without end
        Ok(Ok(false)) => schedule.pause(ErrorKind::Busy),
        Ok(Err(error)) => give_up(schedule, job.as_ref(), error).await,
        Err(panic) => {
            let error = Error::new(ErrorKind::Internal, "make the scheduled backup");
            give_up(schedule, job.as_ref(), error.because(panic)).await;
        }
    }
}

/// Waits for a step of the schedule; tells of one that has come to a stop, and waits on.
async fn watched<T>(schedule: &Schedule, job: &dyn Job, step: impl Future<Output = T>) -> T {
    let mut step = pin!(step);
    loop {
        if let Ok(done) = tokio::time::timeout(STUCK_AFTER, &mut step).await {
            return done;
        }
        tracing::warn!("the schedule has come to a stop");
        schedule.troubled.store(true, Ordering::Relaxed);
        job.stuck().await;
    }
}

/// Nothing is wrong any more: whoever has heard that it had come to a stop hears that it goes on.
async fn resume(schedule: &Schedule, job: &dyn Job) {
    if schedule.troubled.swap(false, Ordering::Relaxed) {
        job.resumed().await;
    }
}

async fn give_up(schedule: &Schedule, job: &dyn Job, error: Error) {
    let kind = error.kind();
    if schedule.failed(kind) {
        tracing::warn!(?kind, step = %error, "the scheduled backup failed");
        schedule.troubled.store(true, Ordering::Relaxed);
        job.failed(error).await;
    }
    schedule.pause(kind);
}

/// Sleeps by the clock on the wall, whatever happens to it meanwhile.
async fn sleep_until(moment: DateTime<Utc>, schedule: &Schedule, stop: &CancellationToken) {
    let mut before = schedule.clock.now();
    loop {
        let now = schedule.clock.now();
        // set back, wherever this sleep began: what is due must be asked anew
        let left = if now < before { TimeDelta::zero() } else { moment - now };
        before = now;
        let Some(left) = left.to_std().ok().filter(|left| !left.is_zero()) else { return };
        let nap = tokio::time::sleep(left.min(LONGEST_SLEEP));
        if stop.run_until_cancelled(nap).await.is_none() {
            return;
        }
    }
}

/// The running schedule. It goes on if this is dropped.
#[derive(Debug)]
#[must_use = "call `shutdown` when the dispatcher has ended, so that a running backup is finished"]
pub struct BackupTask {
    pub(crate) stop: CancellationToken,
    pub(crate) work: TaskTracker,
}

impl BackupTask {
    /// Stops the schedule and waits until what runs is finished: a backup, a restore, their
    /// messages.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.work.close();
        self.work.wait().await;
    }
}

#[cfg(test)]
mod tests;
