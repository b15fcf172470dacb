//! An archive: as it comes, or built around any metadata and data, honestly or with one lie.

use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use flate2::write::DeflateEncoder;
use serde_json::Value;

use super::tree::{Pairs, Tree};
use super::{hex, sha256};
use crate::archive::{
    Archive, Container, DATA, Limits, METADATA, Metadata, Meter, Reading, Timer, glances,
};
use crate::backup::{BackupId, Trigger};
use crate::clock::{Clock, SystemClock};
use crate::error::{ErrorKind, Result};

/// Opens an archive. The first byte says what the others are: the bytes of an archive, or how one is
/// built ([`Plan`]), with metadata up to the first zero and data after it. `@bytes`, `@sha256` and
/// `@counts` in the metadata stand for what is true.
///
/// # Panics
/// If the reader gives other data than the archive holds, refuses an honest one, or takes one from a
/// person that it would not take from the folder.
pub fn archive(input: &[u8]) {
    match input.split_first() {
        Some((0, bytes)) => {
            opened(bytes).map_or_else(
                |error| drop(error.chain()),
                |mut archive| {
                    hold(&mut archive, None);
                },
            );
        }
        Some((_, rest)) => built(rest),
        None => {}
    }
}

fn depth_of(section: &str) -> u8 {
    if section == "tickets" { 2 } else { 1 }
}

/// Opens it as one of the folder's, and holds that against what comes of one that a person sends.
fn opened(bytes: &[u8]) -> Result<Archive> {
    let ours = read_within(bytes, Limits::folder(), true);
    let sent = read_within(bytes, Limits::upload(), false);
    match (&ours, &sent) {
        (Ok(ours), Ok(sent)) => {
            assert_eq!((&ours.metadata, &ours.summary), (&sent.metadata, &sent.summary));
        }
        (Ok(_), Err(error)) => assert_eq!(error.kind(), ErrorKind::TooLarge, "{}", error.chain()),
        (Err(_), sent) => assert!(sent.is_err(), "strict limits let through what others do not"),
    }
    ours
}

fn read_within(bytes: &[u8], limits: Limits, ahead: bool) -> Result<Archive> {
    let file = || Box::new(Cursor::new(bytes.to_vec()));
    let (quick, glimpse) = glances(|| file(), &limits);
    if quick.is_some() {
        assert_eq!(quick, glimpse.as_ref().ok().cloned(), "the end shows another archive");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let reading = Reading { limits, timer: Timer::start(&clock, &limits), ahead };
    let archive = Archive::open(file(), Meter::new(depth_of, &limits), reading)?;
    assert_eq!(glimpse.ok().as_ref(), Some(&archive.metadata), "a glance shows another archive");
    Ok(archive)
}

/// How an archive is built: three bytes of the input.
struct Plan {
    stored: [bool; 2],
    metadata_first: bool,
    /// Put together as the writer does it.
    ours: bool,
    lie: Lie,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    Checksum,
    Length,
    MetadataChecksum,
    MetadataLength,
    /// One byte of the archive is another, at so many 256ths of its length.
    Byte(u8, u8),
}

impl Plan {
    fn read(input: &[u8]) -> Option<(Self, &[u8])> {
        let (&[kinds, lie, place], rest) = input.split_first_chunk()?;
        let lie = match lie {
            1 => Lie::Checksum,
            2 => Lie::Length,
            3 => Lie::MetadataChecksum,
            4 => Lie::MetadataLength,
            5.. => Lie::Byte(lie, place),
            0 => Lie::None,
        };
        let stored = [kinds & 1 > 0, kinds & 2 > 0];
        let (metadata_first, ours) = (kinds & 4 > 0, kinds & 8 > 0);
        Some((Self { stored, metadata_first, ours, lie }, rest))
    }

    fn build(&self, metadata: &[u8], data: &[u8]) -> Vec<u8> {
        let [data_stored, metadata_stored] = self.stored;
        let data = Entry {
            name: DATA,
            bytes: data,
            stored: data_stored,
            false_checksum: self.lie == Lie::Checksum,
            false_length: self.lie == Lie::Length,
        };
        let metadata = Entry {
            name: METADATA,
            bytes: metadata,
            stored: metadata_stored,
            false_checksum: self.lie == Lie::MetadataChecksum,
            false_length: self.lie == Lie::MetadataLength,
        };
        let entries = if self.metadata_first { [metadata, data] } else { [data, metadata] };
        let mut zip =
            if self.ours { as_written(&entries).unwrap_or_default() } else { zip(&entries) };
        if let Lie::Byte(change, place) = self.lie {
            let place = zip.len() * usize::from(place) / 256;
            zip[place] ^= change;
        }
        zip
    }
}

struct Entry<'b> {
    name: &'static str,
    bytes: &'b [u8],
    stored: bool,
    false_checksum: bool,
    false_length: bool,
}

