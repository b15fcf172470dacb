//! What the administrators have heard of the schedule, noted so that each word is told once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::notebook::{Ailment, Failing, Notebook, Untold};
use super::{Listed, Parts, Report, Service, guarded};
use crate::backup::BackupId;
use crate::error::{Error, Result};

impl Service {
    /// What a person must know of the notebook.
    pub(crate) async fn ailment(&self) -> Result<Option<Ailment>> {
        self.looking(|parts| Ok(parts.notebook()?.ailment())).await
    }

    /// Notes that somebody has heard of a damaged notebook, in a new one.
    pub(crate) async fn note_told_of_damage(&self) {
        let noted = self.noting(|_, notebook| notebook.lost = false);
        let _ = noted.await.inspect_err(|error| warn(error, "the message was not noted"));
    }

    /// Notes that the schedule fails.
    pub(crate) async fn note_failing(&self) -> Result<Failing> {
        self.noting(|parts, notebook| {
            // whoever has not heard that the last failure ended, to them it is the same one
            let same = notebook.untold.take().is_some_and(|untold| untold.recovered);
            let now = || parts.clock.now();
            // a program that was killed could not note that a backup had ended it
            let failing = notebook.failing.as_mut();
            if let Some(failing) = failing.filter(|failing| parts.has_made_one_since(failing.since))
            {
                *failing = Failing { since: now(), told_at: failing.heard_at(), ..*failing };
            }
            *notebook.failing.get_or_insert_with(|| {
                let since = now();
                Failing { since, told: same, told_at: same.then_some(since) }
            })
        })
        .await
    }

    /// The failure that lasts, as it is noted.
    pub(crate) async fn failing(&self) -> Result<Option<Failing>> {
        self.looking(|parts| Ok(parts.notebook()?.failing)).await
    }

    /// Notes when the administrator has heard of the failure; false where none is noted.
    pub(crate) async fn note_told_of_failure(&self, at: DateTime<Utc>) -> Result<bool> {
        self.noting(move |_, notebook| {
            if let Some(failing) = &mut notebook.failing {
                (failing.told, failing.told_at) = (true, Some(at));
            }
            notebook.failing.is_some()
        })
        .await
        .inspect_err(|error| warn(error, "the failure was not noted"))
    }

    /// Notes that a backup has ended a failure.
    pub(crate) async fn note_ended(&self) -> Result<()> {
        let noted = self.noting(|_, notebook| notebook.failing = None);
        noted.await.inspect_err(|error| warn(error, "the end of a failure was not noted"))
    }

    /// Notes a backup of the schedule of which nobody has heard yet. That a failure has ended with it the
    /// notebook may know better.
    pub(crate) async fn note_made(&self, news: Untold) -> Result<()> {
        self.noting(move |_, notebook| {
            let failed = notebook.failing.take().is_some_and(|failing| failing.told);
            let before = notebook.untold.take().is_some_and(|untold| untold.recovered);
            let recovered = news.recovered || failed || before;
            notebook.untold = Some(Untold { recovered, ..news });
        })
        .await
    }

    /// Whether a failure has ended with this backup; `None` where its news is none any more.
    pub(crate) async fn untold_recovery(&self, news: Untold) -> Result<Option<bool>> {
        self.looking(move |parts| {
            let untold = parts.notebook()?.untold;
            Ok(untold.filter(|untold| untold.is(&news)).map(|untold| untold.recovered))
        })
        .await
    }

    /// The backup of which nobody has heard yet.
    pub(crate) async fn untold_backup(&self) -> Result<Option<Report>> {
        self.blocking(Parts::untold_backup).await
    }

    /// Looks at the notes, if not too many looks have not ended: a place that hangs does not hold one thread
    /// more with each.
    async fn looking<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Parts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let one = Arc::clone(&self.looks).acquire_owned().await;
        self.blocking(move |parts| {
            let _one = one;
            look(parts)
        })
        .await
    }

    /// Notes that the administrator has heard of a backup; false where that cannot be noted.
    pub(crate) async fn note_told_of_backup(&self, news: Untold) -> bool {
        let noted = self.noting(move |_, notebook| {
            if let Some(failing) = &mut notebook.failing {
                // it failed while that was on its way: they think now that it works
                (failing.told, failing.told_at) = (false, None);
            }
            match &mut notebook.untold {
                Some(untold) if !untold.is(&news) => untold.recovered = false,
                untold => *untold = None,
            }
        });
        noted.await.inspect_err(|error| warn(error, "the message was not noted")).is_ok()
    }

    /// Changes the notebook, if there is something to change.
    async fn noting<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Parts, &mut Notebook) -> T + Send + 'static,
    ) -> Result<T> {
        self.changing(move |parts| {
            let mut notebook = parts.notebook()?;
            let noted = |notes: &Notebook| (notes.failing, notes.untold.clone(), notes.lost);
            let before = noted(&notebook);
            let outcome = change(parts, &mut notebook);
            if before != noted(&notebook) {
                notebook.write(parts.storage.as_ref())?;
            }
            Ok(outcome)
        })
        .await
    }
}

impl Report {
    /// What there is to tell.
    pub(crate) fn news(&self, recovered: bool) -> Untold {
        let backup = self.info.id.to_string();
        Untold { backup, recovered, unchanged: self.unchanged }
    }
}

impl Parts {
    pub(super) fn has_made_one_since(&self, moment: DateTime<Utc>) -> bool {
        let made = guarded(|| {
            let (now, made_at) = (self.clock.now(), self.own()?.moments().all());
            Ok(made_at.iter().any(|at| *at > moment && *at <= now))
        });
        made.unwrap_or(false)
    }

    fn untold_backup(&self) -> Result<Option<Report>> {
        let Some(Untold { backup, unchanged, .. }) = self.notebook()?.untold else {
            return Ok(None);
        };
        let Some(id) = BackupId::parse(&backup) else { return Ok(None) };
        let found = self.newest_first()?.into_iter().find(|found| found.id == id);
        let Some(found) = found else { return Ok(None) };
        let path = self.path(&id);
        match self.line(found) {
            Listed::Good(info) => Ok(Some(Report { info, path, cleanup: None, unchanged })),
            Listed::Damaged { .. } => Ok(None),
        }
    }
}

fn warn(error: &Error, what: &str) {
    tracing::warn!(kind = ?error.kind(), step = %error, "{what}");
}
