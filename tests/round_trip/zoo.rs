//! States of all kinds that JSON can hold, but for numbers that are not finite.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;
use std::num::{NonZeroU64, Wrapping};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use proptest::collection::{btree_map, btree_set, hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use teloxide_backup::Shared;

use crate::{SECRET, tally};

/// The sections that a refusal may name.
pub(crate) const SECTIONS: [&str; 6] = ["single", "double", "perhaps", "list", "by_number", "data"];

pub(crate) fn all(cases: u32) {
    let floats = tally(cases, &floats(), Shared::new, |it| Some(it.is_finite()));
    assert!(floats.restored > 0 && floats.refused > 0, "both happen: {floats:?}");
    let always = |tally: crate::Tally| assert_eq!(tally.refused, 0);
    always(tally(cases, &numbers(), Shared::new, |_| Some(true)));
    always(tally(cases, &keys(), Shared::new, |_| Some(true)));
    always(tally(cases, &kinds(), |state| Shared::new(state).exact(), |_| Some(true)));
    always(tally(cases, &library(), Shared::new, |_| Some(true)));
    always(tally(cases, &hashed(), Shared::new, |_| Some(true)));
    always(tally(cases, &attributes(), |state| Shared::new(state).exact(), |_| Some(true)));
    always(tally(cases, &tree(), Shared::new, |_| Some(true)));
    always(tally(cases, &open(), Shared::new, |_| Some(true)));
    always(tally(cases, &btree_map(any::<i64>(), text(), 0..5), Shared::new, |_| Some(true)));
    always(tally(cases, &option::of(text()), Shared::new, |_| Some(true)));
}

/// A client's text, of any letters.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec!['\0', '"', '\\', '\u{2028}', '\u{202e}', '\u{feff}', '\n']);
    let letters = vec(prop_oneof![any::<char>(), odd], 0..8);
    letters.prop_map(|letters| SECRET.chars().chain(letters).collect())
}

/// Any text, and the empty one often: as a key it means nothing to serde.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), text()]
}

/// A number that equals only itself: neither -0.0 and 0.0 are the same, nor is a NaN like no other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Bits<F>(pub F);

