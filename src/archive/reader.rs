//! Opens an archive, and trusts nothing in it before it has been checked.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::stream::{Data, File, Place};
use super::{DATA, Limits, METADATA, Metadata, Meter, Sum, Summary, Timer, Written, hex};
use super::{ending, tail};
use crate::backup::Counts;
use crate::error::{Error, Result};

pub(super) const MAX_METADATA_BYTES: u64 = 64 << 10;
/// The bits of a Unix mode that say what kind of file it is, and those of a plain one.
const FILE_KIND: u32 = 0o170_000;
const PLAIN_FILE: u32 = 0o100_000;

/// Reads what an archive says of itself, and not its data: enough for a list.
pub(crate) fn glance(mut file: File, limits: &Limits) -> Result<Metadata> {
    tail::metadata(&mut file, limits).map_or_else(|| look(file, limits), Ok)
}

/// The same of an archive that anybody may have made.
fn look(file: File, limits: &Limits) -> Result<Metadata> {
    let mut zip = open(file, limits)?;
    metadata(&mut zip)
}

/// What the end of an archive gives, and what the reader of any ZIP.
#[cfg(any(fuzzing, test))]
pub(crate) fn glances(
    file: impl Fn() -> File,
    limits: &Limits,
) -> (Option<Metadata>, Result<Metadata>) {
    (tail::metadata(&mut file(), limits), look(file(), limits))
}

/// How an archive is read.
pub(crate) struct Reading {
    pub(crate) limits: Limits,
    pub(crate) timer: Timer,
    /// A second thread may unpack, ahead of the one that reads.
    pub(crate) ahead: bool,
}

/// An archive that was read to its end and found whole.
pub(crate) struct Archive {
    pub(crate) metadata: Metadata,
    pub(crate) summary: Summary,
    place: Place,
    /// The file, while nothing is being unpacked; neither of the two after an error.
    file: Option<File>,
    data: Option<Data>,
    ahead: bool,
    /// What is unpacked is hashed: of an archive that is not known yet to be what was written.
    hashing: bool,
    /// Until it is checked; what comes after that takes the time that the host needs.
    timer: Option<Timer>,
}

impl Archive {
    /// Checks the whole archive: its structure, every checksum, the length, the hash and the names
    /// of the sections that its metadata promises. It stays within the limits.
    pub(crate) fn open(file: File, meter: Meter, reading: Reading) -> Result<Self> {
        let (file, metadata, place) = begin(file, &reading.limits)?;
        let mut data = place.open(file, reading.ahead, None).map_err(broken)?;
        let summary = measure(&mut data, meter, place, &reading)?;
        let Reading { timer, ahead, .. } = reading;
        compare(&metadata, &summary)?;
        let (file, _) = data.close().map_err(broken)?;
        let (file, data, timer) = (Some(file), None, Some(timer));
        Ok(Self { metadata, summary, place, file, data, ahead, hashing: false, timer })
    }

    /// Ends the check: no time is set for what is read from now on.
    pub(crate) fn checked(&mut self) {
        self.timer = None;
    }

    /// The records of each section; none in those that were left out because they held nothing.
    pub(crate) fn counts(&self) -> Counts {
        self.summary.counts().with_empty(self.left_out().iter())
    }

    /// The sections that the source had, and that held nothing.
    pub(crate) fn left_out(&self) -> Vec<String> {
        left_out(&self.metadata, &self.summary)
    }

