//! Hosts that keep the same orders: in a database, in one file, and in a file for each order; and one
//! that has so much in its file that an archive takes over what it has in common with the last.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use teloxide_backup::{BoxError, DataSource, Export, Import, Section};

pub(crate) type Orders = BTreeMap<u32, String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `SQLite`: one transaction.
    Database,
    /// JSON, replaced by a rename.
    File,
    /// A file for each order, replaced one after the other: no transaction at all.
    Loose,
    /// JSON again, but of B it loses an order: its restore is taken back.
    Forgetful,
    /// JSON again, more than 1 MB of it.
    Large,
    /// The same, and it restores nothing, which takes most of the time.
    Brief,
}

impl Kind {
    pub(crate) const SMALL: [Self; 3] = [Self::Database, Self::File, Self::Loose];
    pub(crate) const ALL: [Self; 4] = [Self::Database, Self::File, Self::Loose, Self::Large];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::File => "file",
            Self::Loose => "loose",
            Self::Forgetful => "forgetful",
            Self::Large => "large",
            Self::Brief => "brief",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::Forgetful, Self::Brief])
            .find(|known| known.name() == name)
    }

    /// What all of the work comes to where nothing is in its way.
    pub(crate) fn done(self) -> &'static [&'static str] {
        let all = &["backup", "backup", "restore", "undo"];
        if [Self::Forgetful, Self::Brief].contains(&self) { &all[..2] } else { all }
    }

    /// Whether there is so much that blocks of one archive are taken over into the next.
    pub(crate) fn is_large(self) -> bool {
        [Self::Large, Self::Brief].contains(&self)
    }

    /// The orders as they were (`A`) or as another backup has them (`B`): of other texts and numbers.
    /// Large ones differ in their beginnings alone, so that much of A is in a backup of B as well.
    pub(crate) fn orders(self, version: char) -> Orders {
        let numbers = if version == 'A' { 1..=4 } else { 2..=6 };
        let text = |number| match self {
            Self::Large | Self::Brief => text(version, number, u64::from(number), 270_000),
            _ => text(version, number, u64::from(number) << 32 | u64::from(version), 6000),
        };
        numbers.map(|number| (number, text(number))).collect()
    }
}

/// A text that no compression makes small, so that an archive takes several writes.
fn text(version: char, number: u32, mut state: u64, length: usize) -> String {
    // tests/canary.sh finds it where it does not belong
    let mut text = format!("{version}{number} canary-of-a-client ");
    while text.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend((state ^ (state >> 29)).to_be_bytes().map(|byte| char::from(b' ' + byte % 64)));
    }
    text
}

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) kind: Kind,
    pub(crate) home: PathBuf,
}

impl Host {
    /// Which orders are live: `A`, `B`, or a mixture.
    pub(crate) fn live(&self) -> String {
        match self.read() {
            Ok(live) if live == self.kind.orders('A') => "A".to_owned(),
            Ok(live) if live == self.kind.orders('B') => "B".to_owned(),
            Ok(live) => format!("mixture of {:?}", live.keys()),
            Err(error) => format!("unreadable: {error}"),
        }
    }

    pub(crate) fn write(&self, orders: &Orders) -> Result<(), BoxError> {
        match self.kind {
            Kind::Database => write_database(&self.database(), orders),
            Kind::File | Kind::Forgetful | Kind::Large | Kind::Brief => {
                write_file(&self.home, orders)
            }
            Kind::Loose => write_loose(&self.home.join("orders"), orders),
        }
    }

    fn read(&self) -> Result<Orders, BoxError> {
        match self.kind {
            Kind::Database => {
                let database = Connection::open(self.database())?;
                let mut query = database.prepare("SELECT number, text FROM orders")?;
                let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            }
            Kind::File | Kind::Forgetful | Kind::Large | Kind::Brief => {
                Ok(serde_json::from_slice(&fs::read(self.home.join("orders.json"))?)?)
            }
            Kind::Loose => {
                let mut orders = Orders::new();
                for entry in fs::read_dir(self.home.join("orders"))? {
                    let entry = entry?;
                    let name = entry.file_name().into_string().map_err(|_| "a strange name")?;
                    orders.insert(name.parse()?, fs::read_to_string(entry.path())?);
                }
                Ok(orders)
            }
        }
    }

    fn database(&self) -> PathBuf {
        self.home.join("orders.db")
    }
}

fn write_database(file: &Path, orders: &Orders) -> Result<(), BoxError> {
    let mut database = Connection::open(file)?;
    let change = database.transaction()?;
    change
        .execute("CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, text TEXT)", [])?;
    change.execute("DELETE FROM orders", [])?;
    for (number, text) in orders {
        change.execute("INSERT INTO orders VALUES (?, ?)", (number, text))?;
    }
    Ok(change.commit()?)
}

fn write_file(home: &Path, orders: &Orders) -> Result<(), BoxError> {
    let new = home.join("orders.json.new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(orders)?)?;
    file.sync_all()?;
    fs::rename(&new, home.join("orders.json"))?;
    // it is done, and cannot be taken back: an error would say that it is not
    let _ = File::open(home).and_then(|home| home.sync_all());
    Ok(())
}

fn write_loose(folder: &Path, orders: &Orders) -> Result<(), BoxError> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    for (number, text) in orders {
        let mut file = File::create(folder.join(number.to_string()))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(File::open(folder)?.sync_all()?)
}

impl DataSource for Host {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        Ok(out.value("orders", &self.read()?)?)
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let Some(mut orders) = data.value::<Orders>("orders")? else { return Ok(()) };
        if self.kind == Kind::Forgetful && orders == self.kind.orders('B') {
            orders.pop_last();
        }
        match self.write(&orders) {
            // an error would say that nothing has changed, and nobody can promise that here
            Err(error) if self.kind == Kind::Loose => panic!("cut off: {error}"),
            outcome => outcome,
        }
    }
}
