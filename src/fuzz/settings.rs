//! The settings: from a file, from the environment, and what an administrator's id may be.

use std::path::PathBuf;

use crate::chat::access::refusal_of;
use crate::config::BackupConfig;
use crate::error::{Error, ErrorKind};

/// Reads settings. The first byte says whether the rest is a file, which `parse` reads, or an
/// environment: a line `NAME=value` for each variable, the first of a name counts.
///
/// # Panics
/// If a value is taken for another, or an error does not name the setting.
pub fn settings(input: &[u8], parse: &mut dyn FnMut(&str) -> Option<BackupConfig>) {
    let Some((&kind, text)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    if kind & 1 == 0 {
        in_file(&text, parse);
    } else {
        in_environment(&text);
    }
}

fn in_file(text: &str, parse: &mut dyn FnMut(&str) -> Option<BackupConfig>) {
    let Some(config) = parse(text) else { return };
    let json = serde_json::to_value(&config).unwrap_or_default();
    // TOML spells numbers, words and texts as JSON does, but for one letter
    let lines = json.as_object().into_iter().flatten().map(|(name, value)| {
        let value = value.to_string().replace('\u{7f}', "\\u007f");
        [name, " = ", &value, "\n"].concat()
    });
    let again: String = lines.collect();
    assert_eq!(parse(&again), Some(config.clone()), "what was written is not read: {again}");
    administrator(&config);
}

fn administrator(config: &BackupConfig) {
    let Some(id) = config.admin_user_id.filter(|&id| refusal_of(id, Some(7)).is_none()) else {
        return;
    };
    assert!((1..1 << 40).contains(&id), "{id} is nobody's");
    assert!(![7, 777_000, 1_087_968_824, 136_817_688].contains(&id), "{id} is anybody's");
}

fn in_environment(text: &str) {
    let variables: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.split_once('=')).collect();
    let get = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let outcome = BackupConfig::default().with(|name| Ok(get(name)));
    match (outcome, by_hand(get)) {
        (Ok(config), expected) => {
            assert_eq!(Ok(&config), expected.as_ref());
            administrator(&config);
        }
        (Err(error), expected) => named(&error, expected.err()),
    }
}

/// What stands there, setting by setting; or the name of the first that makes no sense.
fn by_hand(get: impl Fn(&str) -> Option<String>) -> Result<BackupConfig, &'static str> {
    let base = BackupConfig::default();
    let small = |name, base: u32| {
        let number = |value: String| u32::try_from(plain_number(&value)?).ok();
        get(name).map_or(Some(base), number).ok_or(name)
    };
    let enabled = get("BACKUP_ENABLED").map_or(Some(base.enabled), |value| yes_or_no(&value));
    let admin = get("ADMIN_USER_ID").map(|id| plain_number(&id).ok_or("ADMIN_USER_ID"));
    Ok(BackupConfig {
        enabled: enabled.ok_or("BACKUP_ENABLED")?,
        interval_days: small("BACKUP_INTERVAL_DAYS", base.interval_days)?,
        dir: get("BACKUP_DIR").map_or(base.dir, PathBuf::from),
        keep_count: small("BACKUP_KEEP_COUNT", base.keep_count)?,
        admin_user_id: admin.transpose()?,
    })
}

fn yes_or_no(value: &str) -> Option<bool> {
    let is = |word: &&str| value.trim().eq_ignore_ascii_case(word);
    let (yes, no) = (["true", "1", "yes", "on"], ["false", "0", "no", "off"]);
    yes.iter().any(is).then_some(true).or(no.iter().any(is).then_some(false))
}

/// Digits, summed up by hand.
fn plain_number(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.strip_prefix('+').unwrap_or(value);
    let sum = |sum: u64, byte: u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    (!digits.is_empty()).then(|| digits.bytes().try_fold(0, sum))?
}

/// It is the settings' own error, it begins with the name, and it does not repeat a novel.
fn named(error: &Error, setting: Option<&str>) {
    let told = error.chain();
    assert_eq!(error.kind(), ErrorKind::Config, "{told}");
    assert_eq!(told.split(' ').next(), setting, "{told}");
    assert!(told.chars().count() < 120, "too long: {told}");
}
