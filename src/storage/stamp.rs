//! What tells an archive from one that takes its place.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// A file that was changed within so long has no stamp yet: it may change once more within the same
/// tick of its disk's clock, which is two seconds long on the coarsest, and would keep its stamp.
const SETTLED: Duration = Duration::from_secs(2);

/// What an archive has as long as its bytes are the same, and another of its name never has.
///
/// An archive whose stamp is the one of the last list is not opened again for the next. What is
/// checked or restored is always read. It may be any bytes: a version, an `ETag`, some times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Box<[u8]>);

impl Stamp {
    /// A stamp of these bytes, which only an equal one equals.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// That of a file, as it is `now`.
    pub(super) fn of_file(file: &Metadata, now: SystemTime) -> Option<Self> {
        let (changed, marks) = marks(file)?;
        let settled = now.duration_since(changed).is_ok_and(|age| age > SETTLED);
        settled.then(|| Self::new(marks))
    }
}

/// When a file was changed, and which one it is. The time of its contents can be set to any, and the
/// number of one that is gone is given again; the time of its last change of any kind follows the
/// clock alone.
#[cfg(unix)]
fn marks(file: &Metadata) -> Option<(SystemTime, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let (seconds, nanos) = (file.ctime(), file.ctime_nsec());
    let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
    let times = [file.mtime(), file.mtime_nsec(), seconds, nanos].map(i64::to_le_bytes);
    let numbers = [file.dev(), file.ino()].map(u64::to_le_bytes);
    let changed = SystemTime::UNIX_EPOCH.checked_add(since)?;
    Some((changed, [times.as_flattened(), numbers.as_flattened()].concat()))
}

/// Other systems tell neither to a program of safe Rust.
#[cfg(not(unix))]
fn marks(file: &Metadata) -> Option<(SystemTime, Vec<u8>)> {
    let (changed, made) = (file.modified().ok()?, file.created().ok()?);
    let nanos = |at: SystemTime| Some(at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos());
    Some((changed, [nanos(changed)?, nanos(made)?].map(u128::to_le_bytes).concat()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;

    use super::*;

    const LATER: Duration = Duration::from_secs(3);

    fn stamp(path: &Path) -> Stamp {
        let file = fs::symlink_metadata(path).expect("a file");
        Stamp::of_file(&file, SystemTime::now() + LATER).expect("a stamp")
    }

    #[test]
    fn a_file_that_was_changed_just_now_has_no_stamp_yet() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let at = |now| Stamp::of_file(&fs::metadata(file.path()).expect("a file"), now);
        let now = SystemTime::now();
        assert_eq!(at(now), None);
        assert_eq!(at(now - LATER), None, "it is of the future");
        // whatever its own time says
        let old = now - Duration::from_secs(1000);
        File::options()
            .write(true)
            .open(file.path())
            .and_then(|f| f.set_modified(old))
            .expect("set");
        assert_eq!(at(SystemTime::now()), None);
        let later = at(SystemTime::now() + LATER);
        assert!(later.is_some());
        assert_eq!(at(SystemTime::now() + 2 * LATER), later, "nothing has changed");
    }

    #[test]
    fn what_takes_the_place_of_a_file_has_another_stamp_whatever_its_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        for path in [&path, &other] {
            fs::write(path, "old").expect("written");
        }
        let time = fs::metadata(&path).expect("a file").modified().expect("a time");
        let first = stamp(&path);
        assert_eq!(stamp(&path), first);
        // in its place, with the same length and time, at the next tick of the disk's clock
        let mut file = File::options().write(true).open(&path).expect("opened");
        file.write_all(b"new").expect("written");
        let begin = std::time::Instant::now();
        loop {
            file.set_modified(time).expect("set");
            if stamp(&path) != first {
                break;
            }
            assert!(begin.elapsed() < LATER, "the same stamp");
        }
        assert_eq!(fs::metadata(&path).expect("a file").modified().expect("a time"), time);
        let second = stamp(&path);
        // another file
        File::options().write(true).open(&other).and_then(|f| f.set_modified(time)).expect("set");
        fs::rename(&other, &path).expect("renamed");
        assert!(![first, second].contains(&stamp(&path)));
    }
}
