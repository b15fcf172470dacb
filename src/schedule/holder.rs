//! One holder of the schedule: other programs of the same bot stand by.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Job, Schedule, give_up, resume, sleep_until, watched};

/// The schedule of one bot in one place, for as long as this lives.
pub(crate) type Part = Box<dyn Any + Send>;

/// How often a program that stands by looks whether the other one is gone: a lock has no better way
/// to tell.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A deploy starts the new program before the old one has ended: that is nothing to tell of.
const TOLD_AFTER: Duration = Duration::from_secs(10 * 60);
/// As long as another program may take over a backup that is due.
const STALE_AFTER: Duration = Duration::from_secs(60 * 60);

/// Takes the schedule for as long as this program lives, once no other program has it; `None` when it
/// is stopped before that.
pub(super) async fn hold(
    schedule: Arc<Schedule>,
    job: Arc<dyn Job>,
    stop: CancellationToken,
) -> Option<Part> {
    let (schedule, job, stop) = (schedule.as_ref(), job.as_ref(), &stop);
    let mut wait: Option<Wait> = None;
    while !stop.is_cancelled() {
        match watched(schedule, job, job.claim()).await {
            Ok(Some(part)) => {
                if wait.is_some() {
                    tracing::info!("the other program is gone: this one makes the backups now");
                }
                schedule.stand_by(false);
                return Some(part);
            }
            Err(error) => {
                if let Some(wait) = &mut wait {
                    if !wait.is_stale(schedule, job).await {
                        tracing::warn!(kind = ?error.kind(), step = %error, "the schedule was not taken");
                        look_again(stop).await;
                        continue;
                    }
                    // whoever has not heard of it yet hears no more of it
                    wait.told = false;
                }
                // who has no say cannot tell whether there is one that makes them
                schedule.stand_by(false);
                give_up(schedule, job, error).await;
                if let Some(until) = schedule.paused_until() {
                    sleep_until(until, schedule, stop).await;
                }
            }
            Ok(None) => {
                wait.get_or_insert_with(Wait::begin).go_on(schedule, job).await;
                resume(schedule, job).await;
                look_again(stop).await;
            }
        }
    }
    None
}

async fn look_again(stop: &CancellationToken) {
    stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await;
}

/// The time since which another program has had the schedule.
struct Wait {
    since: Instant,
    /// When that was seen for the last time.
    seen: Instant,
    told: bool,
}

impl Wait {
    fn begin() -> Self {
        tracing::warn!("another program of this bot makes the backups; this one stands by");
        let now = Instant::now();
        Self { since: now, seen: now, told: false }
    }

    /// Tells people once, if it takes longer than a deploy does.
    async fn go_on(&mut self, schedule: &Schedule, job: &dyn Job) {
        schedule.stand_by(true);
        self.seen = Instant::now();
        if !self.told && self.since.elapsed() >= TOLD_AFTER {
            self.told = true;
            job.stands_by().await;
        }
    }

    /// Whether nobody makes the backups any more, as far as can be seen where nobody can be asked.
    async fn is_stale(&mut self, schedule: &Schedule, job: &dyn Job) -> bool {
        let made_at = watched(schedule, job, job.made_at()).await;
        if made_at.is_ok_and(|made_at| !schedule.is_due(&made_at)) {
            self.seen = Instant::now();
            schedule.stand_by(true);
            resume(schedule, job).await;
        }
        self.seen.elapsed() >= STALE_AFTER
    }
}
