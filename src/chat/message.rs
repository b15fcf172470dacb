//! What the administrator reads: data in, text and keyboard out.

mod doubt;
mod undo;

use chrono::NaiveDateTime;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::button::Button;
use crate::backup::{BackupId, Counts, Trigger};
use crate::error::{Error, ErrorKind};
use crate::service::{
    Ailment, Fewer, Inspection, Journal, Listed, Page, Report, RestoreFailed, Restored, Undo,
    anothers,
};
use crate::text::{Text, Value};
use doubt::{doubtful, rolled_back};
use undo::{undo_button, undo_label};
pub(crate) use undo::{undo_done, undo_failed, undo_started, undo_unread, ways};

/// A message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) html: String,
    pub(crate) keyboard: Option<InlineKeyboardMarkup>,
}

impl From<String> for Message {
    fn from(html: String) -> Self {
        Self { html, keyboard: None }
    }
}

impl Message {
    /// The tokens of the confirmations that it asks for.
    pub(crate) fn confirmations(&self) -> Vec<String> {
        let rows = self.keyboard.iter().flat_map(|keyboard| &keyboard.inline_keyboard);
        let token = |button: &InlineKeyboardButton| match Button::of(button)? {
            Button::Yes(token) => Some(token),
            _ => None,
        };
        rows.flatten().filter_map(token).collect()
    }

    /// Adds ways back, a row each, but for those that it has; no two buttons have one name.
    pub(crate) fn add_ways(
        &mut self,
        text: &Text,
        ways: impl IntoIterator<Item = InlineKeyboardButton>,
    ) {
        for mut way in ways {
            let rows = &mut self.keyboard.get_or_insert_default().inline_keyboard;
            if rows.iter().flatten().any(|known| known.kind == way.kind) {
                continue;
            }
            let own = way.text.clone();
            let numbered = (2..100).map(|number| format!("{own} {number}"));
            let names = [own.clone(), label(text.say("button-again", &[]))].into_iter();
            let is_free = |name: &String| rows.iter().flatten().all(|known| known.text != *name);
            way.text = names.chain(numbered).find(is_free).unwrap_or(own);
            rows.push(vec![way]);
        }
    }
}

/// What `/backup_settings` shows.
#[derive(Clone, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) enabled: bool,
    pub(crate) days: u64,
    pub(crate) folder: &'a str,
    pub(crate) keep: usize,
    pub(crate) last: Option<NaiveDateTime>,
    /// Until when the data were found the same since then.
    pub(crate) unchanged: Option<NaiveDateTime>,
    pub(crate) next: Next,
    pub(crate) file: Option<&'a str>,
}

/// When the next backup comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    At(NaiveDateTime),
    Soon,
    /// The schedule is switched off.
    Off,
    /// The host never started it.
    NotStarted,
    /// Another program of this bot makes it.
    Elsewhere,
}

pub(crate) fn backup_started(text: &Text) -> Message {
    text.say("backup-started", &[]).into()
}

pub(crate) fn backup_done(text: &Text, report: &Report) -> Message {
    let done = text.say("backup-done", &[("path", Value::Text(&report.path))]);
    with_cleanup(text, done, report)
}

pub(crate) fn backup_failed(text: &Text, error: &Error) -> Message {
    because(text, "backup-failed", error)
}

pub(crate) fn backup_cut_off(text: &Text, since: NaiveDateTime) -> Message {
    text.say("backup-cut-off", &[("since", Value::Raw(&iso(since)))]).into()
}

pub(crate) fn words_unsaid(text: &Text, name: &str) -> Message {
    text.say("words-unsaid", &[("name", Value::Text(name))]).into()
}

pub(crate) fn scheduled_done(text: &Text, report: &Report, recovered: bool) -> Message {
    let values = [
        ("path", Value::Text(&report.path)),
        ("size", Value::Raw(&text.size(report.info.size_bytes))),
        ("records", Value::Raw(&text.listed_records(&report.info.counts))),
        ("created", Value::Raw(&iso(report.info.created_at))),
    ];
    let unchanged = report.unchanged.is_some();
    let id = if unchanged { "scheduled-unchanged" } else { "scheduled-done" };
    let mut html = text.say(id, &values);
    if recovered {
        html = format!("{}\n\n{html}", text.say("scheduled-recovered", &[]));
    }
    with_cleanup(text, html, report)
}

pub(crate) fn scheduled_failed(text: &Text, error: &Error) -> Message {
    because(text, "scheduled-failed", error)
}

