//! The orders of the clients.

use anyhow::Result;
use chrono::Local;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::database::Json;
use crate::referrals;

/// The answers of the order form by their names; those of older versions are kept as they are.
pub(crate) type Answers = Map<String, Value>;

/// How an order is getting on; old data may have other words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    New,
    Working,
    Waiting,
    Done,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::New, Self::Working, Self::Waiting, Self::Done];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "новый",
            Self::Working => "в работе",
            Self::Waiting => "ожидает ответа",
            Self::Done => "завершено",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::New => "🆕",
            Self::Working => "🔧",
            Self::Waiting => "⏳",
            Self::Done => "✅",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An order, in the very shape that it has in a backup.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    /// In a backup the keys say whose and which order it is; they are copied here.
    #[serde(rename = "order_id", skip_deserializing)]
    pub(crate) id: String,
    #[serde(skip_deserializing)]
    pub(crate) user_id: i64,
    /// Local time, ISO 8601.
    pub(crate) timestamp: String,
    pub(crate) status: String,
    pub(crate) data: Answers,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            id: String::new(),
            user_id: 0,
            timestamp: String::new(),
            status: Status::New.name().to_owned(),
            data: Answers::new(),
        }
    }
}

impl Order {
    /// A new order of this moment.
    pub(crate) fn new(id: String, user_id: i64, data: Answers) -> Self {
        let timestamp = Local::now().format("%Y-%m-%dT%H:%M:%S").to_string();
        Self { id, user_id, timestamp, status: Status::New.name().to_owned(), data }
    }

    /// The columns [`COLUMNS`].
    pub(crate) fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let Json(data) = row.get(4)?;
        Ok(Self {
            user_id: row.get(0)?,
            id: row.get(1)?,
            timestamp: row.get(2)?,
            status: row.get(3)?,
            data,
        })
    }

    /// Telegram's id of the file that came with the order.
    pub(crate) fn file(&self) -> Option<&str> {
        self.data.get("file")?.as_str()
    }

    /// How the client has called themselves.
    pub(crate) fn name(&self) -> Option<&str> {
        self.data.get("fio")?.as_str()
    }

    /// The moment of the order, as people read it; the Python bot wrote microseconds too.
    pub(crate) fn moment(&self) -> String {
        let seconds = self.timestamp.split('.').next().unwrap_or_default();
        seconds.replacen('T', " ", 1)
    }

    /// The day of the order; nothing if the order has no time.
    pub(crate) fn day(&self) -> &str {
        self.timestamp.split('T').next().unwrap_or_default()
    }
}

/// What [`Order::of_row`] reads.
pub(crate) const COLUMNS: &str = "user_id, order_id, timestamp, status, data";

/// Eight hexadecimal characters that nobody can guess.
pub(crate) fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(8);
    id
}

/// Takes the order, and the bonuses that it uses, from the client. An order that is there already
/// is not taken twice, and is given back as it is.
pub(crate) fn place(db: &mut Connection, mut order: Order) -> Result<Order> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(placed) = find(&change, order.user_id, &order.id)? {
        return Ok(placed);
    }
    if order.data.get("use_bonus") == Some(&Value::Bool(true)) {
        // what is there now, not what was there when the client was asked
        let roubles = referrals::balance(&change, order.user_id)?.max(0);
        referrals::add(&change, order.user_id, -roubles)?;
        order.data.insert("bonus_amount".to_owned(), roubles.into());
    }
    put(&change, &order)?;
    change.commit()?;
    Ok(order)
}

/// Writes an order, in the place of one with the same id.
pub(crate) fn put(db: &Connection, order: &Order) -> Result<()> {
    let put = "INSERT OR REPLACE INTO orders (user_id, order_id, timestamp, status, data)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let Order { id, user_id, timestamp, status, data } = order;
    db.prepare_cached(put)?.execute((user_id, id, timestamp, status, Json(data)))?;
    Ok(())
}

/// One order of a client.
pub(crate) fn find(db: &Connection, user: i64, id: &str) -> Result<Option<Order>> {
    let find = format!("SELECT {COLUMNS} FROM orders WHERE user_id = ?1 AND order_id = ?2");
    Ok(db.query_row(&find, (user, id), Order::of_row).optional()?)
}

/// The newest orders of a client, and how many there are in all.
pub(crate) fn newest(db: &Connection, user: i64, limit: u32) -> Result<(Vec<Order>, u32)> {
    let newest = format!(
        "SELECT {COLUMNS} FROM orders WHERE user_id = ?1
         ORDER BY timestamp DESC, order_id LIMIT ?2"
    );
    let mut newest = db.prepare(&newest)?;
    let orders = newest.query_map((user, limit), Order::of_row)?.collect::<Result<_, _>>()?;
    let count = "SELECT count(*) FROM orders WHERE user_id = ?1";
    Ok((orders, db.query_row(count, [user], |row| row.get(0))?))
}

/// How many orders there are in all, or with this status.
pub(crate) fn count(db: &Connection, status: Option<Status>) -> Result<usize> {
    let count = "SELECT count(*) FROM orders WHERE ?1 IS NULL OR status = ?1";
    let count: i64 = db.query_row(count, [status.map(Status::name)], |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}

/// The orders of all clients, or those with this status, the newest first.
pub(crate) fn list(
    db: &Connection,
    status: Option<Status>,
    start: usize,
    limit: usize,
) -> Result<Vec<Order>> {
    let list = format!(
        "SELECT {COLUMNS} FROM orders WHERE ?1 IS NULL OR status = ?1
         ORDER BY timestamp DESC, user_id, order_id LIMIT ?2 OFFSET ?3"
    );
    let mut list = db.prepare(&list)?;
    let (limit, start) = (i64::try_from(limit)?, i64::try_from(start)?);
    let orders = list.query_map((status.map(Status::name), limit, start), Order::of_row)?;
    Ok(orders.collect::<Result<_, _>>()?)
}

/// Sets the status of an order, if it is there; gives it back with the status of before.
pub(crate) fn set_status(
    db: &mut Connection,
    user: i64,
    id: &str,
    status: Status,
) -> Result<Option<(Order, String)>> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(mut order) = find(&change, user, id)? else { return Ok(None) };
    let before = std::mem::replace(&mut order.status, status.name().to_owned());
    put(&change, &order)?;
    change.commit()?;
    Ok(Some((order, before)))
}

/// Takes an order away, and gives it back if it was there.
pub(crate) fn remove(db: &Connection, user: i64, id: &str) -> Result<Option<Order>> {
    let remove =
        format!("DELETE FROM orders WHERE user_id = ?1 AND order_id = ?2 RETURNING {COLUMNS}");
    Ok(db.query_row(&remove, (user, id), Order::of_row).optional()?)
}
