//! Data that have not changed: no twin is made of the last backup, which is proved again, and no slot
//! is lost by that.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Europe::Berlin;
use support::canary;
use support::clock::TestClock;
use support::forward::forward;
use support::{Scene, client, shop};
use telegram_sandbox::{Person, Sandbox};
use teloxide::Bot;
use teloxide::types::{Update, UserId};
use teloxide_backup::{
    BackupId, BackupPlugin, BackupPluginBuilder, BackupTask, Clock, Days, Draft, MemoryStorage,
    Readable, Shared, Storage,
};
use tokio::sync::RwLock;

mod support;

const ADMIN: u64 = 42;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const MADE: &str = "Бекап по расписанию создан";
const SAME: &str = "Бекап по расписанию: без изменений";
const NOT_MADE: &str = "Бекап по расписанию не создан";
const WORKS: &str = "Бекапы по расписанию снова работают";

/// Lets the paused time go by; all that falls due meanwhile happens.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What becomes of what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Paper {
    #[default]
    Good,
    /// There is no room for an archive.
    Full,
    /// No note can be written.
    Refuses,
    /// Notes are taken, and gone.
    Forgets,
}

/// A storage in memory, of which a test says what it does.
#[derive(Clone, Default)]
struct Place(MemoryStorage, Arc<Mutex<Paper>>);

impl Place {
    fn set(&self, paper: Paper) {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = paper;
    }

    fn is(&self, paper: Paper) -> bool {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) == paper
    }
}

impl Storage for Place {
    forward!(0: name path prepare lock claim list open delete read_state);

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        if self.is(Paper::Full) { Err(io::ErrorKind::StorageFull.into()) } else { self.0.draft() }
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        match *self.1.lock().unwrap_or_else(PoisonError::into_inner) {
            Paper::Refuses => Err(io::ErrorKind::StorageFull.into()),
            Paper::Forgets => Ok(()),
            Paper::Good | Paper::Full => self.0.write_state(state),
        }
    }
}

type State = Arc<RwLock<BTreeMap<String, Vec<u32>>>>;

/// A bot with a backup a week, its administrator, its data and its place.
struct World {
    sandbox: Sandbox,
    anna: Person,
    clock: TestClock,
    place: Place,
    state: State,
}

impl World {
    async fn new() -> Self {
        canary::listen();
        let sandbox = Sandbox::start().await;
        let anna = sandbox.newcomer(ADMIN.cast_signed(), "Anna").await;
        let clock = TestClock::at("2026-01-15 12:00:00", Berlin);
        let numbers = (0..5000_u32).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
        let state = BTreeMap::from([("numbers".to_owned(), numbers)]);
        let state = Arc::new(RwLock::new(state));
        Self { sandbox, anna, clock, place: Place::default(), state }
    }

    /// The same with an administrator who hears the bot.
    async fn heard() -> Self {
        let world = Self::new().await;
        world.anna.send("/start").await;
        world
    }

    fn builder(&self) -> BackupPluginBuilder {
        self.builder_of(client(&self.sandbox))
    }

    fn builder_of(&self, bot: Bot) -> BackupPluginBuilder {
        BackupPlugin::builder(bot, Shared::new(Arc::clone(&self.state)))
            .admin(UserId(ADMIN))
            .storage(self.place.clone())
            .clock(self.clock.clone())
            .every(Days::new(7))
            .keep(100)
    }

    fn start(&self) -> BackupTask {
        self.builder().build().expect("a plugin").spawn()
    }

    /// Lets the bot run for so long.
    async fn run(&self, time: Duration) {
        let task = self.start();
        pass(time).await;
        task.shutdown().await;
    }

    async fn change(&self) {
        self.state.write().await.get_mut("numbers").expect("numbers").push(7);
    }

    fn archives(&self) -> Vec<BackupId> {
        let found = self.place.list().expect("a list");
        let mut ids: Vec<_> = found.into_iter().map(|(id, _)| id).collect();
        ids.sort();
        ids
    }

