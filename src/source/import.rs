//! The way of the data back into a bot: read section by section, decoded into the host's types.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufReader, ErrorKind as Io, Read};
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor,
};

use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::source::imprint::{AllSaved, Saved};

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

    /// Reads a list item by item, in constant memory; gives their number.
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
        let mut refusal = None;
        let items = Items { take, failed: &mut refusal, item: PhantomData };
        let outcome = self.decode(section, items);
        self.streamed(section, outcome, refusal)
    }

    /// Reads a map entry by entry, in constant memory; gives their number.
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
        let mut refusal = None;
        let entries = Entries { take, failed: &mut refusal, entry: PhantomData };
        let outcome = self.decode(section, entries);
        self.streamed(section, outcome, refusal)
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
        let value = seed.deserialize(&mut json).map_err(|error| unfit(section, error))?;
        json.end().map_err(|error| unfit(section, error))?;
        Ok(Some(value))
    }

    fn streamed(
        &mut self,
        section: &str,
        outcome: Result<Option<u64>>,
        refusal: Option<BoxError>,
    ) -> Result<Option<u64>> {
        let outcome = match refusal {
            Some(cause) => {
                Err(Error::new(ErrorKind::Source, format!("take over «{section}»")).because(cause))
            }
            None => outcome,
        };
        self.note(outcome)
    }
}

impl fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").field("names", &self.names()).finish_non_exhaustive()
    }
}

fn unfit(section: &str, error: serde_json::Error) -> Error {
    let step = format!("read the section «{section}»");
    if error.io_error_kind() == Some(Io::FileTooLarge) {
        // over a limit of ours
        return Error::storage(step, error.into());
    }
    let kind = match error.classify() {
        serde_json::error::Category::Data => ErrorKind::Incompatible,
        // a failing disk is no failing archive
        serde_json::error::Category::Io
            if !matches!(
                error.io_error_kind(),
                Some(Io::InvalidData | Io::InvalidInput | Io::UnexpectedEof | Io::Other) | None
            ) =>
        {
            ErrorKind::Storage
        }
        _ => ErrorKind::Damaged,
    };
    Error::new(kind, step).because(without_data(error.to_string()))
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

struct Items<'f, T, F> {
    take: F,
    failed: &'f mut Option<BoxError>,
    item: PhantomData<fn() -> T>,
}

impl<'de, T, F, E> DeserializeSeed<'de> for Items<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T, F, E> Visitor<'de> for Items<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while let Some(item) = seq.next_element()? {
            (self.take)(item).map_err(|error| stop(self.failed, error))?;
            count += 1;
        }
        Ok(count)
    }
}

struct Entries<'f, K, V, F> {
    take: F,
    failed: &'f mut Option<BoxError>,
    entry: PhantomData<fn() -> (K, V)>,
}

impl<'de, K, V, F, E> DeserializeSeed<'de> for Entries<'_, K, V, F>
where
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    F: FnMut(K, V) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, K, V, F, E> Visitor<'de> for Entries<'_, K, V, F>
where
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    F: FnMut(K, V) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while let Some((key, value)) = map.next_entry()? {
            (self.take)(key, value).map_err(|error| stop(self.failed, error))?;
            count += 1;
        }
        Ok(count)
    }
}

/// Keeps the host's error and ends the reading with one of serde's.
fn stop<S: serde::de::Error>(failed: &mut Option<BoxError>, error: impl Into<BoxError>) -> S {
    *failed = Some(error.into());
    S::custom("stopped")
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
