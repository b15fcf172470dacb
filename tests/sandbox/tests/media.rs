//! Files, contacts and locations of every kind, both ways.

#[allow(dead_code, reason = "only the client is wanted here")]
mod bot;

use serde_json::json;
use telegram_sandbox::{Card, FileKind, Person, Sandbox};
use teloxide::{
    ApiError, RequestError,
    net::Download,
    payloads::{SendContactSetters as _, SendPhotoSetters as _},
    prelude::*,
    types::{
        FileId, FileMeta, InputFile, InputMedia, InputMediaDocument, InputMediaPhoto, ParseMode,
    },
};

const ANNA: ChatId = ChatId(42);
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn start() -> (Sandbox, Person, Bot) {
    let sandbox = Sandbox::start().await;
    let anna = sandbox.person(42, "Анна").await;
    let bot = bot::client(&sandbox);
    (sandbox, anna, bot)
}

fn refusal<T: std::fmt::Debug>(result: Result<T, RequestError>) -> String {
    match result {
        Err(RequestError::Api(error)) => error.to_string(),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The file of a message as teloxide reads it, with the kind that it saw.
fn seen(message: &Message) -> (FileKind, FileMeta) {
    let animation = message.animation().map(|it| (FileKind::Animation, &it.file));
    let found = [
        message.photo().and_then(<[_]>::last).map(|it| (FileKind::Photo, &it.file)),
        message.video().map(|it| (FileKind::Video, &it.file)),
        message.audio().map(|it| (FileKind::Audio, &it.file)),
        message.voice().map(|it| (FileKind::Voice, &it.file)),
        message.video_note().map(|it| (FileKind::VideoNote, &it.file)),
        message.sticker().map(|it| (FileKind::Sticker, &it.file)),
        message.document().map(|it| (FileKind::Document, &it.file)),
    ];
    let (kind, file) = animation.or_else(|| found.into_iter().flatten().next()).expect("a file");
    (kind, file.clone())
}

async fn send(bot: &Bot, kind: FileKind, file: InputFile) -> Result<Message, RequestError> {
    match kind {
        FileKind::Photo => bot.send_photo(ANNA, file).await,
        FileKind::Video => bot.send_video(ANNA, file).await,
        FileKind::Animation => bot.send_animation(ANNA, file).await,
        FileKind::Audio => bot.send_audio(ANNA, file).await,
        FileKind::Voice => bot.send_voice(ANNA, file).await,
        FileKind::VideoNote => bot.send_video_note(ANNA, file).await,
        FileKind::Sticker => bot.send_sticker(ANNA, file).await,
        FileKind::Document => bot.send_document(ANNA, file).await,
    }
}

fn message(update: &Update) -> &Message {
    match &update.kind {
        teloxide::types::UpdateKind::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_bot_sends_every_kind() {
    let (sandbox, anna, bot) = start().await;
    for kind in FileKind::ALL {
        let upload = InputFile::memory(PNG).file_name("картинка.png");
        let (sent, file) = seen(&send(&bot, kind, upload).await.expect("sent"));
        assert_eq!((sent, file.size as usize), (kind, PNG.len()));
        let shown = anna.wait_for("").await.file.expect("a file");
        assert_eq!((shown.kind, shown.file_name.as_str()), (kind, "картинка.png"));
        let again = send(&bot, kind, InputFile::file_id(file.id.clone())).await.expect("again");
        assert_eq!(seen(&again), (kind, file));
        anna.wait_for("").await;
    }
    sandbox.finish().await;
}

#[tokio::test]
async fn people_send_every_kind() {
    let (sandbox, anna, bot) = start().await;
    for kind in FileKind::ALL {
        let caption = if kind.takes_caption() { "look /here" } else { "" };
        anna.send_file(kind, "a.bin", b"abc", caption).await;
    }
    let updates = bot.get_updates().await.expect("updates");
    for (kind, update) in FileKind::ALL.into_iter().zip(&updates) {
        let message = message(update);
        let (found, file) = seen(message);
        assert_eq!(found, kind);
        assert_eq!(message.caption(), kind.takes_caption().then_some("look /here"));
        let path = bot.get_file(file.id).await.expect("a file").path;
        let mut bytes = Vec::new();
        bot.download_file(&path, &mut bytes).await.expect("downloads");
        assert_eq!(bytes, b"abc");
    }
    assert_eq!(updates.len(), FileKind::ALL.len());
    sandbox.finish().await;
}

#[tokio::test]
async fn a_file_stays_what_it_is() {
    let (sandbox, anna, bot) = start().await;
    anna.send_file(FileKind::Photo, "a.jpg", PNG, "").await;
    anna.send_file(FileKind::Video, "a.mp4", b"video", "").await;
    let ids: Vec<_> = anna.chat().messages.into_iter().filter_map(|shown| shown.file).collect();
    let [photo, video] = &ids[..] else { panic!("{ids:?}") };
    let by_id = |id: &str| InputFile::file_id(FileId(id.into()));
    let refused = refusal(bot.send_document(ANNA, by_id(&photo.file_id)).await);
    assert!(refused.contains("can't use file of type Photo as Document"), "{refused}");
    let refused = refusal(bot.send_photo(ANNA, by_id(&video.file_id)).await);
    assert!(refused.contains("can't use file of type Video as Photo"), "{refused}");
    let sent = bot.send_document(ANNA, by_id(&video.file_id)).await.expect("stays a video");
    assert_eq!(seen(&sent).0, FileKind::Video);
    let refused = refusal(bot.send_voice(ANNA, by_id("no")).await);
    assert_eq!(refused, ApiError::WrongFileIdOrUrl.to_string());
    let url = "https://example.org/a.png".parse().expect("an address");
    let refused = refusal(bot.send_photo(ANNA, InputFile::url(url)).await);
    assert_eq!(refused, ApiError::FailedToGetUrlContent.to_string());
    sandbox.expect_refusal("can't use file of type");
    sandbox.finish().await;
}

#[tokio::test]
async fn photos_have_limits() {
    let (sandbox, _anna, bot) = start().await;
    let photo = |bytes: Vec<u8>| bot.send_photo(ANNA, InputFile::memory(bytes).file_name("a.png"));
    let mut large = vec![0; 10 << 20];
    large[..PNG.len()].copy_from_slice(PNG);
    photo(large.clone()).await.expect("the largest");
    large.push(0);
    let refused = refusal(photo(large).await);
    assert!(refused.contains("file of size 10485761 bytes is too big for a photo"), "{refused}");
    let refused = refusal(photo(b"no picture".to_vec()).await);
    assert_eq!(refused, ApiError::ImageProcessFailed.to_string());
    let refused = refusal(photo(vec![]).await);
    assert!(refused.contains("file must be non-empty"), "{refused}");
    refusal(photo(PNG.to_vec()).caption("x".repeat(1025)).await);
    assert_eq!(sandbox.violations().len(), 4);
    sandbox.allow_refusal("");
    sandbox.finish().await;
}

#[tokio::test]
async fn captions_change() {
    let (sandbox, anna, bot) = start().await;
    let photo = InputFile::memory(PNG).file_name("a.png");
    let id = bot.send_photo(ANNA, photo).caption("one").await.expect("sent").id;
    let edit = |text: &str| bot.edit_message_caption(ANNA, id).caption(text);
    let edited = edit("<b>two</b>").parse_mode(ParseMode::Html).await.expect("edited");
    assert_eq!(edited.caption(), Some("two"));
    assert_eq!(anna.wait_for("two").await.text, "<b>two</b>");
    let same = edit("<b>two</b>").parse_mode(ParseMode::Html).await;
    assert_eq!(refusal(same), ApiError::MessageNotModified.to_string());
    refusal(edit(&"x".repeat(1025)).await);
    bot.edit_message_caption(ANNA, id).await.expect("taken away");
    let no_text = refusal(bot.edit_message_text(ANNA, id, "text").await);
    assert!(no_text.contains("there is no text in the message to edit"), "{no_text}");
    let text = bot.send_message(ANNA, "text").await.expect("sent").id;
    let no_caption = refusal(bot.edit_message_caption(ANNA, text).caption("x").await);
    assert!(no_caption.contains("there is no caption in the message to edit"), "{no_caption}");
    assert_eq!(sandbox.violations().len(), 4);
    sandbox.allow_refusal("");
    sandbox.finish().await;
}

#[tokio::test]
async fn copies_and_forwards() {
    let (sandbox, anna, bot) = start().await;
    let boris = sandbox.person(43, "Борис").await;
    let voice = anna.send_file(FileKind::Voice, "a.ogg", b"abc", "listen").await;
    let words = anna.send("1 < 2").await;
    let id = |id: i64| teloxide::types::MessageId(i32::try_from(id).expect("small"));
    bot.copy_message(ChatId(43), ANNA, id(voice)).await.expect("copied");
    let shown = boris.wait_for("listen").await;
    assert_eq!((shown.file.map(|file| file.kind), shown.forwarded), (Some(FileKind::Voice), false));
    bot.copy_message(ChatId(43), ANNA, id(voice)).caption("new words").await.expect("copied");
    boris.wait_for("new words").await;
    bot.copy_message(ChatId(43), ANNA, id(words)).caption("lost").await.expect("copied");
    boris.wait_for("1 < 2").await;

    let forwarded = bot.forward_message(ChatId(43), ANNA, id(words)).await.expect("forwarded");
    assert_eq!(forwarded.forward_from_user().map(|user| user.id.0), Some(42));
    assert!(boris.wait_for("1 < 2").await.forwarded);
    let twice = bot.forward_message(ANNA, ChatId(43), forwarded.id).await.expect("forwarded");
    assert_eq!(twice.forward_from_user().map(|user| user.id.0), Some(42));

    let lost = bot.copy_message(ChatId(43), ANNA, id(999_999)).await;
    assert_eq!(refusal(lost), ApiError::MessageToCopyNotFound.to_string());
    let lost = bot.forward_message(ChatId(43), ANNA, id(999_999)).await;
    assert_eq!(refusal(lost), ApiError::MessageToForwardNotFound.to_string());
    let nowhere = bot.copy_message(ChatId(43), ChatId(7), id(words)).await;
    assert_eq!(refusal(nowhere), ApiError::ChatNotFound.to_string());
    boris.block_bot().await;
    let blocked = bot.copy_message(ChatId(43), ANNA, id(words)).await;
    assert_eq!(refusal(blocked), ApiError::BotBlocked.to_string());
    sandbox.finish().await;
}

#[tokio::test]
async fn albums() {
    let (sandbox, anna, bot) = start().await;
    let photo = || InputMedia::Photo(InputMediaPhoto::new(InputFile::memory(PNG)).caption("one"));
    let document = || {
        let file = InputFile::memory(b"abc".to_vec()).file_name("a.txt");
        InputMedia::Document(InputMediaDocument::new(file))
    };
    let sent = bot.send_media_group(ANNA, [photo(), photo()]).await.expect("sent");
    assert_eq!(sent.len(), 2);
    assert!(sent[0].media_group_id().is_some());
    assert_eq!(sent[0].media_group_id(), sent[1].media_group_id());
    bot.send_media_group(ANNA, [document(), document()]).await.expect("sent");
    assert_eq!(anna.chat().messages.len(), 4);
    let mixed = refusal(bot.send_media_group(ANNA, [photo(), document()]).await);
    assert!(mixed.contains("document can't be mixed with other media types"), "{mixed}");
    let many = refusal(bot.send_media_group(ANNA, (0..11).map(|_| photo())).await);
    assert!(many.contains("too many messages to send as an album"), "{many}");
    let none = refusal(bot.send_media_group(ANNA, []).await);
    assert!(none.contains("there are no messages to send"), "{none}");
    assert_eq!(anna.chat().messages.len(), 4);
    sandbox.allow_refusal("");
    sandbox.finish().await;
}

#[tokio::test]
async fn contacts_and_locations() {
    let (sandbox, anna, bot) = start().await;
    anna.send_contact("+79990000000").await;
    anna.send_location(59.9, 30.3).await;
    let updates = bot.get_updates().await.expect("updates");
    let contact = message(&updates[0]).contact().expect("a contact").clone();
    assert_eq!(
        (contact.phone_number.as_str(), contact.user_id),
        ("+79990000000", Some(UserId(42)))
    );
    assert_eq!(message(&updates[1]).location().map(|place| place.latitude), Some(59.9));

    bot.send_contact(ANNA, "+7", "Борис").last_name("Б").await.expect("sent");
    let shown = anna.wait_for("").await;
    let card = Card::Contact { phone_number: "+7".into(), first_name: "Борис".into() };
    assert_eq!(shown.card, Some(card));
    bot.send_location(ANNA, 1.5, 2.5).await.expect("sent");
    let shown = anna.wait_for("").await;
    assert_eq!(shown.card, Some(Card::Location { latitude: 1.5, longitude: 2.5 }));
    let id = teloxide::types::MessageId(i32::try_from(shown.id).expect("small"));
    refusal(bot.edit_message_text(ANNA, id, "text").await);
    sandbox.expect_refusal("there is no text in the message to edit");
    let answer = &sandbox.calls_of("sendContact")[0].answer["result"]["contact"];
    assert_eq!(*answer, json!({ "phone_number": "+7", "first_name": "Борис", "last_name": "Б" }));
    sandbox.finish().await;
}
