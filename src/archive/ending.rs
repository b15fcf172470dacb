//! The end of a ZIP, looked at before its directory is read: a directory of half a million names
//! costs memory, and only two are ours. The numbers are the sections of PKWARE's APPNOTE 6.3.10.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::error::{Error, Result};

/// 4.3.16 end of central directory, without a comment.
const END: usize = 22;
/// 4.3.14 ZIP64 end of central directory, and 4.3.15 its locator.
const LARGE_END: usize = 56;
const LOCATOR: usize = 20;
/// 4.3.12 central directory header, without a name.
const LISTED: u64 = 46;
/// What stands in the place of a number that only the ZIP64 end has room for (4.4.1.4).
const ELSEWHERE: u64 = 0xffff_ffff;

/// Checks that two entries, their directory and its end are all there is. Gives the file's length.
pub(super) fn check(file: &mut (impl Read + Seek + ?Sized)) -> Result<u64> {
    let length = file.seek(SeekFrom::End(0)).map_err(unread)?;
    let Some(at) = length.checked_sub(END as u64) else {
        return Err(Error::damaged("the archive is cut off"));
    };
    let end = Record::<END>::read(file, at)?;
    if !end.0.starts_with(b"PK\x05\x06") || end.number(20..22) != 0 {
        return Err(Error::damaged(
            "the archive has no end: it is cut off, or something follows it",
        ));
    }
    if end.number(8..10) != 2 || end.number(10..12) != 2 {
        return Err(Error::damaged("the archive does not hold exactly two files"));
    }
    let directory = match (end.number(16..20), end.number(12..16)) {
        (ELSEWHERE, _) | (_, ELSEWHERE) => large_directory(file, at)?,
        (start, length) => (start + length == at).then_some((start, length)),
    };
    let begins = directory.map(|place| begins_with_an_entry(file, place)).transpose()?;
    let whole = begins == Some(true) && end.number(4..8) == 0;
    file.seek(SeekFrom::Start(0)).map_err(unread)?;
    if whole { Ok(length) } else { Err(Error::damaged("the archive has another end than it says")) }
}

/// Where the directory begins and how long it is, by the ZIP64 end whose locator ends here, if that is
/// as whole.
fn large_directory(file: &mut (impl Read + Seek + ?Sized), end: u64) -> Result<Option<(u64, u64)>> {
    let Some(at) = end.checked_sub((LARGE_END + LOCATOR) as u64) else { return Ok(None) };
    let large = Record::<LARGE_END>::read(file, at)?;
    let locator = Record::<LOCATOR>::read(file, at + LARGE_END as u64)?;
    let numbers = [(4..12, 44), (16..20, 0), (20..24, 0), (24..32, 2), (32..40, 2)];
    let (start, length) = (large.number(48..56), large.number(40..48));
    let whole = locator.0.starts_with(b"PK\x06\x07")
        && [(4..8, 0), (8..16, at), (16..20, 1)].into_iter().all(|(of, n)| locator.number(of) == n)
        && large.0.starts_with(b"PK\x06\x06")
        && numbers.into_iter().all(|(of, n)| large.number(of) == n)
        && start.checked_add(length) == Some(at);
    Ok(whole.then_some((start, length)))
}

/// Whether a directory of two entries may lie there. Where none begins, `zip` would look for another
/// end before this one.
fn begins_with_an_entry(
    file: &mut (impl Read + Seek + ?Sized),
    (start, length): (u64, u64),
) -> Result<bool> {
    Ok(length >= 2 * LISTED && Record::<4>::read(file, start)?.0 == *b"PK\x01\x02")
}

/// Some bytes in which numbers lie as ZIP stores them (4.4.1.1).
struct Record<const LENGTH: usize>([u8; LENGTH]);

impl<const LENGTH: usize> Record<LENGTH> {
    fn read(file: &mut (impl Read + Seek + ?Sized), at: u64) -> Result<Self> {
        let mut bytes = [0; LENGTH];
        file.seek(SeekFrom::Start(at)).map_err(unread)?;
        file.read_exact(&mut bytes).map_err(unread)?;
        Ok(Self(bytes))
    }

    fn number(&self, range: Range<usize>) -> u64 {
        let bytes = self.0.get(range).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }
}

fn unread(error: io::Error) -> Error {
    Error::storage("read the archive", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::container::ending;

    /// A file of so many zeros and these bytes behind them.
    struct Sparse {
        zeros: u64,
        bytes: Vec<u8>,
        at: u64,
    }

    impl Read for Sparse {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let at = usize::try_from(self.at - self.zeros).expect("nobody reads the zeros");
            let read = (&self.bytes[at..]).read(buffer)?;
            self.at += read as u64;
            Ok(read)
        }
    }

    impl Seek for Sparse {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(0) => self.zeros + self.bytes.len() as u64,
                _ => return Err(io::ErrorKind::Unsupported.into()),
            };
            Ok(self.at)
        }
    }

    /// The places in the end of an archive of this length that may hold anything.
    fn unread(zeros: u64) -> Vec<usize> {
        let directory = [&b"PK\x01\x02"[..], &[0; 116]].concat();
        let length = directory.len() as u64;
        let bytes = ending(2, zeros, length, zeros + length).0;
        let check_end =
            |end: &[u8]| check(&mut Sparse { zeros, bytes: [&directory, end].concat(), at: 0 });
        assert_eq!(check_end(&bytes).expect("whole"), zeros + length + bytes.len() as u64);
        let changed = |at: &usize| {
            let mut bytes = bytes.clone();
            bytes[*at] ^= 1;
            check_end(&bytes).is_ok()
        };
        (0..bytes.len()).filter(changed).collect()
    }

    #[test]
    fn where_no_directory_begins_there_is_none() {
        for (directory, whole) in
            [(&b"PK\x01\x02"[..], true), (b"PK\x01\x03", false), (b"garb", false)]
        {
            for length in [91, 92, 200_u64] {
                let mut bytes = directory.to_vec();
                bytes.resize(usize::try_from(length).expect("short"), b' ');
                bytes.extend(ending(2, 1000, length, 1000 + length).0);
                let found = check(&mut Sparse { zeros: 1000, bytes, at: 0 }).is_ok();
                assert_eq!(found, whole && length >= 92, "{directory:?} of {length} bytes");
            }
        }
    }

    #[test]
    fn an_end_of_either_size_is_read_to_the_last_number() {
        assert_eq!(unread(5000), [0; 0]);
        // the versions, and a length that the other end knows better
        let large = [12, 13, 14, 15, 76 + 12, 76 + 13, 76 + 14, 76 + 15];
        assert_eq!(unread(5 << 30), large);
    }
}
