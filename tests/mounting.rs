//! A good guest: the plugin fits into any bot, and what goes wrong on the network stays small.

mod support;

use std::convert::Infallible;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use support::{ADMIN, Running, Scene, Step, YES, client, shop};
use telegram_sandbox::Fault;
use teloxide::adaptors::throttle::Limits;
use teloxide::adaptors::{CacheMe, DefaultParseMode, Throttle};
use teloxide::dispatching::UpdateHandler;
use teloxide::dispatching::dialogue::{self, InMemStorage};
use teloxide::prelude::*;
use teloxide::types::{ParseMode, UserId};
use teloxide::{RequestError, dptree};
use teloxide_backup::{BackupPlugin, MemoryStorage};
use tokio::time::Instant;

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Both doors work, and the host behind them gets what is its own.
async fn assert_works(scene: &Scene) {
    scene.admin.send("/backup").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.admin.send("/backup_list").await;
    scene.admin.press("🔄 1. 2026-02-01 14:30").await;
    scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    scene.host.take();
    scene.admin.send("hello").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: hello"]);
}

async fn errors_of<E: Debug + Send + Sync + 'static>() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let plugin = scene.plugin();
    scene.run(dptree::entry().branch(plugin.handler::<E>()).branch(scene.host.schema()));
    assert_works(&scene).await;
    scene.finish().await;
}

/// An error of the host that nothing can be converted into.
#[derive(Debug)]
#[allow(dead_code)]
enum Private {
    OutOfCoffee,
}

#[tokio::test]
async fn any_error_type_will_do() {
    errors_of::<RequestError>().await;
    errors_of::<BoxedError>().await;
    errors_of::<anyhow::Error>().await;
    errors_of::<Infallible>().await;
    errors_of::<()>().await;
    errors_of::<Private>().await;
}

async fn host_of<R>(wrap: impl FnOnce(Bot) -> R)
where
    R: Requester + Clone + Send + Sync + 'static,
    R::GetUpdates: Send,
    R::GetMe: Send,
    R::DeleteWebhook: Send,
    R::Err: Debug + Send + Sync,
{
    let mut scene = Scene::prepare(|builder| builder).await;
    let plugin = scene.plugin();
    let tree = dptree::entry().branch(plugin.handler::<()>()).branch(scene.host.schema());
    let bot = wrap(client(&scene.sandbox));
    scene.set_running(Running::start(Dispatcher::builder(bot, tree).build()));
    assert_works(&scene).await;
    scene.finish().await;
}

#[tokio::test]
async fn any_bot_type_will_do() {
    host_of(|bot| bot).await;
    host_of(Arc::new).await;
    host_of(|bot| -> Throttle<Bot> { bot.throttle(Limits::default()) }).await;
    host_of(|bot| -> CacheMe<DefaultParseMode<Bot>> {
        bot.parse_mode(ParseMode::MarkdownV2).cache_me()
    })
    .await;
}

/// A host's last resort: it takes whatever is left.
fn fallback(scene: &Scene) -> UpdateHandler<()> {
    dptree::entry().branch(scene.host.schema())
}