pub(crate) fn scheduled_still_failing(text: &Text, since: NaiveDateTime, error: &Error) -> Message {
    let (since, reason) = (iso(since), text.reason(error));
    let values = [("since", Value::Raw(&since)), ("reason", Value::Raw(&reason))];
    text.say("scheduled-still-failing", &values).into()
}

pub(crate) fn scheduled_resumed(text: &Text) -> Message {
    text.say("scheduled-recovered", &[]).into()
}

pub(crate) fn scheduled_stuck(text: &Text) -> Message {
    text.say("scheduled-stuck", &[]).into()
}

pub(crate) fn standing_by(text: &Text) -> Message {
    text.say("standing-by", &[]).into()
}

fn with_cleanup(text: &Text, html: String, report: &Report) -> Message {
    let Some(error) = &report.cleanup else { return html.into() };
    format!("{html}\n\n{}", because(text, "cleanup-failed", error).html).into()
}

fn because(text: &Text, id: &str, error: &Error) -> Message {
    text.say(id, &[("reason", Value::Raw(&text.reason(error)))]).into()
}

pub(crate) fn list(text: &Text, page: &Page) -> Message {
    if page.lines.is_empty() {
        return text.say("list-empty", &[]).into();
    }
    let mut parts = vec![text.say("list-title", &[])];
    let mut rows = Vec::new();
    for (index, line) in page.lines.iter().enumerate() {
        let number = (page.number * page.size + index + 1) as u64;
        parts.push(entry(text, number, line, page));
        rows.push(vec![entry_button(text, number, line)]);
    }
    if page.pages > 1 {
        let values = [
            ("page", Value::Number(page.number as u64 + 1)),
            ("pages", Value::Number(page.pages as u64)),
        ];
        parts.push(text.say("list-page", &values));
        rows.push(turn_buttons(text, page));
    }
    Message { html: parts.join("\n\n"), keyboard: Some(InlineKeyboardMarkup::new(rows)) }
}

fn entry(text: &Text, number: u64, line: &Listed, page: &Page) -> String {
    match line {
        Listed::Good(info) => {
            let values = [
                ("number", Value::Number(number)),
                ("name", Value::Raw(&info.id.to_string())),
                ("size", Value::Raw(&text.size(info.size_bytes))),
                ("created", Value::Raw(&iso(info.created_at))),
                ("records", Value::Raw(&text.listed_records(&info.counts))),
            ];
            let mut entry = vec![text.say("list-entry", &values)];
            if info.trigger == Some(Trigger::BeforeRestore) {
                entry.push(text.say("list-entry-safety", &[]));
            }
            if let Some(until) = page.unchanged_until(&info.id) {
                let values = [("until", Value::Raw(&iso(until)))];
                entry.push(text.say("list-entry-unchanged", &values));
            }
            if anothers(info.bot_id, page.bot_id) {
                entry.push(text.say("list-entry-foreign", &[]));
            }
            entry.join("\n")
        }
        Listed::Damaged { id, size_bytes, error } => {
            let values = [
                ("number", Value::Number(number)),
                ("name", Value::Raw(&id.to_string())),
                ("size", Value::Raw(&text.size(*size_bytes))),
                ("state", Value::Raw(&state(text, error))),
            ];
            text.say("list-entry-damaged", &values)
        }
    }
}

/// Why a backup in the list is none that can be restored, in a few words.
fn state(text: &Text, error: &Error) -> String {
    match error.kind() {
        ErrorKind::Damaged => text.say("state-damaged", &[]),
        ErrorKind::TooLarge => text.say("state-too-large", &[]),
        ErrorKind::UnknownVersion => {
            text.say("state-unknown-version", &[("version", Value::Text(&error.to_string()))])
        }
        _ => text.say("state-unreadable", &[]),
    }
}

fn entry_button(text: &Text, number: u64, line: &Listed) -> InlineKeyboardButton {
    let (id, label, created) = match line {
        Listed::Good(info) => (&info.id, "button-backup", info.created_at),
        Listed::Damaged { id, .. } => (id, "button-damaged", id.stamp()),
    };
    let created = created.format("%Y-%m-%d %H:%M").to_string();
    let values = [("number", Value::Number(number)), ("created", Value::Raw(&created))];
    button(text.say(label, &values), &Button::Show(id.clone()))
}

