//! Archives that lie: made by hand, byte by byte, and honest in all but one thing each.

use std::borrow::Borrow;
use std::fmt::Write as _;
use std::io::{Cursor, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;

/// A file of an archive that is put together by hand, with whatever a liar would write.
#[derive(Clone)]
pub(crate) struct Entry {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    bytes: Vec<u8>,
    method: u16,
    flags: u16,
    mode: u32,
    /// What is said of the length, and of the checksum, where it is a lie.
    length: Option<u32>,
    crc: Option<u32>,
    /// The length that is said of the bytes as they lie there.
    lying: Option<u32>,
    /// Where the directory says that it begins.
    start: Option<usize>,
    /// What the directory adds to it.
    extra: Vec<u8>,
}

impl Entry {
    pub(crate) fn new(name: impl AsRef<[u8]>, bytes: &[u8]) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            bytes: bytes.to_vec(),
            method: 0,
            flags: 0,
            mode: 0o100_600,
            length: None,
            crc: None,
            lying: None,
            start: None,
            extra: Vec::new(),
        }
    }

    /// The fields that both headers share.
    fn common(&self) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(&self.bytes);
        let length = u32::try_from(self.bytes.len()).expect("small");
        let mut common = Vec::new();
        for short in [20, self.flags, self.method, 0, 0x5c41] {
            common.extend(short.to_le_bytes());
        }
        let lying = self.lying.unwrap_or(length);
        for long in [self.crc.unwrap_or(crc.sum()), lying, self.length.unwrap_or(lying)] {
            common.extend(long.to_le_bytes());
        }
        common
    }
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("small").to_le_bytes()
}

fn long(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("small").to_le_bytes()
}

/// The local headers with the bytes, the directory, and the end that gives this number of entries.
fn zip_saying(entries: &[Entry], count: usize, between: &[u8]) -> Vec<u8> {
    zip_ending(entries, count, between, |_, _| Vec::new())
}

/// The same with something between the directory, of which it is told where it begins and how long
/// it is, and the end.
fn zip_ending(
    entries: impl IntoIterator<Item: Borrow<Entry>>,
    count: usize,
    between: &[u8],
    before_end: impl Fn(usize, usize) -> Vec<u8>,
) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.borrow();
        let start = zip.len();
        let local = entry.local_name.as_ref().unwrap_or(&entry.name);
        zip.extend(b"PK\x03\x04");
        zip.extend(entry.common());
        zip.extend([short(local.len()), short(0)].concat());
        zip.extend(local);
        zip.extend(&entry.bytes);
        zip.extend(between);
        // made by Unix, so that there is a mode
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(entry.common());
        let extra = short(entry.extra.len());
        directory.extend([short(entry.name.len()), extra, [0; 2], [0; 2], [0; 2]].concat());
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(long(entry.start.unwrap_or(start)));
        directory.extend(&entry.name);
        directory.extend(&entry.extra);
    }
    let start = zip.len();
    zip.extend(&directory);
    zip.extend(before_end(start, directory.len()));
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([short(count), short(count)].concat());
    zip.extend([long(directory.len()), long(start), [0; 4]].concat());
    zip.truncate(zip.len() - 2);
    zip
}

