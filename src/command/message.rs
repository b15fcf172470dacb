//! What is read in a terminal: data in, lines out.

use chrono::NaiveDateTime;

use crate::backup::{BackupInfo, Counts, Trigger};
use crate::error::{Error, ErrorKind};
use crate::service::{
    Cause, Difference, Doubt, Fewer, Inspection, Journal, Listed, Page, Report, RestoreFailed,
    Restored, Undo,
};
use crate::text::{Text, Value};

pub(super) fn usage(text: &Text, program: &str) -> String {
    text.say("command-usage", &[("program", Value::Text(program))])
}

pub(super) fn unknown(text: &Text, word: &str) -> String {
    text.say("command-unknown", &[("word", Value::Text(word))])
}

pub(super) fn no_file(text: &Text) -> String {
    text.say("command-no-file", &[])
}

pub(super) fn backup_done(text: &Text, report: &Report) -> String {
    text.say("command-backup-done", &[("path", Value::Text(&report.path))])
}

pub(super) fn backup_failed(text: &Text, error: &Error) -> String {
    because(text, "command-backup-failed", error)
}

pub(super) fn uncleaned(text: &Text, error: &Error) -> String {
    because(text, "command-uncleaned", error)
}

pub(super) fn no_backups(text: &Text) -> String {
    text.say("command-no-backups", &[])
}

pub(super) fn list_failed(text: &Text, error: &Error) -> String {
    because(text, "command-list-failed", error)
}

/// A line of the list: the name comes first, so that a script finds it.
pub(super) fn line(text: &Text, line: &Listed, page: &Page) -> String {
    match line {
        Listed::Good(info) => {
            let name = info.id.to_string();
            let (size, records) = (text.size(info.size_bytes), text.listed_records(&info.counts));
            let line = columns(&name, &size, &iso(info.created_at), &records);
            if let Some(until) = page.unchanged_until(&info.id).map(iso) {
                let values = [("until", Value::Raw(until.as_str()))];
                format!("{line}  {}", text.say("command-list-unchanged", &values))
            } else if info.trigger == Some(Trigger::BeforeRestore) {
                format!("{line}  {}", text.say("command-list-safety", &[]))
            } else {
                line
            }
        }
        Listed::Damaged { id, size_bytes, error } => {
            let state = reason(text, error);
            columns(&id.to_string(), &text.size(*size_bytes), &iso(id.stamp()), &state)
        }
    }
}

fn columns(name: &str, size: &str, created: &str, rest: &str) -> String {
    // the second backup of a second has the longer name
    format!("{name:<28}  {size:>9}  {created}  {rest}")
}

pub(super) fn verified(text: &Text, name: &str, info: &BackupInfo) -> String {
    let records = text.records(&info.counts);
    let values = [("name", Value::Text(name)), ("records", Value::Raw(&records))];
    text.say("command-verified", &values)
}

pub(super) fn unfit(text: &Text, name: &str, error: &Error) -> String {
    let reason = reason(text, error);
    text.say("command-unfit", &[("name", Value::Text(name)), ("reason", Value::Raw(&reason))])
}

pub(super) fn confirm(text: &Text, name: &str, inspection: &Inspection) -> String {
    let info = &inspection.info;
    let values = [
        ("name", Value::Text(name)),
        ("size", Value::Raw(&text.size(info.size_bytes))),
        ("created", Value::Raw(&iso(info.created_at))),
        ("archived", Value::Raw(&text.records(&info.counts))),
    ];
    let mut lines = vec![text.say("command-confirm", &values)];
    lines.extend(inspection.live.iter().map(|live| {
        text.say("command-confirm-live", &[("live", Value::Raw(&text.records(live)))])
    }));
    lines.extend(counted(text, "confirm-unknown", &inspection.unknown));
    if inspection.live.is_err() {
        lines.push(text.say("command-confirm-unreadable", &[]));
    }
    let missing = inspection.missing();
    let id = if missing.renamed { "confirm-renamed" } else { "confirm-untouched" };
    lines.extend(counted(text, id, &missing.counts));
    lines.extend(inspection.fewer().map(|Fewer { archived, live, perhaps }| {
        let values = [("archived", Value::Number(archived)), ("live", Value::Number(live))];
        text.say(if perhaps { "confirm-fewer-perhaps" } else { "confirm-fewer" }, &values)
    }));
    if inspection.foreign {
        lines.push(text.say("confirm-foreign", &[]));
    }
    lines.push(text.say("command-confirm-question", &[]));
    lines.join("\n")
}

pub(super) fn unsaved(text: &Text, error: &Error) -> String {
    text.say("command-unsaved", &[("detail", Value::Text(&error.chain()))])
}

pub(super) fn no_screen(text: &Text) -> String {
    text.say("command-no-screen", &[])
}

pub(super) fn cancelled(text: &Text) -> String {
    text.say("command-cancelled", &[])
}

pub(super) fn restore_done(text: &Text, program: &str, name: &str, restored: &Restored) -> String {
    let records = text.records(&restored.info.counts);
    let values = [("name", Value::Text(name)), ("records", Value::Raw(&records))];
    let mut lines = match &restored.doubt {
        None => vec![text.say("command-restore-done", &values)],
        Some(doubt) => doubtful(text, name, doubt),
    };
    let missing = if restored.missing.renamed { "restore-renamed" } else { "restore-untouched" };
    lines.extend(counted(text, missing, &restored.missing.counts));
    lines.extend(counted(text, "restore-unknown", &restored.unknown));
    lines.extend(way_back(text, program, restored.undo.as_ref()));
    lines.join("\n")
}