fn turn_buttons(text: &Text, page: &Page) -> Vec<InlineKeyboardButton> {
    let mut row = Vec::new();
    if page.number > 0 {
        row.push(button(text.say("button-previous", &[]), &Button::Page(page.number - 1)));
    }
    if page.number + 1 < page.pages {
        row.push(button(text.say("button-next", &[]), &Button::Page(page.number + 1)));
    }
    row
}

pub(crate) fn list_failed(text: &Text, error: &Error) -> Message {
    because(text, "list-failed", error)
}

pub(crate) fn inspect_started(text: &Text, id: &BackupId) -> Message {
    named(text, "inspect-started", id)
}

pub(crate) fn inspect_failed(text: &Text, id: &BackupId, error: &Error) -> Message {
    let values =
        [("name", Value::Raw(&id.to_string())), ("reason", Value::Raw(&text.reason(error)))];
    let mut keyboard = back_to_list(text);
    if error.kind() != ErrorKind::NotFound {
        // by hand something of it may be saved
        let download = button(text.say("button-download", &[]), &Button::Download(id.clone()));
        keyboard.inline_keyboard.insert(0, vec![download]);
    }
    Message { html: text.say("inspect-failed", &values), keyboard: Some(keyboard) }
}

fn named(text: &Text, message: &str, id: &BackupId) -> Message {
    text.say(message, &[("name", Value::Raw(&id.to_string()))]).into()
}

pub(crate) fn confirm(text: &Text, inspection: &Inspection, token: &str) -> Message {
    let info = &inspection.info;
    let values = [
        ("name", Value::Raw(&info.id.to_string())),
        ("size", Value::Raw(&text.size(info.size_bytes))),
        ("created", Value::Raw(&iso(info.created_at))),
        ("archived", Value::Raw(&text.records(&compared(text, &info.counts, &inspection.live)))),
    ];
    let mut html = text.say("confirm", &values);
    if let Ok(live) = &inspection.live {
        let archived = Ok(info.counts.clone());
        let live = text.records(&compared(text, live, &archived));
        html = format!("{html}\n{}", text.say("confirm-live", &[("live", Value::Raw(&live))]));
    }
    let mut parts = vec![html];
    parts.extend(counted(text, "confirm-unknown", &inspection.unknown));
    if inspection.foreign {
        parts.push(text.say("confirm-foreign", &[]));
    }
    match &inspection.live {
        Ok(_) => parts.extend(comparison(text, inspection)),
        Err(error) => {
            let detail = error.chain();
            parts.push(text.say("confirm-unreadable", &[("detail", Value::Text(&detail))]));
        }
    }
    parts.push(text.say("confirm-expiry", &[]));
    let keyboard = InlineKeyboardMarkup::new([
        vec![button(text.say("button-yes", &[]), &Button::Yes(token.to_owned()))],
        vec![button(text.say("button-no", &[]), &Button::No(token.to_owned()))],
        vec![button(text.say("button-download", &[]), &Button::Download(info.id.clone()))],
    ]);
    Message { html: parts.join("\n\n"), keyboard: Some(keyboard) }
}

/// The counts of the sections in which two sides differ, and of those that the list shows.
fn compared(text: &Text, counts: &Counts, others: &Result<Counts, Error>) -> Counts {
    let Ok(others) = others else { return counts.clone() };
    counts.only(|name, count| text.lists(name) || others.get(name) != Some(count))
}

/// What a restore does to what is live.
fn comparison(text: &Text, inspection: &Inspection) -> Vec<String> {
    let missing = inspection.missing();
    let id = if missing.renamed { "confirm-renamed" } else { "confirm-untouched" };
    let mut lines: Vec<String> = counted(text, id, &missing.counts).collect();
    lines.extend(inspection.fewer().map(|fewer| fewer_left(text, fewer)));
    lines.push(text.say("confirm-promise", &[]));
    lines
}

/// A line that names some records; none where there are none.
fn counted<'t>(
    text: &'t Text,
    id: &'t str,
    counts: &'t Counts,
) -> impl Iterator<Item = String> + 't {
    let line = || text.say(id, &[("records", Value::Raw(&text.records(counts)))]);
    (!counts.is_empty()).then(line).into_iter()
}

fn fewer_left(text: &Text, fewer: Fewer) -> String {
    let values = [("archived", Value::Number(fewer.archived)), ("live", Value::Number(fewer.live))];
    text.say(if fewer.perhaps { "confirm-fewer-perhaps" } else { "confirm-fewer" }, &values)
}

