//! Live changes: at once as an answer, or one after another as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as Shared,
    http::{HeaderMap, Uri, header::CONTENT_TYPE},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::unfold;
use serde_json::Value;

use super::{
    Door,
    change::{self, Changes},
    query,
};
use crate::{server::FOREVER, state::State};

/// Changes that come so close together are sent together.
const GATHERED: Duration = Duration::from_millis(15);

/// All changes since a revision.
pub(super) async fn changes(Shared(door): Shared<Door>, uri: Uri) -> Response {
    let since = query::number(&uri, "since");
    let changes = door.core.read(|state| Changes::since(state, since));
    ([(CONTENT_TYPE, "application/json")], changes.body(door.run)).into_response()
}

/// A reader of changes, and how far it has read.
struct Reader {
    door: Door,
    since: u64,
    scene: Value,
}

/// The changes since a revision and all that follow.
pub(super) async fn stream(Shared(door): Shared<Door>, uri: Uri, headers: HeaderMap) -> Response {
    // A browser that reconnects says here what it has got.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let same_run = query::number(&uri, "run") == door.run;
    let since = if same_run { last.unwrap_or_else(|| query::number(&uri, "since")) } else { 0 };
    let reader = Reader { door, since, scene: Value::Null };
    let events = unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl Reader {
    /// The next changes; `None` when the page is closed.
    async fn next(&mut self) -> Option<Event> {
        let mut open = self.door.open.clone();
        let core = Arc::clone(&self.door.core);
        loop {
            let news = core.until(FOREVER, |state| self.has_news(state).then_some(()));
            tokio::select! {
                news = news => news?,
                _ = open.changed() => return None,
            }
            tokio::time::sleep(GATHERED).await;
            let changes = core.read(|state| self.take(state));
            if !changes.is_empty() {
                let event = Event::default().id(self.since.to_string());
                return Some(event.retry(Duration::from_secs(1)).data(changes.body(self.door.run)));
            }
        }
    }

    fn has_news(&self, state: &State) -> bool {
        state.revision() != self.since || change::scene(state) != self.scene
    }

    /// The changes that this reader hasn't got.
    fn take(&mut self, state: &State) -> Changes {
        let mut changes = Changes::since(state, self.since);
        if changes.scene == self.scene {
            changes.scene = Value::Null;
        } else {
            self.scene = changes.scene.clone();
        }
        self.since = changes.revision;
        changes
    }
}
