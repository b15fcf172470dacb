//! The nouns: what a backup is called, what started it, what it holds.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a backup: `backup_YYYYMMDD_HHMMSS.zip`, in local time.
///
/// A second backup within the same second is `backup_YYYYMMDD_HHMMSS_2.zip`, and so on. Only names
/// of exactly this form are backups; whatever else lies beside them is never touched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId {
    stamp: NaiveDateTime,
    copy: u32,
}

impl BackupId {
    /// The name for a backup made at this local time; `copy` is 1 for the first of a second.
    pub(crate) fn new(stamp: NaiveDateTime, copy: u32) -> Self {
        // whole seconds are all that a name can hold
        let stamp = stamp.date().and_time(whole_seconds(stamp));
        Self { stamp, copy: copy.max(1) }
    }

    /// Reads a file name; `None` where it is not exactly a backup's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::from_key(name.strip_prefix("backup_")?.strip_suffix(".zip")?)
    }

    /// The part of the name that differs: `20260201_143025` or `20260201_143025_2`.
    pub(crate) fn key(&self) -> String {
        let stamp = self.stamp.format("%Y%m%d_%H%M%S");
        match self.copy {
            1 => stamp.to_string(),
            copy => format!("{stamp}_{copy}"),
        }
    }

    pub(crate) fn from_key(key: &str) -> Option<Self> {
        let digits = |range: std::ops::Range<usize>| {
            let part = key.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
        };
        if key.get(8..9)? != "_" {
            return None;
        }
        let year = i32::try_from(digits(0..4)?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, digits(4..6)?, digits(6..8)?)?;
        let stamp = date.and_hms_opt(digits(9..11)?, digits(11..13)?, digits(13..15)?)?;
        let copy = match key.get(15..17) {
            None => (key.len() == 15).then_some(1)?,
            // one spelling a name: no `_1`, no `_02`, nothing after it
            Some("_0") => return None,
            Some(more) if more.starts_with('_') => digits(16..key.len()).filter(|n| *n > 1)?,
            Some(_) => return None,
        };
        Some(Self { stamp, copy })
    }

    /// The local time in the name.
    #[must_use]
    pub fn stamp(&self) -> NaiveDateTime {
        self.stamp
    }
}

fn whole_seconds(stamp: NaiveDateTime) -> chrono::NaiveTime {
    use chrono::Timelike;
    stamp.time().with_nanosecond(0).unwrap_or_else(|| stamp.time())
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backup_{}.zip", self.key())
    }
}

/// What started a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    /// A person asked for it.
    Manual,
    /// It was due.
    Scheduled,
    /// It holds what was live before a restore, so that the restore can be undone.
    BeforeRestore,
}

/// How many records each section of a backup holds, in the order of the archive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Vec<Count>);

#[derive(Clone, Debug)]
struct Count {
    section: String,
    records: u64,
    /// The section stands in the data; one that is left out holds nothing, and may be an old name.
    written: bool,
}

impl Counts {
    /// The records of one section; `None` where there is no such section.
    pub(crate) fn get(&self, section: &str) -> Option<u64> {
        self.iter().find(|(name, _)| *name == section).map(|(_, count)| count)
    }

    /// Every section and its records, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|count| (count.section.as_str(), count.records))
    }

    /// These, and none in each section that is not among them.
    pub(crate) fn with_empty<'n>(mut self, sections: impl Iterator<Item = &'n String>) -> Self {
        for section in sections {
            if self.get(section).is_none() {
                self.0.push(Count { section: section.clone(), records: 0, written: false });
            }
        }
        self
    }

    /// Those of some sections.
    pub(crate) fn only(&self, chosen: impl Fn(&str, u64) -> bool) -> Self {
        let chosen = self.0.iter().filter(|count| chosen(&count.section, count.records));
        Self(chosen.cloned().collect())
    }

    /// Whether a section stands in the data.
    pub(crate) fn has_written(&self, section: &str) -> bool {
        self.0.iter().any(|count| count.written && count.section == section)
    }

    /// Whether these have a name that does not stand in other data: an alias never does.
    pub(crate) fn names_more_than(&self, others: &Self) -> bool {
        self.0.iter().any(|count| count.written && !others.has_written(&count.section))
    }

    /// Those whose sections others lack.
    pub(crate) fn missing_in(&self, others: &Self) -> Missing {
        let counts = self.only(|name, count| count > 0 && others.get(name).is_none());
        let renamed = !counts.is_empty() && others.names_more_than(self);
        Missing { counts, renamed }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All records of all sections.
    pub(crate) fn total(&self) -> u64 {
        self.iter().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }
}

