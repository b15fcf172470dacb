//! A whole bot, over HTTP: how long a client waits for an answer while the administrator makes a backup
//! and looks into it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use telegram_sandbox::Sandbox;
use teloxide::dispatching::UpdateFilterExt;
use teloxide::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::data::{Crm, Source, Taking};
use crate::measure::Job;
use crate::pause::Waits;

const IDLE: Duration = Duration::from_secs(5);
/// Between two questions of the client.
const GAP: Duration = Duration::from_millis(10);

/// How many questions a client asks before another goes on.
const CHAT: i32 = 100;
static NEXT_CLIENT: AtomicI64 = AtomicI64::new(1000);

/// Prints a line of JSON on standard error.
pub(crate) fn run(job: &Job, runtime: &Runtime) -> io::Result<()> {
    // Telegram and its people have a thread of their own, as they have machines of their own
    let telegram = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let sandbox = telegram.block_on(Sandbox::start());
    sandbox.set_patience(Duration::from_secs(3600));
    let place = tempfile::tempdir_in(&job.folder)?;
    let source = Source::of(Arc::new(Crm::of_size(job.size)), Taking::Whole);
    let url = sandbox.url().parse().map_err(io::Error::other)?;
    let bot = Bot::new(sandbox.token()).set_api_url(url);
    let builder = job.builder_of(bot.clone(), source, place.path()).admin(UserId(42));
    let plugin = builder.build().map_err(io::Error::other)?;
    let answer = |bot: Bot, message: Message| async move {
        let text = format!("answer to {}", message.text().unwrap_or_default());
        bot.send_message(message.chat.id, text).await.map(|_| ())
    };
    let tree =
        dptree::entry().branch(plugin.handler()).branch(Update::filter_message().endpoint(answer));
    let mut dispatcher = Dispatcher::builder(bot, tree).build();
    let stop = dispatcher.shutdown_token();
    thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(dispatcher.dispatch()));
        let line = telegram.block_on(people(&sandbox));
        eprintln!("{line}");
        if let Ok(stopped) = stop.shutdown() {
            telegram.block_on(stopped);
        }
    });
    Ok(())
}

/// What a client and the administrator do; gives how long the client has waited.
async fn people(sandbox: &Sandbox) -> Value {
    let admin = sandbox.person(42, "Anna").await;
    let idle = ask(sandbox, "idle", tokio::time::sleep(IDLE)).await;
    let backup = async {
        admin.send("/backup").await;
        admin.wait_for("✅").await;
    };
    let backup = ask(sandbox, "backup", backup).await;
    admin.send("/backup_list").await;
    let list = admin.wait_for("📂").await;
    let newest = list.buttons.first().and_then(|row| row.first());
    let newest = newest.map(|button| button.text.clone()).unwrap_or_default();
    let check = async {
        admin.press_on(list.id, &newest).await;
        admin.wait_for("?").await;
    };
    let check = ask(sandbox, "check", check).await;
    // the same as in the beginning, or the longer life of Telegram's stand-in would be in the figures
    let after = ask(sandbox, "after", tokio::time::sleep(IDLE)).await;
    json!({
        "idle": idle.told(), "backup": backup.told(), "check": check.told(), "after": after.told(),
    })
}

/// Clients ask again and again for as long as this takes; gives how long each answer took.
async fn ask(sandbox: &Sandbox, about: &str, meanwhile: impl Future) -> Waits {
    let mut waits = Vec::new();
    let asking = async {
        let newcomer = || sandbox.person(NEXT_CLIENT.fetch_add(1, Ordering::Relaxed), "Ivan");
        let mut client = newcomer().await;
        for number in 1.. {
            // a long chat takes Telegram's stand-in longer
            if number % CHAT == 0 {
                client = newcomer().await;
            }
            tokio::time::sleep(GAP).await;
            let (begin, question) = (Instant::now(), format!("{about} {number};"));
            client.send(&question).await;
            client.wait_for(&format!("answer to {question}")).await;
            waits.push(begin.elapsed());
        }
    };
    tokio::select! {
        () = asking => {}
        _ = meanwhile => {}
    }
    Waits::of(waits)
}
