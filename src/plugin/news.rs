//! What the schedule tells: each word once, and kept until somebody has heard it.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::chat::Chat;
use crate::error::Error;
use crate::service::{Failing, Report, Service, Untold, guarded};

/// How long a note may wait for its turn.
const NOTED_WITHIN: Duration = Duration::from_secs(2 * 60);

/// After so many intervals without a backup people hear once more that it fails.
const REMINDED_AFTER: i32 = 3;

/// How long after a message that nobody took it is tried anew, at first and at most.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(15 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// The news of the schedule. What was told and what was not stands in the notebook.
pub(super) struct News {
    chat: Chat,
    service: Service,
    stop: CancellationToken,
    /// One word after the other: each depends on what was heard before.
    turn: Mutex<()>,
    memory: std::sync::Mutex<Memory>,
    /// When the backups were made that were ever seen; `None` before the first look.
    seen: std::sync::Mutex<Option<BTreeSet<DateTime<Utc>>>>,
}

/// What this program alone remembers.
#[derive(Default)]
struct Memory {
    /// When the administrator last heard that it fails, where the notebook could not take that.
    told: Option<DateTime<Utc>>,
    /// When they last heard that a step does not end: whoever reads that may start another program.
    stuck: Option<DateTime<Utc>>,
    /// The notebook does not know yet that a failure has ended,
    unended: bool,
    /// and that people have heard of this backup.
    heard: Option<Untold>,
    event: Event,
    /// How often it has failed or come to a stop.
    troubles: u64,
}

/// A failure, or the end of one: of several the last counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Event(u64);

/// The end of all the trouble so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End(u64);

impl News {
    pub(super) fn new(chat: Chat, service: Service, stop: CancellationToken) -> Self {
        let (turn, memory, seen) = Default::default();
        Self { chat, service, stop, turn, memory, seen }
    }

    /// It fails: what was to be told before is no news any more.
    pub(super) fn trouble(&self) -> Event {
        self.memory().troubles += 1;
        self.over()
    }

    /// What was wrong is over, and so is what was to be told of it.
    pub(super) fn over(&self) -> Event {
        let mut memory = self.memory();
        memory.event.0 += 1;
        memory.event
    }

    /// A step has come to a stop: why the last one has failed is news all the same.
    pub(super) fn stop(&self) -> Event {
        let mut memory = self.memory();
        memory.troubles += 1;
        memory.event
    }

    /// What had come to a stop goes on.
    pub(super) fn end(&self) -> End {
        self.over();
        End(self.memory().troubles)
    }

    /// Tells of a failure, unless it belongs to one that was told of lately.
    pub(super) async fn failed(&self, event: Event, error: Error) {
        let _turn = self.turn.lock().await;
        if self.memory().event != event {
            // a newer one is to be told, or it is over
            return;
        }
        let unknown = self.is_behind().await;
        // where the note cannot be written, as on a full disk, this program remembers it
        let noting = tokio::time::timeout(NOTED_WITHIN, self.service.note_failing());
        let failing = match noting.await {
            Ok(Ok(failing)) => Some(failing),
            _ => self.noted().await,
        };
        let failing = failing.filter(|_| !unknown);
        let noted = failing.and_then(|failing| failing.heard_at());
        let remembered = self.memory().told;
        if self.is_recent(noted) || self.is_recent(remembered) {
            if let Some(at) = remembered.filter(|_| failing.is_some() && noted < remembered) {
                self.note_told(at).await;
            }
            return;
        }
        let heard = match noted.max(remembered) {
            None => self.chat.tell_failed(&error).await,
            Some(at) => {
                let since = failing.map_or(at, |failing| failing.since);
                self.chat.tell_still_failing(since, &error).await
            }
        };
        if heard {
            self.note_told(self.now().unwrap_or_default()).await;
            self.memory().stuck = None;
        }
    }

    /// Tells that a step does not end, unless it has since.
    pub(super) async fn stuck(&self, event: Event) {
        let _turn = self.turn.lock().await;
        let Memory { told, stuck, .. } = *self.memory();
        // the place that does not answer is not asked each hour
        if self.is_recent(told) || self.is_recent(stuck) {
            return;
        }
        let heard_at = self.noted().await.and_then(|failing| failing.heard_at());
        if self.is_recent(heard_at) {
            return;
        }
        let now = self.now().unwrap_or_default();
        {
            let mut memory = self.memory();
            if memory.event != event {
                return;
            }
            // before they hear it: a backup that is made meanwhile says that it works again
            memory.stuck = Some(now);
        }
        if !self.chat.tell_stuck().await {
            let mut memory = self.memory();
            memory.stuck = memory.stuck.and(stuck);
        }
    }

    async fn noted(&self) -> Option<Failing> {
        let reading = tokio::time::timeout(NOTED_WITHIN, self.service.failing());
        reading.await.ok().and_then(Result::ok).flatten()
    }

    /// None where the host's clock panics.
    fn now(&self) -> Option<DateTime<Utc>> {
        guarded(|| Ok(self.service.now())).ok()
    }

    /// Whether what was told then is not told again now. But who has missed or forgotten it must not
    /// believe for ever that there are backups.
    fn is_recent(&self, told_at: Option<DateTime<Utc>>) -> bool {
        let Some(at) = told_at else { return false };
        // a clock that panics was told of, too
        let Some(now) = self.now() else { return true };
        let again = self.chat.interval() * REMINDED_AFTER;
        // by a clock that was set back nobody knows how long it is
        now - at < again && at - now < again
    }

