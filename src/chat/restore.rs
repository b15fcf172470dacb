//! Restoring in the chat: what is asked first, what is said while it runs and after it.

use std::time::Duration;

use teloxide::types::{ChatId, InlineKeyboardButton, MessageId, UserId};
use tokio::time::Instant;

use super::button::{Button, Pending};
use super::message::Message;
use super::{Chat, message, warn};
use crate::backup::BackupId;
use crate::error::{Error, ErrorKind};
use crate::service::{Chosen, Fewer, Inspection, Journal, RestoreFailed, Save, Undo, UndoTarget};

/// Whoever waits while a word is tried in vain does not try it again at once.
const TRIED_AGAIN: Duration = Duration::from_secs(60);

/// What became of the word about restores that were cut off.
#[derive(Default)]
pub(super) struct Telling {
    /// When it was last tried in vain.
    unheard: Option<Instant>,
    /// Of which one it was heard last, and when.
    heard: Option<(Instant, Journal)>,
}

/// What there was to tell of restores that were cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    /// People have heard of this one just now, from whoever was telling it.
    Now(Journal),
    /// Nobody has heard of it.
    NotYet,
}

/// What is said of a press.
pub(super) struct Answer {
    pub(super) message: Message,
    /// The restore whose end nobody knows, and which people have heard of once this has arrived.
    pub(super) tells_of: Option<Box<Journal>>,
    /// What is asked then, in a message of its own.
    pub(super) question: Option<Message>,
}

impl From<Message> for Answer {
    fn from(message: Message) -> Self {
        Self { message, tells_of: None, question: None }
    }
}

impl Chat {
    /// Tells of each restore that was cut off, by a crash of this bot or of another program, to who has
    /// asked for something at that moment.
    ///
    /// # Errors
    /// While nobody can tell whether there is one.
    pub(crate) async fn tell_of_interruption(&self, asked: Instant) -> Result<Told, Error> {
        let mut telling = self.interruption.lock().await;
        let meanwhile = telling.heard.as_ref().filter(|(at, _)| *at > asked);
        let mut now: Vec<Journal> = meanwhile.map(|(_, heard)| heard.clone()).into_iter().collect();
        // once more after each: while one is told of, another program may be killed
        loop {
            let looked = self.parts.service.untold_cut_off().await;
            let looked =
                looked.inspect_err(|error| warn("look for a restore that was cut off", error));
            // a storage that forgets what is noted must not have it told without end
            let Some(interrupted) = looked?.filter(|found| !now.contains(found)) else {
                return Ok(now.pop().map_or(Told::Nothing, Told::Now));
            };
            if telling.unheard.is_some_and(|at| at.elapsed() < TRIED_AGAIN) {
                return Ok(Told::NotYet);
            }
            tracing::warn!(backup = %interrupted.restored, "a restore was cut off");
            if !self.tell(message::interrupted(&self.parts.text, &interrupted)).await {
                telling.unheard = Some(Instant::now());
                return Ok(Told::NotYet);
            }
            self.parts.service.note_told_of(interrupted.clone()).await;
            now.push(interrupted.clone());
            *telling = Telling { unheard: None, heard: Some((Instant::now(), interrupted)) };
        }
    }

    /// The same before another restore, which must not wait for one that runs; gives what to say instead
    /// where people are to hear of that first.
    async fn before_restoring(
        &self,
        asked: Instant,
        undo: Option<&Undo>,
    ) -> Result<Option<Message>, Error> {
        if self.parts.service.is_busy() {
            return Err(Error::new(ErrorKind::Busy, "another backup or restore is running"));
        }
        let text = &self.parts.text;
        Ok(match self.tell_of_interruption(asked).await? {
            Told::Nothing => None,
            // its own button, at once
            Told::Now(heard) if undo.is_some() && heard.undo.as_ref() == undo => None,
            Told::Now(_) => Some(message::just_told(text, undo)),
            Told::NotYet => Some(message::untold(text, undo)),
        })
    }

    /// Checks an archive, and asks whether to restore it.
    pub(super) async fn show(
        &self,
        admin: UserId,
        chat: ChatId,
        message: MessageId,
        id: BackupId,
    ) -> Message {
        let started = message::inspect_started(&self.parts.text, &id);
        self.delivery.progress(chat, message, &started).await;
        self.question(admin, chat, id).await
    }

