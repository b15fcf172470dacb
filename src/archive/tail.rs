//! The end of an archive that this library has made. Its metadata lie there beside the directory, so
//! one reading is enough for a list. Nothing is taken here but what is, byte for byte, how the writer
//! puts its entries together; all else is for the reader of any ZIP to take or to refuse.

use std::io::{Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::container::{Entry, directory};
use super::reader::MAX_METADATA_BYTES;
use super::{DATA, Limits, METADATA, Metadata};

/// Room for the metadata of about a hundred sections.
const MOST: usize = 4096;
/// A record of the directory before its name, and the end record, where nothing needs ZIP64.
const LISTED: usize = 46;
const END: usize = 22;
const DIRECTORY: usize = LISTED + DATA.len() + LISTED + METADATA.len() + END;

/// What an archive says of itself; `None` where the reader of any ZIP must look at it.
pub(super) fn metadata(
    file: &mut (impl Read + Seek + ?Sized),
    limits: &Limits,
) -> Option<Metadata> {
    let length = file.seek(SeekFrom::End(0)).ok()?;
    limits.check_archive(length).ok()?;
    let mut buffer = [0; MOST];
    let tail = usize::try_from(length).map_or(MOST, |length| length.min(MOST));
    let tail = buffer.get_mut(..tail)?;
    file.seek(SeekFrom::Start(length - tail.len() as u64)).ok()?;
    file.read_exact(tail).ok()?;
    let json = described(tail, length, limits)?;
    begins_with_an_entry(file, tail, length)?;
    Metadata::parse(&json).ok()
}

/// The metadata in the end of an archive of this length, if all around them is the writer's.
fn described(tail: &[u8], length: u64, limits: &Limits) -> Option<Vec<u8>> {
    let (entries, end) = tail.split_last_chunk::<DIRECTORY>()?;
    let (first, second) = end.split_at(LISTED + DATA.len());
    let data = listed(DATA, first, 0)?;
    let metadata = listed(METADATA, second, data.local().0.len() as u64 + data.compressed)?;
    limits.check_data(data.length).ok()?;
    limits.check_ratio(data.length, data.compressed).ok()?;
    let packed = entries.len().checked_sub(usize::try_from(metadata.compressed).ok()?)?;
    let (before, packed) = entries.split_at_checked(packed)?;
    let (local, start) = (metadata.local().0, length - DIRECTORY as u64);
    let whole = metadata.header + local.len() as u64 + metadata.compressed == start
        && before.ends_with(&local)
        && *end == *directory(&[data, metadata.clone()], start).0;
    if whole { unpack(packed, &metadata) } else { None }
}

/// An entry as a record of the directory gives it, whose other fields are compared later.
fn listed(name: &'static str, record: &[u8], header: u64) -> Option<Entry> {
    let short = |at: usize| Some(u16::from_le_bytes(*record.get(at..)?.first_chunk()?));
    let word = |at: usize| Some(u32::from_le_bytes(*record.get(at..)?.first_chunk()?));
    Some(Entry {
        name,
        header,
        stamp: (short(12)?, short(14)?),
        checksum: word(16)?,
        compressed: word(20)?.into(),
        length: word(24)?.into(),
    })
}

fn unpack(packed: &[u8], entry: &Entry) -> Option<Vec<u8>> {
    if entry.length > MAX_METADATA_BYTES {
        return None;
    }
    let mut json = Vec::with_capacity(usize::try_from(entry.length).ok()? + 1);
    DeflateDecoder::new(packed).take(entry.length + 1).read_to_end(&mut json).ok()?;
    let mut checksum = Crc::new();
    checksum.update(&json);
    let whole = json.len() as u64 == entry.length && checksum.sum() == entry.checksum;
    whole.then_some(json)
}

/// The reader of any ZIP looks for one there, in a list too.
fn begins_with_an_entry(
    file: &mut (impl Read + Seek + ?Sized),
    tail: &[u8],
    length: u64,
) -> Option<()> {
    let mut first = [0; 4];
    if tail.len() as u64 == length {
        first = *tail.first_chunk()?;
    } else {
        file.seek(SeekFrom::Start(0)).ok()?;
        file.read_exact(&mut first).ok()?;
    }
    (first == *b"PK\x03\x04").then_some(())
}

#[cfg(test)]
mod tests;
