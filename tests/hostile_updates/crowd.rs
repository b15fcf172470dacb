//! A bot with open questions, and the people who try their luck with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use teloxide::dispatching::UpdateHandler;
use teloxide::prelude::*;
use teloxide::types::UserId;
use teloxide_backup::BackupPluginBuilder;

use crate::row::{BORIS, FORUM, GROUP, Outcome, Row};
use crate::support::{ADMIN, STRANGER, Scene, Step, UNDO, YES, shop, text_of};

/// How many updates come at once: with their second deliveries Telegram gives them in one answer.
const HANDFUL: usize = 45;

/// What the buttons of the administrators carry now.
pub(crate) struct Tokens {
    /// A question of the administrator that waits for its answer.
    pub(crate) open: String,
    /// One that was answered.
    pub(crate) used: String,
    /// One that another administrator was asked.
    pub(crate) of_boris: String,
    /// The way back from the last restore.
    pub(crate) undo: String,
    /// A backup of the list.
    pub(crate) backup: String,
}

/// A host that takes every kind of update, and notes its number.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<Vec<u32>>>);

macro_rules! every_kind {
    ($record:ident: $($filter:ident)*) => {
        dptree::entry()$(.branch(Update::$filter().endpoint($record.clone())))*
    };
}

impl Host {
    fn schema(&self) -> UpdateHandler<()> {
        let host = self.clone();
        let record = move |update: Update| {
            let host = host.clone();
            async move {
                host.0.lock().unwrap_or_else(PoisonError::into_inner).push(update.id.0);
                Ok(())
            }
        };
        every_kind!(record:
            filter_message filter_edited_message filter_channel_post filter_edited_channel_post
            filter_business_connection filter_business_message filter_edited_business_message
            filter_deleted_business_messages filter_message_reaction_updated
            filter_message_reaction_count_updated filter_inline_query filter_chosen_inline_result
            filter_callback_query filter_shipping_query filter_pre_checkout_query
            filter_purchased_paid_media filter_poll filter_poll_answer filter_my_chat_member
            filter_chat_member filter_chat_join_request filter_chat_boost filter_removed_chat_boost)
    }

    fn got(&self) -> Vec<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) struct Crowd {
    scene: Scene,
    host: Host,
    pub(crate) tokens: Tokens,
    archives: Vec<String>,
    /// How long is waited for what should come, before it counts as missing.
    pub(crate) patience: Duration,
}

impl Crowd {
    pub(crate) async fn gather() -> Self {
        Self::gather_with(|builder| builder).await
    }

    pub(crate) async fn gather_with(
        settings: impl Fn(BackupPluginBuilder) -> BackupPluginBuilder + 'static,
    ) -> Self {
        let settings = move |builder: BackupPluginBuilder| {
            settings(builder.admin(UserId(BORIS.unsigned_abs())))
        };
        let mut scene = Scene::prepare(settings).await;
        let host = Host::default();
        let plugin = scene.plugin();
        scene.run(dptree::entry().branch(plugin.handler()).branch(host.schema()));
        scene.sandbox.person(STRANGER, "Никто").await;
        scene.sandbox.group(GROUP, "Team").await;
        scene.sandbox.group(FORUM, "Forum").await;
        let tokens = tokens(&scene).await;
        let archives = scene.archives();
        Self { scene, host, tokens, archives, patience: Duration::from_secs(30) }
    }

    /// Delivers each update twice, and gives those of which something else came than expected.
    pub(crate) async fn one_by_one(&self, rows: &[Row]) -> Vec<String> {
        let mut wrong = Vec::new();
        for row in rows {
            let differences = self.deliver(std::slice::from_ref(row)).await;
            wrong.extend(differences.map(|differences| format!("«{}»: {differences}", row.name)));
        }
        wrong
    }

    /// Delivers many updates at once, each twice.
    pub(crate) async fn in_handfuls(&self, rows: &[Row], seed: u64) -> Vec<String> {
        let mut wrong = Vec::new();
        for rows in rows.chunks(HANDFUL) {
            let names = || rows.iter().map(|row| &row.name).collect::<Vec<_>>();
            let differences = self.deliver(rows).await;
            wrong
                .extend(differences.map(|found| format!("seed {seed}: {found}, of {:?}", names())));
        }
        wrong
    }

