//! The way of the data out of a bot: written record by record, never held whole.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result, Unsound};
use crate::source::imprint::{AllSaved, Imprint, Saved};
use crate::source::watch::Watch;

/// `serde_json` writes letter by letter, nearly.
const BUFFER: usize = 64 << 10;

/// Passes on what was written when there is much of it. What is left after an error goes nowhere: so
/// nothing of the host's runs while a panic of it unwinds.
struct Out<'a> {
    held: Vec<u8>,
    out: &'a mut (dyn Write + Send),
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= BUFFER {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let outcome = self.out.write_all(&self.held);
        self.held.clear();
        outcome
    }
}

/// Takes the data of a backup, section by section, in constant memory.
pub struct Export<'a> {
    out: Out<'a>,
    written: BTreeSet<String>,
    /// The section that is being written, until its writer's `end`.
    open: Option<String>,
    failure: Option<Error>,
    watch: Watch,
    saved: AllSaved,
}

impl<'a> Export<'a> {
    pub(crate) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out: Out { held: Vec::new(), out },
            written: BTreeSet::new(),
            open: None,
            failure: None,
            watch: Watch::default(),
            saved: AllSaved::new(),
        }
    }

    /// The first failure of this writing, even if the source passed over it.
    pub(crate) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if let (Err(error), None) = (&outcome, &self.failure) {
            self.failure = Some(error.again());
        }
        outcome
    }

    /// Writes a whole section.
    ///
    /// # Errors
    /// A value that is not JSON (a number that is not finite, say), a section written twice, a full
    /// disk.
    pub fn value<T: Serialize + ?Sized>(&mut self, section: &str, value: &T) -> Result<()> {
        self.begin(section)?;
        self.json(value)?;
        self.open = None;
        Ok(())
    }

    /// Writes a whole section, and tells how to know it again.
    pub(super) fn imprinted<T: Serialize + ?Sized>(
        &mut self,
        section: &str,
        value: &T,
    ) -> Result<Imprint> {
        self.begin(section)?;
        self.watch = Watch::imprinting();
        self.json(value)?;
        self.open = None;
        Ok(self.watch.finish())
    }

    /// Keeps what the check of this backup will want to know, under a section of the source's own.
    pub(super) fn save(&mut self, section: &str, saved: Saved) {
        self.saved.insert(section.to_owned(), saved);
    }

    /// Begins a section that is a JSON object, to be written entry by entry.
    ///
    /// # Errors
    /// A section written twice, a full disk.
    pub fn map(&mut self, section: &str) -> Result<MapWriter<'_, 'a>> {
        self.begin(section)?;
        self.raw(b"{")?;
        Ok(MapWriter { out: self, empty: true })
    }

    /// Begins a section that is a JSON array, to be written item by item.
    ///
    /// # Errors
    /// A section written twice, a full disk.
    pub fn list(&mut self, section: &str) -> Result<ListWriter<'_, 'a>> {
        self.begin(section)?;
        self.raw(b"[")?;
        Ok(ListWriter { out: self, empty: true })
    }

    /// Writes a struct, each of whose fields is a section, and tells how to know it again.
    pub(super) fn fields<T: Serialize>(&mut self, value: &T, names: &[&str]) -> Result<Imprint> {
        self.written.extend(names.iter().map(|&name| name.to_owned()));
        if !names.is_empty() {
            self.raw(b"{")?;
            self.watch = Watch::imprinting();
            let mut json = serde_json::Serializer::new(Unbraced::new(&mut self.out));
            let outcome = self.watch.seen(value).serialize(&mut json);
            let outcome = outcome.map_err(|error| refused(None, &self.watch, error));
            self.note(outcome)?;
        }
        Ok(self.watch.finish())
    }

    /// Closes the frame; every section that was promised must be there. Gives the sections there
    /// are, with those that held nothing and were left out, and what was saved.
    pub(crate) fn finish<'n>(
        mut self,
        promised: impl Iterator<Item = &'n str>,
    ) -> Result<(Vec<String>, AllSaved)> {
        self.finish_open()?;
        for name in promised {
            if !self.written.contains(name) {
                let step = format!("the section «{name}» was not exported");
                return Err(Error::new(ErrorKind::Source, step));
            }
        }
        self.raw(if self.written.is_empty() { b"{}" } else { b"}" })?;
        self.out.flush().map_err(unwritten)?;
        Ok((self.written.into_iter().collect(), self.saved))
    }

    fn begin(&mut self, section: &str) -> Result<()> {
        let outcome = self.try_begin(section);
        self.note(outcome)
    }

    fn try_begin(&mut self, section: &str) -> Result<()> {
        self.finish_open()?;
        let first = self.written.is_empty();
        if !self.written.insert(section.to_owned()) {
            let step = format!("the section «{section}» was exported twice");
            return Err(Error::new(ErrorKind::Source, step));
        }
        self.open = Some(section.to_owned());
        self.raw(if first { b"{" } else { b"," })?;
        self.json(section)?;
        self.raw(b":")
    }

    fn finish_open(&self) -> Result<()> {
        match &self.open {
            None => Ok(()),
            Some(name) => {
                let step = format!("the section «{name}» was begun, but not ended");
                Err(Error::new(ErrorKind::Source, step))
            }
        }
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let mut json = serde_json::Serializer::new(&mut self.out);
        let outcome = self.watch.seen(value).serialize(&mut json);
        let outcome = outcome.map_err(|error| refused(self.open.as_deref(), &self.watch, error));
        self.note(outcome)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        let outcome = self.out.write_all(bytes).map_err(unwritten);
        self.note(outcome)
    }
}

