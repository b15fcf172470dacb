//! What people can do and see besides writing.

#[allow(dead_code, reason = "only the client is wanted here")]
mod bot;

use telegram_sandbox::{Command, FileKind, Sandbox};
use teloxide::{
    prelude::*,
    types::{
        BotCommand, BotCommandScope, ChatAction, MenuButton, MessageId, Recipient, UpdateKind, User,
    },
};

const ANNA: ChatId = ChatId(42);

/// The next update, which is confirmed with it.
async fn next(bot: &Bot) -> UpdateKind {
    let updates = bot.get_updates().limit(1).await.expect("updates");
    let update = updates.into_iter().next().expect("an update");
    bot.get_updates().offset(update.id.as_offset()).timeout(0).limit(1).await.expect("confirmed");
    update.kind
}

async fn next_message(bot: &Bot) -> Message {
    match next(bot).await {
        UpdateKind::Message(message) | UpdateKind::EditedMessage(message) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn open_links_and_have_names() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.newcomer(42, "Анна").await.with_username("anna").with_language("ru");
    anna.open_link("ref42").await;
    let bot = bot::client(&sandbox);
    let message = next_message(&bot).await;
    assert_eq!(message.text(), Some("/start ref42"));
    let User { username, language_code, .. } = message.from.clone().expect("a sender");
    assert_eq!((username.as_deref(), language_code.as_deref()), (Some("anna"), Some("ru")));
    assert_eq!(message.chat.username(), Some("anna"));
    bot.send_message(ANNA, "hello").await.expect("the bot is started");
    sandbox.finish().await;
}

#[tokio::test]
#[should_panic(expected = "Telegram makes no link with the parameter \"a b\"")]
async fn links_have_a_narrow_alphabet() {
    Sandbox::start().await.person(42, "Анна").await.open_link("a b").await;
}

#[tokio::test]
async fn reply_forward_and_edit() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    let question = bot.send_message(ANNA, "question").await.expect("sent").id;
    anna.reply(question.0.into(), "answer").await;
    let message = next_message(&bot).await;
    assert_eq!(message.reply_to_message().map(|replied| replied.id), Some(question));

    anna.forward_message(question.0.into()).await;
    let message = next_message(&bot).await;
    assert_eq!(message.text(), Some("question"));
    assert!(message.forward_from_user().is_some_and(|user| user.is_bot));

    let photo = anna.send_file(FileKind::Photo, "a.jpg", b"abc", "one").await;
    next_message(&bot).await;
    anna.edit(photo, "two").await;
    let message = next_message(&bot).await;
    assert_eq!(
        (message.id, message.caption()),
        (MessageId(i32::try_from(photo).expect("small")), Some("two"))
    );
    assert!(message.edit_date().is_some() && message.photo().is_some());
    sandbox.finish().await;
}

#[tokio::test]
#[should_panic(expected = "there is no own message")]
async fn edit_nothing_but_their_own() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let id = bot::client(&sandbox).send_message(ANNA, "mine").await.expect("sent").id;
    anna.edit(id.0.into(), "yours").await;
}

#[tokio::test]
async fn see_the_commands_of_their_scope_and_language() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await.with_language("ru-RU");
    let boris = sandbox.person(43, "Boris").await;
    let bot = bot::client(&sandbox);
    assert_eq!(anna.commands(), []);
    let set = |name: &str, scope: BotCommandScope| {
        bot.set_my_commands([BotCommand::new(name, "does it")]).scope(scope)
    };
    let chat = BotCommandScope::Chat { chat_id: Recipient::Id(ANNA) };
    let steps = [
        (set("all", BotCommandScope::Default), "all", "all"),
        (set("all_ru", BotCommandScope::Default).language_code("ru"), "all_ru", "all"),
        (set("private", BotCommandScope::AllPrivateChats), "private", "private"),
        (set("group", BotCommandScope::AllGroupChats), "private", "private"),
        (
            set("private_ru", BotCommandScope::AllPrivateChats).language_code("ru"),
            "private_ru",
            "private",
        ),
        (set("own", chat.clone()), "own", "private"),
    ];
    for (set, for_anna, for_boris) in steps {
        set.await.expect("set");
        assert_eq!(anna.commands()[0].command, for_anna);
        assert_eq!(boris.commands()[0].command, for_boris);
    }
    bot.delete_my_commands().scope(chat).await.expect("deleted");
    let command = Command { command: "private_ru".into(), description: "does it".into() };
    assert_eq!(anna.commands(), [command]);
    set("x", BotCommandScope::Default).language_code("ru-RU").await.expect_err("no such language");
    sandbox.expect_refusal("invalid language code specified");
    sandbox.finish().await;
}

#[tokio::test]
async fn see_what_the_bot_is_doing() {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    let id = bot.send_message(ANNA, "one").await.expect("sent").id;
    bot.send_chat_action(ANNA, ChatAction::Typing).await.expect("shown");
    assert_eq!(anna.chat().action.as_deref(), Some("typing"));
    bot.edit_message_text(ANNA, id, "two").await.expect("edited");
    bot.send_chat_action(ANNA, ChatAction::UploadDocument).await.expect("shown");
    assert_eq!(anna.chat().action.as_deref(), Some("upload_document"));
    anna.send("still there?").await;
    assert!(anna.chat().action.is_some());
    bot.send_message(ANNA, "three").await.expect("sent");
    assert_eq!(anna.chat().action, None);
    sandbox.finish().await;
}

#[tokio::test]
async fn menu_buttons_are_kept() {
    let sandbox = Sandbox::start().await;
    sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    assert_eq!(bot.get_chat_menu_button().await.expect("a button"), MenuButton::Default);
    bot.set_chat_menu_button().chat_id(ANNA).menu_button(MenuButton::Commands).await.expect("set");
    let found = bot.get_chat_menu_button().chat_id(ANNA).await.expect("a button");
    assert_eq!(found, MenuButton::Commands);
    sandbox.finish().await;
}
