//! Whether two JSON values say the same, however they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use sha2::{Digest, Sha256};

use crate::archive::Sum;

/// As what `serde_json` shows a number where some crate of the program has its `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// What a JSON value says, in constant memory.
///
/// Neither white space nor escapes count, nor the order of keys and of items, which a hash map does not
/// keep. 1 and 1.0 are equal. A member that says nothing (`null`, `false`, 0, `""`, `[]`, `{}`) is as
/// good as none: a newer version of a bot has fields that an old backup lacks, and writes their defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    digest: Sum,
    empty: bool,
}

impl Likeness {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    fn of(kind: u8, content: &[u8], empty: bool) -> Self {
        Self { digest: digest(kind, content, &[]), empty }
    }

    fn of_number(text: &str) -> Self {
        Self::of(b'n', text.as_bytes(), text == "0")
    }

    /// Many values whose order does not count.
    fn of_many(kind: u8, many: &Many) -> Self {
        Self { digest: digest(kind, &many.sum, &many.count.to_be_bytes()), empty: many.count == 0 }
    }
}

fn digest(kind: u8, content: &[u8], end: &[u8]) -> Sum {
    Sha256::new().chain_update([kind]).chain_update(content).chain_update(end).finalize().into()
}

/// Digests added up, so that their order does not count, and their number.
#[derive(Default)]
struct Many {
    sum: Sum,
    count: u64,
}

impl Many {
    fn add(&mut self, digest: &Sum) {
        self.count += 1;
        let mut carry = 0;
        for (byte, other) in self.sum.iter_mut().zip(digest).rev() {
            let [high, low] = (u16::from(*byte) + u16::from(*other) + carry).to_be_bytes();
            (*byte, carry) = (low, high.into());
        }
    }
}

/// One spelling for equal numbers.
fn spelled(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else if number.fract() == 0.0 {
        // all digits, as a whole number has them
        format!("{number:.0}")
    } else {
        number.to_string()
    }
}

/// The same for the digits of a number of any length.
fn respelled(number: &str) -> String {
    let whole = number.parse::<i128>().map(|whole| whole.to_string());
    let float = || number.parse::<f64>().ok().filter(|float| float.is_finite()).map(spelled);
    whole.ok().or_else(float).unwrap_or_else(|| number.to_owned())
}

impl<'de> Deserialize<'de> for Likeness {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Likeness;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Likeness, E> {
        Ok(Likeness::of(b'0', b"", true))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Likeness, E> {
        Ok(Likeness::of(b'b', &[value.into()], !value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Likeness, E> {
        Ok(Likeness::of_number(&value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Likeness, E> {
        Ok(Likeness::of_number(&value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Likeness, E> {
        Ok(Likeness::of_number(&spelled(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Likeness, E> {
        Ok(Likeness::of(b's', value.as_bytes(), value.is_empty()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Likeness, A::Error> {
        let mut items = Many::default();
        while let Some(item) = list.next_element::<Likeness>()? {
            items.add(&item.digest);
        }
        Ok(Likeness::of_many(b'l', &items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Likeness, A::Error> {
        let mut members = Many::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER {
                return Ok(Likeness::of_number(&respelled(&map.next_value::<String>()?)));
            }
            let value: Likeness = map.next_value()?;
            if !value.empty {
                members.add(&digest(b'm', key.as_bytes(), &value.digest));
            }
        }
        Ok(Likeness::of_many(b'o', &members))
    }
}

/// The likenesses of some members of an object.
pub(super) struct Members<'n>(pub(super) &'n BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = BTreeMap<String, Likeness>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = BTreeMap<String, Likeness>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.0.contains(&name) {
                let likeness = map.next_value()?;
                found.insert(name, likeness);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
