//! What is remembered of the blocks of the newest archive, so that the next one can take over those
//! that are the same. A notebook: lost or damaged, a backup takes longer, and nothing else.

use std::collections::HashMap;
use std::io::{self, Read, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::{ReadSeek, Sum};

const MAGIC: [u8; 8] = *b"bkpblk\x00\x01";
/// The key, the hash and the length of a block.
const ENTRY: usize = 32 + 32 + 4;
/// Those of an archive of 64 GB.
const LONGEST: usize = ENTRY << 21;
/// Blocks are no longer, compressed or not.
const LONGEST_BLOCK: usize = 256 << 10;

/// Says what was compressed: the block, and what of the one before it DEFLATE can look back to.
pub(super) type Key = Sum;

/// A block as it lies in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The hash of its compressed bytes.
    pub(super) sum: Sum,
    pub(super) length: u32,
}

/// The blocks of one archive, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Blocks of another level would make an archive that nobody asked for.
    pub(super) level: u8,
    /// Where the first one begins in the file.
    pub(super) start: u64,
    pub(super) entries: Vec<Entry>,
}

impl Index {
    /// The index as it is kept, for the archive of this name.
    pub(crate) fn to_bytes(&self, archive: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::try_from(archive.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(archive.as_bytes());
        bytes.push(self.level);
        bytes.extend(self.start.to_le_bytes());
        for Entry { key, sum, length } in &self.entries {
            bytes.extend(key);
            bytes.extend(sum);
            bytes.extend(length.to_le_bytes());
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend(sum);
        bytes
    }

    /// Whether the archive was too short to have blocks.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The index and the name of its archive; `None` where these bytes are not exactly one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(String, Self)> {
        let (bytes, sum) = bytes.split_last_chunk::<32>().filter(|_| bytes.len() <= LONGEST)?;
        if Sum::from(Sha256::digest(bytes)) != *sum {
            return None;
        }
        let bytes = bytes.strip_prefix(&MAGIC)?;
        let (length, bytes) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (archive, bytes) = bytes.split_at_checked(length)?;
        let (level, bytes) = bytes.split_first()?;
        let (start, bytes) = bytes.split_first_chunk::<8>()?;
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        let entries = entries.iter().map(Entry::parse).collect::<Option<_>>()?;
        let index = Self { level: *level, start: u64::from_le_bytes(*start), entries };
        rest.is_empty().then(|| String::from_utf8(archive.to_vec()).ok())?.map(|name| (name, index))
    }
}

impl Entry {
    fn parse(bytes: &[u8; ENTRY]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk::<32>()?;
        let (sum, length) = rest.split_first_chunk::<32>()?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        Some(Self { key: *key, sum: *sum, length })
    }
}

/// An earlier archive, whose blocks may be taken over.
pub(crate) struct Previous {
    level: u8,
    /// Where a block lies, how long it is and what its hash is.
    blocks: HashMap<Key, (u64, Entry)>,
    file: Mutex<Box<dyn ReadSeek>>,
}

impl Previous {
    pub(crate) fn new(index: Index, file: Box<dyn ReadSeek>) -> Self {
        let mut at = index.start;
        let place = |entry: Entry| {
            let found = (entry.key, (at, entry));
            at = at.saturating_add(entry.length.into());
            found
        };
        let blocks = index.entries.into_iter().map(place).collect();
        Self { level: index.level, blocks, file: Mutex::new(file) }
    }

    pub(super) fn is_of(&self, level: u8) -> bool {
        self.level == level
    }

    /// The compressed bytes of a block. `None` where there is none of that key, and where what lies
    /// there is not what was written.
    pub(super) fn find(&self, key: &Key) -> Option<(Vec<u8>, Entry)> {
        let (at, entry) = self.blocks.get(key)?;
        // a host's storage may panic, too: then the block is compressed as if there were no other
        let read = catch_unwind(AssertUnwindSafe(|| self.read(*at, entry.length)));
        let bytes = read.ok()?.ok()?;
        (Sum::from(Sha256::digest(&bytes)) == entry.sum).then_some((bytes, *entry))
    }

    fn read(&self, at: u64, length: u32) -> io::Result<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::with_capacity((length as usize).min(LONGEST_BLOCK));
        file.by_ref().take(length.into()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn index() -> Index {
        let entry = |number: u8, text: &[u8]| Entry {
            key: [number; 32],
            sum: Sha256::digest(text).into(),
            length: u32::try_from(text.len()).expect("short"),
        };
        Index { level: 4, start: 3, entries: vec![entry(1, b"first"), entry(2, b"second")] }
    }

    #[test]
    fn it_reads_what_it_wrote_and_nothing_else() {
        let bytes = index().to_bytes("backup_20260201_143025.zip");
        let name = "backup_20260201_143025.zip".to_owned();
        assert_eq!(Index::parse(&bytes), Some((name, index())));
        for end in 0..bytes.len() {
            assert_eq!(Index::parse(&bytes[..end]), None);
            let mut changed = bytes.clone();
            changed[end] ^= 1;
            assert_eq!(Index::parse(&changed), None, "byte {end}");
        }
        assert_eq!(Index::parse(&[&bytes[..], b"."].concat()), None);
    }

    #[test]
    fn a_block_is_given_only_as_it_was_written() {
        let previous = |file: &[u8]| Previous::new(index(), Box::new(Cursor::new(file.to_vec())));
        let good = previous(b"PK.firstsecond and the rest");
        assert_eq!(good.find(&[1; 32]).map(|(bytes, _)| bytes), Some(b"first".to_vec()));
        assert_eq!(good.find(&[2; 32]).map(|(bytes, _)| bytes), Some(b"second".to_vec()));
        assert_eq!(good.find(&[3; 32]), None);
        let bad = previous(b"PK.fIrstseco");
        assert_eq!((bad.find(&[1; 32]), bad.find(&[2; 32])), (None, None));
    }
}
