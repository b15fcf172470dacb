//! Cuts a long list or object into short ones of whole records, each of which is decoded from memory:
//! `serde_json` takes the bytes of a stream one by one, and those of a slice many at a time.

use std::io::{self, Chain, Read};

use memchr::memchr2;

/// How much is read at a time,
const ROOM: usize = 64 << 10;
/// and held at most. A record that is longer is left to the stream.
const LONGEST: usize = 1 << 20;

/// The brackets around the records, and what a decoder expects between them.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    List,
    Object,
}

/// A part of the records.
pub(super) enum Batch<'b, R> {
    /// Some of them, as a list or an object of their own, and whether there must be one at least: a
    /// comma stands before them or behind.
    Records(&'b [u8], bool),
    /// All that are left, however long; and the same.
    Rest(Chain<&'b [u8], &'b mut R>, bool),
    /// None are left, and nothing follows.
    End,
    /// None are left, but something follows.
    Trailing,
}

/// A list or an object that is cut into short ones.
pub(super) struct Batches<R> {
    json: R,
    kind: Kind,
    /// What was read and is not given yet, and how much of it was looked at.
    held: Vec<u8>,
    seen: usize,
    /// Open brackets.
    depth: usize,
    /// In a string, and whether the last byte was a backslash in it.
    string: Option<bool>,
    /// Where what was given last has its comma or its last bracket.
    given: Option<usize>,
    /// A comma stood before what is held.
    continued: bool,
    ended: bool,
}

impl<R: Read> Batches<R> {
    pub(super) fn new(json: R, kind: Kind) -> Self {
        Self {
            json,
            kind,
            held: Vec::new(),
            seen: 0,
            depth: 0,
            string: None,
            given: None,
            continued: false,
            ended: false,
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Batch<'_, R>> {
        self.forget();
        if self.ended {
            return Ok(if self.only_blanks_follow()? { Batch::End } else { Batch::Trailing });
        }
        loop {
            // what is of another kind, too long or cut off: the decoder knows what to say of it
            let strange = self.held.first().is_some_and(|&first| first != self.brackets().0);
            if !strange && let Some(at) = self.look() {
                return Ok(self.give(at));
            }
            if strange || self.held.len() >= LONGEST || !self.read()? {
                self.ended = true;
                self.given = Some(self.held.len());
                let rest = self.held.as_slice().chain(&mut self.json);
                return Ok(Batch::Rest(rest, self.continued));
            }
        }
    }

    fn brackets(&self) -> (u8, u8) {
        match self.kind {
            Kind::List => (b'[', b']'),
            Kind::Object => (b'{', b'}'),
        }
    }

    /// Drops what was given. In the place of its comma the next part begins.
    fn forget(&mut self) {
        let Some(given) = self.given.take() else { return };
        self.held.drain(..given.min(self.held.len()));
        self.seen = self.seen.saturating_sub(given);
        let open = self.brackets().0;
        if let (false, Some(first)) = (self.ended, self.held.first_mut()) {
            *first = open;
        }
    }

    /// Closes what comes before the comma or bracket at this place.
    fn give(&mut self, at: usize) -> Batch<'_, R> {
        let close = self.brackets().1;
        let continues = self.depth > 0;
        if let (true, Some(comma)) = (continues, self.held.get_mut(at)) {
            *comma = close;
        }
        self.ended = !continues;
        self.given = Some(if continues { at } else { at + 1 });
        let some = std::mem::replace(&mut self.continued, continues) || continues;
        Batch::Records(self.held.get(..=at).unwrap_or_default(), some)
    }

    /// Finds the last comma between two records, or the bracket after the last of them.
    fn look(&mut self) -> Option<usize> {
        let mut found = None;
        while let Some(rest) = self.held.get(self.seen..) {
            if self.string == Some(false) {
                self.seen += memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            }
            let Some(&byte) = self.held.get(self.seen) else { break };
            let at = self.seen;
            self.seen += 1;
            match (self.string, byte) {
                (Some(false), b'\\') => self.string = Some(true),
                (Some(false), b'"') => self.string = None,
                (Some(_), _) | (None, b'"') => self.string = Some(false),
                (None, b'[' | b'{') => self.depth += 1,
                (None, b']' | b'}') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
                (None, b',') if self.depth == 1 => found = Some(at),
                (None, _) => {}
            }
        }
        found
    }

    /// Reads a piece; false at the end. Blanks before the first bracket are passed over.
    fn read(&mut self) -> io::Result<bool> {
        let before = self.held.len();
        self.held.resize(before + ROOM, 0);
        let read = loop {
            match self.json.read(self.held.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.held.truncate(before + read.as_ref().copied().unwrap_or_default());
        if self.depth == 0 {
            let blanks = self.held.iter().take_while(|&&byte| is_blank(byte)).count();
            self.held.drain(..blanks);
        }
        Ok(read? > 0)
    }

    fn only_blanks_follow(&mut self) -> io::Result<bool> {
        loop {
            if !self.held.iter().all(|&byte| is_blank(byte)) {
                return Ok(false);
            }
            self.held.clear();
            if !self.read()? {
                return Ok(true);
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests;
