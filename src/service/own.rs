//! This bot's own archives, from which the schedule counts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Parts;
use super::owner::Owner;
use crate::archive::Metadata;
use crate::backup::{BackupId, Trigger};
use crate::error::Result;

/// The archives that this bot has made, but for those that save what was there before a restore.
pub(super) struct Own {
    archives: Vec<OwnArchive>,
    /// When the data were found the same as in one of them.
    unchanged_at: Option<DateTime<Utc>>,
    /// The newest of those that cannot be read: nobody knows whose they are.
    unreadable: Option<BackupId>,
}

pub(super) struct OwnArchive {
    pub(super) id: BackupId,
    pub(super) size_bytes: u64,
    pub(super) made_at: DateTime<Utc>,
    pub(super) metadata: Arc<Metadata>,
}

/// What the schedule counts from.
pub(crate) struct Moments {
    /// When backups were made.
    pub(crate) made_at: Vec<DateTime<Utc>>,
    /// When one would have been made, had the data changed.
    pub(crate) unchanged_at: Option<DateTime<Utc>>,
}

impl Moments {
    pub(crate) fn all(&self) -> Vec<DateTime<Utc>> {
        self.made_at.iter().copied().chain(self.unchanged_at).collect()
    }
}

impl Own {
    pub(super) fn moments(&self) -> Moments {
        let made_at = self.archives.iter().map(|archive| archive.made_at).collect();
        Moments { made_at, unchanged_at: self.unchanged_at }
    }

    /// The newest one; `None` where that may be one which cannot be read. What a wrong clock has made
    /// in the future is not the newest yet.
    pub(super) fn last(self, now: DateTime<Utc>) -> Option<OwnArchive> {
        let come = self.archives.into_iter().filter(|archive| archive.made_at <= now);
        let last = come.max_by(|a, b| (a.made_at, &a.id).cmp(&(b.made_at, &b.id)))?;
        (self.unreadable.as_ref() < Some(&last.id)).then_some(last)
    }
}

impl Parts {
    pub(super) fn own(&self) -> Result<Own> {
        let found = self.newest_first()?;
        let notebook = self.notebook().unwrap_or_default();
        // a wall that was set back for winter has shown later times before
        let horizon = self.clock.to_local(self.clock.now() + TimeDelta::days(1));
        let (mut made_here, mut unreadable) = (Vec::new(), None);
        for found in found {
            match self.glance(&found) {
                // what a person has sent says nothing of when backups are made here, or by whom
                Ok(_) if notebook.is_received(&found.id) => {}
                Ok(metadata) => made_here.push(OwnArchive {
                    made_at: self.moment(&metadata),
                    size_bytes: found.size_bytes,
                    id: found.id,
                    metadata,
                }),
                // nor does what a wrong clock has made in the future, whoever made it
                Err(_) if notebook.is_received(&found.id) || found.id.stamp() > horizon => {}
                Err(_) => unreadable = unreadable.or(Some(found.id)),
            }
        }
        let named = made_here.iter().map(|archive| archive.metadata.bot_id);
        let owner = Owner::among(self.bot_id, named);
        made_here.retain(|archive| {
            let Metadata { bot_id, trigger, .. } = *archive.metadata;
            owner.owns(bot_id) && trigger != Some(Trigger::BeforeRestore)
        });
        let listed = made_here.iter().map(|archive| (&archive.id, archive.size_bytes));
        let unchanged_at = notebook.unchanged_among(listed).map(|(_, at)| at);
        Ok(Own { archives: made_here, unchanged_at, unreadable })
    }
}
