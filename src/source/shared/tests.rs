//! States of every shape that serde knows, there and back again.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;

use serde::Deserialize;

use super::*;
use crate::source::{AllSaved, Sections};

/// A backup, without the archive around it.
#[derive(Clone, Default)]
struct Backup {
    json: serde_json::Map<String, serde_json::Value>,
    left_out: Vec<String>,
}

impl Backup {
    fn of(json: serde_json::Value) -> Self {
        let serde_json::Value::Object(json) = json else { panic!("not a backup: {json}") };
        Self { json, left_out: Vec::new() }
    }
}

impl Sections for Backup {
    fn names(&self) -> Vec<String> {
        self.json.keys().cloned().collect()
    }

    fn left_out(&self) -> Vec<String> {
        self.left_out.clone()
    }

    fn schema_version(&self) -> Option<u32> {
        None
    }

    fn open(&mut self, section: &str) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let json = self.json.get(section).map(|value| std::io::Cursor::new(value.to_string()));
        Ok(json.map(|json| Box::new(json) as Box<dyn Read + Send>))
    }
}

fn export<T>(source: &Shared<T>) -> Backup
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    saved(source).0
}

/// A backup, and what its own check is told.
fn saved<T>(source: &Shared<T>) -> (Backup, AllSaved)
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    let mut json = Vec::new();
    let mut export = Export::new(&mut json);
    block_on(DataSource::export(source, &mut export)).expect("exported");
    let (names, saved) = export.finish(std::iter::empty()).expect("whole");
    let mut backup = Backup::of(serde_json::from_slice(&json).expect("JSON"));
    backup.left_out = names.into_iter().filter(|name| !backup.json.contains_key(name)).collect();
    (backup, saved)
}

fn block_on<V>(future: impl Future<Output = V>) -> V {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// What is live after a backup was restored over it.
fn restored<T>(live: T, mut backup: Backup) -> Result<T, BoxError>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    let state = Arc::new(Mutex::new(live));
    let source = Shared::new(Arc::clone(&state));
    block_on(source.check(&mut Import::new(&mut backup)))?;
    block_on(source.restore(&mut Import::new(&mut backup)))?;
    let state = state.lock().expect("not poisoned").clone();
    Ok(state)
}

fn backup_of<T>(state: T) -> Backup
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    export(&Shared::new(Arc::new(Mutex::new(state))))
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shop {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    orders: Vec<String>,
    #[serde(default, rename = "ratings", alias = "stars", alias = "marks")]
    scores: BTreeMap<u64, f64>,
    #[serde(default)]
    note: Option<String>,
}

fn shop() -> Shop {
    Shop {
        orders: vec!["кофе".to_owned()],
        scores: [(7, 94.958_862_831_581_03), (8, 0.1 + 0.2), (9, f64::MIN_POSITIVE)].into(),
        note: Some("привет".to_owned()),
    }
}

#[test]
fn a_state_comes_back_to_the_last_bit() {
    assert_eq!(restored(Shop::default(), backup_of(shop())).expect("restored"), shop());
    assert_eq!(restored(shop(), backup_of(Shop::default())).expect("restored"), Shop::default());
}

#[test]
fn floats_survive_whatever_they_are() {
    // a seeded walk over all exponents: splitmix64
    let mut seed = 42_u64;
    let mut next = || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from_bits(mixed ^ (mixed >> 31))
    };
    let floats: Vec<f64> =
        std::iter::repeat_with(&mut next).filter(|x| x.is_finite()).take(20_000).collect();
    let back = restored(Vec::<f64>::new(), backup_of(floats.clone())).expect("restored");
    assert!(floats.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(floats.len(), back.len());
}

#[test]
fn what_the_backup_does_not_know_stays() {
    let old = Backup::of(serde_json::json!({ "orders": ["чай"] }));
    let expected = Shop { orders: vec!["чай".to_owned()], ..shop() };
    assert_eq!(restored(shop(), old).expect("restored"), expected);
}

#[test]
fn a_field_under_its_old_name_is_that_field_and_the_others_stay() {
    for alias in ["stars", "marks"] {
        let old = Backup::of(serde_json::json!({ alias: { "1": 5.0 } }));
        let expected = Shop { scores: [(1, 5.0)].into(), ..shop() };
        assert_eq!(restored(shop(), old).expect(alias), expected);
    }
}

