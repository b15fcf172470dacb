//! Talks to a bot in any language from a terminal, without Telegram.
//!
//! `cargo run --example terminal -- python3 bot.py` starts the bot with the address of the
//! sandbox in `TELOXIDE_API_URL` and the token in `TELOXIDE_TOKEN`.
//!
//! What you type is a message of Anna. The label of an inline button presses it, `/` lists the
//! commands, and the end of the input (Ctrl-D) ends all.

use std::{collections::BTreeMap, env, io, process::Command, thread, time::Duration};

use telegram_sandbox::{Chat, Person, Sandbox, Shown};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[tokio::main]
async fn main() -> io::Result<()> {
    let sandbox = Sandbox::start().await;
    sandbox.forgive();
    sandbox.set_patience(YEAR);
    let anna = sandbox.newcomer(42, "Anna").await;
    println!("address {}\ntoken {}", sandbox.url(), sandbox.token());

    let mut words = env::args().skip(1);
    let bot = words.next().map(|program| {
        let mut command = Command::new(program);
        command.args(words);
        command.env("TELOXIDE_API_URL", sandbox.url()).env("TELOXIDE_TOKEN", sandbox.token());
        command.spawn()
    });
    let mut bot = bot.transpose()?;
    let printing = tokio::spawn(print(anna.clone()));
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        act(&anna, &line).await;
    }
    printing.abort();
    if let Some(bot) = &mut bot {
        bot.kill()?;
    }
    for violation in sandbox.violations() {
        println!("Telegram would have refused {violation}");
    }
    Ok(())
}

/// The lines that are typed.
fn typed() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Does what a line means.
async fn act(anna: &Person, line: &str) {
    let chat = anna.chat();
    let button = chat
        .visible()
        .rev()
        .find(|message| message.button(line).is_some_and(|button| button.data.is_some()));
    if line == "/" {
        for command in anna.commands() {
            println!("/{} - {}", command.command, command.description);
        }
    } else if let Some(message) = button {
        let answer = anna.press_on(message.id, line).answer_within(Duration::from_secs(10)).await;
        if let Some(text) = answer.and_then(|answer| answer.text) {
            println!("({text})");
        }
    } else if !line.trim().is_empty() {
        anna.send(line).await;
    }
}

/// Prints each new or changed message of the bot.
async fn print(anna: Person) {
    let mut printed = BTreeMap::new();
    loop {
        let fresh = anna.wait_until(|chat| fresh(chat, &printed)).await;
        for message in fresh {
            println!("{message}");
            printed.insert(message.id, message.edits);
        }
    }
}

/// The messages of the bot that are not printed as they are now, if there are any.
fn fresh(chat: &Chat, printed: &BTreeMap<i64, u32>) -> Option<Vec<Shown>> {
    let news = chat
        .visible()
        .filter(|message| message.from_bot && printed.get(&message.id) != Some(&message.edits));
    let news: Vec<_> = news.cloned().collect();
    (!news.is_empty()).then_some(news)
}
