//! The way of the data out of a bot: written record by record, never held whole.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// Takes the data of a backup, section by section, in constant memory.
pub struct Export<'a> {
    out: &'a mut (dyn Write + Send),
    written: BTreeSet<String>,
    /// The section that is being written, until its writer's `end`.
    open: Option<String>,
    failure: Option<Error>,
}

impl<'a> Export<'a> {
    pub(crate) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self { out, written: BTreeSet::new(), open: None, failure: None }
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
    /// A value that is not JSON, a section written twice, a full disk.
    pub fn value<T: Serialize + ?Sized>(&mut self, section: &str, value: &T) -> Result<()> {
        self.begin(section)?;
        self.json(value)?;
        self.open = None;
        Ok(())
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

    /// Writes a struct: each of its fields is a section.
    pub(crate) fn fields<T: Serialize>(&mut self, value: &T, names: &[&str]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.written.extend(names.iter().map(|&name| name.to_owned()));
        self.raw(b"{")?;
        let bare = Unbraced::new(&mut *self.out);
        let outcome =
            serde_json::to_writer(bare, value).map_err(|error| refused("the state", error));
        self.note(outcome)
    }

    /// Closes the frame; every section that was promised must be there. Gives the sections there
    /// are, with those that held nothing and were left out.
    pub(crate) fn finish<'n>(
        mut self,
        promised: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<String>> {
        self.finish_open()?;
        for name in promised {
            if !self.written.contains(name) {
                let step = format!("the section «{name}» was not exported");
                return Err(Error::new(ErrorKind::Source, step));
            }
        }
        self.raw(if self.written.is_empty() { b"{}" } else { b"}" })?;
        Ok(self.written.into_iter().collect())
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
        let section = self.open.as_deref().unwrap_or_default();
        let outcome =
            serde_json::to_writer(&mut *self.out, value).map_err(|error| refused(section, error));
        self.note(outcome)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        let outcome =
            self.out.write_all(bytes).map_err(|error| Error::storage("write the archive", error));
        self.note(outcome)
    }
}

fn refused(section: &str, error: serde_json::Error) -> Error {
    // invalid data is what the frame of data.json says of the data, and not the disk
    if error.io_error_kind().is_some_and(|kind| kind != io::ErrorKind::InvalidData) {
        return Error::storage("write the archive", io::Error::from(error));
    }
    Error::new(ErrorKind::Source, format!("write «{section}» as JSON")).because(error)
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
        let section = self.out.open.clone().unwrap_or_default();
        if !self.empty {
            self.out.raw(b",")?;
        }
        self.empty = false;
        let mut json = serde_json::Serializer::new(Unbraced::new(&mut *self.out.out));
        let outcome =
            collect_entry(&mut json, key, value).map_err(|error| refused(&section, error));
        self.out.note(outcome)
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

fn collect_entry<K, V, S>(serializer: S, key: &K, value: &V) -> Result<S::Ok, S::Error>
where
    K: Serialize + ?Sized,
    V: Serialize + ?Sized,
    S: serde::Serializer,
{
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// Passes a JSON object on without its outer braces.
struct Unbraced<'w> {
    out: &'w mut (dyn Write + Send),
    begun: bool,
    /// The last byte, which may be the closing brace.
    held: Option<u8>,
}

impl<'w> Unbraced<'w> {
    fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out, begun: false, held: None }
    }
}

impl Write for Unbraced<'_> {
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