pub(crate) fn zip_of(entries: &[Entry]) -> Vec<u8> {
    zip_saying(entries, entries.len(), b"")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Honest metadata of any data.
pub(crate) fn metadata_of(data: &[u8], bot_id: i64) -> Value {
    json!({
        "created_at": "2026-01-01T00:00:00", "backup_version": "1.0",
        // in the order of the archive: a map of serde_json would sort them
        "records_count": { "bonuses": 0, "referrals": 0, "reviews": 0, "tickets": 0 },
        "created_at_utc": "2025-12-31T21:00:00Z", "trigger": "scheduled", "bot_id": bot_id,
        "schema_version": 1, "data_bytes": data.len(), "data_sha256": sha256(data),
    })
}

/// Data in the order in which [`metadata_of`] counts it.
pub(crate) const DATA: &str =
    r#"{"bonuses":{"1":5},"referrals":{},"reviews":[],"tickets":{"1":{"a":{}}}}"#;

/// The bytes of a value.
fn text(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

pub(crate) fn pair(data: &[u8], metadata: &Value) -> Vec<u8> {
    zip_of(&[Entry::new("data.json", data), Entry::new("metadata.json", &text(metadata))])
}

/// The same with data that are compressed as far as they go, and a length that may be a lie.
pub(crate) fn packed(data: &[u8], metadata: &Value, said: Option<u32>) -> Vec<u8> {
    let metadata = Entry::new("metadata.json", &text(metadata));
    zip_of(&[deflated("data.json", data, said), metadata])
}

/// A file that is compressed as far as it goes.
pub(crate) fn deflated(name: &str, content: &[u8], said: Option<u32>) -> Entry {
    let best = flate2::Compression::best();
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), best);
    deflate.write_all(content).expect("compressed");
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let length = u32::try_from(content.len()).expect("small");
    Entry {
        method: 8,
        crc: Some(crc.sum()),
        length: said.or(Some(length)),
        ..Entry::new(name, &deflate.finish().expect("compressed"))
    }
}

/// Hostile archives, by what is wrong with them.
pub(crate) type Hostile = Vec<(String, Vec<u8>)>;

/// All of them, for a bot with this id.
pub(crate) fn archives(bot_id: i64) -> Hostile {
    let metadata = metadata_of(DATA.as_bytes(), bot_id);
    let data = Entry::new("data.json", DATA.as_bytes());
    let both = [data, Entry::new("metadata.json", &text(&metadata))];
    [
        wrong_names(&both),
        wrong_kinds(&both),
        wrong_methods(&both),
        wrong_ends(&both),
        wrong_directories(&both),
        wrong_places(&both),
        wrong_large_ends(&both),
        wrong_metadata(&metadata),
        wrong_data(bot_id),
    ]
    .concat()
}

/// Lies that change nothing of the data, all of it under its own hash.
pub(crate) fn harmless(bot_id: i64) -> Hostile {
    let metadata = metadata_of(DATA.as_bytes(), bot_id);
    let data = || Entry::new("data.json", DATA.as_bytes());
    let metadata = || Entry::new("metadata.json", &text(&metadata));
    let folder = Entry { mode: 0o040_755, ..data() };
    let longer = Entry { length: Some(4_000_000_000), ..data() };
    let between = zip_saying(&[data(), metadata()], 2, b"hidden between");
    let large = zip64(&data(), DATA.len() as u64);
    vec![
        ("lengths of 64 bits".to_owned(), zip_of(&[large, metadata()])),
        ("an end of 64 bits".to_owned(), elsewhere(large_end(&[data(), metadata()], 2, |_| {}))),
        ("another end of 64 bits".to_owned(), large_end(&[data(), metadata()], 2, |_| {})),
        ("a folder as data".to_owned(), zip_of(&[folder, metadata()])),
        ("says it is longer".to_owned(), zip_of(&[longer, metadata()])),
        ("something hidden between".to_owned(), between),
    ]
}

const WRONG_NAMES: [&[u8]; 14] = [
    b"../../etc/passwd",
    b"..\\..\\x",
    b"../data.json",
    b"/etc/passwd",
    b"/data.json",
    b"C:\\data.json",
    b"./data.json",
    b"x/data.json",
    b"data.json/",
    b"data.json\0.exe",
    b"DATA.JSON",
    b"data.json ",
    b"d\xe0ta.json",
    b"",
];

