//! How much is read of an archive at most, whoever made it: 20 MB may unpack to 20 GB of blanks.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// How deep `serde_json` reads; what lies deeper could be written, but never restored.
pub(super) const MAX_DEPTH: usize = 127;

/// So much data is little, whatever they unpack from.
const LITTLE: u64 = MB;

/// How much is read of an archive, and written into one, at most.
///
/// What is over a limit is an [`ErrorKind::TooLarge`] that names the limit, its value and the
/// setting. A backup of data that are over a limit is not made. That an archive holds two files and
/// at most 64 KB of metadata is no setting: more is no archive of ours.
///
/// | limit | [`folder`](Self::folder) | [`upload`](Self::upload) |
/// |---|---|---|
/// | [`archive_bytes`](Self::archive_bytes) | 64 GB | 20 MB |
/// | [`data_bytes`](Self::data_bytes) | 64 GB | 256 MB |
/// | [`ratio`](Self::ratio) | 1100, which no archive reaches | 200 |
/// | [`depth`](Self::depth) | 127 | 127 |
/// | [`text_bytes`](Self::text_bytes) | 64 MB | 8 MB |
/// | [`time`](Self::time) | none | 30 seconds |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The builder's method that sets them.
    setting: &'static str,
    archive_bytes: u64,
    data_bytes: u64,
    ratio: u64,
    depth: usize,
    text_bytes: u64,
    time: Duration,
}

impl Limits {
    /// Those of the folder of the bot's own backups: generous, for data that may be as large and as
    /// repetitive as they like.
    #[must_use]
    pub const fn folder() -> Self {
        Self {
            setting: "limits",
            archive_bytes: 64 * GB,
            data_bytes: 64 * GB,
            ratio: 1100,
            depth: MAX_DEPTH,
            text_bytes: 64 * MB,
            time: Duration::MAX,
        }
    }

    /// Those of an archive that a person sends into the chat: strict, since it may come from anywhere.
    #[must_use]
    pub const fn upload() -> Self {
        Self {
            setting: "upload_limits",
            archive_bytes: 20 * MB,
            data_bytes: 256 * MB,
            ratio: 200,
            text_bytes: 8 * MB,
            time: Duration::from_secs(30),
            ..Self::folder()
        }
    }

    /// The length of the archive. Default: 64 GB in the folder; 20 MB in the chat, more than which
    /// Telegram gives to no bot.
    #[must_use]
    pub const fn archive_bytes(mut self, most: u64) -> Self {
        self.archive_bytes = most;
        self
    }

    /// The length of the data, unpacked. Default: 64 GB in the folder, 256 MB in the chat.
    #[must_use]
    pub const fn data_bytes(mut self, most: u64) -> Self {
        self.data_bytes = most;
        self
    }

    /// How many times as long the data may be as what they unpack from; 1 MB of data is always read.
    /// Default: 1100 in the folder, which is more than can be compressed, and 200 in the chat.
    #[must_use]
    pub const fn ratio(mut self, most: u32) -> Self {
        // `from` is not const yet
        self.ratio = most as u64;
        self
    }

    /// How many brackets deep the data may nest, 1 to 127. Default: 127, deeper than which no data
    /// can be read.
    #[must_use]
    pub const fn depth(mut self, most: u8) -> Self {
        self.depth = most as usize;
        self
    }

    /// The length of a single text, key or number in the data, as it is written in JSON. It is what
    /// must be held in memory at once, and more than once. Default: 64 MB in the folder, 8 MB in the
    /// chat.
    #[must_use]
    pub const fn text_bytes(mut self, most: u64) -> Self {
        self.text_bytes = most;
        self
    }

    /// How long the check of an archive may take, before it is restored. It is reckoned by
    /// the clock on the wall, which may be set meanwhile. An archive of the folder that this bot has
    /// proved once, as it does each one that it makes, has all the time it needs. Default: none in the
    /// folder, 30 seconds in the chat.
    #[must_use]
    pub const fn time(mut self, most: Duration) -> Self {
        self.time = most;
        self
    }

