//! An archive's file, as its place gives it.

use std::io::{self, Read, Seek, SeekFrom};

use crate::storage::Readable;

/// What a place says of itself is no fault of the archive: an archive is called damaged by the kinds of
/// error that a network gives as well, when its connection ends.
pub(super) struct File(pub(super) Box<dyn Readable>);

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        self.0.read(buffer).map_err(|error| match error.kind() {
            InvalidData | InvalidInput | UnexpectedEof => io::Error::other(error),
            _ => error,
        })
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