fn wrong_names([data, metadata]: &[Entry; 2]) -> Hostile {
    let mut hostile = Hostile::new();
    for name in WRONG_NAMES {
        let other = Entry::new(name, DATA.as_bytes());
        let lies = Entry { local_name: Some(name.to_vec()), ..data.clone() };
        let shown = String::from_utf8_lossy(name);
        let third = [data.clone(), metadata.clone(), other.clone()];
        hostile.push((format!("a third file {shown:?}"), zip_of(&third)));
        let first = [other.clone(), data.clone(), metadata.clone()];
        hostile.push((format!("a first file {shown:?}"), zip_of(&first)));
        hostile.push((format!("{shown:?} for the data"), zip_of(&[other, metadata.clone()])));
        hostile.push((format!("{shown:?} in the local header"), zip_of(&[lies, metadata.clone()])));
    }
    hostile
}

fn wrong_kinds([data, metadata]: &[Entry; 2]) -> Hostile {
    let (data, metadata) = (|| data.clone(), || metadata.clone());
    let link = Entry { mode: 0o120_777, ..Entry::new("data.json", b"/etc/passwd") };
    let good_link = Entry { mode: 0o120_777, ..data() };
    let linked = Entry { mode: 0o120_777, ..metadata() };
    let all = [
        ("a link as data", vec![link, metadata()]),
        ("a link with good data", vec![good_link, metadata()]),
        ("a link as metadata", vec![data(), linked]),
        ("the data twice and no metadata", vec![data(), data()]),
        ("the data twice", vec![data(), data(), metadata()]),
        ("the metadata twice and no data", vec![metadata(), metadata()]),
        ("the metadata twice", vec![data(), metadata(), metadata()]),
        ("no metadata", vec![data()]),
        ("no data", vec![metadata()]),
        ("nothing", vec![]),
    ];
    all.map(|(what, entries)| (what.to_owned(), zip_of(&entries))).into()
}

/// Other ways to compress, and all that is encrypted.
fn wrong_methods([data, metadata]: &[Entry; 2]) -> Hostile {
    let mut hostile = Hostile::new();
    for method in [1, 6, 9, 12, 14, 20, 93, 95, 98, 99] {
        let other = Entry { method, ..data.clone() };
        hostile.push((format!("method {method}"), zip_of(&[other, metadata.clone()])));
    }
    for flags in [1, 1 | 1 << 6, 1 | 1 << 13] {
        let secret = Entry { flags, ..data.clone() };
        hostile.push((format!("flags {flags:#x}"), zip_of(&[secret, metadata.clone()])));
        let secret = Entry { flags, ..metadata.clone() };
        hostile.push((format!("flags {flags:#x} below"), zip_of(&[data.clone(), secret])));
    }
    hostile
}

/// What begins too early, ends too soon or goes on.
fn wrong_ends(both: &[Entry; 2]) -> Hostile {
    let good = zip_of(both);
    let end = good.len();
    let mut comment = [&good[..], b"comment"].concat();
    comment[end - 2] = 7;
    let mut huge_comment = [&good[..], &vec![b'x'; 65_535]].concat();
    huge_comment[end - 2..end].fill(0xff);
    let mut hostile: Hostile = [1, 2, 21, 22, 23, end / 2, end - 4]
        .map(|cut| (format!("{cut} bytes cut off"), good[..end - cut].to_vec()))
        .into();
    // an end that leads nowhere, after which a reader may look for an earlier one
    let stray = [&good[..], &zip_of(&[])[..8], &[2, 0, 2, 0], &[9; 8], &[0, 0]].concat();
    // the same, with a place that fits and in which no directory lies
    let start = u32::try_from(end).expect("small").to_le_bytes();
    let garbage = b"garbage.".repeat(16);
    let head = b"PK\x05\x06\0\0\0\0\x02\0\x02\0";
    let fitting = [&good[..], &garbage, head, &[128, 0, 0, 0], &start, &[0, 0]].concat();
    let others = [
        ("a stray end after it", stray),
        ("a second end that fits", fitting),
        ("empty", Vec::new()),
        ("no zip", b"This is not a zip. It only has the name of one.".to_vec()),
        ("zeros", vec![0; 5000]),
        ("1 byte before", [b"x", &good[..]].concat()),
        ("1 KB before", [&[b'x'; 1024], &good[..]].concat()),
        ("1 byte after", [&good[..], b"x"].concat()),
        ("1 KB after", [&good[..], &[0; 1024]].concat()),
        ("100 KB after", [good.clone(), vec![b'x'; 100_000]].concat()),
        ("two glued", good.repeat(2)),
        ("a comment", comment),
        ("a huge comment", huge_comment),
    ];
    hostile.extend(others.map(|(what, bytes)| (what.to_owned(), bytes)));
    hostile
}

