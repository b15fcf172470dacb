//! A storage that fails, lies or hangs at one of its operations.

use std::any::Any;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::forward::forward;
use teloxide_backup::{BackupId, Draft, MemoryStorage, Readable, Stamp, Storage};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// One operation fails.
    Fails,
    /// One operation fails, and all after it.
    FailsOn,
    /// One operation says what is not so.
    Lies,
    /// One operation takes very long.
    Hangs,
}

impl Trouble {
    pub(crate) const ALL: [Self; 4] = [Self::Fails, Self::FailsOn, Self::Lies, Self::Hangs];
}

/// What the operation that is struck was called, once it was, and whether it may go on.
#[derive(Default)]
struct Course {
    operations: usize,
    struck: Option<&'static str>,
    free: bool,
    mended: bool,
}

/// An operation: so many come before it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Number(usize),
    /// Of those that are called so.
    Named(&'static str, usize),
}

#[derive(Clone)]
pub(crate) struct Flaky {
    held: MemoryStorage,
    trouble: Trouble,
    at: At,
    course: Arc<(Mutex<Course>, Condvar)>,
}

impl Flaky {
    pub(crate) fn new(held: MemoryStorage, trouble: Trouble, at: At) -> Self {
        Self { held, trouble, at, course: Arc::default() }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operation that was struck.
    pub(crate) fn struck(&self) -> Option<&'static str> {
        self.course().struck
    }

    /// Whether what comes after the struck operation is struck as well.
    pub(crate) fn goes_on(&self) -> bool {
        self.trouble == Trouble::FailsOn
    }

    /// Waits until an operation hangs, or there is none left.
    pub(crate) fn wait(&self) {
        let all = |course: &mut Course| course.struck.is_none() && !course.free;
        let waited = self.course.1.wait_while(self.course(), all);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether an operation waits to be freed.
    pub(crate) fn hangs(&self) -> bool {
        let course = self.course();
        self.trouble == Trouble::Hangs && course.struck.is_some() && !course.free
    }

    /// Lets what hangs go on.
    pub(crate) fn free(&self) {
        self.course().free = true;
        self.course.1.notify_all();
    }

    /// From now on nothing is struck any more.
    pub(crate) fn mend(&self) {
        self.course().mended = true;
        self.free();
    }

    /// Counts an operation; true where it is to lie.
    fn operation(&self, name: &'static str) -> io::Result<bool> {
        let mut course = self.course();
        let at = match self.at {
            At::Number(at) => at,
            At::Named(wanted, at) if wanted == name => at,
            // all that follow, whatever they are called
            At::Named(..) if course.struck.is_some() => 0,
            At::Named(..) => return Ok(false),
        };
        if course.mended {
            return Ok(false);
        }
        let number = course.operations;
        course.operations += 1;
        if number < at || (number > at && self.trouble != Trouble::FailsOn) {
            return Ok(false);
        }
        course.struck.get_or_insert(name);
        match self.trouble {
            Trouble::Fails | Trouble::FailsOn => Err(io::Error::other("on purpose")),
            Trouble::Lies => Ok(true),
            Trouble::Hangs => {
                self.course.1.notify_all();
                let waited = self.course.1.wait_while(course, |course| !course.free);
                drop(waited.unwrap_or_else(PoisonError::into_inner));
                Ok(false)
            }
        }
    }
}

impl Storage for Flaky {
    forward!(held: name path);

    fn prepare(&self) -> io::Result<()> {
        self.operation("prepare")?;
        self.held.prepare()
    }

    /// A lie: another program holds it.
    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        if self.operation("lock")? { Ok(None) } else { self.held.lock() }
    }

    /// A lie: another program holds it.
    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        if self.operation("claim")? { Ok(None) } else { self.held.claim(part) }
    }

    /// A lie: as it was before the newest.
    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        let lies = self.operation("list")?;
        let mut found = self.held.list()?;
        found.sort();
        if lies {
            found.pop();
        }
        Ok(found)
    }

    /// The same lie.
    fn list_stamped(&self) -> io::Result<Vec<(BackupId, u64, Option<Stamp>)>> {
        let lies = self.operation("list")?;
        let mut found = self.held.list_stamped()?;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        if lies {
            found.pop();
        }
        Ok(found)
    }

    /// A lie: it is not there.
    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        if self.operation("open")? {
            return Ok(None);
        }
        let read = |held| Box::new(Reading { held, flaky: self.clone() }) as Box<dyn Readable>;
        Ok(self.held.open(id)?.map(read))
    }

    /// A lie: of another archive.
    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        let lies = self.operation("read_index")?;
        let index = self.held.read_index()?;
        Ok(if lies { Some(b"nonsense".to_vec()) } else { index })
    }

    /// A lie: it is lost.
    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        if self.operation("write_index")? { Ok(()) } else { self.held.write_index(index) }
    }

    /// A lie: nothing.
    fn free(&self) -> io::Result<Option<u64>> {
        Ok(self.operation("free")?.then_some(0))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        self.operation("draft")?;
        Ok(Box::new(Drafting { held: self.held.draft()?, flaky: self.clone() }))
    }

    /// A lie: it stays.
    fn delete(&self, id: &BackupId) -> io::Result<()> {
        if self.operation("delete")? { Ok(()) } else { self.held.delete(id) }
    }

    /// A lie: half of it.
    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        let lies = self.operation("read_state")?;
        let mut state = self.held.read_state()?;
        if let Some(state) = state.as_mut().filter(|_| lies) {
            state.truncate(state.len() / 2);
        }
        Ok(state)
    }

    /// A lie: it stays as it was.
    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        if self.operation("write_state")? { Ok(()) } else { self.held.write_state(state) }
    }
}

struct Reading {
    held: Box<dyn Readable>,
    flaky: Flaky,
}

impl Read for Reading {
    /// A lie: another byte in the middle.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let lies = self.flaky.operation("read")?;
        let length = self.held.read(into)?;
        if lies && length > 0 {
            into[length / 2] ^= 1;
        }
        Ok(length)
    }
}

impl Seek for Reading {
    /// A lie: it is there, and stays where it was.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let lies = self.flaky.operation("seek")?;
        seek(&mut self.held, to, lies)
    }
}

fn seek(held: &mut impl Seek, to: SeekFrom, lies: bool) -> io::Result<u64> {
    let before = held.stream_position()?;
    let told = held.seek(to)?;
    if lies {
        held.seek(SeekFrom::Start(before))?;
    }
    Ok(told)
}

struct Drafting {
    held: Box<dyn Draft>,
    flaky: Flaky,
}

impl Draft for Drafting {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        self.flaky.operation("reopen")?;
        Ok(Box::new(Reading { held: self.held.reopen()?, flaky: self.flaky.clone() }))
    }

    /// A lie: the name is taken.
    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        if self.flaky.operation("publish")? { Ok(false) } else { self.held.publish(id) }
    }
}

impl Write for Drafting {
    /// A lie: nothing of it is kept.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.flaky.operation("write")? { Ok(bytes.len()) } else { self.held.write(bytes) }
    }

    /// A lie: it has not.
    fn flush(&mut self) -> io::Result<()> {
        if self.flaky.operation("flush")? { Ok(()) } else { self.held.flush() }
    }
}

impl Seek for Drafting {
    /// A lie: it is there, and stays where it was.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let lies = self.flaky.operation("seek")?;
        seek(&mut self.held, to, lies)
    }
}
