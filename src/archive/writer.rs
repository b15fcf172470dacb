//! Writes an archive in one pass: the data as it comes, then what it turned out to be.

use std::io::{self, Write};
use std::sync::Arc;

use chrono::NaiveDateTime;
use flate2::Crc;

use super::blocks::Blocks;
use super::container::Container;
use super::deflate::{Deflate, Packing};
use super::index::{Index, Previous};
use super::{DATA, Limits, METADATA, Metadata, Meter, Origin, Summary, WriteSeek};
use crate::error::{Error, ErrorKind, Result, Unsound};

/// What an archive holds that was written.
pub(crate) struct Written {
    pub(crate) metadata: Metadata,
    pub(crate) summary: Summary,
    pub(crate) index: Index,
}

/// Takes the bytes of `data.json`; [`finish`](Self::finish) completes the archive.
pub(crate) struct ArchiveWriter<W: WriteSeek> {
    zip: Container<W>,
    meter: Meter,
    limits: Limits,
    packing: Packing,
    deflate: Deflate,
    checksum: Crc,
    length: u64,
    blocks: Blocks,
}

impl<W: WriteSeek> ArchiveWriter<W> {
    /// Blocks that are the same in an earlier archive are taken over from it.
    pub(crate) fn begin(
        out: W,
        created_at: NaiveDateTime,
        meter: Meter,
        packing: Packing,
        previous: Option<Arc<Previous>>,
    ) -> Result<Self> {
        let mut zip = Container::new(out, created_at);
        zip.begin(DATA).map_err(written)?;
        Ok(Self {
            zip,
            limits: meter.limits(),
            meter: meter.of_the_whole(),
            packing,
            deflate: Deflate::new(packing, previous),
            checksum: Crc::new(),
            length: 0,
            blocks: Blocks::new(),
        })
    }

    /// Completes the archive, which is whole only after this.
    pub(crate) fn finish(mut self, origin: &Origin) -> Result<Written> {
        while self.pass_on().map_err(written)? {}
        self.zip.put(self.deflate.finish().map_err(written)?).map_err(written)?;
        let start = self.zip.end(&self.checksum, self.length).map_err(written)?;
        let summary =
            self.meter.finish().map_err(|reason| Error::new(ErrorKind::Source, reason))?;
        let metadata = Metadata::new(origin, &summary);
        let json = serde_json::to_vec_pretty(&metadata).map_err(|error| {
            Error::new(ErrorKind::Internal, "write metadata.json").because(error)
        })?;
        add(&mut self.zip, &mut self.deflate, METADATA, &json).map_err(written)?;
        self.zip.finish().map_err(written)?;
        let entries = self.deflate.entries();
        let index = Index { level: self.packing.level(), start, entries };
        Ok(Written { metadata, summary, index })
    }

    /// Passes a block on; false where nothing was left.
    fn pass_on(&mut self) -> io::Result<bool> {
        let block = self.blocks.cut();
        if block.is_empty() {
            return Ok(false);
        }
        self.meter.write_all(&block)?;
        self.checksum.update(&block);
        self.length += block.len() as u64;
        self.zip.put(self.deflate.take(block)?)?;
        // the last few bytes are counted when it is read back
        self.limits.check_archive(self.zip.length()).map_err(Error::into_io)?;
        Ok(true)
    }
}

impl<W: WriteSeek> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.blocks.take(bytes);
        if self.blocks.is_full() {
            self.pass_on()?;
        }
        Ok(taken)
    }

    /// What is flushed in the middle of a stream only makes it longer.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a small file whole.
fn add<W: WriteSeek>(
    zip: &mut Container<W>,
    deflate: &mut Deflate,
    name: &'static str,
    content: &[u8],
) -> io::Result<()> {
    let mut checksum = Crc::new();
    checksum.update(content);
    zip.begin(name)?;
    zip.put(deflate.whole([content])?)?;
    zip.end(&checksum, content.len() as u64).map(|_| ())
}

fn written(error: io::Error) -> Error {
    if Unsound::is(&error) {
        return Error::new(ErrorKind::Source, "the exported data is not sound").because(error);
    }
    Error::storage("write the archive", error)
}

#[cfg(test)]
mod tests;
