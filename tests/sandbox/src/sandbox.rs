//! The handle of a test for its pretended Telegram.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::{
    core::Core,
    fault::PlannedFault,
    group::Group,
    journal::{Call, Violation},
    page::Page,
    person::Person,
    server,
    shown::Chat,
    state::State,
    waiting::{View, trouble},
};

/// How long nothing may happen until all is settled.
const QUIET: Duration = Duration::from_millis(100);
/// How long the end of a test waits for answers that are on their way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A pretended Telegram for one bot.
///
/// At the end of a test call [`finish`](Self::finish). A sandbox that is
/// dropped without it panics if the bot has broken a rule.
#[derive(Debug)]
pub struct Sandbox {
    core: Arc<Core>,
    address: SocketAddr,
    finished: bool,
}

impl Sandbox {
    /// Starts a server on a free port of the loopback address.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let core = Core::new(State::new());
        tokio::spawn(server::serve(listener, Arc::clone(&core)));
        Self { core, address, finished: false }
    }

    /// The address for the bot, like `http://127.0.0.1:40000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token of the bot.
    pub fn token(&self) -> String {
        self.core.read(|state| state.bot.token.clone())
    }

    /// The name of the bot without `@`.
    pub fn bot_username(&self) -> String {
        self.core.read(|state| state.bot.username.clone())
    }

    /// Sets the name that people see; «Sandbox bot» at first.
    pub fn set_bot_name(&self, name: &str) {
        self.core.change(|state| name.clone_into(&mut state.bot.name));
    }

    /// The id of the bot.
    pub fn bot_id(&self) -> i64 {
        self.core.read(|state| state.bot.id)
    }

    /// A person who has started the bot before, so that it may write.
    pub async fn person(&self, id: i64, name: &str) -> Person {
        self.account(id, name, true)
    }

    /// A person who has never written to the bot.
    pub async fn newcomer(&self, id: i64, name: &str) -> Person {
        self.account(id, name, false)
    }

    /// A group that the bot is a member of; ids are negative.
    pub async fn group(&self, id: i64, title: &str) -> Group {
        self.core.change(|state| state.room(id).title = Some(title.to_owned()));
        Group { view: self.view(id) }
    }

    /// A chat as it is now.
    pub fn chat(&self, id: i64) -> Chat {
        self.view(id).chat()
    }

    /// The content of a file that a person or the bot has sent.
    pub fn file(&self, file_id: &str) -> Option<Vec<u8>> {
        self.core.read(|state| state.files.get(file_id).map(|file| file.bytes.to_vec()))
    }

    /// Sets how long people wait before the test fails; 20 seconds at first.
    pub fn set_patience(&self, limit: Duration) {
        self.core.change(|state| state.patience = limit);
    }

    /// Orders a fault for the next calls of the bot.
    pub fn inject(&self, fault: impl Into<PlannedFault>) {
        self.core.change(|state| state.faults.push(fault.into()));
    }

    /// Forgets the faults that no call has met yet.
    pub fn clear_faults(&self) {
        self.core.change(|state| state.faults.clear());
    }

    /// Delivers any update; `update_id` is assigned unless it is given. Gives the id.
    pub async fn inject_update(&self, update: Value) -> i64 {
        self.core.change(|state| state.deliver(update))
    }

    /// Delivers the newest update again, with its old id, even if it is confirmed.
    pub async fn redeliver_last(&self) -> i64 {
        let again = self.core.change(|state| {
            state.journal.activity += 1;
            state.queue.push_last_again()
        });
        again.expect("there was no update yet")
    }

    /// Makes every open press too old: an answer is refused from now on.
    pub fn expire_callbacks(&self) {
        self.core.change(|state| {
            for query in state.callbacks.values_mut() {
                query.expired = true;
            }
        });
    }

    /// Allows refusals whose description has this part; they need not happen.
    pub fn allow_refusal(&self, part: &str) {
        self.core.change(|state| state.journal.allowed.push(part.to_owned()));
    }

    /// Allows refusals whose description has this part and wants at least one of them.
    pub fn expect_refusal(&self, part: &str) {
        self.core.change(|state| state.journal.expected.push(part.to_owned()));
    }

    /// For a trial by hand: from now on neither [`finish`](Self::finish) nor the end of the
    /// sandbox panics or waits. What the bot does wrong stays in [`violations`](Self::violations).
    pub fn forgive(&self) {
        self.core.change(|state| state.forgiving = true);
    }

    /// All calls of the bot in their order.
    pub fn calls(&self) -> Vec<Call> {
        self.core.read(|state| state.journal.calls.clone())
    }

    /// The calls of one method; downloads of files have the name `download`.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.method.eq_ignore_ascii_case(method));
        calls
    }

    /// Forgets the calls up to now; violations stay.
    pub fn clear_calls(&self) {
        self.core.change(|state| state.journal.calls.clear());
    }

    /// The violations that were neither allowed nor expected.
    pub fn violations(&self) -> Vec<Violation> {
        self.core.read(|state| state.journal.unexcused())
    }

    /// Waits until the bot has confirmed all updates and is silent.
    ///
    /// A bot confirms updates when it asks for the next ones, which may be
    /// before it has handled them. So this also waits until there has been no
    /// request for 100 ms. What a bot does later in the background is not
    /// waited for.
    pub async fn settled(&self) {
        let end = Instant::now() + self.core.patience();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let idle = |state: &mut State| is_idle(state).then_some(state.journal.activity);
            let Some(activity) = self.core.until(left, idle).await else {
                panic!("the bot did not settle\n{}", self.core.read(trouble));
            };
            sleep(QUIET).await;
            if self.core.read(|state| is_idle(state) && state.journal.activity == activity) {
                return;
            }
        }
    }

    /// Panics if the bot has broken a rule or left a press without an answer.
    pub fn assert_clean(&self) {
        let problems = self.core.read(problems);
        assert!(problems.is_empty(), "{}", report(&problems));
    }

    /// Ends the test: waits a little for last answers, stops the server, then
    /// panics if the bot has broken a rule, left a press without an answer, or
    /// has not been refused as expected.
    pub async fn finish(mut self) {
        self.finished = true;
        self.core
            .until(LAST_ANSWERS, |state| {
                let done = state.unanswered().is_empty() && state.journal.in_progress == 0;
                (done || state.forgiving).then_some(())
            })
            .await;
        self.core.change(|state| state.closing = true);
        if self.core.read(|state| state.forgiving) {
            return;
        }
        let mut problems = self.core.read(problems);
        for part in self.core.read(|state| state.journal.missing()) {
            problems.push(format!("expected refusal never came: {part}"));
        }
        assert!(problems.is_empty(), "{}", report(&problems));
    }

    fn account(&self, id: i64, name: &str, started: bool) -> Person {
        self.core.change(|state| state.join(id, name, started));
        Person { view: self.view(id) }
    }

    /// Serves the page for people: on this port of the loopback address, or on
    /// another if it is taken; 0 is any. The page lives as long as its handle.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub async fn serve_page(&self, port: u16) -> std::io::Result<Page> {
        Page::serve(Arc::clone(&self.core), port).await
    }

    fn view(&self, chat: i64) -> View {
        View { core: Arc::clone(&self.core), chat }
    }
}

/// Whether the bot has nothing to do.
fn is_idle(state: &State) -> bool {
    state.queue.len() == 0 && state.journal.in_progress == 0
}

/// All that a test should fail for.
fn problems(state: &State) -> Vec<String> {
    let broken = state.journal.unexcused().into_iter().map(|violation| violation.to_string());
    let open = state.unanswered().into_iter().map(|story| format!("never answered: {story}"));
    broken.chain(open).collect()
}

fn report(problems: &[String]) -> String {
    format!("the bot broke the rules of the Bot API:\n  {}", problems.join("\n  "))
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.core.change(|state| state.closing = true);
        let forgiving = self.core.read(|state| state.forgiving);
        if self.finished || forgiving || std::thread::panicking() {
            return;
        }
        let broken: Vec<_> = self.violations().iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{}", report(&broken));
    }
}
