//! How a value is known again: by what it told serde while it was written.
//!
//! JSON says less than serde does: `None` and `Some(None)` are both `null`. So it is not the JSON that
//! is compared, but what was asked of the serializer that wrote it.

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::source::watch::Watch;

/// What was saved, by the first section of each source that wants to know.
pub(crate) type AllSaved = BTreeMap<String, Saved>;

/// What was saved of one source.
pub(crate) struct Saved {
    pub(super) imprint: Imprint,
    /// The state itself, where it is to be compared as a whole.
    pub(super) copy: Option<Box<dyn Any + Send>>,
}

impl Saved {
    /// Holds what would come back against it. `root` is the section of a state that is no struct.
    pub(super) fn compare<T: Serialize>(&self, back: &T, root: Option<&str>) -> Result<()> {
        let imprint = Imprint::of(back).map_err(|error| unlike(error.to_string()))?;
        self.imprint.difference(&imprint).map_or(Ok(()), |path| {
            let path: Vec<_> = root.into_iter().chain(path).collect();
            Err(unlike(format!("«{}» is written otherwise than it is read", path.join("."))))
        })
    }

    /// Holds it against the state itself, if there is a copy. Not written were these fields.
    pub(super) fn compare_wholly<T: 'static>(
        &self,
        back: &T,
        equal: fn(&T, &T) -> bool,
        left_out: &[String],
    ) -> Result<()> {
        let copy = self.copy.as_ref().and_then(|copy| copy.downcast_ref::<T>());
        if copy.is_none_or(|copy| equal(copy, back)) {
            return Ok(());
        }
        // serde is told nothing of what is not written: nobody knows which field it is
        let state = type_name::<T>();
        Err(unlike(if left_out.is_empty() {
            format!("some field in «{state}» is written only in part")
        } else {
            let fields = left_out.join("», «");
            format!("some field in «{state}» is not written, perhaps «{fields}»")
        }))
    }
}

fn unlike(why: String) -> Error {
    Error::new(ErrorKind::Source, "what would come back is not what was saved").because(why)
}

/// A hash of what a value told serde, and of each field of its structs. The order of the keys of a
/// map and of the elements of a set does not count.
#[derive(Debug)]
pub(super) struct Imprint {
    pub(super) hash: u64,
    pub(super) fields: Fields,
}

impl Imprint {
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        let mut watch = Watch::imprinting();
        watch.seen(value).serialize(&mut serde_json::Serializer::new(io::sink()))?;
        Ok(watch.finish())
    }

    /// The names that lead to the innermost field that differs; `None` where nothing differs.
    fn difference(&self, other: &Self) -> Option<Vec<&'static str>> {
        if self.hash == other.hash {
            return None;
        }
        let mut path = Vec::new();
        let mut level = Some((Fields::ROOT, Fields::ROOT));
        while let Some((mine, theirs)) = level {
            let mut names = self.fields.names(mine).chain(other.fields.names(theirs));
            let differs =
                |name: &&str| self.fields.sum(mine, name) != other.fields.sum(theirs, name);
            let Some(name) = names.find(differs) else { break };
            path.push(name);
            level = self.fields.inner(mine, name).zip(other.fields.inner(theirs, name));
        }
        Some(path)
    }
}

/// The fields of a type and those of their types: a tree in a row. Their names are the program's own,
/// so that they may be told.
#[derive(Debug)]
pub(super) struct Fields(Vec<Field>);

/// All that was written under a field, whichever value it belongs to.
#[derive(Debug, Default)]
struct Field {
    name: &'static str,
    outer: usize,
    inner: Vec<usize>,
    sum: u64,
}

impl Default for Fields {
    fn default() -> Self {
        Self(vec![Field::default()])
    }
}

impl Fields {
    /// The value itself.
    pub(super) const ROOT: usize = 0;

    /// The field of this name in another one, which may be new.
    pub(super) fn enter(&mut self, outer: usize, name: &'static str) -> usize {
        self.inner(outer, name).unwrap_or_else(|| {
            let index = self.0.len();
            self.0.push(Field { name, outer, ..Field::default() });
            self.0.get_mut(outer).into_iter().for_each(|field| field.inner.push(index));
            index
        })
    }

    /// Adds a value to those of a field, which may come in any order.
    pub(super) fn add(&mut self, index: usize, hash: u64) {
        if let Some(field) = self.0.get_mut(index) {
            field.sum = field.sum.wrapping_add(hash);
        }
    }

    /// The names that lead to a field.
    pub(super) fn path(&self, index: usize) -> Vec<&'static str> {
        let field = |index| self.0.get(index).filter(|_| index != Self::ROOT);
        let outwards = std::iter::successors(field(index), |inner| field(inner.outer));
        let mut names: Vec<_> = outwards.map(|field| field.name).collect();
        names.reverse();
        names
    }

    fn names(&self, outer: usize) -> impl Iterator<Item = &'static str> {
        let inner = self.0.get(outer).into_iter().flat_map(|field| &field.inner);
        inner.filter_map(|&index| self.0.get(index)).map(|field| field.name)
    }

    fn inner(&self, outer: usize, name: &str) -> Option<usize> {
        let named = |&index: &usize| self.0.get(index).is_some_and(|field| field.name == name);
        self.0.get(outer)?.inner.iter().copied().find(named)
    }

    fn sum(&self, outer: usize, name: &str) -> Option<u64> {
        self.inner(outer, name).and_then(|index| self.0.get(index)).map(|field| field.sum)
    }
}
