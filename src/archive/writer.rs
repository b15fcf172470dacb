//! Writes an archive in one pass: the data as it comes, then what it turned out to be.

use std::io::{self, Write};
use std::mem;

use chrono::NaiveDateTime;
use flate2::Crc;

use super::container::Container;
use super::deflate::{BLOCK, Deflate, Packing};
use super::{DATA, Limits, METADATA, Metadata, Meter, Origin, WriteSeek};
use crate::error::{Error, ErrorKind, Result};

/// Takes the bytes of `data.json`; [`finish`](Self::finish) completes the archive.
pub(crate) struct ArchiveWriter<W: WriteSeek> {
    zip: Container<W>,
    meter: Meter,
    limits: Limits,
    packing: Packing,
    deflate: Deflate,
    checksum: Crc,
    length: u64,
    /// What came since the last whole block.
    block: Vec<u8>,
}

impl<W: WriteSeek> ArchiveWriter<W> {
    pub(crate) fn begin(
        out: W,
        created_at: NaiveDateTime,
        meter: Meter,
        packing: Packing,
    ) -> Result<Self> {
        let mut zip = Container::new(out, created_at);
        zip.begin(DATA).map_err(written)?;
        Ok(Self {
            zip,
            limits: meter.limits(),
            meter,
            packing,
            deflate: Deflate::new(packing),
            checksum: Crc::new(),
            length: 0,
            block: Vec::new(),
        })
    }

    /// Completes the archive, which is whole only after this.
    pub(crate) fn finish(mut self, origin: &Origin) -> Result<(W, Metadata)> {
        let block = mem::take(&mut self.block);
        self.measure(&block).map_err(written)?;
        let end = self.deflate.finish(block).map_err(written)?;
        self.zip.put(end).map_err(written)?;
        self.zip.end(&self.checksum, self.length).map_err(written)?;
        let summary =
            self.meter.finish().map_err(|reason| Error::new(ErrorKind::Source, reason))?;
        let metadata = Metadata::new(origin, summary);
        let json = serde_json::to_vec_pretty(&metadata).map_err(|error| {
            Error::new(ErrorKind::Internal, "write metadata.json").because(error)
        })?;
        add(&mut self.zip, METADATA, json, self.packing).map_err(written)?;
        Ok((self.zip.finish().map_err(written)?, metadata))
    }

    fn measure(&mut self, block: &[u8]) -> io::Result<()> {
        self.meter.write_all(block)?;
        self.checksum.update(block);
        self.length += block.len() as u64;
        Ok(())
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let block = mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        self.measure(&block)?;
        self.zip.put(self.deflate.take(block)?)?;
        // the last few bytes are counted when it is read back
        self.limits.check_archive(self.zip.length()).map_err(Error::into_io)
    }
}

impl<W: WriteSeek> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK - self.block.len();
        let (now, _) = bytes.split_at(bytes.len().min(room));
        self.block.extend_from_slice(now);
        if self.block.len() == BLOCK {
            self.pass_on()?;
        }
        Ok(now.len())
    }

    /// What is flushed in the middle of a stream only makes it longer.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a small file whole.
fn add<W: WriteSeek>(
    zip: &mut Container<W>,
    name: &'static str,
    content: Vec<u8>,
    packing: Packing,
) -> io::Result<()> {
    let mut checksum = Crc::new();
    checksum.update(&content);
    let length = content.len() as u64;
    zip.begin(name)?;
    zip.put(Deflate::new(packing).finish(content)?)?;
    zip.end(&checksum, length)
}

fn written(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidData {
        return Error::new(ErrorKind::Source, "the exported data is not sound").because(error);
    }
    Error::storage("write the archive", error)
}

#[cfg(test)]
mod tests;