    /// Exactly the JSON of one section. Sections are cheapest in the order of the archive.
    pub(crate) fn section(&mut self, name: &str) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let Some(span) = self.summary.section(name) else { return Ok(None) };
        let (range, expected) = (span.bytes.clone(), span.sha256);
        let timer = self.timer.clone();
        let data = self.seek(range.start).map_err(broken)?;
        let bytes = data.take(range.end - range.start);
        let proof = expected.map(|expected| (Sha256::new(), expected));
        Ok(Some(Box::new(Proved { bytes, proof, timer })))
    }

    fn seek(&mut self, offset: u64) -> io::Result<&mut Data> {
        // kept whatever happens, so that who reads on meets the same error
        let data = self.take(offset)?;
        let data = self.data.insert(data);
        let skip = offset - data.position();
        if data.skip(skip)? < skip {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(data)
    }

    /// What unpacks, at this offset or before it.
    fn take(&mut self, offset: u64) -> io::Result<Data> {
        let file = match self.data.take() {
            Some(data) if data.position() <= offset => return Ok(data),
            Some(data) => Some(data.close()?.0),
            None => self.file.take(),
        };
        let file = file.ok_or_else(|| io::Error::other("the archive was closed by an error"))?;
        self.place.open(file, self.ahead, self.hashing.then(Sha256::new))
    }
}

/// An archive that was written just now, as its storage gives it back. It is known to be what was
/// written once it is proved, and not before: so one reading is enough to decode it and to prove it.
pub(crate) struct Unproved(Archive);

impl Unproved {
    pub(crate) fn open(file: File, written: &Written, reading: Reading) -> Result<Self> {
        let Reading { limits, timer, ahead } = reading;
        let (file, metadata, place) = begin(file, &limits)?;
        limits.check_ratio(place.length, place.compressed)?;
        if metadata != written.metadata || place.length != written.summary.bytes {
            return Err(Error::damaged("the archive is not what was written"));
        }
        let (file, data, timer) = (Some(file), None, Some(timer));
        let summary = written.summary.clone();
        Ok(Self(Archive { metadata, summary, place, file, data, ahead, hashing: true, timer }))
    }

    /// To be decoded.
    pub(crate) fn archive(&mut self) -> &mut Archive {
        &mut self.0
    }

    /// Reads on to the end: all of it must be what was written.
    pub(crate) fn prove(mut self) -> Result<()> {
        let mut data = self.0.take(u64::MAX).map_err(broken)?;
        data.skip(u64::MAX).map_err(broken)?;
        let length = data.position();
        let (_, hash) = data.close().map_err(broken)?;
        let hash = hash.map(|hash| hex(&hash.finalize()));
        let Summary { bytes, sha256, .. } = &self.0.summary;
        if length == *bytes && hash.as_ref() == Some(sha256) {
            Ok(())
        } else {
            Err(Error::damaged("data.json is not what was written"))
        }
    }
}

/// The bytes of a section, held at their end against what the check of the archive has read.
struct Proved<R> {
    bytes: R,
    /// The hash, and what it must be in the end; `None` where the archive is proved as a whole.
    proof: Option<(Sha256, Sum)>,
    timer: Option<Timer>,
}

impl<R: Read> Read for Proved<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(timer) = &self.timer {
            timer.check().map_err(Error::into_io)?;
        }
        let read = self.bytes.read(buffer)?;
        let Some((hash, expected)) = &mut self.proof else { return Ok(read) };
        if read > 0 || buffer.is_empty() {
            hash.update(buffer.get(..read).unwrap_or_default());
        } else if Sum::from(hash.clone().finalize()) != *expected {
            let reason = "the archive has changed while it was read";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(read)
    }
}

/// Reads all but the data.
fn begin(file: File, limits: &Limits) -> Result<(File, Metadata, Place)> {
    let mut zip = open(file, limits)?;
    zip.validate_header_consistency().map_err(unreadable)?;
    let metadata = metadata(&mut zip)?;
    let data = zip.by_name(DATA).map_err(unreadable)?;
    let place = Place::of(&data).ok_or_else(|| Error::damaged("data.json cannot be found"))?;
    drop(data);
    Ok((zip.into_inner(), metadata, place))
}

