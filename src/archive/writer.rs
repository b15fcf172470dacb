//! Writes an archive in one pass: the data as it comes, then what it turned out to be.

use std::io::{self, BufWriter, Write};

use chrono::{Datelike, NaiveDateTime, Timelike};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{DATA, METADATA, Metadata, Meter, Origin, WriteSeek};
use crate::error::{Error, ErrorKind, Result};

/// The level at which an archive is as small as the Python system's, in a quarter of its time.
const LEVEL: i64 = 4;

/// Takes the bytes of `data.json`; [`finish`](Self::finish) completes the archive.
pub(crate) struct ArchiveWriter<W: WriteSeek> {
    // the zip writer compresses each write on its own: give it large ones
    data: BufWriter<Data<W>>,
    options: SimpleFileOptions,
}

struct Data<W: WriteSeek> {
    zip: ZipWriter<W>,
    meter: Meter,
}

impl<W: WriteSeek> ArchiveWriter<W> {
    pub(crate) fn begin(out: W, created_at: NaiveDateTime, meter: Meter) -> Result<Self> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .unix_permissions(0o600)
            .last_modified_time(zip_time(created_at));
        let mut zip = ZipWriter::new(out);
        // the length is not known yet, so the header leaves room for one over 4 GB
        zip.start_file(DATA, options.large_file(true)).map_err(failed)?;
        Ok(Self { data: BufWriter::with_capacity(64 << 10, Data { zip, meter }), options })
    }

    /// Completes the archive, which is whole only after this.
    pub(crate) fn finish(self, origin: &Origin) -> Result<(W, Metadata)> {
        let broken = |error: io::Error| written(error);
        let Data { mut zip, meter } =
            self.data.into_inner().map_err(|error| broken(error.into_error()))?;
        let summary = meter.finish().map_err(|reason| Error::new(ErrorKind::Source, reason))?;
        let metadata = Metadata::new(origin, summary);
        let json = serde_json::to_vec_pretty(&metadata).map_err(|error| {
            Error::new(ErrorKind::Internal, "write metadata.json").because(error)
        })?;
        zip.start_file(METADATA, self.options).map_err(failed)?;
        zip.write_all(&json).map_err(broken)?;
        Ok((zip.finish().map_err(failed)?, metadata))
    }
}

impl<W: WriteSeek> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.data.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.data.flush()
    }
}

impl<W: WriteSeek> Write for Data<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.write_all(bytes)?;
        self.zip.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// ZIP knows the years 1980 to 2107, in steps of two seconds.
fn zip_time(at: NaiveDateTime) -> zip::DateTime {
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    u16::try_from(at.year())
        .ok()
        .and_then(|year| {
            zip::DateTime::from_date_and_time(
                year,
                part(at.month()),
                part(at.day()),
                part(at.hour()),
                part(at.minute()),
                part(at.second()),
            )
            .ok()
        })
        .unwrap_or_default()
}

fn failed(error: zip::result::ZipError) -> Error {
    written(error.into())
}

fn written(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidData {
        return Error::new(ErrorKind::Source, "the exported data is not sound").because(error);
    }
    Error::storage("write the archive", error)
}
