//! Archives that have changed by chance: each is refused or gives exactly the same.

use std::io::{Cursor, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;

use super::super::container::Container;
use super::super::deflate::Deflate;
use super::super::{ArchiveWriter, Limits, Origin, Packing};
use super::*;
use crate::backup::Trigger;
use crate::clock::{Clock, SystemClock};
use crate::error::ErrorKind;
use crate::source::Import;

/// The beginning of an archive.
#[derive(Clone)]
struct Cut(Arc<[u8]>, usize);

impl Cut {
    fn whole(bytes: Vec<u8>) -> Self {
        Self(bytes.into(), usize::MAX)
    }
}

impl AsRef<[u8]> for Cut {
    fn as_ref(&self) -> &[u8] {
        &self.0[..self.1.min(self.0.len())]
    }
}

/// All that a reader can learn of an archive.
#[derive(Debug, PartialEq)]
struct Contents {
    metadata: Metadata,
    counts: Counts,
    left_out: Vec<String>,
    sections: Vec<(String, Vec<u8>)>,
}

fn contents(bytes: Cut) -> Result<Contents> {
    contents_of(Box::new(Cursor::new(bytes)))
}

fn contents_of(file: File) -> Result<Contents> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limits = Limits::folder();
    let depth = |name: &str| if name == "tickets" { 2 } else { 1 };
    let reading = Reading { limits, timer: Timer::start(&clock, &limits), ahead: true };
    let mut archive = Archive::open(file, Meter::new(depth, &limits), reading)?;
    let names: Vec<String> = archive.summary.counts().iter().map(|(name, _)| name.into()).collect();
    let mut sections = Vec::new();
    for name in names {
        let mut json = Vec::new();
        let section = archive.section(&name)?;
        section.expect("it is there").read_to_end(&mut json).map_err(broken)?;
        sections.push((name, json));
    }
    let (counts, left_out) = (archive.counts(), archive.left_out());
    Ok(Contents { metadata: archive.metadata, counts, left_out, sections })
}

