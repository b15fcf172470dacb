//! A headless Chromium of its own for a test, led by its driver.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::tab::{Tab, until};

const MISSING: &str = "the tests in the browser need Chromium and its driver; \
    on Debian: apt-get install chromium chromium-driver";

/// The last words to the console: they show that the log is written at all.
const END: &str = "the end of the test";

/// How large the window is, and whether it is touched.
#[derive(Clone, Copy)]
pub(crate) enum View {
    Desktop,
    Phone,
}

/// The browser; it ends with its driver, which is killed when it is let go.
pub(crate) struct Chromium {
    client: Client,
    _driver: Child,
    folder: TempDir,
}

impl Chromium {
    pub(crate) async fn open(view: View) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (driver, port) = driver(&folder).await;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connected = builder
            .capabilities(wishes(view, &folder))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        let client = connected.unwrap_or_else(|error| panic!("{MISSING}\n{error}"));
        Self { client, _driver: driver, folder }
    }

    /// The tab that is open from the beginning.
    pub(crate) async fn first_tab(&self, address: &str) -> Tab {
        let window = self.client.window().await.expect("a tab");
        Tab::open(&self.client, window, address).await
    }

    /// One more tab.
    pub(crate) async fn tab(&self, address: &str) -> Tab {
        let window = self.client.new_window(true).await.expect("a tab");
        Tab::open(&self.client, window.handle, address).await
    }

    /// The content of a file that is being downloaded.
    pub(crate) async fn downloaded(&self, name: &str) -> Vec<u8> {
        let file = self.folder.path().join(name);
        until(&format!("a download of {name}"), async || fs::read(&file).ok()).await
    }

    /// Ends it; nothing was written to the console, in any tab.
    pub(crate) async fn close(self) {
        let words = format!("console.info('{END}')");
        self.client.execute(&words, Vec::new()).await.expect("the last words");
        let log = || fs::read_to_string(log_in(&self.folder)).unwrap_or_default();
        let log = until("the end of the log", async || Some(log()).filter(|log| log.contains(END)));
        let log = log.await;
        let said = log.lines().filter(|line| line.contains(":CONSOLE:") && !line.contains(END));
        assert_eq!(said.collect::<Vec<_>>(), [""; 0], "the page wrote to the console");
        self.client.close().await.expect("the browser ends");
    }
}

fn log_in(folder: &TempDir) -> PathBuf {
    folder.path().join("chromium.log")
}

/// The driver, and the port that it has found for itself.
async fn driver(folder: &TempDir) -> (Child, String) {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").env("TMPDIR", folder.path()).env("XDG_CONFIG_HOME", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut driver = command.spawn().unwrap_or_else(|error| panic!("{MISSING}\n{error}"));
    let mut screen = BufReader::new(driver.stdout.take().expect("a screen")).lines();
    loop {
        let line = screen.next_line().await.expect("text").expect("a port");
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return (driver, port.trim_end_matches('.').to_owned());
        }
    }
}

/// What the browser is asked to be: it ends when its driver does, and reaches nothing but us.
fn wishes(view: View, folder: &TempDir) -> Capabilities {
    let (width, height, is_phone) = match view {
        View::Desktop => (1100, 760, false),
        View::Phone => (360, 740, true),
    };
    let log = format!("--log-file={}", log_in(folder).display());
    let options = json!({
        "args": [
            "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-dev-shm-usage",
            "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--force-prefers-reduced-motion", "--enable-logging", log,
        ],
        "prefs": {
            "intl.accept_languages": "ru-RU,ru",
            "download.default_directory": folder.path(),
            "download.prompt_for_download": false,
        },
        "mobileEmulation": { "deviceMetrics": {
            "width": width, "height": height, "pixelRatio": 1, "touch": is_phone, "mobile": is_phone,
        } },
    });
    Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)])
}
