//! Settings that make no sense are refused at the start, in words that name the setting.

use std::process::Command;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use teloxide::Bot;
use teloxide::types::UserId;
use teloxide_backup::{
    BackupConfig, BackupPlugin, BackupPluginBuilder, Days, Error, ErrorKind, MemoryStorage, Shared,
};
use tokio::sync::RwLock;

#[path = "support/canary.rs"]
mod canary;

#[derive(Clone, Default, Serialize, Deserialize)]
struct Shop {
    orders: Vec<String>,
}

const BOT: u64 = 123_456;

/// A plugin of which only the administrator is still to be said.
fn bare() -> BackupPluginBuilder {
    canary::listen();
    let state = Arc::new(RwLock::new(Shop::default()));
    BackupPlugin::builder(Bot::new(format!("{BOT}:token")), Shared::new(state))
        .storage(MemoryStorage::new())
}

fn good() -> BackupPluginBuilder {
    bare().admin(UserId(42))
}

#[track_caller]
fn refused(builder: BackupPluginBuilder, setting: &str) -> Error {
    let error = builder.build().expect_err(setting);
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains(setting), "{error} does not name {setting}");
    error
}

#[test]
fn good_settings_are_taken() {
    good().build().expect("the defaults");
    for days in [1, 7, 3650] {
        good().every(Days::new(days)).build().expect("an interval");
    }
    for count in [1, 10, 100_000] {
        good().keep(count).build().expect("a number of backups");
    }
    good().admin(UserId(43)).admin(UserId(42)).build().expect("two, one of them twice");
    good().admin(UserId((1 << 40) - 1)).build().expect("the largest id");
}

#[test]
fn an_interval_that_makes_no_sense_is_refused() {
    for days in [0, 3651, 4000, u64::from(u32::MAX), u64::MAX] {
        let error = refused(good().every(Days::new(days)), "BACKUP_INTERVAL_DAYS");
        assert!(error.to_string().contains("between 1 and 3650"), "{error}");
    }
}

#[test]
fn a_number_of_backups_that_makes_no_sense_is_refused() {
    for count in [0, 100_001, usize::MAX] {
        let error = refused(good().keep(count), "BACKUP_KEEP_COUNT");
        assert!(error.to_string().contains("between 1 and 100000"), "{error}");
    }
}

#[test]
fn who_can_be_nobody_is_no_administrator() {
    refused(bare(), "ADMIN_USER_ID");
    let service = [777_000, 1_087_968_824, 136_817_688];
    for id in [0, BOT, 1 << 40, u64::MAX, i64::MAX.cast_unsigned()].into_iter().chain(service) {
        refused(bare().admin(UserId(id)), "ADMIN_USER_ID");
        // one good administrator does not excuse a bad one
        refused(good().admin(UserId(id)), "ADMIN_USER_ID");
    }
    let state = Arc::new(RwLock::new(Shop::default()));
    let outcome = BackupPlugin::new(Bot::new("1:token"), UserId(0), Shared::new(state));
    assert_eq!(outcome.expect_err("0 is nobody").kind(), ErrorKind::Config);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let place = tempfile::tempdir().expect("a folder");
    // whoever runs the tests may write anywhere, but not into a file
    let file = place.path().join("backups");
    std::fs::write(&file, "not a folder").expect("written");
    let state = Arc::new(RwLock::new(Shop::default()));
    let builder = || {
        BackupPlugin::builder(Bot::new("1:token"), Shared::new(Arc::clone(&state)))
            .admin(UserId(42))
    };
    for folder in [file.clone(), file.join("below")] {
        let error = refused(builder().folder(&folder), "BACKUP_DIR");
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
        assert!(std::error::Error::source(&error).is_some(), "the reason is there");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "not a folder");
    refused(builder().folder(""), "BACKUP_DIR");
}

#[test]
fn texts_that_are_no_fluent_are_refused() {
    for text in ["= what", "list-empty = { $x", "list-empty", "list-empty = { unknown-function"] {
        refused(good().text(text), "texts");
    }
    // one bad file among good ones
    refused(good().text("list-empty = Пусто!").text("}"), "texts");
    good().text("list-empty = Пусто!\nown = { $word }").build().expect("good texts");
    good().text("").build().expect("no text is none");
}

#[test]
fn what_is_refused_leaks_no_token() {
    let error = bare().build().expect_err("no administrator");
    for shown in [format!("{error:?}"), format!("{error}"), format!("{:?}", bare())] {
        assert!(!shown.contains("token"), "{shown}");
    }
    assert!(!format!("{:?}", good().build().expect("a plugin")).contains("token"));
}

#[test]
fn a_settings_file_may_say_all_or_nothing() {
    let nothing: BackupConfig = toml::from_str("").expect("settings");
    assert_eq!(nothing, BackupConfig::default());
    assert_eq!(
        (nothing.enabled, nothing.interval_days, nothing.keep_count, nothing.admin_user_id),
        (true, 7, 10, None)
    );
    assert_eq!(nothing.dir.to_str(), Some("backups"));
    let all: BackupConfig = toml::from_str(
        r#"
            BOT_TOKEN = "the bot's own settings stand in the same file"
            BACKUP_ENABLED = false
            BACKUP_INTERVAL_DAYS = 30
            BACKUP_DIR = "копии бота"
            BACKUP_KEEP_COUNT = 20
            ADMIN_USER_ID = 123456789
            [payments]
            currency = "RUB"
        "#,
    )
    .expect("settings");
    assert_eq!((all.enabled, all.interval_days, all.keep_count), (false, 30, 20));
    assert_eq!((all.dir.to_str(), all.admin_user_id), (Some("копии бота"), Some(123_456_789)));
    let again: BackupConfig =
        toml::from_str(&toml::to_string(&all).expect("TOML")).expect("settings");
    assert_eq!(again, all);
    let again = toml::to_string(&nothing).expect("an unset administrator is left out");
    assert_eq!(toml::from_str::<BackupConfig>(&again).expect("settings"), nothing);
}