impl PartialEq for Bits<f64> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl PartialEq for Bits<f32> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Floats {
    single: Bits<f32>,
    double: Bits<f64>,
    perhaps: Option<Bits<f64>>,
    list: Vec<Option<Bits<f32>>>,
    by_number: BTreeMap<u8, Price>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Price {
    Free,
    Known { amount: Bits<f64> },
    Range(Bits<f64>, Option<Bits<f64>>),
}

impl Floats {
    fn is_finite(&self) -> bool {
        let finite = |number: &Bits<f64>| number.0.is_finite();
        self.single.0.is_finite()
            && finite(&self.double)
            && self.perhaps.iter().all(finite)
            && self.list.iter().flatten().all(|number| number.0.is_finite())
            && self.by_number.values().all(|price| match price {
                Price::Free => true,
                Price::Known { amount } => finite(amount),
                Price::Range(from, to) => finite(from) && to.iter().all(finite),
            })
    }
}

fn double() -> impl Strategy<Value = Bits<f64>> {
    use prop::num::f64::{ANY, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let finite = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
    prop_oneof![30 => finite, 1 => ANY].prop_map(Bits)
}

fn single() -> impl Strategy<Value = Bits<f32>> {
    use prop::num::f32::{ANY, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let finite = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
    prop_oneof![30 => finite, 1 => ANY].prop_map(Bits)
}

fn floats() -> impl Strategy<Value = Floats> {
    let price = prop_oneof![
        Just(Price::Free),
        double().prop_map(|amount| Price::Known { amount }),
        (double(), option::of(double())).prop_map(|(from, to)| Price::Range(from, to)),
    ];
    let parts = (
        single(),
        double(),
        option::of(double()),
        vec(option::of(single()), 0..4),
        btree_map(any::<u8>(), price, 0..4),
    );
    parts.prop_map(|(single, double, perhaps, list, by_number)| Floats {
        single,
        double,
        perhaps,
        list,
        by_number,
    })
}

type Small = (u8, i8, u16, i16, u32, i32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    small: Small,
    large: (u64, i64, usize, isize),
    huge: (u128, i128),
    array: [u64; 3],
    letter: char,
    yes: bool,
    unit: (),
    bytes: Vec<u8>,
    one: NonZeroU64,
    wrapping: Wrapping<i64>,
}

fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), Just(u64::MAX), Just(1 << 53), Just((1 << 53) + 1), Just(1 << 63)]
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let signed = prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    let huge =
        (prop_oneof![any::<u128>(), Just(u128::MAX)], prop_oneof![any::<i128>(), Just(i128::MIN)]);
    let parts = (
        any::<Small>(),
        (edge(), signed.clone(), any::<usize>(), any::<isize>()),
        huge,
        [edge(), edge(), edge()],
        any::<(char, bool)>(),
        any::<Vec<u8>>(),
        edge(),
        signed,
    );
    parts.prop_map(|(small, large, huge, array, (letter, yes), bytes, one, wrapping)| Numbers {
        small,
        large,
        huge,
        array,
        letter,
        yes,
        unit: (),
        bytes,
        one: NonZeroU64::new(one).unwrap_or(NonZeroU64::MIN),
        wrapping: Wrapping(wrapping),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Status {
    New,
    #[serde(rename = "в работе")]
    InWork,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct UserId(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Keys {
    text: BTreeMap<String, String>,
    number: BTreeMap<u64, i8>,
    negative: BTreeMap<i128, Option<bool>>,
    letter: BTreeMap<char, ()>,
    truth: BTreeMap<bool, u8>,
    status: BTreeMap<Status, Vec<Status>>,
    user: HashMap<UserId, BTreeMap<UserId, String>>,
    address: BTreeMap<IpAddr, u16>,
    day: BTreeMap<NaiveDate, u8>,
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(vec![Status::New, Status::InWork, Status::Done])
}

fn user() -> impl Strategy<Value = UserId> {
    edge().prop_map(UserId)
}

fn day() -> impl Strategy<Value = NaiveDate> {
    (-400_000..400_000_i64).prop_map(|days| NaiveDate::default() + chrono::TimeDelta::days(days))
}

fn keys() -> impl Strategy<Value = Keys> {
    let parts = (
        btree_map(key(), text(), 0..4),
        btree_map(edge(), any::<i8>(), 0..4),
        btree_map(any::<i128>(), any::<Option<bool>>(), 0..4),
        btree_map(any::<char>(), Just(()), 0..4),
        btree_map(any::<bool>(), any::<u8>(), 0..3),
        btree_map(status(), vec(status(), 0..3), 0..3),
        hash_map(user(), btree_map(user(), text(), 0..3), 0..5),
        btree_map(any::<IpAddr>(), any::<u16>(), 0..3),
        btree_map(day(), any::<u8>(), 0..3),
    );
    parts.prop_map(|(text, number, negative, letter, truth, status, user, address, day)| Keys {
        text,
        number,
        negative,
        letter,
        truth,
        status,
        user,
        address,
        day,
    })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Plain {
    Unit,
    Newtype(String),
    Tuple(u64, String),
    Struct { text: Option<String>, unit: Unit },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Unit,
    Newtype(BTreeMap<String, u64>),
    Struct {
        text: Option<String>,
        #[serde(rename = "type")]
        of: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of")]
enum Beside {
    Unit,
    Newtype(Vec<String>),
    Tuple(u64, char),
    Struct { text: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
    List(Vec<Untagged>),
    Struct { text: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kinds {
    plain: Vec<Plain>,
    tagged: Vec<Tagged>,
    beside: Vec<Beside>,
    untagged: Vec<Untagged>,
    result: Result<u8, String>,
}

fn kinds() -> impl Strategy<Value = Kinds> {
    let plain = prop_oneof![
        Just(Plain::Unit),
        text().prop_map(Plain::Newtype),
        (edge(), text()).prop_map(|(number, text)| Plain::Tuple(number, text)),
        option::of(text()).prop_map(|text| Plain::Struct { text, unit: Unit }),
    ];
    // a key like the tag's name is the type's own loss
    let tagged = prop_oneof![
        Just(Tagged::Unit),
        btree_map(text(), edge(), 0..3).prop_map(Tagged::Newtype),
        (option::of(text()), any::<u8>()).prop_map(|(text, of)| Tagged::Struct { text, of }),
    ];
    let beside = prop_oneof![
        Just(Beside::Unit),
        vec(text(), 0..3).prop_map(Beside::Newtype),
        (edge(), any::<char>()).prop_map(|(number, letter)| Beside::Tuple(number, letter)),
        text().prop_map(|text| Beside::Struct { text }),
    ];
    let untagged = prop_oneof![
        edge().prop_map(Untagged::Number),
        text().prop_map(Untagged::Text),
        text().prop_map(|text| Untagged::Struct { text }),
    ];
    let untagged =
        untagged.prop_recursive(3, 8, 3, |inner| vec(inner, 0..3).prop_map(Untagged::List));
    let result = prop_oneof![any::<u8>().prop_map(Ok), text().prop_map(Err)];
    let parts =
        (vec(plain, 0..4), vec(tagged, 0..4), vec(beside, 0..4), vec(untagged, 0..4), result);
    parts.prop_map(|(plain, tagged, beside, untagged, result)| Kinds {
        plain,
        tagged,
        beside,
        untagged,
        result,
    })
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Raw(Box<RawValue>);

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Library {
    moment: DateTime<Utc>,
    wall: NaiveDateTime,
    span: Duration,
    value: Value,
    raw: Raw,
    boxed: Box<str>,
    cow: Cow<'static, str>,
    queue: VecDeque<String>,
    linked: LinkedList<u8>,
    range: std::ops::Range<i32>,
    nested: Vec<Option<Vec<Option<String>>>>,
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    let seconds = -62_000_000_000_i64..250_000_000_000;
    (seconds, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).expect("a moment"))
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        edge().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn raw() -> impl Strategy<Value = Raw> {
    (value(), any::<bool>()).prop_map(|(value, pretty)| {
        let json = if pretty { format!("{value:#}") } else { value.to_string() };
        Raw(RawValue::from_string(json).expect("JSON"))
    })
}

fn library() -> impl Strategy<Value = Library> {
    let parts = (
        (moment(), moment(), any::<Duration>()),
        (value(), raw()),
        (text(), text(), vec(text(), 0..4), vec(any::<u8>(), 0..4)),
        any::<(i32, i32)>(),
        vec(option::of(vec(option::of(text()), 0..3)), 0..3),
    );
    parts.prop_map(|((moment, wall, span), (value, raw), texts, (start, end), nested)| {
        let (boxed, cow, queue, linked) = texts;
        Library {
            moment,
            wall: wall.naive_utc(),
            span,
            value,
            raw,
            boxed: boxed.into(),
            cow: cow.into(),
            queue: queue.into(),
            linked: linked.into_iter().collect(),
            range: start..end,
            nested,
        }
    })
}

type Fixed = BuildHasherDefault<DefaultHasher>;

/// Maps and sets whose order is another each time, or hangs on how they came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hashed {
    users: HashMap<u64, HashMap<String, HashSet<u8>>>,
    tags: HashSet<String>,
    lists: HashMap<String, Vec<HashSet<(u8, String)>>>,
    fixed: HashSet<u64, Fixed>,
    sorted: BTreeSet<String>,
    #[serde(with = "pairs")]
    pairs: HashMap<(u8, u8), String>,
    wire: Sent,
}

/// A map whose keys are no keys of JSON, as a list of pairs.
mod pairs {
    use std::collections::HashMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Pairs = HashMap<(u8, u8), String>;

    pub(crate) fn serialize<S: Serializer>(map: &Pairs, serializer: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Pairs, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A set that is written as another type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Vec<u64>", from = "Vec<u64>")]
struct Sent(HashSet<u64>);

impl From<Sent> for Vec<u64> {
    fn from(sent: Sent) -> Self {
        sent.0.into_iter().collect()
    }
}

impl From<Vec<u64>> for Sent {
    fn from(numbers: Vec<u64>) -> Self {
        Self(numbers.into_iter().collect())
    }
}

fn hashed() -> impl Strategy<Value = Hashed> {
    let bytes = || hash_set(any::<u8>(), 0..6);
    let parts = (
        hash_map(edge(), hash_map(text(), bytes(), 0..4), 0..6),
        hash_set(text(), 0..8),
        hash_map(text(), vec(hash_set((any::<u8>(), text()), 0..4), 0..3), 0..3),
        vec(any::<u64>(), 0..40),
        btree_set(text(), 0..4),
        hash_map(any::<(u8, u8)>(), text(), 0..6),
        hash_set(any::<u64>(), 0..6),
    );
    parts.prop_map(|(users, tags, lists, fixed, sorted, pairs, wire)| {
        // one that was larger once has another order
        let mut set: HashSet<u64, Fixed> = fixed.iter().copied().collect();
        set.retain(|number| number % 3 == 0);
        Hashed { users, tags, lists, fixed: set, sorted, pairs, wire: Sent(wire) }
    })
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Attributes that lose nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    some_texts: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(rename = "type", alias = "kind")]
    of: u8,
    #[serde(default)]
    flat: Flat,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    more: More,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct More {
    name: String,
    age: Option<u8>,
}

fn flat() -> impl Strategy<Value = Flat> {
    let more = (text(), any::<Option<u8>>()).prop_map(|(name, age)| More { name, age });
    let parts = (any::<u32>(), more, btree_map(text(), value(), 0..3));
    parts.prop_map(|(id, more, rest)| Flat { id, more, rest })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let texts = vec(text(), 0..2);
    let parts = (texts, 0..3_u64, option::of(text()), any::<u8>(), flat());
    parts.prop_map(|(some_texts, count, note, of, flat)| Attributes {
        some_texts,
        count,
        note,
        of,
        flat,
    })
}

/// A state that holds itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tree {
    text: String,
    left: Option<Box<Tree>>,
    replies: Vec<Tree>,
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(|text| Tree { text, ..Tree::default() });
    leaf.prop_recursive(12, 30, 3, |inner| {
        let parts = (text(), option::of(inner.clone()), vec(inner, 0..3));
        parts.prop_map(|(text, left, replies)| Tree { text, left: left.map(Box::new), replies })
    })
}

/// A state whose own fields are not known before it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    number: u64,
    #[serde(flatten)]
    rest: HashMap<String, Vec<u8>>,
}

fn open() -> impl Strategy<Value = Open> {
    let parts = (edge(), hash_map(text(), any::<Vec<u8>>(), 0..4));
    parts.prop_map(|(number, rest)| Open { number, rest })
}
