//! `metadata.json`: what is known of a backup without reading its data.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use crate::backup::{BackupId, BackupInfo, Counts, Trigger};
use crate::error::{Error, ErrorKind, Result};

/// The only version there is; the Python system wrote it too.
const VERSION: &str = "1.0";

/// The years that a ZIP can hold; no other can be a backup's.
const YEARS: RangeInclusive<i32> = 1980..=2107;

/// The first three keys are the Python system's; a reader of its age passes over the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    #[serde(with = "local_iso")]
    pub(crate) created_at: NaiveDateTime,
    backup_version: String,
    #[serde(default)]
    pub(crate) records_count: Counts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at_utc: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Trigger>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bot_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema_version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_sha256: Option<String>,
}

/// What a new backup says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) created_at: NaiveDateTime,
    pub(crate) created_at_utc: DateTime<Utc>,
    pub(crate) trigger: Trigger,
    /// Nobody knows it where the program runs without a token.
    pub(crate) bot_id: Option<u64>,
    pub(crate) schema_version: u32,
    /// The sections that the source has; those that it left out held nothing.
    pub(crate) sections: Vec<String>,
}

impl Metadata {
    pub(crate) fn new(origin: &Origin, data: &super::Summary) -> Self {
        Self {
            created_at: origin.created_at,
            backup_version: VERSION.to_owned(),
            records_count: data.counts().with_empty(origin.sections.iter()),
            created_at_utc: Some(origin.created_at_utc),
            trigger: Some(origin.trigger),
            bot_id: origin.bot_id,
            schema_version: Some(origin.schema_version),
            comment: None,
            data_bytes: Some(data.bytes),
            data_sha256: Some(data.sha256.clone()),
        }
    }

    /// Reads `metadata.json`; a version that is not known is an error that names it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            backup_version: String,
        }
        let unreadable = |error: serde_json::Error| {
            Error::damaged("metadata.json cannot be read").because(error)
        };
        // an unknown version may have any other shape: look at the version alone first
        let version: Version = serde_json::from_slice(json).map_err(unreadable)?;
        if version.backup_version != VERSION {
            let version: String = version.backup_version.chars().take(20).collect();
            return Err(Error::new(ErrorKind::UnknownVersion, version));
        }
        let metadata: Self = serde_json::from_slice(json).map_err(unreadable)?;
        let years = [Some(metadata.created_at), metadata.created_at_utc.map(|at| at.naive_utc())];
        if years.into_iter().flatten().any(|at| !YEARS.contains(&at.year())) {
            return Err(Error::damaged("the date of the archive is out of range"));
        }
        Ok(metadata)
    }

    /// Whether this system wrote the archive; the Python system leaves no bot and no hash.
    pub(crate) fn is_ours(&self) -> bool {
        self.data_sha256.is_some() && self.data_bytes.is_some()
    }

    /// Whether two archives of one bot hold the same bytes, and count the same records in them.
    pub(crate) fn holds_the_same(&self, other: &Self) -> bool {
        let held =
            |metadata: &Self| (metadata.bot_id, metadata.schema_version, metadata.data_bytes);
        self.is_ours()
            && held(self) == held(other)
            && self.data_sha256 == other.data_sha256
            && self.records_count == other.records_count
    }

    pub(crate) fn info(&self, id: BackupId, size_bytes: u64) -> BackupInfo {
        BackupInfo {
            id,
            size_bytes,
            created_at: self.created_at,
            created_at_utc: self.created_at_utc,
            trigger: self.trigger,
            bot_id: self.bot_id,
            counts: self.records_count.clone(),
        }
    }
}

/// A trigger of a later version is no reason to call an archive damaged.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Trigger>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let name: StrDeserializer<'_, D::Error> = name.as_str().into_deserializer();
    Ok(Trigger::deserialize(name).ok())
}

/// Local time as Python's `isoformat` writes it: whole seconds, or with a fraction.
mod local_iso {
    use chrono::NaiveDateTime;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        at: &NaiveDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%S"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<NaiveDateTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_same_bytes_and_records_of_one_bot_are_the_same() {
        let made = |changes: &[(&str, Value)]| {
            let mut metadata = json!({
                "created_at": "2026-02-01T14:30:25", "backup_version": "1.0",
                "records_count": { "orders": 1, "reviews": 2 }, "trigger": "scheduled",
                "bot_id": 7, "schema_version": 1, "data_bytes": 200, "data_sha256": "00",
            });
            for (key, value) in changes {
                metadata[*key] = value.clone();
            }
            Metadata::parse(metadata.to_string().as_bytes()).expect("metadata")
        };
        let written = made(&[]);
        let earlier = [("created_at", json!("2026-01-01T00:00:00")), ("trigger", json!("manual"))];
        assert!(made(&earlier).holds_the_same(&written));
        for (key, value) in [
            ("records_count", json!({ "orders": 2, "reviews": 1 })),
            ("records_count", json!({ "orders": 1, "reviews": 2, "prices": 0 })),
            ("bot_id", json!(8)),
            ("bot_id", Value::Null),
            ("schema_version", json!(2)),
            ("data_bytes", json!(201)),
            ("data_sha256", json!("01")),
        ] {
            let other = made(&[(key, value.clone())]);
            assert!(!other.holds_the_same(&written), "{key}: {value}");
        }
        let unproved = [("data_bytes", Value::Null), ("data_sha256", Value::Null)];
        assert!(!made(&unproved).holds_the_same(&made(&unproved)), "nobody knows what it holds");
    }
}
