//! A bot that counts hellos and had no backups; the marked lines give them to it.

use std::collections::HashMap;
use std::sync::Arc;

use teloxide::prelude::*;
use teloxide_backup::{BackupPlugin, Shared};
use tokio::sync::RwLock;

/// How often each user said hello.
type Hellos = Arc<RwLock<HashMap<u64, u32>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let bot = Bot::from_env();
    let admin = UserId(std::env::var("ADMIN_USER_ID")?.parse()?);
    let hellos = Hellos::default();

    let backup = BackupPlugin::new(bot.clone(), admin, Shared::new(hellos.clone()))?; // <- make
    let task = backup.spawn(); // <- start the schedule

    let tree = dptree::entry()
        .branch(backup.handler()) // <- mount the commands, first
        .branch(Update::filter_message().endpoint(hello));
    let dispatcher = Dispatcher::builder(bot, tree).dependencies(dptree::deps![hellos]);
    dispatcher.enable_ctrlc_handler().build().dispatch().await;
    task.shutdown().await; // <- let a running backup finish
    Ok(())
}

async fn hello(bot: Bot, message: Message, hellos: Hellos) -> anyhow::Result<()> {
    let Some(user) = message.from else { return Ok(()) };
    let count = *hellos.write().await.entry(user.id.0).and_modify(|n| *n += 1).or_insert(1);
    bot.send_message(message.chat.id, format!("Hello no. {count}!")).await?;
    Ok(())
}
