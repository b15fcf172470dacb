//! What a button carries.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| teloxide_backup::fuzz::button(input));
