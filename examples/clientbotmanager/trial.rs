//! The trial: without a token the bot talks to an offline Telegram in this very program, and a page
//! in the browser is the chat.

mod samples;

use std::io::{self, Write};

use anyhow::Result;
use telegram_sandbox::{Page, Sandbox};
use teloxide::{Bot, net};

use crate::database::Database;
use crate::settings::Settings;
use crate::{bot, journal};

/// Where the page is, unless something else is there already.
const PORT: u16 = 8181;

const ADMIN: u32 = 1;
/// The same as in the samples.
const CLIENTS: [(u32, &str); 2] = [(101, "Анна"), (102, "Борис")];

const NOTE: &str = "Это проба без Telegram: заказы и отзывы здесь — примеры. \
                    Начните с администратора: напишите /backup";

/// Runs until Ctrl-C, in a folder that ends with the trial.
pub(crate) async fn run() -> Result<()> {
    journal::begin(journal::QUIET);
    let folder = tempfile::Builder::new().prefix("clientbotmanager-").tempdir()?;
    let settings = Settings::of_trial(folder.path(), ADMIN.into());
    let db = Database::open(&settings.database)?;
    db.call(samples::put).await?;

    let sandbox = Sandbox::start().await;
    // whoever tries the bot by hand may do what a test would fail for
    sandbox.forgive();
    sandbox.set_bot_name("ClientBotManager");
    welcome(&sandbox).await;
    let page = sandbox.serve_page(PORT).await?;
    page.note(NOTE);
    // nobody at the screen is no reason to stop
    let _ = io::stdout().write_all(invitation(&page, &folder.path().to_string_lossy()).as_bytes());
    bot::run(bot_of(&sandbox)?, settings).await
}

/// No proxy leads back to this machine, whatever the environment says.
fn bot_of(sandbox: &Sandbox) -> Result<Bot> {
    let client = net::default_reqwest_settings().no_proxy().build()?;
    Ok(Bot::with_client(sandbox.token(), client).set_api_url(sandbox.url().parse()?))
}

/// Everybody has pressed «Start», so each chat begins with the greeting.
async fn welcome(sandbox: &Sandbox) {
    for (id, name) in [(ADMIN, "Администратор")].into_iter().chain(CLIENTS) {
        let person = sandbox.person(id.into(), name).await.with_language("ru");
        person.send("/start").await;
    }
}

fn invitation(page: &Page, folder: &str) -> String {
    format!(
        "\n\
         🤖 Проба: токена (TELOXIDE_TOKEN) нет, и вместо Telegram — его копия на этой машине.\n\
         Интернет не нужен, заказы и отзывы — примеры.\n\n\
         Откройте в браузере:  {}#{ADMIN}\n\n\
         Там вы администратор и двое клиентов: Анна и Борис, который пришёл по её ссылке.\n\
         База и бекапы лежат в {folder}\n\
         и исчезнут вместе с пробой. Остановить её: Ctrl-C\n\n",
        page.address()
    )
}
