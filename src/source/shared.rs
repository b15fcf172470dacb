//! A source made of any state in a lock: each field of the struct is a section.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

use super::import::without_data;
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::source::imprint::Saved;
use crate::source::{DataSource, Export, Import, Section};

/// The section of a state that is no struct.
const WHOLE: &str = "data";

/// The state of a bot in a lock, as a source: each field of the struct is a section of the backup.
///
/// The lock is held only for a clone of the state, and for the swap at the end of a restore; where
/// the backup lacks a field, while it is read. A state that is not a struct (a bare map or list) is
/// one section called `data`. A field with `#[serde(skip)]` is in no backup, and after a restore it
/// has its default: keep connections, caches and the like elsewhere.
///
/// When a backup is made it is decoded again, and what comes of it must tell serde what the state has
/// told: else no backup is made, and the error names the field. So are found a `Some(None)`, which
/// JSON takes for `None`, a variant of an `untagged` enum that is read as another one, keys that
/// become one, and a `serialize_with` that its `deserialize_with` does not undo. The order in a map or
/// a set does not count, that in a `Vec` does. What is not written at all is found by
/// [`exact`](Self::exact) alone. A number that is not finite is in no JSON, and refused.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Arc;
/// use serde::{Deserialize, Serialize};
/// use teloxide_backup::{Section, Shared};
/// use tokio::sync::RwLock;
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct Shop {
///     orders: HashMap<u64, String>,
/// }
///
/// let state = Arc::new(RwLock::new(Shop::default()));
/// let source = Shared::new(state.clone())
///     .section(Section::new("orders").ru("заказ", "заказа", "заказов"));
/// ```
#[must_use]
pub struct Shared<T> {
    state: Arc<dyn SharedState<T>>,
    sections: Vec<Section>,
    /// The fields of the struct `T`; `None` where it is no struct.
    fields: Option<&'static [&'static str]>,
    /// Whether two states are equal, where that is to be asked.
    equal: Option<fn(&T, &T) -> bool>,
}

impl<T> Shared<T>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// Makes a source of an `Arc` of a tokio or std `RwLock` or `Mutex`.
    pub fn new<L: SharedState<T>>(state: Arc<L>) -> Self {
        Self { state, sections: Vec::new(), fields: fields_of::<T>(), equal: None }
    }

    /// Compares what was saved with what would come back by `==` as well, and makes no backup where
    /// they differ.
    ///
    /// So is found what serde is told nothing of: a field with `skip_serializing`, a
    /// `skip_serializing_if` that leaves out more than the default, a time that is written in whole
    /// seconds. A field with `#[serde(skip)]` must have its default then, or be left out of `==`. The
    /// copy of the state stays in memory until the backup is checked. Default: what is written is
    /// compared.
    pub fn exact(mut self) -> Self
    where
        T: PartialEq,
    {
        self.equal = Some(T::eq);
        self
    }

    /// Gives people's words for a field. Default: the field's name.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Decodes a backup wholly. What it lacks is taken from `live`.
    fn decode(&self, data: &mut Import<'_>, live: Option<&T>) -> Result<T> {
        let Some(fields) = self.fields else {
            return match (data.value(WHOLE)?, live) {
                (Some(value), _) => Ok(value),
                (None, Some(live)) => Ok(live.clone()),
                (None, None) => {
                    let step = format!("the backup has no section «{WHOLE}»");
                    Err(Error::new(ErrorKind::Incompatible, step))
                }
            };
        };
        let names = data.names();
        let mut lacking = match live {
            Some(live) => fields_as_json(live)?,
            None => Vec::new(),
        };
        // what held nothing when the backup was made holds nothing after it
        let own: Vec<&str> = lacking.iter().map(|(name, _)| name.as_str()).collect();
        let left_out = left_out(data, fields, &own);
        data.take_as_empty(&left_out);
        lacking.retain(|(name, _)| !names.contains(name) && !left_out.contains(name));
        loop {
            match Self::decode_with(data, fields, lacking.clone()) {
                // the backup holds this field under its alias: then it is not lacking
                Err(Undecoded { twice: Some(field), .. })
                    if lacking.iter().any(|(name, _)| name == field) =>
                {
                    lacking.retain(|(name, _)| name != field);
                }
                outcome => return outcome.map_err(|undecoded| undecoded.error),
            }
        }
    }

    fn decode_with(
        data: &mut Import<'_>,
        fields: &[&str],
        lacking: Vec<(String, Box<RawValue>)>,
    ) -> Result<T, Undecoded> {
        let mut failure = None;
        let mut names = data.names();
        // what is no field stays unread, and the administrator is told of it
        names.retain(|name| fields.contains(&name.as_str()));
        let names = names.into_iter();
        let reader = Fields { data, names, lacking, next: None, failure: &mut failure };
        T::deserialize(reader).map_err(|FieldError { text, twice }| {
            let unfit = || {
                Error::new(ErrorKind::Incompatible, "read the state").because(without_data(text))
            };
            Undecoded { error: failure.unwrap_or_else(unfit), twice }
        })
    }

    /// The section under which is kept what was saved.
    fn first(&self) -> &'static str {
        self.fields.map_or(WHOLE, |fields| fields.first().copied().unwrap_or_default())
    }

    /// Whether the backup holds every field, so that nothing live must stay as it is.
    fn complete(&self, data: &Import<'_>) -> bool {
        let names = data.names();
        let Some(fields) = self.fields else { return names.iter().any(|name| name == WHOLE) };
        let left_out = left_out(data, fields, &[]);
        fields.iter().all(|field| names.iter().chain(&left_out).any(|name| name == field))
    }
}