/// The question that follows a yes to far fewer records. Its yes is not where that one was, for who
/// taps twice.
pub(crate) fn confirm_again(text: &Text, id: &BackupId, fewer: Fewer, token: &str) -> Message {
    let parts = [
        named(text, "confirm-again", id).html,
        fewer_left(text, fewer),
        text.say("confirm-promise", &[]),
        text.say("confirm-expiry", &[]),
    ];
    let keyboard = InlineKeyboardMarkup::new([
        vec![button(text.say("button-no", &[]), &Button::No(token.to_owned()))],
        vec![button(text.say("button-yes", &[]), &Button::Yes(token.to_owned()))],
        vec![button(text.say("button-download", &[]), &Button::Download(id.clone()))],
    ]);
    Message { html: parts.join("\n\n"), keyboard: Some(keyboard) }
}

pub(crate) fn download_refused(text: &Text, path: &str) -> Message {
    text.say("download-refused", &[("path", Value::Text(path))]).into()
}

/// Below a file that Telegram gives back to no bot.
pub(crate) fn download_one_way(text: &Text, folder: &str) -> Message {
    text.say("download-one-way", &[("folder", Value::Text(folder))]).into()
}

pub(crate) fn download_too_large(text: &Text, path: &str) -> Message {
    text.say("download-too-large", &[("path", Value::Text(path))]).into()
}

pub(crate) fn download_failed(text: &Text, error: &Error) -> Message {
    because(text, "download-failed", error)
}

pub(crate) fn receive_help(text: &Text, folder: &str) -> Message {
    text.say("receive-help", &[("folder", Value::Text(folder))]).into()
}

pub(crate) fn receive_started(text: &Text) -> Message {
    text.say("receive-started", &[]).into()
}

pub(crate) fn receive_too_large(text: &Text, folder: &str) -> Message {
    text.say("receive-too-large", &[("folder", Value::Text(folder))]).into()
}

pub(crate) fn receive_refused(text: &Text) -> Message {
    text.say("receive-refused", &[]).into()
}

pub(crate) fn receive_failed(text: &Text, error: &Error) -> Message {
    let unfit = [
        ErrorKind::Damaged,
        ErrorKind::UnknownVersion,
        ErrorKind::Incompatible,
        ErrorKind::TooLarge,
    ];
    // the file may be good, where the trouble is ours
    let id = if unfit.contains(&error.kind()) { "receive-unfit" } else { "receive-failed" };
    because(text, id, error)
}

/// The question that follows once an archive was taken in.
pub(crate) fn received(text: &Text, id: &BackupId, question: Message) -> Message {
    let received = named(text, "received", id).html;
    Message { html: format!("{received}\n\n{}", question.html), ..question }
}

pub(crate) fn restore_cancelled(text: &Text) -> Message {
    let html = text.say("restore-cancelled", &[]);
    Message { html, keyboard: Some(back_to_list(text)) }
}

pub(crate) fn restore_started(text: &Text, id: &BackupId) -> Message {
    named(text, "restore-started", id)
}

pub(crate) fn restore_runs(text: &Text) -> Message {
    text.say("restore-runs", &[]).into()
}

pub(crate) fn restore_done(text: &Text, restored: &Restored) -> Message {
    if let Some(doubt) = &restored.doubt {
        return doubtful(text, restored, doubt);
    }
    let whole = restored.missing.counts.is_empty() && restored.unknown.is_empty();
    let id = if whole { "restore-done" } else { "restore-done-in-part" };
    let values = [
        ("name", Value::Raw(&restored.info.id.to_string())),
        ("records", Value::Raw(&text.records(&restored.info.counts))),
    ];
    let mut lines = vec![text.say(id, &values)];
    let missing = if restored.missing.renamed { "restore-renamed" } else { "restore-untouched" };
    lines.extend(counted(text, missing, &restored.missing.counts));
    lines.extend(counted(text, "restore-unknown", &restored.unknown));
    let keyboard = restored.undo.as_ref().map(|undo| undo_button(text, undo));
    Message { html: lines.join("\n"), keyboard }
}

pub(crate) fn restore_failed(text: &Text, failed: &RestoreFailed) -> Message {
    if let Some(difference) = &failed.rolled_back {
        return rolled_back(text, failed, difference);
    }
    if failed.cut_off.is_none() {
        return because(text, "restore-failed", &failed.error);
    }
    unclear(text, failed)
}

