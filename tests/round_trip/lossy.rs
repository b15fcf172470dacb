//! Types that write what they do not read, or not all that they hold; and when nothing is lost.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use teloxide_backup::Shared;

use crate::zoo::text;
use crate::{Source, State, tally};

/// What a refusal may name: a section, or the state, where serde is told nothing of what is lost.
pub(crate) const SECTIONS: [&str; 4] = ["lossy", "data", "written", "round_trip::lossy::"];

pub(crate) fn all(cases: u32) {
    unlike_json(cases);
    of_another_kind(cases);
    one_way(cases);
    unwritten(cases);
}

/// Some states come back and some do not: each way must be seen.
fn both<T: State>(
    cases: u32,
    states: &impl Strategy<Value = T>,
    source: Source<T>,
    lawful: impl Fn(&T) -> bool,
) {
    let tally = tally(cases, states, source, |state| Some(lawful(state)));
    assert!(tally.restored > 0 && tally.refused > 0, "{tally:?}");
}

fn id() -> impl Strategy<Value = u8> {
    any::<u8>()
}

/// A state of one section, beside one that is always well.
macro_rules! state {
    ($name:ident, $(#[$attribute:meta])* $type:ty) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) struct $name {
            id: u8,
            $(#[$attribute])*
            lossy: $type,
        }

        impl $name {
            fn any(lossy: impl Strategy<Value = $type>) -> impl Strategy<Value = Self> {
                (id(), lossy).prop_map(|(id, lossy)| Self { id, lossy })
            }
        }
    };
}

// What serde knows and JSON does not.

state!(Twice, Option<Option<String>>);
state!(Nothing, Vec<Option<()>>);
state!(ByPair, BTreeMap<(u8, u8), String>);
state!(ByDegree, BTreeMap<Degree, u8>);
state!(Linked, Chain);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Degree(f64);

impl Ord for Degree {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Degree {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Degree {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Degree {}

/// As long as it may be, it is written as `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chain(Option<Box<Chain>>);

impl Chain {
    /// So many links.
    fn of(length: usize) -> Self {
        (0..length).fold(Self(None), |inner, _| Self(Some(Box::new(inner))))
    }
}

impl Linked {
    /// A chain of so many links.
    pub(crate) fn of(length: usize) -> Self {
        Self { id: 0, lossy: Chain::of(length) }
    }
}

/// Lists in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deep {
    deep: Nest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nest(Vec<Nest>);

impl Deep {
    /// So many levels, the innermost of which is empty.
    pub(crate) fn of(levels: usize) -> Self {
        let nest = |inner, _| Nest(vec![inner]);
        Self { deep: (1..levels.max(1)).fold(Nest(Vec::new()), nest) }
    }
}

fn unlike_json(cases: u32) {
    let twice = Twice::any(option::of(option::of(text())));
    both(cases, &twice, Shared::new, |it| it.lossy != Some(None));
    let nothing = Nothing::any(vec(option::of(Just(())), 0..3));
    both(cases, &nothing, Shared::new, |it| !it.lossy.contains(&Some(())));
    let pairs = ByPair::any(btree_map(any::<(u8, u8)>(), text(), 0..3));
    both(cases, &pairs, Shared::new, |it| it.lossy.is_empty());
    let degree =
        prop_oneof![9 => prop::num::f64::NORMAL, 1 => prop::num::f64::ANY].prop_map(Degree);
    let degrees = ByDegree::any(btree_map(degree, any::<u8>(), 0..4));
    both(cases, &degrees, Shared::new, |it| it.lossy.keys().all(|degree| degree.0.is_finite()));
    let chain = prop_oneof![Just(0), 0..3_usize, 0..1000_usize];
    let chains = Linked::any(chain.prop_map(Chain::of));
    both(cases, &chains, Shared::new, |it| it.lossy == Chain(None));
    both(cases, &option::of(option::of(id())), Shared::new, |it| *it != Some(None));
}

// What comes back as another kind.

state!(Narrow, Width);
state!(Rounded, Number);
state!(Mixed, BTreeMap<Key, u8>);
state!(Tag, Tagged);
state!(Huge, Vec<HugeTagged>);
state!(Flat, Flattened);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Width {
    Narrow(u32),
    Wide(u64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Float(f64),
    Whole(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    Number(u8),
    Text(String),
}

/// A key of the map may be called as the tag is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Tagged {
    Map(BTreeMap<String, String>),
}

/// Behind a tag serde reads no number of 128 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum HugeTagged {
    Number { number: u128 },
}

/// What is left over may have a name that is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flattened {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

/// A map flattened, whose keys serde does not take for numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbered {
    #[serde(flatten)]
    by_number: BTreeMap<u64, String>,
}

fn of_another_kind(cases: u32) {
    let width = prop_oneof![
        any::<u32>().prop_map(Width::Narrow),
        any::<u64>().prop_map(Width::Wide),
        (0..9_u64).prop_map(Width::Wide),
    ];
    let lawful =
        |it: &Narrow| !matches!(it.lossy, Width::Wide(number) if number <= u64::from(u32::MAX));
    both(cases, &Narrow::any(width), Shared::new, lawful);
    let number = prop_oneof![
        prop::num::f64::NORMAL.prop_map(Number::Float),
        any::<u64>().prop_map(Number::Whole),
    ];
    let lawful = |it: &Rounded| matches!(it.lossy, Number::Float(_));
    both(cases, &Rounded::any(number), Shared::new, lawful);
    let key = prop_oneof![
        (0..3_u8).prop_map(Key::Number),
        "[0-2]".prop_map(Key::Text),
        text().prop_map(Key::Text),
    ];
    let lawful = |it: &Mixed| it.lossy.keys().all(|key| matches!(key, Key::Text(_)));
    both(cases, &Mixed::any(btree_map(key, any::<u8>(), 0..4)), Shared::new, lawful);
    let name = || prop_oneof![Just("kind".to_owned()), Just("name".to_owned()), text()];
    let map = btree_map(name(), text(), 0..3);
    let lawful = |it: &Tag| matches!(&it.lossy, Tagged::Map(map) if !map.contains_key("kind"));
    both(cases, &Tag::any(map.prop_map(Tagged::Map)), Shared::new, lawful);
    let number = prop_oneof![any::<u128>(), (0..9_u128)];
    let huge = vec(number.prop_map(|number| HugeTagged::Number { number }), 0..2);
    both(cases, &Huge::any(huge), Shared::new, |it| it.lossy.is_empty());
    let flat = (text(), btree_map(name(), text(), 0..3));
    let flat = flat.prop_map(|(name, rest)| Flattened { name, rest });
    both(cases, &Flat::any(flat), Shared::new, |it| !it.lossy.rest.contains_key("name"));
    let numbered = btree_map(any::<u64>(), text(), 0..2);
    let numbered = numbered.prop_map(|by_number| Numbered { by_number });
    both(cases, &numbered, Shared::new, |it| it.by_number.is_empty());
}

// What is read in another way than it is written.

state!(
    Unread,
    #[serde(skip_deserializing)]
    u8
);
state!(
    Swapped,
    #[serde(serialize_with = "swap")]
    (i8, i8)
);
state!(Reversed, #[serde(deserialize_with = "reverse")] Vec<u8>);
state!(
    Trimmed,
    #[serde(deserialize_with = "trim")]
    String
);
state!(Sampled, #[serde(default = "sample", skip_serializing_if = "Vec::is_empty")] Vec<String>);

/// Not even the section has the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Renamed {
    id: u8,
    #[serde(default, rename(serialize = "written", deserialize = "read_as"))]
    lossy: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde calls it")]
fn swap<S: Serializer>(place: &(i8, i8), serializer: S) -> Result<S::Ok, S::Error> {
    (place.1, place.0).serialize(serializer)
}

fn reverse<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Vec::deserialize(deserializer)?.into_iter().rev().collect())
}

fn trim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(String::deserialize(deserializer)?.trim().to_owned())
}

fn sample() -> Vec<String> {
    vec!["кофе".to_owned()]
}

fn one_way(cases: u32) {
    let few = || 0..2_u8;
    both(cases, &Unread::any(few()), Shared::new, |it| it.lossy == 0);
    let place = (-2..2_i8, -2..2_i8);
    both(cases, &Swapped::any(place), Shared::new, |it| it.lossy.0 == it.lossy.1);
    let lawful = |it: &Reversed| it.lossy.iter().eq(it.lossy.iter().rev());
    both(cases, &Reversed::any(vec(few(), 0..4)), Shared::new, lawful);
    let spaced = (text(), prop::sample::select(vec!["", " ", "\n"]));
    let spaced = spaced.prop_map(|(text, space)| text + space);
    both(cases, &Trimmed::any(spaced), Shared::new, |it| it.lossy.trim() == it.lossy);
    let lists = Sampled::any(vec(text(), 0..2));
    both(cases, &lists, Shared::new, |it| !it.lossy.is_empty());
    let renamed = (id(), few()).prop_map(|(id, lossy)| Renamed { id, lossy });
    both(cases, &renamed, Shared::new, |it| it.lossy == 0);
}

// What is not written, or not all of it: only `==` can tell.

state!(
    Unwritten,
    #[serde(default, skip_serializing)]
    u8
);
state!(
    Omitted,
    #[serde(default, skip_serializing_if = "is_negative")]
    i8
);
state!(Seconds, #[serde(with = "chrono::serde::ts_seconds")] DateTime<Utc>);
state!(Lowered, BTreeMap<Lower, u8>);
state!(Alike, Variant);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde calls it")]
fn is_negative(balance: &i8) -> bool {
    *balance < 0
}

/// Two keys may be written as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Lower(String);

impl Serialize for Lower {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_lowercase().serialize(serializer)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Variant {
    First { number: u8 },
    Second { number: u8 },
}

fn unwritten(cases: u32) {
    let few = || 0..2_u8;
    both(cases, &Unwritten::any(few()), |state| Shared::new(state).exact(), |it| it.lossy == 0);
    let balance = Omitted::any(any::<i8>());
    both(cases, &balance, |state| Shared::new(state).exact(), |it| it.lossy >= 0);
    let moment = (0..4_000_000_000_i64, prop_oneof![Just(0), Just(500_000_000)]);
    let moment = moment
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).expect("a moment"));
    let lawful = |it: &Seconds| it.lossy.timestamp_subsec_nanos() == 0;
    both(cases, &Seconds::any(moment), |state| Shared::new(state).exact(), lawful);
    let lower = btree_map("[aA]{1,2}".prop_map(Lower), any::<u8>(), 0..3);
    let lawful = |it: &Lowered| it.lossy.keys().all(|key| key.0.to_lowercase() == key.0);
    both(cases, &Lowered::any(lower), |state| Shared::new(state).exact(), lawful);
    let variant = (any::<bool>(), id()).prop_map(|(first, number)| match first {
        true => Variant::First { number },
        false => Variant::Second { number },
    });
    let lawful = |it: &Alike| matches!(it.lossy, Variant::First { .. });
    both(cases, &Alike::any(variant), |state| Shared::new(state).exact(), lawful);
}
