//! The rules in the words of the promises, held against all that is seen. They know nothing of the
//! code: names, times and who has done what is all they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use chrono::{DateTime, DurationRound, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use tokio::time::{Duration, Instant};

use super::history::Trouble;
use crate::backup::BackupId;

/// Longer than any nap of the schedule and any look of a copy that stands by.
const WINDOW: TimeDelta = TimeDelta::minutes(17);
/// Longer than any pause after a failure.
const LONG_WINDOW: TimeDelta = TimeDelta::minutes(24 * 60 + 17);
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than a message is tried.
const TOLD_WITHIN: Duration = Duration::from_secs(3 * 60);
/// A copy that stands by is told of after so long.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The number of another bot, whose archives lie in the same place.
pub(super) const STRANGER: usize = usize::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Safety,
    Foreign,
    Damaged,
}

#[derive(Clone, Copy, Debug)]
struct Archive {
    kind: Kind,
    at: DateTime<Utc>,
    /// The data in it.
    holds: u64,
}

/// What a new archive says of itself.
pub(super) struct Label {
    pub(super) trigger: String,
    pub(super) at: DateTime<Utc>,
    pub(super) holds: u64,
}

/// From the first failure to the next backup.
#[derive(Clone, Copy, Debug, Default)]
struct Incident {
    failures: u32,
    told: u32,
    /// The notebook could not take it: the next holder knows nothing of it.
    unnoted: bool,
    /// Somebody died over it, or Telegram was away: more may be told, or less.
    unclear: bool,
    /// When it was told of for the last time, and how far the clock had been set then.
    heard: Option<(Instant, TimeDelta)>,
}

/// An incident that a backup has ended.
#[derive(Clone, Copy, Debug)]
struct Over {
    incident: Incident,
    by_hand: bool,
    by: usize,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Rules {
    zone: Tz,
    every: i64,
    keep: usize,
    pub(super) jumped: TimeDelta,
    base: DateTime<Utc>,
    since: Instant,
    archives: BTreeMap<BackupId, Archive>,
    names: BTreeSet<BackupId>,
    pub(super) undo_to: Option<BackupId>,
    holder: Option<usize>,
    /// Those that run, since when, and whether they have told that they stand by.
    alive: BTreeMap<usize, (Instant, u32)>,
    /// The process for which a person does something just now.
    pub(super) by_hand: Option<usize>,
    trouble: Option<Trouble>,
    away: bool,
    /// Since when Telegram takes messages, where it does.
    heard_since: Instant,
    /// Since when nobody came, went, died or was disturbed.
    calm: Instant,
    /// When the last failure of each process was, and how many it had in a row.
    tries: BTreeMap<usize, (Instant, u32)>,
    /// The schedule that is held has failed, and has made no backup since.
    paused: bool,
    own_last: Option<DateTime<Utc>>,
    last_made: Option<(Instant, DateTime<Utc>)>,
    /// When a backup was made, or proved again, that may have ended an incident.
    last_done: Option<Instant>,
    /// The backup with which the data were last found the same, and when.
    noted: Option<(BackupId, DateTime<Utc>)>,
    incident: Incident,
    over: Option<Over>,
    /// Nobody has heard that an incident is over, or somebody died over saying so: what fails again
    /// is the same to them, and the next one may say that it works.
    owed: bool,
    /// Who said last that an incident is over, and when: if they die before it is noted, it is said
    /// once more.
    said: Option<(usize, Instant)>,
    pub(super) made: u64,
    /// How many backups were not made, since nothing had changed.
    pub(super) left_out: u64,
    /// How often it was said that it still fails.
    pub(super) reminders: u64,
    pub(super) violations: Vec<String>,
}

impl Rules {
    pub(super) fn new(zone: Tz, base: DateTime<Utc>, every: u64, keep: usize) -> Self {
        let now = Instant::now();
        Self {
            zone,
            every: every.cast_signed(),
            keep,
            jumped: TimeDelta::zero(),
            base,
            since: now,
            archives: BTreeMap::new(),
            names: BTreeSet::new(),
            undo_to: None,
            holder: None,
            alive: BTreeMap::new(),
            by_hand: None,
            trouble: None,
            away: false,
            heard_since: now,
            calm: now,
            tries: BTreeMap::new(),
            paused: false,
            own_last: None,
            last_made: None,
            last_done: None,
            noted: None,
            incident: Incident::default(),
            over: None,
            owed: false,
            said: None,
            made: 0,
            left_out: 0,
            reminders: 0,
            violations: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.since.elapsed()).expect("less than an age");
        self.base + passed + self.jumped
    }

