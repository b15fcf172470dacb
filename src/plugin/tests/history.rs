//! What may befall a bot and its copies, one event after the other.

use chrono_tz::Tz;
use proptest::prelude::*;

/// A life: where, from when on, under which settings, and all that happens.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) zone: Tz,
    /// By the clock on the wall; each is a few days before the clocks are changed there.
    pub(super) start: &'static str,
    pub(super) every: u64,
    pub(super) keep: usize,
    pub(super) events: Vec<Event>,
}

/// A number says which of the processes that run, counted round and round.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Pass(Minutes),
    Start,
    Stop(usize),
    Kill(usize),
    /// It dies in its work: after so many calls to its storage.
    KillSoon(usize, usize),
    /// The clock is set, or the machine slept.
    Jump(Minutes),
    Break(Trouble),
    Mend,
    /// Telegram is away, or back.
    Silence(bool),
    BackUp(usize),
    /// A client of the bot changes its data.
    Write,
    /// Restores the backup that is so many places from the newest.
    Restore(usize, usize),
    /// Another bot makes a backup in the same place.
    Stranger,
    /// An archive that is cut off is copied in.
    Damage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The bot's data cannot be read.
    Source,
    /// Nothing can be written.
    Full,
}

pub(super) type Minutes = i64;

const HOUR: Minutes = 60;
const DAY: Minutes = 24 * HOUR;

/// Eight zones with the changes of their clocks, among them half an hour, a day that was skipped and
/// midnight; and one without any.
fn places() -> impl Strategy<Value = (Tz, &'static str)> {
    use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific};
    prop::sample::select(vec![
        (Europe::Berlin, "2026-03-27 02:30:00"),
        (Europe::Berlin, "2026-10-23 02:30:00"),
        (America::New_York, "2026-03-05 01:59:30"),
        (America::New_York, "2026-10-30 01:15:00"),
        (Australia::Lord_Howe, "2026-04-03 01:45:00"),
        (Australia::Lord_Howe, "2026-10-02 02:10:00"),
        (Africa::Cairo, "2026-04-22 00:30:00"),
        (Africa::Cairo, "2026-10-27 23:30:00"),
        (America::Santiago, "2026-04-02 23:30:00"),
        (America::Santiago, "2026-09-04 00:20:00"),
        (America::St_Johns, "2026-03-06 02:10:00"),
        (America::St_Johns, "2026-10-30 01:40:00"),
        (Asia::Kathmandu, "2024-02-27 12:00:00"),
        (Pacific::Apia, "2011-12-27 10:00:00"),
        (Europe::Moscow, "2011-03-25 02:30:00"),
        (Europe::Moscow, "2014-10-24 01:30:00"),
    ])
}

fn passing() -> impl Strategy<Value = Minutes> {
    prop_oneof![
        3 => 1..90_i64,
        4 => (1..30_i64).prop_map(|hours| hours * HOUR),
        3 => (1..8_i64).prop_map(|days| days * DAY),
        1 => (1..4_i64).prop_map(|days| days * DAY - 1),
    ]
}

fn jumps() -> impl Strategy<Value = Minutes> {
    prop_oneof![
        3 => -90..90_i64,
        2 => (-30..72_i64).prop_map(|hours| hours * HOUR),
        2 => (-8..20_i64).prop_map(|days| days * DAY),
        1 => Just(365 * DAY),
        1 => Just(-365 * DAY),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let one = 0..3_usize;
    prop_oneof![
        12 => passing().prop_map(Event::Pass),
        3 => Just(Event::Start),
        2 => one.clone().prop_map(Event::Stop),
        2 => one.clone().prop_map(Event::Kill),
        2 => (one.clone(), 1..30_usize).prop_map(|(one, calls)| Event::KillSoon(one, calls)),
        3 => jumps().prop_map(Event::Jump),
        1 => Just(Event::Break(Trouble::Source)),
        1 => Just(Event::Break(Trouble::Full)),
        3 => Just(Event::Mend),
        1 => any::<bool>().prop_map(Event::Silence),
        8 => Just(Event::Write),
        3 => one.clone().prop_map(Event::BackUp),
        3 => (one, 0..4_usize).prop_map(|(one, nth)| Event::Restore(one, nth)),
        1 => Just(Event::Stranger),
        1 => Just(Event::Damage),
    ]
}

pub(super) fn histories() -> impl Strategy<Value = History> {
    let every = prop::sample::select(vec![1_u64, 1, 2, 3, 7]);
    let events = prop::collection::vec(event(), 1..40);
    (places(), every, 1..5_usize, events).prop_map(|((zone, start), every, keep, events)| History {
        zone,
        start,
        every,
        keep,
        events,
    })
}
