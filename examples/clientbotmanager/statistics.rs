//! How the bot is getting on, in numbers.

use anyhow::Result;
use rusqlite::Connection;
use teloxide::prelude::*;

use crate::admin;
use crate::database::Database;
use crate::html::{Bot, short};
use crate::press;

/// A name and a query that counts.
const COUNTS: [(&str, &str); 6] = [
    (
        // those of an old archive have left traces alone
        "👥 Клиентов",
        "SELECT count(*) FROM (
             SELECT user_id FROM clients UNION SELECT user_id FROM orders
             UNION SELECT user_id FROM bonuses
             UNION SELECT inviter_id FROM referrals UNION SELECT newcomer_id FROM referrals)",
    ),
    ("🤝 Пришли по ссылкам друзей", "SELECT count(*) FROM referrals"),
    ("⭐️ Отзывов опубликовано", "SELECT count(*) FROM reviews"),
    ("⏳ Отзывов ждут проверки", "SELECT count(*) FROM pending_reviews"),
    ("💬 Писали в поддержку", "SELECT count(DISTINCT user_id) FROM support_messages"),
    ("📦 Заказов", "SELECT count(*) FROM orders"),
];

/// How many kinds of status are shown; a client may bring in old data with any.
const STATUSES: u32 = 10;

/// «📊 Статистика».
pub(crate) async fn show(bot: Bot, query: CallbackQuery, db: Database) -> Result<()> {
    let lines = db.call(|db| lines(db)).await?;
    let text = format!("📊 <b>Статистика</b>\n\n{}", lines.join("\n"));
    press::turn(&bot, &query, &text, admin::back()).await
}

fn lines(db: &Connection) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (name, count) in COUNTS {
        let count: i64 = db.query_row(count, [], |row| row.get(0))?;
        lines.push(format!("{name}: <b>{count}</b>"));
    }
    let by_status = "SELECT status, count(*) FROM orders GROUP BY status ORDER BY 2 DESC LIMIT ?1";
    let mut by_status = db.prepare(by_status)?;
    let mut rows = by_status.query([STATUSES])?;
    while let Some(row) = rows.next()? {
        let (status, count): (String, i64) = (row.get(0)?, row.get(1)?);
        lines.push(format!("  · {}: {count}", short(&status, 60)));
    }
    Ok(lines)
}
