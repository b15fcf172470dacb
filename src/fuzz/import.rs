//! Data on their way into a bot's own types.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::tree::Pairs;
use crate::archive::{Limits, Meter, Summary};
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::source::{DataSource, Import, Sections, Shared};

/// Reads `data.json` as a bot would. The first byte says in how large pieces it comes, the second
/// which sections were left out; the rest is the data.
///
/// # Panics
/// If anything is taken for other than it is, a restore does what its check did not tell, a failed
/// one changes the live data, or an error tells what stands in them.
pub fn import(input: &[u8]) {
    let Some((&[piece, left_out], json)) = input.split_first_chunk() else { return };
    let mut meter = Meter::new(|_| 1, &Limits::folder());
    let measured = meter.write_all(json).map_err(|error| error.to_string());
    let measured = measured.and_then(|()| meter.finish().map_err(ToOwned::to_owned));
    let whole = serde_json::from_slice::<Pairs<IgnoredAny>>(json).is_ok_and(|it| it.are_unique());
    let summary = match measured {
        Ok(summary) => summary,
        Err(reason) => {
            let limits = ["nested", "longer", "more than"];
            let limited = limits.iter().any(|limit| reason.contains(limit));
            assert!(!whole || limited, "good data are refused: {reason}");
            return;
        }
    };
    let left_out = [("reviews", 1), ("bonuses", 2)]
        .iter()
        .filter(|(name, bit)| left_out & bit > 0 && !summary.has(name))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut data = Data { json, piece: usize::from(piece).max(1), summary, left_out };
    let names = data.names();
    if names.iter().any(|name| PRIVATE.iter().any(|private| name.contains(private))) {
        // errors name their section, and that is no data
        return;
    }
    let good = names.iter().all(|name| data.import(|it| it.value::<IgnoredAny>(name)).is_ok());
    assert_eq!(good, whole, "the parts are good and the whole is not, or the other way round");
    for name in &names {
        typed(&mut data, name);
    }
    restored(&mut data);
}

/// A person's number, and name: no error may show them.
const PRIVATE: [&str; 2] = ["79161234567", "Анна"];

/// The live data of a bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shop {
    tickets: BTreeMap<u64, Vec<Order>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<Review>,
    #[serde(default, alias = "points", skip_serializing_if = "BTreeMap::is_empty")]
    bonuses: BTreeMap<String, i16>,
    note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    item: String,
    count: u8,
    price: f64,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    New,
    Paid { at: u64 },
    Sent(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Review(u64, String);

fn live() -> Shop {
    let order =
        Order { item: "tea".to_owned(), count: 2, price: 0.1, state: State::Paid { at: 7 } };
    Shop {
        tickets: [(1, vec![order])].into(),
        reviews: vec![Review(1, "good".to_owned())],
        bonuses: [("1".to_owned(), 5)].into(),
        note: Some("open".to_owned()),
    }
}

/// `data.json`, without an archive around it.
struct Data<'j> {
    json: &'j [u8],
    piece: usize,
    summary: Summary,
    left_out: Vec<String>,
}

impl Summary {
    fn has(&self, name: &str) -> bool {
        self.sections.iter().any(|section| section.name == name)
    }
}

impl Data<'_> {
    fn section(&self, name: &str) -> Option<&[u8]> {
        let span = self.summary.sections.iter().find(|section| section.name == name)?;
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        self.json.get(place(span.bytes.start)..place(span.bytes.end))
    }

    fn import<T>(&mut self, read: impl FnOnce(&mut Import<'_>) -> Result<T>) -> Result<T> {
        let mut import = Import::new(self);
        let outcome = read(&mut import);
        if let Err(error) = &outcome {
            assert!(import.failure().is_some(), "a failure that a source could pass over");
            discreet(error);
        }
        outcome
    }
}

impl Sections for Data<'_> {
    fn names(&self) -> Vec<String> {
        self.summary.sections.iter().map(|section| section.name.clone()).collect()
    }

    fn left_out(&self) -> Vec<String> {
        self.left_out.clone()
    }

    fn schema_version(&self) -> Option<u32> {
        None
    }

    fn open(&mut self, section: &str) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let piece = self.piece;
        Ok(self.section(section).map(|json| Box::new(InPieces(json, piece)) as _))
    }
}

/// Gives only so many bytes at once.
struct InPieces<'j>(&'j [u8], usize);

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

fn discreet(error: &Error) {
    let told = error.chain();
    assert!(!PRIVATE.iter().any(|private| told.contains(private)), "an error tells data: {told}");
    let kinds = [ErrorKind::Damaged, ErrorKind::Incompatible];
    assert!(kinds.contains(&error.kind()), "{:?}: {told}", error.kind());
}