    fn wall(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.with_timezone(&self.zone).naive_local()
    }

    fn broken_rule(&mut self, rule: impl Into<String>) {
        let (now, rule) = (self.now(), rule.into());
        self.violations.push(format!("{now} ({}): {rule}", self.wall(now)));
    }

    /// Whether the wall has shown, up to this moment, so many days after that one.
    fn has_come(&self, at: DateTime<Utc>, moment: DateTime<Utc>) -> bool {
        let wanted = self.wall(at) + TimeDelta::days(self.every);
        // a wall that was set back for winter has shown later times before: it is so at a whole quarter
        let quarter = moment.duration_trunc(TimeDelta::minutes(15)).expect("a quarter");
        let ends = (0..=16).map(|quarters| {
            quarter - TimeDelta::minutes(15 * quarters) - TimeDelta::milliseconds(1)
        });
        iter::once(moment).chain(ends).any(|time| time >= at && self.wall(time) >= wanted)
    }

    /// What the schedule counts from: the newest backup, the time when one was not made since nothing had
    /// changed, while that other one is there, or the holder's own last one, even if it is gone. A date
    /// further ahead is a wrong clock's.
    fn newest(&self) -> Option<DateTime<Utc>> {
        let horizon = self.now() + TimeDelta::days(1);
        let there = self.archives.values().filter(|a| a.kind == Kind::Normal).map(|a| a.at);
        let noted = self.noted.iter().filter(|(id, _)| self.archives.contains_key(id));
        there.chain(noted.map(|(_, at)| *at)).chain(self.own_last).filter(|at| *at <= horizon).max()
    }

    /// Something has happened from outside: nobody can be held to a time that began before it.
    pub(super) fn disturbed(&mut self) {
        self.calm = Instant::now();
    }

    pub(super) fn started(&mut self, process: usize) {
        self.alive.insert(process, (Instant::now(), 0));
        self.disturbed();
    }

    pub(super) fn ended(&mut self, process: usize) {
        self.alive.remove(&process);
        let at_work = self.tries.remove(&process).is_some_and(|(at, _)| at.elapsed() < TOLD_WITHIN);
        self.incident.unclear |= at_work;
        let over = self.over.filter(|over| over.by == process);
        self.owed |= over.is_some_and(|over| over.at.elapsed() < TOLD_WITHIN);
        let said = self.said.filter(|(by, _)| *by == process);
        self.owed |= said.is_some_and(|(_, at)| at.elapsed() < TOLD_WITHIN);
        self.holder = self.holder.filter(|holder| *holder != process);
        self.disturbed();
    }

    pub(super) fn claimed(&mut self, process: usize) {
        if let Some(holder) = self.holder {
            self.broken_rule(format!("{process} takes the schedule that {holder} has"));
        }
        self.holder = Some(process);
        (self.paused, self.own_last) = (false, None);
        self.incident.unclear |= self.incident.unnoted;
        self.disturbed();
    }

    pub(super) fn set_trouble(&mut self, trouble: Option<Trouble>) {
        self.trouble = trouble;
        self.disturbed();
    }

    pub(super) fn silence(&mut self, away: bool) {
        if self.away && !away {
            self.heard_since = Instant::now();
        }
        self.away = away;
        self.incident.unclear |= away && self.incident.failures > 0;
        self.owe();
    }

    /// Nobody has heard yet that an incident is over: it is told with the next backup.
    fn owe(&mut self) {
        let over = self.over.take();
        self.owed |= over.is_some_and(|Over { incident, by_hand, .. }| {
            incident.unclear || (incident.told > 0 && !by_hand)
        });
    }

