//! A clock that stands until a test moves it.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use teloxide_backup::Clock;

/// A clock on the wall, three hours ahead of UTC, that stands until it is moved.
#[derive(Clone)]
pub struct Wall(Arc<Mutex<DateTime<Utc>>>);

impl Wall {
    /// A clock that shows this local time, like `2026-02-01 14:30:25`.
    pub fn at(local: &str) -> Self {
        let clock = Self(Arc::default());
        clock.set(local);
        clock
    }

    pub fn set(&self, local: &str) {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S").expect("a time");
        let moment = Self::zone().from_local_datetime(&local).unwrap().with_timezone(&Utc);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    pub fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn zone() -> FixedOffset {
        FixedOffset::east_opt(3 * 60 * 60).expect("a zone")
    }
}

impl Clock for Wall {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&Self::zone()).naive_local()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Self::zone().from_local_datetime(&wall).map(|local| local.with_timezone(&Utc))
    }
}
