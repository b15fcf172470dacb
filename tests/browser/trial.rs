//! The trial as a person starts it: the example without a token, in a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::canary;

/// What the variables of the person who runs the tests may not change.
const OURS: [&str; 9] = [
    "ADMIN_USER_ID",
    "BACKUP_DIR",
    "BACKUP_ENABLED",
    "BACKUP_INTERVAL_DAYS",
    "BACKUP_KEEP_COUNT",
    "CONFIG",
    "DATABASE_PATH",
    "RUST_LOG",
    "TELOXIDE_TOKEN",
];

/// The trial; it is killed when it is let go.
pub(crate) struct Trial {
    process: Child,
    folder: TempDir,
    address: String,
}

impl Trial {
    pub(crate) async fn start() -> Self {
        let folder = TempDir::with_prefix("trial-").expect("a folder");
        let log = File::create(folder.path().join("log")).expect("a log");
        let mut command = Command::new(program());
        for name in OURS {
            command.env_remove(name);
        }
        // a proxy does not know the way back to this machine
        command.env("HTTP_PROXY", "http://127.0.0.1:9").env_remove("NO_PROXY");
        command.current_dir(folder.path()).env("TMPDIR", folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        if let Some(everything) = canary::everything() {
            command.env("RUST_LOG", everything);
        }
        let mut process = command.spawn().expect("it starts");
        let mut screen = BufReader::new(process.stdout.take().expect("a screen")).lines();
        let address = loop {
            let line = screen.next_line().await.expect("text").expect("an address");
            if let Some((_, address)) = line.split_once("http://") {
                break address.split('#').next().unwrap_or_default().to_owned();
            }
        };
        Self { process, folder, address: format!("http://{address}") }
    }

    /// The address of the page, with a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where this person is on the page.
    pub(crate) fn page_of(&self, person: i64) -> String {
        format!("{}#{person}", self.address)
    }

    /// As Ctrl-C ends it.
    pub(crate) async fn end(mut self) {
        let id = self.process.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().await.expect("kill");
        assert!(kill.success());
        assert_eq!(self.process.wait().await.expect("it ends").code(), Some(0));
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        canary::note(&log);
        if std::thread::panicking() {
            println!("--- log of the bot ---\n{log}");
        }
    }
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let target = test.parent().and_then(Path::parent).expect("the target folder");
    let program = target.join("examples/clientbotmanager");
    assert!(program.exists(), "build it first: cargo build --example clientbotmanager");
    program
}
