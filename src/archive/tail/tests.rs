//! What is taken from the end of an archive is what the reader of any ZIP gives, whatever is wrong.

use std::io::{Cursor, Write};

use chrono::DateTime;
use flate2::write::DeflateEncoder;

use super::super::container::Container;
use super::super::reader::glances;
use super::*;

const JSON: &str =
    r#"{"created_at":"2026-02-01T14:30:25","backup_version":"1.0","records_count":{}}"#;

/// An entry that says of itself what it likes.
#[derive(Clone, Copy)]
struct Told<'b> {
    content: &'b [u8],
    length: u64,
    checksum: u32,
    /// What lies between it and what comes next, and is counted as packed.
    more: &'b [u8],
}

fn honest(content: &[u8]) -> Told<'_> {
    let mut checksum = Crc::new();
    checksum.update(content);
    Told { content, length: content.len() as u64, checksum: checksum.sum(), more: b"" }
}

/// An archive put together as the writer does it.
fn archive(entries: &[(&'static str, Told<'_>)]) -> Vec<u8> {
    let at = DateTime::UNIX_EPOCH.naive_utc() + chrono::TimeDelta::days(20_000);
    let mut zip = Container::new(Cursor::new(Vec::new()), at);
    let mut lies = Vec::new();
    for (name, told) in entries {
        zip.begin(name).expect("begun");
        let mut deflate = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(told.content).expect("compressed");
        zip.put(&deflate.finish().expect("compressed")).expect("written");
        zip.put(told.more).expect("written");
        let mut checksum = Crc::new();
        checksum.update(told.content);
        lies.push((checksum.sum().to_le_bytes(), told.checksum.to_le_bytes()));
        zip.end(&checksum, told.length).expect("ended");
    }
    let mut bytes = zip.finish().expect("finished").into_inner();
    for (truth, told) in lies {
        for at in 0..bytes.len() - 4 {
            if bytes[at..].starts_with(&truth) {
                bytes[at..at + 4].copy_from_slice(&told);
            }
        }
    }
    bytes
}

fn of(data: Told<'_>, metadata: Told<'_>) -> Vec<u8> {
    archive(&[(DATA, data), (METADATA, metadata)])
}

/// Whether the end alone is enough; then any ZIP's reader must say the same.
fn taken(bytes: &[u8], limits: &Limits) -> bool {
    let (quick, any) = glances(|| Box::new(Cursor::new(bytes.to_vec())), limits);
    let taken = quick.is_some();
    assert!(!taken || quick == any.ok(), "it is refused, or another");
    taken
}

#[test]
fn a_lie_in_the_form_of_the_writer_is_left_to_the_reader_of_any_zip() {
    let folder = Limits::folder();
    let (data, good) = (honest(b"{}"), honest(JSON.as_bytes()));
    assert!(taken(&of(data, good), &folder));
    let large = [JSON.as_bytes(), &vec![b' '; 65_536 - JSON.len()]].concat();
    assert!(taken(&of(data, honest(&large)), &folder), "64 KB are allowed");
    let larger = [&large[..], b" "].concat();
    let blanks = vec![b' '; 5 << 20];
    let other = JSON.replace("1.0", "1.1");
    let late = JSON.replace("2026", "2126");
    for (what, bytes) in [
        ("metadata of 64 KB and a byte", of(data, honest(&larger))),
        ("metadata of 5 MB", of(data, honest(&blanks))),
        ("a length that is too short", of(data, Told { length: good.length - 1, ..good })),
        ("a length that is too long", of(data, Told { length: good.length + 1, ..good })),
        ("a length of 4 GB", of(data, Told { length: u32::MAX.into(), ..good })),
        ("a length that is nearly that", of(data, Told { length: 0xffff_fffe, ..good })),
        ("another checksum", of(data, Told { checksum: !good.checksum, ..good })),
        ("no metadata", of(data, honest(b"{}"))),
        ("nothing", of(data, honest(b""))),
        ("another version", of(data, honest(other.as_bytes()))),
        ("a date of another century", of(data, honest(late.as_bytes()))),
        ("data of 4 GB", of(Told { length: u32::MAX.into(), ..data }, good)),
        ("the other order", archive(&[(METADATA, good), (DATA, data)])),
        ("one name twice", archive(&[(METADATA, good), (METADATA, good)])),
        ("data twice", archive(&[(DATA, data), (DATA, data)])),
        ("one entry", archive(&[(METADATA, good)])),
        ("a third entry", archive(&[(DATA, data), (DATA, data), (METADATA, good)])),
        ("something before it", [b"x", &of(data, good)[..]].concat()),
        ("something behind it", [&of(data, good)[..], b"x"].concat()),
        ("nothing at all", Vec::new()),
    ] {
        assert!(!taken(&bytes, &folder), "{what}");
    }
    // what the reader of any ZIP passes over may be passed over here
    assert!(taken(&of(data, Told { more: b"PK\x03\x04", ..good }), &folder));
    assert!(taken(&of(Told { checksum: !data.checksum, ..data }, good), &folder));
}

/// Something between the entries, of which the directory says that the second begins where it did.
fn with_a_gap(gap: &[u8]) -> Vec<u8> {
    let small = of(honest(b"{}"), honest(JSON.as_bytes()));
    let (entries, end) = small.split_at(small.len() - DIRECTORY);
    let data = listed(DATA, end, 0).expect("a record");
    let begin = data.local().0.len() as u64 + data.compressed;
    let second = listed(METADATA, &end[LISTED + DATA.len()..], begin).expect("a record");
    let (first, last) = entries.split_at(usize::try_from(begin).expect("short"));
    let start = (entries.len() + gap.len()) as u64;
    [first, gap, last, &directory(&[data, second], start).0].concat()
}

