//! Follows `data.json` as it streams by: its outer frame, where each section lies, how many
//! records it holds, its length and its hash.

use std::io::{self, Write};
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::Limits;
use super::limits::MAX_DEPTH;
use crate::backup::Counts;
use crate::error::{Error, Unsound};

/// More sections than any bot's data has; their names must fit into `metadata.json`.
const MOST_SECTIONS: usize = 1000;
const LONGEST_NAMES: usize = 32 << 10;

/// Measures the JSON that is written to it.
pub(crate) struct Meter {
    hash: Sha256,
    /// Of the section that is being written, where it is asked for.
    section_hash: Option<Sha256>,
    frame: Frame,
}

/// What `data.json` turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) sections: Vec<SectionSpan>,
}

/// Where a section's JSON lies in `data.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SectionSpan {
    pub(crate) name: String,
    pub(crate) bytes: Range<u64>,
    pub(crate) records: u64,
    /// The hash of these bytes, so that a second reading can be held against the first; `None` of
    /// what is written, which is proved as a whole.
    pub(crate) sha256: Option<Sum>,
}

/// A SHA-256.
pub(crate) type Sum = [u8; 32];

impl Summary {
    pub(crate) fn counts(&self) -> Counts {
        self.sections.iter().map(|section| (section.name.clone(), section.records)).collect()
    }

    pub(crate) fn section(&self, name: &str) -> Option<&SectionSpan> {
        self.sections.iter().find(|section| section.name == name)
    }
}

impl Meter {
    /// `depth_of` tells how deep a section's records lie.
    pub(crate) fn new(depth_of: impl Fn(&str) -> u8 + Send + 'static, limits: &Limits) -> Self {
        let frame = Frame::new(Box::new(depth_of), *limits);
        Self { hash: Sha256::new(), section_hash: Some(Sha256::new()), frame }
    }

    /// Without a hash of each section.
    pub(super) fn of_the_whole(self) -> Self {
        Self { section_hash: None, ..self }
    }

    pub(super) fn limits(&self) -> Limits {
        self.frame.limits
    }

    pub(crate) fn finish(self) -> Result<Summary, &'static str> {
        self.frame.end()?;
        Ok(Summary {
            bytes: self.frame.position,
            sha256: hex(&self.hash.finalize()),
            sections: self.frame.sections,
        })
    }
}

impl Meter {
    /// Adds what belongs to sections to their hashes: `from` is where these bytes begin, `first` the
    /// first section that may go on in them.
    fn hash_sections(&mut self, bytes: &[u8], from: u64, first: usize) {
        let Some(hash) = &mut self.section_hash else { return };
        let index =
            |offset: u64| usize::try_from(offset.saturating_sub(from)).unwrap_or(usize::MAX);
        let open = self.frame.next == Next::InValue;
        let last = self.frame.sections.len();
        for (number, section) in self.frame.sections.iter_mut().enumerate().skip(first) {
            let ended = number + 1 < last || !open;
            let end = if ended { index(section.bytes.end) } else { bytes.len() };
            hash.update(bytes.get(index(section.bytes.start)..end).unwrap_or_default());
            if ended {
                section.sha256 = Some(hash.finalize_reset().into());
            }
        }
    }
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let from = self.frame.position;
        let ended = self.frame.sections.len();
        let ended = ended.saturating_sub((self.frame.next == Next::InValue).into());
        self.frame.follow(bytes)?;
        self.hash.update(bytes);
        self.hash_sections(bytes, from, ended);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Data of which no reader can make anything.
fn unsound(reason: &'static str) -> io::Error {
    Unsound(reason).into_io()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How many letters of a string stand before its end or a backslash, eight looked at together.
fn letters(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // the lowest bit that is set is that of the first byte that is zero
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let found = zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c));
        if found != 0 {
            return 8 * number + found.trailing_zeros() as usize / 8;
        }
    }
    let end = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\'));
    8 * eights.len() + end.unwrap_or(rest.len())
}

/// What comes next in the outermost object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Open,
    FirstKey,
    Key,
    InKey,
    Colon,
    Value,
    InValue,
    CommaOrEnd,
    Nothing,
}

/// The state of a reader that looks at brackets, quotes and commas only; what lies between them is
/// the decoder's business.
struct Frame {
    position: u64,
    next: Next,
    key: Vec<u8>,
    /// In a string, and whether the last byte was a backslash in it.
    string: Option<bool>,
    /// The open brackets of the section that is read.
    open: Vec<u8>,
    /// The innermost container that is counted has no record yet.
    untouched: bool,
    depth: usize,
    depth_of: Box<dyn Fn(&str) -> u8 + Send>,
    sections: Vec<SectionSpan>,
    /// The length of all their names.
    names: usize,
    /// Where the text or number that is read began, or what may yet be one.
    begun: u64,
    limits: Limits,
}

impl Frame {
    fn new(depth_of: Box<dyn Fn(&str) -> u8 + Send>, limits: Limits) -> Self {
        Self {
            position: 0,
            next: Next::Open,
            key: Vec::new(),
            string: None,
            open: Vec::new(),
            untouched: false,
            depth: 1,
            depth_of,
            sections: Vec::new(),
            names: 0,
            begun: 0,
            limits,
        }
    }

    fn follow(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.position.saturating_add(bytes.len() as u64);
        self.limits.check_data(end).map_err(Error::into_io)?;
        let mut rest = bytes;
        loop {
            let plain = self.plain(rest);
            self.position += plain as u64;
            let Some((&byte, after)) = rest.get(plain..).and_then(<[u8]>::split_first) else {
                // what has no end is not waited for
                return self.check_text();
            };
            self.step(byte)?;
            self.position += 1;
            rest = after;
        }
    }

