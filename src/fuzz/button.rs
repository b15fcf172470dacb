//! What comes back when a button is pressed: anybody can send anything.

use std::sync::LazyLock;

use teloxide::types::{ChatId, UserId};

use crate::backup::BackupId;
use crate::chat::button::{Button, Confirmations, Pending};
use crate::service::Save;

const ADMIN: UserId = UserId(42);
const CHAT: ChatId = ChatId(42);

/// A confirmation that was asked for, and which nobody ever answers.
static ASKED: LazyLock<(Confirmations, String)> = LazyLock::new(|| {
    let confirmations = Confirmations::default();
    let id = BackupId::new(chrono::NaiveDateTime::default(), 1);
    let data_sha256 = String::new();
    let pending =
        Pending { admin: ADMIN, chat: CHAT, id, data_sha256, save: Save::First, fewer: None };
    let token = confirmations.ask(pending);
    (confirmations, token)
});

/// Reads what a button carries, and the name of an archive.
///
/// # Panics
/// If anything has two spellings, leads out of the folder, or confirms what was not asked.
pub fn button(input: &[u8]) {
    let data = String::from_utf8_lossy(input);
    if let Some(id) = BackupId::parse(&data) {
        assert_eq!(id.to_string(), data, "a name has two spellings");
        plain(&id);
    }
    let button = Button::decode(&data);
    assert_eq!(button.is_some(), is_button(&data), "{data:?}");
    let Some(button) = button else { return };
    assert!(Button::is_ours(&data), "a button that nobody looks at");
    assert_eq!(button.encode(), data, "a button has two spellings");
    match button {
        Button::Show(id) | Button::Download(id) => plain(&id),
        Button::Yes(token) | Button::No(token) | Button::Undo(token) => {
            let (confirmations, asked) = &*ASKED;
            assert!(token == *asked || confirmations.take(&token, ADMIN, CHAT).is_none());
        }
        Button::Page(_) => {}
    }
}

/// A letter says what stands after it: a number, what differs in the name of a backup, or anything.
fn is_button(data: &str) -> bool {
    let parts: Vec<&str> = data.splitn(3, ':').collect();
    match parts[..] {
        ["bkp", "p", page] => page.parse::<usize>().is_ok_and(|number| number.to_string() == page),
        ["bkp", "b" | "d", key] => BackupId::parse(&format!("backup_{key}.zip")).is_some(),
        ["bkp", "y" | "n" | "u", _] => true,
        _ => false,
    }
}

/// `backup_`, digits and lines, `.zip`: no other file is ever opened or removed.
fn plain(id: &BackupId) {
    let name = id.to_string();
    let middle = name.strip_prefix("backup_").and_then(|name| name.strip_suffix(".zip"));
    let parts: Vec<&str> = middle.unwrap_or_default().split('_').collect();
    let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let lengths = matches!(&parts[..], [date, time, ..] if date.len() == 8 && time.len() == 6);
    assert!(digits && lengths && parts.len() <= 3, "{name} is no backup's name");
    assert_eq!(BackupId::parse(&name).as_ref(), Some(id), "{name} is not read again");
}
