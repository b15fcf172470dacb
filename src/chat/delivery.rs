//! Sends, edits and answers; a message that Telegram does not take now is sent again.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use teloxide::payloads::{
    AnswerCallbackQuerySetters, EditMessageTextSetters, SendDocumentSetters, SendMessageSetters,
};
use teloxide::prelude::Requester;
use teloxide::types::{
    CallbackQueryId, ChatId, FileId, InlineKeyboardMarkup, InputFile, LinkPreviewOptions,
    MessageId, ParseMode,
};
use teloxide::{ApiError, Bot, RequestError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::message::Message;

/// The first pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// An answer of Telegram comes within this, or not at all: a host's client may wait without end.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2 * 60);
/// The same for a file of the most that Telegram gives or takes.
const FILED_WITHIN: Duration = Duration::from_secs(10 * 60);
/// The same while the bot stops: who waits for that is not patient.
const LAST_WORD: Duration = Duration::from_secs(20);
/// Telegram takes 4096; what is cut anyway may as well be a little shorter.
const LONGEST_PLAIN: usize = 4000;
/// Below a file Telegram takes 1024.
const LONGEST_CAPTION: usize = 1000;
/// An alert knows no markup, and no more than this.
const LONGEST_ALERT: usize = 200;

/// How often a message is tried and for how long, and how long a pause may grow.
struct Patience {
    tries: u32,
    longest_pause: Duration,
    longest: Duration,
}

/// A minute, or what Telegram asks for if that is not much more: nobody waits longer for a list.
const SHORT: Patience = Patience {
    tries: 6,
    longest_pause: Duration::from_secs(120),
    longest: Duration::from_secs(10 * 60),
};
/// A day: an outage of Telegram, or one of its longer bans.
const LONG: Patience = Patience {
    tries: 110,
    longest_pause: Duration::from_secs(15 * 60),
    longest: Duration::from_secs(24 * 60 * 60),
};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Arrived,
    /// It never will: Telegram refuses it for good, there is a newer one, or the bot stops.
    Lost,
    /// Telegram does not take it now, and is not to be asked again before that time has passed.
    Later(Duration),
}

/// The plugin's own voice. It keeps a plain bot, whatever the host wraps its own in.
#[derive(Clone)]
pub(crate) struct Delivery {
    bot: Bot,
    /// A shutdown does not wait for Telegram to come back.
    stop: CancellationToken,
    /// Until when Telegram wants to hear nothing for a chat.
    bans: Arc<Mutex<HashMap<ChatId, Instant>>>,
    /// The edits that are on their way: of each message the newest.
    edits: Edits,
}

/// Whether a message is where it was to be put.
pub(crate) enum Placed {
    There,
    /// It never will be.
    Nowhere,
    Later(Later),
}

/// A place that waits for its message.
pub(crate) struct Later {
    chat: ChatId,
    edit: Option<Edit>,
    wait: Duration,
}

type Place = (ChatId, MessageId);
/// Each with a mark, which says that Telegram did not take it at once.
type Edits = Arc<Mutex<HashMap<Place, Arc<AtomicBool>>>>;

/// An edit of a message, until it is dropped. It puts an end to the older ones, which would stand in the
/// place of newer news.
struct Edit {
    edits: Edits,
    place: Place,
    mark: Arc<AtomicBool>,
}

impl Edit {
    fn begin(edits: &Edits, chat: ChatId, message: MessageId) -> Self {
        let (place, mark) = ((chat, message), Arc::default());
        let edit = Self { edits: Arc::clone(edits), place, mark };
        edit.edits().insert(place, Arc::clone(&edit.mark));
        edit
    }

    fn is_newest(&self) -> bool {
        self.edits().get(&self.place).is_some_and(|newest| Arc::ptr_eq(newest, &self.mark))
    }

    fn edits(&self) -> MutexGuard<'_, HashMap<Place, Arc<AtomicBool>>> {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Edit {
    fn drop(&mut self) {
        let mut edits = self.edits();
        if edits.get(&self.place).is_some_and(|newest| Arc::ptr_eq(newest, &self.mark)) {
            edits.remove(&self.place);
        }
    }
}

impl Delivery {
    pub(crate) fn new(bot: Bot, stop: CancellationToken) -> Self {
        Self { bot, stop, bans: Arc::default(), edits: Arc::default() }
    }

    /// Tells that something has begun; `None` if Telegram does not take it now.
    pub(crate) async fn announce(&self, chat: ChatId, message: &Message) -> Option<MessageId> {
        if self.ban(chat).is_some() {
            return None;
        }
        self.once("send", Some(chat), ANSWERED_WITHIN, self.send_once(chat, message)).await
    }