/// Directories that do not tell what is there.
fn wrong_directories(both: &[Entry; 2]) -> Hostile {
    let [data, metadata] = both;
    let mut disks = zip_of(both);
    let end = disks.len();
    disks[end - 18] = 1;
    let hidden: Vec<_> = (0..1000).map(|n| Entry::new(format!("file{n}"), b"")).collect();
    let said = |length, crc| {
        let liar = Entry { length, crc, ..data.clone() };
        zip_of(&[liar, metadata.clone()])
    };
    let longer = Entry { length: Some(4_000), ..metadata.clone() };
    let all = [
        ("says there is one", zip_saying(both, 1, b"")),
        ("says there are three", zip_saying(both, 3, b"")),
        ("does not tell of a thousand", zip_saying(&[&both[..], &hidden].concat(), 2, b"")),
        ("on a second disk", disks),
        ("says it is shorter", said(Some(5), None)),
        ("another checksum", said(None, Some(1))),
        ("metadata that says it is longer", zip_of(&[data.clone(), longer])),
        ("a hundred thousand files", hundred_thousand(both)),
    ];
    all.map(|(what, bytes)| (what.to_owned(), bytes)).into()
}

/// Entries that share their bytes.
fn wrong_places([data, metadata]: &[Entry; 2]) -> Hostile {
    let (data, metadata) = (|| data.clone(), || metadata.clone());
    let length = u32::try_from(DATA.len()).expect("small");
    let at = |start| Entry { start: Some(start), ..metadata() };
    let over = |more| Entry { lying: Some(length + more), ..data() };
    // the data are all of the other entry, its header included
    let inner = zip_of(&[metadata()]);
    let quoting = Entry::new("data.json", &inner);
    let whole = Entry::new("data.json", &zip_of(&[data(), metadata()]));
    let all = [
        ("both at one place", vec![data(), at(0)]),
        ("one inside the other", vec![quoting, at(30 + "data.json".len())]),
        ("one that reaches into the next", vec![over(1), metadata()]),
        ("one that holds the next", vec![over(60), metadata()]),
        ("one behind the end", vec![data(), at(100_000)]),
        ("one longer than the archive", vec![over(1 << 20), metadata()]),
        ("a zip as data", vec![whole, metadata()]),
        ("a zip beside the data", vec![data(), metadata(), Entry::new("backup.zip", &inner)]),
    ];
    all.map(|(what, entries)| (what.to_owned(), zip_of(&entries))).into()
}

/// An entry whose directory says in 64 bits how long it is.
fn zip64(entry: &Entry, length: u64) -> Entry {
    let packed = entry.bytes.len() as u64;
    let extra = [&[1, 0, 16, 0], &length.to_le_bytes()[..], &packed.to_le_bytes()].concat();
    Entry { extra, length: Some(u32::MAX), lying: Some(u32::MAX), ..entry.clone() }
}

/// An archive with an end of 64 bits before the usual one; `lie` changes its 56 bytes.
pub(crate) fn large_end(
    entries: impl IntoIterator<Item: Borrow<Entry>>,
    count: u64,
    lie: impl Fn(&mut [u8]),
) -> Vec<u8> {
    zip_ending(entries, 2, b"", |start, length| {
        let mut end = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\x03\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        for number in [count, count, length as u64, start as u64] {
            end.extend(number.to_le_bytes());
        }
        lie(&mut end);
        end.extend(b"PK\x06\x07\0\0\0\0");
        end.extend(((start + length) as u64).to_le_bytes());
        end.extend(1_u32.to_le_bytes());
        end
    })
}