impl Entry<'_> {
    fn packed(&self) -> Vec<u8> {
        if self.stored {
            return self.bytes.to_vec();
        }
        let mut deflate = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(self.bytes).and_then(|()| deflate.finish()).unwrap_or_default()
    }

    /// What a local header and one of the directory have in common.
    fn header(&self, packed: usize) -> Vec<u8> {
        let mut checksum = flate2::Crc::new();
        checksum.update(self.bytes);
        let checksum = checksum.sum() ^ u32::from(self.false_checksum);
        let length = long(self.bytes.len() + usize::from(self.false_length));
        let method = if self.stored { 0 } else { 8 };
        let name = u8::try_from(self.name.len()).unwrap_or_default();
        // no flags, and the second of January 2026, midnight
        [
            &[20, 0, 0, 0, method, 0, 0, 0, 0x22, 0x5c],
            &checksum.to_le_bytes()[..],
            &long(packed),
            &length,
            &[name, 0, 0, 0],
        ]
        .concat()
    }
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or_default().to_le_bytes()
}

fn zip(entries: &[Entry<'_>; 2]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let packed = entry.packed();
        let header = entry.header(packed.len());
        directory
            .extend([b"PK\x01\x02\x14\x03", &header[..], &[0; 6], &[0, 0, 0x80, 0x81]].concat());
        directory.extend(long(zip.len()));
        directory.extend(entry.name.as_bytes());
        zip.extend([b"PK\x03\x04", &header[..], entry.name.as_bytes(), &packed].concat());
    }
    let (start, length) = (long(zip.len()), long(directory.len()));
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    zip.extend([length, start].concat());
    zip.extend([0; 2]);
    zip
}

