//! A snapshot of every message and every keyboard, in both languages, in `/snapshots`.

use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::backup::Missing;
use crate::service::{Cause, Difference, Doubt};
use crate::source::Section;
use crate::text::{Language, snapshot};

/// Writes what a person sees: the text as Telegram gets it, then the buttons and what they carry.
fn picture(message: &Message) -> String {
    let mut picture = message.html.clone();
    let rows = message.keyboard.iter().flat_map(|keyboard| &keyboard.inline_keyboard);
    for row in rows {
        let row: Vec<String> = row
            .iter()
            .map(|button| {
                let teloxide::types::InlineKeyboardButtonKind::CallbackData(data) = &button.kind
                else {
                    panic!("{button:?} carries no data of ours")
                };
                format!("[{}]({data})", button.text)
            })
            .collect();
        picture.push_str("\n\n");
        picture.push_str(&row.join(" "));
    }
    picture
}

fn snapshot(name: &str, write: impl Fn(&Text) -> Message) {
    snapshot::assert(name, |text| picture(&write(&text)));
}

fn counts(tickets: u64, referrals: u64, reviews: u64) -> Counts {
    let all = [("tickets", tickets), ("referrals", referrals), ("reviews", reviews)];
    all.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn counts_of(pairs: &[(&str, u64)]) -> Counts {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn at(day: u32, hour: u32, minute: u32, second: u32) -> NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(2026, 2, day).expect("a date");
    date.and_hms_opt(hour, minute, second).expect("a time")
}

fn info(created_at: NaiveDateTime, size_bytes: u64, counts: Counts) -> crate::backup::BackupInfo {
    crate::backup::BackupInfo {
        id: BackupId::new(created_at, 1),
        size_bytes,
        created_at,
        created_at_utc: None,
        trigger: Some(Trigger::Manual),
        bot_id: Some(1),
        counts,
    }
}

fn newest() -> crate::backup::BackupInfo {
    info(at(1, 14, 30, 25), 46_387, counts(12, 5, 5))
}

fn report() -> Report {
    let path = "/home/anna/bot & co/backups/backup_20260201_143025.zip".to_owned();
    Report { info: newest(), path, cleanup: None, unchanged: None }
}

fn full() -> Error {
    let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
    Error::storage("write the archive", cause)
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OTHER_TOKEN: &str = "fedcba9876543210fedcba9876543210";

fn way_back() -> Undo {
    Undo {
        token: TOKEN.to_owned(),
        safety: "backup_20260201_143026.zip".to_owned(),
        safety_sha256: "00".to_owned(),
        at: DateTime::<Utc>::UNIX_EPOCH,
        again: false,
        kept: false,
    }
}

#[test]
fn backup() {
    snapshot("backup_started", backup_started);
    snapshot("backup_done", |text| backup_done(text, &report()));
    let uncleaned = Report {
        cleanup: Some(Error::new(ErrorKind::AccessDenied, "remove old backups")),
        ..report()
    };
    snapshot("backup_done_uncleaned", |text| backup_done(text, &uncleaned));
    snapshot("backup_failed", |text| backup_failed(text, &full()));
}

#[test]
fn scheduled() {
    snapshot("scheduled_done", |text| scheduled_done(text, &report(), false));
    snapshot("scheduled_recovered", |text| scheduled_done(text, &report(), true));
    let unchanged = Report { unchanged: Some(DateTime::UNIX_EPOCH), ..report() };
    snapshot("scheduled_unchanged", |text| scheduled_done(text, &unchanged, false));
    snapshot("scheduled_unchanged_recovered", |text| scheduled_done(text, &unchanged, true));
    snapshot("scheduled_failed", |text| scheduled_failed(text, &full()));
    snapshot("backup_cut_off", |text| backup_cut_off(text, at(1, 14, 30, 25)));
    snapshot("words_unsaid", |text| words_unsaid(text, "backup-done"));
    snapshot("standing_by", standing_by);
    snapshot("scheduled_still_failing", |text| {
        scheduled_still_failing(text, at(1, 14, 30, 25), &full())
    });
    snapshot("scheduled_stuck", scheduled_stuck);
    snapshot("scheduled_resumed", scheduled_resumed);
}

#[test]
fn received_from_the_chat() {
    snapshot("receive_help", |text| receive_help(text, "backups"));
    snapshot("receive_started", receive_started);
    snapshot("receive_too_large", |text| receive_too_large(text, "backups"));
    snapshot("receive_refused", receive_refused);
    let damaged = Error::damaged("the archive has no end: it is cut off, or something follows it");
    snapshot("receive_unfit", |text| receive_failed(text, &damaged));
    snapshot("receive_failed", |text| receive_failed(text, &full()));
    let question = || Message::from("…".to_owned());
    snapshot("received", |text| received(text, &newest().id, question()));
}

#[test]
fn every_reason_says_what_to_do() {
    let errors = [
        ("busy", ErrorKind::Busy, "another backup or restore is running"),
        ("not_found", ErrorKind::NotFound, "there is no backup_20260201_143025.zip"),
        ("source", ErrorKind::Source, "read the bot's data: <b>database is locked</b>"),
        ("damaged", ErrorKind::Damaged, "the archive is cut off"),
        ("unknown_version", ErrorKind::UnknownVersion, "2.0"),
        ("incompatible", ErrorKind::Incompatible, "read the section «tickets»"),
        (
            "too_large",
            ErrorKind::TooLarge,
            "data.json is longer than 64 GB (setting: limits, data_bytes)",
        ),
        ("changed", ErrorKind::Changed, "backup_20260201_143025.zip was replaced"),
        ("access_denied", ErrorKind::AccessDenied, "write the archive: permission denied"),
        ("storage", ErrorKind::Storage, "list the backups: input/output error"),
        ("internal", ErrorKind::Internal, "write state.json"),
    ];
    for (name, kind, step) in errors {
        snapshot(&format!("reason_{name}"), |text| text.reason(&Error::new(kind, step)).into());
    }
}

fn page(lines: Vec<Listed>, number: usize, pages: usize) -> Page {
    Page { lines, number, pages, size: 5, unchanged: None, bot_id: Some(1) }
}

#[test]
fn a_list_says_whose_backup_it_is() {
    let foreign = crate::backup::BackupInfo { bot_id: Some(2), ..newest() };
    let unnamed = crate::backup::BackupInfo { bot_id: None, ..newest() };
    let lines = vec![Listed::Good(foreign), Listed::Good(unnamed)];
    let mixed = page(lines, 0, 1);
    snapshot("list_foreign", |text| list(text, &mixed));
}

#[test]
fn a_list_says_until_when_nothing_has_changed() {
    let lines = [newest(), info(at(1, 10, 0, 0), 39_117, counts(10, 5, 4))].map(Listed::Good);
    let unchanged = Some((newest().id, at(15, 14, 30, 25)));
    let page = Page { unchanged, ..page(lines.into(), 0, 1) };
    snapshot("list_unchanged", |text| list(text, &page));
}

#[test]
fn lists() {
    let older = info(
        NaiveDate::from_ymd_opt(2026, 1, 25)
            .expect("a date")
            .and_hms_opt(10, 0, 0)
            .expect("a time"),
        39_117,
        counts(10, 5, 4),
    );
    let two = page(vec![Listed::Good(newest()), Listed::Good(older)], 0, 1);
    snapshot("list", |text| list(text, &two));
    snapshot("list_empty", |text| list(text, &page(vec![], 0, 0)));
    snapshot("list_failed", |text| {
        list_failed(text, &Error::new(ErrorKind::Storage, "list the backups"))
    });
    let safety = crate::backup::BackupInfo { trigger: Some(Trigger::BeforeRestore), ..newest() };
    let damaged = Listed::Damaged {
        id: BackupId::new(at(1, 9, 0, 0), 2),
        size_bytes: 388,
        error: Error::damaged("the archive is cut off"),
    };
    let newer = Listed::Damaged {
        id: BackupId::new(at(1, 8, 0, 0), 1),
        size_bytes: 400,
        error: Error::new(ErrorKind::UnknownVersion, "2.0"),
    };
    let locked = Listed::Damaged {
        id: BackupId::new(at(1, 7, 0, 0), 1),
        size_bytes: 400,
        error: Error::new(ErrorKind::AccessDenied, "open the backup"),
    };
    let large = Listed::Damaged {
        id: BackupId::new(at(1, 6, 0, 0), 1),
        size_bytes: 388_000,
        error: Error::new(ErrorKind::TooLarge, "data.json is longer than 64 GB"),
    };
    let middle = page(vec![Listed::Good(safety), damaged, newer, locked, large], 1, 3);
    snapshot("list_middle_page", |text| list(text, &middle));
}

fn inspection() -> Inspection {
    Inspection {
        info: newest(),
        data_sha256: "00".to_owned(),
        unknown: Counts::default(),
        live: Ok(counts(14, 6, 5)),
        foreign: false,
    }
}

#[test]
fn restore() {
    let id = newest().id;
    snapshot("inspect_started", |text| inspect_started(text, &id));
    let gone = Error::new(ErrorKind::NotFound, "there is no backup");
    snapshot("inspect_failed_gone", |text| inspect_failed(text, &id, &gone));
    snapshot("inspect_failed", |text| {
        inspect_failed(text, &id, &Error::damaged("the archive is cut off"))
    });
    snapshot("confirm", |text| confirm(text, &inspection(), TOKEN));
    let doubtful = Inspection {
        info: info(at(1, 14, 30, 25), 388, [("tickets".to_owned(), 0)].into_iter().collect()),
        unknown: [("coupons".to_owned(), 7)].into_iter().collect(),
        live: Ok(counts(1204, 21, 111)),
        foreign: true,
        ..inspection()
    };
    snapshot("confirm_doubtful", |text| confirm(text, &doubtful, TOKEN));
    let fewer = doubtful.fewer().expect("far fewer");
    snapshot("confirm_again", |text| confirm_again(text, &id, fewer, TOKEN));
    let renamed =
        Inspection { live: Ok(counts_of(&[("orders", 14), ("tickets", 0)])), ..inspection() };
    snapshot("confirm_renamed", |text| confirm(text, &renamed, TOKEN));
    let broken = Error::new(ErrorKind::Source, "read the bot's data: the file is not a database");
    let unreadable = Inspection { live: Err(broken), ..inspection() };
    snapshot("confirm_unreadable", |text| confirm(text, &unreadable, TOKEN));
    snapshot("restore_cancelled", restore_cancelled);
    snapshot("restore_started", |text| restore_started(text, &id));
    let restored = |missing| Restored {
        info: newest(),
        unknown: Counts::default(),
        missing,
        doubt: None,
        undo: Some(way_back()),
    };
    snapshot("restore_done", |text| restore_done(text, &restored(Missing::default())));
    let reviews = |renamed| Missing { counts: counts_of(&[("reviews", 3)]), renamed };
    snapshot("restore_done_in_part", |text| restore_done(text, &restored(reviews(false))));
    snapshot("restore_done_renamed", |text| restore_done(text, &restored(reviews(true))));
    let unknown = [("coupons".to_owned(), 7)].into_iter().collect();
    let passed_over = Restored { unknown, undo: None, ..restored(reviews(false)) };
    snapshot("restore_done_for_good", |text| restore_done(text, &passed_over));
}

#[test]
fn a_restore_that_failed() {
    let refused = RestoreFailed::from(Error::new(ErrorKind::Source, "put the data in its place"));
    snapshot("restore_failed", |text| restore_failed(text, &refused));
    let unclear = RestoreFailed {
        error: Error::new(ErrorKind::Source, "the bot's own code panicked"),
        cut_off: Some(Box::new(Journal::new(newest().id.to_string(), None))),
        unsaved: false,
        rolled_back: None,
        undo: Some(Box::new(way_back())),
    };
    snapshot("restore_unclear", |text| restore_failed(text, &unclear));
    let error = Error::new(ErrorKind::Storage, "read the backup");
    let unclear = RestoreFailed { error, ..unclear };
    snapshot("restore_unclear_place", |text| restore_failed(text, &unclear));
    let redo = Undo { again: true, token: OTHER_TOKEN.to_owned(), ..way_back() };
    let unclear = RestoreFailed { undo: Some(Box::new(redo)), ..unclear };
    snapshot("undo_unclear", |text| undo_failed(text, &way_back(), &unclear));
}

/// Two orders less than in the backup, and other reviews.
fn difference() -> Difference {
    let orders = |count| [("tickets".to_owned(), count)].into_iter().collect();
    let altered = [("reviews".to_owned(), 5)].into_iter().collect();
    Difference { archived: orders(12), live: orders(10), altered }
}

fn unread() -> Error {
    Error::new(ErrorKind::Source, "read the bot's data: <b>database is locked</b>")
}

#[test]
fn a_restore_that_may_be_wrong() {
    let doubtful = |found: &dyn Fn() -> Result<Difference, Error>, cause, undo| {
        let doubt = Doubt { found: found(), cause };
        let (unknown, missing) = Default::default();
        Restored { info: newest(), unknown, missing, doubt: Some(doubt), undo }
    };
    let differs = || Ok(difference());
    for (name, cause) in [
        ("written", Cause::Written),
        ("origin", Cause::Origin),
        ("chosen", Cause::Chosen),
        ("no_way_back", Cause::NoWayBack),
    ] {
        let undo = (cause != Cause::NoWayBack).then(way_back);
        let restored = doubtful(&differs, cause, undo);
        let name = format!("restore_doubtful_{name}");
        snapshot(&name, |text| restore_done(text, &restored));
        // an undo says the same
        snapshot(&name, |text| undo_done(text, &way_back(), &restored));
    }
    let unreadable = doubtful(&|| Err(unread()), Cause::NoWayBack, None);
    snapshot("restore_doubtful_unreadable", |text| restore_done(text, &unreadable));
    let away = || Error::new(ErrorKind::Storage, "read the backup");
    let unread = doubtful(&|| Err(away()), Cause::Written, Some(way_back()));
    snapshot("restore_doubtful_unread", |text| restore_done(text, &unread));
}

#[test]
fn a_restore_that_was_taken_back() {
    let left = Undo { again: true, kept: true, ..way_back() };
    let error = || Error::new(ErrorKind::Source, "the data are not those of the backup");
    let mut failed = RestoreFailed {
        rolled_back: Some(Box::new(difference())),
        undo: Some(Box::new(left)),
        ..error().into()
    };
    snapshot("rolled_back", |text| restore_failed(text, &failed));
    let again = Undo { token: OTHER_TOKEN.to_owned(), ..way_back() };
    snapshot("undo_rolled_back", |text| undo_failed(text, &again, &failed));
    failed.rolled_back = Some(Box::default());
    failed.error = unread();
    failed.undo = None;
    snapshot("rolled_back_unreadable", |text| restore_failed(text, &failed));
    failed.error = Error::new(ErrorKind::Storage, "read the backup after the restore");
    snapshot("rolled_back_unread", |text| restore_failed(text, &failed));
    snapshot("restore_runs", restore_runs);
}

#[test]
fn download() {
    let path = "/home/anna/bot & co/backups/backup_20260201_143025.zip";
    snapshot("download_refused", |text| download_refused(text, path));
    snapshot("download_one_way", |text| download_one_way(text, "backups"));
    snapshot("download_too_large", |text| download_too_large(text, path));
    let gone = Error::new(ErrorKind::NotFound, "there is no backup_20260201_143025.zip");
    snapshot("download_failed", |text| download_failed(text, &gone));
}

/// What an undo has brought back, and the way back from it.
fn undone(again: bool) -> Restored {
    Restored {
        info: newest(),
        unknown: Counts::default(),
        missing: Missing::default(),
        doubt: None,
        undo: Some(Undo { again, ..way_back() }),
    }
}

#[test]
fn no_two_ways_back_of_one_message_have_one_name() {
    let other = |last| format!("{}{last}", &OTHER_TOKEN[1..]);
    let older = [1, 2].map(|n| Undo { token: other(n), again: true, ..way_back() });
    snapshot("undo_done_among_ways", |text| {
        let mut message = undo_done(text, &way_back(), &undone(true));
        message.add_ways(text, ways(text, &older));
        message.add_ways(text, ways(text, &[way_back()]));
        message
    });
}

#[test]
fn undo() {
    let undo = way_back();
    let redo = Undo { again: true, ..way_back() };
    let keep = Undo { kept: true, ..way_back() };
    snapshot("undo_started", |text| undo_started(text, &undo));
    snapshot("redo_started", |text| undo_started(text, &redo));
    snapshot("keep_started", |text| undo_started(text, &keep));
    snapshot("undo_done", |text| undo_done(text, &undo, &undone(true)));
    snapshot("redo_done", |text| undo_done(text, &redo, &undone(false)));
    snapshot("keep_done", |text| undo_done(text, &keep, &undone(true)));
    let cut_off = Journal::new(newest().id.to_string(), Some(way_back()));
    snapshot("interrupted", |text| interrupted(text, &cut_off));
    let lost = Journal { undo: None, ..cut_off };
    snapshot("interrupted_lost", |text| interrupted(text, &lost));
    let busy = Error::new(ErrorKind::Busy, "another backup or restore is running");
    let mut failed = RestoreFailed { undo: Some(Box::new(way_back())), ..busy.into() };
    snapshot("undo_failed", |text| undo_failed(text, &undo, &failed));
    failed.undo = Some(Box::new(redo.clone()));
    snapshot("redo_failed", |text| undo_failed(text, &redo, &failed));
    failed.undo = None;
    snapshot("undo_closed", |text| undo_failed(text, &undo, &failed));
    snapshot("interrupted_untold", |text| untold(text, None));
    snapshot("undo_interrupted_untold", |text| untold(text, Some(&undo)));
    snapshot("interrupted_just_told", |text| just_told(text, None));
    snapshot("too_late", too_late);
    snapshot("stale", |text| stale(text).into());
    snapshot("pending", |text| pending(text).into());
    snapshot("notebook_damaged", |text| notebook(text, Ok(&Ailment::Damaged)));
    snapshot("notebook_newer", |text| notebook(text, Ok(&Ailment::Newer)));
    let away =
        Error::new(ErrorKind::Storage, "read state.json").because("the disk does not answer");
    snapshot("notebook_unread", |text| notebook(text, Err(&away)));
    snapshot("undo_unread", |text| undo_unread(text).into());
}

#[test]
fn settings_page() {
    let page = Settings {
        enabled: true,
        days: 7,
        folder: "backups",
        keep: 10,
        last: Some(at(1, 14, 30, 25)),
        unchanged: None,
        next: Next::At(at(8, 14, 30, 25)),
        file: Some("config.toml"),
    };
    snapshot("settings", |text| settings(text, &page));
    let off = Settings { enabled: false, days: 1, next: Next::Off, file: None, ..page.clone() };
    snapshot("settings_off", |text| settings(text, &off));
    let unchanged = Settings {
        unchanged: Some(at(15, 14, 30, 25)),
        next: Next::At(at(22, 14, 30, 25)),
        ..page.clone()
    };
    snapshot("settings_unchanged", |text| settings(text, &unchanged));
    let new = Settings { days: 21, last: None, next: Next::Soon, ..page.clone() };
    snapshot("settings_new", |text| settings(text, &new));
    let idle = Settings { days: 32, next: Next::NotStarted, ..page.clone() };
    snapshot("settings_not_started", |text| settings(text, &idle));
    let elsewhere = Settings { next: Next::Elsewhere, ..page };
    snapshot("settings_elsewhere", |text| settings(text, &elsewhere));
}

#[test]
fn strangers() {
    snapshot("refusal", refusal);
    snapshot("private_only", private_only);
}

#[test]
fn no_list_is_too_long_for_telegram() {
    let sections: Vec<Section> = (0..50)
        .map(|n| {
            Section::new(format!("{n}{}", "s".repeat(500))).ru(
                "ы".repeat(500),
                "й".repeat(500),
                "я".repeat(500),
            )
        })
        .collect();
    let counts: Counts = sections.iter().map(|section| (section.name.clone(), u64::MAX)).collect();
    let text = Text::new(Language::Russian, &[], sections).expect("texts");
    let lines = (1..=5).map(|n| Listed::Good(info(at(n, 0, 0, 0), u64::MAX, counts.clone())));
    let unchanged = Some((BackupId::new(at(1, 0, 0, 0), 1), at(28, 0, 0, 0)));
    let page = Page { unchanged, ..page(lines.collect(), 1, 3) };
    assert!(list(&text, &page).html.encode_utf16().count() <= 4096);
    let inspection = Inspection {
        info: info(at(1, 0, 0, 0), 1, counts.clone()),
        live: Ok(counts),
        ..inspection()
    };
    assert!(confirm(&text, &inspection, TOKEN).html.encode_utf16().count() <= 4096);
    let error = Error::new(ErrorKind::Source, "<".repeat(5000));
    assert!(text.reason(&error).replace("&lt;", "<").encode_utf16().count() <= 1000);
}

#[test]
fn what_may_be_far_fewer_records() {
    let perhaps =
        Inspection { live: Ok(counts_of(&[("orders", 2000), ("tickets", 0)])), ..inspection() };
    assert!(perhaps.fewer().is_some_and(|fewer| fewer.perhaps));
    snapshot("confirm_fewer_perhaps", |text| confirm(text, &perhaps, TOKEN));
}

#[test]
fn far_fewer_records_are_seen_under_old_names_too() {
    let compared = |counts, live| {
        let info = crate::backup::BackupInfo { counts, ..newest() };
        let inspection = Inspection { info, live: Ok(live), ..inspection() };
        let told = |fewer: Fewer| (fewer.archived, fewer.live, fewer.perhaps);
        let fewer = inspection.fewer().map(told);
        let Missing { counts, renamed } = inspection.missing();
        (fewer, counts, renamed)
    };
    let none = || counts_of(&[]);
    assert_eq!(compared(counts_of(&[("a", 50)]), counts_of(&[("a", 100)])), (None, none(), false));
    assert_eq!(
        compared(counts_of(&[("a", 49)]), counts_of(&[("a", 100)])),
        (Some((49, 100, false)), none(), false)
    );
    let newer = compared(counts_of(&[("a", 9)]), counts_of(&[("a", 9), ("b", 99)]));
    assert_eq!(newer, (None, counts_of(&[("b", 99)]), false));
    // it may be the same section
    let new = || counts_of(&[("new", 100)]);
    assert_eq!(
        compared(counts_of(&[("old", 1)]), counts_of(&[("new", 100)])),
        (Some((1, 100, true)), new(), true)
    );
    // `Shared` knows the alias, and never writes anything under it
    let old = ["old".to_owned()];
    let aliased = |live: &[(&str, u64)]| counts_of(live).with_empty(old.iter());
    let alias = compared(counts_of(&[("old", 1)]), aliased(&[("new", 100)]));
    assert_eq!(alias, (Some((1, 100, true)), new(), true));
    let empty = compared(counts_of(&[("old", 0)]), aliased(&[("new", 100)]));
    assert_eq!(empty, (Some((0, 100, true)), new(), true));
    let archive = counts_of(&[("a", 1), ("old", 500)]);
    let both = compared(archive, aliased(&[("a", 100), ("new", 100)]));
    assert_eq!(both, (Some((1, 100, true)), new(), true));
    // that one is empty now says nothing of the others
    let archive = counts_of(&[("a", 4), ("old", 3)]);
    let emptied = compared(archive, aliased(&[("a", 10), ("new", 3)]));
    assert_eq!(emptied, (Some((4, 10, true)), counts_of(&[("new", 3)]), true));
    let archive = counts_of(&[("a", 4), ("old", 500)]);
    assert_eq!(compared(archive, aliased(&[("a", 10)])), (None, none(), false));
    // one that is empty and written is no alias
    let archive = counts_of(&[("a", 10), ("old", 3)]);
    let newer = compared(archive, counts_of(&[("a", 10), ("new", 100), ("old", 0)]));
    assert_eq!(newer, (None, new(), false));
}