/// The same archive, but the usual end leaves all to the larger one.
pub(crate) fn elsewhere(mut zip: Vec<u8>) -> Vec<u8> {
    let end = zip.len();
    zip[end - 6..end - 2].fill(0xff);
    zip
}

/// Ends of 64 bits that say something else than the one that is looked at first.
fn wrong_large_ends(both: &[Entry; 2]) -> Hostile {
    let [data, metadata] = both;
    let hidden: Vec<_> = (0..1000).map(|n| Entry::new(format!("file{n}"), b"")).collect();
    let many = [&both[..], &hidden].concat();
    let far = u64::MAX.to_le_bytes();
    let all = [
        ("one more in 64 bits", large_end(&many[..3], 3, |_| {})),
        ("a thousand more in 64 bits", large_end(&many, 1002, |_| {})),
        ("a thousand more that are elsewhere", elsewhere(large_end(&many, 1002, |_| {}))),
        ("an end of 64 bits of two disks", elsewhere(large_end(both, 2, |end| end[16] = 1))),
        ("an end of 64 bits that is longer", elsewhere(large_end(both, 2, |end| end[4] = 99))),
        ("a million in 64 bits", large_end(both, 1_000_000, |_| {})),
        ("a directory far away", large_end(both, 2, |end| end[48..56].copy_from_slice(&far))),
        ("a directory without an end", large_end(both, 2, |end| end[40..48].copy_from_slice(&far))),
        ("data of 2^63 bytes", zip_of(&[zip64(data, 1 << 63), metadata.clone()])),
        ("metadata of 2^64 bytes", zip_of(&[data.clone(), zip64(metadata, u64::MAX)])),
    ];
    all.map(|(what, bytes)| (what.to_owned(), bytes)).into()
}

fn hundred_thousand(both: &[Entry; 2]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for entry in both {
        zip.start_file(String::from_utf8_lossy(&entry.name), stored).expect("a file");
        zip.write_all(&entry.bytes).expect("written");
    }
    for number in 2..100_000 {
        zip.start_file(number.to_string(), stored).expect("a file");
    }
    zip.finish().expect("a zip").into_inner()
}

