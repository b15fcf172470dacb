//! What a backup of this bot consists of: the part to copy into a bot with a database.
//!
//! Each section is a table. It is written row by row from one read transaction, which holds nobody
//! up, and restored row by row in one write transaction, for which other changes wait. So memory
//! does not grow with the data, and a failure half-way changes nothing.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, TransactionBehavior};
use serde::Serialize;
use serde_json::Value;
use teloxide_backup::{BoxError, DataSource, Export, Import, Section};

use crate::contents::{self, Piece};
use crate::database::{Database, Json};
use crate::dialogue_storage;
use crate::moderation::{self, PendingReview};
use crate::orders::{self, Order};
use crate::referrals;
use crate::reviews::{self, Review};
use crate::support::{self, Received};

/// All that clients have entrusted to the bot.
pub(crate) struct BackupSource {
    db: Database,
}

impl BackupSource {
    pub(crate) fn new(db: Database) -> Self {
        Self { db }
    }
}

/// Each section and the table that it is.
const TABLES: [(&str, &str); 9] = [
    ("tickets", "orders"),
    ("referrals", "referrals"),
    ("bonuses", "bonuses"),
    ("reviews", "reviews"),
    ("pending_reviews", "pending_reviews"),
    ("contents", "contents"),
    ("clients", "clients"),
    ("support_messages", "support_messages"),
    ("dialogues", "dialogues"),
];

type Result<T, E = BoxError> = std::result::Result<T, E>;

