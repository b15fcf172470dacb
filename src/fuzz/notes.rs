//! A second, simple reader of `state.json`, to hold our own against.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// Notes in one spelling: dates in one form, and nothing that says no more than its absence.
pub(super) type Notes = Map<String, Value>;
pub(super) type Fields = &'static [(&'static str, Shape)];

/// What stands under a name.
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    Time,
    /// A flag that may be missing, where it is not set.
    Mark,
    Texts,
    /// A text that may be missing, where it is empty.
    MaybeText,
    /// So many of these, one after the other.
    Row(Fields),
    /// So many of these, under names of their own.
    Each(Fields),
    MaybeTime,
    Maybe(Fields),
    /// One of these; `null` is written where there is none.
    OrNull(Fields),
}

/// What a bot notes.
pub(super) const NOTES: Fields = &[
    ("proofs", Shape::Each(PROOF)),
    ("gone", Shape::Texts),
    ("received", Shape::Each(RECEIVED)),
    ("undo", Shape::Maybe(WAY)),
    ("left", Shape::Maybe(WAY)),
    ("restoring", Shape::Maybe(JOURNAL)),
    ("making", Shape::MaybeTime),
    ("told_cut_off", Shape::MaybeTime),
    ("failing", Shape::Maybe(FAILING)),
    ("untold", Shape::Maybe(UNTOLD)),
    ("unchanged", Shape::Maybe(UNCHANGED)),
    ("lost", Shape::Mark),
    ("cut_off", Shape::Row(JOURNAL)),
];
const PROOF: Fields = &[
    ("size_bytes", Shape::Number),
    ("data_sha256", Shape::Text),
    ("at", Shape::MaybeTime),
    ("doubted", Shape::Mark),
];
pub(super) const RECEIVED: Fields = &[("at", Shape::Time), ("new", Shape::Flag)];
pub(super) const WAY: Fields = &[
    ("token", Shape::Text),
    ("safety", Shape::Text),
    ("safety_sha256", Shape::Text),
    ("at", Shape::Time),
    ("again", Shape::Mark),
    ("kept", Shape::Mark),
];
pub(super) const JOURNAL: Fields = &[
    ("restored", Shape::Text),
    ("undo", Shape::OrNull(WAY)),
    ("id", Shape::MaybeText),
    ("told", Shape::Mark),
];
pub(super) const FAILING: Fields =
    &[("since", Shape::Time), ("told", Shape::Flag), ("told_at", Shape::MaybeTime)];
pub(super) const UNTOLD: Fields =
    &[("backup", Shape::Text), ("recovered", Shape::Flag), ("unchanged", Shape::MaybeTime)];
pub(super) const UNCHANGED: Fields = &[("backup", Shape::Text), ("at", Shape::Time)];

/// A file as the program of one bot sees it.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    /// The bot, if anybody knows it.
    owner: Option<String>,
    pub(super) notes: Notes,
    /// What it must leave alone: the notes of the other bots, and those of nobody.
    pub(super) others: Notes,
    unnamed: Notes,
}

impl Seen {
    /// A file that is damaged holds nothing but that it was, nor do notes that are.
    pub(super) fn by(bot: Option<u64>, file: &Value) -> Self {
        let damaged = || Notes::from_iter([("lost".to_owned(), true.into())]);
        let read = |notes: &Value| record(notes, NOTES).unwrap_or_else(damaged);
        let whole = is_newer(file).then(Default::default).or_else(|| parts(file));
        let lost = whole.is_none();
        let (mut others, mut unnamed) = whole.unwrap_or_default();
        let only = others.keys().next().filter(|_| others.len() == 1).cloned();
        let owner = bot.map(|bot| bot.to_string()).or(only);
        let own = owner.as_ref().and_then(|owner| others.remove(owner));
        let mut notes = own.as_ref().map(read).unwrap_or_default();
        if owner.is_none() || others.is_empty() {
            let nobodys = std::mem::take(&mut unnamed).into();
            join(&mut notes, read(&nobodys));
        }
        if lost {
            notes.extend(damaged());
        }
        Self { owner, notes, others, unnamed }
    }
}

