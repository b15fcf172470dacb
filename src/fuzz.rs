//! What must hold whatever bytes come: for the fuzzers of `tests/fuzz`, and for every `cargo test`
//! over what they have found. None of it is in a build of a bot.

mod archive;
mod button;
mod command;
mod import;
mod notebook;
mod notes;
mod settings;
mod tree;

pub use archive::archive;
pub use button::button;
pub use command::command;
pub use import::import;
pub use notebook::notebook;
pub use settings::settings;

/// A SHA-256 as `metadata.json` spells it.
fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from_digit(number.into(), 16);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

#[cfg(test)]
mod tests;