/// It is done, but nobody can say that it is right.
fn doubtful(text: &Text, name: &str, doubt: &Doubt) -> Vec<String> {
    let mut lines = vec![text.say("command-restore-doubtful", &[("name", Value::Text(name))])];
    match &doubt.found {
        Ok(difference) => lines.extend(differing(text, "difference-counts", difference)),
        Err(error) => {
            let detail = error.chain();
            let values = [("detail", Value::Text(detail.as_str()))];
            let of_data = doubt.is_of_the_data();
            let id = if of_data { "command-restore-unreadable" } else { "command-restore-unread" };
            lines.push(text.say(id, &values));
        }
    }
    lines.push(match doubt.cause {
        Cause::Written => text.say("doubt-written", &[]),
        Cause::Origin => text.say("doubt-origin", &[]),
        Cause::Chosen => text.say("doubt-chosen", &[]),
        Cause::NoWayBack => text.say("doubt-no-way-back", &[]),
    });
    lines
}

fn differing(text: &Text, counts: &str, difference: &Difference) -> Vec<String> {
    let Difference { archived, live, altered } = difference;
    let mut lines = Vec::new();
    if !archived.is_empty() {
        let (archived, live) = (text.records(archived), text.records(live));
        let values = [("archived", Value::Raw(&archived)), ("live", Value::Raw(&live))];
        lines.push(text.say(counts, &values));
    }
    lines.extend(counted(text, "difference-contents", altered));
    lines
}

/// All is as it was, since the restore left something else than the backup holds.
fn rolled_back(
    text: &Text,
    program: &str,
    failed: &RestoreFailed,
    difference: &Difference,
) -> String {
    let mut lines = if *difference == Difference::default() {
        let detail = failed.error.chain();
        let of_data = failed.is_of_the_data();
        let id =
            if of_data { "command-rolled-back-unreadable" } else { "command-rolled-back-unread" };
        vec![text.say(id, &[("detail", Value::Text(&detail))])]
    } else {
        vec![text.say("command-rolled-back", &[])]
    };
    lines.extend(differing(text, "rolled-back-counts", difference));
    if failed.is_of_the_data() {
        lines.push(text.say("command-rolled-back-advice", &[]));
    }
    let left = failed.undo.as_deref().and_then(Undo::safety);
    lines.extend(left.map(|left| {
        let left = left.to_string();
        let values = [("program", Value::Text(program)), ("safety", Value::Raw(&left))];
        text.say("command-rolled-back-left", &values)
    }));
    lines.join("\n")
}

pub(super) fn restore_failed(text: &Text, program: &str, failed: &RestoreFailed) -> String {
    if let Some(difference) = &failed.rolled_back {
        return rolled_back(text, program, failed, difference);
    }
    if failed.cut_off.is_none() {
        return because(text, "command-restore-failed", &failed.error);
    }
    let mut lines = vec![because(text, "command-restore-unclear", &failed.error)];
    lines.extend(way_back(text, program, failed.undo.as_deref()));
    lines.join("\n")
}

pub(super) fn interrupted(text: &Text, program: &str, interrupted: &Journal) -> String {
    let name = Value::Text(&interrupted.restored);
    let mut lines = vec![text.say("command-interrupted", &[("name", name)])];
    lines.extend(way_back(text, program, interrupted.undo.as_ref()));
    lines.join("\n")
}

/// The command line that brings back what was live before a restore.
fn way_back(text: &Text, program: &str, undo: Option<&Undo>) -> Option<String> {
    let safety = undo?.safety()?.to_string();
    let values = [("program", Value::Text(program)), ("safety", Value::Raw(&safety))];
    Some(text.say("command-way-back", &values))
}

fn counted(text: &Text, id: &str, counts: &Counts) -> Option<String> {
    let line = || text.say(id, &[("records", Value::Raw(&text.records(counts)))]);
    (!counts.is_empty()).then(line)
}

fn because(text: &Text, id: &str, error: &Error) -> String {
    text.say(id, &[("reason", Value::Raw(&reason(text, error)))])
}

/// What went wrong, and what to do about it.
fn reason(text: &Text, error: &Error) -> String {
    let id = match error.kind() {
        ErrorKind::Busy => "command-error-busy",
        ErrorKind::NotFound => "command-error-not-found",
        ErrorKind::Source => "command-error-source",
        ErrorKind::Damaged => "command-error-damaged",
        ErrorKind::UnknownVersion => "command-error-unknown-version",
        ErrorKind::Incompatible => "command-error-incompatible",
        ErrorKind::TooLarge => "command-error-too-large",
        ErrorKind::Changed => "command-error-changed",
        ErrorKind::StorageFull => "command-error-storage-full",
        ErrorKind::AccessDenied => "command-error-access-denied",
        ErrorKind::Storage | ErrorKind::Config | ErrorKind::Internal => "command-error-storage",
    };
    text.say(id, &[("detail", Value::Text(&error.chain()))])
}

fn iso(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
