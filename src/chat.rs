//! The Telegram side: updates become use cases, their reports become messages.

pub(crate) mod access;
pub(crate) mod branch;
pub(crate) mod button;
mod delivery;
mod file;
mod message;
mod restore;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use once_cell::sync::OnceCell;
use teloxide::types::{ChatId, MessageId, UserId};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::backup::{BackupId, Trigger};
use crate::error::{Error, ErrorKind};
use crate::service::{Ailment, Fewer, Gate, Moments, Report, Service, UndoTarget, guarded};
use crate::text::Text;
use access::{Access, private_chat};
use branch::{Action, Command, Press};
use button::{Button, Confirmations, Pending};
use delivery::Placed;
use message::{Message, Next, Settings};
use restore::{Answer, Telling};

pub(crate) use branch::branch;
pub(crate) use delivery::Delivery;
pub(crate) use restore::Told;

/// How many backups a page of the list shows.
const PAGE: usize = 5;
/// As long after a backup as its word is on its way, at most, it answers who asks for one.
const SAME_ANSWER: Duration = Duration::from_secs(5);
/// Who asks for a backup while one has run for longer than that hears that it does.
const SAME_BACKUP: Duration = Duration::from_secs(60);

/// When the next backup comes, after those that were made at these moments; `None` where another
/// program makes it.
pub(crate) type NextBackup = Box<dyn Fn(&[DateTime<Utc>]) -> Option<DateTime<Utc>> + Send + Sync>;

/// What the chat is made of, and what it tells about the settings.
pub(crate) struct Parts {
    pub(crate) service: Service,
    pub(crate) text: Text,
    pub(crate) access: Access,
    pub(crate) enabled: bool,
    pub(crate) days: u64,
    pub(crate) settings_file: Option<String>,
    pub(crate) next: NextBackup,
    /// Whether the host has started the schedule.
    pub(crate) started: Arc<OnceCell<()>>,
    /// Where the work runs that a shutdown waits for.
    pub(crate) work: TaskTracker,
}

#[derive(Clone)]
pub(crate) struct Chat {
    parts: Arc<Parts>,
    delivery: Delivery,
    confirmations: Arc<Confirmations>,
    /// What is being worked on and since when, so that a second tap starts no second work.
    running: Arc<Mutex<HashMap<Work, Instant>>>,
    /// Files that were sent are held in memory, so they come one after the other.
    receiving: Arc<tokio::sync::Mutex<()>>,
    /// The last restore for which people waited, and who was told of it.
    waiting: Arc<Mutex<(u64, HashSet<ChatId>)>>,
    /// Held while a restore that was cut off is told of: nobody else tells it again.
    interruption: Arc<tokio::sync::Mutex<Telling>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Work {
    BackUp(ChatId),
    Message(ChatId, MessageId),
    /// The question above its button stays, and works.
    Download(ChatId, BackupId),
}

/// What a press leads to, once its button proved to be good.
enum Wish {
    Page(usize),
    Show(BackupId),
    /// Shows it because a way back leads there.
    Ask(BackupId),
    Download(BackupId),
    Restore(Pending),
    /// So much would go that one slip of a finger must not do it.
    AskAgain(Pending, Fewer),
    Cancel,
    Undo(Box<UndoTarget>),
}

/// Ends a work when it is dropped, whatever became of it.
struct Running {
    running: Arc<Mutex<HashMap<Work, Instant>>>,
    work: Work,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.work);
    }
}

