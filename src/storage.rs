//! Where archives live.

mod folder;
#[cfg(test)]
pub(crate) mod forward;
mod memory;
mod stamp;

use std::any::Any;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::backup::BackupId;

pub use folder::FolderStorage;
pub use memory::MemoryStorage;
pub use stamp::Stamp;

/// A place for archives and for one small notebook.
///
/// Calls come on threads where they may block. What writes comes one at a time, under the
/// [`lock`](Self::lock), but for [`prepare`](Self::prepare); what reads may come beside it. Absence
/// is no error: opening what is not there gives `None`, deleting it succeeds.
pub trait Storage: Send + Sync + 'static {
    /// What people call this place: the folder's name, as it was set.
    fn name(&self) -> String;

    /// Where one archive lies, as people may look for it.
    fn path(&self, id: &BackupId) -> String;

    /// Makes the place ready and clears away what an earlier crash has left. Called once, at start: by
    /// [`build`](crate::BackupPluginBuilder::build), on its caller's thread.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn prepare(&self) -> io::Result<()>;

    /// Takes the place for one change of it, so that no other program and no other plugin changes it
    /// meanwhile; it is free again once what is given is dropped, and after a crash. `None` while
    /// another holds it.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>>;

    /// Takes a part for as long as what is given lives, as a program does that is to make the backups
    /// until it ends: `None` while another program or another plugin plays this part. It is free again
    /// once what is given is dropped, and after a crash. The name is made of ASCII letters, digits, `_`
    /// and `-`. It has nothing to do with [`lock`](Self::lock). Default: it is given to everybody, and
    /// each program makes the backups that are due when no other has made them.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        let _ = part;
        Ok(Some(Box::new(())))
    }

    /// The archives there are, with their lengths in bytes, in any order. What is not exactly a
    /// backup's name is left out.
    ///
    /// # Errors
    /// A place that cannot be read.
    fn list(&self) -> io::Result<Vec<(BackupId, u64)>>;

    /// The same list, with the [`Stamp`] of each archive where it has one: what still has it is not
    /// opened for each list anew. Default: the list, without stamps.
    ///
    /// # Errors
    /// A place that cannot be read.
    fn list_stamped(&self) -> io::Result<Vec<(BackupId, u64, Option<Stamp>)>> {
        Ok(self.list()?.into_iter().map(|(id, size_bytes)| (id, size_bytes, None)).collect())
    }

    /// Opens an archive; `None` where there is none.
    ///
    /// # Errors
    /// An archive that cannot be read.
    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>>;

    /// How many bytes are free for new archives; `None` where nobody can tell. Default: `None`.
    ///
    /// # Errors
    /// A place that cannot be asked.
    fn free(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Begins a new archive, which no list shows before it is published.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn draft(&self) -> io::Result<Box<dyn Draft>>;

    /// Removes an archive, if it is there.
    ///
    /// # Errors
    /// An archive that cannot be removed.
    fn delete(&self, id: &BackupId) -> io::Result<()>;

    /// The notebook that lies beside the archives; `None` where there is none.
    ///
    /// # Errors
    /// A place that cannot be read.
    fn read_state(&self) -> io::Result<Option<Vec<u8>>>;

    /// What [`write_index`](Self::write_index) was given last; `None` where that is gone. Default:
    /// `None`.
    ///
    /// # Errors
    /// A place that cannot be read.
    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Keeps what makes the next archive faster: 68 bytes for each 64 KB of data, where there
    /// is more than 1 MB of them. It may be lost at any time. Default: it is not kept.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        let _ = index;
        Ok(())
    }

    /// Replaces the notebook, wholly or not at all; it survives a power cut once this returns.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn write_state(&self, state: &[u8]) -> io::Result<()>;
}

/// Opens an archive that lies anywhere on the local disk; `None` where there is no plain file.
pub(crate) fn open_file(path: &Path) -> io::Result<Option<Box<dyn Readable>>> {
    Ok(folder::open_named(path)?.map(|file| Box::new(file) as Box<dyn Readable>))
}

/// An archive that is read.
pub trait Readable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Readable for T {}

/// An archive that is written. Dropped before it is published, it is gone.
pub trait Draft: Write + Seek + Send {
    /// Makes what was written survive a power cut, and opens it anew, as a reader would.
    ///
    /// # Errors
    /// A disk that does not take it; this draft is then lost.
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>>;

    /// Gives the archive its name, never in the place of another: false where the name is taken.
    /// Once this says true the archive survives a power cut.
    ///
    /// # Errors
    /// A place that cannot be written.
    fn publish(&mut self, id: &BackupId) -> io::Result<bool>;
}
