//! When the next one comes: an interval later, over restarts and changes of the clocks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use teloxide_backup::Clock;

use crate::clock::TestClock;
use crate::world::{DAY, HOUR, MINUTE, World, assert_near, backup_command, pass};

#[tokio::test(start_paused = true)]
async fn the_first_backup_ever_comes_at_once_and_none_at_a_restart() {
    let world = World::berlin(7);
    let task = world.start();
    pass(Duration::from_secs(1)).await;
    assert_eq!((world.runs(), world.archives().len()), (1, 1));
    task.shutdown().await;
    for _ in 0..5 {
        let task = world.start();
        pass(DAY).await;
        task.shutdown().await;
    }
    assert_eq!(world.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_one_comes_an_interval_after_the_newest() {
    for days in [1_u32, 7, 30] {
        let world = World::berlin(days.into());
        let task = world.start();
        pass(DAY * days * 3 + HOUR).await;
        assert_eq!(world.runs(), 4, "every {days} days");
        task.shutdown().await;
        // in days of the wall, whatever summer time does
        let walls: Vec<NaiveDateTime> =
            world.source.asked().into_iter().map(|at| world.clock.to_local(at)).collect();
        for pair in walls.windows(2) {
            assert_near(pair[1] - pair[0], TimeDelta::days(days.into()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_spawn_starts_no_second_schedule() {
    let world = World::berlin(1);
    let plugin = world.plugin();
    let first = plugin.spawn();
    let second = plugin.clone().spawn();
    pass(3 * DAY + HOUR).await;
    assert_eq!(world.runs(), 4);
    first.shutdown().await;
    second.shutdown().await;
    pass(3 * DAY).await;
    assert_eq!(world.runs(), 4, "nothing runs after the shutdown");
}

/// The moments at which a zone's clocks are changed in a year, and by how much.
fn changes(zone: Tz, year: i32) -> Vec<(NaiveDateTime, TimeDelta)> {
    use chrono::{Offset, TimeZone};
    let start = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date").and_hms_opt(0, 0, 0);
    let start = start.expect("a time");
    let offset = |at: NaiveDateTime| {
        let seconds = zone.offset_from_utc_datetime(&at).fix().local_minus_utc();
        TimeDelta::seconds(seconds.into())
    };
    let quarters = (0..366 * 96).map(|n| start + TimeDelta::minutes(15 * n));
    quarters
        .filter_map(|at| {
            let before = offset(at - TimeDelta::minutes(15));
            let change = offset(at) - before;
            // the middle of the hour that is skipped or repeated, on the wall
            (!change.is_zero()).then(|| (at + before + change / 2, change))
        })
        .collect()
}

/// Runs a daily backup at this time of day over this date; gives the local times of all.
async fn daily_around(wall: NaiveDateTime, zone: Tz) -> Vec<NaiveDateTime> {
    let start = (wall - TimeDelta::days(3)).to_string();
    let world = World::new(&TestClock::at(&start, zone), 1);
    let task = world.start();
    pass(7 * DAY + 2 * HOUR).await;
    task.shutdown().await;
    assert_eq!(world.archives().len(), world.runs(), "none was lost, {wall} {zone}");
    world.source.asked().into_iter().map(|at| world.clock.to_local(at)).collect()
}

fn exists(date: NaiveDate, zone: Tz) -> bool {
    use chrono::TimeZone;
    let quarters = (0..96).filter_map(|n| date.and_hms_opt(n / 4, n % 4 * 15, 0));
    quarters.into_iter().any(|wall| zone.from_local_datetime(&wall).earliest().is_some())
}

#[tokio::test(start_paused = true)]
async fn each_day_has_one_run_when_the_clocks_are_changed() {
    use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific};
    let zones = [
        Europe::Berlin,
        America::New_York,
        Australia::Lord_Howe,
        Africa::Cairo,
        America::Santiago,
        America::St_Johns,
        Asia::Kathmandu,
        Pacific::Apia,
        Europe::Moscow,
    ];
    let (mut gaps, mut folds) = (0, 0);
    let mut changing = 0;
    for zone in zones {
        // 2011: Samoa skips a day, Moscow's last spring; 2014: Moscow's last autumn; 2026: now
        let mut walls: Vec<_> = [2011, 2014, 2026].map(|year| changes(zone, year)).concat();
        changing += usize::from(!walls.is_empty());
        // its clocks are never changed
        if zone == Asia::Kathmandu {
            walls.push(("2026-03-29T02:30:00".parse().expect("a time"), TimeDelta::zero()));
        }
        for (wall, change) in walls {
            gaps += usize::from(change > TimeDelta::zero());
            folds += usize::from(change < TimeDelta::zero());
            let runs = daily_around(wall, zone).await;
            let dates: Vec<NaiveDate> = runs.iter().map(NaiveDateTime::date).collect();
            assert!(dates.len() >= 7, "{zone} {wall}: {runs:?}");
            for pair in dates.windows(2) {
                let next = pair[0].iter_days().skip(1).find(|date| exists(*date, zone));
                assert_eq!(Some(pair[1]), next, "{zone} {wall}: {runs:?}");
            }
        }
    }
    assert_eq!(changing, 8);
    assert!(gaps >= 10 && folds >= 10, "{gaps} gaps and {folds} folds were met");
}

#[tokio::test(start_paused = true)]
async fn half_past_two_that_is_skipped_or_repeated_is_one_run() {
    let zone = chrono_tz::Europe::Berlin;
    let spring = daily_around("2026-03-29T02:30:00".parse().expect("a time"), zone).await;
    let hours: Vec<_> = spring.iter().map(|at| (at.hour(), at.minute())).collect();
    // the first moment after the gap, and from then on that time of day
    assert_eq!(hours[..3], [(2, 30); 3]);
    assert_eq!(hours[3..], [(3, 0); 5]);
    let autumn = daily_around("2026-10-25T02:30:00".parse().expect("a time"), zone).await;
    assert_eq!(autumn.iter().map(|at| (at.hour(), at.minute())).collect::<Vec<_>>(), [(2, 30); 8]);
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[tokio::test(start_paused = true)]
async fn five_years_of_restarts_have_a_backup_a_week() {
    let world = World::berlin(7);
    let mut dice = Dice(5);
    let end = world.clock.now() + TimeDelta::days(5 * 365 + 1);
    let longest_off = 6 * 60 * 60;
    let mut starts = 0;
    while world.clock.now() < end {
        // few old ones: each start reads them all
        let task = world.builder().keep(3).build().expect("a plugin").spawn();
        pass(Duration::from_secs(dice.up_to(9 * 24 * 60 * 60))).await;
        task.shutdown().await;
        pass(Duration::from_secs(dice.up_to(longest_off))).await;
        starts += 1;
    }
    for gap in world.gaps() {
        assert!(gap > TimeDelta::minutes(69 * 24 * 6), "{gap} is less than 6.9 days");
        // an hour for summer time, and the time the bot was off
        let late = TimeDelta::hours(1) + TimeDelta::seconds(longest_off.cast_signed());
        assert!(gap < TimeDelta::days(7) + late + TimeDelta::minutes(5), "{gap}");
    }
    assert!(starts > 300, "{starts} restarts");
    assert!((250..=262).contains(&world.runs()), "{} backups in five years", world.runs());
    assert_eq!(world.archives().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_at_the_start_is_caught_up_once() {
    let world = World::berlin(1);
    let task = world.start();
    pass(MINUTE).await;
    task.shutdown().await;
    pass(90 * DAY).await;
    let task = world.start();
    pass(MINUTE).await;
    assert_eq!(world.runs(), 2, "at once");
    pass(23 * HOUR).await;
    assert_eq!(world.runs(), 2, "and no burst");
    pass(HOUR).await;
    assert_eq!(world.runs(), 3);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_neither_starts_a_storm_nor_loses_a_backup() {
    let hours = [1, 3 * 24, 365 * 24, -1, -24, -365 * 24];
    for jump in hours.map(TimeDelta::hours) {
        let world = World::berlin(1);
        // by tokio's time, which nobody sets
        let steady = TestClock::new(world.clock.now(), chrono_tz::UTC);
        let task = world.start();
        pass(10 * DAY + HOUR * 5).await;
        let before: Vec<_> =
            world.archives().into_iter().map(|id| (id.clone(), world.storage.get(&id))).collect();
        assert_eq!(before.len(), 11);
        world.clock.jump(jump);
        let mut made = Vec::new();
        for _ in 0..30 {
            let runs = world.runs();
            pass(DAY).await;
            made.push(world.runs() - runs);
        }
        task.shutdown().await;
        assert!(made.iter().all(|runs| *runs <= 2), "{jump}: a storm {made:?}");
        // set back by less than an interval, it waits that long more, and never longer
        assert!(made.iter().filter(|runs| **runs == 0).count() <= 1, "{jump}: lost {made:?}");
        let total: usize = made.iter().sum();
        assert!((29..=31).contains(&total), "{jump}: {made:?}");
        assert_eq!(world.archives().len(), world.runs(), "{jump}: one was overwritten");
        for (id, bytes) in before {
            assert_eq!(world.storage.get(&id), bytes, "{jump}: {id} has changed");
        }
        assert_near(steady.now() - world.clock.now(), -jump);
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_while_the_bot_is_off_is_no_matter_either() {
    for jump in [1, 3 * 24, 365 * 24, -1, -24, -365 * 24].map(TimeDelta::hours) {
        let world = World::berlin(1);
        let task = world.start();
        pass(10 * DAY + HOUR * 5).await;
        task.shutdown().await;
        world.clock.jump(jump);
        let before = world.runs();
        let task = world.start();
        pass(30 * DAY).await;
        task.shutdown().await;
        let made = world.runs() - before;
        assert!((29..=31).contains(&made), "{jump}: {made}");
        assert_eq!(world.archives().len(), world.runs(), "{jump}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_backup_by_hand_moves_the_next_one() {
    let world = World::berlin(7);
    let plugin = world.plugin();
    let task = plugin.spawn();
    pass(3 * DAY).await;
    let outcome = plugin.handler::<anyhow::Error>().dispatch(dptree::deps![backup_command()]).await;
    assert!(matches!(outcome, std::ops::ControlFlow::Break(Ok(()))), "it is the plugin's");
    pass(MINUTE).await;
    assert_eq!(world.runs(), 2);
    pass(6 * DAY + 23 * HOUR).await;
    assert_eq!(world.runs(), 2, "none at the old time");
    pass(HOUR + MINUTE).await;
    assert_eq!(world.runs(), 3);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_when_it_is_switched_off() {
    let world = World::berlin(1);
    let task = world.builder().enabled(false).build().expect("a plugin").spawn();
    pass(40 * DAY).await;
    assert_eq!(world.runs(), 0);
    task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_backup_that_runs() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let world = World::berlin(1).fate(move |_| {
        // the thread may block: the plugin gives it one of its own
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv()?;
        Ok(())
    });
    let task = world.start();
    world.source.begun.notified().await;
    let ended = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&ended);
    let shutdown = tokio::spawn(async move {
        task.shutdown().await;
        mark.store(true, Ordering::Relaxed);
    });
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(!ended.load(Ordering::Relaxed));
    assert!(world.archives().is_empty());
    go.send(()).expect("the backup waits");
    shutdown.await.expect("it ends");
    assert_eq!(world.archives().len(), 1, "the backup was finished");
}

#[tokio::test(start_paused = true)]
async fn how_long_a_backup_takes_does_not_delay_the_next() {
    let world = World::berlin(1);
    let clock = world.clock.clone();
    let world = world.fate(move |_| {
        clock.jump(TimeDelta::minutes(40));
        Ok(())
    });
    let task = world.start();
    pass(5 * DAY).await;
    for gap in world.gaps() {
        assert_near(gap, TimeDelta::days(1));
    }
    assert!(world.runs() >= 5, "{}", world.runs());
    task.shutdown().await;
}
