//! An archive's file, as its place gives it.

use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::turn::{let_go, said};
use crate::backup::BackupId;
use crate::storage::{Draft, Readable};

/// What a place says of itself is no fault of the archive: an archive is called damaged by the kinds of
/// error that a network gives as well, when its connection ends.
pub(super) struct File(pub(super) Box<dyn Readable>);

impl Drop for File {
    // what was read of it was read, whatever it does at its end
    fn drop(&mut self) {
        let_go(std::mem::replace(&mut self.0, Box::new(io::empty())));
    }
}

/// A file that is written. What panics here does so inside the host's source, which is not to blame.
pub(super) struct NewFile(pub(super) Box<dyn Draft>);

fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = said(panic.as_ref());
        Err(io::Error::other(format!("the bot's own code panicked: {said}")))
    })
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        guarded(|| self.0.read(buffer)).map_err(|error| match error.kind() {
            InvalidData | InvalidInput | UnexpectedEof => io::Error::other(error),
            _ => error,
        })
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // `InvalidInput` is a place before the begin, to which only a bad archive leads
        guarded(|| self.0.seek(to)).map_err(|error| match error.kind() {
            InvalidData | UnexpectedEof => io::Error::other(error),
            _ => error,
        })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        guarded(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        guarded(|| self.0.flush())
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        guarded(|| self.0.seek(to))
    }
}

impl Draft for NewFile {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        let file = guarded(|| self.0.reopen())?;
        Ok(Box::new(File(file)))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        guarded(|| self.0.publish(id))
    }
}