    /// The schedule of a process tries, and fails.
    pub(super) fn failed(&mut self, process: usize) {
        if self.by_hand == Some(process) {
            return;
        }
        if self.holder != Some(process) {
            self.broken_rule(format!("{process} tries while {:?} has the schedule", self.holder));
        }
        let tried = self.tries.get(&process).copied();
        // a row ends when nothing is due any more: the clock was set, or what was made by a clock that
        // was fast has come near
        let ended = |at: Instant| at <= self.calm || at.elapsed() > LONGEST_PAUSE + TOLD_WITHIN;
        let (last, row) = tried.filter(|(at, _)| !ended(*at)).unwrap_or((self.calm, 0));
        let pause = Duration::from_secs(60 * (15 << row.saturating_sub(1).min(7)).min(24 * 60));
        if row > 0 && last.elapsed() + Duration::from_secs(1) < pause {
            self.broken_rule(format!("try {row} after {:?}", last.elapsed()));
        }
        self.tries.insert(process, (Instant::now(), row + 1));
        self.paused = true;
        self.incident.failures += 1;
        self.incident.unclear |= self.away;
        self.incident.unnoted |= self.trouble == Some(Trouble::Full);
    }

    pub(super) fn published(&mut self, process: usize, id: &BackupId, label: &Label) {
        let kind = match &label.trigger[..] {
            _ if process == STRANGER => Kind::Foreign,
            "before_restore" => Kind::Safety,
            _ => Kind::Normal,
        };
        if label.trigger == "scheduled" {
            self.scheduled(process, &id.to_string(), label.at);
            let last = self.last_whole(label.at);
            if let Some((last, _)) = last.filter(|(_, last)| last.holds == label.holds) {
                self.broken_rule(format!("{id} is a twin of {last}"));
            }
        }
        self.appeared(id, kind, label.at, label.holds);
        if kind == Kind::Normal {
            self.made += 1;
            self.last_made = Some((Instant::now(), self.now()));
            self.done(process, label.trigger == "manual");
        }
    }

    /// The schedule has done something where none was due, or somebody else has done it.
    fn scheduled(&mut self, process: usize, what: &str, at: DateTime<Utc>) {
        self.paused = false;
        if self.holder != Some(process) {
            let holder = self.holder;
            self.broken_rule(format!("{process} makes what {holder:?} is to make"));
        }
        let now = self.now();
        if let Some(last) = self.newest().filter(|last| !self.has_come(*last, now)) {
            self.broken_rule(format!("{what} comes too early after {last}"));
        }
        self.own_last = Some(at);
    }

    fn done(&mut self, process: usize, by_hand: bool) {
        self.tries.clear();
        self.last_done = Some(Instant::now());
        let incident = std::mem::take(&mut self.incident);
        self.owe();
        self.over = Some(Over { incident, by_hand, by: process, at: Instant::now() });
    }

    /// It is noted that the data are those of this backup, so that none is made.
    pub(super) fn unchanged(
        &mut self,
        process: usize,
        id: BackupId,
        at: DateTime<Utc>,
        live: u64,
        whole: bool,
    ) {
        if self.noted.as_ref() == Some(&(id.clone(), at)) {
            return;
        }
        self.scheduled(process, &format!("a look at {id}"), at);
        let last = self.last_whole(at);
        if !whole || last.is_none_or(|(last, archive)| *last != id || archive.holds != live) {
            self.broken_rule(format!("{live} is said to be in {id}, and the last is {last:?}"));
        }
        self.noted = Some((id, at));
        self.left_out += 1;
        self.done(process, false);
    }

    /// The last backup of the bot; none where it may be one that is damaged.
    fn last_whole(&self, now: DateTime<Utc>) -> Option<(&BackupId, Archive)> {
        let of = |kind: Kind| self.archives.iter().filter(move |(_, a)| a.kind == kind);
        let last = of(Kind::Normal).filter(|(_, a)| a.at <= now).max_by_key(|(id, a)| (a.at, *id));
        // one of the future says nothing of today, as its name tells, which is by the wall
        let horizon = self.wall(now + TimeDelta::days(1));
        let damaged = of(Kind::Damaged).map(|(id, _)| id).filter(|id| id.stamp() <= horizon).max();
        last.filter(|(id, _)| damaged < Some(*id)).map(|(id, archive)| (id, *archive))
    }

