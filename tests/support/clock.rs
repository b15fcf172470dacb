//! A clock for tests: it follows tokio's time, which a test may pause, and jumps when it is told to.
#![allow(dead_code)] // each test file uses its own part of it

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use teloxide_backup::Clock;
use tokio::time::Instant;

/// A clock on a wall somewhere in the world. Clones are the same clock.
#[derive(Clone, Debug)]
pub(crate) struct TestClock {
    base: DateTime<Utc>,
    since: Instant,
    jumped: Arc<Mutex<TimeDelta>>,
    zone: Tz,
}

impl TestClock {
    /// A clock that shows this moment now.
    pub(crate) fn new(now: DateTime<Utc>, zone: Tz) -> Self {
        Self { base: now, since: Instant::now(), jumped: Arc::default(), zone }
    }

    /// A clock whose wall shows this now, like `2026-02-01 14:30:25`.
    pub(crate) fn at(wall: &str, zone: Tz) -> Self {
        let wall: NaiveDateTime = wall.replace(' ', "T").parse().expect("a time on the wall");
        let now = zone.from_local_datetime(&wall).earliest().expect("a time that exists");
        Self::new(now.with_timezone(&Utc), zone)
    }

    /// Sets the clock forward, or back.
    pub(crate) fn jump(&self, by: TimeDelta) {
        *self.jumped.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// What the wall shows now.
    pub(crate) fn wall(&self) -> NaiveDateTime {
        self.to_local(self.now())
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.since.elapsed()).expect("less than an age");
        self.base + elapsed + *self.jumped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&self.zone).naive_local()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        self.zone.from_local_datetime(&wall).map(|local| local.with_timezone(&Utc))
    }
}
