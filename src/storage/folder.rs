//! Archives in a folder: written under a temporary name beside the others, then renamed.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile};

use crate::backup::BackupId;
use crate::storage::{Draft, Readable, Stamp, Storage};

const STATE: &str = "state.json";
const INDEX: &str = ".blocks";
/// Empty; it stays, because a lock on a file that is removed holds nobody off. The part that one
/// program plays for life has a file of its own beside it, `.lock_` and the part.
const LOCK: &str = ".lock";
const DRAFT_PREFIX: &str = ".backup_";
const DRAFT_SUFFIX: &str = ".tmp";
/// No notebook of ours is longer, and none of anybody's is read further.
const LONGEST_NOTE: u64 = 160 << 20;
/// Where nobody can tell who holds a draft, one that was not written to for so long is a crash's.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// Within so long a draft that nobody holds may be one that was made just now.
const NEWBORN: Duration = Duration::from_secs(10);

/// A line of the list.
type Stamped = (BackupId, u64, Option<Stamp>);

/// Archives in a folder of the local disk.
///
/// The folder is made if it is missing, and on Unix readable by its owner alone (0700, the files
/// 0600). A folder that also holds other things keeps its mode.
#[derive(Clone, Debug)]
pub struct FolderStorage {
    folder: PathBuf,
}

impl FolderStorage {
    /// Archives in this folder; a relative path counts from where the program was started.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn file(&self, id: &BackupId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// An error that says which folder it is about: one that is missing may be the wrong one.
    fn at_folder(&self, error: &io::Error) -> io::Error {
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
    }

    /// The list as it is `now`.
    pub(crate) fn list_at(&self, now: SystemTime) -> io::Result<Vec<Stamped>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| self.at_folder(&error))? {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(BackupId::parse) else { continue };
            // neither a link nor a pipe is one of ours, and opening a pipe would wait for ever
            match look_at(&entry) {
                Ok(file) if file.is_file() => {
                    found.push((id, file.len(), Stamp::of_file(&file, now)));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// What a file of this name holds; `None` where there is none.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = open_file(&self.folder.join(name))? else { return Ok(None) };
        let mut content = Vec::new();
        Read::by_ref(&mut file).take(LONGEST_NOTE + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LONGEST_NOTE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(content))
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        // 0600 on Unix, and beside the others, so that a rename is a rename
        let file =
            Builder::new().prefix(DRAFT_PREFIX).suffix(DRAFT_SUFFIX).tempfile_in(&self.folder)?;
        // the kernel holds this as long as we live; where it knows no locks, age must do
        #[cfg(unix)]
        // another program looks for a moment whether it is held
        let _ = file.as_file().lock();
        give_to_owner(file.as_file(), &self.folder);
        Ok(file)
    }

    /// Locks a file of this name; `None` while another program or another plugin has it locked.
    fn lock_named(&self, name: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        let file = self.lock_file(name).map_err(|error| self.at_folder(&error))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Box::new(file))),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) if knows_no_locks(&error) => {
                    tracing::warn!(%error, "this file system knows no locks: run one program a folder");
                    return Ok(Some(Box::new(file)));
                }
                Err(TryLockError::Error(error)) => return Err(self.at_folder(&error)),
            }
        }
    }

    /// The file that is locked. One that is there is given to nobody: root would give away what a
    /// link of that name leads to.
    fn lock_file(&self, name: &str) -> io::Result<File> {
        let path = self.folder.join(name);
        let mut new = File::options();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        match new.open(&path) {
            Ok(file) => {
                give_to_owner(&file, &self.folder);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !fs::symlink_metadata(&path)?.is_file() {
                    return Err(io::Error::other(format!("{} is no plain file", path.display())));
                }
                File::options().write(true).open(path)
            }
            Err(error) => Err(error),
        }
    }

    /// Does all that a backup will do, under names that are none.
    fn probe(&self) -> io::Result<()> {
        let file = self.temporary()?;
        // of this draft's own name, since another program may probe as well
        let probe = file.path().with_extension(format!("probe{DRAFT_SUFFIX}"));
        file.persist_noclobber(&probe)?;
        remove(&probe)?;
        sync_folder(&self.folder)
    }

    fn remove_abandoned_drafts(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name
                .to_str()
                .is_some_and(|n| n.starts_with(DRAFT_PREFIX) && n.ends_with(DRAFT_SUFFIX));
            if ours && is_abandoned(&entry) {
                let removed = fs::remove_file(entry.path()).is_ok();
                tracing::info!(removed, "found an unfinished backup of an earlier run");
            }
        }
        Ok(())
    }

    /// Whether nothing but ours lies here, so that the folder's mode is ours to set.
    #[cfg(unix)]
    fn is_dedicated(&self) -> io::Result<bool> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let ours = name.to_str().is_some_and(|name| {
                name == STATE || name.starts_with('.') || BackupId::parse(name).is_some()
            });
            if !ours {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[cfg(unix)]
    fn close_to_others(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&self.folder)?.permissions().mode();
        let others = mode & 0o077;
        if others == 0 {
            return Ok(());
        }
        // a folder like /tmp, or a group's, has such a mode on purpose
        let shared = mode & 0o7000 != 0;
        if shared || !self.is_dedicated()? {
            tracing::warn!(
                folder = %self.folder.display(),
                "other users of this machine may read the backups: \
                 give them a folder of their own, or run chmod 700 on it"
            );
            return Ok(());
        }
        // a folder that is another user's may be written all the same, which is tried next
        if let Err(error) = fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700)) {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "other users of this machine may read the backups");
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn close_to_others(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Looks at what has this name, and not at what a link leads to.
fn look_at(entry: &fs::DirEntry) -> io::Result<fs::Metadata> {
    if cfg!(windows) {
        // a folder may not know yet how long its files have become
        return fs::symlink_metadata(entry.path());
    }
    // from within the folder, whose path need not be walked for each
    entry.metadata()
}

fn is_abandoned(entry: &fs::DirEntry) -> bool {
    // a pipe of such a name would be waited for, were it opened
    let Some(found) = entry.metadata().ok().filter(std::fs::Metadata::is_file) else {
        return false;
    };
    let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    let least = match is_held(&entry.path()) {
        Some(true) => return false,
        Some(false) => NEWBORN,
        None => ABANDONED,
    };
    age.is_some_and(|age| age > least)
}

/// Whether a living process holds a draft; `None` where nobody can tell.
#[cfg(unix)]
fn is_held(draft: &Path) -> Option<bool> {
    match File::open(draft).ok()?.try_lock() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

/// A lock would keep us from reading the draft back on other systems, so there is none.
#[cfg(not(unix))]
fn is_held(_: &Path) -> Option<bool> {
    None
}

/// Opens a file, if it is there and a plain one: neither a link nor a pipe is ours, and opening a
/// pipe would wait for ever.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => File::open(path).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same for a file that a person has named: a link means what it leads to.
pub(super) fn open_named(path: &Path) -> io::Result<Option<File>> {
    open_file(&path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}

/// What root makes, on a command line, is the bot's as well: it must read and remove it later.
#[cfg(unix)]
fn give_to_owner(file: &File, folder: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (Ok(ours), Ok(folder)) = (file.metadata(), fs::metadata(folder)) else { return };
    // nobody but root can, and nobody else needs it
    if ours.uid() == 0 && folder.uid() != 0 {
        let given = fchown(file, Some(folder.uid()), Some(folder.gid())).is_ok();
        tracing::debug!(given, "gave a file to the owner of the folder");
    }
}

#[cfg(not(unix))]
fn give_to_owner(_: &File, _: &Path) {}

/// Removes a file, if it is there.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Storage for FolderStorage {
    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn path(&self, id: &BackupId) -> String {
        let file = self.file(id);
        std::path::absolute(&file).unwrap_or(file).display().to_string()
    }

    fn prepare(&self) -> io::Result<()> {
        create_private(&self.folder)?;
        self.close_to_others()?;
        self.remove_abandoned_drafts()?;
        self.probe()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.lock_named(LOCK)
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if part.is_empty() || !part.chars().all(plain) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a name for a part"));
        }
        self.lock_named(&format!("{LOCK}_{part}"))
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        let found = self.list_stamped()?.into_iter();
        Ok(found.map(|(id, size_bytes, _)| (id, size_bytes)).collect())
    }

    fn list_stamped(&self) -> io::Result<Vec<Stamped>> {
        self.list_at(SystemTime::now())
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        Ok(open_file(&self.file(id))?.map(|file| Box::new(file) as Box<dyn Readable>))
    }

    #[cfg(unix)]
    fn free(&self) -> io::Result<Option<u64>> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        // some file systems of the network have no numbers to give
        Ok((disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        // a folder that is gone is not made anew: it may be a disk that is not mounted
        self.remove_abandoned_drafts()?;
        Ok(Box::new(FolderDraft { folder: self.folder.clone(), file: Some(self.temporary()?) }))
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        // a link or a pipe of that name is none of ours
        if self.open(id)?.is_some() { remove(&self.file(id)) } else { Ok(()) }
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.read(STATE)
    }

    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        self.read(INDEX)
    }

    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        // not flushed: it has a hash, and a power cut may take it
        let mut file = self.temporary()?;
        file.write_all(index)?;
        file.persist(self.folder.join(INDEX))?;
        Ok(())
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(state)?;
        file.as_file().sync_all()?;
        // a restore relies on what it has noted here
        if fs::read(file.path())? != state {
            return Err(io::Error::other("what was read back is not what was written"));
        }
        file.persist(self.folder.join(STATE))?;
        sync_folder(&self.folder)
    }
}