impl DataSource for BackupSource {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![
            Section::new("tickets").depth(2).ru("заказ", "заказа", "заказов").en("order", "orders"),
            hidden("referrals")
                .ru("клиент с друзьями", "клиента с друзьями", "клиентов с друзьями")
                .en("client with friends", "clients with friends"),
            hidden("bonuses")
                .ru("счёт с бонусами", "счёта с бонусами", "счетов с бонусами")
                .en("bonus account", "bonus accounts"),
            Section::new("reviews").ru("отзыв", "отзыва", "отзывов").en("review", "reviews"),
            hidden("pending_reviews")
                .ru("отзыв на модерации", "отзыва на модерации", "отзывов на модерации")
                .en("review in moderation", "reviews in moderation"),
            hidden("contents").ru("текст", "текста", "текстов").en("text", "texts"),
            hidden("clients").ru("клиент", "клиента", "клиентов").en("client", "clients"),
            hidden("support_messages")
                .ru("сообщение в поддержку", "сообщения в поддержку", "сообщений в поддержку")
                .en("support message", "support messages"),
            hidden("dialogues")
                .ru("начатый разговор", "начатых разговора", "начатых разговоров")
                .en("open dialogue", "open dialogues"),
        ]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<()> {
        let mut db = self.db.connect()?;
        let snapshot = db.transaction()?;
        export_tickets(&snapshot, out)?;
        export_referrals(&snapshot, out)?;
        export_bonuses(&snapshot, out)?;
        export_dialogues(&snapshot, out)?;
        let rows = format!("SELECT {} FROM reviews ORDER BY number", reviews::COLUMNS);
        export_list(&snapshot, out, "reviews", &rows, Review::of_row)?;
        let rows = format!("SELECT {} FROM pending_reviews ORDER BY number", moderation::COLUMNS);
        export_list(&snapshot, out, "pending_reviews", &rows, PendingReview::of_row)?;
        let rows = format!("SELECT {} FROM contents ORDER BY number", contents::COLUMNS);
        export_list(&snapshot, out, "contents", &rows, Piece::of_row)?;
        let rows = "SELECT user_id FROM clients ORDER BY user_id";
        export_list(&snapshot, out, "clients", rows, |row| row.get::<_, i64>(0))?;
        let rows = format!(
            "SELECT {} FROM support_messages ORDER BY bot_id, message_id",
            support::COLUMNS
        );
        export_list(&snapshot, out, "support_messages", &rows, Received::of_row)
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<()> {
        // the very types of the restore; what is read is let go
        data.entries("tickets", |_: i64, _: Tickets| Ok::<_, BoxError>(()))?;
        data.entries("referrals", |_: i64, _: Vec<i64>| Ok::<_, BoxError>(()))?;
        data.entries("bonuses", |_: i64, _: i64| Ok::<_, BoxError>(()))?;
        data.each("reviews", |_: Review| Ok::<_, BoxError>(()))?;
        data.each("pending_reviews", |_: PendingReview| Ok::<_, BoxError>(()))?;
        data.each("contents", |_: Piece| Ok::<_, BoxError>(()))?;
        data.each("clients", |_: i64| Ok::<_, BoxError>(()))?;
        data.each("support_messages", |_: Received| Ok::<_, BoxError>(()))?;
        data.entries("dialogues", |_: i64, _: Value| Ok::<_, BoxError>(()))?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<()> {
        let mut db = self.db.connect()?;
        // an error on the way drops the transaction, and that takes everything back
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // one that the archive lacks stays; one of another version of the bot is passed over
        let names = data.names();
        let given = |section: &str| names.iter().any(|name| name == section);
        for (section, table) in TABLES.into_iter().filter(|(section, _)| given(section)) {
            change.execute(&format!("DELETE FROM {table}"), [])?;
            fill(&change, data, section)?;
        }
        change.commit()?;
        Ok(())
    }
}

/// A section that goes without saying: the list of backups tells of orders and reviews.
fn hidden(name: &str) -> Section {
    Section::new(name).listed(false)
}

/// The orders of one client by their ids.
type Tickets = BTreeMap<String, Order>;

fn export_tickets(db: &Connection, out: &mut Export<'_>) -> Result<()> {
    let rows = format!("SELECT {} FROM orders ORDER BY user_id, order_id", orders::COLUMNS);
    let mut rows = db.prepare(&rows)?;
    let rows = rows.query_map([], |row| Order::of_row(row).map(|order| (order.user_id, order)))?;
    let mut tickets = out.map("tickets")?;
    each_client(rows, |client, orders| {
        let orders = orders.into_iter().map(|order| (order.id.clone(), order));
        Ok(tickets.entry(&client, &orders.collect::<Tickets>())?)
    })?;
    Ok(tickets.end()?)
}

fn export_referrals(db: &Connection, out: &mut Export<'_>) -> Result<()> {
    let rows = "SELECT inviter_id, newcomer_id FROM referrals ORDER BY inviter_id, number";
    let mut rows = db.prepare(rows)?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut referrals = out.map("referrals")?;
    each_client(rows, |inviter, newcomers: Vec<i64>| Ok(referrals.entry(&inviter, &newcomers)?))?;
    Ok(referrals.end()?)
}

fn export_bonuses(db: &Connection, out: &mut Export<'_>) -> Result<()> {
    let mut rows = db.prepare("SELECT user_id, roubles FROM bonuses ORDER BY user_id")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut bonuses = out.map("bonuses")?;
    for row in rows {
        let (client, roubles): (i64, i64) = row?;
        bonuses.entry(&client, &roubles)?;
    }
    Ok(bonuses.end()?)
}

/// The conversations that are under way. One that stands in the menu has nothing to go on with, and
/// after a restore no word of the administrator may go to a client of an earlier day.
fn export_dialogues(db: &Connection, out: &mut Export<'_>) -> Result<()> {
    let rows = "SELECT chat_id, state FROM dialogues
                WHERE json_valid(state) AND state <> '\"Menu\"'
                  AND json_extract(state, '$.Reply') IS NULL ORDER BY chat_id";
    let mut rows = db.prepare(rows)?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut dialogues = out.map("dialogues")?;
    for row in rows {
        // of any shape: that of another version of the bot is kept too
        let (chat, Json(state)): (i64, Json<Value>) = row?;
        dialogues.entry(&chat, &state)?;
    }
    Ok(dialogues.end()?)
}

fn export_list<T: Serialize>(
    db: &Connection,
    out: &mut Export<'_>,
    section: &str,
    rows: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<()> {
    let mut rows = db.prepare(rows)?;
    let mut list = out.list(section)?;
    for row in rows.query_map([], read)? {
        list.item(&row?)?;
    }
    Ok(list.end()?)
}

/// Hands over the records of one client at a time; the rows are ordered by client.
fn each_client<T>(
    rows: impl Iterator<Item = rusqlite::Result<(i64, T)>>,
    mut write: impl FnMut(i64, Vec<T>) -> Result<()>,
) -> Result<()> {
    let mut group: Option<(i64, Vec<T>)> = None;
    for row in rows {
        let (client, record) = row?;
        if let Some((current, records)) = &mut group
            && *current == client
        {
            records.push(record);
        } else if let Some((done, records)) = group.replace((client, vec![record])) {
            write(done, records)?;
        }
    }
    group.map_or(Ok(()), |(client, records)| write(client, records))
}

/// Fills the table of one section, which is empty now.
fn fill(db: &Connection, data: &mut Import<'_>, section: &str) -> Result<()> {
    match section {
        "tickets" => data.entries(section, |client, orders| restore_orders(db, client, orders)),
        "referrals" => data.entries(section, |inviter, newcomers: Vec<i64>| {
            newcomers.into_iter().try_for_each(|id| referrals::note(db, inviter, id))
        }),
        "bonuses" => data.entries(section, |client, roubles| referrals::set(db, client, roubles)),
        "reviews" => data.each(section, |review| reviews::put(db, &review)),
        "pending_reviews" => data.each(section, |review| moderation::put(db, &review)),
        "contents" => data.each(section, |piece| contents::put(db, &piece)),
        "clients" => data.each(section, |client| referrals::put(db, client)),
        "support_messages" => data.each(section, |received| support::put(db, &received)),
        "dialogues" => {
            data.entries(section, |chat, state: Value| dialogue_storage::put(db, chat, &state))
        }
        _ => Ok(None),
    }?;
    Ok(())
}

fn restore_orders(db: &Connection, client: i64, orders: Tickets) -> anyhow::Result<()> {
    for (id, order) in orders {
        orders::put(db, &Order { id, user_id: client, ..order })?;
    }
    Ok(())
}
