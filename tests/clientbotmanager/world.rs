//! A bot as a process of its own, with its folder and its Telegram.

use std::env;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use rusqlite::Connection;
use telegram_sandbox::{Person, Sandbox};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::canary;
use crate::steps::ADMIN;

/// A bot with its folder and its Telegram.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) admin: Person,
}

/// The process; it is killed when it is let go.
pub(crate) struct Bot(Child);

impl World {
    pub(crate) async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        let admin = sandbox.person(ADMIN, "Админ").await;
        Self { sandbox, folder: TempDir::new().expect("a folder"), admin }
    }

    /// A world where the administrator has never written to the bot.
    pub(crate) async fn of_new_admin() -> Self {
        let sandbox = Sandbox::start().await;
        let admin = sandbox.newcomer(ADMIN, "Админ").await;
        Self { sandbox, folder: TempDir::new().expect("a folder"), admin }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        for name in ["CONFIG", "RUST_LOG", "BACKUP_ENABLED", "BACKUP_DIR", "DATABASE_PATH"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .env("TELOXIDE_TOKEN", self.sandbox.token())
            .env("TELOXIDE_API_URL", self.sandbox.url())
            .env("ADMIN_USER_ID", ADMIN.to_string())
            .env("BACKUP_ENABLED", "false")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) fn start(&self) -> Bot {
        let mut command = self.command();
        if let (Some(everything), Some(log)) = (canary::everything(), canary::log()) {
            command.env("RUST_LOG", everything).stderr(log);
        }
        Bot(command.spawn().expect("the bot starts"))
    }

    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.folder.path().join("clientbotmanager.db")).expect("the database")
    }
}

impl Bot {
    /// The most memory that it has had so far, or since it was asked to forget that.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_kb(&self, forget: bool) -> u64 {
        let process = PathBuf::from("/proc").join(self.0.id().expect("it runs").to_string());
        if forget {
            std::fs::write(process.join("clear_refs"), "5").expect("linux forgets the peak");
        }
        let status = std::fs::read_to_string(process.join("status")).expect("linux tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// As systemd ends it.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let id = self.0.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill");
        assert!(kill.success());
        self.0.wait().await.expect("it ends")
    }
}

fn program() -> PathBuf {
    let test = env::current_exe().expect("the test's own path");
    let target = test.parent().and_then(|deps| deps.parent()).expect("the target folder");
    let program =
        target.join("examples").join(format!("clientbotmanager{}", env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build --example clientbotmanager");
    program
}
