//! A bot with a real dispatcher, for the tests of the sandbox.

use telegram_sandbox::Sandbox;
use teloxide::{
    net::Download,
    prelude::*,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, InputFile, Me, ParseMode},
    utils::html,
};
use tokio::task::JoinHandle;

type Result = std::result::Result<(), teloxide::RequestError>;

/// A client for the sandbox.
pub(crate) fn client(sandbox: &Sandbox) -> Bot {
    Bot::new(sandbox.token()).set_api_url(sandbox.url().parse().expect("an address"))
}

/// Starts the bot; it lives until it is aborted or the test ends.
pub(crate) fn start(sandbox: &Sandbox) -> JoinHandle<()> {
    let bot = client(sandbox);
    tokio::spawn(async move {
        let schema = dptree::entry()
            .branch(Update::filter_message().endpoint(on_message))
            .branch(Update::filter_callback_query().endpoint(on_press))
            .branch(Update::filter_edited_message().endpoint(on_edit));
        Dispatcher::builder(bot, schema).default_handler(async |_| {}).build().dispatch().await;
    })
}

fn menu(count: u32) -> InlineKeyboardMarkup {
    let button = |text: &str, data: &str| InlineKeyboardButton::callback(text, data);
    let url = InlineKeyboardButton::url("Site", "https://example.org".parse().expect("an address"));
    InlineKeyboardMarkup::new([
        vec![
            button(&format!("Count {count}"), &format!("count {count}")),
            button("Close", "close"),
        ],
        vec![url],
    ])
}

async fn on_message(bot: Bot, me: Me, message: Message) -> Result {
    let chat = message.chat.id;
    if message.from.as_ref().is_none_or(|user| user.id.0 == 666) {
        return Ok(());
    }
    if let Some(document) = message.document() {
        let file = bot.get_file(document.file.id.clone()).await?;
        let mut bytes = Vec::new();
        bot.download_file(&file.path, &mut bytes).await.expect("downloads");
        bytes.reverse();
        let name = document.file_name.clone().unwrap_or_default();
        bot.send_document(chat, InputFile::memory(bytes).file_name(name))
            .caption("<b>back</b>")
            .parse_mode(ParseMode::Html)
            .reply_markup(menu(7))
            .await?;
        return Ok(());
    }
    match message.text().unwrap_or_default() {
        "/menu" => {
            bot.send_message(chat, "Menu").reply_markup(menu(0)).await?;
        }
        "/me" => {
            bot.send_message(chat, me.username().to_owned()).await?;
        }
        text => {
            let forwarded = if message.forward_origin().is_some() { "forwarded " } else { "" };
            bot.send_message(chat, format!("{forwarded}echo <b>{}</b>", html::escape(text)))
                .parse_mode(ParseMode::Html)
                .await?;
        }
    }
    Ok(())
}

async fn on_edit(bot: Bot, message: Message) -> Result {
    let text = format!("edited {}", message.text().unwrap_or_default());
    bot.send_message(message.chat.id, text).await?;
    Ok(())
}

async fn on_press(bot: Bot, query: CallbackQuery) -> Result {
    let data = query.data.unwrap_or_default();
    let answer = bot.answer_callback_query(query.id);
    let Some(message) = query.message.filter(|message| message.regular_message().is_some()) else {
        return answer.await.map(|_| ());
    };
    if let Some(count) = data.strip_prefix("count ").and_then(|count| count.parse::<u32>().ok()) {
        answer.text(format!("now {}", count + 1)).show_alert(true).await?;
        bot.edit_message_text(message.chat().id, message.id(), format!("Menu {}", count + 1))
            .reply_markup(menu(count + 1))
            .await?;
    } else {
        answer.await?;
        if data == "close" {
            bot.edit_message_reply_markup(message.chat().id, message.id()).await?;
        }
    }
    Ok(())
}
