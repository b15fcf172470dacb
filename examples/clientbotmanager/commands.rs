//! The commands, and what Telegram's menu says of them.
//!
//! Doc comments on them would stand in that menu, too.

use teloxide::prelude::*;
use teloxide::types::{BotCommand, BotCommandScope, Recipient};
use teloxide::utils::command::BotCommands;
use tracing::warn;

use crate::html::Bot;

/// The commands of everybody.
#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
pub(crate) enum Command {
    // with whatever follows in a link
    #[command(description = "поздороваться и начать")]
    Start(String),
    #[command(description = "главное меню")]
    Menu,
}

/// The commands of the administrator; those of the backups are the plugin's.
#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
pub(crate) enum AdminCommand {
    #[command(description = "управление ботом")]
    Admin,
    // with the id of the client and maybe a text
    #[command(description = "написать клиенту: /reply ID текст")]
    Reply(String),
}

/// The plugin's commands as the menu shows them.
const BACKUPS: [(&str, &str); 4] = [
    ("backup", "сделать бекап"),
    ("backup_list", "список бекапов и восстановление"),
    ("backup_restore", "восстановление из файла"),
    ("backup_settings", "настройки бекапов"),
];

/// Puts the commands into the menu of every client.
pub(crate) async fn show_to_all(bot: &Bot) {
    let scope = BotCommandScope::AllPrivateChats;
    if let Err(error) = bot.set_my_commands(Command::bot_commands()).scope(scope).await {
        warn!("the menu of commands is not set: {error}");
    }
}

/// Puts the administrator's commands into their menu. Telegram refuses that until they have
/// written to the bot for the first time.
pub(crate) async fn show_to_admin(bot: &Bot, admin: ChatId) {
    let backups = BACKUPS.map(|(name, about)| BotCommand::new(name, about));
    let commands = [Command::bot_commands(), AdminCommand::bot_commands(), backups.into()].concat();
    let scope = BotCommandScope::Chat { chat_id: Recipient::Id(admin) };
    if let Err(error) = bot.set_my_commands(commands).scope(scope).await {
        warn!("the administrator's menu of commands is not set: {error}");
    }
}