/// The same in the form of the writer, which stores nothing.
fn as_written(entries: &[Entry<'_>; 2]) -> io::Result<Vec<u8>> {
    let mut zip = Container::new(Cursor::new(Vec::new()), DateTime::UNIX_EPOCH.naive_utc());
    for entry in entries {
        let mut checksum = flate2::Crc::new();
        checksum.update(entry.bytes);
        if entry.false_checksum {
            checksum.update(b"more");
        }
        zip.begin(entry.name)?;
        zip.put(&Entry { stored: false, ..*entry }.packed())?;
        zip.end(&checksum, (entry.bytes.len() + usize::from(entry.false_length)) as u64)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn built(input: &[u8]) {
    let Some((plan, rest)) = Plan::read(input) else { return };
    let mut halves = rest.splitn(2, |&byte| byte == 0);
    let (Some(template), data) = (halves.next(), halves.next().unwrap_or_default()) else { return };
    let sections = serde_json::from_slice::<Pairs<Tree>>(data).ok();
    let metadata = filled(&String::from_utf8_lossy(template), data, sections.as_ref());
    let honest = Metadata::parse(metadata.as_bytes());
    if let (Ok(honest), Ok(value)) = (&honest, serde_json::from_str(&metadata)) {
        said(honest, &value);
    }
    let outcome = opened(&plan.build(metadata.as_bytes(), data));
    match plan.lie {
        Lie::None => {
            if let (Ok(honest), Some(sections)) = (&honest, &sections)
                && within_limits(data, sections)
            {
                let problem = outcome.as_ref().err().map(crate::Error::chain);
                assert_eq!(outcome.is_ok(), is_kept(honest, data, sections), "{problem:?}");
            }
        }
        Lie::Byte(..) => {}
        _ => assert!(outcome.is_err(), "a lie was believed"),
    }
    if let Ok(mut archive) = outcome {
        assert_eq!(Some(&archive.metadata), honest.as_ref().ok(), "the metadata is another");
        hold(&mut archive, Some(data));
    }
}

/// Metadata say what stands under each name; what is missing or `null` they do not know.
fn said(metadata: &Metadata, value: &Value) {
    if !value.is_object() {
        // a list in the order of the fields has no names
        return;
    }
    let (text, number) = (|name| value[name].as_str(), |name| value[name].as_u64());
    let at = text("created_at").and_then(|at| at.parse::<NaiveDateTime>().ok());
    assert_eq!(Some(metadata.created_at), at);
    let utc = text("created_at_utc").and_then(|at| at.parse::<DateTime<Utc>>().ok());
    assert_eq!(metadata.created_at_utc, utc);
    let trigger = match text("trigger") {
        Some("manual") => Some(Trigger::Manual),
        Some("scheduled") => Some(Trigger::Scheduled),
        Some("before_restore") => Some(Trigger::BeforeRestore),
        _ => None,
    };
    assert_eq!(metadata.trigger, trigger);
    assert_eq!(metadata.bot_id, number("bot_id"));
    assert_eq!(metadata.schema_version.map(u64::from), number("schema_version"));
    assert_eq!(metadata.comment.as_deref(), text("comment"));
    assert_eq!(metadata.data_bytes, number("data_bytes"));
    assert_eq!(metadata.data_sha256.as_deref(), text("data_sha256"));
    let counts = value["records_count"].as_object().into_iter().flatten();
    let mut counts: Vec<_> = counts.map(|(name, count)| (name.as_str(), count.as_u64())).collect();
    let found = metadata.records_count.iter();
    let mut found: Vec<_> = found.map(|(name, count)| (name, Some(count))).collect();
    counts.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, counts);
}

/// The metadata with what is true in its places.
fn filled(template: &str, data: &[u8], sections: Option<&Pairs<Tree>>) -> String {
    let counts: Vec<String> = sections
        .map_or(&[][..], |sections| &sections.0)
        .iter()
        .map(|(name, tree)| {
            format!("{}:{}", serde_json::Value::from(&name[..]), tree.records(depth_of(name)))
        })
        .collect();
    template
        .replace("@bytes", &data.len().to_string())
        .replace("@sha256", &sha256(data))
        .replace("@counts", &counts.join(","))
}

/// Whether the frame's own limits leave room for it.
fn within_limits(data: &[u8], sections: &Pairs<Tree>) -> bool {
    let deepest = data.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    let longest = sections.0.iter().map(|(name, _)| name.len()).max();
    // a letter of a name may be spelled with six
    deepest < 100 && sections.are_unique() && sections.0.len() <= 1000 && longest < Some(150)
}

/// Whether the data is what the metadata promises.
fn is_kept(metadata: &Metadata, data: &[u8], sections: &Pairs<Tree>) -> bool {
    let length = metadata.data_bytes.is_none_or(|bytes| bytes == data.len() as u64);
    let hash = metadata.data_sha256.as_ref().is_none_or(|hash| *hash == sha256(data));
    let ours = metadata.data_bytes.is_some() && metadata.data_sha256.is_some();
    let found: Vec<&str> = sections.0.iter().map(|(name, _)| name.as_str()).collect();
    let promised = metadata.records_count.iter();
    let promised = promised.filter(|(name, count)| *count > 0 || found.contains(name));
    length && hash && (!ours || promised.map(|(name, _)| name).eq(found.iter().copied()))
}

/// Whatever was opened gives exactly what is in it, in any order and as often as it is asked.
fn hold(archive: &mut Archive, data: Option<&[u8]>) {
    let summary = archive.summary.clone();
    if let Some(data) = data {
        assert_eq!((summary.bytes, &summary.sha256), (data.len() as u64, &sha256(data)));
    }
    let first: Vec<Vec<u8>> =
        summary.sections.iter().map(|span| read(archive, &span.name)).collect();
    for (span, bytes) in summary.sections.iter().zip(&first) {
        assert_eq!(bytes.len() as u64, span.bytes.end - span.bytes.start, "{}", span.name);
        let hash = span.sha256.map(|hash| hex(&hash));
        assert_eq!(Some(sha256(bytes)), hash, "{}", span.name);
        if let Some(data) = data {
            let place = usize::try_from(span.bytes.start).unwrap_or(usize::MAX);
            assert!(data[place..].starts_with(bytes), "{} lies elsewhere", span.name);
        }
        if let Ok(tree) = serde_json::from_slice::<Tree>(bytes) {
            let counted = archive.counts().get(&span.name);
            assert_eq!(counted, Some(tree.records(depth_of(&span.name)) as u64), "{}", span.name);
        }
    }
    for (span, bytes) in summary.sections.iter().zip(&first).rev() {
        assert_eq!(read(archive, &span.name), *bytes, "{} at a second reading", span.name);
    }
    for name in archive.left_out() {
        assert_eq!(archive.counts().get(&name), Some(0), "{name} was left out");
        assert!(archive.section(&name).is_ok_and(|section| section.is_none()), "{name}");
    }
    let name = BackupId::new(archive.metadata.created_at, 1);
    assert_eq!(BackupId::parse(&name.to_string()), Some(name), "a name that is not one");
}

fn read(archive: &mut Archive, section: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let opened = archive.section(section);
    let outcome = opened.map(|section| section.map(|mut json| json.read_to_end(&mut bytes)));
    assert!(matches!(outcome, Ok(Some(Ok(_)))), "«{section}» cannot be read");
    bytes
}
