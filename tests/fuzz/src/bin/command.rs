//! What people write to the bot and to its program.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| teloxide_backup::fuzz::command(input));
