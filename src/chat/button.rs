//! What a button carries, and the confirmations that work once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use teloxide::types::{ChatId, InlineKeyboardButton, InlineKeyboardButtonKind, UserId};
use tokio::time::Instant;
use uuid::Uuid;

use crate::backup::BackupId;
use crate::service::{Fewer, Save};

/// What all our buttons begin with; Telegram allows 64 bytes in all.
const PREFIX: &str = "bkp:";
const VALID_FOR: Duration = Duration::from_secs(120);

/// What pressing a button asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    Page(usize),
    Show(BackupId),
    /// Sends the archive as a file.
    Download(BackupId),
    /// Restores, with the token of a confirmation.
    Yes(String),
    No(String),
    /// Undoes a restore, with the token of its journal.
    Undo(String),
}

impl Button {
    /// What a button of a keyboard is; `None` for one that is not ours.
    pub(crate) fn of(button: &InlineKeyboardButton) -> Option<Self> {
        match &button.kind {
            InlineKeyboardButtonKind::CallbackData(data) => Self::decode(data),
            _ => None,
        }
    }

    /// Where it leads, if it is a way back.
    pub(crate) fn way_back(button: &InlineKeyboardButton) -> Option<String> {
        match Self::of(button)? {
            Self::Undo(token) => Some(token),
            _ => None,
        }
    }

    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Page(page) => format!("{PREFIX}p:{page}"),
            Self::Show(id) => format!("{PREFIX}b:{}", id.key()),
            Self::Download(id) => format!("{PREFIX}d:{}", id.key()),
            Self::Yes(token) => format!("{PREFIX}y:{token}"),
            Self::No(token) => format!("{PREFIX}n:{token}"),
            Self::Undo(token) => format!("{PREFIX}u:{token}"),
        }
    }

    /// Whether this is one of our buttons at all.
    pub(crate) fn is_ours(data: &str) -> bool {
        data.starts_with(PREFIX)
    }

    /// Anybody can send any data: what is not exactly a button's is `None`.
    pub(crate) fn decode(data: &str) -> Option<Self> {
        let (kind, value) = data.strip_prefix(PREFIX)?.split_once(':')?;
        let button = match kind {
            "p" => Self::Page(value.parse().ok()?),
            "b" => Self::Show(BackupId::from_key(value)?),
            "d" => Self::Download(BackupId::from_key(value)?),
            "y" => Self::Yes(value.to_owned()),
            "n" => Self::No(value.to_owned()),
            "u" => Self::Undo(value.to_owned()),
            _ => return None,
        };
        (button.encode() == data).then_some(button)
    }
}

/// A restore that waits for its «yes».
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) admin: UserId,
    pub(crate) chat: ChatId,
    pub(crate) id: BackupId,
    pub(crate) data_sha256: String,
    /// What becomes of what is live.
    pub(crate) save: Save,
    /// Most of what is live would go: that is asked twice.
    pub(crate) fewer: Option<Fewer>,
}

/// The confirmations that were asked for, and not yet answered. A restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct Confirmations {
    open: Mutex<HashMap<String, Asked>>,
}

#[derive(Debug)]
struct Asked {
    pending: Pending,
    /// Since when the question is there; `None` while it is on its way.
    since: Option<Instant>,
}

impl Asked {
    fn is_good(&self) -> bool {
        self.since.is_none_or(|since| since.elapsed() < VALID_FOR)
    }
}

impl Confirmations {
    /// Gives the token of a new confirmation, whose question is to be sent now.
    pub(crate) fn ask(&self, pending: Pending) -> String {
        let token = Uuid::new_v4().simple().to_string();
        let mut open = self.open();
        open.retain(|_, asked| asked.is_good());
        open.insert(token.clone(), Asked { pending, since: None });
        token
    }

    /// The question is there, and two minutes begin; or it never will be, and nobody can answer it. False
    /// where it was answered already.
    pub(crate) fn asked(&self, token: &str, arrived: bool) -> bool {
        let mut open = self.open();
        if !arrived {
            return open.remove(token).is_some();
        }
        let asked = open.get_mut(token);
        asked.map(|asked| asked.since = Some(Instant::now())).is_some()
    }