/// Opens a ZIP of exactly our two files, with nothing before or after them.
fn open(mut file: File, limits: &Limits) -> Result<ZipArchive<File>> {
    let length = ending::check(&mut file)?;
    limits.check_archive(length)?;
    let mut zip = ZipArchive::new(file).map_err(unreadable)?;
    if zip.len() != 2 || zip.offset() != 0 || zip.has_duplicate_names() {
        return Err(Error::damaged(
            "the archive does not hold exactly data.json and metadata.json",
        ));
    }
    for index in 0..2 {
        let entry = zip.by_index_raw(index).map_err(unreadable)?;
        check_entry(&entry, length)?;
        if entry.name_raw() == DATA.as_bytes() {
            // what it says is believed where it speaks against it
            limits.check_data(entry.size())?;
            limits.check_ratio(entry.size(), entry.compressed_size())?;
        }
    }
    Ok(zip)
}

fn check_entry(entry: &ZipFile<'_, File>, length: u64) -> Result<()> {
    let known = [DATA.as_bytes(), METADATA.as_bytes()].contains(&entry.name_raw());
    let kind = entry.unix_mode().map_or(0, |mode| mode & FILE_KIND);
    if !known || !entry.is_file() || ![0, PLAIN_FILE].contains(&kind) {
        return Err(Error::damaged("the archive holds something that is not a backup's"));
    }
    if entry.compressed_size() > length {
        return Err(Error::damaged("the archive is shorter than what it says it holds"));
    }
    if entry.encrypted() {
        return Err(Error::damaged("the archive is encrypted"));
    }
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Err(Error::damaged("the archive is compressed by another method than DEFLATE"));
    }
    Ok(())
}

fn metadata(zip: &mut ZipArchive<File>) -> Result<Metadata> {
    let entry = zip.by_name(METADATA).map_err(unreadable)?;
    let declared = entry.size();
    let mut json = Vec::new();
    entry.take(MAX_METADATA_BYTES + 1).read_to_end(&mut json).map_err(broken)?;
    if json.len() as u64 > MAX_METADATA_BYTES {
        return Err(Error::damaged("metadata.json is larger than 64 KB"));
    }
    if json.len() as u64 != declared {
        return Err(Error::damaged("metadata.json has another length than the archive says"));
    }
    Metadata::parse(&json)
}

/// Reads the data to its end, where the ZIP's own checksum is compared.
fn measure(data: &mut Data, mut meter: Meter, place: Place, reading: &Reading) -> Result<Summary> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match data.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(broken)?,
        };
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        meter.write_all(bytes).map_err(broken)?;
        reading.limits.check_ratio(data.position(), place.compressed)?;
        reading.timer.check()?;
    }
    meter.finish().map_err(Error::damaged)
}

/// Holds the data against what the metadata promises. The Python system promises no hash, and its
/// counts are of users where ours are of orders.
fn compare(metadata: &Metadata, summary: &Summary) -> Result<()> {
    if metadata.data_bytes.is_some_and(|bytes| bytes != summary.bytes) {
        return Err(Error::damaged("data.json has another length than its metadata says"));
    }
    if metadata.data_sha256.as_ref().is_some_and(|hash| *hash != summary.sha256) {
        return Err(Error::damaged("data.json has another hash than its metadata says"));
    }
    let left_out = left_out(metadata, summary);
    let promised = metadata.records_count.only(|name, _| !left_out.iter().any(|out| out == name));
    let found = summary.sections.iter().map(|section| section.name.as_str());
    if metadata.is_ours() && promised.iter().map(|(name, _)| name).ne(found) {
        return Err(Error::damaged("data.json has other sections than its metadata says"));
    }
    Ok(())
}

fn left_out(metadata: &Metadata, summary: &Summary) -> Vec<String> {
    let written = summary.counts();
    let none = metadata.records_count.only(|name, count| count == 0 && written.get(name).is_none());
    if metadata.is_ours() {
        none.iter().map(|(name, _)| name.to_owned()).collect()
    } else {
        Vec::new()
    }
}

fn unreadable(error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) => broken(error),
        other => Error::damaged("the archive cannot be read").because(other),
    }
}

/// Tells a failing disk from a failing archive.
fn broken(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            Error::damaged("the archive cannot be read").because(error)
        }
        _ => Error::storage("read the archive", error),
    }
}

#[cfg(test)]
mod tests;
