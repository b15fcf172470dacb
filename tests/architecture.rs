//! The arrows between the modules go down only, as `docs/design.md` lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module and all that it may use of ours.
const ARROWS: [(&str, &[&str]); 14] = [
    (
        "plugin",
        &[
            "backup", "chat", "clock", "command", "config", "error", "schedule", "service",
            "source", "storage", "text",
        ],
    ),
    ("chat", &["backup", "error", "service", "source", "text"]),
    ("command", &["backup", "error", "service", "text"]),
    ("schedule", &["clock", "error"]),
    ("service", &["archive", "backup", "clock", "error", "retention", "source", "storage"]),
    ("text", &["backup", "error", "source"]),
    ("source", &["error"]),
    ("archive", &["backup", "clock", "error"]),
    ("storage", &["backup"]),
    ("retention", &["backup"]),
    ("config", &["error"]),
    ("backup", &[]),
    ("clock", &[]),
    ("error", &[]),
];

/// A library and the only modules that name it.
const NAMED_IN: [(&str, &[&str]); 7] = [
    ("teloxide", &["plugin", "chat"]),
    ("dptree", &["chat"]),
    ("lexopt", &["command"]),
    ("zip", &["archive"]),
    ("fluent_bundle", &["text"]),
    ("rustix", &["storage"]),
    ("tempfile", &["storage"]),
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of each module, without comments and without the tests in it.
fn modules() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::<String, String>::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("in src");
        let module =
            inside.components().next().expect("a name").as_os_str().to_str().expect("text");
        let tests = inside.components().any(|part| part.as_os_str() == "tests");
        // the fuzzers' part is a test too: it looks into every room
        let tests = tests || inside.ends_with("tests.rs") || module.starts_with("fuzz");
        if tests || module == "lib.rs" {
            continue;
        }
        let code = fs::read_to_string(&file).expect("readable");
        let code = code.split("#[cfg(test)]").next().expect("a part");
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        modules.entry(module.trim_end_matches(".rs").to_owned()).or_default().push_str(&code);
    }
    modules
}

/// What follows `path::` wherever it stands.
fn after<'c>(code: &'c str, path: &str) -> BTreeSet<&'c str> {
    code.split(path)
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
        .collect()
}

#[test]
fn the_arrows_go_down() {
    let arrows = BTreeMap::from(ARROWS);
    let modules = modules();
    let known: BTreeSet<&str> = arrows.keys().copied().collect();
    assert_eq!(modules.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    for (module, code) in &modules {
        assert!(
            !code.contains("crate::{"),
            "{module}: one `use` a module, so that this test reads it"
        );
        for used in after(code, "crate::") {
            let allowed = used == module || arrows[module.as_str()].contains(&used);
            assert!(allowed, "{module} uses {used}");
        }
    }
}

#[test]
fn no_module_leads_back_to_itself() {
    let arrows = BTreeMap::from(ARROWS);
    for start in arrows.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = arrows[start].to_vec();
        while let Some(module) = next.pop() {
            assert_ne!(module, *start, "{start} leads back to itself");
            if reached.insert(module) {
                next.extend(arrows[module]);
            }
        }
    }
}

#[test]
fn each_library_stays_in_its_room() {
    for (module, code) in &modules() {
        for (library, rooms) in NAMED_IN {
            let named = code.contains(&format!("use {library}::"))
                || code.contains(&format!(" {library}::"));
            assert!(!named || rooms.contains(&module.as_str()), "{module} names {library}");
        }
        let file_system = code.contains("std::fs") || code.contains("tokio::fs");
        assert!(!file_system || module == "storage", "{module} touches the file system");
    }
}
