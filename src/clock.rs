//! Where the time comes from, so that tests need no waiting.

use chrono::{DateTime, Local, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};

/// The time, and the zone in which people read it.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;

    /// What a clock on the wall shows at this moment.
    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime;

    /// The moments at which the wall shows this: none in the hour that a spring skips, two in the
    /// hour that an autumn repeats.
    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>>;
}

/// The machine's clock and its time zone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&Local).naive_local()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Local.from_local_datetime(&wall).map(|local| local.with_timezone(&Utc))
    }
}

/// The one moment that a wall clock's reading stands for: the earlier of two, and for a reading
/// that was skipped the first one after the gap.
pub(crate) fn moment_of(clock: &dyn Clock, wall: NaiveDateTime) -> DateTime<Utc> {
    // no zone ever skipped more than a day at once (Samoa, 2011)
    for quarters in 0..=100 {
        let later = wall.checked_add_signed(TimeDelta::minutes(15 * quarters)).unwrap_or(wall);
        if let Some(moment) = clock.to_utc(later).earliest() {
            return moment;
        }
    }
    wall.and_utc()
}