    /// An archive is there: a bot gives no name twice.
    pub(super) fn appeared(&mut self, id: &BackupId, kind: Kind, at: DateTime<Utc>, holds: u64) {
        if kind != Kind::Foreign && !self.names.insert(id.clone()) {
            self.broken_rule(format!("{id} is a name that was given before"));
        }
        self.archives.insert(id.clone(), Archive { kind, at, holds });
    }

    /// The good archive that so many are newer than.
    pub(super) fn nth_newest(&self, nth: usize) -> Option<BackupId> {
        let good = |a: &Archive| matches!(a.kind, Kind::Normal | Kind::Safety);
        let mut good: Vec<_> = self.archives.iter().filter(|(_, a)| good(a)).collect();
        good.sort_by_key(|(id, a)| (std::cmp::Reverse(a.at), *id));
        good.get(nth).map(|(id, _)| (*id).clone())
    }

    pub(super) fn deleted(&mut self, process: usize, id: &BackupId) {
        let Some(gone) = self.archives.remove(id) else { return };
        if process == STRANGER {
            if gone.kind != Kind::Foreign {
                self.broken_rule(format!("{id} is removed by another bot"));
            }
            return;
        }
        let (now, id) = (self.now(), id.to_string());
        let left = |kind: fn(Kind) -> bool| {
            let good = self.archives.values().filter(move |a| kind(a.kind) && a.at <= now);
            good.filter(|a| a.at >= gone.at).count()
        };
        let newer = left(|kind| kind == Kind::Normal);
        let newer_of_all = left(|kind| matches!(kind, Kind::Normal | Kind::Safety));
        let rule = match gone.kind {
            Kind::Foreign => Some("another bot's"),
            Kind::Damaged => Some("not proved"),
            _ if gone.at > now => Some("of the future"),
            _ if newer_of_all == 0 => Some("the newest good one"),
            Kind::Normal if newer < self.keep => Some("one of those to keep"),
            Kind::Safety if now - gone.at < TimeDelta::days(7) => Some("the way back of this week"),
            _ if self.undo_to.as_ref().is_some_and(|undo| undo.to_string() == id) => {
                Some("where a button leads")
            }
            _ => None,
        };
        if let Some(rule) = rule {
            self.broken_rule(format!("{id} is removed, and is {rule}"));
        }
    }

    /// A message to the administrator; false where its sender is dead.
    pub(super) fn told(&mut self, request: &str) -> bool {
        let process = request.split(":P").nth(1).and_then(|rest| rest.split('/').next());
        let process = process.and_then(|number| number.parse::<usize>().ok());
        let Some((_, stands)) = process.and_then(|process| self.alive.get_mut(&process)) else {
            return false;
        };
        if request.contains("running twice") {
            *stands += 1;
            let (stands, process) = (*stands, process);
            if stands > 1 || self.holder == process {
                self.broken_rule(format!("{process:?} says {stands} times that it stands by"));
            }
        }
        if request.contains("was not made") {
            self.told_of_failure();
        }
        if request.contains("have been failing since") {
            self.reminded();
        }
        if request.contains("Scheduled backup made") || request.contains("no changes") {
            self.told_of_success(request.contains("work again"));
        }
        true
    }

    /// It was on its way when a backup ended the incident.
    fn comes_late(&self) -> bool {
        let late = self.last_done.is_some_and(|at| at.elapsed() < TOLD_WITHIN);
        self.incident.failures == 0 && late
    }

    fn told_of_failure(&mut self) {
        if self.comes_late() {
            return;
        }
        self.incident.told += 1;
        self.incident.heard = Some((Instant::now(), self.jumped));
        let Incident { failures, told, unclear, .. } = self.incident;
        if !unclear && (failures == 0 || told > 1) {
            self.broken_rule(format!("{told} messages of {failures} failures"));
        }
    }