/// What is left out holds nothing, as what is empty does.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Counts {}

/// Live records whose sections an archive does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) counts: Counts,
    /// The archive has a name more, which may be an old one for one of these.
    pub(crate) renamed: bool,
}

impl FromIterator<(String, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(pairs: I) -> Self {
        let count = |(section, records)| Count { section, records, written: true };
        Self(pairs.into_iter().map(count).collect())
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in self.iter() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Counts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number for each section")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
                let mut counts = Counts::default();
                while let Some((section, records)) = map.next_entry::<String, u64>()? {
                    if counts.get(&section).is_some() {
                        return Err(serde::de::Error::custom("a section is counted twice"));
                    }
                    counts.0.push(Count { section, records, written: true });
                }
                Ok(counts)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// What is known of one backup without reading its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackupInfo {
    /// Its name.
    pub(crate) id: BackupId,
    /// The archive's length in bytes.
    pub(crate) size_bytes: u64,
    /// When it was made, in local time, to the second.
    pub(crate) created_at: NaiveDateTime,
    /// When it was made; `None` in archives of the Python system.
    pub(crate) created_at_utc: Option<DateTime<Utc>>,
    /// What started it; `None` in archives of the Python system.
    pub(crate) trigger: Option<Trigger>,
    /// Which bot made it, by its Telegram id; `None` in archives of the Python system, and where no
    /// token was at hand.
    pub(crate) bot_id: Option<u64>,
    /// The records in each section.
    pub(crate) counts: Counts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for good in [
            "backup_20260201_143025.zip",
            "backup_20260201_143025_2.zip",
            "backup_20260201_143025_10.zip",
            "backup_20260201_143025_4294967295.zip",
            "backup_00010101_000000.zip",
        ] {
            assert_eq!(BackupId::parse(good).expect(good).to_string(), good);
        }
        for bad in [
            "backup_20260201_143025_0.zip",
            "backup_20260201_143025_1.zip",
            "backup_20260201_143025_02.zip",
            "backup_20260201_143025_.zip",
            "backup_20260201_143025_00.zip",
            "backup_20260201_143025_+2.zip",
            "backup_20260201_143025_2_3.zip",
            "backup_20260201_143025_4294967296.zip",
            "backup_20260201_143025-2.zip",
            "backup_20260201_1430252.zip",
            "backup_20260201_14302522.zip",
            "backup_20260201_143025я.zip",
            "backup_20260201_14302.zip",
            "backup_20260201_143060.zip",
            "backup_20260201_143025_2.zip.zip",
            "backup_20260231_143025.zip",
            "backup_20260201_246025.zip",
            "backup_2026020a_143025.zip",
            "backup_+0260201_143025.zip",
            "backup_20260201-143025.zip",
            "../backup_20260201_143025.zip",
            "backup_２０２６0201_143025.zip",
            "backup_.zip",
            "",
        ] {
            assert_eq!(BackupId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_that_is_read_is_the_one_that_is_written() {
        let whole = "20260201_143025_21";
        let letters = ["", "0", "1", "2", "9", "_", "-", "+", " ", "я", "00"];
        for (at, _) in whole.char_indices() {
            for (first, second) in letters.iter().flat_map(|a| letters.map(|b| (a, b))) {
                for length in 0..=2.min(whole.len() - at) {
                    let end = &whole[at + length..];
                    let key = format!("{}{first}{second}{end}", &whole[..at]);
                    if let Some(id) = BackupId::from_key(&key) {
                        assert_eq!(id.key(), key);
                    }
                }
            }
        }
    }

    #[test]
    fn names_sort_by_time_then_by_copy() {
        let mut names = ["20260201_143025_10", "20260201_143024", "20260201_143025_2"]
            .map(|key| BackupId::from_key(key).expect(key));
        names.sort();
        let keys = names.map(|id| id.key());
        assert_eq!(keys, ["20260201_143024", "20260201_143025_2", "20260201_143025_10"]);
    }
}