/// Metadata that lies, or cannot be read.
fn wrong_metadata(good: &Value) -> Hostile {
    let with = |key: &str, value: Value| {
        let mut metadata = good.clone();
        metadata[key] = value;
        text(&metadata)
    };
    let honest = String::from_utf8(text(good)).expect("text");
    let all = [
        ("wrong sha256", with("data_sha256", json!("00".repeat(32)))),
        ("sha256 of another kind", with("data_sha256", json!(7))),
        ("wrong length", with("data_bytes", json!(1))),
        ("negative length", with("data_bytes", json!(-1))),
        ("version 0.9", with("backup_version", json!("0.9"))),
        ("version 2.0", with("backup_version", json!("2.0"))),
        ("a number for a version", with("backup_version", json!(1.0))),
        ("no version", with("backup_version", Value::Null)),
        ("no date", with("created_at", json!("yesterday"))),
        ("other sections", with("records_count", json!({ "bonuses": 1 }))),
        ("negative counts", with("records_count", json!({ "bonuses": -1 }))),
        ("larger than 64 KB", with("comment", json!("x".repeat(70_000)))),
        ("spaces to 65 KB", format!("{honest}{}", " ".repeat(65 << 10)).into()),
        ("a list", format!("[{honest}]").into()),
        ("metadata with a BOM", format!("\u{feff}{honest}").into()),
        ("metadata with something after it", format!("{honest} x").into()),
        ("metadata that is cut off", honest[..honest.len() - 1].into()),
        (
            "a section counted twice",
            honest.replacen(r#""bonuses":0"#, r#""bonuses":0,"bonuses":0"#, 1).into(),
        ),
        ("a key twice", honest.replacen('{', r#"{"backup_version":"1.0","#, 1).into()),
        ("metadata nested deeply", format!("{{\"x\":{}", "[".repeat(50_000)).into()),
        ("no metadata at all", Vec::new()),
    ];
    let data = Entry::new("data.json", DATA.as_bytes());
    let zip = |metadata: &[u8]| zip_of(&[data.clone(), Entry::new("metadata.json", metadata)]);
    all.map(|(what, metadata)| (what.to_owned(), zip(&metadata))).into()
}

/// Data that is not JSON, or not this bot's: with a right hash, and as the Python system wrote.
fn wrong_data(bot_id: i64) -> Hostile {
    let pythons = json!({
        "created_at": "2026-01-01T00:00:00.123456", "backup_version": "1.0",
        "records_count": { "tickets": 1 },
    });
    let mut hostile = Hostile::new();
    for (what, data) in [wrong_frames(), wrong_values()].concat() {
        let ours = metadata_of(&data, bot_id);
        hostile.push((format!("{what}, ours"), pair(&data, &ours)));
        hostile.push((format!("{what}, Python's"), pair(&data, &pythons)));
    }
    hostile
}

fn wrong_frames() -> Vec<(&'static str, Vec<u8>)> {
    let before = |section: &str| DATA.replacen('{', &format!("{{{section},"), 1);
    let all = [
        ("a BOM", format!("\u{feff}{DATA}")),
        ("something after it", format!("{DATA}x")),
        ("a second object", DATA.repeat(2)),
        ("a section twice", before(r#""bonuses":{}"#)),
        ("a section twice in disguise", before(r#""bonu\u0073es":{}"#)),
        ("a lone surrogate as a section", before(r#""\ud800":1"#)),
        ("an unknown section that is no JSON", before(r#""extra":nope"#)),
        ("a long name", before(&format!(r#""{}":1"#, "x".repeat(2000)))),
        ("single quotes", DATA.replace('"', "'")),
        ("a comment", DATA.replacen('{', "{/* */", 1)),
        ("a comma too many", DATA.replace("[]", "[1,]")),
        ("null", "null".to_owned()),
        ("a list", format!("[{DATA}]")),
        ("a text", "\"data\"".to_owned()),
        ("nothing", String::new()),
        ("spaces", " \n ".to_owned()),
        ("cut off", DATA[..DATA.len() - 1].to_owned()),
        ("UTF-16", DATA.chars().flat_map(|symbol| [symbol, '\0']).collect()),
    ];
    all.map(|(what, data)| (what, data.into_bytes())).into()
}

fn wrong_values() -> Vec<(&'static str, Vec<u8>)> {
    let bonuses = |json: &str| DATA.replace(r#"{"1":5}"#, json);
    let order = |json: &str| DATA.replace(r#"{"a":{}}"#, &format!(r#"{{"a":{json}}}"#));
    let nested = |depth: usize| order(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let all = [
        ("NaN", bonuses(r#"{"1":NaN}"#)),
        ("NaN in an order", order("NaN")),
        ("Infinity", order("-Infinity")),
        ("1e400", order("1e400")),
        ("too large a number", bonuses(r#"{"1":18446744073709551616}"#)),
        ("half a bonus", bonuses(r#"{"1":0.5}"#)),
        ("a text for a number", bonuses(r#"{"1":"5"}"#)),
        ("a list for a map", bonuses("[]")),
        ("null for a section", bonuses("null")),
        ("nested 1000000 deep", nested(1_000_000)),
        ("nested 200 deep", nested(200)),
        ("nested and never closed", order(&"[".repeat(1_000_000))),
        ("a lone surrogate", order(r#""\ud800""#)),
        ("a line break in a text", order("\"a\nb\"")),
        ("a comma too few", order("{} {}")),
        ("wrong brackets", order("[}")),
    ];
    let mut all: Vec<_> = all.map(|(what, data)| (what, data.into_bytes())).into();
    let mut latin = order("\"x\"").into_bytes();
    let x = latin.iter().position(|byte| *byte == b'x').expect("the text");
    latin[x] = 0xff;
    all.push(("a byte that is no UTF-8", latin));
    all
}