pub(super) fn is_newer(file: &Value) -> bool {
    version(file).is_some_and(|version| version > 2)
}

fn version(file: &Value) -> Option<u64> {
    let version = match file {
        Value::Array(list) if list.len() == 1 => list[0].as_u64(),
        _ => file["version"].as_u64(),
    };
    version.filter(|version| *version <= u32::MAX.into())
}

/// The notes of each bot, and those that name none.
fn parts(file: &Value) -> Option<(Notes, Notes)> {
    version(file).filter(|version| *version <= 2)?;
    let mut unnamed = file.as_object()?.clone();
    unnamed.remove("version");
    match unnamed.remove("bots") {
        None => Some((Notes::new(), unnamed)),
        Some(Value::Object(bots)) => Some((bots, unnamed)),
        Some(_) => None,
    }
}

/// A list in the order of the fields is a record, too.
pub(super) fn record(value: &Value, fields: Fields) -> Option<Notes> {
    let mut notes = Notes::new();
    for (place, (name, shape)) in fields.iter().enumerate() {
        let found = match value {
            Value::Object(record) => record.get(*name),
            Value::Array(list) if list.len() <= fields.len() => list.get(place),
            _ => return None,
        };
        let found = match found {
            Some(found) => shape.read(found)?,
            // who writes `null` may as well write nothing, but in a list the place must be there
            None if matches!(shape, Shape::OrNull(_)) && value.is_object() => Value::Null,
            None if shape.may_be_missing() => Value::Null,
            None => return None,
        };
        if !is_nothing(&found) {
            notes.insert((*name).to_owned(), found);
        }
    }
    Some(notes)
}

/// It says no more than its absence.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(notes) => notes.is_empty(),
        _ => false,
    }
}

impl Shape {
    fn may_be_missing(&self) -> bool {
        !matches!(self, Self::Text | Self::Number | Self::Flag | Self::Time | Self::OrNull(_))
    }

    /// `None` where it has another shape, `null` where it says nothing.
    fn read(&self, value: &Value) -> Option<Value> {
        match self {
            Self::MaybeTime | Self::Maybe(_) | Self::OrNull(_) if value.is_null() => {
                Some(Value::Null)
            }
            Self::Text => value.as_str().map(Value::from),
            Self::Number => value.as_u64().map(Value::from),
            Self::Flag => value.as_bool().map(Value::from),
            Self::Mark => value.as_bool().map(|set| if set { set.into() } else { Value::Null }),
            Self::Time | Self::MaybeTime => serde_json::to_value(time(value)?).ok(),
            Self::Texts => {
                let texts = value.as_array()?.iter();
                texts.map(|text| text.as_str().map(Value::from)).collect()
            }
            Self::MaybeText => {
                let text = value.as_str()?;
                Some(if text.is_empty() { Value::Null } else { text.into() })
            }
            Self::Row(fields) => {
                let row = value.as_array()?.iter();
                row.map(|it| record(it, fields).map(Value::Object)).collect()
            }
            Self::Each(fields) => {
                let each = value.as_object()?.iter();
                let each = each.map(|(name, it)| Some((name.clone(), record(it, fields)?.into())));
                each.collect::<Option<Notes>>().map(Value::Object)
            }
            Self::Maybe(fields) | Self::OrNull(fields) => record(value, fields).map(Value::Object),
        }
    }
}

pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// Takes what names no bot: what a bot has noted itself counts, but of two ways back the later one.
fn join(own: &mut Notes, nobodys: Notes) {
    for (name, value) in nobodys {
        match (own.get_mut(&name), value) {
            (None, value) => drop(own.insert(name, value)),
            (Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
            (Some(own), value) if name == "undo" => {
                if time(&own["at"]) <= time(&value["at"]) {
                    *own = value;
                }
            }
            (Some(Value::Object(own)), Value::Object(more)) if name == "received" => {
                own.extend(more);
            }
            (Some(Value::Object(own)), Value::Object(more)) if name == "proofs" => {
                for (name, proof) in more {
                    own.entry(name).or_insert(proof);
                }
            }
            (Some(_), _) => {}
        }
    }
}
