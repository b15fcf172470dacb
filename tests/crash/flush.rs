//! The flushes without which nothing may be told as done.

use crate::run::Point;

/// What a flush makes survive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    Archive,
    ArchiveName,
    Journal,
    JournalName,
}

impl Flushed {
    pub(crate) const ALL: [Self; 4] =
        [Self::Archive, Self::ArchiveName, Self::Journal, Self::JournalName];
}

/// A flush, and the number of the step that needs it.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) of: Flushed,
    pub(crate) step: usize,
    pub(crate) point: Point,
}

/// Those of a host that keeps its data in one file. Each step makes one archive.
pub(crate) fn flushes(points: &[Point]) -> Vec<Flush> {
    let (mut found, mut notes) = (Vec::<Flush>::new(), Vec::new());
    for (number, point) in points.iter().enumerate() {
        let archives = found.iter().filter(|flush| flush.of == Flushed::Archive).count();
        let flush = |of, step| Flush { of, step, point: point.clone() };
        match flushed(points, number) {
            Some(Flushed::Archive) => found.push(flush(Flushed::Archive, archives)),
            Some(Flushed::ArchiveName) => found.push(flush(Flushed::ArchiveName, archives - 1)),
            // that the first backup is being made is noted before there is one
            Some(of) => notes.push(flush(of, archives.saturating_sub(1))),
            // the last note before the data are replaced is the journal
            None if point.call == "openat" && point.arguments.contains("/orders.json.new") => {
                let journal = notes.len() - 2;
                found.extend(notes.split_off(journal));
            }
            None => {}
        }
    }
    found
}

/// Whether a file was flushed once more after that had failed, when the system may have forgotten what
/// it could not write.
pub(crate) fn tried_twice(notes: &str) -> bool {
    let file = |line: &str| Some(line.split_once('<')?.1.split_once('>')?.0.to_owned());
    let mut lines = notes.lines().skip_while(|line| !line.contains("(INJECTED)"));
    let failed = lines.next().and_then(file).expect("a file could not be flushed");
    lines.any(|line| file(line).as_ref() == Some(&failed))
}

/// What this call flushes for good: a draft, which is renamed after it, or the folder, after that.
fn flushed(points: &[Point], number: usize) -> Option<Flushed> {
    let Point { call, arguments, .. } = &points[number];
    if !matches!(call.as_str(), "fsync" | "fdatasync") {
        return None;
    }
    let rename = |point: &&Point| point.call.starts_with("rename");
    let (is_draft, renamed) = if arguments.contains("/backups/.backup_") {
        (true, points[number..].iter().find(rename)?)
    } else if arguments.contains("/backups>") {
        (false, points[..number].iter().rev().find(rename)?)
    } else {
        return None;
    };
    let archive = renamed.arguments.contains("/backups/backup_");
    let note = renamed.arguments.contains("/backups/state.json");
    match (is_draft, archive, note) {
        (true, true, _) => Some(Flushed::Archive),
        (false, true, _) => Some(Flushed::ArchiveName),
        (true, _, true) => Some(Flushed::Journal),
        (false, _, true) => Some(Flushed::JournalName),
        _ => None,
    }
}
