//! What the fuzzers began with and what they have found, once more.

use std::fs;
use std::path::Path;

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