/// The fields that held nothing. Where the backup has a section that is neither read nor written, nobody
/// can tell: it may be the newer name of one.
fn left_out(data: &Import<'_>, read: &[&str], written: &[&str]) -> Vec<String> {
    let is_known =
        |name: &String| read.contains(&name.as_str()) || written.contains(&name.as_str());
    let left_out = data.left_out().into_iter().filter(|name| read.contains(&name.as_str()));
    if data.names().iter().all(is_known) { left_out.collect() } else { Vec::new() }
}

impl<T> DataSource for Shared<T>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        self.sections.clone()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let snapshot = self.state.snapshot().await?;
        let imprint = match self.fields {
            Some(fields) => out.fields(&snapshot, fields)?,
            None => out.imprinted(WHOLE, &snapshot)?,
        };
        let copy = self.equal.map(|_| Box::new(snapshot) as _);
        out.save(self.first(), Saved { imprint, copy });
        Ok(())
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let live = if self.complete(data) { None } else { Some(self.state.snapshot().await?) };
        let back = self.decode(data, live.as_ref())?;
        let left_out = data.left_out();
        if let Some(saved) = data.saved(self.first()) {
            let root = self.fields.is_none().then_some(WHOLE);
            let mut outcome = saved.compare(&back, root);
            if let (Ok(()), Some(equal)) = (&outcome, self.equal) {
                outcome = saved.compare_wholly(&back, equal, &left_out);
            }
            data.note(outcome)?;
        }
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        if self.complete(data) {
            let restored = self.decode(data, None)?;
            self.state.update(Box::new(|_| Ok(restored))).await?;
        } else {
            // what stays must not change between its reading and the swap
            self.state.update(Box::new(|live| Ok(self.decode(data, Some(live))?))).await?;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("fields", &self.fields).finish_non_exhaustive()
    }
}

pub(crate) type BoxFuture<'a, V> = Pin<Box<dyn Future<Output = Result<V, BoxError>> + Send + 'a>>;
pub(crate) type Change<'a, T> = Box<dyn FnOnce(&T) -> Result<T, BoxError> + Send + 'a>;

/// A lock around a state: a tokio or std `RwLock` or `Mutex`.
pub trait SharedState<T>: lock::Lock<T> {}
impl<T, L: lock::Lock<T>> SharedState<T> for L {}

mod lock {
    use super::{BoxFuture, Change};

    /// What [`SharedState`](super::SharedState) is made of, kept to this crate.
    pub trait Lock<T>: Send + Sync + 'static {
        /// A copy of the state.
        fn snapshot(&self) -> BoxFuture<'_, T>;

        /// Puts what `change` makes of the state in its place, or leaves it on an error.
        fn update<'a>(&'a self, change: Change<'a, T>) -> BoxFuture<'a, ()>;
    }
}

use lock::Lock;

impl<T: Clone + Send + Sync + 'static> Lock<T> for tokio::sync::RwLock<T> {
    fn snapshot(&self) -> BoxFuture<'_, T> {
        Box::pin(async { Ok(self.read().await.clone()) })
    }

    fn update<'a>(&'a self, change: Change<'a, T>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut live = self.write().await;
            *live = change(&live)?;
            Ok(())
        })
    }
}

