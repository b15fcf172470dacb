use std::collections::HashSet;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use sha2::{Digest, Sha256};

use super::super::blocks::LONGEST;
use super::super::{Archive, Compression, Reading, Timer, Unproved};
use super::*;
use crate::backup::Trigger;
use crate::clock::{Clock, SystemClock};

fn origin() -> Origin {
    Origin {
        created_at: NaiveDate::from_ymd_opt(2026, 2, 1)
            .and_then(|day| day.and_hms_opt(14, 30, 25))
            .expect("a time"),
        created_at_utc: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000),
        trigger: Trigger::Manual,
        bot_id: None,
        schema_version: 1,
        sections: Vec::new(),
    }
}

fn meter() -> Meter {
    Meter::new(|_| 1, &Limits::folder())
}

fn reading() -> Reading {
    let (clock, limits): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Limits::folder());
    Reading { limits, timer: Timer::start(&clock, &limits), ahead: true }
}

fn packing(workers: usize) -> Packing {
    Packing { workers: NonZeroUsize::new(workers), ..Packing::default() }
}

fn write_to<W: WriteSeek>(
    out: W,
    packing: Packing,
    previous: Option<Previous>,
    json: &[u8],
) -> Result<Index> {
    let (at, previous) = (origin().created_at, previous.map(Arc::new));
    let mut writer = ArchiveWriter::begin(out, at, meter(), packing, previous)?;
    writer.write_all(json).map_err(written)?;
    writer.finish(&origin()).map(|written| written.index)
}

/// An archive, and what is remembered of it.
fn archive(packing: Packing, previous: Option<Previous>, json: &[u8]) -> (Vec<u8>, Index) {
    let mut out = Cursor::new(Vec::new());
    let index = write_to(&mut out, packing, previous, json).expect("written");
    (out.into_inner(), index)
}

/// What stands in the only section.
fn text_of(archive: &[u8]) -> Vec<u8> {
    let file = Cursor::new(archive.to_vec());
    let mut archive = Archive::open(Box::new(file), meter(), reading()).expect("whole");
    let mut text = Vec::new();
    let mut section = archive.section("t").expect("read").expect("there");
    section.read_to_end(&mut text).expect("read");
    text
}

/// Letters that compress about as text does, from a seed.
fn letters(length: usize) -> Vec<u8> {
    let mut state = length as u64;
    let mut letter = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"aaaaaaaaeeeeeenorst ,.0123456789"[usize::from(state.to_be_bytes()[0] & 31)]
    };
    (0..length).map(|_| letter()).collect()
}

/// A text of so many letters as the only section.
fn json(length: usize) -> Vec<u8> {
    [b"{\"t\":\"", letters(length).as_slice(), b"\"}"].concat()
}

/// Up to so much is one stream.
const SMALL: usize = 1 << 20;
/// What is not text in the JSON of a text.
const FRAME: usize = 8;

/// Around the length of the longest block, and around where blocks and more threads begin.
const LENGTHS: [usize; 9] = [
    0,
    1,
    LONGEST - FRAME,
    LONGEST - FRAME + 1,
    SMALL - FRAME - 1,
    SMALL - FRAME,
    SMALL - FRAME + 1,
    SMALL + LONGEST,
    9 * SMALL / 4 + 7,
];

#[test]
fn our_reader_takes_what_any_number_of_threads_has_written() {
    for length in LENGTHS {
        let json = json(length);
        for workers in [1, 2, 4] {
            let (archive, _) = archive(packing(workers), None, &json);
            assert!(text_of(&archive) == json[5..json.len() - 1], "{length}, {workers} workers");
        }
    }
}