    fn backups(&self) -> usize {
        self.archives().len()
    }

    fn bytes(&self, id: &BackupId) -> Vec<u8> {
        self.place.0.get(id).expect("an archive").to_vec()
    }

    /// How often the bot has told the administrator this.
    fn told(&self, part: &str) -> usize {
        let messages = self.anna.chat().messages;
        messages.iter().filter(|message| message.plain.contains(part)).count()
    }

    /// How often it has told of a backup, and of one that was not needed.
    fn news(&self) -> (usize, usize) {
        (self.told(MADE), self.told(SAME))
    }

    fn notebook(&self) -> serde_json::Value {
        let state = self.place.read_state().expect("read").expect("a notebook");
        serde_json::from_slice(&state).expect("JSON")
    }

    /// What the only bot there is has noted.
    fn notes(&self) -> serde_json::Value {
        let bots = self.notebook()["bots"].clone();
        bots.as_object().expect("bots").values().next().expect("a bot").clone()
    }

    /// The same, changed by a test.
    fn annotate(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut state = self.notebook();
        let bots = state["bots"].as_object_mut().expect("bots");
        change(bots.values_mut().next().expect("a bot"));
        self.place.write_state(state.to_string().as_bytes()).expect("written");
    }

    async fn finish(self) {
        self.sandbox.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_slot_without_a_change_is_told_of_once_and_at_its_time_over_restarts() {
    let world = World::heard().await;
    let mut task = world.start();
    pass(MINUTE).await;
    let made = world.archives();
    let whole = world.bytes(&made[0]);
    let mut slots: Vec<usize> = Vec::new();
    for hour in 1..=24 * 30 {
        pass(HOUR).await;
        slots.extend((slots.len()..world.told(SAME)).map(|_| hour));
        if hour % 50 == 0 {
            task.shutdown().await;
            task = world.start();
        }
    }
    assert_eq!(slots, [7, 14, 21, 28].map(|days| days * 24));
    task.shutdown().await;
    assert_eq!((world.news(), world.archives()), ((1, 4), made.clone()));
    assert_eq!(world.bytes(&made[0]), whole);
    assert_eq!(world.told(&made[0].to_string()), 5, "each of them names it");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_makes_a_backup_and_that_is_the_last_one_from_then_on() {
    let world = World::heard().await;
    let task = world.start();
    pass(8 * DAY).await;
    world.change().await;
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((2, 1), 2));
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((2, 2), 2));
    let newest = world.archives()[1].to_string();
    assert_eq!(world.told(&newest), 2);
    // what it was before: that is no twin of the last one
    world.state.write().await.get_mut("numbers").expect("numbers").pop();
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((3, 2), 3));
    task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_switches_it_off_gets_a_backup_each_time() {
    let world = World::heard().await;
    let task = world.builder().skip_unchanged(false).build().expect("a plugin").spawn();
    pass(21 * DAY + HOUR).await;
    task.shutdown().await;
    assert_eq!((world.news(), world.backups()), ((4, 0), 4));
    world.finish().await;
}

/// `/backup`, as the administrator types it.
fn backup_command() -> Update {
    // as text, since teloxide wants the id of an update before its content
    serde_json::from_str(
        r#"{ "update_id": 1, "message": {
            "message_id": 1, "date": 1770000000, "text": "/backup",
            "from": { "id": 42, "is_bot": false, "first_name": "Anna" },
            "chat": { "id": 42, "type": "private", "first_name": "Anna" }
        } }"#,
    )
    .expect("an update")
}

