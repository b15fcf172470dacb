//! Compresses one block of a stream, or takes it over from an earlier archive.
//!
//! Each block ends on a byte (a sync flush) and begins with the end of the one before as its
//! dictionary, so that one after the other they are a single DEFLATE stream. What comes out needs
//! these two alone: bytes that an earlier archive has for the same two unpack to the same here.

use std::io;
use std::sync::Arc;

use flate2::{Compress, FlushCompress};
use sha2::{Digest, Sha256};

use super::deflate::{Packing, deflate};
use super::index::{Entry, Key, Previous};

/// DEFLATE looks no further back.
const WINDOW: usize = 32 << 10;

pub(super) type Block = Arc<Vec<u8>>;

/// A block that is compressed.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) entry: Entry,
}

pub(super) struct Packer {
    engine: Compress,
    previous: Option<Arc<Previous>>,
}

impl Packer {
    pub(super) fn new(packing: Packing, previous: Option<Arc<Previous>>) -> Self {
        Self { engine: packing.engine(), previous }
    }

    pub(super) fn pack(&mut self, block: &Block, before: Option<&Block>) -> io::Result<Packed> {
        let before = before.map_or(&[][..], |before| before.as_slice());
        let window = before.get(before.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let key = key_of(window, block);
        if let Some((bytes, entry)) = self.previous.as_ref().and_then(|found| found.find(&key)) {
            return Ok(Packed { bytes, entry });
        }
        self.engine.reset();
        if !window.is_empty() {
            self.engine.set_dictionary(window).map_err(io::Error::other)?;
        }
        let mut bytes = Vec::new();
        deflate(&mut self.engine, block, FlushCompress::Sync, &mut bytes)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let sum = Sha256::digest(&bytes).into();
        Ok(Packed { bytes, entry: Entry { key, sum, length } })
    }
}

/// The length of the window stands between the two: no other pair is the same text.
fn key_of(window: &[u8], block: &[u8]) -> Key {
    let length = (window.len() as u64).to_le_bytes();
    Sha256::new().chain_update(length).chain_update(window).chain_update(block).finalize().into()
}
