//! What the administrator reads of an undo, and the buttons that lead back.

use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::doubt::doubtful;
use super::{Message, because, button, restore_failed};
use crate::chat::button::Button;
use crate::error::ErrorKind;
use crate::service::{RestoreFailed, Restored, Undo};
use crate::text::{Text, Value};

pub(crate) fn undo_started(text: &Text, undo: &Undo) -> Message {
    let html = text.say(of_undo(undo, ["undo-started", "redo-started", "keep-started"]), &[]);
    Message { html, keyboard: Some(undo_button(text, undo)) }
}

/// The words for an undo, for what takes one back, and for who wants what a restore has left.
fn of_undo<'w>(undo: &Undo, [undo_words, redo_words, keep_words]: [&'w str; 3]) -> &'w str {
    match (undo.kept, undo.again) {
        (true, _) => keep_words,
        (false, true) => redo_words,
        (false, false) => undo_words,
    }
}

pub(crate) fn undo_done(text: &Text, undo: &Undo, restored: &Restored) -> Message {
    if let Some(doubt) = &restored.doubt {
        return doubtful(text, restored, doubt);
    }
    let records = text.records(&restored.info.counts);
    let id = of_undo(undo, ["undo-done", "redo-done", "keep-done"]);
    let html = text.say(id, &[("records", Value::Raw(&records))]);
    let keyboard = restored.undo.as_ref().map(|undo| undo_button(text, undo));
    Message { html, keyboard }
}

pub(crate) fn undo_failed(text: &Text, undo: &Undo, failed: &RestoreFailed) -> Message {
    if failed.cut_off.is_some() || failed.rolled_back.is_some() {
        return with_another_try(text, undo, restore_failed(text, failed));
    }
    let Some(open) = failed.undo.as_deref() else { return text.say("undo-closed", &[]).into() };
    let lost = [ErrorKind::NotFound, ErrorKind::Damaged, ErrorKind::Changed, ErrorKind::TooLarge];
    if !failed.unsaved && lost.contains(&failed.error.kind()) {
        // what the button leads to is gone
        return because(text, "restore-failed", &failed.error);
    }
    let id = of_undo(undo, ["undo-failed", "redo-failed", "redo-failed"]);
    Message { keyboard: Some(undo_button(text, open)), ..because(text, id, &failed.error) }
}

/// Whatever an undo has come to, its own way is open as before.
fn with_another_try(text: &Text, undo: &Undo, mut message: Message) -> Message {
    message.add_ways(text, [way_button(text.say("button-again", &[]), undo)]);
    message
}

/// What a press answers in plain text, while nobody can tell where it leads.
pub(crate) fn undo_unread(text: &Text) -> String {
    text.say("undo-unread", &[])
}

pub(super) fn undo_button(text: &Text, undo: &Undo) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([[way_button(undo_label(text, undo), undo)]])
}

/// A button for each of these ways back.
pub(crate) fn ways(text: &Text, ways: &[Undo]) -> Vec<InlineKeyboardButton> {
    ways.iter().map(|undo| way_button(undo_label(text, undo), undo)).collect()
}

fn way_button(label: String, undo: &Undo) -> InlineKeyboardButton {
    button(label, &Button::Undo(undo.token.clone()))
}

pub(super) fn undo_label(text: &Text, undo: &Undo) -> String {
    let label = match undo {
        Undo { kept: true, .. } => "button-keep",
        Undo { again: true, .. } => "button-redo",
        _ => "button-undo",
    };
    text.say(label, &[])
}