impl Chat {
    pub(crate) fn new(delivery: Delivery, parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            delivery,
            confirmations: Arc::default(),
            running: Arc::default(),
            receiving: Arc::default(),
            waiting: Arc::default(),
            interruption: Arc::default(),
        }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.parts.access
    }

    pub(crate) fn gate(&self) -> &Gate {
        self.parts.service.gate()
    }

    /// Tells a person once that a restore runs, outside the handler that waits for its end.
    pub(crate) fn ask_to_wait(&self, restore: u64, person: ChatId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.0 != restore {
            *waiting = (restore, HashSet::new());
        }
        if waiting.1.insert(person) {
            let chat = self.clone();
            self.in_background(async move {
                let wait = message::restore_runs(&chat.parts.text);
                chat.delivery.announce(person, &wait).await;
            });
        }
    }

    /// Does what an update asks for, outside the handler that brought it.
    pub(crate) fn act(&self, action: Action) {
        let chat = self.clone();
        self.in_background(async move { chat.perform(action).await });
    }

    /// Tells every administrator of a backup that the schedule made; true if somebody heard it.
    pub(crate) async fn tell_done(&self, report: &Report, recovered: bool) -> bool {
        self.tell(message::scheduled_done(&self.parts.text, report, recovered)).await
    }

    /// Tells that a backup was cut off, which began then; true if somebody heard it.
    pub(crate) async fn tell_of_cut_off_backup(&self, since: DateTime<Utc>) -> bool {
        self.tell(message::backup_cut_off(&self.parts.text, self.local(since))).await
    }

    /// Waits until some of the host's words cannot be said, and tells of them; true if somebody heard it.
    pub(crate) async fn tell_of_words(&self) -> bool {
        let text = &self.parts.text;
        self.tell(message::words_unsaid(text, text.unsaid().await)).await
    }

    /// Tells every administrator that the schedule made none; true if somebody heard it.
    pub(crate) async fn tell_failed(&self, error: &Error) -> bool {
        self.tell(message::scheduled_failed(&self.parts.text, error)).await
    }

    /// The same of a failure that has lasted since then, though people have heard of it.
    pub(crate) async fn tell_still_failing(&self, since: DateTime<Utc>, error: &Error) -> bool {
        let since = self.local(since);
        self.tell(message::scheduled_still_failing(&self.parts.text, since, error)).await
    }

    /// What the clock on the wall shows then; a clock of the host's may panic.
    fn local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        let local = guarded(|| Ok(self.parts.service.to_local(moment)));
        local.unwrap_or_else(|_| moment.naive_utc())
    }

    /// Tells that the schedule goes on; true if somebody heard it.
    pub(crate) async fn tell_resumed(&self) -> bool {
        self.tell(message::scheduled_resumed(&self.parts.text)).await
    }

    /// How often the schedule makes a backup.
    pub(crate) fn interval(&self) -> TimeDelta {
        TimeDelta::try_days(self.parts.days.try_into().unwrap_or_default()).unwrap_or_default()
    }

    /// Tells that a backup of the schedule does not end; true if somebody heard it.
    pub(crate) async fn tell_stuck(&self) -> bool {
        self.tell(message::scheduled_stuck(&self.parts.text)).await
    }

    /// Tells that another program of this bot makes the backups; true if somebody heard it.
    pub(crate) async fn tell_of_standing_by(&self) -> bool {
        self.tell(message::standing_by(&self.parts.text)).await
    }

    /// Tells what has become of the notebook; true if somebody heard it.
    pub(crate) async fn tell_of_notebook(&self, looked: Result<&Ailment, &Error>) -> bool {
        let heard = self.tell(message::notebook(&self.parts.text, looked)).await;
        if heard && matches!(looked, Ok(Ailment::Damaged)) {
            self.parts.service.note_told_of_damage().await;
        }
        heard
    }

    /// True as soon as the message has reached somebody. The others do not wait for one whose
    /// messages Telegram does not take, nor does what comes next.
    async fn tell(&self, message: Message) -> bool {
        let message = Arc::new(message);
        let (heard, mut first) = mpsc::channel(self.parts.access.admins.len().max(1));
        for admin in &self.parts.access.admins {
            let (delivery, chat) = (self.delivery.clone(), private_chat(*admin));
            let (message, heard) = (Arc::clone(&message), heard.clone());
            self.in_background(async move {
                if delivery.send(chat, &message).await {
                    let _ = heard.try_send(());
                }
            });
        }
        drop(heard);
        first.recv().await.is_some()
    }

    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.parts.work.spawn(work);
    }

    async fn perform(&self, action: Action) {
        let text = &self.parts.text;
        match action {
            Action::Command(Command::BackUp, chat) => self.back_up(chat).await,
            Action::Command(Command::List, chat) => {
                let list = self.list(0).await;
                self.delivery.send(chat, &list).await;
            }
            Action::Command(Command::Restore, chat) => {
                self.delivery
                    .send(chat, &message::receive_help(text, &self.parts.service.storage_name()))
                    .await;
            }
            Action::Command(Command::Settings, chat) => {
                let settings = self.settings().await;
                self.delivery.send(chat, &settings).await;
            }
            Action::Receive(sent) => self.receive(sent).await,
            Action::NotHere(chat) => {
                self.delivery.send(chat, &message::private_only(text)).await;
            }
            Action::Press(press) => self.press(press).await,
            Action::Dismiss(query) => self.delivery.answer(query, None).await,
            Action::RefuseCommand(chat) => {
                // one try: a stranger must not keep the bot busy
                self.delivery.announce(chat, &message::refusal(text)).await;
            }
            Action::RefusePress(query) => {
                self.delivery.answer(query, Some(message::refusal(text).html)).await;
            }
        }
    }

    async fn back_up(&self, chat: ChatId) {
        // the answer of the one that runs is the answer to all that were asked for soon after it
        let Some(running) = self.begin(Work::BackUp(chat)) else {
            return self.still_running(chat).await;
        };
        let service = self.parts.service.clone();
        let backup = tokio::spawn(async move { service.back_up(Trigger::Manual).await });
        let (delivery, started) =
            (self.delivery.clone(), message::backup_started(&self.parts.text));
        let started = tokio::spawn(async move { delivery.announce(chat, &started).await });
        let outcome = backup.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "make a backup").because(error))
        });
        // from now on its answer is what is waited for
        self.running().insert(Work::BackUp(chat), Instant::now());
        let answer = match outcome {
            Ok(report) => message::backup_done(&self.parts.text, &report),
            Err(error) => {
                warn("back up", &error);
                message::backup_failed(&self.parts.text, &error)
            }
        };
        let mut answering = pin!(async {
            let started = started.await.unwrap_or_default();
            self.replace(chat, started, &answer).await;
        });
        let answered = tokio::time::timeout(SAME_ANSWER, &mut answering).await;
        // whoever asks again from now on means another one
        drop(running);
        if answered.is_err() {
            answering.await;
        }
    }

    /// Answers who asks for a backup while one runs, unless that one's answer comes soon.
    async fn still_running(&self, chat: ChatId) {
        let since = self.running().get(&Work::BackUp(chat)).copied();
        if since.is_some_and(|since| since.elapsed() >= SAME_BACKUP) {
            let busy = Error::new(ErrorKind::Busy, "another backup or restore is running");
            let busy = message::backup_failed(&self.parts.text, &busy);
            self.delivery.send(chat, &busy).await;
        }
    }

    async fn list(&self, page: usize) -> Message {
        match self.parts.service.list(page, PAGE).await {
            Ok(page) => message::list(&self.parts.text, &page),
            Err(error) => {
                warn("list", &error);
                message::list_failed(&self.parts.text, &error)
            }
        }
    }

    async fn settings(&self) -> Message {
        // a clock or a storage of the host's may panic
        let shown = self.parts.service.moments().await;
        let shown = shown.and_then(|own| guarded(|| Ok(self.settings_after(&own))));
        shown.unwrap_or_else(|error| {
            warn("read the settings", &error);
            message::list_failed(&self.parts.text, &error)
        })
    }

    fn settings_after(&self, own: &Moments) -> Message {
        let Parts { service, text, .. } = &*self.parts;
        let folder = service.storage_name();
        let last = own.made_at.iter().max();
        // an older archive may have been the last one then
        let unchanged = own.unchanged_at.as_ref().filter(|at| Some(*at) >= last);
        let settings = Settings {
            enabled: self.parts.enabled,
            days: self.parts.days,
            folder: &folder,
            keep: service.keep(),
            last: last.map(|moment| service.to_local(*moment)),
            unchanged: unchanged.map(|moment| service.to_local(*moment)),
            next: self.next(&own.all()),
            file: self.parts.settings_file.as_deref(),
        };
        message::settings(text, &settings)
    }

    fn next(&self, made_at: &[DateTime<Utc>]) -> Next {
        let Parts { service, enabled, started, next, .. } = &*self.parts;
        if !enabled {
            return Next::Off;
        }
        if started.get().is_none() {
            return Next::NotStarted;
        }
        let Some(next) = next(made_at) else { return Next::Elsewhere };
        if next <= service.now() { Next::Soon } else { Next::At(service.to_local(next)) }
    }

    async fn press(&self, press: Press) {
        let asked = Instant::now();
        let Press { query, admin, chat, message, button, beside } = press;
        let Some(running) = self.begin(Work::Message(chat, message)) else {
            return self.delivery.answer(query, None).await;
        };
        let wish = self.wish(button, admin, chat).await;
        let refused = self.refused(&wish, chat, message);
        self.delivery.answer(query, refused.clone()).await;
        let (None, Ok(Some(wish))) = (refused, wish) else { return };
        let answer = match wish {
            Wish::Page(page) => self.list(page).await.into(),
            Wish::Show(id) => self.show(admin, chat, message, id).await.into(),
            Wish::Download(id) => {
                // the question stays, and works
                drop(running);
                return self.download(chat, id).await;
            }
            Wish::Restore(pending) => self.restore(chat, message, pending, asked).await,
            Wish::AskAgain(pending, fewer) => self.ask_again(pending, fewer).into(),
            Wish::Cancel => message::restore_cancelled(&self.parts.text).into(),
            Wish::Undo(target) => {
                let answer = self.undo(admin, chat, message, *target, &beside, asked).await;
                self.with_ways(answer, beside).await
            }
            Wish::Ask(id) => return self.ask_apart(admin, chat, id, running).await,
        };
        // whoever sees the new buttons may press them at once, so the work is over before they are sent
        drop(running);
        self.settle(chat, message, answer).await;
    }

    /// What a press is told that leads nowhere, or not now.
    fn refused(
        &self,
        wish: &Result<Option<Wish>, Error>,
        chat: ChatId,
        message: MessageId,
    ) -> Option<String> {
        let text = &self.parts.text;
        match wish {
            // the answer to the last press must not be lost for another
            Ok(Some(Wish::Undo(_))) if self.delivery.has_put_off(chat, message) => {
                Some(message::pending(text))
            }
            Ok(Some(_)) => None,
            Ok(None) if self.delivery.is_replacing(chat, message) => Some(message::pending(text)),
            Ok(None) => Some(message::stale(text)),
            Err(error) => {
                warn("read the way back", error);
                Some(message::undo_unread(text))
            }
        }
    }

    /// Asks in a message of its own: the way back keeps its button, whatever is answered.
    async fn ask_apart(&self, admin: UserId, chat: ChatId, id: BackupId, running: Running) {
        let started = message::inspect_started(&self.parts.text, &id);
        let started = self.delivery.announce(chat, &started).await;
        let question = self.question(admin, chat, id).await;
        drop(running);
        self.replace(chat, started, &question).await;
    }

    /// Puts the answer to a press in the place of its message, and asks what is to be asked then.
    async fn settle(&self, chat: ChatId, message: MessageId, answer: Answer) {
        let Answer { message: answer, tells_of, question } = answer;
        if let Some(question) = question {
            // it does not wait for an answer that Telegram puts off
            let asking = self.clone();
            self.in_background(async move { _ = asking.replace(chat, None, &question).await });
        }
        let heard = self.replace(chat, Some(message), &answer).await;
        // one that nobody has heard is told like a crash
        if let Some(cut_off) = tells_of.filter(|_| heard) {
            self.parts.service.note_told_of(*cut_off).await;
        }
    }

    /// Puts an answer in the place of a message; true once it is there. The time of a question begins
    /// then; one that Telegram does not take soon would ask about what is out of date.
    async fn replace(&self, chat: ChatId, old: Option<MessageId>, answer: &Message) -> bool {
        let placed = self.delivery.replace(chat, old, answer).await;
        let questions = answer.confirmations();
        let there = matches!(placed, Placed::There);
        let settle = |token: &String| self.confirmations.asked(token, there);
        let unanswered = questions.iter().filter(|token| settle(token)).count();
        match placed {
            Placed::Later(later) if questions.is_empty() => {
                self.delivery.insist(later, answer).await
            }
            Placed::Later(later) if unanswered > 0 => {
                self.delivery.insist(later, &message::too_late(&self.parts.text)).await;
                false
            }
            _ => there,
        }
    }

    /// What a button leads to; `None` where it is out of date.
    async fn wish(
        &self,
        button: Option<Button>,
        admin: UserId,
        chat: ChatId,
    ) -> Result<Option<Wish>, Error> {
        let Some(button) = button else { return Ok(None) };
        let confirmed = |token: &str| self.confirmations.take(token, admin, chat);
        Ok(match button {
            Button::Page(page) => Some(Wish::Page(page)),
            Button::Show(id) => Some(Wish::Show(id)),
            Button::Download(id) => Some(Wish::Download(id)),
            Button::Yes(token) => confirmed(&token).map(|mut pending| match pending.fewer.take() {
                Some(fewer) => Wish::AskAgain(pending, fewer),
                None => Wish::Restore(pending),
            }),
            Button::No(token) => confirmed(&token).map(|_| Wish::Cancel),
            Button::Undo(token) => {
                let target = self.parts.service.undo_target(token).await?;
                target.map(|target| {
                    if target.recent {
                        Wish::Undo(Box::new(target))
                    } else {
                        Wish::Ask(target.safety)
                    }
                })
            }
        })
    }

    /// `None` where it runs already.
    fn begin(&self, work: Work) -> Option<Running> {
        let mut running = self.running();
        if running.contains_key(&work) {
            return None;
        }
        running.insert(work.clone(), Instant::now());
        Some(Running { running: Arc::clone(&self.running), work })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Work, Instant>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn(what: &str, error: &Error) {
    tracing::warn!(what, kind = ?error.kind(), step = %error, "a backup operation failed");
}
