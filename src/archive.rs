//! The archive: a plain ZIP of `data.json` and `metadata.json`, as `docs/format.md` describes it.

mod blocks;
mod container;
mod deflate;
mod ending;
mod frame;
mod index;
mod limits;
mod metadata;
mod packer;
mod reader;
mod stream;
mod tail;
mod team;
mod writer;

use std::io::{Read, Seek, Write};

use tokio::runtime::Handle;

pub use deflate::Compression;
pub(crate) use deflate::Packing;
use frame::hex;
pub(crate) use frame::{Meter, SectionSpan, Sum, Summary};
pub(crate) use index::{Index, Previous};
pub use limits::Limits;
pub(crate) use limits::Timer;
pub(crate) use metadata::{Metadata, Origin};
pub(crate) use reader::{Archive, Reading, Unproved, glance};
pub(crate) use writer::{ArchiveWriter, Written};
#[cfg(any(fuzzing, test))]
pub(crate) use {container::Container, reader::glances};

pub(crate) const DATA: &str = "data.json";
pub(crate) const METADATA: &str = "metadata.json";

/// Work for a thread of our own that knows the runtime which this one knows: a host's storage may need it.
fn in_context<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let runtime = Handle::try_current().ok();
    move || {
        let _entered = runtime.as_ref().map(Handle::enter);
        work()
    }
}

/// Something to read an archive from.
pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send + ?Sized> ReadSeek for T {}

/// Something to write an archive to.
pub(crate) trait WriteSeek: Write + Seek + Send {}
impl<T: Write + Seek + Send + ?Sized> WriteSeek for T {}
