//! The notebook, `state.json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| teloxide_backup::fuzz::notebook(input));
