//! What the trial begins with: a file in the shape of a backup's data.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Connection;
use serde::Deserialize;

use crate::contents::{self, Piece};
use crate::moderation::{self, PendingReview};
use crate::orders::{self, Order};
use crate::referrals;
use crate::reviews::{self, Review};

const SAMPLES: &str = include_str!("samples.json");

#[derive(Deserialize)]
struct Samples {
    tickets: BTreeMap<i64, BTreeMap<String, Order>>,
    referrals: BTreeMap<i64, Vec<i64>>,
    bonuses: BTreeMap<i64, i64>,
    reviews: Vec<Review>,
    pending_reviews: Vec<PendingReview>,
    contents: Vec<Piece>,
    clients: Vec<i64>,
}

/// Fills an empty database.
pub(crate) fn put(db: &mut Connection) -> Result<()> {
    let samples: Samples = serde_json::from_str(SAMPLES)?;
    let change = db.transaction()?;
    for (client, orders) in samples.tickets {
        for (id, order) in orders {
            orders::put(&change, &Order { id, user_id: client, ..order })?;
        }
    }
    for (inviter, newcomers) in samples.referrals {
        newcomers
            .into_iter()
            .try_for_each(|newcomer| referrals::note(&change, inviter, newcomer))?;
    }
    samples.bonuses.into_iter().try_for_each(|(id, sum)| referrals::set(&change, id, sum))?;
    samples.clients.into_iter().try_for_each(|id| referrals::put(&change, id))?;
    samples.reviews.iter().try_for_each(|review| reviews::put(&change, review))?;
    samples.pending_reviews.iter().try_for_each(|review| moderation::put(&change, review))?;
    samples.contents.iter().try_for_each(|piece| contents::put(&change, piece))?;
    Ok(change.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_fit_the_bot() {
        let samples: Samples = serde_json::from_str(SAMPLES).expect("the shape of a backup");
        let orders = samples.tickets.values().flat_map(BTreeMap::values);
        for order in orders {
            assert!(orders::Status::of(&order.status).is_some(), "{}", order.status);
        }
        let clients = super::super::CLIENTS.map(|(id, _)| i64::from(id));
        assert_eq!(samples.tickets.into_keys().collect::<Vec<_>>(), clients);
        assert_eq!(samples.clients, clients);
        assert_eq!(samples.referrals[&clients[0]], [clients[1]]);
    }
}
