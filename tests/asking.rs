//! A storage and a source that ask the bot's runtime, as those over a network do, and wait for it.

use std::any::Any;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use forward::forward;
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupCommand, BackupId, BackupPlugin, BoxError, DataSource, Draft, Export, Import,
    MemoryStorage, Readable, Section, Storage,
};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

#[path = "support/canary.rs"]
mod canary;
#[path = "../src/storage/forward.rs"]
mod forward;

static ASKED: AtomicUsize = AtomicUsize::new(0);
static ANSWERED: AtomicUsize = AtomicUsize::new(0);
static CLAIMED: Notify = Notify::const_new();
/// Reads of archives that were there before.
static READ: AtomicUsize = AtomicUsize::new(0);

/// Waits for the runtime, on a thread where one may block.
fn ask() {
    ASKED.fetch_add(1, Ordering::Relaxed);
    Handle::current().block_on(async { tokio::task::yield_now().await });
    ANSWERED.fetch_add(1, Ordering::Relaxed);
}

#[derive(Clone, Default)]
struct Asking(MemoryStorage);

impl Storage for Asking {
    forward!(0: name path);

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        ask();
        self.0.delete(id)
    }

    fn free(&self) -> io::Result<Option<u64>> {
        ask();
        self.0.free()
    }

    fn prepare(&self) -> io::Result<()> {
        ask();
        self.0.prepare()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        ask();
        Ok(self.0.lock()?.map(asking))
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        ask();
        CLAIMED.notify_one();
        Ok(self.0.claim(part)?.map(asking))
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        ask();
        self.0.list()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        ask();
        Ok(self.0.open(id)?.map(|file| Box::new(AskingFile(file)) as Box<dyn Readable>))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        ask();
        Ok(Box::new(AskingFile(self.0.draft()?)))
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        ask();
        self.0.read_state()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        ask();
        self.0.write_state(state)
    }

    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        ask();
        self.0.read_index()
    }

    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        ask();
        self.0.write_index(index)
    }
}

/// What asks when it is given back, too.
struct AskingGuard(#[expect(dead_code, reason = "it is held")] Box<dyn Any + Send>);

fn asking(guard: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    Box::new(AskingGuard(guard))
}

impl Drop for AskingGuard {
    fn drop(&mut self) {
        ask();
    }
}

struct AskingFile<F>(F);

impl Read for AskingFile<Box<dyn Readable>> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        ask();
        READ.fetch_add(1, Ordering::Relaxed);
        self.0.read(buffer)
    }
}

impl Seek for AskingFile<Box<dyn Readable>> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Write for AskingFile<Box<dyn Draft>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        ask();
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for AskingFile<Box<dyn Draft>> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Draft for AskingFile<Box<dyn Draft>> {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        Ok(Box::new(AskingFile(self.0.reopen()?)))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        ask();
        self.0.publish(id)
    }
}

/// More than fits into memory at once, as far as an archive is concerned.
struct Numbers;

impl DataSource for Numbers {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("numbers")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        ask();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        let numbers: Vec<u32> = (0..200_000_u32).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
        Ok(out.value("numbers", &numbers)?)
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        ask();
        data.each("numbers", |_: u32| Ok::<_, BoxError>(()))?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        tokio::task::yield_now().await;
        self.check(data).await
    }
}

#[test]
fn whoever_asks_the_runtime_is_answered_and_nothing_panics() {
    canary::listen();
    let many = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let one = Builder::new_current_thread().enable_all().build();
    for runtime in [many.expect("a runtime"), one.expect("a runtime")] {
        for workers in [1, 3] {
            let storage = Asking::default();
            let run = |words: &[&str]| {
                let builder = BackupPlugin::builder(Bot::new("777:token"), Numbers);
                let builder = builder.storage(storage.clone()).workers(workers).keep(1);
                let command = BackupCommand::parse(words.iter().map(Into::into)).expect("one");
                runtime.block_on(builder.run(command))
            };
            // the second takes over the blocks of the first, which goes then
            let [first, second] = [(), ()].map(|()| {
                let before = READ.load(Ordering::Relaxed);
                assert_eq!(run(&["backup"]), ExitCode::SUCCESS, "{workers} workers");
                READ.load(Ordering::Relaxed) - before
            });
            assert!(second > first + 8, "{second} reads, and {first} without an earlier one");
            for words in ["verify", "list"] {
                assert_eq!(run(&[words]), ExitCode::SUCCESS, "{words}, {workers} workers");
            }
            let newest = storage.0.list().expect("a list").into_iter().map(|(id, _)| id).max();
            let newest = newest.expect("a backup").to_string();
            assert_eq!(run(&["restore", "--yes", &newest]), ExitCode::SUCCESS, "{workers} workers");
            // nobody is there to hear of it
            let bot = Bot::new("777:token").set_api_url("http://127.0.0.1:9".parse().expect("one"));
            let builder = BackupPlugin::builder(bot, Numbers).admin(UserId(42)).workers(workers);
            // where the host begins one may block, as in all of this
            let inside = runtime.enter();
            let plugin = builder.storage(storage.clone()).build().expect("a plugin");
            drop(inside);
            runtime.block_on(async {
                let task = plugin.spawn();
                CLAIMED.notified().await;
                task.shutdown().await;
            });
            let (asked, answered) =
                (ASKED.load(Ordering::Relaxed), ANSWERED.load(Ordering::Relaxed));
            assert!(asked == answered && asked > 100, "{answered} of {asked} were answered");
        }
    }
}
