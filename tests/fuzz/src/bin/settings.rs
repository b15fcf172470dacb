//! The settings, from a file and from the environment.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    teloxide_backup::fuzz::settings(input, &mut |text| toml::from_str(text).ok());
});