struct FolderDraft {
    folder: PathBuf,
    /// `None` once it is published, or was lost with an error.
    file: Option<NamedTempFile>,
}

impl FolderDraft {
    fn file(&mut self) -> io::Result<&mut NamedTempFile> {
        self.file.as_mut().ok_or_else(|| io::Error::other("this draft is no longer there"))
    }
}

impl Draft for FolderDraft {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        let file = self.file()?;
        file.as_file().sync_all()?;
        // through its name, as every later reader comes to it
        Ok(Box::new(file.reopen()?))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        let Some(file) = self.file.take() else {
            return Err(io::Error::other("this draft is no longer there"));
        };
        match file.persist_noclobber(self.folder.join(id.to_string())) {
            Ok(file) => {
                // where names are kept with the file, its second flush takes the new one
                #[cfg(not(unix))]
                file.sync_all()?;
                drop(file);
                sync_folder(&self.folder).map(|()| true)
            }
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                self.file = Some(failed.file);
                Ok(false)
            }
            Err(failed) => Err(failed.error),
        }
    }
}

impl Write for FolderDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Seek for FolderDraft {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file()?.seek(to)
    }
}

/// Whether an error of a lock says that there are none here, as on some file systems of the network.
fn knows_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOLCK) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Makes the folder, its parents too, for the owner alone.
fn create_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    // a working folder that may not be looked at is its own parent
    if parent != folder {
        create_private(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // another program was faster
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        outcome => outcome?,
    }
    #[cfg(unix)]
    give_to_owner(&File::open(folder)?, parent);
    sync_folder(parent)
}

/// Makes the names in a folder survive a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // file systems of the network often know no such call; what they can do they have done
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) =>
        {
            tracing::warn!("this file system cannot make folder entries durable");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Other systems have no such call.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests;
