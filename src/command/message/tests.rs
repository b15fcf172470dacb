//! A snapshot of every text of the command line, in both languages, in `/snapshots`.

use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::backup::{BackupId, Missing};
use crate::text::snapshot;

const PROGRAM: &str = "clientbotmanager";
const NAME: &str = "backup_20260201_143025.zip";

fn assert(name: &str, write: impl Fn(&Text) -> String) {
    snapshot::assert(&format!("command_{name}"), |text| write(&text.plain()));
}

fn counts(tickets: u64, referrals: u64, reviews: u64) -> Counts {
    let all = [("tickets", tickets), ("referrals", referrals), ("reviews", reviews)];
    all.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn some(section: &str, count: u64) -> Counts {
    [(section.to_owned(), count)].into_iter().collect()
}

fn at(hour: u32, minute: u32, second: u32) -> NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(2026, 2, 1).expect("a date");
    date.and_hms_opt(hour, minute, second).expect("a time")
}

fn newest() -> BackupInfo {
    BackupInfo {
        id: BackupId::new(at(14, 30, 25), 1),
        size_bytes: 46_387,
        created_at: at(14, 30, 25),
        created_at_utc: None,
        trigger: Some(Trigger::Manual),
        bot_id: Some(1),
        counts: counts(12, 5, 5),
    }
}

fn undo() -> Undo {
    Undo {
        token: "0123456789abcdef0123456789abcdef".to_owned(),
        safety: "backup_20260201_143026.zip".to_owned(),
        safety_sha256: "00".to_owned(),
        at: DateTime::<Utc>::UNIX_EPOCH,
        again: false,
        kept: false,
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Source, "read the bot's data").because("file is not a database")
}

#[test]
fn arguments() {
    assert("usage", |text| usage(text, PROGRAM));
    assert("unknown", |text| unknown(text, "restor"));
    assert("no_file", no_file);
}

#[test]
fn backup() {
    let path = "/home/anna/bot & co/backups/backup_20260201_143025.zip".to_owned();
    let report = Report { info: newest(), path, cleanup: None, unchanged: None };
    assert("backup_done", |text| backup_done(text, &report));
    let full = || Error::storage("write the archive", std::io::ErrorKind::StorageFull.into());
    assert("backup_failed", |text| backup_failed(text, &full()));
    let denied = Error::new(ErrorKind::AccessDenied, "remove old backups");
    assert("uncleaned", |text| uncleaned(text, &denied));
}

#[test]
fn lists() {
    let safety = BackupInfo { trigger: Some(Trigger::BeforeRestore), ..newest() };
    let damaged = Listed::Damaged {
        id: BackupId::new(at(9, 0, 0), 2),
        size_bytes: 388,
        error: Error::damaged("the archive is cut off"),
    };
    let lines = vec![Listed::Good(newest()), Listed::Good(safety), damaged];
    let page = Page { lines, number: 0, pages: 1, size: 3, unchanged: None, bot_id: Some(1) };
    let all = |text: &Text, page: &Page| {
        page.lines.iter().map(|each| line(text, each, page)).collect::<Vec<_>>().join("\n")
    };
    assert("list", |text| all(text, &page));
    let lines = vec![Listed::Good(newest())];
    let unchanged = Some((newest().id, at(23, 59, 59)));
    let unchanged = Page { lines, unchanged, ..page };
    assert("list_unchanged", |text| all(text, &unchanged));
    assert("no_backups", no_backups);
    let gone = Error::new(ErrorKind::Storage, "list the backups").because("no such folder");
    assert("list_failed", |text| list_failed(text, &gone));
}

#[test]
fn verify() {
    assert("verified", |text| verified(text, NAME, &newest()));
    let errors = [
        ("busy", ErrorKind::Busy, "another program is at work on the backups"),
        ("not_found", ErrorKind::NotFound, "there is no backup_20260201_143025.zip"),
        ("source", ErrorKind::Source, "read the bot's data: database is locked"),
        ("damaged", ErrorKind::Damaged, "the archive is cut off"),
        ("unknown_version", ErrorKind::UnknownVersion, "2.0"),
        ("incompatible", ErrorKind::Incompatible, "read the section «tickets»"),
        (
            "too_large",
            ErrorKind::TooLarge,
            "data.json is longer than 64 GB (setting: limits, data_bytes)",
        ),
        ("changed", ErrorKind::Changed, "backup_20260201_143025.zip was replaced"),
        ("access_denied", ErrorKind::AccessDenied, "open the backup: permission denied"),
        ("storage", ErrorKind::Storage, "open the backup: input/output error"),
    ];
    for (name, kind, step) in errors {
        assert(&format!("unfit_{name}"), |text| unfit(text, NAME, &Error::new(kind, step)));
    }
}

