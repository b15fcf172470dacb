//! The way of the data back into a bot: read section by section, decoded into the host's types.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufReader, ErrorKind as Io, Read};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::error::Category;

use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::source::batch::{Batch, Batches, Kind};
use crate::source::imprint::{AllSaved, Saved};
use crate::source::records::{Entries, Items, Progress};

/// Where the sections of a backup are read from.
pub(crate) trait Sections: Send {
    /// The sections there are, in the order of the archive.
    fn names(&self) -> Vec<String>;

    /// Sections that held nothing when the backup was made, and were left out of it.
    fn left_out(&self) -> Vec<String>;

    /// The version of the host's data that the backup holds.
    fn schema_version(&self) -> Option<u32>;

    /// Exactly the JSON of one section; `None` where there is no such section.
    fn open(&mut self, section: &str) -> Result<Option<Box<dyn Read + Send + '_>>>;
}

/// Gives the data of a backup, section by section.
///
/// An error of any of its calls is final: the operation fails, even if the source passes over it.
pub struct Import<'a> {
    sections: &'a mut dyn Sections,
    taken: BTreeSet<String>,
    failure: Option<Error>,
    saved: Option<&'a mut AllSaved>,
}

impl<'a> Import<'a> {
    pub(crate) fn new(sections: &'a mut dyn Sections) -> Self {
        Self { sections, taken: BTreeSet::new(), failure: None, saved: None }
    }

    /// A backup of this, which this program has saved just now.
    pub(crate) fn of(sections: &'a mut dyn Sections, saved: &'a mut AllSaved) -> Self {
        Self { saved: Some(saved), ..Self::new(sections) }
    }

    /// What was saved under this section; `None` in a backup of another day.
    pub(super) fn saved(&mut self, section: &str) -> Option<&Saved> {
        self.saved.as_deref()?.get(section)
    }

    /// The [`schema_version`](crate::BackupPluginBuilder::schema_version) with which this backup was
    /// made; `None` in archives of the Python system.
    #[must_use]
    pub fn schema_version(&self) -> Option<u32> {
        self.sections.schema_version()
    }

    /// The sections that were read.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        self.taken.clone()
    }

    pub(crate) fn left_out(&self) -> Vec<String> {
        self.sections.left_out()
    }

    /// Takes sections that were left out for what they are: empty.
    pub(super) fn take_as_empty(&mut self, sections: &[String]) {
        self.taken.extend(sections.iter().cloned());
    }

    /// The sections that this backup holds, in the order of the archive.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.sections.names()
    }

    /// Reads a whole section; `None` where the backup has no such section, and then what is live
    /// stays as it is.
    ///
    /// # Errors
    /// Data that does not fit `T`.
    pub fn value<T: DeserializeOwned>(&mut self, section: &str) -> Result<Option<T>> {
        self.seed(section, PhantomData)
    }

    /// Reads a list item by item; gives their number. Besides one item, about 1 MB is held.
    ///
    /// # Errors
    /// Data that does not fit `T`, or the error of `take`, which ends the reading.
    pub fn each<T, E>(
        &mut self,
        section: &str,
        take: impl FnMut(T) -> Result<(), E>,
    ) -> Result<Option<u64>>
    where
        T: DeserializeOwned,
        E: Into<BoxError>,
    {
        let progress = Progress::default();
        let outcome = self.records(section, Kind::List, Items::new(take, &progress), &progress);
        self.note(outcome)
    }

    /// Reads a map entry by entry; gives their number. Besides one entry, about 1 MB is held.
    ///
    /// # Errors
    /// Data that does not fit `K` or `V`, or the error of `take`, which ends the reading.
    pub fn entries<K, V, E>(
        &mut self,
        section: &str,
        take: impl FnMut(K, V) -> Result<(), E>,
    ) -> Result<Option<u64>>
    where
        K: DeserializeOwned,
        V: DeserializeOwned,
        E: Into<BoxError>,
    {
        let progress = Progress::default();
        let entries = Entries::new(take, &progress);
        let outcome = self.records(section, Kind::Object, entries, &progress);
        self.note(outcome)
    }

    /// Reads a section with a seed of the caller's.
    pub(crate) fn seed<'de, S>(&mut self, section: &str, seed: S) -> Result<Option<S::Value>>
    where
        S: DeserializeSeed<'de>,
    {
        let outcome = self.decode(section, seed);
        self.note(outcome)
    }

    /// The first failure of this reading, if the source passed over one.
    pub(crate) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    pub(super) fn note<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if let (Err(error), None) = (&outcome, &self.failure) {
            self.failure = Some(error.again());
        }
        outcome
    }

    fn decode<'de, S>(&mut self, section: &str, seed: S) -> Result<Option<S::Value>>
    where
        S: DeserializeSeed<'de>,
    {
        let Some(json) = self.sections.open(section)? else { return Ok(None) };
        self.taken.insert(section.to_owned());
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(json));
        whole(&mut json, seed).map(Some).map_err(|error| unfit(section, error, None))
    }

    /// Reads a section in short parts; gives the number of its records.
    fn records<S>(
        &mut self,
        section: &str,
        kind: Kind,
        mut seed: S,
        progress: &Progress,
    ) -> Result<Option<u64>>
    where
        for<'s, 'de> &'s mut S: DeserializeSeed<'de, Value = ()>,
    {
        let Some(json) = self.sections.open(section)? else { return Ok(None) };
        self.taken.insert(section.to_owned());
        let mut batches = Batches::new(json, kind);
        let outcome = loop {
            let before = progress.count.get();
            let (outcome, some) = match batches.next() {
                Ok(Batch::Records(json, some)) => (held(json, &mut seed), some),
                Ok(Batch::Rest(json, some)) => {
                    let json = BufReader::new(json);
                    (whole(&mut serde_json::Deserializer::from_reader(json), &mut seed), some)
                }
                Ok(Batch::End) => break Ok(Some(before)),
                Ok(Batch::Trailing) => break Err(unsound(section, "something follows")),
                Err(error) => break Err(unread(section, error)),
            };
            if let Err(error) = outcome {
                let record = (before > 0).then(|| progress.count.get() + 1);
                break Err(unfit(section, error, record));
            }
            if some && progress.count.get() == before {
                break Err(unsound(section, "a comma too many"));
            }
        };
        match progress.refusal.take() {
            Some(cause) => {
                Err(Error::new(ErrorKind::Source, format!("take over «{section}»")).because(cause))
            }
            None => outcome,
        }
    }
}

