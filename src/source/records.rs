//! Takes the records of a list or an object one by one, and gives each to the host.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::BoxError;

/// How far the taking has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) count: Cell<u64>,
    /// Why the host has taken no more.
    pub(super) refusal: RefCell<Option<BoxError>>,
}

impl Progress {
    /// Counts what was taken, or keeps the host's error and ends the reading with one of serde's.
    fn follow<S: serde::de::Error>(
        &self,
        outcome: Result<(), impl Into<BoxError>>,
    ) -> Result<(), S> {
        outcome.map_err(|error| {
            *self.refusal.borrow_mut() = Some(error.into());
            S::custom("stopped")
        })?;
        self.count.set(self.count.get() + 1);
        Ok(())
    }
}

/// Takes the items of a list; of one in parts, too.
pub(super) struct Items<'p, T, F> {
    take: F,
    progress: &'p Progress,
    item: PhantomData<fn() -> T>,
}

/// Takes the entries of an object; of one in parts, too.
pub(super) struct Entries<'p, K, V, F> {
    take: F,
    progress: &'p Progress,
    entry: PhantomData<fn() -> (K, V)>,
}

impl<'p, T, F> Items<'p, T, F> {
    pub(super) fn new(take: F, progress: &'p Progress) -> Self {
        Self { take, progress, item: PhantomData }
    }
}

impl<'p, K, V, F> Entries<'p, K, V, F> {
    pub(super) fn new(take: F, progress: &'p Progress) -> Self {
        Self { take, progress, entry: PhantomData }
    }
}

impl<'de, T, F, E> DeserializeSeed<'de> for &mut Items<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T, F, E> Visitor<'de> for &mut Items<'_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element()? {
            self.progress.follow((self.take)(item))?;
        }
        Ok(())
    }
}

impl<'de, K, V, F, E> DeserializeSeed<'de> for &mut Entries<'_, K, V, F>
where
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    F: FnMut(K, V) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, K, V, F, E> Visitor<'de> for &mut Entries<'_, K, V, F>
where
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    F: FnMut(K, V) -> Result<(), E>,
    E: Into<BoxError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry()? {
            self.progress.follow((self.take)(key, value))?;
        }
        Ok(())
    }
}
