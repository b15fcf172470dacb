//! Friends who came by a client's link, and the bonuses for them.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use teloxide::prelude::*;
use teloxide::types::Me;
use tracing::{error, warn};

use crate::apology::reason;
use crate::database::Database;
use crate::html::Bot;

/// What a client gets for each friend.
pub(crate) const REWARD: i64 = 100;

/// «🎁 Бонусы и друзья»: the client's link and balance.
pub(crate) async fn show(bot: Bot, chat: ChatId, me: Me, db: Database) -> Result<()> {
    let ChatId(user) = chat;
    let (roubles, friends) = db.call(move |db| Ok((balance(db, user)?, count(db, user)?))).await?;
    let text = format!(
        "🎁 <b>Бонусы и друзья</b>\n\n\
         На вашем счёте: <b>{roubles} ₽</b>\n\
         Друзей по вашей ссылке: <b>{friends}</b>\n\n\
         Отправьте другу ссылку: он придёт по ней впервые, и вам начислится {REWARD} ₽. \
         Бонусы можно потратить на заказ.\n\n{}",
        link(&me, user)
    );
    bot.send_message(chat, text).await?;
    Ok(())
}

/// Whoever comes by `/start` is known from now on; a friend who has sent them is thanked. A
/// failure here keeps nobody from the greeting.
pub(crate) async fn meet(bot: Bot, chat: ChatId, db: Database, link: String) {
    let inviter = inviter(&link);
    match db.call(move |db| welcome(db, chat.0, inviter)).await {
        Ok(None) => {}
        Ok(Some(inviter)) => {
            let news = format!("🎉 По вашей ссылке пришёл новый друг! Вам начислено {REWARD} ₽.");
            if let Err(error) = bot.send_message(ChatId(inviter), news).await {
                warn!("an inviter could not be told: {error}");
            }
        }
        Err(error) => error!("a client was not noted: {}", reason(&error)),
    }
}

/// The link that a client gives to friends.
pub(crate) fn link(me: &Me, user: i64) -> String {
    format!("https://t.me/{}?start=ref{user}", me.username())
}

/// The inviter in what follows `/start`.
fn inviter(start: &str) -> Option<i64> {
    start.trim().strip_prefix("ref")?.parse().ok().filter(|&id| id > 0)
}

/// Notes that a client is here. A newcomer counts for an inviter who was here before, and who is
/// given back then.
fn welcome(db: &mut Connection, user: i64, inviter: Option<i64>) -> Result<Option<i64>> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let inviter = match inviter {
        Some(inviter) if is_known(&change, inviter)? && !is_known(&change, user)? => Some(inviter),
        _ => None,
    };
    put(&change, user)?;
    if let Some(inviter) = inviter {
        note(&change, inviter, user)?;
        add(&change, inviter, REWARD)?;
    }
    change.commit()?;
    Ok(inviter)
}

/// Notes a client.
pub(crate) fn put(db: &Connection, user: i64) -> Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO clients (user_id) VALUES (?1)")?.execute([user])?;
    Ok(())
}

/// Writes that this newcomer came by the link of that inviter.
pub(crate) fn note(db: &Connection, inviter: i64, newcomer: i64) -> Result<()> {
    let note = "INSERT INTO referrals (inviter_id, newcomer_id) VALUES (?1, ?2)";
    db.prepare_cached(note)?.execute((inviter, newcomer))?;
    Ok(())
}

/// The bonuses of a client in roubles.
pub(crate) fn balance(db: &Connection, user: i64) -> Result<i64> {
    let find = "SELECT roubles FROM bonuses WHERE user_id = ?1";
    Ok(db.query_row(find, [user], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Gives bonuses to a client, or takes them.
pub(crate) fn add(db: &Connection, user: i64, roubles: i64) -> Result<()> {
    db.execute(
        "INSERT INTO bonuses (user_id, roubles) VALUES (?1, ?2)
         ON CONFLICT (user_id) DO UPDATE SET roubles = roubles + excluded.roubles",
        (user, roubles),
    )?;
    Ok(())
}

/// Sets the bonuses of a client, whatever they were.
pub(crate) fn set(db: &Connection, user: i64, roubles: i64) -> Result<()> {
    let set = "INSERT OR REPLACE INTO bonuses (user_id, roubles) VALUES (?1, ?2)";
    db.prepare_cached(set)?.execute((user, roubles))?;
    Ok(())
}

/// Whether the client was here before, by any trace; after a restore on a new machine the list of
/// clients is empty, but their orders and friends are there.
fn is_known(db: &Connection, user: i64) -> Result<bool> {
    let trace = "SELECT EXISTS (SELECT 1 FROM clients WHERE user_id = ?1)
                     OR EXISTS (SELECT 1 FROM orders WHERE user_id = ?1)
                     OR EXISTS (SELECT 1 FROM bonuses WHERE user_id = ?1)
                     OR EXISTS (SELECT 1 FROM referrals WHERE newcomer_id = ?1 OR inviter_id = ?1)";
    Ok(db.query_row(trace, [user], |row| row.get(0))?)
}

fn count(db: &Connection, user: i64) -> Result<u32> {
    let count = "SELECT count(*) FROM referrals WHERE inviter_id = ?1";
    Ok(db.query_row(count, [user], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ref_and_an_id_name_an_inviter() {
        assert_eq!(inviter("ref42"), Some(42));
        for other in ["", "ref", "ref-42", "ref0", "42", "ref99999999999999999999", "ref4x"] {
            assert_eq!(inviter(other), None, "{other}");
        }
    }
}
