//! The trial: the program without a token, a page in the browser, nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::canary;
use crate::service::{Server, until};

/// What the page shows at this address, like `127.0.0.1:8181`.
async fn look(address: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the page");
    let request =
        format!("GET /api/changes HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

/// The first line on the screen that has this word, from there on.
async fn shown(screen: &mut (impl AsyncBufReadExt + Unpin), word: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(screen.read_line(&mut line).await.expect("text") > 0, "nothing says {word}");
        if let Some(at) = line.find(word) {
            return line[at..].trim().to_owned();
        }
    }
}

/// The trial, the address of its page and its folder.
async fn begin(server: &Server) -> (Child, String, PathBuf) {
    let mut command = server.bare();
    command.env_remove("TELOXIDE_API_URL").stdout(Stdio::piped());
    if let Some(log) = canary::log() {
        command.stderr(log);
    }
    let mut process = command.spawn().expect("it starts");
    let mut screen = BufReader::new(process.stdout.take().expect("a screen"));
    let address = shown(&mut screen, "http://").await;
    let address = address.trim_start_matches("http://").split('/').next().expect("an address");
    let folder = shown(&mut screen, "/").await;
    shown(&mut screen, "Ctrl-C").await;
    (process, address.to_owned(), folder.into())
}

#[tokio::test]
async fn without_a_token_the_bot_is_tried_on_a_page() {
    let server = Server::new().await;
    fs::write(server.path("config.toml"), "DATABASE_PATH = 'production.db'").expect("the settings");
    let (mut process, address, folder) = begin(&server).await;
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let mut page = look(&address).await;
    for words in ["Здравствуйте, Администратор!", "Здравствуйте, Анна!", "Здравствуйте, Борис!"]
    {
        while !page.contains(words) {
            page = look(&address).await;
        }
    }
    assert!(page.contains("примеры"), "the page does not say that the data are samples");
    until("a backup", || backups(&folder) > 0).await;

    let id = process.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    assert_eq!(process.wait().await.expect("it ends").code(), Some(0));
    assert!(!folder.exists(), "{} is left", folder.display());
    assert!(!server.path("production.db").exists());
}

fn backups(folder: &Path) -> usize {
    let Ok(files) = fs::read_dir(folder.join("backups")) else { return 0 };
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    files.filter(|file| file.extension().is_some_and(|end| end == "zip")).count()
}

#[tokio::test]
async fn with_a_token_there_is_no_trial() {
    let server = Server::new().await;
    let mut command = server.command();
    let mut bot = server.start(command.stdout(Stdio::piped()));
    server.told("STATUS=Serving").await;
    assert_eq!(bot.stop().await.code(), Some(0));
    assert_eq!(bot.screen().await, "");
    server.sandbox.finish().await;
}