    /// How many bytes at the beginning would change nothing, so that no step is needed for them.
    fn plain(&self, bytes: &[u8]) -> usize {
        match (self.next, self.string) {
            (Next::InValue, Some(false)) => letters(bytes),
            (Next::InValue, None) if !self.untouched => {
                let meant = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b'"');
                bytes.iter().position(meant).unwrap_or(bytes.len())
            }
            _ => 0,
        }
    }

    fn end(&self) -> Result<(), &'static str> {
        if self.next == Next::Nothing { Ok(()) } else { Err("data.json is cut off") }
    }

    fn step(&mut self, byte: u8) -> io::Result<()> {
        match (self.next, byte) {
            (Next::InValue, _) => return self.inside(byte),
            (Next::InKey, _) => return self.inside_key(byte),
            (_, b' ' | b'\n' | b'\r' | b'\t') => {}
            (Next::Open, b'{') => self.next = Next::FirstKey,
            (Next::FirstKey | Next::Key, b'"') => {
                self.key = vec![byte];
                self.string = Some(false);
                self.next = Next::InKey;
            }
            (Next::FirstKey | Next::CommaOrEnd, b'}') => self.next = Next::Nothing,
            (Next::Colon, b':') => self.next = Next::Value,
            (Next::Value, _) => {
                self.begin()?;
                return self.inside(byte);
            }
            (Next::CommaOrEnd, b',') => self.next = Next::Key,
            _ => return Err(unsound("data.json is not one JSON object")),
        }
        Ok(())
    }

    fn inside_key(&mut self, byte: u8) -> io::Result<()> {
        self.key.push(byte);
        if self.key.len() > 1024 {
            return Err(unsound("the name of a section is longer than 1 KB"));
        }
        if self.quoted(byte) {
            self.next = Next::Colon;
        }
        Ok(())
    }

    /// Follows a string; true at its end.
    fn quoted(&mut self, byte: u8) -> bool {
        self.string = match (self.string, byte) {
            (Some(false), b'\\') => Some(true),
            (Some(false), b'"') => None,
            _ => Some(false),
        };
        self.string.is_none()
    }

    fn begin(&mut self) -> io::Result<()> {
        let name: String = serde_json::from_slice(&self.key)
            .map_err(|_| unsound("the name of a section is not text"))?;
        if self.sections.iter().any(|section| section.name == name) {
            return Err(unsound("a section stands in data.json twice"));
        }
        self.names += name.len();
        if self.sections.len() == MOST_SECTIONS || self.names > LONGEST_NAMES {
            return Err(unsound(
                "data.json has more than 1000 sections, or more than 32 KB of their names",
            ));
        }
        self.depth = usize::from((self.depth_of)(&name));
        let bytes = self.position..self.position;
        self.sections.push(SectionSpan { name, bytes, records: 0, sha256: None });
        self.next = Next::InValue;
        self.begun = self.position;
        Ok(())
    }

    fn inside(&mut self, byte: u8) -> io::Result<()> {
        if self.string.is_some() {
            if self.quoted(byte) {
                self.end_text()?;
                if self.open.is_empty() {
                    self.finish_value(self.position + 1, true);
                }
            }
            return Ok(());
        }
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(()),
            b'{' | b'[' | b'}' | b']' | b',' | b'"' => self.end_text()?,
            _ => {}
        }
        match byte {
            b'{' | b'[' => self.open(byte)?,
            b'}' | b']' => return self.close(byte),
            b',' => self.comma(),
            b'"' => {
                self.touch();
                self.string = Some(false);
            }
            _ => self.touch(),
        }
        Ok(())
    }

    /// At the end of a text or a number, and before the next.
    fn end_text(&mut self) -> io::Result<()> {
        self.check_text()?;
        self.begun = self.position + 1;
        Ok(())
    }

    fn check_text(&self) -> io::Result<()> {
        if self.next != Next::InValue {
            return Ok(());
        }
        let bytes = self.position.saturating_sub(self.begun);
        self.limits.check_text(bytes).map_err(Error::into_io)
    }

    fn open(&mut self, byte: u8) -> io::Result<()> {
        self.touch();
        // this one, and the outermost
        let depth = self.open.len() + 2;
        if depth > MAX_DEPTH {
            return Err(unsound("the data is nested more than 127 levels deep"));
        }
        self.limits.check_depth(depth).map_err(Error::into_io)?;
        self.open.push(byte);
        self.untouched = self.open.len() == self.depth;
        Ok(())
    }

    /// Counts the first record of a container.
    fn touch(&mut self) {
        if self.untouched {
            self.untouched = false;
            self.count();
        }
    }

    fn count(&mut self) {
        if let Some(section) = self.sections.last_mut() {
            section.records += 1;
        }
    }

    fn comma(&mut self) {
        if self.open.is_empty() {
            // the end of a number or a word
            self.finish_value(self.position, true);
            self.next = Next::Key;
        } else if self.open.len() == self.depth {
            self.count();
        }
    }

    fn close(&mut self, byte: u8) -> io::Result<()> {
        match (self.open.pop(), byte) {
            (Some(b'{'), b'}') | (Some(b'['), b']') => {
                self.untouched = false;
                if self.open.is_empty() {
                    self.finish_value(self.position + 1, false);
                }
                Ok(())
            }
            (None, b'}') => {
                self.finish_value(self.position, true);
                self.next = Next::Nothing;
                Ok(())
            }
            _ => Err(unsound("the brackets of data.json do not match")),
        }
    }

    fn finish_value(&mut self, end: u64, scalar: bool) {
        if let Some(section) = self.sections.last_mut() {
            section.bytes.end = end;
            if scalar {
                section.records = 1;
            }
        }
        self.next = Next::CommaOrEnd;
    }
}

#[cfg(test)]
mod tests;
