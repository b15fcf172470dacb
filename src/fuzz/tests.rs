//! What the fuzzers began with and what they have found, once more.

use std::fs;
use std::path::Path;

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::notes::{FAILING, Fields, JOURNAL, NOTES, RECEIVED, UNCHANGED, UNTOLD, WAY};
use crate::archive::Metadata;
use crate::service::notebook::{Failing, Journal, Notebook, Received, Unchanged, Undo, Untold};

/// Gives every case of a target to its property.
fn replay(target: &str, property: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let cases: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus")
        .map(|case| case.expect("a file").path())
        .filter(|case| case.is_file())
        .collect();
    assert!(cases.len() > 20, "{} has lost its cases", folder.display());
    for case in cases {
        // a test that fails shows the last line
        println!("{}", case.display());
        property(&fs::read(&case).expect("readable"));
    }
}

#[test]
fn an_archive_holds_what_it_says_or_is_refused() {
    replay("archive", super::archive);
}

#[test]
fn data_are_taken_as_they_are_or_not_at_all() {
    replay("import", super::import);
}

#[test]
fn a_button_is_exactly_what_was_written_on_it() {
    replay("button", super::button);
}

#[test]
fn only_the_administrators_own_words_are_commands() {
    replay("command", super::command);
}

#[test]
fn a_setting_is_what_stands_there_or_its_name_is_said() {
    replay("settings", |input| super::settings(input, &mut |text| toml::from_str(text).ok()));
}

#[test]
fn a_notebook_loses_no_way_back() {
    replay("notebook", super::notebook);
}

/// Tells which fields a record has by its definition.
struct Names<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no record"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("a record"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit map
        unit_struct newtype_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    assert!(T::deserialize(Names(&mut names)).is_err());
    names
}

#[test]
fn the_second_reader_of_the_notebook_knows_every_field() {
    let names = |fields: Fields| fields.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(fields_of::<Notebook>(), names(NOTES));
    assert_eq!(fields_of::<Received>(), names(RECEIVED));
    assert_eq!(fields_of::<Undo>(), names(WAY));
    assert_eq!(fields_of::<Journal>(), names(JOURNAL));
    assert_eq!(fields_of::<Failing>(), names(FAILING));
    assert_eq!(fields_of::<Untold>(), names(UNTOLD));
    assert_eq!(fields_of::<Unchanged>(), names(UNCHANGED));
}

/// A field that comes is to be read in `archive::said` as well.
#[test]
fn the_second_reader_of_metadata_knows_every_field() {
    let known = "created_at backup_version records_count created_at_utc trigger bot_id \
        schema_version comment data_bytes data_sha256";
    assert_eq!(fields_of::<Metadata>().join(" "), known);
}
