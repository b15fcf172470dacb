//! Whatever is cut into parts is taken as a decoder takes it that sees the whole.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;
use crate::error::{BoxError, ErrorKind, Result};
use crate::source::{Import, Sections};

/// A section that comes in pieces of so many bytes.
struct Piecemeal<'j>(&'j [u8], usize);

impl Sections for Piecemeal<'_> {
    fn names(&self) -> Vec<String> {
        vec!["s".to_owned()]
    }

    fn left_out(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema_version(&self) -> Option<u32> {
        None
    }

    fn open(&mut self, _: &str) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(Some(Box::new(InPieces(self.0, self.1))))
    }
}

struct InPieces<'j>(&'j [u8], usize);

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// The items that were taken, and how it ended.
fn items(json: &[u8], piece: usize) -> (Vec<Value>, Result<Option<u64>>) {
    let mut taken = Vec::new();
    let mut section = Piecemeal(json, piece);
    let outcome = Import::new(&mut section).each("s", |item| {
        taken.push(item);
        Ok::<_, BoxError>(())
    });
    (taken, outcome)
}

fn entries(json: &[u8], piece: usize) -> (Vec<(String, Value)>, Result<Option<u64>>) {
    let mut taken = Vec::new();
    let mut section = Piecemeal(json, piece);
    let outcome = Import::new(&mut section).entries("s", |key, value| {
        taken.push((key, value));
        Ok::<_, BoxError>(())
    });
    (taken, outcome)
}

/// Holds both against a decoder that sees the whole.
fn compare(json: &[u8], piece: usize) {
    let whole: Option<Vec<Value>> = serde_json::from_slice(json).ok();
    let (taken, outcome) = items(json, piece);
    assert_eq!(outcome.is_ok(), whole.is_some(), "{outcome:?}: {}", String::from_utf8_lossy(json));
    if let Some(whole) = whole {
        assert_eq!((outcome.ok().flatten(), taken), (Some(whole.len() as u64), whole));
    }
    let whole: Option<serde_json::Map<String, Value>> = serde_json::from_slice(json).ok();
    let (taken, outcome) = entries(json, piece);
    assert_eq!(outcome.is_ok(), whole.is_some(), "{outcome:?}: {}", String::from_utf8_lossy(json));
    if let Some(whole) = whole {
        assert_eq!(outcome.ok().flatten(), Some(taken.len() as u64));
        assert_eq!(taken.into_iter().collect::<serde_json::Map<_, _>>(), whole);
    }
}

/// Texts with all that could be taken for an end, numbers, and lists of these.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![r#"[],{}:\\"a я]{0,6}"#, "[a-z]{0,20}"].prop_map(Value::from);
    let leaf = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), text];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let object = prop::collection::vec((r#"[],{}"a]{0,4}"#, inner), 0..4);
        prop_oneof![list, object.prop_map(|pairs| Value::Object(pairs.into_iter().collect()))]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_are_taken_as_if_they_were_seen_whole(
        value in value(),
        pretty in any::<bool>(),
        piece in 1_usize..40,
        change in prop::option::of((any::<prop::sample::Index>(), prop::sample::select(&b" ,,]}[{:\"1\\a"[..]), 0_usize..3)),
    ) {
        let json = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        let mut json = json.expect("written");
        if let Some((at, byte, gone)) = change {
            let at = at.index(json.len());
            let end = (at + gone).min(json.len());
            json.splice(at..end, [byte]);
        }
        compare(&json, piece);
    }
}

#[test]
fn a_comma_or_a_word_too_many_is_noticed_wherever_a_part_ends() {
    for json in [
        "[1,2,]",
        "[,1,2]",
        "[1,,2]",
        "[,]",
        "[1,2",
        "[1,2]]",
        "[1,2] x",
        "[1 2]",
        "[",
        "",
        " ",
        "]",
        "[1,2}",
        "[[1,2]",
        r#"["a,b]"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1,,"b":2}"#,
        r#"{"a":1"b":2}"#,
        r#"{"a",1}"#,
        r#"{"a":1,"b"}"#,
        "{1:2}",
        r#"{"a":1]"#,
        "null",
        "5",
        r#""a""#,
    ] {
        for piece in 1..=json.len().max(1) {
            assert!(items(json.as_bytes(), piece).1.is_err(), "{json} in pieces of {piece}");
            assert!(entries(json.as_bytes(), piece).1.is_err(), "{json} in pieces of {piece}");
        }
    }
}

#[test]
fn long_lists_come_in_parts_and_long_records_by_the_stream() {
    let record = |length: usize| Value::from("я".repeat(length));
    for lengths in [vec![10; 30_000], vec![40_000; 40], vec![5, LONGEST, 5, 5], vec![LONGEST]] {
        let list: Vec<Value> = lengths.into_iter().map(record).collect();
        let json = serde_json::to_vec(&list).expect("written");
        for piece in [usize::MAX, 8192] {
            let (taken, outcome) = items(&json, piece);
            assert_eq!(outcome.expect("sound"), Some(list.len() as u64));
            assert!(taken == list);
        }
        // and never much is held of them
        let mut batches = Batches::new(json.as_slice(), Kind::List);
        loop {
            let held = match batches.next().expect("in memory") {
                Batch::Records(part, _) => part.len(),
                Batch::Rest(rest, _) => rest.get_ref().0.len(),
                Batch::End | Batch::Trailing => break,
            };
            assert!(held <= LONGEST + ROOM, "{held} bytes");
            if batches.ended {
                break;
            }
        }
    }
}

#[test]
fn a_comma_too_many_is_noticed_behind_any_number_of_blanks() {
    let blanks = " ".repeat(2 * LONGEST);
    let list = format!("[1,{blanks}]");
    let object = format!("{{\"a\":1,{blanks}}}");
    for piece in [usize::MAX, 8192] {
        let refused = |outcome: Result<Option<u64>>| {
            assert_eq!(outcome.expect_err("not sound").kind(), ErrorKind::Damaged);
        };
        refused(items(list.as_bytes(), piece).1);
        refused(entries(object.as_bytes(), piece).1);
        let sound = format!("[1,{blanks}2]");
        assert_eq!(items(sound.as_bytes(), piece).1.expect("sound"), Some(2));
    }
}

#[test]
fn an_error_names_the_record_and_ends_the_reading() {
    let mut list = vec![Value::from(1); 100_000];
    list[70_000] = Value::from("Anna");
    let json = serde_json::to_vec(&list).expect("written");
    let mut section = Piecemeal(&json, usize::MAX);
    let mut taken = 0;
    let error = Import::new(&mut section)
        .each("s", |_: u8| {
            taken += 1;
            Ok::<_, BoxError>(())
        })
        .expect_err("one does not fit");
    assert_eq!((taken, error.kind()), (70_000, ErrorKind::Incompatible));
    let told = error.chain();
    assert!(told.ends_with("invalid type: string …, expected u8, in record 70001"), "{told}");
}

#[test]
fn what_is_nested_deep_is_no_trouble() {
    let json = [b"[1,".repeat(100).as_slice(), b"2", &b"]".repeat(100)].concat();
    let mut section = Piecemeal(&json, 7);
    let taken = Import::new(&mut section).each("s", |_: IgnoredAny| Ok::<_, BoxError>(()));
    assert_eq!(taken.expect("sound"), Some(2));
}
