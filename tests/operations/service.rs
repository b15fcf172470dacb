//! The bot as systemd runs it: a process with its folder, its log and somebody who listens to it.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use telegram_sandbox::{Person, Sandbox};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::canary;

pub(crate) const ADMIN: i64 = 1_000_001;

/// How long is waited on a busy machine before a test fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the variables of the person who runs the tests may not change.
const OURS: [&str; 12] = [
    "ADMIN_USER_ID",
    "BACKUP_DIR",
    "BACKUP_ENABLED",
    "BACKUP_INTERVAL_DAYS",
    "BACKUP_KEEP_COUNT",
    "CONFIG",
    "CREDENTIALS_DIRECTORY",
    "DATABASE_PATH",
    "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
    "RUST_LOG",
    "WATCHDOG_USEC",
];

/// A server with the bot's folder, and Telegram.
pub(crate) struct Server {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) admin: Person,
    systemd: UnixDatagram,
}

/// The process; it is killed when it is let go.
pub(crate) struct Service {
    process: Child,
    log: PathBuf,
}

impl Server {
    pub(crate) async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        sandbox.set_patience(PATIENCE);
        let admin = sandbox.person(ADMIN, "Админ").await;
        let folder = TempDir::new().expect("a folder");
        let systemd = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        Self { sandbox, folder, admin, systemd }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bot without a token and without any setting.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(program());
        for name in OURS.iter().chain(&["TELOXIDE_TOKEN", "TELOXIDE_PROXY", "WATCHDOG_PID"]) {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .env("TELOXIDE_API_URL", self.sandbox.url())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(everything) = canary::everything() {
            command.env("RUST_LOG", everything);
        }
        command
    }

    /// The bot with all that it needs; it makes no backups by itself.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.bare();
        command
            .env("TELOXIDE_TOKEN", self.sandbox.token())
            .env("ADMIN_USER_ID", ADMIN.to_string())
            .env("BACKUP_ENABLED", "false");
        command
    }

    /// Starts it as systemd does: it can tell how it is, and its log goes into the journal.
    pub(crate) fn start(&self, command: &mut Command) -> Service {
        let log = self.path("log");
        let journal = File::create(&log).expect("a file");
        let stream = journal.metadata().expect("a file");
        let process = command
            .env("NOTIFY_SOCKET", self.path("notify"))
            .env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino()))
            .stderr(journal)
            .spawn()
            .expect("the bot starts");
        Service { process, log }
    }

    /// Waits until systemd is told this.
    pub(crate) async fn told(&self, notice: &str) -> String {
        let mut all = Vec::new();
        let heard = timeout(PATIENCE, async {
            let mut buffer = [0; 4096];
            loop {
                let length = self.systemd.recv(&mut buffer).await.expect("a notice");
                let told = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if told.contains(notice) {
                    return told;
                }
                all.push(told);
            }
        });
        heard.await.unwrap_or_else(|_| panic!("systemd was not told {notice}"))
    }

    /// Makes the database, with so many orders in it.
    pub(crate) fn fill(&self, orders: i64) {
        let mut database = Connection::open(self.path("clientbotmanager.db")).expect("opens");
        let schema = include_str!("../../examples/clientbotmanager/database/schema.sql");
        database.execute_batch(schema).expect("the tables");
        let change = database.transaction().expect("a transaction");
        let row = "INSERT INTO orders VALUES (?1, ?2, '2026-02-01T10:00:00', 'новый', ?3)";
        let mut insert = change.prepare(row).expect("a row");
        for order in 0..orders {
            let data = format!(r#"{{"fio":"Клиент {order}","idea":"{}"}}"#, "бот ".repeat(40));
            insert.execute((order % 1000, format!("{order:08x}"), data)).expect("written");
        }
        drop(insert);
        change.commit().expect("committed");
    }

    /// The names of the archives that are done.
    pub(crate) fn archives(&self) -> Vec<String> {
        self.backups().into_iter().filter(|name| name.starts_with("backup_")).collect()
    }

    /// The names of the archives that are being written.
    pub(crate) fn drafts(&self) -> Vec<String> {
        let is_draft = |name: &String| name.starts_with(".backup_");
        self.backups().into_iter().filter(is_draft).collect()
    }

    /// How much has been written of them.
    pub(crate) fn drafted(&self) -> u64 {
        let files = self.drafts().into_iter().map(|name| self.path("backups").join(name));
        files.filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum()
    }

    fn backups(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.path("backups")) else { return Vec::new() };
        let names = folder.map(|entry| entry.expect("an entry").file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

impl Service {
    /// As `systemctl stop` asks it to end.
    pub(crate) async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// As Ctrl-C does.
    pub(crate) async fn interrupt(&self) {
        self.signal("-INT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.process.id().expect("it runs").to_string();
        let kill = Command::new("kill").args([signal, &id]).status().await.expect("kill");
        assert!(kill.success());
    }

    pub(crate) async fn end(&mut self) -> ExitStatus {
        let end = timeout(PATIENCE, self.process.wait()).await;
        end.unwrap_or_else(|_| panic!("it does not end:\n{}", self.log())).expect("it ends")
    }

    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.terminate().await;
        self.end().await
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.process.try_wait().expect("a child").is_none()
    }

    /// All that it wrote to standard output, once it has ended.
    pub(crate) async fn screen(&mut self) -> String {
        let mut text = String::new();
        let screen = self.process.stdout.as_mut().expect("a screen");
        screen.read_to_string(&mut text).await.expect("text");
        text
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(log) = fs::read_to_string(&self.log) {
            canary::note(&log);
        }
    }
}

/// Waits until something on the disk is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.parent().and_then(Path::parent).expect("the target folder");
    let program = target.join("examples/clientbotmanager");
    assert!(program.exists(), "build it first: cargo build --example clientbotmanager");
    program
}
