//! Settings that are refused.

use std::fs;
use std::process::Output;

use tokio::process::Command;

use crate::world::World;

/// Runs the bot with bad settings; gives its one line.
async fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().await.expect("the bot runs");
    let stderr = String::from_utf8_lossy(&stderr).trim_end().to_owned();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[tokio::test]
async fn bad_settings_are_named_in_one_line() {
    let world = World::new().await;
    let line = refused(world.command().env_remove("TELOXIDE_TOKEN")).await;
    assert!(line.contains("TELOXIDE_TOKEN"), "{line}");
    for bad in ["nowhere", "mailto:anna@example.org"] {
        let line = refused(world.command().env("TELOXIDE_API_URL", bad)).await;
        assert!(line.contains("TELOXIDE_API_URL"), "{line}");
    }
    let line = refused(world.command().env("DATABASE_PATH", "no/such/folder.db")).await;
    assert!(line.contains("no/such/folder.db"), "{line}");
    for bad in ["@anna", "-5", "0", ""] {
        let line = refused(world.command().env("ADMIN_USER_ID", bad)).await;
        assert!(line.contains("ADMIN_USER_ID"), "{line}");
    }
    let line = refused(world.command().env_remove("ADMIN_USER_ID")).await;
    assert!(line.contains("ADMIN_USER_ID"), "{line}");
    let line = refused(world.command().env("CONFIG", "missing.toml")).await;
    assert!(line.contains("missing.toml"), "{line}");
    for (text, named) in [
        ("BACKUP_KEEP_COUNT = 'ten'", "BACKUP_KEEP_COUNT"),
        ("BACKUP_KEEP_COUNTS = 10", "BACKUP_KEEP_COUNTS"),
        ("BACKUP_INTERVAL_DAYS = 0", "BACKUP_INTERVAL_DAYS"),
        ("DATABASE_PATH = 7", "DATABASE_PATH"),
        ("ADMIN_USER_ID = 1\nBACKUP_DIR =", "line 2"),
    ] {
        fs::write(world.folder.path().join("config.toml"), text).expect("the settings");
        let line = refused(&mut world.command()).await;
        assert!(line.contains(named), "{line}");
    }
}
