//! After a restore the data are what the backup holds, or all is as it was, and a person is told.

mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use support::{KEEP, Order, REDO, Scene, Shop, State, Step, UNDO, YES, sections, shop};
use telegram_sandbox::Shown;
use teloxide_backup::{BackupPluginBuilder, BoxError, DataSource, Export, Import, Section, Shared};
use tokio::sync::RwLock;

const TAKEN_BACK: &str =
    "❌ После восстановления данные не такие, как в бекапе. Я вернул всё, как было.";
const UNREADABLE: &str = "❌ После восстановления данные бота не читаются. Я вернул всё, как было.";
const UNCLEAR: &str = "❌ Восстановление прервала ошибка";

/// What a source does instead of what it has promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    DropsARecord,
    AddsARecord,
    ChangesAValue,
    SwapsTwoRecords,
    MovesARecord,
    MixesSections,
    RestoresNothing,
    LosesASection,
    /// It cannot be read after it.
    Breaks,
    FailsAfterIt,
    FailsHalfWay,
    PanicsHalfWay,
}

/// A source that lies as often as it is told to.
#[derive(Clone)]
struct Liar {
    state: State,
    lies: Arc<Mutex<Vec<Lie>>>,
    broken: Arc<Mutex<bool>>,
}

impl Liar {
    fn new(state: &State) -> Self {
        Self { state: Arc::clone(state), lies: Arc::default(), broken: Arc::default() }
    }

    /// The next restores lie like this; those after them do not.
    fn lie(&self, lies: impl IntoIterator<Item = Lie>) {
        let mut lies: Vec<_> = lies.into_iter().collect();
        lies.reverse();
        *self.lies.lock().unwrap_or_else(PoisonError::into_inner) = lies;
    }

    fn set_broken(&self, broken: bool) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = broken;
    }
}

impl DataSource for Liar {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        sections().into()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        if *self.broken.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err("the file is not a database".into());
        }
        Shared::new(self.state.clone()).export(out).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let orders: BTreeMap<u64, BTreeMap<String, Order>> =
            data.value("orders")?.unwrap_or_default();
        let mut new = Shop { orders, reviews: data.value("reviews")?.unwrap_or_default() };
        self.set_broken(false);
        let lie = self.lies.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut now = self.state.write().await;
        match lie {
            None => {}
            Some(Lie::DropsARecord) => drop(new.reviews.pop()),
            Some(Lie::AddsARecord) => new.reviews.push(new.reviews[0].clone()),
            Some(Lie::ChangesAValue) => "другой".clone_into(&mut new.reviews[0].text),
            Some(Lie::SwapsTwoRecords) => swap(&mut new),
            Some(Lie::MovesARecord) => {
                let (name, order) = new.orders.entry(0).or_default().pop_first().expect("orders");
                new.orders.entry(9).or_default().insert(name, order);
            }
            Some(Lie::MixesSections) => new.reviews.clone_from(&now.reviews),
            Some(Lie::RestoresNothing) => new = now.clone(),
            Some(Lie::LosesASection) => new.reviews.clear(),
            Some(Lie::Breaks) => self.set_broken(true),
            Some(Lie::FailsAfterIt) => {
                *now = new;
                return Err("the lock cannot be given back".into());
            }
            Some(Lie::FailsHalfWay) => {
                now.orders = new.orders;
                return Err("the disk is full".into());
            }
            Some(Lie::PanicsHalfWay) => {
                now.orders = new.orders;
                panic!("cut off");
            }
        }
        *now = new;
        Ok(())
    }
}

/// Gives each of two clients the other's orders.
fn swap(shop: &mut Shop) {
    let (one, other) = (shop.orders.remove(&0), shop.orders.remove(&1));
    shop.orders.extend(one.map(|orders| (1, orders)));
    shop.orders.extend(other.map(|orders| (0, orders)));
}