    /// Tells that what had come to a stop has ended, if people have heard of it: no backup will say so.
    pub(super) async fn resumed(&self, end: End) {
        while !self.told_of_end(end).await {
            if self.stop.run_until_cancelled(tokio::time::sleep(TOLD_AGAIN)).await.is_none() {
                return;
            }
        }
    }

    async fn told_of_end(&self, end: End) -> bool {
        let _turn = self.turn.lock().await;
        // the end of a newer trouble will say it
        if self.memory().stuck.is_none() || self.memory().troubles != end.0 {
            return true;
        }
        let heard = self.chat.tell_resumed().await;
        if heard {
            self.memory().stuck = None;
        }
        heard
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a backup that was never there before; false at the first look.
    pub(super) fn is_new_among(&self, made_at: &[DateTime<Utc>]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen.is_none();
        let seen = seen.get_or_insert_default();
        let before = seen.len();
        seen.extend(made_at);
        !first && seen.len() > before
    }

    /// Forgets a failure that a backup has ended, whoever has made it.
    pub(super) async fn ended(&self) {
        let _turn = self.turn.lock().await;
        self.memory().told = None;
        self.note_ended().await;
    }

    /// Whether what is noted of a failure is out of date, and cannot be noted now either.
    async fn is_behind(&self) -> bool {
        let unended = self.memory().unended;
        let unended = unended && !self.note_ended().await;
        unended || !self.note_heard().await
    }

    /// Notes of which backup people have heard; false where that cannot be noted now.
    async fn note_heard(&self) -> bool {
        let Some(news) = self.memory().heard.clone() else { return true };
        let noting = self.service.note_told_of_backup(news);
        let noted = tokio::time::timeout(NOTED_WITHIN, noting).await.unwrap_or(false);
        if noted {
            self.memory().heard = None;
        }
        noted
    }

    /// False where that cannot be noted now.
    async fn note_ended(&self) -> bool {
        let noting = tokio::time::timeout(NOTED_WITHIN, self.service.note_ended());
        let ended = matches!(noting.await, Ok(Ok(())));
        self.memory().unended = !ended;
        ended
    }

    async fn note_told(&self, at: DateTime<Utc>) {
        let noting = self.service.note_told_of_failure(at);
        let noted = tokio::time::timeout(NOTED_WITHIN, noting).await;
        let noted = matches!(noted, Ok(Ok(true)));
        let mut memory = self.memory();
        memory.told = Some(at).filter(|_| !noted);
        if noted {
            // what is noted is this failure now
            memory.unended = false;
            memory.heard = None;
        }
    }

    /// Notes a backup that was made, until somebody has heard of it. Where it cannot be noted, gives
    /// whether a failure has ended with it, as far as anybody knows.
    pub(super) async fn made(&self, report: &Report) -> Option<bool> {
        self.over();
        let unknown = self.is_behind().await;
        let (told, stuck) = {
            let mut memory = self.memory();
            (memory.told.take(), memory.stuck.take())
        };
        let recovered = told.or(stuck).is_some();
        let noted = self.service.note_made(report.news(recovered)).await;
        self.memory().unended = noted.is_err();
        if noted.is_ok() {
            self.memory().heard = None;
            return None;
        }
        let failed = !unknown && self.noted().await.is_some_and(|failing| failing.told);
        Some(recovered || failed)
    }

    /// Tells of a backup, again and again until somebody hears it or there is newer news.
    /// `unnoted` says whether a failure has ended with it, where the notebook cannot.
    pub(super) async fn tell(&self, report: Report, unnoted: Option<bool>) {
        let mut pause = TOLD_AGAIN;
        while !self.told_of(&report, unnoted).await {
            let rest = tokio::time::sleep(pause);
            if self.stop.run_until_cancelled(rest).await.is_none() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        // or a restart tells it once more
        while unnoted.is_none() && self.memory().heard.is_some() {
            let rest = tokio::time::sleep(TOLD_AGAIN);
            if self.stop.run_until_cancelled(rest).await.is_none() {
                return;
            }
            let _turn = self.turn.lock().await;
            self.note_heard().await;
        }
    }

    async fn told_of(&self, report: &Report, unnoted: Option<bool>) -> bool {
        let _turn = self.turn.lock().await;
        let news = report.news(false);
        let recovered = if let Some(recovered) = unnoted {
            recovered
        } else {
            let reading = self.service.untold_recovery(news.clone());
            match tokio::time::timeout(NOTED_WITHIN, reading).await {
                Ok(Ok(Some(recovered))) => recovered,
                Ok(Ok(None)) => return true,
                _ => return false,
            }
        };
        // of what has come to a stop since, its end will say that
        let recovered = recovered && self.memory().stuck.is_none();
        let heard = self.chat.tell_done(report, recovered).await;
        if heard && unnoted.is_none() {
            self.memory().heard = Some(news);
            self.note_heard().await;
        }
        heard
    }

    /// Tells of the last backup, if the bot stopped before anybody had heard of it.
    pub(super) async fn tell_what_is_left(&self) {
        if let Ok(Some(report)) = self.service.untold_backup().await {
            self.tell(report, None).await;
        }
    }
}