#[test]
fn what_a_newer_program_has_renamed_is_not_taken_for_empty() {
    // the newer program knows `orders` as an alias, and writes that nothing stands under it
    let json = serde_json::json!({ "tickets": ["чай"], "ratings": {} });
    let newer = Backup { left_out: vec!["orders".to_owned()], ..Backup::of(json) };
    let expected = Shop { scores: BTreeMap::new(), ..shop() };
    assert_eq!(restored(shop(), newer).expect("restored"), expected);
}

#[test]
fn what_held_nothing_is_empty_again_beside_a_section_that_is_only_written() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    struct Tagged {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        orders: Vec<String>,
    }
    let live = Tagged { orders: vec!["кофе".to_owned()] };
    let backup = backup_of(Tagged::default());
    assert_eq!(
        (backup.names(), backup.left_out()),
        (vec!["kind".to_owned()], vec!["orders".to_owned()])
    );
    assert_eq!(restored(live, backup).expect("restored"), Tagged::default());
}

#[test]
fn a_state_that_is_no_struct_is_one_section() {
    let state: BTreeMap<String, u32> = [("a".to_owned(), 1)].into();
    let backup = backup_of(state.clone());
    assert_eq!(backup.names(), ["data"]);
    let live = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 3)]);
    assert_eq!(restored(live, backup).expect("restored"), state);
}

#[test]
fn sections_that_are_no_fields_are_left_unread() {
    let mut backup = Backup::of(serde_json::json!({ "orders": ["чай"], "coupons": [1, 2] }));
    let mut import = Import::new(&mut backup);
    block_on(Shared::new(Arc::new(Mutex::new(shop()))).check(&mut import)).expect("known in part");
    assert_eq!(import.taken().into_iter().collect::<Vec<_>>(), ["orders"]);
}

#[test]
fn what_does_not_fit_changes_nothing_and_shows_no_data() {
    let wrong = Backup::of(serde_json::json!({ "orders": { "тайна": 1 }, "ratings": {} }));
    let state = Arc::new(Mutex::new(shop()));
    let source = Shared::new(Arc::clone(&state));
    let mut backup = wrong.clone();
    let error = block_on(source.restore(&mut Import::new(&mut backup))).expect_err("refused");
    let error = error.downcast::<Error>().expect("ours");
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(!error.chain().contains("тайна"), "{}", error.chain());
    assert_eq!(*state.lock().expect("not poisoned"), shop());
}

#[test]
fn live_data_that_cannot_be_read_again_are_not_shown() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Odd {
        #[serde(default)]
        orders: Vec<String>,
        // written as a text, and read as a number
        phone: Phone,
    }
    #[derive(Clone, Default, Serialize, Deserialize)]
    #[serde(into = "String")]
    struct Phone(u64);
    impl From<Phone> for String {
        fn from(phone: Phone) -> Self {
            phone.0.to_string()
        }
    }
    let live = Odd { phone: Phone(79_161_234_567), ..Odd::default() };
    let backup = Backup::of(serde_json::json!({ "orders": [] }));
    let error = restored(live, backup).err().expect("refused");
    let told = error.downcast::<Error>().expect("ours").chain();
    assert_eq!(told, "read the state: invalid type: string …, expected u64 at line 1 column 13");
}

#[test]
fn every_lock_will_do() {
    let tokio_lock = Arc::new(tokio::sync::RwLock::new(shop()));
    let mutex = Arc::new(tokio::sync::Mutex::new(shop()));
    let std_lock = Arc::new(std::sync::RwLock::new(shop()));
    let expected = backup_of(shop()).json;
    assert_eq!(export(&Shared::new(tokio_lock)).json, expected);
    assert_eq!(export(&Shared::new(mutex)).json, expected);
    assert_eq!(export(&Shared::new(std_lock)).json, expected);
}