/// A bot whose source may lie: 12 orders and 5 reviews are in its backup, 1 order is live.
async fn lying() -> (Scene, Liar) {
    let mut scene = Scene::prepare(|builder| builder).await;
    let liar = Liar::new(&scene.state);
    scene.begin_with(&scene.plugin_of(liar.clone()));
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene.set_shop(shop(1, 0)).await;
    (scene, liar)
}

/// Restores the backup of 12 orders, the oldest of the first page.
async fn restore_oldest(scene: &Scene, answer: &str) -> Shown {
    scene.clock.forward(TimeDelta::seconds(1));
    let question = scene.choose(scene.archives().len() - 1).await;
    assert!(question.plain.contains("В бекапе: 12 заказов"), "{question}");
    scene.admin.press_on(question.id, YES).await;
    let told = scene.admin.wait_for(answer).await;
    assert_eq!(told.id, question.id);
    told
}

#[tokio::test]
async fn a_source_that_lies_is_found_out_and_taken_back() {
    let (scene, liar) = lying().await;
    for (lie, lines) in [
        (Lie::DropsARecord, "В бекапе: 5 отзывов\nПосле восстановления: 4 отзыва"),
        (Lie::ChangesAValue, "Записей столько же, но не те, что в бекапе: 5 отзывов"),
        (Lie::MovesARecord, "Записей столько же, но не те, что в бекапе: 12 заказов"),
        (
            Lie::RestoresNothing,
            "В бекапе: 12 заказов, 5 отзывов\nПосле восстановления: 1 заказ, 0 отзывов",
        ),
    ] {
        liar.lie([lie]);
        let told = restore_oldest(&scene, TAKEN_BACK).await;
        assert!(told.plain.contains(&format!("\n\n{lines}\n\n")), "{lie:?}: {told}");
        assert_eq!(scene.shop().await, shop(1, 0), "{lie:?}");
        assert!(told.button(KEEP).is_some() && told.buttons.len() == 1, "{told}");
        // four archives are on the page with the oldest
        forget_the_others(&scene);
    }
    restore_oldest(&scene, "✅ Готово!").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

/// Keeps but the first archive.
fn forget_the_others(scene: &Scene) {
    for name in scene.archives().into_iter().skip(1) {
        fs::remove_file(scene.folder().join(name)).expect("removed");
    }
}

#[tokio::test]
async fn other_lies_are_found_out_as_well() {
    let (scene, liar) = lying().await;
    for (lie, lines) in [
        (Lie::AddsARecord, "В бекапе: 5 отзывов\nПосле восстановления: 6 отзывов"),
        (Lie::SwapsTwoRecords, "Записей столько же, но не те, что в бекапе: 12 заказов"),
        (Lie::MixesSections, "В бекапе: 5 отзывов\nПосле восстановления: 0 отзывов"),
        (Lie::LosesASection, "В бекапе: 5 отзывов\nПосле восстановления: 0 отзывов"),
    ] {
        liar.lie([lie]);
        let told = restore_oldest(&scene, TAKEN_BACK).await;
        assert!(told.plain.contains(&format!("\n\n{lines}\n\n")), "{lie:?}: {told}");
        assert_eq!(scene.shop().await, shop(1, 0), "{lie:?}");
        forget_the_others(&scene);
    }
    scene.finish().await;
}

#[tokio::test]
async fn whoever_wants_what_a_lie_has_left_can_keep_it() {
    let (scene, liar) = lying().await;
    liar.lie([Lie::DropsARecord]);
    let told = restore_oldest(&scene, TAKEN_BACK).await;
    scene.admin.press_on(told.id, KEEP).await;
    scene.admin.wait_for("✅ Готово, в боте теперь то, что получилось при восстановлении").await;
    assert_eq!(scene.shop().await, shop(12, 4));
    // and that can be undone as any restore
    scene.admin.press(UNDO).await;
    let undone = scene.admin.wait_for("Возвращено: 1 заказ, 0 отзывов").await;
    assert!(undone.plain.starts_with("↩️ Восстановление отменено, данные снова"), "{undone}");
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn whoever_wants_what_an_undo_has_left_can_keep_it() {
    let (scene, liar) = lying().await;
    let done = restore_oldest(&scene, "✅ Готово!").await;
    liar.lie([Lie::RestoresNothing]);
    scene.admin.press_on(done.id, UNDO).await;
    let told = scene.admin.wait_for(TAKEN_BACK).await;
    scene.admin.press_on(told.id, KEEP).await;
    scene.admin.wait_for("✅ Готово, в боте теперь то, что получилось при восстановлении").await;
    scene.admin.press(REDO).await;
    scene.admin.wait_for("↩️ Готово, данные снова такие, как до отмены").await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

#[tokio::test]
async fn who_has_chosen_is_not_overruled() {
    let (scene, liar) = lying().await;
    liar.lie([Lie::DropsARecord]);
    let told = restore_oldest(&scene, TAKEN_BACK).await;
    // as where something else than an update changes the data all the time
    liar.lie([Lie::ChangesAValue]);
    scene.admin.press_on(told.id, KEEP).await;
    let kept = scene.admin.wait_for("⚠️ Данные загружены из бекапа").await;
    assert!(kept.plain.contains("Записей столько же, но не те, что в бекапе: 4 отзыва"), "{kept}");
    assert_eq!(scene.shop().await.reviews[0].text, "другой");
    scene.admin.press_on(kept.id, UNDO).await;
    scene.admin.wait_for("Возвращено: 1 заказ, 0 отзывов").await;
    scene.finish().await;
}

#[tokio::test]
async fn an_undo_that_lies_is_taken_back() {
    let (scene, liar) = lying().await;
    let done = restore_oldest(&scene, "✅ Готово!").await;
    liar.lie([Lie::RestoresNothing]);
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for(TAKEN_BACK).await;
    assert_eq!(scene.shop().await, shop(12, 5));
    scene.finish().await;
}

#[tokio::test]
async fn data_that_cannot_be_read_after_a_restore_are_taken_back() {
    let (scene, liar) = lying().await;
    liar.lie([Lie::Breaks]);
    let told = restore_oldest(&scene, UNREADABLE).await;
    assert!(told.plain.contains("the file is not a database"), "{told}");
    // what cannot be read cannot be kept
    assert!(told.buttons.is_empty(), "{told}");
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.finish().await;
}

#[tokio::test]
async fn what_cannot_be_taken_back_either_is_said_with_the_way_back() {
    for again in [Lie::DropsARecord, Lie::Breaks, Lie::FailsHalfWay, Lie::PanicsHalfWay] {
        let (scene, liar) = lying().await;
        scene.set_shop(shop(7, 3)).await;
        liar.lie([Lie::ChangesAValue, again]);
        let told = restore_oldest(&scene, UNCLEAR).await;
        scene.admin.press_on(told.id, UNDO).await;
        scene
            .admin
            .wait_for(if again == Lie::Breaks {
                "прочитать не получилось"
            } else {
                "Возвращено: 7 заказов, 3 отзыва"
            })
            .await;
        if again == Lie::Breaks {
            scene.admin.press(YES).await;
            scene.admin.wait_for("✅ Готово!").await;
        }
        assert_eq!(scene.shop().await, shop(7, 3), "{again:?}");
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_source_that_says_it_has_failed_is_believed_only_if_nothing_has_changed() {
    let (scene, liar) = lying().await;
    for lie in [Lie::FailsAfterIt, Lie::FailsHalfWay] {
        liar.lie([lie]);
        let told = restore_oldest(&scene, UNCLEAR).await;
        assert_eq!(scene.shop().await.orders, shop(12, 0).orders, "{lie:?}");
        scene.admin.press_on(told.id, UNDO).await;
        scene.admin.wait_for("↩️ Восстановление отменено").await;
        assert_eq!(scene.shop().await, shop(1, 0), "{lie:?}");
        forget_the_others(&scene);
        scene.sandbox.settled().await;
    }
    scene.finish().await;
}

#[tokio::test]
async fn without_a_safety_backup_a_difference_is_said() {
    let (scene, liar) = lying().await;
    liar.set_broken(true);
    liar.lie([Lie::DropsARecord]);
    let told = restore_oldest(&scene, "⚠️ Данные загружены из бекапа").await;
    let lines = "В бекапе: 5 отзывов\nСейчас в боте: 4 отзыва\n\nТо, что было до восстановления, \
        сохранить не получалось";
    assert!(told.plain.contains(lines) && told.buttons.is_empty(), "{told}");
    scene.set_shop(shop(1, 0)).await;
    // nobody can say what is live where the source fails then
    liar.set_broken(true);
    liar.lie([Lie::FailsHalfWay]);
    let told = restore_oldest(&scene, UNCLEAR).await;
    assert!(told.buttons.is_empty(), "{told}");
    scene.finish().await;
}

#[tokio::test]
async fn what_writes_without_an_update_is_taken_for_a_difference() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    scene.source.hold_at(Step::Restore);
    let exports = scene.source.count(Step::Export);
    scene.admin.press_on(question.id, YES).await;
    scene.source.reached(Step::Restore, 1).await;
    scene.source.hold_at(Step::Export);
    scene.source.reached(Step::Export, exports + 2).await;
    scene.set_shop(shop(12, 6)).await;
    scene.source.release();
    let told = scene.admin.wait_for(TAKEN_BACK).await;
    assert_eq!(scene.shop().await, shop(1, 0));
    scene.admin.press_on(told.id, KEEP).await;
    scene.admin.wait_for("✅ Готово, в боте теперь").await;
    assert_eq!(scene.shop().await, shop(12, 6));
    scene.finish().await;
}

#[tokio::test]
async fn what_is_right_is_read_once_more_and_no_more() {
    let scene = Scene::start().await;
    scene.back_up().await;
    scene.set_shop(shop(1, 0)).await;
    let question = scene.choose_newest().await;
    let exports = scene.source.count(Step::Export);
    scene.admin.press_on(question.id, YES).await;
    scene.admin.wait_for("✅ Готово!").await;
    // to save what was live, and to compare what is
    assert_eq!(scene.source.count(Step::Export), exports + 2);
    scene.finish().await;
}

/// The same orders in the containers that keep no order, with what JSON can hardly hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Hashed {
    orders: HashMap<u64, HashMap<String, Order>>,
    seen: HashSet<String>,
    prices: HashMap<String, f64>,
    largest: u64,
    least: i64,
    nothing: Option<String>,
    empty: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<u64>,
}

fn hashed(many: u64) -> Hashed {
    let orders = shop(many, 0).orders.into_iter();
    Hashed {
        orders: orders.map(|(client, orders)| (client, orders.into_iter().collect())).collect(),
        seen: (0..many).map(|number| format!("Клиент «{number}»\u{0}\n")).collect(),
        prices: [0.1, 1.0, -0.0, 1e300, f64::MIN_POSITIVE, 9_007_199_254_740_993.0]
            .into_iter()
            .enumerate()
            .map(|(number, price)| (number.to_string(), price))
            .collect(),
        largest: u64::MAX,
        least: i64::MIN,
        ..Hashed::default()
    }
}

/// A scene whose bot has this state, with a backup of it.
async fn scene_of<T>(state: &Arc<RwLock<T>>) -> Scene
where
    T: Serialize + for<'de> Deserialize<'de> + Clone + Send + Sync + 'static,
{
    let mut scene = Scene::prepare(|builder| builder).await;
    scene.begin_with(&scene.plugin_of(Shared::new(Arc::clone(state))));
    scene.back_up().await;
    scene.clock.forward(TimeDelta::hours(1));
    scene
}

#[tokio::test]
async fn data_without_an_order_are_the_same_in_any() {
    let before = hashed(200);
    let state = Arc::new(RwLock::new(before.clone()));
    let scene = scene_of(&state).await;
    let other = Hashed { left_out: vec![7], nothing: Some("x".to_owned()), ..hashed(3) };
    *state.write().await = other.clone();
    let done = scene.restore_newest().await;
    assert_eq!(*state.read().await, before);
    scene.admin.press_on(done.id, UNDO).await;
    scene.admin.wait_for("↩️ Восстановление отменено").await;
    assert_eq!(*state.read().await, other);
    // and nothing at all is the same as well
    *state.write().await = Hashed::default();
    scene.clock.forward(TimeDelta::hours(1));
    scene.back_up().await;
    *state.write().await = before;
    scene.clock.forward(TimeDelta::hours(1));
    scene.restore_far_fewer().await;
    assert_eq!(*state.read().await, Hashed::default());
    scene.finish().await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Client {
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Earlier {
    clients: HashMap<u64, Client>,
    old_name: Vec<u64>,
    gone: Vec<u64>,
}

/// A newer version of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NewClient {
    name: String,
    #[serde(default)]
    bonus: u64,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    limits: Limits,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Limits {
    daily: f64,
    hosts: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Later {
    clients: HashMap<u64, NewClient>,
    #[serde(alias = "old_name")]
    new_name: Vec<u64>,
    #[serde(default)]
    settings: Limits,
}

#[tokio::test]
async fn new_fields_new_names_and_new_sections_are_no_difference() {
    let client = |number: u64| (number, Client { name: format!("Клиент {number}") });
    let earlier =
        Earlier { clients: (0..50).map(client).collect(), old_name: vec![1, 2], gone: vec![3] };
    let mut scene = scene_of(&Arc::new(RwLock::new(earlier))).await;
    scene.stop().await;
    let later = Arc::new(RwLock::new(Later::default()));
    scene.begin_with(&scene.plugin_of(Shared::new(Arc::clone(&later))));
    scene.restore_newest().await;
    let restored = later.read().await.clone();
    assert_eq!((restored.clients.len(), restored.new_name), (50, vec![1, 2]));
    scene.finish().await;
}

/// Orders, from each of which a part was taken away since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Names {
    clients: HashMap<u64, Option<String>>,
}

struct Migrating(Arc<RwLock<Names>>);

impl DataSource for Migrating {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("clients")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        Shared::new(self.0.clone()).export(out).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let clients: HashMap<u64, Client> = data.value("clients")?.unwrap_or_default();
        // who has no name is no client any more
        let named = clients.into_iter().filter(|(_, client)| !client.name.is_empty());
        self.0.write().await.clients =
            named.map(|(number, client)| (number, Some(client.name))).collect();
        Ok(())
    }
}

#[tokio::test]
async fn another_version_may_have_other_records_but_is_looked_at() {
    for (nameless, answer) in [(0, "✅ Готово!"), (2, "⚠️ Данные загружены из бекапа")]
    {
        let client = |number: u64| {
            let name =
                if number < nameless { String::new() } else { format!("Клиент {number}") };
            (number, Client { name })
        };
        let earlier = Earlier { clients: (0..9).map(client).collect(), ..Earlier::default() };
        let version = Arc::new(AtomicU32::new(1));
        let own = Arc::clone(&version);
        let settings =
            move |builder: BackupPluginBuilder| builder.schema_version(own.load(Ordering::Relaxed));
        let mut scene = Scene::prepare(settings).await;
        scene.begin_with(&scene.plugin_of(Shared::new(Arc::new(RwLock::new(earlier)))));
        scene.back_up().await;
        scene.stop().await;
        version.store(2, Ordering::Relaxed);
        let names = Arc::new(RwLock::new(Names::default()));
        scene.begin_with(&scene.plugin_of(Migrating(Arc::clone(&names))));
        let question = scene.choose_newest().await;
        scene.admin.press_on(question.id, YES).await;
        let told = scene.admin.wait_for(answer).await;
        if nameless > 0 {
            let lines = "В бекапе: clients: 9\nСейчас в боте: clients: 7\n\nЭтот бекап сделал другой бот или другая его версия";
            assert!(told.plain.contains(lines) && told.button(UNDO).is_some(), "{told}");
        }
        assert_eq!(names.read().await.clients.len() as u64, 9 - nameless);
        scene.finish().await;
    }
}