    /// Takes a confirmation, which is gone with that: only the one who was asked, where it was
    /// asked, within two minutes.
    pub(crate) fn take(&self, token: &str, admin: UserId, chat: ChatId) -> Option<Pending> {
        let mut open = self.open();
        let Asked { pending, .. } = open.get(token)?;
        if pending.admin != admin || pending.chat != chat {
            return None;
        }
        open.remove(token).filter(Asked::is_good).map(|asked| asked.pending)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Asked>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMIN: UserId = UserId(42);
    const CHAT: ChatId = ChatId(42);

    fn pending() -> Pending {
        let id = BackupId::from_key("20260201_143025").expect("a name");
        let (data_sha256, save) = ("00".to_owned(), Save::First);
        Pending { admin: ADMIN, chat: CHAT, id, data_sha256, save, fewer: None }
    }

    #[test]
    fn a_button_reads_what_it_wrote() {
        let id = BackupId::from_key("20260201_143025_4294967295").expect("a name");
        let token = Uuid::new_v4().simple().to_string();
        for button in [
            Button::Page(usize::MAX),
            Button::Show(id),
            Button::Yes(token.clone()),
            Button::No(token.clone()),
            Button::Undo(token),
        ] {
            let data = button.encode();
            assert!(data.len() <= 64, "{data}");
            assert_eq!(Button::decode(&data), Some(button));
        }
    }

    #[test]
    fn forged_data_is_no_button() {
        for data in [
            "bkp:",
            "bkp:b:",
            "bkp:b:../../etc/passwd",
            "bkp:b:20260201_143025.zip",
            "bkp:p:-1",
            "bkp:p:1e9",
            "bkp:p:01",
            "bkp:p:99999999999999999999999",
            "bkp:x:1",
            "bkp",
            "",
            "y:1",
            "BKP:p:1",
            "bkp:p:+1",
        ] {
            assert_eq!(Button::decode(data), None, "{data}");
        }
    }

    impl Confirmations {
        /// Asks, and the question is there at once.
        fn asked_now(&self) -> String {
            let token = self.ask(pending());
            self.asked(&token, true);
            token
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_works_once_for_one_person_in_one_chat_for_two_minutes() {
        let confirmations = Confirmations::default();
        let token = confirmations.asked_now();
        assert_eq!(confirmations.take("another", ADMIN, CHAT), None);
        assert_eq!(confirmations.take(&token, UserId(43), CHAT), None);
        assert_eq!(confirmations.take(&token, ADMIN, ChatId(-7)), None);
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), Some(pending()));
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), None);

        let token = confirmations.asked_now();
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), Some(pending()));
        let token = confirmations.asked_now();
        tokio::time::advance(Duration::from_secs(120)).await;
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_confirmation_begins_when_its_question_is_there() {
        let confirmations = Confirmations::default();
        let token = confirmations.ask(pending());
        tokio::time::advance(Duration::from_secs(300)).await;
        // which others do not push out
        confirmations.ask(pending());
        confirmations.asked(&token, true);
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), Some(pending()));
        assert!(!confirmations.asked(&token, true), "it was taken");
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), None);

        // Telegram has it, and its answer was lost
        let token = confirmations.ask(pending());
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), Some(pending()));
        let token = confirmations.ask(pending());
        assert!(confirmations.asked(&token, false));
        assert_eq!(confirmations.take(&token, ADMIN, CHAT), None, "nobody was asked");
    }

    #[tokio::test(start_paused = true)]
    async fn confirmations_wait_side_by_side_and_old_ones_are_forgotten() {
        let confirmations = Confirmations::default();
        let oldest = confirmations.asked_now();
        tokio::time::advance(Duration::from_secs(60)).await;
        let older = confirmations.asked_now();
        assert_eq!(confirmations.open().len(), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        let newest = confirmations.asked_now();
        assert_eq!(confirmations.open().len(), 2, "whoever asks again and again fills no memory");
        assert_eq!(confirmations.take(&oldest, ADMIN, CHAT), None);
        assert_eq!(confirmations.take(&older, ADMIN, CHAT), Some(pending()));
        assert_eq!(confirmations.take(&newest, ADMIN, CHAT), Some(pending()));
    }
}
