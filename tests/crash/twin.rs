//! Folders that are wrong on purpose: tests that do not catch them prove nothing.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use crate::forward::forward;
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
    forward!(right: name path prepare lock list open delete read_state);

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

forward!(@bytes (file) TwinDraft);
