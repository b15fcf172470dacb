//! Folders that are wrong on purpose: tests that do not catch them prove nothing.

use std::any::Any;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use teloxide_backup::{BackupId, Draft, FolderStorage, Readable, Storage};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The archive is written under its own name.
    InPlace,
    /// No file is flushed.
    NoFlush,
    /// Files are flushed, their names are not.
    NoFolderFlush,
}

impl Wrong {
    pub(crate) const ALL: [Self; 3] = [Self::InPlace, Self::NoFlush, Self::NoFolderFlush];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InPlace => "written in place",
            Self::NoFlush => "no flush",
            Self::NoFolderFlush => "no flush of the folder",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wrong| wrong.name() == name)
    }
}

/// The folder of the library, but for the way in which an archive gets there.
pub(crate) struct Twin {
    folder: PathBuf,
    right: FolderStorage,
    wrong: Wrong,
}

impl Twin {
    pub(crate) fn new(folder: PathBuf, wrong: Wrong) -> Self {
        Self { right: FolderStorage::new(&folder), folder, wrong }
    }

    /// The next name, known beforehand only because the clock of the program is.
    fn guess(&self) -> io::Result<PathBuf> {
        let newest = self.right.list()?.into_iter().map(|(id, _)| id).max();
        let stamp = newest.map(|id| id.stamp() + chrono::TimeDelta::seconds(1)).unwrap_or_default();
        Ok(self.folder.join(format!("backup_{}.zip", stamp.format("%Y%m%d_%H%M%S"))))
    }
}

impl Storage for Twin {
    fn name(&self) -> String {
        self.right.name()
    }

    fn path(&self, id: &BackupId) -> String {
        self.right.path(id)
    }

    fn prepare(&self) -> io::Result<()> {
        self.right.prepare()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.right.lock()
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        self.right.list()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        self.right.open(id)
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        let path = match self.wrong {
            Wrong::InPlace => self.guess()?,
            Wrong::NoFlush | Wrong::NoFolderFlush => self.folder.join(".backup_twin.tmp"),
        };
        let file =
            File::options().create(true).truncate(true).read(true).write(true).open(&path)?;
        let (folder, wrong) = (self.folder.clone(), self.wrong);
        Ok(Box::new(TwinDraft { folder, path, file, wrong }))
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        self.right.delete(id)
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.right.read_state()
    }

    // to note something well would flush what is not to be flushed
    fn write_state(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

struct TwinDraft {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    wrong: Wrong,
}

impl Draft for TwinDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        if self.wrong == Wrong::NoFolderFlush {
            self.file.sync_all()?;
        }
        Ok(Box::new(File::open(&self.path)?))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        fs::rename(&self.path, self.folder.join(id.to_string())).map(|()| true)
    }
}

impl Write for TwinDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for TwinDraft {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
