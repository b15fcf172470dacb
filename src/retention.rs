//! Which backups stay: a pure plan with reasons.

use chrono::{DateTime, TimeDelta, Utc};

use crate::backup::{BackupId, Trigger};

/// How long a restore can be undone at least, whatever happens to the notebook; as long stays what a
/// person has sent.
pub(crate) const SAFETY_KEPT: TimeDelta = TimeDelta::days(7);

/// A backup as the plan sees it.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: BackupId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) trigger: Option<Trigger>,
    pub(crate) standing: Standing,
}

/// What a backup is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was read to its end and decoded with the types that the host had then.
    Verified,
    /// It is damaged, or nobody could prove that it is not.
    Unproven,
    /// Another bot or another program made it.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep(Kept),
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    NotOurs,
    NotVerified,
    /// Its date is still to come: the clock was wrong then, or is now.
    FromTheFuture,
    NewestVerified,
    Needed,
    Recent,
}

/// Decides over every candidate. Only verified backups count towards `keep`, so nothing is ever
/// deleted on the strength of a backup that might not open.
pub(crate) fn plan(
    candidates: &[Candidate],
    keep: usize,
    now: DateTime<Utc>,
    needed: &[BackupId],
) -> Vec<(BackupId, Verdict)> {
    let mut newest_first: Vec<&Candidate> = candidates.iter().collect();
    newest_first.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    let counts = |c: &Candidate| c.standing == Standing::Verified && c.created_at <= now;
    let newest = newest_first.iter().find(|c| counts(c)).map(|c| &c.id);
    let mut recent = 0;
    newest_first
        .iter()
        .map(|candidate| {
            let verdict = match candidate.standing {
                Standing::Foreign => Verdict::Keep(Kept::NotOurs),
                Standing::Unproven => Verdict::Keep(Kept::NotVerified),
                Standing::Verified if candidate.created_at > now => {
                    Verdict::Keep(Kept::FromTheFuture)
                }
                Standing::Verified if candidate.trigger == Some(Trigger::BeforeRestore) => {
                    safety(candidate, now, needed, newest)
                }
                Standing::Verified => {
                    recent += 1;
                    if recent <= keep {
                        Verdict::Keep(Kept::Recent)
                    } else if needed.contains(&candidate.id) {
                        Verdict::Keep(Kept::Needed)
                    } else {
                        Verdict::Delete
                    }
                }
            };
            (candidate.id.clone(), verdict)
        })
        .collect()
}

fn safety(
    candidate: &Candidate,
    now: DateTime<Utc>,
    needed: &[BackupId],
    newest: Option<&BackupId>,
) -> Verdict {
    if needed.contains(&candidate.id) || now - candidate.created_at < SAFETY_KEPT {
        Verdict::Keep(Kept::Needed)
    } else if newest == Some(&candidate.id) {
        Verdict::Keep(Kept::NewestVerified)
    } else {
        Verdict::Delete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000, 0).expect("a date") + TimeDelta::days(n)
    }

    fn made(n: i64) -> Candidate {
        Candidate {
            id: BackupId::new(day(n).naive_utc(), 1),
            created_at: day(n),
            trigger: Some(Trigger::Scheduled),
            standing: Standing::Verified,
        }
    }

    fn safety_of(n: i64) -> Candidate {
        Candidate { trigger: Some(Trigger::BeforeRestore), ..made(n) }
    }

    fn deleted(candidates: &[Candidate], keep: usize, now: i64, undo: &[BackupId]) -> Vec<i64> {
        let doomed = plan(candidates, keep, day(now), undo);
        let mut days: Vec<i64> = candidates
            .iter()
            .filter(|c| doomed.contains(&(c.id.clone(), Verdict::Delete)))
            .map(|c| (c.created_at - day(0)).num_days())
            .collect();
        days.sort_unstable();
        days
    }

    #[test]
    fn the_newest_stay() {
        let all: Vec<_> = (0..13).map(made).collect();
        assert_eq!(deleted(&all, 10, 12, &[]), [0, 1, 2]);
        assert_eq!(deleted(&all, 1, 12, &[]), (0..12).collect::<Vec<_>>());
        assert_eq!(deleted(&all, 100, 12, &[]), [0; 0]);
        assert_eq!(deleted(&[], 1, 12, &[]), [0; 0]);
    }

    #[test]
    fn what_is_not_verified_neither_counts_nor_goes() {
        let mut all: Vec<_> = (0..4).map(made).collect();
        all[3].standing = Standing::Unproven;
        all[2].standing = Standing::Foreign;
        // of the two that count, the older goes; the two that do not are no reason for more
        assert_eq!(deleted(&all, 1, 4, &[]), [0]);
        assert_eq!(deleted(&all, 2, 4, &[]), [0; 0]);
    }

    #[test]
    fn a_date_in_the_future_pushes_nothing_out() {
        let all = [made(0), made(1), made(900), made(901)];
        assert_eq!(deleted(&all, 2, 2, &[]), [0; 0]);
        assert_eq!(deleted(&all, 1, 2, &[]), [0]);
        // once the time has come they count as any other
        assert_eq!(deleted(&all, 2, 1000, &[]), [0, 1]);
    }

    #[test]
    fn a_safety_backup_stays_while_it_can_be_undone_to() {
        let all = [safety_of(0), made(1), made(2), safety_of(3)];
        assert_eq!(deleted(&all, 2, 4, &[]), [0; 0]);
        // a week, to the second
        assert_eq!(deleted(&all, 2, 6, &[]), [0; 0]);
        assert_eq!(deleted(&all, 2, 7, &[]), [0]);
        assert_eq!(deleted(&all, 2, 8, &[all[0].id.clone()]), [0; 0]);
        // and takes no place from the others
        assert_eq!(deleted(&all, 1, 8, &[]), [0, 1]);
    }

    #[test]
    fn the_newest_verified_one_stays_even_if_it_is_a_safety_backup() {
        let mut all = [safety_of(0), made(1)];
        all[1].standing = Standing::Unproven;
        assert_eq!(deleted(&all, 1, 100, &[]), [0; 0]);
    }

    #[test]
    fn no_history_loses_its_newest_verified_backup() {
        // every mixture of five backups of all kinds, at every keep and every present
        let kinds = |n: i64, k: u32| match k {
            0 => made(n),
            1 => safety_of(n),
            2 => Candidate { standing: Standing::Unproven, ..made(n) },
            _ => Candidate { standing: Standing::Foreign, ..made(n) },
        };
        for mixture in 0..4_u32.pow(5) {
            let kind = |day: u32| mixture / 4_u32.pow(day) % 4;
            let all: Vec<_> = (0..5).map(|day| kinds(i64::from(day) * 4, kind(day))).collect();
            for (keep, now) in [(1, 0), (1, 9), (2, 17), (3, 40), (1, 40)] {
                let gone = deleted(&all, keep, now, &[]);
                let newest = all
                    .iter()
                    .filter(|c| c.standing == Standing::Verified && c.created_at <= day(now))
                    .map(|c| (c.created_at - day(0)).num_days())
                    .max();
                assert!(newest.is_none_or(|n| !gone.contains(&n)), "{mixture} {keep} {now}");
            }
        }
    }
}