    /// A failure that lasts is told of again after three intervals.
    fn reminded(&mut self) {
        if self.comes_late() {
            return;
        }
        let heard = self.incident.heard.replace((Instant::now(), self.jumped));
        self.reminders += 1;
        let days = u64::try_from(3 * self.every).expect("an interval");
        let early = heard.is_some_and(|(at, jumped)| {
            jumped == self.jumped && at.elapsed() < Duration::from_secs(days * 24 * 60 * 60)
        });
        if !self.incident.unclear && (early || heard.is_none() && !self.owed) {
            self.broken_rule("it is said too early that it still fails");
        }
    }

    /// Whoever has heard of a failure hears once that it is over, unless it was ended by hand.
    fn told_of_success(&mut self, recovered: bool) {
        let Some(Over { incident, by_hand, by, .. }) = self.over.take() else { return };
        self.said = Some((by, Instant::now())).filter(|_| recovered).or(self.said);
        let expected = incident.told > 0 && !by_hand;
        let owed = recovered && std::mem::take(&mut self.owed);
        if recovered != expected && !incident.unclear && !owed {
            let word = if recovered { "told" } else { "not told" };
            self.broken_rule(format!("it is {word} that it works again, after {incident:?}"));
        }
    }

    /// What must be so when a while has passed in which nothing came from outside.
    pub(super) fn look(&mut self) {
        self.look_for_what_is_due();
        self.look_for_what_is_untold();
        self.look_for_too_many();
    }

    fn look_for_what_is_due(&mut self) {
        if self.alive.is_empty() || self.trouble.is_some() {
            return;
        }
        // a backup by hand ends an incident, not the pause in which it comes
        let window = if self.paused { LONG_WINDOW } else { WINDOW };
        let calm = TimeDelta::from_std(self.calm.elapsed()).expect("less than an age");
        let moment = self.now() - window;
        if calm > window && self.newest().is_none_or(|last| self.has_come(last, moment)) {
            self.broken_rule(format!("a backup is due, and nobody makes it for {window}"));
        }
    }

    fn look_for_what_is_untold(&mut self) {
        if self.away {
            return;
        }
        let long_ago = |at: Instant| at.elapsed() > TOLD_WITHIN && at > self.heard_since;
        let failed = self.tries.values().any(|(at, _)| *at > self.calm && long_ago(*at));
        // who has heard of an incident and not of its end need not hear that it fails
        if failed && self.incident.told == 0 && !self.owed {
            self.broken_rule("a failure is not told");
        }
        let waited = self.calm.elapsed() > PATIENCE + TOLD_WITHIN;
        let heard = self.heard_since.elapsed() > PATIENCE + TOLD_WITHIN * 6;
        let silent = self.alive.iter().find(|(process, (since, told))| {
            self.holder.is_some_and(|holder| holder != **process)
                && *told == 0
                && since.elapsed() > PATIENCE + TOLD_WITHIN
        });
        if let Some(process) = silent.map(|(process, _)| *process).filter(|_| waited && heard) {
            self.broken_rule(format!("{process} stands by and does not say so"));
        }
    }

    /// After each backup so many stay, of those that were there at the time.
    fn look_for_too_many(&mut self) {
        let Some((made, at)) = self.last_made.filter(|_| self.trouble.is_none()) else { return };
        if made <= self.calm || made.elapsed() < Duration::from_secs(1) {
            return;
        }
        let counted = |(id, a): &(&BackupId, &Archive)| {
            a.kind == Kind::Normal && a.at <= at && self.undo_to.as_ref() != Some(*id)
        };
        // of those made in one second, nobody can tell which is the newest
        let seconds = self.archives.iter().filter(counted).map(|(_, a)| a.at.timestamp());
        let stay = seconds.collect::<BTreeSet<_>>().len();
        if stay > self.keep {
            self.broken_rule(format!("{stay} stay, and {} are to be kept", self.keep));
        }
    }
}