    /// How what the bot asked of Telegram, and what the host got, differs from what it should be.
    async fn deliver(&self, rows: &[Row]) -> Option<String> {
        let Self { scene, host, .. } = self;
        scene.sandbox.clear_calls();
        host.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut expected = Came::default();
        for row in rows {
            let number = scene.sandbox.inject_update(fresh(&row.update)).await;
            scene.sandbox.redeliver_last().await;
            expected.add(row, u32::try_from(number).expect("a number"));
        }
        let wanted: usize = expected.calls.values().sum();
        let arrival = async {
            loop {
                scene.sandbox.settled().await;
                if scene.calls().len() >= wanted && host.got().len() >= expected.updates() {
                    return;
                }
            }
        };
        // what never comes is told with all the rest
        let _ = tokio::time::timeout(self.patience, arrival).await;
        Came::of(scene, host).differs_from(&expected)
    }

    /// Nothing has become of all that.
    pub(crate) async fn leave(self) {
        let Self { scene, archives, .. } = self;
        scene.sandbox.settled().await;
        assert_eq!(scene.archives(), archives);
        assert_eq!(scene.source.count(Step::Restore), 1, "only the one of the beginning");
        assert_eq!(scene.shop().await, shop(12, 5));
        // no host answers these presses
        scene.sandbox.expire_callbacks();
        scene.finish().await;
    }
}

/// A call as the table names it: the method, the chat, the first line.
type Line = (String, Option<i64>, String);

/// What came of some updates: the calls, each with its chat, and the updates that the host got.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Came {
    calls: BTreeMap<Line, usize>,
    host: BTreeMap<u32, usize>,
}

impl Came {
    fn of(scene: &Scene, host: &Host) -> Self {
        let mut came = Self::default();
        for call in scene.whole_calls() {
            let line = text_of(&call).lines().next().unwrap_or_default().to_owned();
            let chat = call.fields["chat_id"].as_i64();
            *came.calls.entry((call.method, chat, line)).or_default() += 1;
        }
        for number in host.got() {
            *came.host.entry(number).or_default() += 1;
        }
        came
    }

    fn add(&mut self, row: &Row, number: u32) {
        match &row.outcome {
            Outcome::Passed => {
                // the host hears of an update as often as Telegram sends it
                self.host.insert(number, 2);
            }
            Outcome::Taken(calls) => {
                for (method, chat, line) in calls {
                    let call = ((*method).to_owned(), *chat, (*line).to_owned());
                    *self.calls.entry(call).or_default() += 1;
                }
            }
            Outcome::Unreadable => {}
        }
    }

    fn differs_from(&self, expected: &Self) -> Option<String> {
        let calls = differing(&self.calls, &expected.calls);
        let host = differing(&self.host, &expected.host);
        (self != expected).then(|| format!("calls {calls:?}, host {host:?} (found, expected)"))
    }

    fn updates(&self) -> usize {
        self.host.values().sum()
    }
}

/// Where two counts differ: what, and how often on either side.
fn differing<K: Ord + Clone>(
    found: &BTreeMap<K, usize>,
    expected: &BTreeMap<K, usize>,
) -> Vec<(K, usize, usize)> {
    let keys: BTreeSet<&K> = found.keys().chain(expected.keys()).collect();
    let count = |side: &BTreeMap<K, usize>, key| side.get(key).copied().unwrap_or_default();
    let rows = keys.into_iter().map(|key| (key.clone(), count(found, key), count(expected, key)));
    rows.filter(|(_, found, expected)| found != expected).collect()
}

/// The same update once more: a press has a number of its own each time.
fn fresh(update: &Value) -> Value {
    let mut update = update.clone();
    if let Some(id) = update.pointer_mut("/callback_query/id") {
        *id = (uuid::Uuid::new_v4().as_u128() >> 64).to_string().into();
    }
    update
}

async fn tokens(scene: &Scene) -> Tokens {
    let boris = scene.sandbox.person(BORIS, "Борис").await;
    let name = scene.back_up().await;
    let backup = name.trim_start_matches("backup_").trim_end_matches(".zip").to_owned();
    let token = |message: &telegram_sandbox::Shown, label: &str| {
        let data = message.button(label).and_then(|button| button.data.clone()).expect("a button");
        data.rsplit(':').next().expect("a token").to_owned()
    };
    let question = scene.choose_newest().await;
    let used = token(&question, YES);
    scene.admin.press_on(question.id, YES).await;
    let done = scene.admin.wait_for("Готово!").await;
    let undo = token(&done, UNDO);
    let open = token(&scene.choose_newest().await, YES);
    boris.send("/backup_list").await;
    let list = boris.wait_for("Список бекапов").await;
    boris.press_on(list.id, &list.buttons[0][0].text).await;
    let of_boris = token(&boris.wait_for("Восстановить данные из этого бекапа?").await, YES);
    assert_ne!(ADMIN, BORIS);
    Tokens { open, used, of_boris, undo, backup }
}