#[tokio::test(start_paused = true)]
async fn a_backup_by_hand_is_always_made_and_may_be_the_last_one() {
    let world = World::heard().await;
    let plugin = world.builder().build().expect("a plugin");
    let task = plugin.spawn();
    pass(3 * DAY).await;
    for _ in 0..2 {
        let tree = plugin.handler::<anyhow::Error>();
        let outcome = tree.dispatch(dptree::deps![backup_command()]).await;
        assert!(matches!(outcome, std::ops::ControlFlow::Break(Ok(()))), "it is the plugin's");
        pass(MINUTE).await;
    }
    assert_eq!(world.backups(), 3);
    pass(6 * DAY + 23 * HOUR).await;
    assert_eq!(world.news(), (1, 0), "it is not due yet");
    pass(HOUR).await;
    let by_hand = world.archives()[2].to_string();
    let told = world.anna.chat().messages;
    let told = told.iter().find(|message| message.plain.contains(SAME)).expect("it is told");
    assert!(told.plain.contains(&by_hand), "{}", told.plain);
    assert_eq!(world.backups(), 3);
    task.shutdown().await;
    world.finish().await;
}

/// What may have become of the last backup until the next one is due.
type Damage = fn(&World, &BackupId);

fn flip(world: &World, id: &BackupId) {
    let mut bytes = world.bytes(id);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.place.0.insert(id.clone(), bytes);
}

fn cut(world: &World, id: &BackupId) {
    let bytes = world.bytes(id);
    world.place.0.insert(id.clone(), &bytes[..bytes.len() / 2]);
}

fn remove(world: &World, id: &BackupId) {
    world.place.delete(id).expect("removed");
}