    pub(super) async fn question(&self, admin: UserId, chat: ChatId, id: BackupId) -> Message {
        let text = &self.parts.text;
        // the way back from a restore that was cut off must be told before another one begins
        let inspected = match self.tell_of_interruption(Instant::now()).await {
            Ok(Told::NotYet) => return message::untold(text, None),
            Ok(_) => self.parts.service.inspect(Chosen::Stored(id.clone())).await,
            Err(error) => Err(error),
        };
        match inspected {
            Ok(inspection) => self.ask(admin, chat, &inspection),
            Err(error) => {
                warn("inspect", &error);
                message::inspect_failed(text, &id, &error)
            }
        }
    }

    fn ask(&self, admin: UserId, chat: ChatId, inspection: &Inspection) -> Message {
        let token = self.confirmations.ask(Pending {
            admin,
            chat,
            id: inspection.info.id.clone(),
            data_sha256: inspection.data_sha256.clone(),
            save: if inspection.live.is_ok() { Save::First } else { Save::GiveUp },
            fewer: inspection.fewer(),
        });
        message::confirm(&self.parts.text, inspection, &token)
    }

    pub(super) fn ask_again(&self, pending: Pending, fewer: Fewer) -> Message {
        let id = pending.id.clone();
        let token = self.confirmations.ask(pending);
        message::confirm_again(&self.parts.text, &id, fewer, &token)
    }

    /// Where what is live cannot be saved first, whether to give it up is for a person to say.
    async fn ask_to_give_up(
        &self,
        admin: UserId,
        chat: ChatId,
        failed: &RestoreFailed,
        id: BackupId,
    ) -> Option<Message> {
        if !failed.may_be_given_up() {
            return None;
        }
        let mut inspection = self.parts.service.inspect(Chosen::Stored(id)).await.ok()?;
        inspection.live = Err(Error::new(ErrorKind::Source, failed.error.chain()));
        Some(self.ask(admin, chat, &inspection))
    }

    pub(super) async fn restore(
        &self,
        chat: ChatId,
        message: MessageId,
        pending: Pending,
        asked: Instant,
    ) -> Answer {
        let text = &self.parts.text;
        let started = message::restore_started(text, &pending.id);
        self.delivery.progress(chat, message, &started).await;
        let Pending { admin, id, data_sha256, save, .. } = pending;
        let restored = match self.before_restoring(asked, None).await {
            Ok(None) => {
                let chosen = Chosen::Stored(id.clone());
                self.parts.service.restore(chosen, data_sha256, save).await
            }
            Ok(Some(first)) => return first.into(),
            Err(error) => Err(error.into()),
        };
        match restored {
            Ok(restored) => message::restore_done(text, &restored).into(),
            Err(failed) => {
                warn("restore", &failed.error);
                if let Some(question) = self.ask_to_give_up(admin, chat, &failed, id).await {
                    return question.into();
                }
                let message = message::restore_failed(text, &failed);
                Answer { message, tells_of: failed.cut_off, question: None }
            }
        }
    }

    /// The same answer with these ways back, so far as they are open.
    pub(super) async fn with_ways(
        &self,
        mut answer: Answer,
        ways: Vec<InlineKeyboardButton>,
    ) -> Answer {
        let tokens: Vec<_> = ways.iter().filter_map(Button::way_back).collect();
        if !tokens.is_empty() {
            let open = self.parts.service.open_among(tokens).await;
            // where nobody can read whether they are, they stay
            let open = open.map(|open| message::ways(&self.parts.text, &open));
            answer.message.add_ways(&self.parts.text, open.unwrap_or(ways));
        }
        answer
    }

    pub(super) async fn undo(
        &self,
        admin: UserId,
        chat: ChatId,
        message: MessageId,
        target: UndoTarget,
        beside: &[InlineKeyboardButton],
        asked: Instant,
    ) -> Answer {
        let UndoTarget { safety, undo, .. } = target;
        let text = &self.parts.text;
        // a crash must not leave a message without the ways back that it had
        let mut started = message::undo_started(text, &undo);
        started.add_ways(text, beside.iter().cloned());
        self.delivery.progress(chat, message, &started).await;
        // as before another restore
        let undone = match self.before_restoring(asked, Some(&undo)).await {
            Ok(None) => self.parts.service.undo(undo.clone()).await,
            Ok(Some(first)) => return first.into(),
            Err(error) => Err(RestoreFailed { undo: Some(Box::new(undo.clone())), ..error.into() }),
        };
        match undone {
            Ok(restored) => message::undo_done(text, &undo, &restored).into(),
            Err(failed) => {
                warn("undo", &failed.error);
                let question = self.ask_to_give_up(admin, chat, &failed, safety).await;
                let message = message::undo_failed(text, &undo, &failed);
                Answer { message, tells_of: failed.cut_off, question }
            }
        }
    }
}