/// What a price may be, and what is lost of it.
#[expect(clippy::option_option, reason = "this is what is lost")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Price {
    Fixed { amount: f64 },
    Asked { by: Option<Option<String>> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    price: Price,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Catalogue {
    items: BTreeMap<String, Vec<Item>>,
    open: bool,
}

fn catalogue(price: Price) -> Shared<Catalogue> {
    let fixed = Item { price: Price::Fixed { amount: 1.5 } };
    let items = BTreeMap::from([("тайна".to_owned(), vec![fixed, Item { price }])]);
    Shared::new(Arc::new(Mutex::new(Catalogue { items, open: true })))
}

/// What a person is told of a state that cannot be written.
fn refusal<T>(source: &Shared<T>) -> String
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    let mut json = Vec::new();
    let mut export = Export::new(&mut json);
    block_on(DataSource::export(source, &mut export)).expect_err("refused");
    export.failure().expect("kept").chain()
}

#[test]
fn a_number_that_is_not_finite_is_named_by_its_fields() {
    let reason = "a number that is not finite (NaN or infinity) has no place in JSON";
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            refusal(&catalogue(Price::Fixed { amount: number })),
            format!("write «items.price.amount» as JSON: {reason}")
        );
        let whole = Shared::new(Arc::new(Mutex::new(vec![Some(number)])));
        assert_eq!(refusal(&whole), format!("write «data» as JSON: {reason}"));
    }
}

#[test]
fn no_writer_takes_a_number_that_is_not_finite() {
    let bad = Item { price: Price::Fixed { amount: f64::NAN } };
    let writers: [fn(&mut Export<'_>, &Item) -> Result<()>; 4] = [
        |out, bad| out.value("items", bad),
        |out, bad| out.list("items")?.item(bad),
        |out, bad| out.map("items")?.entry("тайна", bad),
        |out, _| out.map("items")?.entry(&f32::NAN, &1),
    ];
    for (number, write) in writers.into_iter().enumerate() {
        let mut json = Vec::new();
        let mut export = Export::new(&mut json);
        let error = write(&mut export, &bad).expect_err("refused").chain();
        let place = if number == 3 { "items" } else { "items.price.amount" };
        assert!(error.starts_with(&format!("write «{place}» as JSON: a number")), "{error}");
        // even if the source passes over it
        assert!(export.failure().is_some());
    }
}

#[test]
fn what_would_come_back_as_another_is_named_by_its_fields() {
    for (by, lost) in [(None, false), (Some(Some(String::new())), false), (Some(None), true)] {
        let source = catalogue(Price::Asked { by });
        let (mut backup, mut saved) = saved(&source);
        let outcome = block_on(source.check(&mut Import::of(&mut backup.clone(), &mut saved)));
        let reason = outcome.map_err(|error| error.downcast::<Error>().expect("ours").chain());
        let expected = "what would come back is not what was saved: «items.price.by» is written \
                        otherwise than it is read";
        assert_eq!(reason, if lost { Err(expected.to_owned()) } else { Ok(()) });
        // an archive of another day is taken as it is: its own day has held it against what was saved
        block_on(source.check(&mut Import::new(&mut backup))).expect("readable");
    }
}

#[test]
fn a_lost_place_in_a_list_is_found_and_that_in_a_set_is_none() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Lists {
        #[serde(deserialize_with = "reversed")]
        list: Vec<u8>,
        #[serde(serialize_with = "unordered")]
        set: std::collections::BTreeSet<u8>,
    }

    fn reversed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().rev().collect())
    }

    /// In one order and in the other, in turn.
    fn unordered<S: serde::Serializer>(
        set: &std::collections::BTreeSet<u8>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        use std::sync::atomic::{AtomicBool, Ordering};
        static TURN: AtomicBool = AtomicBool::new(false);
        if TURN.fetch_not(Ordering::Relaxed) {
            serializer.collect_seq(set)
        } else {
            serializer.collect_seq(set.iter().rev())
        }
    }

    for (list, lost) in [(vec![1, 2, 1], false), (vec![1, 2], true)] {
        let source = Shared::new(Arc::new(Mutex::new(Lists { list, set: [1, 2, 3].into() })));
        let (mut backup, mut saved) = saved(&source);
        let outcome = block_on(source.check(&mut Import::of(&mut backup, &mut saved)));
        let told = outcome.err().map(|error| error.downcast::<Error>().expect("ours").chain());
        assert_eq!(told.is_some_and(|told| told.contains("«list»")), lost);
    }
}