#[tokio::test(start_paused = true)]
async fn a_last_backup_that_is_not_good_any_more_is_made_anew() {
    let damages: [(&str, Damage, usize); 3] =
        [("flipped", flip, 3), ("cut", cut, 3), ("removed", remove, 2)];
    for (damage, destroy, backups) in damages {
        let world = World::heard().await;
        let task = world.start();
        pass(6 * DAY).await;
        world.change().await;
        pass(2 * DAY).await;
        let last = world.archives()[1].clone();
        destroy(&world, &last);
        pass(7 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((3, 0), backups), "{damage}");
        let newest = world.archives()[backups - 1].to_string();
        // and that one is good
        pass(7 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((3, 1), backups), "{damage}");
        assert_eq!(world.told(&newest), 2, "{damage}");
        task.shutdown().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_backup_goes_for_the_sake_of_one_that_was_found_damaged() {
    let world = World::heard().await;
    let task = world.builder().keep(2).build().expect("a plugin").spawn();
    pass(6 * DAY).await;
    world.change().await;
    pass(2 * DAY).await;
    let made = world.archives();
    flip(&world, &made[1]);
    pass(7 * DAY).await;
    // two that are good, and the one that is not
    assert_eq!((world.backups(), world.archives()[..2].to_vec()), (3, made));
    task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn where_no_note_stays_each_slot_has_a_backup_and_there_is_no_storm() {
    for paper in [Paper::Refuses, Paper::Forgets] {
        let world = World::heard().await;
        let task = world.start();
        pass(DAY).await;
        world.place.set(paper);
        pass(20 * DAY + HOUR).await;
        task.shutdown().await;
        assert_eq!((world.told(SAME), world.backups()), (0, 4), "{paper:?}");
        world.run(DAY).await;
        assert_eq!(world.backups(), 4, "{paper:?}: none at a restart");
        // once it is good again, so are the notes
        world.place.set(Paper::Good);
        world.run(7 * DAY).await;
        assert_eq!((world.told(SAME), world.backups()), (1, 4), "{paper:?}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_notebook_that_is_lost_costs_a_look_and_no_backup() {
    let world = World::heard().await;
    world.run(8 * DAY).await;
    world.annotate(|notes| *notes = serde_json::json!({}));
    world.run(DAY).await;
    assert_eq!((world.news(), world.backups()), ((1, 2), 1), "it is due by the archive's time");
    world.run(6 * DAY + 23 * HOUR).await;
    assert_eq!((world.news(), world.backups()), ((1, 3), 1));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_stands_for_nothing_once_its_archive_is_gone_or_another() {
    for damage in [remove as Damage, cut] {
        let world = World::heard().await;
        world.run(8 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((1, 1), 1));
        world.run(DAY).await;
        assert_eq!(world.news(), (1, 1), "as long as it is there, nothing is due");
        damage(&world, &world.archives()[0]);
        world.run(MINUTE).await;
        assert_eq!(world.news(), (2, 1), "at once");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_bot_has_made_or_a_person_has_sent_is_never_the_last_one() {
    for theirs in [true, false] {
        let world = World::heard().await;
        world.run(DAY).await;
        world.change().await;
        // the data of today, in an archive that is newer than the bot's own
        let url = "http://127.0.0.1:1".parse().expect("an address");
        let token = if theirs { "888:token".to_owned() } else { world.sandbox.token() };
        let other = world.builder_of(Bot::new(token).set_api_url(url));
        let other = other.storage(if theirs { world.place.clone() } else { Place::default() });
        let elsewhere = Place::default();
        let other = if theirs { other } else { other.storage(elsewhere.clone()) };
        let task = other.build().expect("a plugin").spawn();
        pass(MINUTE).await;
        task.shutdown().await;
        if !theirs {
            let (id, _) = elsewhere.list().expect("a list").remove(0);
            world.place.0.insert(id.clone(), elsewhere.0.get(&id).expect("an archive"));
            let received = serde_json::json!({ "at": world.clock.now(), "new": true });
            world.annotate(|notes| notes["received"][id.to_string()] = received);
        }
        assert_eq!(world.backups(), 2);
        world.run(7 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((2, 0), 3), "another bot's: {theirs}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_backup_that_stands_for_a_new_one_does_not_go_for_the_sake_of_one_that_was_sent() {
    let world = World::heard().await;
    world.run(MINUTE).await;
    let own = world.archives().remove(0);
    // another state of the same bot, newer than its last backup
    let before = world.state.read().await.clone();
    world.change().await;
    pass(DAY).await;
    let elsewhere = Place::default();
    let task = world.builder().storage(elsewhere.clone()).build().expect("a plugin").spawn();
    pass(MINUTE).await;
    task.shutdown().await;
    let (id, _) = elsewhere.list().expect("a list").remove(0);
    world.place.0.insert(id.clone(), elsewhere.0.get(&id).expect("an archive"));
    let received = serde_json::json!({ "at": world.clock.now(), "new": true });
    world.annotate(|notes| notes["received"][id.to_string()] = received);
    *world.state.write().await = before;

    let task = world.builder().keep(1).build().expect("a plugin").spawn();
    pass(9 * DAY).await;
    task.shutdown().await;
    assert_eq!(world.told(SAME), 1);
    assert!(world.archives().contains(&own), "{:?}", world.archives());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn data_of_another_version_of_the_host_are_other_data() {
    let world = World::heard().await;
    world.run(DAY).await;
    let task = world.builder().schema_version(2).build().expect("a plugin").spawn();
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((2, 0), 2));
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((2, 1), 2));
    task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_archive_of_the_future_is_no_reason_for_a_twin() {
    let world = World::heard().await;
    world.run(DAY).await;
    let mut draft = world.place.draft().expect("a draft");
    io::Write::write_all(&mut draft, b"no archive").expect("written");
    let future = BackupId::parse("backup_20991231_000000.zip").expect("a name");
    assert!(draft.publish(&future).expect("published"));
    world.run(7 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((1, 1), 2));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_of_what_would_come_back_as_other_data_are_a_failure() {
    let world = World::heard().await;
    // `null` both times
    let state = Arc::new(RwLock::new(BTreeMap::from([("name".to_owned(), None::<Option<u8>>)])));
    let source = Shared::new(Arc::clone(&state));
    let task = BackupPlugin::builder(client(&world.sandbox), source)
        .admin(UserId(ADMIN))
        .storage(world.place.clone())
        .clock(world.clock.clone())
        .build()
        .expect("a plugin")
        .spawn();
    pass(DAY).await;
    let proofs = || world.notes()["proofs"].clone();
    let proved = proofs();
    assert_eq!((world.news(), proved.as_object().expect("proofs").len()), ((1, 0), 1));
    state.write().await.insert("name".to_owned(), Some(None));
    pass(7 * DAY).await;
    assert_eq!((world.news(), world.told(NOT_MADE), world.backups()), ((1, 0), 1, 1));
    assert_eq!(proofs(), proved, "that one is as good as it was");
    task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_programs_one_looks_and_the_other_goes_on_from_there() {
    let world = World::heard().await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(15 * DAY).await;
    assert_eq!((world.news(), world.backups()), ((1, 2), 1));
    first.shutdown().await;
    pass(5 * DAY + 23 * HOUR).await;
    assert_eq!(world.news(), (1, 2), "nothing is due before its time");
    pass(2 * HOUR).await;
    assert_eq!((world.news(), world.backups()), ((1, 3), 1));
    second.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_slot_without_a_change_ends_a_failure_that_was_told() {
    let world = World::heard().await;
    let task = world.start();
    pass(DAY).await;
    world.place.set(Paper::Full);
    pass(7 * DAY).await;
    assert_eq!((world.told(NOT_MADE), world.told(WORKS)), (1, 0));
    world.place.set(Paper::Good);
    pass(2 * DAY).await;
    assert_eq!((world.told(WORKS), world.news(), world.backups()), (1, (1, 1), 1));
    let messages = world.anna.chat().messages;
    assert!(messages.iter().any(|m| m.plain.contains(WORKS) && m.plain.contains(SAME)));
    pass(7 * DAY).await;
    assert_eq!((world.told(WORKS), world.news()), (1, (1, 2)));
    task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn news_of_no_change_are_kept_until_somebody_hears_them() {
    for restarted in [false, true] {
        let world = World::new().await;
        let mut task = world.start();
        // of the backup nobody hears either: the later news are about it too
        pass(8 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((0, 0), 1));
        if restarted {
            task.shutdown().await;
            task = world.start();
        }
        world.anna.send("/start").await;
        pass(2 * DAY).await;
        assert_eq!((world.news(), world.backups()), ((0, 1), 1), "restarted: {restarted}");
        task.shutdown().await;
        world.run(DAY).await;
        assert_eq!(world.news(), (0, 1), "restarted: {restarted}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_person_sees_until_when_the_last_backup_holds_all() {
    let mut scene = Scene::prepare(|builder| builder.enabled(true)).await;
    scene.begin();
    let made = scene.admin.wait_for(MADE).await;
    assert!(made.plain.contains("backup_20260201_143025.zip"), "{}", made.plain);
    scene.stop().await;
    scene.clock.forward(TimeDelta::days(7));
    scene.begin();
    let same = scene.admin.wait_for(SAME).await;
    let [_, path, _, created, ..] = same.plain.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", same.plain)
    };
    assert!(path.ends_with("backup_20260201_143025.zip"), "{path}");
    assert_eq!(created, "Создан: 2026-02-01T14:30:25");
    assert_eq!(scene.archives(), ["backup_20260201_143025.zip"]);

    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("Список бекапов").await;
    assert!(list.plain.contains("До 2026-02-08T14:30:25 без изменений, проверен"), "{list:?}");
    scene.admin.send("/backup_settings").await;
    let settings = scene.admin.wait_for("Настройки автоматического бекапа").await.plain;
    let shown = "Последний бекап: 2026-02-01 14:30:25, без изменений до 2026-02-08 14:30:25";
    assert!(settings.contains(shown), "{settings}");
    assert!(settings.contains("Следующий бекап: 2026-02-15 14:30:25"), "{settings}");

    // of a newer one it is the last no more
    scene.clock.forward(TimeDelta::days(1));
    scene.set_shop(shop(3, 1)).await;
    assert_eq!(scene.back_up().await, "backup_20260209_143025.zip");
    scene.admin.send("/backup_settings").await;
    let shown = "Последний бекап: 2026-02-09 14:30:25\n";
    scene.admin.wait_for(shown).await;
    scene.finish().await;
}
