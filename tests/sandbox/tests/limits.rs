//! Every limit is refused with the error that teloxide knows, and recorded.

#[allow(dead_code, reason = "only the client is wanted here")]
mod bot;

use telegram_sandbox::{Person, ReplyKeyboard, Sandbox};
use teloxide::{
    ApiError, RequestError,
    prelude::*,
    types::{
        BotCommand, BotCommandScope, ButtonRequest, ChatAction, FileId, ForceReply,
        InlineKeyboardButton, InlineKeyboardMarkup, InputFile, KeyboardButton, KeyboardMarkup,
        KeyboardRemove, MessageId, ParseMode, Recipient, ReplyParameters,
    },
};

const ANNA: ChatId = ChatId(42);

async fn start() -> (Sandbox, Person, Bot) {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    (sandbox, anna, bot)
}

/// The refusal of a call.
fn refusal<T: std::fmt::Debug>(result: Result<T, RequestError>) -> ApiError {
    match result {
        Err(RequestError::Api(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Ends a test in which the bot had to break rules this often.
async fn finish(sandbox: Sandbox, violations: usize) {
    assert_eq!(sandbox.violations().len(), violations, "{:#?}", sandbox.violations());
    sandbox.allow_refusal("");
    sandbox.finish().await;
}

fn keyboard(data: &str) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup::new([[InlineKeyboardButton::callback("Go", data)]])
}

#[tokio::test]
async fn text_length() {
    let (sandbox, anna, bot) = start().await;
    let crabs = "🦀".repeat(2048);
    let id = bot.send_message(ANNA, &crabs).await.expect("fits").id;
    let html = format!("<b>&lt;{}</b>", "x".repeat(4095));
    bot.send_message(ANNA, html).parse_mode(ParseMode::Html).await.expect("fits after parsing");
    let long = refusal(bot.send_message(ANNA, format!("{crabs}x")).await);
    assert_eq!(long, ApiError::MessageIsTooLong);
    let long = refusal(bot.edit_message_text(ANNA, id, format!("{crabs}x")).await);
    assert_eq!(long, ApiError::EditedMessageIsTooLong);
    for empty in ["", " \n ", "<b></b>"] {
        let refused = bot.send_message(ANNA, empty).parse_mode(ParseMode::Html).await;
        assert_eq!(refusal(refused), ApiError::MessageTextIsEmpty);
    }
    assert_eq!(anna.chat().messages.len(), 2);
    finish(sandbox, 5).await;
}

#[tokio::test]
async fn markup_of_text() {
    let (sandbox, anna, bot) = start().await;
    for bad in ["<b>x", "a < b", "<p>x</p>", "<b><i>x</b></i>", "x</b>"] {
        let refused = refusal(bot.send_message(ANNA, bad).parse_mode(ParseMode::Html).await);
        assert!(matches!(refused, ApiError::CantParseEntities(_)), "{bad}: {refused:?}");
    }
    bot.send_message(ANNA, "a < b").await.expect("plain text is free");
    assert_eq!(anna.chat().messages.len(), 1);
    finish(sandbox, 5).await;
}

#[tokio::test]
async fn editing() {
    let (sandbox, anna, bot) = start().await;
    let theirs = MessageId(i32::try_from(anna.send("mine").await).expect("small"));
    let id = bot.send_message(ANNA, "<b>a</b>").parse_mode(ParseMode::Html).await.expect("sent").id;
    let edit = |text: &str| bot.edit_message_text(ANNA, id, text).parse_mode(ParseMode::Html);
    assert_eq!(refusal(edit("<strong>a</strong>").await), ApiError::MessageNotModified);
    edit("a").await.expect("other entities");
    edit("a").reply_markup(keyboard("1")).await.expect("other keyboard");
    assert_eq!(refusal(edit("a").reply_markup(keyboard("1")).await), ApiError::MessageNotModified);
    edit("a").await.expect("the keyboard goes away");
    let markup = bot.edit_message_reply_markup(ANNA, id).await;
    assert_eq!(refusal(markup), ApiError::MessageNotModified);
    let foreign = bot.edit_message_text(ANNA, theirs, "b").await;
    assert_eq!(refusal(foreign), ApiError::MessageCantBeEdited);
    assert_eq!(sandbox.violations().len(), 4);
    bot.delete_message(ANNA, id).await.expect("deleted");
    assert_eq!(refusal(bot.delete_message(ANNA, id).await), ApiError::MessageToDeleteNotFound);
    assert_eq!(refusal(edit("b").await), ApiError::MessageToEditNotFound);
    let reply = ReplyParameters::new(id);
    let lost = bot.send_message(ANNA, "x").reply_parameters(reply.clone()).await;
    assert_eq!(refusal(lost), ApiError::MessageToReplyNotFound);
    let reply = reply.allow_sending_without_reply();
    bot.send_message(ANNA, "x").reply_parameters(reply).await.expect("sent without");
    bot.send_message(ANNA, "y")
        .reply_parameters(ReplyParameters::new(theirs))
        .await
        .expect("replied");
    assert_eq!(anna.chat().last_from_bot().and_then(|shown| shown.reply_to), Some(theirs.0.into()));
    finish(sandbox, 4).await;
}

#[tokio::test]
async fn deleting() {
    let (sandbox, anna, bot) = start().await;
    let theirs = MessageId(i32::try_from(anna.send("mine").await).expect("small"));
    let own = bot.send_message(ANNA, "x").await.expect("sent").id;
    bot.delete_messages(ANNA, [own, theirs, MessageId(999_999)]).await.expect("deleted");
    assert_eq!(anna.chat().visible().count(), 0);
    assert_eq!(refusal(bot.delete_message(ANNA, own).await), ApiError::MessageToDeleteNotFound);
    refusal(bot.delete_messages(ANNA, []).await);
    refusal(bot.delete_messages(ANNA, (0..101).map(MessageId)).await);
    finish(sandbox, 2).await;
}

#[tokio::test]
async fn buttons() {
    let (sandbox, anna, bot) = start().await;
    let send = |data: &str| bot.send_message(ANNA, "x").reply_markup(keyboard(data));
    send(&"ж".repeat(32)).await.expect("64 bytes");
    for data in ["", &"ж".repeat(33)] {
        assert_eq!(refusal(send(data).await), ApiError::ButtonDataInvalid);
    }
    let rows: [Vec<InlineKeyboardButton>; 2] = [vec![], vec![]];
    bot.send_message(ANNA, "x")
        .reply_markup(InlineKeyboardMarkup::new(rows))
        .await
        .expect("no buttons");
    let row =
        [KeyboardButton::new("Yes"), KeyboardButton::new("Phone").request(ButtonRequest::Contact)];
    let message = bot.send_message(ANNA, "x").reply_markup(KeyboardMarkup::new([row]));
    let message = message.await.expect("a reply keyboard");
    let shown = anna.chat().last_from_bot().and_then(|shown| shown.reply_keyboard.clone());
    assert_eq!(shown, Some(ReplyKeyboard::Buttons(vec![vec!["Yes".into(), "Phone".into()]])));
    let locked = bot.edit_message_text(ANNA, message.id, "y").await;
    assert_eq!(refusal(locked), ApiError::MessageCantBeEdited);
    bot.send_message(ANNA, "x").reply_markup(KeyboardRemove::new()).await.expect("removed");
    bot.send_message(ANNA, "x").reply_markup(ForceReply::new()).await.expect("asked");
    finish(sandbox, 3).await;
}

#[tokio::test]
async fn callback_answers() {
    let (sandbox, anna, bot) = start().await;
    bot.send_message(ANNA, "x").reply_markup(keyboard("1")).await.expect("sent");
    let press = anna.press("Go");
    let updates = bot.get_updates().await.expect("updates");
    let teloxide::types::UpdateKind::CallbackQuery(query) = &updates[0].kind else {
        panic!("{updates:?}");
    };
    assert!(sandbox.calls_of("getUpdates")[0].answer["result"][0]["callback_query"].is_object());
    let answer = || bot.answer_callback_query(query.id.clone());
    let long = refusal(answer().text("x".repeat(201)).await);
    assert_eq!(long, ApiError::EditedMessageIsTooLong);
    answer().text("x".repeat(200)).await.expect("fits");
    assert_eq!(press.await.text.map(|text| text.len()), Some(200));
    assert_eq!(refusal(answer().await), ApiError::InvalidQueryId);
    drop(anna.press("Go"));
    let updates = bot.get_updates().offset(updates[0].id.as_offset()).await.expect("updates");
    assert_eq!(updates.len(), 1);
    sandbox.expire_callbacks();
    let late = bot.answer_callback_query(teloxide::types::CallbackQueryId("0".into())).await;
    assert_eq!(refusal(late), ApiError::InvalidQueryId);
    finish(sandbox, 1).await;
}

#[tokio::test]
async fn reachable_chats() {
    let (sandbox, anna, bot) = start().await;
    let newcomer = sandbox.newcomer(7, "New").await;
    let error = refusal(bot.send_message(ChatId(7), "x").await);
    assert!(matches!(error, ApiError::Unknown(text) if text.starts_with("Forbidden: bot can't")));
    newcomer.send("/start").await;
    bot.send_message(ChatId(7), "x").await.expect("started");
    anna.block_bot().await;
    assert_eq!(refusal(bot.send_message(ANNA, "x").await), ApiError::BotBlocked);
    anna.unblock_bot().await;
    bot.send_chat_action(ANNA, ChatAction::UploadDocument).await.expect("unblocked");
    assert_eq!(refusal(bot.send_message(ChatId(8), "x").await), ApiError::ChatNotFound);
    finish(sandbox, 0).await;
}

#[tokio::test]
async fn commands() {
    let (sandbox, _anna, bot) = start().await;
    let scope = || BotCommandScope::Chat { chat_id: Recipient::Id(ANNA) };
    let good = vec![BotCommand::new("a_1", "ж".repeat(256)); 100];
    bot.set_my_commands(good.clone()).scope(scope()).await.expect("good");
    assert_eq!(bot.get_my_commands().scope(scope()).await.expect("list"), good);
    assert!(bot.get_my_commands().await.expect("list").is_empty());
    bot.delete_my_commands().scope(scope()).await.expect("deleted");
    assert!(bot.get_my_commands().scope(scope()).await.expect("list").is_empty());
    // as teloxide writes them
    bot.set_my_commands([BotCommand::new("/menu", "x")]).await.expect("a slash");
    assert_eq!(bot.get_my_commands().await.expect("list"), [BotCommand::new("menu", "x")]);
    let bad = [
        vec![BotCommand::new("Big", "x")],
        vec![BotCommand::new("//menu", "x")],
        vec![BotCommand::new("", "x")],
        vec![BotCommand::new("x".repeat(33), "x")],
        vec![BotCommand::new("a", "")],
        vec![BotCommand::new("a", "ж".repeat(257))],
        vec![BotCommand::new("a", "x"); 101],
    ];
    for commands in bad {
        refusal(bot.set_my_commands(commands).await);
    }
    let nowhere = BotCommandScope::Chat { chat_id: Recipient::Id(ChatId(9)) };
    let refused = bot.set_my_commands(good).scope(nowhere).await;
    assert_eq!(refusal(refused), ApiError::ChatNotFound);
    finish(sandbox, 7).await;
}

#[tokio::test]
async fn files() {
    let (sandbox, anna, bot) = start().await;
    let send =
        |bytes: Vec<u8>| bot.send_document(ANNA, InputFile::memory(bytes).file_name("a.zip"));
    let first = send(vec![1; 100]).caption("x".repeat(1024)).await.expect("fits");
    let id = first.document().expect("a document").file.id.clone();
    bot.send_document(ANNA, InputFile::file_id(id.clone())).await.expect("sent again");
    let shown = anna.chat().messages;
    assert_eq!(shown[0].document, shown[1].document);
    bot.get_file(id).await.expect("a file");
    refusal(send(vec![1]).caption("x".repeat(1025)).await);
    refusal(send(vec![]).await);
    let lost = bot.send_document(ANNA, InputFile::file_id(FileId("no".into()))).await;
    assert_eq!(refusal(lost), ApiError::WrongFileIdOrUrl);
    assert_eq!(refusal(bot.get_file(FileId("no".into())).await), ApiError::FileIdInvalid);
    assert_eq!(sandbox.violations().len(), 2);
    anna.send_document("big", vec![0; (20 << 20) + 1], "").await;
    let file = anna.chat().messages.last().and_then(|shown| shown.document.clone());
    refusal(bot.get_file(FileId(file.expect("a file").file_id)).await);
    assert_eq!(refusal(send(vec![1; (50 << 20) + 1]).await), ApiError::RequestEntityTooLarge);
    send(vec![1; 50 << 20]).await.expect("the largest");
    finish(sandbox, 4).await;
}

#[tokio::test]
async fn waiting_finds_what_was_soon_edited() {
    let (sandbox, anna, bot) = start().await;
    anna.send("go").await;
    let id = bot.send_message(ANNA, "working").await.expect("sent").id;
    bot.edit_message_text(ANNA, id, "done").await.expect("edited");
    bot.delete_message(ANNA, id).await.expect("deleted");
    assert_eq!(anna.wait_for("working").await.edits, 0);
    assert_eq!(anna.wait_for("done").await.edits, 1);
    assert!(anna.chat().last_from_bot().is_none());
    finish(sandbox, 0).await;
}