    /// Sends a message that must arrive; true if it did.
    pub(crate) async fn send(&self, chat: ChatId, message: &Message) -> bool {
        self.put(SHORT, chat, None, message).await == Fate::Arrived
    }

    /// Sends a file, with a note below it; true if Telegram took it.
    pub(crate) async fn upload(
        &self,
        chat: ChatId,
        name: String,
        bytes: Vec<u8>,
        note: Option<Message>,
    ) -> bool {
        if self.ban(chat).is_some() {
            return false;
        }
        let file = InputFile::memory(bytes).file_name(name);
        let mut request = self.bot.send_document(chat, file);
        if let Some(note) = note {
            // a host's own text may be broken HTML
            request = request.caption(plain(&note.html, LONGEST_CAPTION));
        }
        self.once("upload", Some(chat), FILED_WITHIN, request.into_future()).await.is_some()
    }

    /// The content of a file that was sent; `None` where Telegram does not give it now, or where it
    /// is longer than that.
    pub(crate) async fn fetch(&self, file: FileId, most: usize) -> Option<Vec<u8>> {
        // other files wait for this one
        let fetched = tokio::time::timeout(FILED_WITHIN, self.download(file, most));
        let fetched = self.stop.run_until_cancelled(fetched).await?;
        fetched.inspect_err(|_| tracing::warn!("Telegram did not give a file in time")).ok()?
    }

    async fn download(&self, file: FileId, most: usize) -> Option<Vec<u8>> {
        let found = self.bot.get_file(file).await.map_err(|error| log("fetch", &error)).ok()?;
        let mut url = self.bot.api_url();
        let mut segments = url.path_segments_mut().ok()?;
        segments.pop_if_empty().push("file").push(&format!("bot{}", self.bot.token()));
        segments.extend(found.path.split('/'));
        drop(segments);
        // the time that the client has is for a message
        let asked = self.bot.client().get(url).timeout(FILED_WITHIN).send().await;
        let answer = asked.map_err(|error| log_file(error.without_url())).ok()?;
        let answer = answer.error_for_status();
        let mut answer = answer.map_err(|error| log_file(error.without_url())).ok()?;
        // as long as Telegram says: a buffer that grows is twice as long at its end
        let said = usize::try_from(found.size).unwrap_or(most).min(most);
        let mut content = Vec::with_capacity(said);
        loop {
            let part = answer.chunk().await;
            let part = part.map_err(|error| log_file(error.without_url())).ok()?;
            let Some(part) = part else { return Some(content) };
            // what Telegram said of it beforehand binds nobody
            if content.len() + part.len() > most {
                log_file("it is longer than a bot gets");
                return None;
            }
            content.extend_from_slice(&part);
        }
    }

    /// Tells how far it has come, in the place of another message; where that is not possible now,
    /// it is not worth a message of its own.
    pub(crate) async fn progress(&self, chat: ChatId, old: MessageId, message: &Message) {
        let _edit = Edit::begin(&self.edits, chat, old);
        let keyboard = message.keyboard.as_ref();
        let edit = self.edit_text(chat, old, &message.html, keyboard, true);
        if self.ban(chat).is_none() {
            self.once("edit", Some(chat), ANSWERED_WITHIN, edit).await;
        }
    }

    /// Puts a message in the place of another, or sends it where there is no other. Nothing newer is
    /// overwritten.
    pub(crate) async fn replace(
        &self,
        chat: ChatId,
        old: Option<MessageId>,
        message: &Message,
    ) -> Placed {
        let edit = old.map(|old| Edit::begin(&self.edits, chat, old));
        match self.put(SHORT, chat, edit.as_ref(), message).await {
            Fate::Arrived => Placed::There,
            Fate::Lost => Placed::Nowhere,
            Fate::Later(wait) => Placed::Later(Later { chat, edit, wait }),
        }
    }

    /// The same for what must not be lost, as the way back from a restore: once its time has come it is
    /// tried for a day. True if it arrived.
    pub(crate) async fn insist(&self, later: Later, message: &Message) -> bool {
        let Later { chat, edit, wait } = later;
        let waited = self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        waited.is_some() && self.put(LONG, chat, edit.as_ref(), message).await == Fate::Arrived
    }

    async fn put(
        &self,
        patience: Patience,
        chat: ChatId,
        edit: Option<&Edit>,
        message: &Message,
    ) -> Fate {
        let Some(&Edit { place: (_, old), .. }) = edit else {
            return self
                .persist("send", patience, chat, None, || self.send_once(chat, message))
                .await;
        };
        let editing = || self.edit_or_send(chat, old, message);
        self.persist("edit", patience, chat, edit, editing).await
    }

