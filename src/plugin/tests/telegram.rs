//! A Telegram that takes every message, writes down whose it is, and may be away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::rules::Rules;

pub(super) const TAKEN: &str = r#"{"ok":true,"result":{"message_id":1,"date":0,"text":"told",
    "chat":{"id":42,"type":"private","first_name":"Anna"}}}"#;

#[derive(Clone)]
pub(super) struct Telegram {
    pub(super) url: String,
    away: Arc<AtomicBool>,
}

impl Telegram {
    pub(super) async fn start(rules: Arc<Mutex<Rules>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let away = Arc::new(AtomicBool::new(false));
        let telegram = Self { url, away: Arc::clone(&away) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&rules), Arc::clone(&away)));
            }
        });
        telegram
    }

    pub(super) fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }
}

async fn serve(mut stream: TcpStream, rules: Arc<Mutex<Rules>>, away: Arc<AtomicBool>) {
    let mut read = Vec::new();
    while let Some(request) = next(&mut stream, &mut read).await {
        let taken = !away.load(Ordering::Relaxed)
            && rules.lock().unwrap_or_else(PoisonError::into_inner).told(&request);
        if !taken {
            return;
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            TAKEN.len()
        );
        if stream.write_all(format!("{head}{TAKEN}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request, head and body; none at the end.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text[..head].to_lowercase();
            let length = length.split("content-length: ").nth(1)?;
            let length: usize = length.lines().next()?.trim().parse().ok()?;
            let end = head + 4 + length;
            if read.len() >= end {
                let request = String::from_utf8_lossy(&read[..end]).into_owned();
                read.drain(..end);
                return Some(request);
            }
        }
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.ok().filter(|length| *length > 0)?;
        read.extend_from_slice(&part[..length]);
    }
}
