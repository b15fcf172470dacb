//! An archive, raw or built around fuzzed data.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| teloxide_backup::fuzz::archive(input));