#[test]
fn restore() {
    let inspection = |live| Inspection {
        info: newest(),
        data_sha256: "00".to_owned(),
        unknown: some("coupons", 7),
        live,
        foreign: true,
    };
    let live = || {
        let all = counts(14, 6, 5);
        all.iter().map(|(n, c)| (n.to_owned(), c)).chain([("faq".to_owned(), 3)]).collect()
    };
    assert("confirm", |text| confirm(text, NAME, &inspection(Ok(live()))));
    assert("confirm_unreadable", |text| confirm(text, NAME, &inspection(Err(unreadable()))));
    assert("unsaved", |text| unsaved(text, &unreadable()));
    assert("no_screen", no_screen);
    assert("cancelled", cancelled);
    let whole = || Restored {
        info: newest(),
        unknown: Counts::default(),
        missing: Missing::default(),
        doubt: None,
        undo: Some(undo()),
    };
    assert("restore_done", |text| restore_done(text, PROGRAM, NAME, &whole()));
    let part = Restored {
        unknown: some("coupons", 7),
        missing: Missing { counts: some("reviews", 3), renamed: false },
        undo: None,
        ..whole()
    };
    assert("restore_done_in_part", |text| restore_done(text, PROGRAM, NAME, &part));
}

#[test]
fn a_restore_that_failed() {
    let refused = RestoreFailed::from(unreadable());
    assert("restore_failed", |text| restore_failed(text, PROGRAM, &refused));
    let unclear = RestoreFailed {
        cut_off: Some(Box::new(Journal::new(NAME.to_owned(), None))),
        undo: Some(Box::new(undo())),
        ..RestoreFailed::from(unreadable())
    };
    assert("restore_unclear", |text| restore_failed(text, PROGRAM, &unclear));
    let cut_off =
        Journal { restored: NAME.to_owned(), undo: Some(undo()), id: String::new(), told: false };
    assert("interrupted", |text| interrupted(text, PROGRAM, &cut_off));
}

#[test]
fn a_restore_that_left_something_else() {
    let difference = || Difference {
        archived: some("tickets", 12),
        live: some("tickets", 10),
        altered: some("reviews", 5),
    };
    let doubtful = |found| Restored {
        info: newest(),
        unknown: Counts::default(),
        missing: Missing::default(),
        doubt: Some(found),
        undo: None,
    };
    let origin = doubtful(Doubt { found: Ok(difference()), cause: Cause::Origin });
    assert("restore_doubtful", |text| restore_done(text, PROGRAM, NAME, &origin));
    let unread = doubtful(Doubt { found: Err(unreadable()), cause: Cause::NoWayBack });
    assert("restore_doubtful_unreadable", |text| restore_done(text, PROGRAM, NAME, &unread));
    let away = Error::new(ErrorKind::Storage, "read the backup");
    let unread = doubtful(Doubt { found: Err(away), cause: Cause::NoWayBack });
    assert("restore_doubtful_unread", |text| restore_done(text, PROGRAM, NAME, &unread));
    let rolled_back = |difference, undo| RestoreFailed {
        rolled_back: Some(Box::new(difference)),
        undo,
        ..unreadable().into()
    };
    let differs = rolled_back(difference(), Some(Box::new(undo())));
    assert("rolled_back", |text| restore_failed(text, PROGRAM, &differs));
    let unread = rolled_back(Difference::default(), None);
    assert("rolled_back_unreadable", |text| restore_failed(text, PROGRAM, &unread));
    let away = Error::new(ErrorKind::Storage, "read the backup after the restore");
    let unread = RestoreFailed { error: away, ..unread };
    assert("rolled_back_unread", |text| restore_failed(text, PROGRAM, &unread));
}

#[test]
fn a_name_cannot_command_the_terminal() {
    let text = Text::new(crate::text::Language::English, &[], vec![]).expect("texts").plain();
    assert_eq!(
        unknown(&text, "\u{1b}[2J<b>&\u{7}"),
        "I do not understand “\u{fffd}[2J<b>&\u{fffd}”."
    );
}
