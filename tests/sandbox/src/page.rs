//! The page for people: a chat in the browser, with the calls of the bot beside it.

mod action;
mod asset;
mod change;
mod file;
mod guard;
mod query;
mod stream;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::watch};

use crate::core::Core;

/// The page of a sandbox; the serving ends when it is dropped.
///
/// Everybody from [`Sandbox::person`](crate::Sandbox::person) and
/// [`Sandbox::newcomer`](crate::Sandbox::newcomer) can be acted on it, and more
/// people can be added there. Only a browser on this machine can open it.
#[derive(Debug)]
pub struct Page {
    core: Arc<Core>,
    address: SocketAddr,
    /// Whoever listens ends when this is dropped.
    _open: watch::Sender<()>,
}

/// What the page remembers between two looks.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// A note above the people.
    note: Option<String>,
    /// The newest message that each person has read.
    read: BTreeMap<i64, i64>,
}

/// What the routes share.
#[derive(Debug, Clone)]
struct Door {
    core: Arc<Core>,
    /// Ends when the page is dropped.
    open: watch::Receiver<()>,
    /// Tells this page from an earlier one at the same address.
    run: u64,
    port: u16,
}

impl Page {
    pub(crate) async fn serve(core: Arc<Core>, port: u16) -> io::Result<Self> {
        let listener = match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => listener,
            Err(_) if port != 0 => TcpListener::bind(("127.0.0.1", 0)).await?,
            Err(error) => return Err(error),
        };
        let address = listener.local_addr()?;
        let (sender, mut open) = watch::channel(());
        let door =
            Door { core: Arc::clone(&core), open: open.clone(), run: run(), port: address.port() };
        let closed = async move { while open.changed().await.is_ok() {} };
        let server = axum::serve(listener, router(door)).with_graceful_shutdown(closed);
        tokio::spawn(async { server.await });
        Ok(Self { core, address, _open: sender })
    }

    /// The address for the browser, like `http://127.0.0.1:8181/`.
    ///
    /// With `#42` behind it, it opens the chat of the person 42; with `?lang=en`,
    /// the page speaks English.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Shows a note above the people, like «sample data»; an empty one is taken away.
    pub fn note(&self, text: &str) {
        let note = Some(text.to_owned()).filter(|text| !text.is_empty());
        self.core.change(|state| state.desk.note = note);
    }
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/api/changes", get(stream::changes))
        .route("/api/stream", get(stream::stream))
        .route("/api/actions", post(action::act))
        .route("/api/files", post(file::upload))
        .route("/api/files/{id}/{name}", get(file::download))
        .fallback(asset::get)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(door.port, guard::guard))
        .with_state(door)
}

fn run() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Whole numbers of JavaScript end at 2^53.
    u64::try_from(since.as_micros()).unwrap_or_default() & ((1 << 53) - 1)
}