#[test]
fn an_archive_is_proved_whatever_was_read_of_it_and_in_any_order() {
    let data = br#"{"a":["one","two"],"b":{"1":2},"c":[]}"#;
    let large = [br#"{"a":"", "#.as_slice(), &json(3_000_000)[1..]].concat();
    for json in [&data[..], &large] {
        let mut out = Cursor::new(Vec::new());
        let mut writer =
            ArchiveWriter::begin(&mut out, origin().created_at, meter(), packing(3), None)
                .expect("begun");
        writer.write_all(json).expect("written");
        let written = writer.finish(&origin()).expect("finished");
        let whole = out.into_inner();
        let names: Vec<&str> =
            written.metadata.records_count.iter().map(|(name, _)| name).collect();
        let read = |bytes: &[u8], names: &[&str]| {
            let file = Box::new(Cursor::new(bytes.to_vec()));
            let mut unproved = Unproved::open(file, &written, reading())?;
            for name in names {
                let mut section = unproved.archive().section(name)?.expect("it is there");
                std::io::copy(&mut section, &mut std::io::sink()).map_err(super::written)?;
            }
            unproved.prove()
        };
        let backwards: Vec<&str> = names.iter().rev().copied().collect();
        let twice = [&names[..], &names[..]].concat();
        for names in [&names[..], &backwards, &twice, &names[..1], &[]] {
            read(&whole, names).expect("it is what was written");
        }
        for at in (0..whole.len()).step_by(whole.len() / 50) {
            let mut other = whole.clone();
            other[at] ^= 4;
            // what a reader passes over may change: the time, say
            let same = contents(&other) == contents(&whole);
            assert!(same || read(&other, &names).is_err(), "the byte {at} is another");
            assert!(same || read(&other, &[]).is_err(), "the byte {at} is another");
        }
    }
}

/// The archive that this was written as, with these data in it: each length and checksum is right.
fn repacked(written: &Written, data: &[u8]) -> Vec<u8> {
    let metadata = serde_json::to_vec_pretty(&written.metadata).expect("JSON");
    let mut zip = Container::new(Cursor::new(Vec::new()), origin().created_at);
    for (name, content) in [(DATA, data), (METADATA, &metadata)] {
        add(&mut zip, &mut Deflate::new(packing(1), None), name, content).expect("added");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn what_has_changed_in_one_letter_under_a_right_checksum_is_not_what_was_written() {
    let small = br#"{"t":["one","two"],"u":{"1":2}}"#.to_vec();
    for data in [small, json(2_000_000)] {
        let mut writer = ArchiveWriter::begin(
            Cursor::new(Vec::new()),
            origin().created_at,
            meter(),
            packing(1),
            None,
        )
        .expect("begun");
        writer.write_all(&data).expect("written");
        let written = writer.finish(&origin()).expect("finished");
        let proved = |data: &[u8], decode: bool| {
            let file = Box::new(Cursor::new(repacked(&written, data)));
            let mut unproved = Unproved::open(file, &written, reading()).expect("opened");
            if decode {
                let mut section = unproved.archive().section("t").expect("read").expect("there");
                io::copy(&mut section, &mut io::sink()).expect("read");
            }
            unproved.prove()
        };
        let mut other = data.clone();
        let letter = data.len() / 2;
        other[letter] = if data[letter] == b'o' { b'a' } else { b'o' };
        for decode in [true, false] {
            proved(&data, decode).expect("nothing has changed yet");
            let refused = proved(&other, decode).expect_err("a letter is another");
            assert_eq!(refused.to_string(), "data.json is not what was written");
        }
    }
}

/// What Python finds in it is not asked here: only whether our own reader takes it, and for what.
fn contents(archive: &[u8]) -> Option<(String, u64)> {
    let file = Box::new(Cursor::new(archive.to_vec()));
    let archive = Archive::open(file, meter(), reading()).ok()?;
    Some((archive.summary.sha256, archive.summary.bytes))
}

fn previous(archive: &[u8], index: &Index) -> Previous {
    Previous::new(index.clone(), Box::new(Cursor::new(archive.to_vec())))
}

/// How many blocks are the same as in another archive.
fn common(one: &Index, other: &Index) -> usize {
    one.entries.iter().filter(|entry| other.entries.contains(entry)).count()
}

#[test]
fn blocks_that_are_the_same_are_taken_over() {
    let before = json(4_000_000);
    let mut after = before.clone();
    after.splice(1_500_000..1_500_000, *b"one more order");
    after.splice(3_999_000..3_999_100, *b"another");
    for workers in [1, 3] {
        let packing = packing(workers);
        let (first, index) = archive(packing, None, &before);
        assert!(index.entries.len() > 20, "{} blocks", index.entries.len());
        let (second, taken) = archive(packing, Some(previous(&first, &index)), &after);
        assert!(text_of(&second) == after[5..after.len() - 1]);
        let changed = taken.entries.len() - common(&taken, &index);
        assert!((2..=6).contains(&changed), "{changed} of {} blocks", taken.entries.len());

        // they do come from the first: its blocks are given whatever they hold
        let mut marked = index.clone();
        let noise = vec![0x55; first.len()];
        for entry in &mut marked.entries {
            entry.sum = Sha256::digest(&noise[..entry.length as usize]).into();
        }
        let (other, _) = archive(packing, Some(previous(&noise, &marked)), &after);
        let place =
            |archive: &[u8]| archive.split(|byte| *byte != 0x55).map(<[u8]>::len).sum::<usize>();
        assert!(place(&other) > second.len() / 2, "{workers}: {} bytes", place(&other));
    }
}

#[test]
fn nothing_is_taken_over_from_an_archive_that_is_not_what_it_was() {
    let json = json(1_500_000);
    let (first, index) = archive(packing(2), None, &json);
    let mut broken = first.clone();
    for at in (60..broken.len()).step_by(10_000) {
        broken[at] ^= 1;
    }
    let moved = Index { start: index.start + 1, ..index.clone() };
    let half = &first[..first.len() / 2];
    for (file, index) in [(&broken[..], &index), (&first, &moved), (half, &index), (&[], &index)] {
        let (again, _) = archive(packing(2), Some(previous(file, index)), &json);
        assert!(text_of(&again) == json[5..json.len() - 1]);
    }
    // nor from one of another level
    let fast = Packing { compression: Compression::Fast, ..packing(2) };
    let (_, again) = archive(fast, Some(previous(&first, &index)), &json);
    assert_eq!((common(&again, &index), again.level), (0, 2));
}

const PYTHON: &str = "import sys, zipfile; zip = zipfile.ZipFile(sys.argv[1]); \
    assert zip.testzip() is None; sys.stdout.buffer.write(zip.read('data.json'))";

const JAVA: &str = r#"
import java.io.*; import java.util.zip.*;
class Unzip { public static void main(String[] names) throws Exception {
    for (String name : names) {
        try (ZipFile zip = new ZipFile(name); OutputStream out = new FileOutputStream(name + ".java")) {
            zip.getInputStream(zip.getEntry("data.json")).transferTo(out);
        }
        try (ZipInputStream zip = new ZipInputStream(new FileInputStream(name))) {
            zip.getNextEntry();
            try (OutputStream out = new FileOutputStream(name + ".stream")) { zip.transferTo(out); }
        }
    }
} }"#;

/// What a program prints; `None` where it is not installed.
fn printed(words: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new(words[0]).args(&words[1..]).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {told}");
    Some(output.stdout)
}

fn assert_unpacked_by_others(archive: &Path, data: &[u8]) {
    let path = archive.to_str().expect("text");
    for (words, needed) in [
        (vec!["unzip", "-p", path, DATA], true),
        (vec!["7z", "x", "-so", path, DATA], true),
        (vec!["python3", "-c", PYTHON, path], true),
        (vec!["bsdtar", "-xOf", path, DATA], false),
    ] {
        match printed(&words) {
            Some(unpacked) => assert!(unpacked == data, "{words:?}"),
            None => assert!(!needed, "{} is not installed", words[0]),
        }
    }
    printed(&["unzip", "-t", path]);
}

/// Archives of so many letters: by one thread and by several, and one of which the most comes from
/// an earlier archive.
fn archives(length: usize) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let json = json(length);
    let (alone, _) = archive(packing(1), None, &json);
    let (first, index) = archive(packing(3), None, &json);
    let mut other = json.clone();
    other.splice(5 + length / 2..5 + length / 2, *b"one more order");
    let (second, taken) = archive(packing(3), Some(previous(&first, &index)), &other);
    let (common, blocks) = (common(&taken, &index), index.entries.len());
    assert_eq!(blocks > 0, json.len() > SMALL, "{length} letters in {blocks} blocks");
    assert!(common >= blocks - blocks.min(4), "{common} of {blocks} blocks were taken over");
    let lengths: HashSet<_> = index.entries.iter().map(|entry| entry.length).collect();
    assert!(lengths.len() >= blocks / 2, "they are cut where their content says so");
    vec![("alone", alone, json.clone()), ("together", first, json), ("after", second, other)]
}

#[test]
fn other_programs_take_what_any_number_of_threads_has_written() {
    let place = tempfile::tempdir().expect("a folder");
    let mut written = Vec::new();
    for length in LENGTHS {
        for (how, archive, data) in archives(length) {
            let path = place.path().join(format!("{length}_{how}.zip"));
            std::fs::write(&path, archive).expect("written");
            assert_unpacked_by_others(&path, &data);
            written.push((path.display().to_string(), data));
        }
    }
    // one Java for all of them, where there is one
    let source = place.path().join("Unzip.java");
    std::fs::write(&source, JAVA).expect("written");
    let mut words = vec!["java", source.to_str().expect("text")];
    words.extend(written.iter().map(|(path, _)| path.as_str()));
    if printed(&words).is_some() {
        for (path, data) in &written {
            for end in ["java", "stream"] {
                let unpacked = std::fs::read(format!("{path}.{end}")).expect("unpacked");
                assert!(unpacked == *data, "{path} by Java");
            }
        }
    }
}

/// Noise, of which more than 4 GB stay when it is compressed: half an hour in a debug build.
#[test]
#[ignore = "writes 4.5 GB to the folder for temporary files; run it with --release"]
fn other_programs_take_more_than_four_gigabytes() {
    let archive = tempfile::NamedTempFile::new().expect("a file");
    let mut zip = Container::new(archive.reopen().expect("opened"), origin().created_at);
    let (mut deflate, mut checksum) = (Deflate::new(Packing::default(), None), Crc::new());
    zip.begin(DATA).expect("begun");
    let mut state = 1_u64;
    let blocks = 4500_u64 << 20 >> 17;
    for _ in 0..blocks {
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let block: Vec<u8> = noise.take(LONGEST / 8).flatten().collect();
        checksum.update(&block);
        zip.put(deflate.take(block).expect("compressed")).expect("written");
    }
    zip.put(deflate.finish().expect("compressed")).expect("written");
    zip.end(&checksum, blocks << 17).expect("ended");
    let mut deflate = Deflate::new(Packing::default(), None);
    add(&mut zip, &mut deflate, METADATA, b"{}").expect("added");
    zip.finish().expect("finished");
    let path = archive.path().to_str().expect("text");
    assert!(std::fs::metadata(path).expect("there").len() > 4 << 30);
    let test = "import sys, zipfile; assert zipfile.ZipFile(sys.argv[1]).testzip() is None";
    for words in [
        vec!["unzip", "-t", path],
        vec!["7z", "t", "-y", "-tzip", path],
        vec!["python3", "-c", test, path],
        vec!["bsdtar", "-tf", path],
    ] {
        assert!(printed(&words).is_some() || words[0] == "bsdtar", "{} is missing", words[0]);
    }
    let file = std::fs::File::open(path).expect("opened");
    let mut read = zip::ZipArchive::new(file).expect("a zip");
    read.validate_header_consistency().expect("consistent");
    let mut data = read.by_name(DATA).expect("the data");
    assert_eq!(io::copy(&mut data, &mut io::sink()).expect("whole"), blocks << 17);
}

/// A disk that takes so many calls, and no more.
struct Failing {
    file: Cursor<Vec<u8>>,
    calls: usize,
}

impl Failing {
    fn call(&mut self) -> io::Result<()> {
        self.calls = self.calls.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call()
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.call()?;
        self.file.seek(to)
    }
}

#[test]
fn a_disk_that_fails_at_any_call_fails_the_backup() {
    for (length, workers) in [(10, 1), (10, 2), (7 * SMALL / 4, 1), (7 * SMALL / 4, 2)] {
        let json = json(length);
        let disk = |calls| Failing { file: Cursor::new(Vec::new()), calls };
        let least =
            (0..1000).find(|&calls| match write_to(disk(calls), packing(workers), None, &json) {
                Ok(_) => true,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StorageFull, "after {calls} calls");
                    false
                }
            });
        // both headers, their mending, the data, the directory, its end and a flush
        assert!(least.expect("enough calls") > 12, "{least:?}");
    }
}
