//! While a restore runs, nobody's updates write into what is about to be replaced.

mod support;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use support::{Running, STRANGER, Scene, Step, Trouble, UNDO, YES, client, shop};
use telegram_sandbox::Person;
use teloxide::RequestError;
use teloxide::prelude::*;
use tokio::sync::Notify;

const GROUP: i64 = -100;
const WAIT: &str = "⏳ Идёт восстановление, минуту…";
const NOTHING: [&str; 0] = [];

/// Somebody else, to whom the host says nothing.
async fn stranger(scene: &Scene) -> Person {
    scene.sandbox.person(STRANGER, "Никто").await
}

/// Stops a restore at the moment in which the data are about to be replaced.
async fn stand_still(scene: &Scene) {
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    scene.source.hold_at(Step::Restore);
    let restores = scene.source.count(Step::Restore);
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Restore, restores + 1).await;
}

/// A scene whose restore stands still.
async fn restoring(hold: bool) -> Scene {
    let scene = Scene::with(move |builder| builder.hold_updates(hold)).await;
    stand_still(&scene).await;
    scene
}

fn told(person: &Person) -> Vec<String> {
    person
        .chat()
        .visible()
        .filter(|shown| shown.from_bot)
        .map(|shown| shown.plain.clone())
        .collect()
}

#[tokio::test]
async fn everybodys_updates_wait_and_none_is_lost() {
    let scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    scene.sandbox.group(GROUP, "Team").await;
    scene.sandbox.forgive();
    // what is the plugin's own never waits
    scene.admin.send("/backup_settings").await;
    scene.admin.wait_for("⚙️ Настройки").await;

    stranger.send("раз").await;
    stranger.send("два").await;
    stranger.say_in_group(GROUP, "в группе").await;
    let _press = stranger.press_data(1, "чужая");
    stranger.send("три").await;
    scene.admin.send("и мне").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), NOTHING);
    // once, and to each, but not in a group
    assert_eq!(told(&stranger), [WAIT]);
    assert_eq!(told(&scene.admin).iter().filter(|told| *told == WAIT).count(), 1);
    assert!(!scene.sandbox.chat(GROUP).to_string().contains('⏳'));

    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.sandbox.settled().await;
    let (private, others): (Vec<_>, Vec<_>) = scene
        .host
        .take()
        .into_iter()
        .partition(|told| !told.contains("группе") && !told.contains("мне"));
    assert_eq!(private, ["message: раз", "message: два", "press: чужая", "message: три"]);
    assert_eq!(others.len(), 2, "{others:?}");
    // and then it is as if nothing had been
    stranger.send("четыре").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: четыре"]);
    assert_eq!(told(&stranger), [WAIT]);
    scene.finish().await;
}

#[tokio::test]
async fn each_restore_is_told_of_anew_and_an_undo_is_one() {
    let scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    stranger.send("раз").await;
    stranger.wait_for(WAIT).await;
    scene.source.release();
    let done = scene.admin.wait_for("Готово!").await;
    scene.source.hold_at(Step::Restore);
    scene.admin.press_on(done.id, UNDO).await;
    scene.source.reached(Step::Restore, 2).await;
    scene.host.take();
    stranger.send("два").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), NOTHING);
    assert_eq!(told(&stranger), [WAIT, WAIT]);
    scene.source.release();
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: два"]);
    scene.finish().await;
}

#[tokio::test]
async fn who_writes_again_and_again_is_told_once() {
    let mut scene = Scene::prepare(|builder| builder.hold_updates(true)).await;
    let plugin = scene.plugin();
    let tree = dptree::entry().branch(plugin.handler()).branch(scene.host.schema());
    // a bot that handles the updates of a chat beside each other
    let dispatcher = Dispatcher::<_, RequestError, _>::builder(client(&scene.sandbox), tree)
        .distribution_function(|_| None::<()>)
        .build();
    scene.set_running(Running::start(dispatcher));
    stand_still(&scene).await;
    let stranger = stranger(&scene).await;
    for text in ["раз", "два", "три"] {
        stranger.send(text).await;
    }
    scene.sandbox.settled().await;
    assert_eq!((scene.host.take().len(), told(&stranger)), (0, vec![WAIT.to_owned()]));
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take().len(), 3);
    scene.finish().await;
}

#[tokio::test]
async fn a_press_alone_is_held_without_a_word() {
    let scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    scene.sandbox.forgive();
    let _press = stranger.press_data(1, "чужая");
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), NOTHING);
    assert_eq!(told(&stranger), NOTHING);
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["press: чужая"]);
    scene.finish().await;
}