    /// Whether a message is to be replaced by what Telegram has not taken yet.
    pub(crate) fn is_replacing(&self, chat: ChatId, message: MessageId) -> bool {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&(chat, message))
    }

    /// Whether that is so since Telegram did not take it at once.
    pub(crate) fn has_put_off(&self, chat: ChatId, message: MessageId) -> bool {
        let edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        edits.get(&(chat, message)).is_some_and(|mark| mark.load(Ordering::Relaxed))
    }

    /// Ends the waiting that a pressed button shows, with a word or without.
    pub(crate) async fn answer(&self, query: CallbackQueryId, alert: Option<String>) {
        let mut request = self.bot.answer_callback_query(query);
        if let Some(text) = alert {
            request = request.text(plain(&text, LONGEST_ALERT)).show_alert(true);
        }
        self.once("answer", None, ANSWERED_WITHIN, request.into_future()).await;
    }

    /// Makes one try, and waits no longer for its answer.
    async fn once<T>(
        &self,
        what: &str,
        chat: Option<ChatId>,
        longest: Duration,
        request: impl Future<Output = Result<T, RequestError>>,
    ) -> Option<T> {
        match self.answered(longest, request).await {
            Some(Ok(answer)) => return Some(answer),
            Some(Err(error)) => {
                log(what, &error);
                if let (RequestError::RetryAfter(seconds), Some(chat)) = (error, chat) {
                    self.note_ban(chat, seconds.duration());
                }
            }
            None => log_silence(what),
        }
        None
    }

    /// An answer that comes within that time, and soon where the bot stops.
    async fn answered<T>(&self, longest: Duration, request: impl Future<Output = T>) -> Option<T> {
        let mut answer = pin!(tokio::time::timeout(longest, request));
        let answer = match self.stop.run_until_cancelled(answer.as_mut()).await {
            Some(answer) => answer,
            None => tokio::time::timeout(LAST_WORD, answer).await.ok()?,
        };
        answer.ok()
    }

    /// How long Telegram wants to hear nothing for a chat.
    fn ban(&self, chat: ChatId) -> Option<Duration> {
        let mut bans = self.bans.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        bans.retain(|_, end| *end > now);
        bans.get(&chat).map(|end| *end - now)
    }

    fn note_ban(&self, chat: ChatId, wait: Duration) {
        let mut bans = self.bans.lock().unwrap_or_else(PoisonError::into_inner);
        let end = Instant::now() + wait;
        // a shorter one ends no longer one
        bans.entry(chat).and_modify(|known| *known = end.max(*known)).or_insert(end);
    }

    /// Tries again with growing pauses, as long as it may help and nothing newer takes that place.
    async fn persist<F>(
        &self,
        what: &str,
        patience: Patience,
        chat: ChatId,
        edit: Option<&Edit>,
        mut attempt: impl FnMut() -> F,
    ) -> Fate
    where
        F: Future<Output = Result<MessageId, RequestError>>,
    {
        let Patience { tries, longest_pause, longest } = patience;
        let end = Instant::now() + longest;
        let (mut pause, mut left) = (FIRST_PAUSE, tries);
        while edit.is_none_or(Edit::is_newest) {
            let wait = match self.ban(chat) {
                Some(wait) => wait,
                None => match self.answered(ANSWERED_WITHIN, attempt()).await {
                    Some(Ok(_)) => return Fate::Arrived,
                    Some(Err(error)) => {
                        log(what, &error);
                        match self.after(chat, error, pause) {
                            Fate::Later(wait) => wait,
                            fate => return fate,
                        }
                    }
                    None => {
                        log_silence(what);
                        pause
                    }
                },
            };
            if let Some(edit) = edit {
                edit.mark.store(true, Ordering::Relaxed);
            }
            left = left.saturating_sub(1);
            if left == 0 || Instant::now() + wait > end {
                return Fate::Later(wait);
            }
            if self.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return Fate::Lost;
            }
            pause = (pause * 2).min(longest_pause);
        }
        Fate::Lost
    }

    /// What an error makes of a message.
    fn after(&self, chat: ChatId, error: RequestError, pause: Duration) -> Fate {
        match error {
            RequestError::RetryAfter(seconds) => {
                self.note_ban(chat, seconds.duration());
                Fate::Later(seconds.duration())
            }
            RequestError::Api(error) if is_final(&error) => Fate::Lost,
            RequestError::MigrateToChatId(_) => Fate::Lost,
            // it was taken; only the answer is one that teloxide does not know
            RequestError::InvalidJson { raw, .. } if was_taken(&raw) => Fate::Arrived,
            _ => Fate::Later(pause),
        }
    }

    async fn send_once(&self, chat: ChatId, message: &Message) -> Result<MessageId, RequestError> {
        match self.send_text(chat, &message.html, message.keyboard.as_ref(), true).await {
            Err(RequestError::Api(error)) if is_our_text(&error) => {
                let plain = plain(&message.html, LONGEST_PLAIN);
                self.send_text(chat, &plain, message.keyboard.as_ref(), false).await
            }
            outcome => outcome,
        }
    }

    async fn send_text(
        &self,
        chat: ChatId,
        text: &str,
        keyboard: Option<&InlineKeyboardMarkup>,
        html: bool,
    ) -> Result<MessageId, RequestError> {
        let mut request = self.bot.send_message(chat, text).link_preview_options(no_preview());
        if html {
            request = request.parse_mode(ParseMode::Html);
        }
        if let Some(keyboard) = keyboard {
            request = request.reply_markup(keyboard.clone());
        }
        request.await.map(|sent| sent.id)
    }

    async fn edit_or_send(
        &self,
        chat: ChatId,
        old: MessageId,
        message: &Message,
    ) -> Result<MessageId, RequestError> {
        match self.edit_once(chat, old, message).await {
            Err(RequestError::Api(ApiError::MessageNotModified)) => Ok(old),
            // the old message is gone or too old: the news matters more than its place
            Err(RequestError::Api(error)) if is_final(&error) => {
                self.send_once(chat, message).await
            }
            outcome => outcome,
        }
    }

    async fn edit_once(
        &self,
        chat: ChatId,
        old: MessageId,
        message: &Message,
    ) -> Result<MessageId, RequestError> {
        match self.edit_text(chat, old, &message.html, message.keyboard.as_ref(), true).await {
            Err(RequestError::Api(error)) if is_our_text(&error) => {
                let plain = plain(&message.html, LONGEST_PLAIN);
                self.edit_text(chat, old, &plain, message.keyboard.as_ref(), false).await
            }
            outcome => outcome,
        }
    }

    async fn edit_text(
        &self,
        chat: ChatId,
        old: MessageId,
        text: &str,
        keyboard: Option<&InlineKeyboardMarkup>,
        html: bool,
    ) -> Result<MessageId, RequestError> {
        let mut request =
            self.bot.edit_message_text(chat, old, text).link_preview_options(no_preview());
        if html {
            request = request.parse_mode(ParseMode::Html);
        }
        if let Some(keyboard) = keyboard {
            request = request.reply_markup(keyboard.clone());
        }
        request.await.map(|edited| edited.id)
    }
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// Whether Telegram will say the same next time: it begins what the request is to blame for with the
/// name of a 4xx status, and teloxide gives an ailing server's answer as an unknown error.
fn is_final(error: &ApiError) -> bool {
    const REFUSALS: [&str; 5] =
        ["Bad Request", "Forbidden", "Unauthorized", "Not Found", "Conflict"];
    match error {
        ApiError::Unknown(text) => REFUSALS.iter().any(|refusal| text.starts_with(refusal)),
        _ => true,
    }
}