#[tokio::test]
async fn any_place_in_the_tree_will_do() {
    type Mount = fn(UpdateHandler<()>, UpdateHandler<()>) -> UpdateHandler<()>;
    let mounts: [Mount; 5] = [
        |ours, host| dptree::entry().branch(ours).branch(host),
        |ours, host| dptree::entry().chain(ours).chain(host),
        |ours, host| ours.chain(host),
        |ours, host| dptree::entry().branch(dptree::entry().branch(ours)).branch(host),
        |ours, host| {
            let nested = dptree::filter(|update: Update| update.from().is_some()).branch(ours);
            dptree::entry().branch(nested).branch(host)
        },
    ];
    for mount in mounts {
        let mut scene = Scene::prepare(|builder| builder).await;
        let plugin = scene.plugin();
        scene.run(mount(plugin.handler(), fallback(&scene)));
        assert_works(&scene).await;
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_plain_endpoint_may_follow() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let plugin = scene.plugin();
    // dptree calls code dead that follows a branch which never goes on
    let trees: [UpdateHandler<()>; 3] = [
        dptree::entry().branch(plugin.handler()).endpoint(reply),
        dptree::entry().chain(plugin.handler()).endpoint(reply),
        plugin.handler().endpoint(reply),
    ];
    for tree in trees {
        scene.run(tree);
        scene.admin.send("/backup_list").await;
        scene.admin.wait_for("📂").await;
        scene.admin.send("hello").await;
        scene.admin.wait_for("the host's answer").await;
        scene.stop().await;
    }
    scene.finish().await;
}

async fn reply(bot: Bot, update: Update) -> Result<(), ()> {
    let chat = update.chat().ok_or(())?.id;
    bot.send_message(chat, "the host's answer").await.map(|_| ()).map_err(|_| ())
}

async fn kinds_of(tree: impl FnOnce(&Scene) -> UpdateHandler<()>) -> Vec<String> {
    let mut scene = Scene::prepare(|builder| builder).await;
    let tree = tree(&scene);
    scene.run(tree);
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("📂").await;
    let calls = scene.sandbox.calls_of("getUpdates");
    let asked = calls[0].fields["allowed_updates"].as_array().cloned().unwrap_or_default();
    let mut kinds: Vec<_> =
        asked.iter().filter_map(|kind| kind.as_str().map(ToOwned::to_owned)).collect();
    kinds.sort();
    scene.finish().await;
    kinds
}

#[tokio::test]
async fn only_messages_and_presses_are_asked_for() {
    let ours = kinds_of(|scene| dptree::entry().branch(scene.plugin().handler())).await;
    assert_eq!(ours, ["callback_query", "message"]);
    let bare = kinds_of(|scene| scene.plugin().handler()).await;
    assert_eq!(bare, ["callback_query", "message"]);
    // a host that knew messages only gets our buttons as well
    let with_host = kinds_of(|scene| {
        let messages = Update::filter_message().endpoint(reply);
        dptree::entry().branch(scene.plugin().handler()).branch(messages)
    })
    .await;
    assert_eq!(with_host, ["callback_query", "message"]);
    let with_edits = kinds_of(|scene| {
        let edits = Update::filter_edited_message().endpoint(reply);
        dptree::entry().branch(scene.plugin().handler()).branch(edits)
    })
    .await;
    assert_eq!(with_edits, ["callback_query", "edited_message", "message"]);
}

/// A command of the administrator, as Telegram's JSON.
fn command(text: &str) -> Update {
    let json = format!(
        r#"{{"update_id": 1, "message": {{"message_id": 1, "date": 1,
        "from": {{"id": {ADMIN}, "is_bot": false, "first_name": "Anna"}},
        "chat": {{"id": {ADMIN}, "type": "private", "first_name": "Anna"}}, "text": "{text}"}}}}"#
    );
    // `from_value` cannot read an update: teloxide knows only its text
    serde_json::from_str(&json).expect("an update")
}