#[test]
fn metadata_that_lie_elsewhere_than_the_directory_says_are_not_taken() {
    let small = with_a_gap(b"");
    assert!(taken(&small, &Limits::folder()));
    // where a reader of any ZIP would look, other metadata of the same length
    let other = of(honest(b"{}"), honest(JSON.replace("2026", "2020").as_bytes()));
    assert_eq!(other.len(), small.len());
    let begin = small.iter().zip(&other).position(|(a, b)| a != b).expect("they differ") - 14;
    let other = &other[begin..other.len() - DIRECTORY];
    for gap in [b"x", &b"PK\x03\x04"[..], &[0; 500], other] {
        assert!(!taken(&with_a_gap(gap), &Limits::folder()), "{} bytes", gap.len());
    }
}

#[test]
fn the_limits_are_those_of_every_reader() {
    let blanks = vec![b' '; 3 << 20];
    let data = honest(&blanks);
    let bytes = of(data, honest(JSON.as_bytes()));
    let folder = Limits::folder();
    let length = bytes.len() as u64;
    for (limits, within) in [
        (folder, true),
        (folder.archive_bytes(length), true),
        (folder.archive_bytes(length - 1), false),
        (folder.data_bytes(data.length), true),
        (folder.data_bytes(data.length - 1), false),
        (folder.ratio(20), false),
    ] {
        assert_eq!(taken(&bytes, &limits), within, "{limits:?}");
        assert_eq!(glances(|| Box::new(Cursor::new(bytes.clone())), &limits).1.is_ok(), within);
    }
    let bomb = of(Told { length: 4 << 20, ..honest(b"{}") }, honest(JSON.as_bytes()));
    assert!(!taken(&bomb, &folder), "its ratio is no DEFLATE's");
}

#[test]
fn every_byte_that_the_reader_of_any_zip_looks_at_is_looked_at() {
    // incompressible, so that its beginning is not in the end of the archive
    let long: Vec<u8> =
        (0..6000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    for data in [&b"{}"[..], &long] {
        let whole = of(honest(data), honest(JSON.as_bytes()));
        let mut passed_over = 0;
        for at in (0..whole.len()).filter(|at| *at < 80 || whole.len() - at < 600) {
            for change in [1, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                passed_over += usize::from(taken(&bytes, &Limits::folder()));
            }
        }
        assert!(passed_over > 100, "the bytes of the data say nothing of it");
        for first in ["PK\x03\x05", "PK\x01\x02", "MZ\0\0"] {
            let bytes = [first.as_bytes(), &whole[4..]].concat();
            assert!(!taken(&bytes, &Limits::folder()), "{first:?}");
        }
    }
}

#[test]
fn the_end_is_read_at_once() {
    /// How often it was read.
    struct Counted<'b>(Cursor<&'b [u8]>, usize);
    impl Read for Counted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 += 1;
            self.0.read(buffer)
        }
    }
    impl Seek for Counted<'_> {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let long: Vec<u8> =
        (0..6000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    // of a long one the first four bytes too
    for (data, readings) in [(&b"{}"[..], 1), (&long, 2)] {
        let bytes = of(honest(data), honest(JSON.as_bytes()));
        let mut file = Counted(Cursor::new(&bytes), 0);
        assert!(metadata(&mut file, &Limits::folder()).is_some());
        assert_eq!(file.1, readings);
    }
}

/// An archive of so many zeros, but for its first bytes and its end.
struct Sparse {
    first: Vec<u8>,
    end: Vec<u8>,
    end_at: u64,
    at: u64,
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = (self.end_at + self.end.len() as u64).saturating_sub(self.at);
        let read = usize::try_from(rest).expect("short").min(buffer.len());
        for (place, byte) in (self.at..).zip(&mut buffer[..read]) {
            let index = |start| usize::try_from(place - start).expect("short");
            *byte = match place {
                _ if place >= self.end_at => self.end[index(self.end_at)],
                _ => self.first.get(index(0)).copied().unwrap_or_default(),
            };
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => (self.end_at + self.end.len() as u64).saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

/// An archive whose directory begins there, in the writer's form.
fn beginning_at(start: u64) -> Sparse {
    let small = of(honest(b"{}"), honest(JSON.as_bytes()));
    let (local, packed) = {
        let mut entry =
            listed(METADATA, &small[small.len() - DIRECTORY + LISTED + DATA.len()..], 0)
                .expect("a record");
        let packed_at = small.len() - DIRECTORY - usize::try_from(entry.compressed).expect("short");
        let packed = small[packed_at..small.len() - DIRECTORY].to_vec();
        entry.header = start - packed.len() as u64 - 63;
        (entry, packed)
    };
    let mut data = listed(DATA, &small[small.len() - DIRECTORY..], 0).expect("a record");
    data.compressed = local.header - 59;
    data.length = data.compressed;
    let (first, end_at) = (data.local().0, local.header);
    let end = [local.local().0, packed, directory(&[data, local], start).0].concat();
    Sparse { first, end, end_at, at: 0 }
}

#[test]
fn an_archive_of_any_length_is_the_same_to_both() {
    // the last says, where it says where its directory begins, that a ZIP ends there
    for start in [5000, 100 << 20, 4 << 30, 5 << 30, 0x0605_4b50] {
        let (quick, any) = glances(|| Box::new(beginning_at(start)), &Limits::folder());
        let any = any.unwrap_or_else(|error| panic!("{start}: {}", error.chain()));
        let has_room = start < u64::from(u32::MAX);
        assert_eq!(quick, has_room.then_some(any), "{start}");
    }
}