fn unwritten(error: io::Error) -> Error {
    if Unsound::is(&error) {
        return Error::new(ErrorKind::Source, "the exported data is not sound").because(error);
    }
    Error::storage("write the archive", error)
}

/// Names the place, as far as its names are the program's own.
fn refused(section: Option<&str>, watch: &Watch, error: serde_json::Error) -> Error {
    let is_io = error.is_io();
    let error = io::Error::from(error);
    if is_io && !Unsound::is(&error) {
        return unwritten(error);
    }
    let place: Vec<_> = section.into_iter().chain(watch.place()).collect();
    let place = if place.is_empty() { "the state".to_owned() } else { place.join(".") };
    Error::new(ErrorKind::Source, format!("write «{place}» as JSON")).because(error)
}

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("written", &self.written).finish_non_exhaustive()
    }
}

/// Writes a section entry by entry; [`end`](Self::end) completes it.
#[derive(Debug)]
#[must_use = "a section is complete only after `end`"]
pub struct MapWriter<'w, 'a> {
    out: &'w mut Export<'a>,
    empty: bool,
}

impl MapWriter<'_, '_> {
    /// Writes one entry. The key may be anything that JSON can write as a key: text or a number.
    ///
    /// # Errors
    /// A key or value that is not JSON, a full disk.
    pub fn entry<K, V>(&mut self, key: &K, value: &V) -> Result<()>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        // serde_json knows which keys are keys only inside a map: write one of a single entry,
        // and take its braces off
        if !self.empty {
            self.out.raw(b",")?;
        }
        self.empty = false;
        let out = &mut *self.out;
        let mut json = serde_json::Serializer::new(Unbraced::new(&mut out.out));
        let outcome = out.watch.seen(&Entry { key, value }).serialize(&mut json);
        let outcome = outcome.map_err(|error| refused(out.open.as_deref(), &out.watch, error));
        out.note(outcome)
    }

    /// Completes the section.
    ///
    /// # Errors
    /// A full disk.
    pub fn end(self) -> Result<()> {
        self.out.raw(b"}")?;
        self.out.open = None;
        Ok(())
    }
}

/// A map of a single entry.
struct Entry<'e, K: ?Sized, V: ?Sized> {
    key: &'e K,
    value: &'e V,
}

impl<K: Serialize + ?Sized, V: Serialize + ?Sized> Serialize for Entry<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.key, self.value)])
    }
}

/// Passes a JSON object on without its outer braces.
struct Unbraced<'w, 'a> {
    out: &'w mut Out<'a>,
    begun: bool,
    /// The last byte, which may be the closing brace.
    held: Option<u8>,
}

impl<'w, 'a> Unbraced<'w, 'a> {
    fn new(out: &'w mut Out<'a>) -> Self {
        Self { out, begun: false, held: None }
    }
}

impl Write for Unbraced<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let body = if self.begun { bytes } else { bytes.get(1..).unwrap_or_default() };
        self.begun |= !bytes.is_empty();
        if let Some((&last, before)) = body.split_last() {
            if let Some(held) = self.held.replace(last) {
                self.out.write_all(&[held])?;
            }
            self.out.write_all(before)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a section item by item; [`end`](Self::end) completes it.
#[derive(Debug)]
#[must_use = "a section is complete only after `end`"]
pub struct ListWriter<'w, 'a> {
    out: &'w mut Export<'a>,
    empty: bool,
}

impl ListWriter<'_, '_> {
    /// Writes one item.
    ///
    /// # Errors
    /// A value that is not JSON, a full disk.
    pub fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if !self.empty {
            self.out.raw(b",")?;
        }
        self.empty = false;
        self.out.json(value)
    }

    /// Completes the section.
    ///
    /// # Errors
    /// A full disk.
    pub fn end(self) -> Result<()> {
        self.out.raw(b"]")?;
        self.out.open = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing, and counts how often it was asked.
    struct Refusing(fn() -> io::Error, usize);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            Err(self.0())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_whether_it_shows_at_once_or_at_the_end() {
        let kinds: [(fn() -> io::Error, ErrorKind); 3] = [
            (|| Unsound("a key twice").into_io(), ErrorKind::Source),
            (|| io::ErrorKind::InvalidData.into(), ErrorKind::Storage),
            (|| io::ErrorKind::StorageFull.into(), ErrorKind::StorageFull),
        ];
        for (refusal, told) in kinds {
            for letters in [1, 3 * BUFFER] {
                let mut out = Refusing(refusal, 0);
                let mut export = Export::new(&mut out);
                let value = export.value("a", &"a".repeat(letters));
                let outcome = value.and_then(|()| export.finish(std::iter::empty()).map(|_| ()));
                assert_eq!(outcome.expect_err("refused").kind(), told, "{letters} letters");
                assert_eq!(out.1, 1, "it is not asked again");
            }
        }
    }

    #[test]
    fn an_export_that_ends_early_writes_nothing_more() {
        let mut out = Refusing(|| io::ErrorKind::StorageFull.into(), 0);
        let mut export = Export::new(&mut out);
        export.value("a", &1).expect("held");
        drop(export);
        assert_eq!(out.1, 0);
    }
}