/// Decodes what is in memory: as text, which is looked at once, or as bytes, which tells what is wrong.
fn held<'de, S: DeserializeSeed<'de>>(json: &'de [u8], seed: S) -> serde_json::Result<S::Value> {
    match simdutf8::basic::from_utf8(json) {
        Ok(text) => whole(&mut serde_json::Deserializer::from_str(text), seed),
        Err(_) => whole(&mut serde_json::Deserializer::from_slice(json), seed),
    }
}

/// Decodes what is there and nothing more.
fn whole<'de, R, S>(json: &mut serde_json::Deserializer<R>, seed: S) -> serde_json::Result<S::Value>
where
    R: serde_json::de::Read<'de>,
    S: DeserializeSeed<'de>,
{
    let value = seed.deserialize(&mut *json)?;
    json.end()?;
    Ok(value)
}

impl fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").field("names", &self.names()).finish_non_exhaustive()
    }
}

fn reading(section: &str) -> String {
    format!("read the section «{section}»")
}

fn unsound(section: &str, reason: &str) -> Error {
    Error::new(ErrorKind::Damaged, reading(section)).because(reason)
}

/// What does not fit; in which record, where serde has only seen a part of them.
fn unfit(section: &str, error: serde_json::Error, record: Option<u64>) -> Error {
    let kind = match error.classify() {
        Category::Io => return unread(section, error.into()),
        Category::Data => ErrorKind::Incompatible,
        Category::Syntax | Category::Eof => ErrorKind::Damaged,
    };
    let mut text = without_data(error.to_string());
    if let Some(record) = record {
        text.truncate(text.rfind(" at line ").unwrap_or(text.len()));
        text = format!("{text}, in record {record}");
    }
    Error::new(kind, reading(section)).because(text)
}

/// Tells a failing disk, and a limit of ours, from a failing archive.
fn unread(section: &str, error: io::Error) -> Error {
    match error.kind() {
        Io::InvalidData | Io::InvalidInput | Io::UnexpectedEof => {
            Error::new(ErrorKind::Damaged, reading(section)).because(error)
        }
        _ => Error::storage(reading(section), error),
    }
}

/// What serde says, without the values that it quotes: those belong to the bot's clients.
pub(super) fn without_data(text: String) -> String {
    // the names that serde quotes besides are those of the host's own types
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        return text;
    }
    let says = ["invalid type: ", "invalid value: ", "unknown variant ", "unknown field "];
    let quoted = says.iter().any(|what| text.starts_with(what));
    let expected =
        [", expected ", ", there are no "].iter().filter_map(|end| text.rfind(end)).max();
    let (data, rest) = match expected {
        Some(end) if quoted => text.split_at(end),
        _ => (text.as_str(), ""),
    };
    let marks = ['"', '`'];
    // a quote inside a value only makes the blank longer
    match (data.find(marks), data.rfind(marks)) {
        (Some(start), Some(end)) => format!("{}…{}{rest}", &data[..start], &data[end + 1..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[serde(rename = "count")]
        _count: u8,
        #[serde(default, rename = "state")]
        _state: Option<State>,
    }

    #[derive(Debug, Deserialize)]
    enum State {
        New,
    }

    #[derive(Debug, Deserialize)]
    enum Nothing {}

    fn told<T: DeserializeOwned>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).err().expect("an error");
        without_data(error.to_string())
    }

    #[test]
    fn an_error_tells_what_is_wrong_and_nothing_of_the_data() {
        let order = told::<Order>;
        for (told, expected) in [
            (order(r#"{"count":"Anna"}"#), "invalid type: string …, expected u8"),
            (order(r#"{"count":79161234567}"#), "invalid value: integer …, expected u8"),
            (order(r#"{"count":79.161234567}"#), "invalid type: floating point …, expected u8"),
            (order(r#"{"count":null}"#), "invalid type: null, expected u8"),
            (order(r#"{"Anna":1}"#), "unknown field …, expected `count` or `state`"),
            (order(r"{}"), "missing field `count`"),
            (order(r#"{"count":1,"count":1}"#), "duplicate field `count`"),
            (order(r#"{"count":1,"state":"Anna"}"#), "unknown variant …, expected `New`"),
            (order(r#"{"count":1,"state":"An`n, expected "a"}"#), "unknown variant …, expected"),
            (told::<Nothing>(r#""Anna""#), "unknown variant …, there are no variants"),
            (told::<u8>(r#""An"na, expected `x`""#), "invalid type: string …, expected u8"),
            (told::<IgnoredAny>("{"), "EOF while parsing an object"),
        ] {
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
