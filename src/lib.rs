//! x
mod archive;
mod backup;
mod clock;
mod error;
mod retention;
mod schedule;
mod service;
mod source;
mod storage;
mod text;
pub use backup::*;
pub use error::*;
pub use source::*;
pub use storage::*;
pub use text::Language;