#[tokio::test]
async fn nothing_but_the_update_is_asked_for() {
    let scene = Scene::prepare(|builder| builder).await;
    let handler: UpdateHandler<()> = scene.plugin().handler();
    // this panics where something is missing
    dptree::type_check(handler.sig(), &dptree::deps![command("/backup_list")], &[]);
    let outcome = handler.dispatch(dptree::deps![command("/backup_list")]).await;
    assert!(matches!(outcome, ControlFlow::Break(Ok(()))));
    scene.admin.wait_for("📂 Бекапов пока нет.").await;
    // what is not ours goes on, also a command that names a bot when nobody knows our name
    for text in ["hello", "/backup@sandbox_bot"] {
        let outcome = handler.dispatch(dptree::deps![command(text)]).await;
        assert!(matches!(outcome, ControlFlow::Continue(_)), "{text}");
    }
    // an empty container is a mistake of the host, and no reason to panic
    assert!(matches!(handler.dispatch(dptree::deps![]).await, ControlFlow::Continue(_)));
    scene.finish().await;
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Talk {
    #[default]
    Start,
    Name,
}

type Storage = InMemStorage<Talk>;
type Dialogue = dialogue::Dialogue<Talk, Storage>;

async fn ask_name(bot: Bot, talk: Dialogue, message: Message) -> Result<(), BoxedError> {
    bot.send_message(message.chat.id, "Как вас зовут?").await?;
    talk.update(Talk::Name).await?;
    Ok(())
}

async fn greet(bot: Bot, talk: Dialogue, message: Message) -> Result<(), BoxedError> {
    let name = message.text().unwrap_or_default();
    bot.send_message(message.chat.id, format!("Здравствуйте, {name}")).await?;
    talk.exit().await?;
    Ok(())
}

async fn press_of_host(bot: Bot, query: CallbackQuery) -> Result<(), BoxedError> {
    bot.answer_callback_query(query.id).text("the host's button").await?;
    Ok(())
}

#[tokio::test]
async fn a_dialogue_goes_on_where_it_was() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let texts = Update::filter_message()
        .branch(dptree::case![Talk::Start].endpoint(ask_name))
        .branch(dptree::case![Talk::Name].endpoint(greet));
    let presses = Update::filter_callback_query().endpoint(press_of_host);
    let host = dialogue::enter::<Update, Storage, Talk, _>().branch(texts).branch(presses);
    let tree = dptree::entry().branch(scene.plugin().handler()).branch(host);
    let dispatcher = Dispatcher::builder(client(&scene.sandbox), tree)
        .dependencies(dptree::deps![Storage::new()])
        .build();
    scene.set_running(Running::start(dispatcher));
    scene.admin.send("/order").await;
    let asked = scene.admin.wait_for("Как вас зовут?").await;
    scene.back_up().await;
    let question = scene.choose_newest().await;
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("Готово!").await;
    // a button of the host, and a command that is no name
    let answer = scene.admin.press_data(asked.id, "order:1").await;
    assert_eq!(answer.text.as_deref(), Some("the host's button"));
    scene.admin.send("Анна").await;
    scene.admin.wait_for("Здравствуйте, Анна").await;
    scene.finish().await;
}

#[tokio::test]
async fn two_plugins_of_one_bot_do_not_quarrel_over_memory() {
    // nothing but the storage differs: archives in memory need no folder
    let mut scene = Scene::prepare(|builder| builder.storage(MemoryStorage::new())).await;
    scene.begin();
    scene.admin.send("/backup").await;
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    assert!(!scene.folder().exists());
    let done = scene.restore_newest().await;
    scene.admin.press_on(done.id, support::UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_hundred_commands_are_one_backup() {
    let scene = Scene::start().await;
    scene.source.hold();
    for _ in 0..100 {
        scene.admin.send("/backup").await;
    }
    scene.source.reached(Step::Export, 1).await;
    scene.sandbox.settled().await;
    scene.source.release();
    scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.settled().await;
    let methods: Vec<_> = scene.calls().into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, ["sendMessage", "editMessageText"]);
    assert_eq!((scene.archives().len(), scene.host.take().len()), (1, 0));
    // and the next one is a backup of its own
    scene.back_up().await;
    scene.finish().await;
}

#[tokio::test]
async fn updates_of_one_chat_may_be_handled_at_once() {
    let mut scene = Scene::prepare(|builder| builder).await;
    let tree = dptree::entry().branch(scene.plugin().handler::<()>()).branch(scene.host.schema());
    let bot = client(&scene.sandbox);
    // a host that wants no order among the updates of a chat
    let dispatcher = Dispatcher::builder(bot, tree).distribution_function(|_| None::<()>).build();
    scene.set_running(Running::start(dispatcher));
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    let yes = question.button(YES).and_then(|button| button.data.clone()).expect("a button");
    scene.source.hold();
    let taps = [(); 8].map(|()| scene.admin.press_data(question.id, &yes));
    for tap in taps {
        tap.await;
    }
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.source.count(Step::Restore), 1);
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

#[tokio::test]
async fn no_debug_text_shows_the_token() {
    let scene = Scene::prepare(|builder| builder).await;
    let secret = scene.sandbox.token().split(':').nth(1).expect("a secret").to_owned();
    let builder = BackupPlugin::builder(client(&scene.sandbox), scene.source.clone());
    let plugin = scene.plugin();
    let task = plugin.spawn();
    let shown = format!("{builder:?} {builder:#?} {plugin:?} {plugin:#?} {task:?} {task:#?}");
    assert!(!shown.contains(&secret), "{shown}");
    let nobody = builder.build().expect_err("no administrator");
    let himself = UserId(scene.sandbox.bot_id().unsigned_abs());
    let bot = BackupPlugin::new(client(&scene.sandbox), himself, scene.source.clone());
    let shown = format!("{nobody} {nobody:?} {:?}", bot.expect_err("the bot itself"));
    assert!(!shown.contains(&secret), "{shown}");
    scene.finish().await;
}

/// The backup stands, and its one result arrived; gives whether in the place of the first message.
async fn result_of(scene: &Scene) -> bool {
    let done = scene.admin.wait_for("✅ Бекап создан успешно").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.archives().len(), 1);
    let chat = scene.admin.chat();
    let results = chat.visible().filter(|shown| shown.plain.contains("успешно")).count();
    assert_eq!(results, 1, "{chat}");
    done.edits > 0
}