    /// The same limits, set by another method of the builder.
    pub(crate) fn set_by(self, setting: &'static str) -> Self {
        Self { setting, ..self }
    }

    /// What makes no sense in them.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let none = [self.archive_bytes, self.data_bytes, self.ratio, self.text_bytes].contains(&0);
        if none || self.time.is_zero() {
            return Some("a limit of 0 lets nothing through");
        }
        (!(1..=MAX_DEPTH).contains(&self.depth)).then_some("depth must be between 1 and 127")
    }

    pub(super) fn check_archive(&self, bytes: u64) -> Result<()> {
        if bytes <= self.archive_bytes {
            return Ok(());
        }
        let most = amount(self.archive_bytes);
        Err(self.exceeded(&format!("the archive is longer than {most}"), "archive_bytes"))
    }

    /// `packed` is the length of what these data unpack from.
    pub(super) fn check_ratio(&self, bytes: u64, packed: u64) -> Result<()> {
        if bytes <= LITTLE.max(packed.saturating_mul(self.ratio)) {
            return Ok(());
        }
        let what = format!("data.json unpacks to more than {} times its length", self.ratio);
        Err(self.exceeded(&what, "ratio"))
    }

    #[inline]
    pub(super) fn check_data(&self, bytes: u64) -> Result<()> {
        if bytes <= self.data_bytes { Ok(()) } else { Err(self.too_much_data()) }
    }

    fn too_much_data(&self) -> Error {
        let most = amount(self.data_bytes);
        self.exceeded(&format!("data.json is longer than {most}"), "data_bytes")
    }

    pub(super) fn check_depth(&self, depth: usize) -> Result<()> {
        if depth <= self.depth {
            return Ok(());
        }
        let what = format!("data.json is nested more than {} levels deep", self.depth);
        Err(self.exceeded(&what, "depth"))
    }

    #[inline]
    pub(super) fn check_text(&self, bytes: u64) -> Result<()> {
        if bytes <= self.text_bytes { Ok(()) } else { Err(self.too_long_a_text()) }
    }

    fn too_long_a_text(&self) -> Error {
        let most = amount(self.text_bytes);
        let what = format!("a text or a number in data.json is longer than {most}");
        self.exceeded(&what, "text_bytes")
    }

    /// Names the limit and the builder's method that raises it.
    fn exceeded(&self, what: &str, limit: &str) -> Error {
        let setting = self.setting;
        Error::new(ErrorKind::TooLarge, format!("{what} (setting: {setting}, {limit})"))
    }
}

/// A length as a person sets it.
fn amount(bytes: u64) -> String {
    let units = [(GB, "GB"), (MB, "MB"), (1 << 10, "KB")];
    let whole = units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole
        .map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{} {name}", bytes / unit))
}

/// The time that the check of an archive may take.
#[derive(Clone)]
pub(crate) struct Timer {
    clock: Arc<dyn Clock>,
    end: DateTime<Utc>,
    limits: Limits,
}

impl Timer {
    pub(crate) fn start(clock: &Arc<dyn Clock>, limits: &Limits) -> Self {
        let time = TimeDelta::from_std(limits.time).unwrap_or(TimeDelta::MAX);
        let end = clock.now().checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { clock: Arc::clone(clock), end, limits: *limits }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.clock.now() <= self.end {
            return Ok(());
        }
        let what = format!("the check took longer than {:?}", self.limits.time);
        Err(self.limits.exceeded(&what, "time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_docs() {
        let folder = Limits {
            setting: "limits",
            archive_bytes: 64 << 30,
            data_bytes: 64 << 30,
            ratio: 1100,
            depth: 127,
            text_bytes: 64 << 20,
            time: Duration::MAX,
        };
        assert_eq!(format!("{:?}", Limits::folder()), format!("{folder:?}"));
        let upload = Limits {
            setting: "upload_limits",
            archive_bytes: 20 << 20,
            data_bytes: 256 << 20,
            ratio: 200,
            text_bytes: 8 << 20,
            time: Duration::from_secs(30),
            ..folder
        };
        assert_eq!(format!("{:?}", Limits::upload()), format!("{upload:?}"));
    }
}