#[tokio::test]
async fn they_go_on_whatever_becomes_of_the_restore() {
    let scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    for (trouble, outcome) in [
        (Trouble::Fails, "❌ Восстановить не получилось"),
        (Trouble::Panics, "❌ Восстановление прервала ошибка"),
    ] {
        scene.source.break_at(Step::Restore, trouble);
        stranger.send("раз").await;
        scene.sandbox.settled().await;
        assert_eq!(scene.host.take(), NOTHING);
        scene.source.release();
        scene.admin.wait_for(outcome).await;
        scene.sandbox.settled().await;
        assert_eq!(scene.host.take(), ["message: раз"]);
        scene.source.mend();
        stand_still(&scene).await;
    }
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_bot_that_does_not_ask_for_it_holds_nothing() {
    let scene = restoring(false).await;
    let stranger = stranger(&scene).await;
    stranger.send("раз").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: раз"]);
    assert_eq!(told(&stranger), NOTHING);
    scene.source.release();
    // somebody could have written, but nobody has
    scene.admin.wait_for("Готово!").await;
    scene.finish().await;
}

/// Lets this time go by at once.
async fn pass_by(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_restore_that_never_ends_stops_nobody_for_ever() {
    let scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    stranger.send("раз").await;
    stranger.wait_for(WAIT).await;
    pass_by(Duration::from_secs(4 * 60)).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), NOTHING);
    pass_by(Duration::from_secs(61)).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: раз"]);
    // and whoever comes now does not wait at all
    stranger.send("два").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: два"]);
    scene.source.release();
    scene.admin.wait_for("Готово!").await;
    scene.finish().await;
}

#[tokio::test]
async fn a_bot_that_stops_meanwhile_loses_no_update() {
    let mut scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    stranger.send("раз").await;
    stranger.wait_for(WAIT).await;
    scene.sandbox.settled().await;
    let source = scene.source.clone();
    tokio::join!(biased; scene.stop(), async { source.release() });
    assert_eq!(scene.host.take(), ["message: раз"]);
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

#[tokio::test]
async fn a_bot_can_stop_in_a_restore_that_never_ends() {
    let mut scene = restoring(true).await;
    let stranger = stranger(&scene).await;
    stranger.send("раз").await;
    stranger.wait_for(WAIT).await;
    scene.sandbox.settled().await;
    let (source, host) = (scene.source.clone(), scene.host.clone());
    tokio::join!(biased; scene.stop(), async {
        pass_by(Duration::from_secs(5 * 60)).await;
        // the dispatcher ends; only then is the restore let go
        while host.take() != ["message: раз"] {
            tokio::task::yield_now().await;
        }
        source.release();
    });
    scene.finish().await;
}

/// A bot that changes its data when it is spoken to, once it is let.
struct Slow {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Slow {
    fn mount(scene: &mut Scene) -> Self {
        let slow = Self { begun: Arc::default(), go_on: Arc::default() };
        let (begun, go_on, state) = (slow.begun.clone(), slow.go_on.clone(), scene.state.clone());
        let write = move |_: Message| {
            let (begun, go_on, state) = (begun.clone(), go_on.clone(), state.clone());
            async move {
                begun.notify_one();
                go_on.notified().await;
                state.write().await.reviews = shop(0, 9).reviews;
                Ok::<_, RequestError>(())
            }
        };
        let plugin = scene.plugin();
        let own = Update::filter_message().endpoint(write);
        scene.run(dptree::entry().branch(plugin.handler()).branch(own));
        slow
    }
}

#[tokio::test]
async fn a_restore_waits_for_what_is_being_handled() {
    let mut scene = Scene::prepare(|builder| builder.hold_updates(true)).await;
    let slow = Slow::mount(&mut scene);
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    stranger(&scene).await.send("раз").await;
    slow.begun.notified().await;
    let (checks, exports) = (scene.source.count(Step::Check), scene.source.count(Step::Export));
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Check, checks + 1).await;
    scene.sandbox.settled().await;
    assert_eq!(scene.source.count(Step::Export), exports, "nothing is saved yet");
    slow.go_on.notify_one();
    let done = scene.admin.wait_for("Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    // what was written at the last moment is saved
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 1 заказ, 9 отзывов").await;
    scene.finish().await;
}

#[tokio::test]
async fn what_is_handled_too_long_is_reckoned_with() {
    let mut scene = Scene::prepare(|builder| builder.hold_updates(true)).await;
    let slow = Slow::mount(&mut scene);
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    stranger(&scene).await.send("раз").await;
    slow.begun.notified().await;
    let exports = scene.source.count(Step::Export);
    scene.source.hold_at(Step::Restore);
    scene.admin.press_on(question.id, YES).await;
    // it waits for seconds, and then goes on
    scene.source.reached(Step::Restore, 1).await;
    scene.source.hold_at(Step::Export);
    scene.source.reached(Step::Export, exports + 2).await;
    slow.go_on.notify_one();
    while scene.shop().await.reviews.len() != 9 {
        tokio::task::yield_now().await;
    }
    scene.source.release();
    // somebody else's review is not taken away
    let done = scene.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    assert!(done.plain.contains("В бекапе: 5 отзывов\nСейчас в боте: 9 отзывов"), "{done}");
    assert!(done.plain.contains("ботом пользовались"), "{done}");
    assert_eq!(scene.shop().await.reviews.len(), 9);
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}
