//! Data on their way into a bot's own types.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| teloxide_backup::fuzz::import(input));
