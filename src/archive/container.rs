//! The ZIP around the entries. `zip` writes only entries that it compresses itself, so this small
//! part of the format is written here; the numbers are the sections of PKWARE's APPNOTE 6.3.10.

use std::io::{self, Seek, SeekFrom, Write};

use chrono::{Datelike, NaiveDateTime, Timelike};
use flate2::Crc;

/// What a field holds whose number stands in the ZIP64 field (4.4.1.4).
const ELSEWHERE: u32 = u32::MAX;
/// 4.4.3: readers of ZIP64; and 4.4.2: made on Unix, where the file's mode means something.
const VERSION: u16 = 45;
const MADE_BY: u16 = (3 << 8) | VERSION;
const DEFLATED: u16 = 8;
/// A plain file that its owner may read and write, as Unix says it (4.4.15).
const MODE: u32 = 0o100_600 << 16;
const ZIP64: u16 = 1;
/// Where the checksum lies in a local header (4.3.7), and where it ends before the name.
const CHECKSUM_AT: u64 = 14;
const LOCAL_HEADER: u64 = 30;

/// Takes compressed entries, one after the other.
pub(crate) struct Container<W> {
    out: W,
    position: u64,
    stamp: (u16, u16),
    entries: Vec<Entry>,
}

/// What the headers of an entry say of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    /// Where its local header begins.
    pub(super) header: u64,
    /// DOS time and date (4.4.6).
    pub(super) stamp: (u16, u16),
    pub(super) checksum: u32,
    pub(super) compressed: u64,
    pub(super) length: u64,
}

impl<W: Write + Seek> Container<W> {
    /// `out` must be empty.
    pub(crate) fn new(out: W, at: NaiveDateTime) -> Self {
        Self { out, position: 0, stamp: dos_time(at), entries: Vec::new() }
    }

    /// Begins an entry. Its checksum and lengths are not known yet, so there is room for them.
    pub(crate) fn begin(&mut self, name: &'static str) -> io::Result<()> {
        let (header, stamp) = (self.position, self.stamp);
        let entry = Entry { name, header, stamp, checksum: 0, compressed: 0, length: 0 };
        let local = entry.local();
        self.entries.push(entry);
        self.put(&local.0)
    }

    /// Takes a part of the entry that was begun.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// How long the archive is by now.
    pub(super) fn length(&self) -> u64 {
        self.position
    }

    /// Completes the entry, which was this when it was not compressed. Gives where its bytes begin.
    pub(crate) fn end(&mut self, checksum: &Crc, length: u64) -> io::Result<u64> {
        let Some(entry) = self.entries.last_mut() else { return Ok(0) };
        let extra = entry.header + LOCAL_HEADER + entry.name.len() as u64;
        entry.compressed = self.position - extra - 20;
        entry.checksum = checksum.sum();
        entry.length = length;
        self.out.seek(SeekFrom::Start(entry.header + CHECKSUM_AT))?;
        self.out.write_all(&entry.checksum.to_le_bytes())?;
        self.out.seek(SeekFrom::Start(extra + 4))?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&entry.compressed.to_le_bytes())?;
        self.out.seek(SeekFrom::Start(self.position))?;
        Ok(extra + 20)
    }

    /// Writes the directory, without which the rest is no ZIP.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let directory = directory(&self.entries, self.position);
        self.put(&directory.0)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl Entry {
    /// 4.3.7 local file header, and 4.5.3 ZIP64 field
    pub(super) fn local(&self) -> Record {
        let local = Record::new(*b"PK\x03\x04").short(VERSION);
        let local = self.common(local, ELSEWHERE, ELSEWHERE).text(self.name, 20);
        local.short(ZIP64).short(16).long(self.length).long(self.compressed)
    }

    /// What 4.3.7 and 4.3.12 have in common: flags, method, time, checksum and lengths.
    fn common(&self, record: Record, compressed: u32, length: u32) -> Record {
        let record = record.short(0).short(DEFLATED).short(self.stamp.0).short(self.stamp.1);
        record.word(self.checksum).word(compressed).word(length)
    }

    /// 4.3.12 central directory header
    fn listed(&self) -> Record {
        let numbers = [self.length, self.compressed, self.header];
        let large: Vec<u64> = numbers.into_iter().filter(|&n| short_of(n) == ELSEWHERE).collect();
        // 4.5.3: only what has no room elsewhere stands in the ZIP64 field
        let bytes = u16::try_from(8 * large.len()).unwrap_or_default();
        let extra = if large.is_empty() { 0 } else { 4 + bytes };
        let record = Record::new(*b"PK\x01\x02").short(MADE_BY).short(VERSION);
        let (compressed, length) = (short_of(self.compressed), short_of(self.length));
        let record = self.common(record, compressed, length).text_length(self.name);
        // no comment, the first disk, no internal attributes
        let record = record.short(extra).short(0).short(0).short(0).word(MODE);
        let record = record.word(short_of(self.header)).bytes(self.name.as_bytes());
        if large.is_empty() {
            return record;
        }
        large.into_iter().fold(record.short(ZIP64).short(bytes), Record::long)
    }
}

/// All that follows the entries, where it begins at `start`.
pub(super) fn directory(entries: &[Entry], start: u64) -> Record {
    let listed = entries.iter().fold(Record(Vec::new()), |all, entry| all.bytes(&entry.listed().0));
    let length = listed.0.len() as u64;
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    listed.bytes(&ending(count, start, length, start + length).0)
}

/// 4.3.16 end of central directory, after the ZIP64 one where its numbers have no room.
pub(super) fn ending(count: u16, start: u64, length: u64, at: u64) -> Record {
    let end = Record::new(*b"PK\x05\x06").short(0).short(0).short(count).short(count);
    let end = end.word(short_of(length)).word(short_of(start)).short(0);
    if short_of(start) != ELSEWHERE {
        return end;
    }
    // 4.3.14 ZIP64 end of central directory: 44 bytes follow its length
    let large = Record::new(*b"PK\x06\x06").long(44).short(MADE_BY).short(VERSION);
    let large = large.word(0).word(0).long(count.into()).long(count.into());
    // 4.3.15 its locator
    let large = large.long(length).long(start).bytes(b"PK\x06\x07").word(0).long(at).word(1);
    large.bytes(&end.0)
}

/// A number, or where to look for it.
fn short_of(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(ELSEWHERE)
}

/// ZIP knows the years 1980 to 2107, in steps of two seconds.
fn dos_time(at: NaiveDateTime) -> (u16, u16) {
    let short = |number: u32| u16::try_from(number).unwrap_or_default();
    let time = short((at.hour() << 11) | (at.minute() << 5) | (at.second() / 2));
    match u16::try_from(at.year() - 1980) {
        Ok(year) if year < 128 => (time, (year << 9) | short((at.month() << 5) | at.day())),
        _ => (0, (1 << 5) | 1),
    }
}

/// Numbers in the order in which ZIP stores them (4.4.1.1).
pub(super) struct Record(pub(super) Vec<u8>);

impl Record {
    fn new(signature: [u8; 4]) -> Self {
        Self(signature.to_vec())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn short(self, number: u16) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn word(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn long(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn text_length(self, text: &str) -> Self {
        self.short(u16::try_from(text.len()).unwrap_or_default())
    }

    fn text(self, text: &str, extra: u16) -> Self {
        self.text_length(text).short(extra).bytes(text.as_bytes())
    }
}