fn origin(sections: &[&str]) -> Origin {
    Origin {
        created_at: DateTime::UNIX_EPOCH.naive_utc() + chrono::TimeDelta::days(20_000),
        created_at_utc: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000),
        trigger: Trigger::Scheduled,
        bot_id: Some(777),
        schema_version: 3,
        sections: sections.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn write(json: &[u8], workers: usize) -> Vec<u8> {
    let packing = Packing { workers: NonZeroUsize::new(workers), ..Packing::default() };
    let meter = Meter::new(|name| if name == "tickets" { 2 } else { 1 }, &Limits::folder());
    let origin = origin(&["tickets", "bonuses", "gone"]);
    let mut out = Cursor::new(Vec::new());
    let writer = ArchiveWriter::begin(&mut out, origin.created_at, meter, packing, None);
    let mut writer = writer.expect("begun");
    writer.write_all(json).expect("written");
    writer.finish(&origin).expect("finished");
    out.into_inner()
}

/// Data of so many clients.
fn json(clients: u64) -> Vec<u8> {
    let each = |of: &dyn Fn(u64) -> String| {
        (0..clients).map(|n| format!("\"{n}\":{}", of(n))).collect::<Vec<_>>().join(",")
    };
    let number = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let tickets = each(&|n| format!(r#"{{"a{}":{{"fio":"Иван {n}"}},"b":[{n}]}}"#, number(n)));
    let bonuses = each(&|n| number(n).to_string());
    format!(r#"{{"tickets":{{{tickets}}},"bonuses":{{{bonuses}}},"reviews":[]}}"#).into_bytes()
}

/// An archive of one block, and one of many that several threads have compressed.
fn small() -> Vec<u8> {
    write(&json(20), 1)
}

fn large() -> Vec<u8> {
    let data = json(25_000);
    assert!(data.len() > 6 * super::super::blocks::LONGEST, "{} bytes", data.len());
    write(&data, 3)
}

fn fixtures() -> Vec<Vec<u8>> {
    let names =
        ["backup_20260118_090000.zip", "backup_20260125_100000.zip", "backup_20260201_143025.zip"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-archives");
    names.iter().map(|name| std::fs::read(folder.join(name)).expect("a fixture")).collect()
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit.max(1) as u64).expect("below a usize")
    }

    /// A place in so many bytes: as often as not in the headers at the beginning or the end.
    fn place(&mut self, length: usize) -> usize {
        match self.below(4) {
            0 => self.below(length.min(80)),
            1 => length - 1 - self.below(length.min(500)),
            _ => self.below(length),
        }
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.place(length);
        let most = [4, 64, 1000, length][self.below(4)];
        start..(start + 1 + self.below(most)).min(length)
    }
}

/// One accident out of nine kinds.
fn corrupt(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let length = bytes.len();
    let range = dice.range(length);
    match dice.below(9) {
        0 => (0..=dice.below(4))
            .for_each(|_| bytes[dice.place(length)] = dice.number().to_be_bytes()[0]),
        1 => (0..=dice.below(3)).for_each(|_| bytes[dice.place(length)] ^= 1 << dice.below(8)),
        2 => bytes[range].fill(0),
        3 => drop(bytes.drain(range)),
        4 => {
            let copy = bytes[range].to_vec();
            let at = dice.place(length);
            bytes.splice(at..at, copy);
        }
        5 => {
            let part: Vec<u8> = bytes.drain(range).collect();
            let at = dice.below(bytes.len() + 1);
            bytes.splice(at..at, part);
        }
        6 => {
            let at = dice.below(length - range.len() + 1);
            bytes.copy_within(range, at);
        }
        7 => {
            let end = bytes.split_off(dice.place(length));
            let kept = dice.below(end.len() + 1);
            bytes.extend(&end[end.len() - kept..]);
        }
        _ => {
            bytes.truncate(dice.place(length));
            let more = dice.below(200);
            bytes.extend((0..more).map(|_| dice.number().to_be_bytes()[0]));
        }
    }
}

/// Whether it is refused; what is taken must be the same, and be listed as the same.
fn refused(bytes: Cut, whole: &Contents, what: &dyn std::fmt::Display) -> bool {
    let (quick, any) = glances(|| Box::new(Cursor::new(bytes.clone())), &Limits::folder());
    assert!(quick.is_none() || quick == any.ok(), "{what} ends otherwise than it says");
    if let Ok(listed) = glance(Box::new(Cursor::new(bytes.clone())), &Limits::folder()) {
        assert_eq!(listed, whole.metadata, "{what} is listed as another");
    }
    match contents(bytes) {
        Ok(found) => assert!(found == *whole, "{what} holds other data"),
        Err(error) => {
            let kind = error.kind();
            assert!(
                [ErrorKind::Damaged, ErrorKind::TooLarge, ErrorKind::UnknownVersion]
                    .contains(&kind),
                "{what}: {kind:?}"
            );
            return true;
        }
    }
    false
}

fn assert_corruptions(archive: &[u8], accidents: usize, seed: u64) {
    let whole = contents(Cut::whole(archive.to_vec())).expect("whole");
    let mut dice = Dice(seed);
    let mut taken = 0;
    for number in 0..accidents {
        let mut bad = archive.to_vec();
        corrupt(&mut bad, &mut dice);
        let changed = bad != archive;
        let refused = refused(Cut::whole(bad), &whole, &format!("accident {number} of {seed}"));
        assert!(changed || !refused, "accident {number} of {seed} is none");
        taken += usize::from(changed && !refused);
    }
    // dates and the like, which nobody reads; the rest is seen
    assert!(taken < 1 + accidents / 10, "{taken} of {accidents} are not noticed");
}

fn assert_cuts(archive: &[u8], every: usize) {
    let whole = contents(Cut::whole(archive.to_vec())).expect("whole");
    let bytes: Arc<[u8]> = archive.into();
    for length in (0..archive.len()).step_by(every) {
        let cut = Cut(Arc::clone(&bytes), length);
        assert!(refused(cut, &whole, &format!("{length} bytes of it")), "{length} bytes of it");
    }
}

#[test]
fn what_has_changed_by_accident_is_refused_or_the_same() {
    assert_corruptions(&small(), 1500, 1);
    assert_corruptions(&large(), 30, 2);
    for (archive, seed) in fixtures().iter().zip(3..) {
        assert_corruptions(archive, 200, seed);
    }
}

#[test]
#[ignore = "takes long: 24,000 accidents, half a minute"]
fn what_has_changed_by_any_of_many_accidents_is_refused_or_the_same() {
    for seed in 10..18 {
        assert_corruptions(&small(), 1500, seed);
        assert_corruptions(&large(), 300, seed);
        for archive in fixtures() {
            assert_corruptions(&archive, 400, seed);
        }
    }
}

#[test]
fn what_is_cut_off_anywhere_is_refused() {
    assert_cuts(&small(), 1);
    assert_cuts(&large(), 101);
    for archive in fixtures() {
        assert_cuts(&archive, 1);
    }
}

#[test]
#[ignore = "takes long: half a million cuts"]
fn what_is_cut_off_after_any_block_is_refused() {
    assert_cuts(&large(), 1);
}

#[test]
fn no_bit_can_be_turned_unnoticed() {
    let archive = write(br#"{"tickets":{},"bonuses":{"1":5},"reviews":[]}"#, 1);
    let whole = contents(Cut::whole(archive.clone())).expect("whole");
    for bit in 0..archive.len() * 8 {
        let mut bad = archive.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        refused(Cut::whole(bad), &whole, &format!("bit {bit}"));
    }
}

/// An archive of this data, right in every length and checksum, and of metadata that were another's.
fn repacked(data: &[u8], metadata: &[u8]) -> Vec<u8> {
    let mut zip = Container::new(Cursor::new(Vec::new()), origin(&[]).created_at);
    for (name, content) in [(DATA, data), (METADATA, metadata)] {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        zip.begin(name).expect("begun");
        let mut deflate = Deflate::new(Packing::default(), None);
        zip.put(deflate.take(content.to_vec()).expect("compressed")).expect("written");
        zip.put(deflate.finish().expect("compressed")).expect("written");
        zip.end(&crc, content.len() as u64).expect("ended");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn data_that_have_changed_under_their_checksum_are_refused_by_their_hash() {
    let data = json(20);
    let mut zip = ZipArchive::new(Cursor::new(small())).expect("a zip");
    let mut metadata = Vec::new();
    zip.by_name(METADATA).expect("there").read_to_end(&mut metadata).expect("read");
    assert!(contents(Cut::whole(repacked(&data, &metadata))).is_ok(), "nothing has changed yet");
    let mut dice = Dice(5);
    for number in 0..1000 {
        let mut other = data.clone();
        corrupt(&mut other, &mut dice);
        let refused = contents(Cut::whole(repacked(&other, &metadata))).is_err();
        assert_eq!(refused, other != data, "accident {number}");
    }
}

/// A place that is away from some read on.
struct Away(Cursor<Cut>, usize);

impl Read for Away {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1.checked_sub(1).ok_or_else(|| io::Error::other("the server is away"))?;
        self.0.read(buffer)
    }
}

impl Seek for Away {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// What a source reads of it, as the bot does.
fn decoded(file: File, ahead: bool) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let limits = Limits::folder();
    let reading = Reading { limits, timer: Timer::start(&clock, &limits), ahead };
    let mut archive = Archive::open(file, Meter::new(|_| 1, &limits), reading)?;
    let mut import = Import::new(&mut archive);
    for name in import.names() {
        import.value::<serde_json::Value>(&name)?;
    }
    Ok(())
}

#[test]
fn a_place_that_is_away_is_no_damage_for_who_decodes_either() {
    let archive = Cut::whole(large());
    for ahead in [false, true] {
        for reads in (0..).step_by(3) {
            match decoded(Box::new(Away(Cursor::new(archive.clone()), reads)), ahead) {
                Ok(()) => {
                    assert!(reads > 20, "{reads}");
                    break;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Storage, "{reads}: {}", error.chain());
                }
            }
        }
    }
}

#[test]
fn a_place_that_is_away_is_no_damage_of_its_archives() {
    let archive = Cut::whole(small());
    for reads in 0.. {
        match contents_of(Box::new(Away(Cursor::new(archive.clone()), reads))) {
            Ok(_) => {
                assert!(reads > 5, "{reads}");
                break;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Storage, "{reads} reads: {}", error.chain());
            }
        }
    }
}
