//! Who is silent, who puts off, and who stops.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Reads a request to its end, which comes with its body.
async fn request(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"}") && !read.ends_with(b"\r\n\r\n") {
        connection.read_buf(&mut read).await.expect("a request");
    }
    String::from_utf8(read).expect("text")
}

/// A Telegram, and a delivery by a client of a host's that waits for it for a day.
async fn with_a_patient_client() -> (TcpListener, Delivery) {
    let telegram = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", telegram.local_addr().expect("an address"));
    let patient = teloxide::net::default_reqwest_settings().timeout(LONG.longest).build();
    let bot = Bot::with_client("777:token", patient.expect("a client"));
    let bot = bot.set_api_url(url.parse().expect("an address"));
    (telegram, Delivery::new(bot, CancellationToken::new()))
}

const TAKEN: &str = r#"{"ok":true,"result":{"message_id":1,"date":0,"text":"news",
    "chat":{"id":42,"type":"private","first_name":"Anna"}}}"#;

/// Tells the client what it has asked for.
async fn tell(connection: &mut TcpStream, answer: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
    connection.write_all((head + answer).as_bytes()).await.expect("sent");
}

/// A file that Telegram calls five bytes long, and that has this content and a gap of a minute in it.
async fn fetched(content: &'static str, most: usize) -> Option<Vec<u8>> {
    let telegram = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    // behind a server of one's own, in a place of its own
    let url = format!("http://{}/telegram", telegram.local_addr().expect("an address"));
    let bot = Bot::new("777:token").set_api_url(url.parse().expect("an address"));
    let delivery = Delivery::new(bot, CancellationToken::new());
    let fetched = tokio::spawn(async move { delivery.fetch(FileId("file".into()), most).await });
    let (mut connection, _) = telegram.accept().await.expect("a connection");
    assert!(request(&mut connection).await.contains("GetFile"));
    let file = r#"{"file_id":"file","file_unique_id":"file","file_size":5,"file_path":"a/b"}"#;
    tell(&mut connection, &format!(r#"{{"ok":true,"result":{file}}}"#)).await;
    assert!(request(&mut connection).await.contains("GET /telegram/file/bot777:token/a/b "));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
    let (first, rest) = content.split_at(2);
    connection.write_all((head + first).as_bytes()).await.expect("sent");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    connection.write_all(rest.as_bytes()).await.expect("sent");
    fetched.await.expect("no panic")
}

#[tokio::test]
async fn a_file_may_take_longer_than_the_client_gives_a_message() {
    assert_eq!(fetched("archive", 7).await, Some(b"archive".to_vec()));
}

#[tokio::test]
async fn no_more_is_downloaded_than_was_agreed() {
    assert_eq!(fetched("archive", 6).await, None);
}

#[tokio::test]
async fn a_connection_that_goes_silent_is_given_up_whatever_client_the_host_has() {
    let (telegram, delivery) = with_a_patient_client().await;
    let message = Message::from("news".to_owned());
    let sent = tokio::spawn(async move { delivery.send(ChatId(42), &message).await });
    let (mut silent, _) = telegram.accept().await.expect("a connection");
    assert!(request(&mut silent).await.contains("SendMessage"));

    tokio::time::pause();
    tokio::time::advance(ANSWERED_WITHIN + FIRST_PAUSE).await;
    let (mut connection, _) = telegram.accept().await.expect("another connection");
    tokio::time::resume();
    assert!(request(&mut connection).await.contains("SendMessage"));
    tell(&mut connection, TAKEN).await;
    assert!(sent.await.expect("no panic"));
}

#[tokio::test]
async fn an_answer_that_telegram_leaves_in_silence_is_put_off() {
    let (telegram, delivery) = with_a_patient_client().await;
    let (chat, old) = (ChatId(42), MessageId(1));
    let replacing = delivery.clone();
    let put = tokio::spawn(async move {
        let message = Message::from("news".to_owned());
        matches!(replacing.replace(chat, Some(old), &message).await, Placed::There)
    });
    let (mut silent, _) = telegram.accept().await.expect("a connection");
    assert!(request(&mut silent).await.contains("EditMessageText"));
    assert!(!delivery.has_put_off(chat, old), "it may still come at once");

    tokio::time::pause();
    tokio::time::advance(ANSWERED_WITHIN + FIRST_PAUSE).await;
    let (mut connection, _) = telegram.accept().await.expect("another connection");
    tokio::time::resume();
    assert!(request(&mut connection).await.contains("EditMessageText"));
    assert!(delivery.has_put_off(chat, old), "it is tried again");
    tell(&mut connection, TAKEN).await;
    assert!(put.await.expect("no panic"));
    assert!(!delivery.has_put_off(chat, old));
}

#[tokio::test(start_paused = true)]
async fn a_shorter_ban_ends_no_longer_one() {
    let delivery = Delivery::new(Bot::new("777:token"), CancellationToken::new());
    for seconds in [5, 600, 7] {
        delivery.note_ban(ChatId(42), Duration::from_secs(seconds));
    }
    assert_eq!(delivery.ban(ChatId(42)), Some(Duration::from_secs(600)));
}

#[tokio::test]
async fn a_bot_that_stops_waits_no_ten_minutes_for_an_upload() {
    let (telegram, delivery) = with_a_patient_client().await;
    let stop = delivery.stop.clone();
    let name = "backup.zip".to_owned();
    let sent =
        tokio::spawn(async move { delivery.upload(ChatId(42), name, vec![7; 9], None).await });
    let (mut silent, _) = telegram.accept().await.expect("a connection");
    silent.read_u8().await.expect("a request");
    stop.cancel();
    tokio::task::yield_now().await;

    tokio::time::pause();
    tokio::time::advance(LAST_WORD).await;
    let given_up = tokio::time::timeout(Duration::from_secs(1), sent).await;
    assert!(!given_up.expect("by now").expect("no panic"));
}

#[tokio::test]
async fn a_download_that_stands_still_is_given_up_whatever_client_the_host_has() {
    let (telegram, delivery) = with_a_patient_client().await;
    let file = FileId::from("x".to_owned());
    let fetched = tokio::spawn(async move { delivery.fetch(file, 1000).await });

    let (mut connection, _) = telegram.accept().await.expect("a connection");
    assert!(request(&mut connection).await.contains("GetFile"));
    let found = r#"{"ok":true,"result":{"file_id":"x","file_unique_id":"x","file_size":9,"file_path":"x"}}"#;
    tell(&mut connection, found).await;
    assert!(request(&mut connection).await.contains("/file/bot777:token/x"));
    let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour";
    connection.write_all(begun).await.expect("sent");

    tokio::time::pause();
    tokio::time::advance(FILED_WITHIN / 2).await;
    tokio::time::advance(FILED_WITHIN / 2).await;
    let given_up = tokio::time::timeout(Duration::from_secs(1), fetched).await;
    assert_eq!(given_up.expect("by now").expect("no panic"), None);
}

#[test]
fn a_gateways_error_page_is_no_yes() {
    assert!(was_taken(r#"{"ok":true,"result":{"unheard":"of"}}"#));
    for raw in ["<html>502 Bad Gateway</html>", "", "null", r#"{"ok":false}"#, "true"] {
        assert!(!was_taken(raw), "{raw}");
    }
}

#[test]
fn broken_markup_becomes_plain_text() {
    assert_eq!(plain("a <b>b</b> &lt;c&gt; &amp;amp;", 4000), "a b <c> &amp;");
    assert_eq!(plain("<b>unclosed", 4000), "unclosed");
    assert_eq!(plain("<b", 4000), "…");
    assert_eq!(plain(&"😀".repeat(5000), LONGEST_PLAIN).encode_utf16().count(), 4000);
}

#[tokio::test]
async fn an_older_edit_never_takes_the_place_of_a_newer_one() {
    let (telegram, delivery) = with_a_patient_client().await;
    let (place, edited) = ((ChatId(42), MessageId(1)), TAKEN);
    let edit = |text: &str| {
        let (delivery, message) = (delivery.clone(), Message::from(text.to_owned()));
        tokio::spawn(async move {
            let placed = delivery.replace(place.0, Some(place.1), &message).await;
            matches!(placed, Placed::There)
        })
    };
    let older = edit("older");
    let (mut connection, _) = telegram.accept().await.expect("a connection");
    assert!(request(&mut connection).await.contains("older"));
    // it may have been taken, and is to be tried again
    drop(connection);
    let newer = edit("newer");
    let (mut connection, _) = telegram.accept().await.expect("another connection");
    assert!(request(&mut connection).await.contains("newer"));
    assert!(delivery.is_replacing(place.0, place.1));
    tell(&mut connection, edited).await;
    assert!(newer.await.expect("no panic"));
    assert!(!delivery.is_replacing(place.0, place.1));
    tokio::time::pause();
    let paused = Instant::now();
    assert!(!older.await.expect("no panic"));
    // and did not even ask
    assert!(paused.elapsed() < FIRST_PAUSE * 2, "after {:?}", paused.elapsed());
}
