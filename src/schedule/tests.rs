//! When a backup is due, whatever the clock does.

mod stops;

use std::sync::atomic::AtomicU32;

use chrono::{MappedLocalTime, NaiveDateTime, TimeZone};
use tokio::time::Instant;

use super::*;

#[test]
fn pauses_grow_from_a_quarter_of_an_hour_to_a_day() {
    let minutes: Vec<i64> = (1..=9).map(|n| pause_after(n).num_minutes()).collect();
    assert_eq!(minutes, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
    assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
}

/// A clock that a test sets.
#[derive(Default)]
struct Hand(Mutex<DateTime<Utc>>);

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

#[test]
fn an_hour_of_waiting_is_told_of_wherever_the_clock_is_set() {
    let hand = Arc::new(Hand::default());
    let schedule = Schedule::new(Days::new(7), Arc::<Hand>::clone(&hand) as _);
    let after = |minutes, kind| {
        *hand.0.lock().unwrap_or_else(PoisonError::into_inner) += TimeDelta::minutes(minutes);
        schedule.failed(kind)
    };
    assert!(!after(0, ErrorKind::Busy));
    assert!(!after(59, ErrorKind::Busy));
    assert!(!after(-1_000_000, ErrorKind::Busy));
    assert!(after(60, ErrorKind::Busy));
    assert!(!after(59, ErrorKind::Busy));
    assert!(after(1, ErrorKind::Busy));
    // it was free in between
    assert!(after(0, ErrorKind::StorageFull));
    assert!(!after(59, ErrorKind::Busy));
    assert!(!after(59, ErrorKind::Busy));
}

#[test]
fn one_that_no_list_shows_counts_however_often_the_next_is_asked_for() {
    let hand = Arc::new(Hand::default());
    let schedule = Schedule::new(Days::new(7), Arc::<Hand>::clone(&hand) as _);
    schedule.succeeded(hand.now());
    for _ in 0..3 {
        assert_eq!(schedule.next(&[]) - hand.now(), TimeDelta::days(7));
        assert!(!schedule.is_due(&[]));
    }
}

/// A clock that goes with tokio's time, and counts who looks at it.
struct Counted(Instant, AtomicU32);

impl Clock for Counted {
    fn now(&self) -> DateTime<Utc> {
        self.1.fetch_add(1, Ordering::Relaxed);
        DateTime::UNIX_EPOCH + self.0.elapsed()
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_sleep_looks_at_the_clock_every_quarter_of_an_hour() {
    let clock = Arc::new(Counted(Instant::now(), AtomicU32::new(0)));
    let schedule = Schedule::new(Days::new(7), Arc::<Counted>::clone(&clock) as _);
    let morning = DateTime::UNIX_EPOCH + TimeDelta::days(1);
    sleep_until(morning, &schedule, &CancellationToken::new()).await;
    // at its begin and at its end too
    assert_eq!(clock.1.load(Ordering::Relaxed), 2 + 24 * 4);
    assert!(clock.now() >= morning);
}