#[test]
fn a_settings_file_with_a_wrong_type_is_an_error_that_names_it() {
    for line in [
        "BACKUP_ENABLED = \"yes\"",
        "BACKUP_INTERVAL_DAYS = -1",
        "BACKUP_INTERVAL_DAYS = 7.5",
        "BACKUP_KEEP_COUNT = \"ten\"",
        "BACKUP_KEEP_COUNT = 99999999999",
        "BACKUP_DIR = 7",
        "ADMIN_USER_ID = \"@anna\"",
        "ADMIN_USER_ID = -100123",
    ] {
        let error = toml::from_str::<BackupConfig>(line).expect_err(line).to_string();
        let setting = line.split(' ').next().expect("a name");
        assert!(error.contains(setting), "{error} does not name {setting}");
    }
}

#[test]
fn a_config_is_checked_as_the_setters_are() {
    let config = |text: &str| toml::from_str::<BackupConfig>(text).expect(text);
    for (text, setting) in [
        ("", "ADMIN_USER_ID"),
        ("ADMIN_USER_ID = 0", "ADMIN_USER_ID"),
        ("ADMIN_USER_ID = 1087968824", "ADMIN_USER_ID"),
        ("ADMIN_USER_ID = 42\nBACKUP_INTERVAL_DAYS = 0", "BACKUP_INTERVAL_DAYS"),
        ("ADMIN_USER_ID = 42\nBACKUP_INTERVAL_DAYS = 4000", "BACKUP_INTERVAL_DAYS"),
        ("ADMIN_USER_ID = 42\nBACKUP_KEEP_COUNT = 0", "BACKUP_KEEP_COUNT"),
    ] {
        refused(bare().config(&config(text)), setting);
    }
    bare().config(&config("ADMIN_USER_ID = 42")).build().expect("a plugin");
}

/// Says what the environment holds, in a process of its own: this one's is shared by all tests.
#[test]
#[ignore = "only as a child of the tests below"]
fn child_tells_its_settings() {
    match BackupConfig::from_env() {
        Ok(config) => println!("\nsettings: {}", serde_json::to_string(&config).expect("JSON")),
        Err(error) => println!("\nrefused: {:?}: {error}", error.kind()),
    }
}

/// The child's answer in this environment.
fn in_environment(variables: &[(&str, std::ffi::OsString)]) -> String {
    let program = std::env::current_exe().expect("this program");
    let names = [
        "BACKUP_ENABLED",
        "BACKUP_INTERVAL_DAYS",
        "BACKUP_DIR",
        "BACKUP_KEEP_COUNT",
        "ADMIN_USER_ID",
    ];
    let mut child = Command::new(program);
    child.args(["--exact", "child_tells_its_settings", "--ignored", "--nocapture"]);
    for name in names {
        child.env_remove(name);
    }
    for (name, value) in variables {
        child.env(name, value);
    }
    let output = child.output().expect("it runs");
    let output = String::from_utf8(output.stdout).expect("text");
    let line =
        output.lines().find(|line| line.starts_with("settings:") || line.starts_with("refused:"));
    line.unwrap_or_else(|| panic!("no answer in {output}")).to_owned()
}

fn settings(variables: &[(&str, &str)]) -> BackupConfig {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.into())).collect();
    let answer = in_environment(&variables);
    let json = answer.strip_prefix("settings: ").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(json).expect("settings")
}

#[test]
fn the_environment_of_the_process_is_read() {
    assert_eq!(settings(&[]), BackupConfig::default());
    let all = settings(&[
        ("BACKUP_ENABLED", "False"),
        ("BACKUP_INTERVAL_DAYS", "1"),
        ("BACKUP_DIR", "/srv/копии"),
        ("BACKUP_KEEP_COUNT", " 20 "),
        ("ADMIN_USER_ID", "123456789"),
    ]);
    assert_eq!((all.enabled, all.interval_days, all.keep_count), (false, 1, 20));
    assert_eq!((all.dir.to_str(), all.admin_user_id), (Some("/srv/копии"), Some(123_456_789)));
    for (word, enabled) in [("1", true), ("YES", true), ("on", true), ("0", false), ("off", false)]
    {
        assert_eq!(settings(&[("BACKUP_ENABLED", word)]).enabled, enabled, "{word}");
    }
}

#[test]
fn nonsense_in_the_environment_names_its_variable() {
    for (name, value) in [
        ("BACKUP_ENABLED", "maybe"),
        ("BACKUP_ENABLED", ""),
        ("BACKUP_INTERVAL_DAYS", "-1"),
        ("BACKUP_INTERVAL_DAYS", "7d"),
        ("BACKUP_KEEP_COUNT", "99999999999"),
        ("ADMIN_USER_ID", "-1001234567890"),
        ("ADMIN_USER_ID", "anna"),
    ] {
        let answer = in_environment(&[(name, value.into())]);
        assert!(answer.starts_with(&format!("refused: Config: {name}")), "{answer}");
    }
}

#[cfg(unix)]
#[test]
fn bytes_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = std::ffi::OsString::from_vec(vec![b'7', 0xff]);
    let answer = in_environment(&[("BACKUP_INTERVAL_DAYS", value)]);
    assert!(answer.starts_with("refused: Config: BACKUP_INTERVAL_DAYS"), "{answer}");
}