/// Reads a section in every way there is, and holds each against a decoder that sees it whole.
fn typed(data: &mut Data<'_>, name: &str) {
    compare::<BTreeMap<u64, Vec<Order>>>(data, name);
    compare::<Option<String>>(data, name);
    compare::<State>(data, name);
    let reviews = compare::<Vec<Review>>(data, name);
    let mut taken = Vec::new();
    let each = data.import(|it| {
        it.each(name, |review: Review| {
            taken.push(review);
            Ok::<_, BoxError>(())
        })
    });
    streamed(each, &taken, reviews.as_ref());
    let bonuses = compare::<Pairs<i16>>(data, name).map(|pairs| pairs.0);
    let mut taken = Vec::new();
    let each = data.import(|it| {
        it.entries(name, |key: String, value: i16| {
            taken.push((key, value));
            Ok::<_, BoxError>(())
        })
    });
    streamed(each, &taken, bonuses.as_ref());
    if let Some(reviews) = reviews.filter(|reviews| reviews.len() > 1) {
        refused(data, name, &reviews);
    }
}

fn compare<T: DeserializeOwned + Same>(data: &mut Data<'_>, name: &str) -> Option<T> {
    let expected = data.section(name).and_then(|json| serde_json::from_slice::<T>(json).ok());
    match (data.import(|it| it.value::<T>(name)), &expected) {
        (Ok(Some(found)), Some(expected)) => assert!(found.same(expected), "«{name}» is another"),
        (Err(_), None) => {}
        (Ok(found), _) => {
            assert!(expected.is_some(), "«{name}» is taken for what it is not");
            assert!(found.is_some(), "«{name}» is gone");
        }
        (Err(error), Some(_)) => assert!(error.chain().is_empty(), "a good «{name}» is refused"),
    }
    expected
}

trait Same {
    fn same(&self, other: &Self) -> bool;
}

impl<T: PartialEq> Same for T {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: PartialEq> PartialEq for Pairs<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

fn streamed<T: PartialEq>(each: Result<Option<u64>>, taken: &[T], expected: Option<&Vec<T>>) {
    match (each, expected) {
        (Ok(count), Some(expected)) => {
            assert_eq!(count, Some(expected.len() as u64));
            assert!(taken == expected, "records were changed, lost or doubled");
        }
        (each, expected) => assert_eq!(each.is_ok(), expected.is_some()),
    }
}

/// A source that refuses the second record gets no third, and its own words are the error.
fn refused(data: &mut Data<'_>, name: &str, reviews: &[Review]) {
    let mut taken = Vec::new();
    let mut import = Import::new(data);
    let outcome = import.each(name, |review: Review| {
        taken.push(review);
        if taken.len() == 2 { Err("enough") } else { Ok(()) }
    });
    let error = outcome.err().map(|error| (error.kind(), error.chain().ends_with(": enough")));
    assert_eq!(error, Some((ErrorKind::Source, true)));
    assert_eq!(taken, reviews[..2]);
}

/// What the live data must be afterwards; `None` where the data do not fit.
fn expected(data: &Data<'_>) -> Option<Shop> {
    let mut shop = live();
    // a name that is no field may be the newer one of what held nothing
    let fields = ["tickets", "reviews", "bonuses", "points", "note"];
    let known = data.names().iter().all(|name| fields.contains(&name.as_str()));
    let held_nothing = |field: &str| known && data.left_out.iter().any(|name| name == field);
    if held_nothing("reviews") {
        shop.reviews.clear();
    }
    if held_nothing("bonuses") {
        shop.bonuses.clear();
    }
    put(data, "tickets", &mut shop.tickets)?;
    put(data, "reviews", &mut shop.reviews)?;
    put(data, "bonuses", &mut shop.bonuses)?;
    put(data, "points", &mut shop.bonuses)?;
    put(data, "note", &mut shop.note)?;
    let twice = data.summary.has("bonuses") && data.summary.has("points");
    (!twice).then_some(shop)
}

fn put<T: DeserializeOwned>(data: &Data<'_>, name: &str, field: &mut T) -> Option<()> {
    if let Some(json) = data.section(name) {
        *field = serde_json::from_slice(json).ok()?;
    }
    Some(())
}

fn restored(data: &mut Data<'_>) {
    let state = Arc::new(Mutex::new(live()));
    let source = Shared::new(Arc::clone(&state));
    let checked = ready(source.check(&mut Import::new(data)));
    assert!(is(&state, &live()), "a check has changed the live data");
    let outcome = ready(source.restore(&mut Import::new(data)));
    assert_eq!(checked.is_ok(), outcome.is_ok(), "a restore is not what its check told");
    let fits = checked.is_ok();
    for error in [checked.err(), outcome.err()].into_iter().flatten() {
        let ours = error.downcast_ref::<Error>();
        assert!(ours.is_some(), "an error that is not ours");
        ours.into_iter().for_each(discreet);
    }
    let expected = expected(data);
    assert_eq!(fits, expected.is_some(), "{:?}", data.names());
    assert!(is(&state, &expected.unwrap_or_else(live)), "the live data are another");
}

fn is(state: &Mutex<Shop>, expected: &Shop) -> bool {
    state.lock().is_ok_and(|live| *live == *expected)
}

/// What a future gives that waits for nothing.
fn ready<T>(future: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err("it waits".into()),
    }
}