impl<T: Clone + Send + 'static> Lock<T> for tokio::sync::Mutex<T> {
    fn snapshot(&self) -> BoxFuture<'_, T> {
        Box::pin(async { Ok(self.lock().await.clone()) })
    }

    fn update<'a>(&'a self, change: Change<'a, T>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut live = self.lock().await;
            *live = change(&live)?;
            Ok(())
        })
    }
}

impl<T: Clone + Send + Sync + 'static> Lock<T> for std::sync::RwLock<T> {
    fn snapshot(&self) -> BoxFuture<'_, T> {
        Box::pin(async { Ok(self.read().map_err(|_| poisoned())?.clone()) })
    }

    fn update<'a>(&'a self, change: Change<'a, T>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut live = self.write().map_err(|_| poisoned())?;
            *live = change(&live)?;
            Ok(())
        })
    }
}

impl<T: Clone + Send + 'static> Lock<T> for std::sync::Mutex<T> {
    fn snapshot(&self) -> BoxFuture<'_, T> {
        Box::pin(async { Ok(self.lock().map_err(|_| poisoned())?.clone()) })
    }

    fn update<'a>(&'a self, change: Change<'a, T>) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut live = self.lock().map_err(|_| poisoned())?;
            *live = change(&live)?;
            Ok(())
        })
    }
}

fn poisoned() -> BoxError {
    "the lock is poisoned: the bot panicked while it changed its data; restart it".into()
}

/// The field names of a struct, asked of its own `Deserialize`.
fn fields_of<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut found = None;
    let _ = T::deserialize(FieldNames(&mut found));
    found
}

struct FieldNames<'f>(&'f mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = Some(fields);
        Err(Self::Error::custom("only the names were asked for"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields of a live state, each as JSON.
fn fields_as_json<T: Serialize>(live: &T) -> Result<Vec<(String, Box<RawValue>)>> {
    let failed = |error: serde_json::Error| {
        Error::new(ErrorKind::Source, "write the live state as JSON").because(error)
    };
    let json = serde_json::to_string(live).map_err(failed)?;
    let fields: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&json).map_err(failed)?;
    Ok(fields.into_iter().collect())
}

/// Why a backup is not the state, and the field that came twice.
struct Undecoded {
    error: Error,
    twice: Option<&'static str>,
}

/// What serde says while it reads [`Fields`].
#[derive(Debug)]
struct FieldError {
    text: String,
    twice: Option<&'static str>,
}

impl serde::de::Error for FieldError {
    fn custom<M: fmt::Display>(text: M) -> Self {
        Self { text: text.to_string(), twice: None }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { text: format!("the field «{field}» comes twice"), twice: Some(field) }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FieldError {}

/// The sections of a backup as the fields of one struct.
struct Fields<'f, 'a> {
    data: &'f mut Import<'a>,
    names: std::vec::IntoIter<String>,
    lacking: Vec<(String, Box<RawValue>)>,
    next: Option<Field>,
    failure: &'f mut Option<Error>,
}

enum Field {
    Archived(String),
    Live(Box<RawValue>),
}

impl<'de> Deserializer<'de> for Fields<'_, '_> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        let (name, field) = match (self.names.next(), self.lacking.pop()) {
            (None, None) => return Ok(None),
            (Some(name), live) => {
                self.lacking.extend(live);
                (name.clone(), Field::Archived(name))
            }
            (None, Some((name, json))) => (name, Field::Live(json)),
        };
        self.next = Some(field);
        seed.deserialize(StrDeserializer::new(&name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        match self.next.take() {
            Some(Field::Archived(name)) => match self.data.seed(&name, seed) {
                Ok(Some(value)) => Ok(value),
                Ok(None) => Err(Self::Error::custom(format!("«{name}» is gone"))),
                Err(error) => {
                    *self.failure = Some(error);
                    Err(Self::Error::custom("see the failure"))
                }
            },
            Some(Field::Live(json)) => {
                let mut json = serde_json::Deserializer::from_reader(json.get().as_bytes());
                seed.deserialize(&mut json)
                    .map_err(|error| Self::Error::custom(without_data(error.to_string())))
            }
            None => Err(Self::Error::custom("a value without a key")),
        }
    }
}

#[cfg(test)]
mod tests;