/// The source came to an end that nobody can tell: what is live may be anything.
fn unclear(text: &Text, failed: &RestoreFailed) -> Message {
    let id = if failed.is_of_the_place() { "restore-unclear-place" } else { "restore-unclear" };
    let message = because(text, id, &failed.error);
    let Some(undo) = &failed.undo else { return message };
    let way_back =
        text.say("restore-way-back", &[("button", Value::Text(&undo_label(text, undo)))]);
    let html = format!("{}\n\n{way_back}", message.html);
    Message { html, keyboard: Some(undo_button(text, undo)) }
}

pub(crate) fn interrupted(text: &Text, interrupted: &Journal) -> Message {
    let told = text.say("interrupted", &[("name", Value::Text(&interrupted.restored))]);
    let undo = interrupted.undo.as_ref();
    let advice = if undo.is_some() { "interrupted-way-back" } else { "interrupted-lost" };
    let html = format!("{told}\n\n{}", text.say(advice, &[]));
    Message { html, keyboard: undo.map(|undo| undo_button(text, undo)) }
}

/// While nobody could be told of it, nothing else is restored; the button of an undo stays.
pub(crate) fn untold(text: &Text, undo: Option<&Undo>) -> Message {
    let keyboard = undo.map_or_else(|| back_to_list(text), |undo| undo_button(text, undo));
    Message { html: text.say("interrupted-untold", &[]), keyboard: Some(keyboard) }
}

/// It was told just now; whoever presses again has read it.
pub(crate) fn just_told(text: &Text, undo: Option<&Undo>) -> Message {
    Message { html: text.say("interrupted-just-told", &[]), ..untold(text, undo) }
}

/// In the place of a question that Telegram has not taken for too long.
pub(crate) fn too_late(text: &Text) -> Message {
    Message { html: text.say("too-late", &[]), keyboard: Some(back_to_list(text)) }
}

pub(crate) fn settings(text: &Text, settings: &Settings<'_>) -> Message {
    let shown = |at: NaiveDateTime| at.format("%Y-%m-%d %H:%M:%S").to_string();
    let last = match (settings.last.map(shown), settings.unchanged.map(shown)) {
        (Some(last), Some(until)) => text.say(
            "settings-unchanged",
            &[("last", Value::Raw(&last)), ("until", Value::Raw(&until))],
        ),
        (last, _) => last.unwrap_or_else(|| text.say("settings-never", &[])),
    };
    let next = match settings.next {
        Next::At(at) => shown(at),
        Next::Soon => text.say("settings-soon", &[]),
        Next::Off => text.say("settings-off", &[]),
        Next::NotStarted => text.say("settings-not-started", &[]),
        Next::Elsewhere => text.say("settings-elsewhere", &[]),
    };
    let hint = match settings.file {
        Some(file) => text.say("settings-hint-file", &[("file", Value::Text(file))]),
        None => text.say("settings-hint-code", &[]),
    };
    let values = [
        ("enabled", Value::Raw(if settings.enabled { "✅" } else { "❌" })),
        ("days", Value::Number(settings.days)),
        ("folder", Value::Text(settings.folder)),
        ("keep", Value::Number(settings.keep as u64)),
        ("last", Value::Raw(&last)),
        ("next", Value::Raw(&next)),
        ("hint", Value::Raw(&hint)),
    ];
    text.say("settings", &values).into()
}

pub(crate) fn refusal(text: &Text) -> Message {
    text.say("refusal", &[]).into()
}

pub(crate) fn private_only(text: &Text) -> Message {
    text.say("private-only", &[]).into()
}

/// What is wrong with the notebook.
pub(crate) fn notebook(text: &Text, looked: Result<&Ailment, &Error>) -> Message {
    let id = match looked {
        Ok(Ailment::Damaged) => "notebook-damaged",
        Ok(Ailment::Newer) => "notebook-newer",
        Err(error) => return because(text, "notebook-unread", error),
    };
    text.say(id, &[]).into()
}

/// What a press on a dead button answers in plain text.
pub(crate) fn stale(text: &Text) -> String {
    text.say("stale", &[])
}

/// On a button whose message is to be replaced by an answer that Telegram has not taken yet.
pub(crate) fn pending(text: &Text) -> String {
    text.say("pending", &[])
}

fn back_to_list(text: &Text) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([[button(text.say("button-list", &[]), &Button::Page(0))]])
}

fn button(name: String, button: &Button) -> InlineKeyboardButton {
    InlineKeyboardButton::callback(label(name), button.encode())
}

/// Telegram takes no button without a word on it, nor the message that has one.
fn label(name: String) -> String {
    if name.trim().is_empty() { "…".to_owned() } else { name }
}

fn iso(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
