//! How long a bot is kept waiting while a backup of it is made: a clock that ticks each millisecond on
//! the bot's own threads, and somebody who writes into the data every two.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use teloxide_backup::{BoxError, DataSource, Export, Import, Section, Shared};
use tokio::runtime::Runtime;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use crate::data::{Crm, Orders};
use crate::measure::{Job, commanded};

const IDLE: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(1);
const WRITE: Duration = Duration::from_millis(2);

/// A state of one field, as [`Shared`] takes it.
#[derive(Clone, Serialize, Deserialize)]
struct Shop<M> {
    orders: M,
}

/// What serde's feature `rc` does for an `Arc`.
#[derive(Clone, Default)]
struct Kept(Arc<Orders>);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Orders::deserialize(deserializer).map(|orders| Self(Arc::new(orders)))
    }
}

/// Waiting times, the shortest first.
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self(all)
    }

    /// In milliseconds: 99 of 100 are shorter; and the longest.
    pub(crate) fn told(&self) -> Value {
        let ms = |wait: Option<&Duration>| wait.map(|wait| wait.as_secs_f64() * 1000.0);
        json!({ "p99": ms(self.0.get(self.0.len() * 99 / 100)), "max": ms(self.0.last()) })
    }
}

/// Measures one state on one runtime; prints a line of JSON on standard error.
pub(crate) fn run(job: &Job, state: &str, runtime: &Runtime) -> io::Result<()> {
    let place = tempfile::tempdir_in(&job.folder)?;
    let orders = Crm::of_size(job.size).into_orders();
    let kept = |(id, orders)| (id, Kept(Arc::new(orders)));
    match state {
        "deep" => {
            let write = |map: &mut HashMap<u64, Orders>, id| drop(map.insert(id, Orders::new()));
            shared(job, runtime, place.path(), orders.collect(), write)
        }
        "arc" => {
            let write = |map: &mut HashMap<u64, Kept>, id| drop(map.insert(id, Kept::default()));
            shared(job, runtime, place.path(), orders.map(kept).collect(), write)
        }
        "persistent" => {
            let write =
                |map: &mut imbl::HashMap<u64, Kept>, id| drop(map.insert(id, Kept::default()));
            shared(job, runtime, place.path(), orders.map(kept).collect(), write)
        }
        "sqlite" => database(job, runtime, place.path(), orders),
        other => Err(io::Error::other(format!("nobody knows {other}"))),
    }
}

/// Somebody writes into a state behind tokio's lock.
fn shared<M>(
    job: &Job,
    runtime: &Runtime,
    place: &Path,
    orders: M,
    write: fn(&mut M, u64),
) -> io::Result<()>
where
    M: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let state = Arc::new(RwLock::new(Shop { orders }));
    let source = Shared::new(Arc::clone(&state));
    let writer = |stop: Arc<AtomicBool>| {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(WRITE).await;
                let begin = Instant::now();
                let mut shop = state.write().await;
                waits.push(begin.elapsed());
                write(&mut shop.orders, 0);
            }
            Waits::of(waits)
        })
    };
    compare(runtime, writer, commanded(job.builder(source, place), &["backup"]))
}

/// Somebody writes into a database through a connection of their own.
fn database(
    job: &Job,
    runtime: &Runtime,
    place: &Path,
    orders: impl Iterator<Item = (u64, Orders)>,
) -> io::Result<()> {
    let path = place.join("orders.db");
    fill(&path, orders).map_err(io::Error::other)?;
    let writer = |stop: Arc<AtomicBool>| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || {
            let database = Connection::open(&path).expect("the database");
            let count: i64 = database
                .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
                .expect("read");
            let (mut waits, mut row) = (Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(WRITE);
                row = row % count + 1;
                let begin = Instant::now();
                // a change that changes nothing would cost SQLite nothing
                let change = "UPDATE orders SET json = json || ' ' WHERE rowid = ?";
                database.execute(change, [row]).expect("written");
                waits.push(begin.elapsed());
            }
            Waits::of(waits)
        })
    };
    let source = Database(path.clone());
    compare(runtime, writer, commanded(job.builder(source, place), &["backup"]))
}

fn fill(path: &Path, orders: impl Iterator<Item = (u64, Orders)>) -> rusqlite::Result<()> {
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "NORMAL")?;
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, json TEXT NOT NULL)", [])?;
    let all = database.transaction()?;
    for (number, (_, orders)) in (1_i64..).zip(orders) {
        let json = serde_json::to_string(&orders).expect("JSON");
        all.execute("INSERT INTO orders VALUES (?, ?)", (number, json))?;
    }
    all.commit()
}

/// One read transaction, streamed row by row.
struct Database(PathBuf);

impl DataSource for Database {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let database = Connection::open_with_flags(&self.0, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = database.prepare("SELECT id, json FROM orders ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut orders = out.map("orders")?;
        while let Some(row) = rows.next()? {
            let (id, json): (i64, String) = (row.get(0)?, row.get(1)?);
            orders.entry(&id, &RawValue::from_string(json)?)?;
        }
        orders.end()?;
        Ok(())
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.entries("orders", |_: u64, _: Orders| Ok::<_, BoxError>(()))?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.value::<IgnoredAny>("orders")?;
        Err("only backups are measured here".into())
    }
}

/// What was seen while something lasted.
struct Seen {
    seconds: f64,
    ticks: Waits,
    writes: Waits,
}

/// Holds the waits of a backup against those of an idle bot, in one run.
fn compare(
    runtime: &Runtime,
    writer: impl Fn(Arc<AtomicBool>) -> JoinHandle<Waits>,
    backup: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let rest = async {
        tokio::time::sleep(IDLE).await;
        Ok(())
    };
    let idle = runtime.block_on(during(&writer, rest))?;
    let busy = runtime.block_on(during(&writer, backup))?;
    let told = |seen: &Seen| json!({ "tick": seen.ticks.told(), "write": seen.writes.told() });
    let line = json!({ "seconds": busy.seconds, "idle": told(&idle), "backup": told(&busy) });
    eprintln!("{line}");
    Ok(())
}

/// Ticks and writes for as long as the work lasts.
async fn during(
    write: impl Fn(Arc<AtomicBool>) -> JoinHandle<Waits>,
    work: impl Future<Output = io::Result<()>>,
) -> io::Result<Seen> {
    let stop = Arc::new(AtomicBool::new(false));
    let (begin, stopped) = (Instant::now(), Arc::clone(&stop));
    let ticks = tokio::spawn(async move {
        let mut late = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            let begin = Instant::now();
            tokio::time::sleep(TICK).await;
            late.push(begin.elapsed().saturating_sub(TICK));
        }
        Waits::of(late)
    });
    let writes = write(Arc::clone(&stop));
    work.await?;
    let seconds = begin.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let ticks = ticks.await.map_err(io::Error::other)?;
    let writes = writes.await.map_err(io::Error::other)?;
    Ok(Seen { seconds, ticks, writes })
}