/// Whether an answer that teloxide cannot read says «ok»: the error page of a gateway does not.
fn was_taken(raw: &str) -> bool {
    let answer: Result<serde_json::Value, _> = serde_json::from_str(raw);
    answer.is_ok_and(|answer| answer.get("ok") == Some(&true.into()))
}

/// Errors that another form of the same text mends: a host's own texts may be broken HTML.
fn is_our_text(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::CantParseEntities(_)
            | ApiError::MessageTextIsEmpty
            | ApiError::MessageIsTooLong
            | ApiError::EditedMessageIsTooLong
            | ApiError::RequestEntityTooLarge
    )
}

/// The text without its markup, short enough for anything.
fn plain(html: &str, longest: usize) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for symbol in html.chars() {
        match symbol {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            symbol => text.push(symbol),
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    // Telegram counts in UTF-16
    let mut left = longest;
    let fits = |symbol: &char| {
        let units = symbol.len_utf16();
        let fits = units <= left;
        left = left.saturating_sub(units);
        fits
    };
    let cut: String = text.chars().take_while(fits).collect();
    if cut.trim().is_empty() { "…".to_owned() } else { cut }
}

fn log_silence(what: &str) {
    tracing::warn!(what, "Telegram does not answer");
}

fn log_file(reason: impl fmt::Display) {
    tracing::warn!(%reason, "Telegram did not give a file");
}

/// Says what Telegram refused, without the token and without the text.
fn log(what: &str, error: &RequestError) {
    if let RequestError::InvalidJson { source, .. } = error {
        // the error itself shows the whole answer, and with it the message; so does its source in part
        let (line, column) = (source.line(), source.column());
        tracing::warn!(what, line, column, "Telegram's answer cannot be read");
    } else {
        tracing::warn!(what, %error, "Telegram did not take a message");
    }
}

#[cfg(test)]
mod tests;