#[tokio::test]
async fn a_refused_edit_comes_later() {
    let scene = Scene::start().await;
    let busy = Fault::TooManyRequests { retry_after: 1 };
    scene.sandbox.inject(busy.on("editMessageText").times(2));
    scene.admin.send("/backup").await;
    assert!(result_of(&scene).await);
    scene.finish().await;
}

#[tokio::test]
async fn without_a_first_message_the_result_comes_as_its_own() {
    for fault in [Fault::TooManyRequests { retry_after: 1 }, Fault::Drop] {
        let scene = Scene::start().await;
        scene.sandbox.inject(fault.on("sendMessage"));
        scene.admin.send("/backup").await;
        assert!(!result_of(&scene).await, "{fault:?}");
        assert!(scene.sandbox.calls_of("editMessageText").is_empty());
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_first_message_that_nobody_knows_of_is_no_matter() {
    let scene = Scene::start().await;
    // it was sent, but the answer was lost
    scene.sandbox.inject(Fault::DropAfter.on("sendMessage"));
    scene.admin.send("/backup").await;
    assert!(!result_of(&scene).await);
    scene.finish().await;
}

#[tokio::test]
async fn a_lost_connection_is_tried_again() {
    let scene = Scene::start().await;
    scene.sandbox.inject(Fault::Drop.on("editMessageText"));
    scene.admin.send("/backup").await;
    assert!(result_of(&scene).await);
    scene.finish().await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_message() {
    let scene = Scene::start().await;
    scene.sandbox.expect_refusal("message is not modified");
    scene.sandbox.inject(Fault::DropAfter.on("editMessageText"));
    scene.admin.send("/backup").await;
    // the edit is shown at once; the plugin only learns it from the refusal of the next
    scene.sandbox.settled().await;
    scene.admin.wait_until(|_| (scene.calls().len() == 3).then_some(())).await;
    assert!(result_of(&scene).await);
    assert_eq!(scene.sandbox.calls_of("sendMessage").len(), 1);
    scene.finish().await;
}

/// Telegram's own trouble, which passes. (teloxide itself waits ten seconds after such an answer.)
#[tokio::test]
async fn an_edit_after_an_error_of_the_server_is_tried_again() {
    let scene = Scene::start().await;
    scene.sandbox.inject(Fault::Status(500).on("editMessageText"));
    scene.admin.send("/backup").await;
    // in the place of the first message, or that one waits for ever
    assert!(result_of(&scene).await, "{}", scene.admin.chat());
    scene.finish().await;
}

#[tokio::test]
async fn a_message_after_an_error_of_the_server_is_tried_again() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(40));
    scene.sandbox.inject(Fault::Status(502).on("sendMessage"));
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("📂").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_list_that_was_refused_comes_later() {
    let scene = Scene::start().await;
    scene.sandbox.inject(Fault::TooManyRequests { retry_after: 1 }.on("sendMessage"));
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("📂").await;
    assert_eq!(scene.sandbox.calls_of("sendMessage").len(), 2);
    scene.finish().await;
}

#[tokio::test]
async fn the_result_does_not_need_the_first_message() {
    let scene = Scene::start().await;
    scene.source.hold();
    scene.admin.send("/backup").await;
    let begun = scene.admin.wait_for("⏳").await;
    let id = teloxide::types::MessageId(i32::try_from(begun.id).expect("an id"));
    client(&scene.sandbox).delete_message(ChatId(ADMIN), id).await.expect("deleted");
    scene.source.release();
    assert!(!result_of(&scene).await);
    scene.finish().await;
}

#[tokio::test]
async fn an_old_message_is_replaced_by_a_new_one() {
    let scene = Scene::start().await;
    let description = "Bad Request: message can't be edited";
    scene.sandbox.inject(Fault::Refuse { status: 400, description }.on("editMessageText"));
    scene.admin.send("/backup").await;
    assert!(!result_of(&scene).await);
    scene.finish().await;
}

#[tokio::test]
async fn an_administrator_who_blocked_the_bot_still_has_the_backup() {
    let scene = Scene::start().await;
    scene.source.hold();
    scene.admin.send("/backup").await;
    scene.admin.wait_for("⏳").await;
    scene.admin.block_bot().await;
    scene.source.release();
    // the edit, and the message in its place
    let calls = scene.called(3).await;
    assert!(calls[2].1.starts_with("✅"), "{calls:?}");
    assert_eq!(scene.archives().len(), 1);
    scene.admin.unblock_bot().await;
    scene.admin.send("/backup_list").await;
    scene.admin.wait_for("📂 Список бекапов:").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_press_is_worked_on_even_if_it_cannot_be_answered() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    let description = "Bad Request: query is too old and response timeout expired or query id is \
        invalid";
    scene.sandbox.inject(Fault::Refuse { status: 400, description }.on("answerCallbackQuery"));
    drop(scene.admin.press_on(question.id, YES));
    scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    // nobody waits for that answer any more
    scene.sandbox.expire_callbacks();
    scene.finish().await;
}

#[tokio::test]
async fn a_result_of_a_restore_arrives_after_a_lost_connection() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    scene.source.hold();
    let checks = scene.source.count(Step::Check);
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Check, checks + 1).await;
    scene.sandbox.inject(Fault::Drop.on("editMessageText"));
    scene.source.release();
    let done = scene.admin.wait_for("Готово!").await;
    assert_eq!(done.id, question.id);
    assert_eq!(scene.shop().await, shop(12, 5));
    assert_eq!(scene.source.count(Step::Restore), 1);
    scene.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_progress_message_holds_no_restore_up() {
    let scene = Scene::start().await;
    scene.sandbox.set_patience(Duration::from_secs(24 * 60 * 60));
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    scene.sandbox.inject(Fault::TooManyRequests { retry_after: 120 }.on("editMessageText"));
    let pressed = Instant::now();
    scene.admin.press_on(question.id, YES).await;
    // the word that it begins is refused, and the restore does not wait two minutes to say it again
    while scene.shop().await != shop(12, 5) {
        tokio::task::yield_now().await;
    }
    assert!(pressed.elapsed() < Duration::from_secs(120), "after {:?}", pressed.elapsed());
    scene.admin.wait_for("Готово!").await;
    assert!(
        pressed.elapsed() >= Duration::from_secs(120),
        "Telegram wants to hear nothing so long"
    );
    let edits = scene.sandbox.calls_of("editMessageText");
    assert_eq!(edits.iter().filter(|edit| edit.status == 429).count(), 1);
    scene.finish().await;
}
