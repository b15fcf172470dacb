//! Several copies of one bot on one place: one makes the scheduled backups, the others stand by.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chrono_tz::Europe::Berlin;
use forward::forward;
use telegram_sandbox::{Person, Sandbox};
use teloxide::Bot;
use teloxide::types::{Update, UserId};
use teloxide_backup::{
    BackupId, BackupPlugin, BackupTask, Days, Draft, FolderStorage, MemoryStorage, Readable,
    Shared, Storage,
};
use tokio::sync::RwLock;

#[path = "support/canary.rs"]
mod canary;
#[path = "support/clock.rs"]
mod clock;
#[path = "../src/storage/forward.rs"]
mod forward;
use clock::TestClock;

const ADMIN: u64 = 42;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lets the paused time go by; all that falls due meanwhile happens.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A bot, its administrator and the place that its copies share.
struct World<S> {
    sandbox: Sandbox,
    anna: Person,
    clock: TestClock,
    storage: S,
}

/// One copy of the bot that runs.
struct Copy {
    plugin: BackupPlugin,
    task: BackupTask,
}

impl<S: Storage + Clone> World<S> {
    async fn new(storage: S) -> Self {
        canary::listen();
        let sandbox = Sandbox::start().await;
        let anna = sandbox.person(ADMIN.cast_signed(), "Anna").await;
        Self { sandbox, anna, clock: TestClock::at("2026-01-15 12:00:00", Berlin), storage }
    }

    fn plugin(&self) -> BackupPlugin {
        let bot = Bot::new(self.sandbox.token());
        let bot = bot.set_api_url(self.sandbox.url().parse().expect("an address"));
        let state = BTreeMap::from([("notes".to_owned(), [1, 2, 3])]);
        BackupPlugin::builder(bot, Shared::new(Arc::new(RwLock::new(state))))
            .admin(UserId(ADMIN))
            .storage(self.storage.clone())
            .clock(self.clock.clone())
            .every(Days::new(1))
            .keep(100_000)
            // its data never change, and each backup is to be seen
            .skip_unchanged(false)
            .build()
            .expect("a plugin")
    }

    fn start(&self) -> Copy {
        let plugin = self.plugin();
        Copy { task: plugin.spawn(), plugin }
    }

    fn backups(&self) -> usize {
        self.storage.list().expect("a list").len()
    }

    /// How often the bot has told the administrator this.
    fn told(&self, part: &str) -> usize {
        let messages = self.anna.chat().messages;
        messages.iter().filter(|message| message.plain.contains(part)).count()
    }

    async fn finish(self) {
        self.sandbox.finish().await;
    }
}

impl Copy {
    /// Brings a command to this copy, whichever of them Telegram would ask.
    async fn command(&self, text: &str) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let anna = format!(r#""id": {ADMIN}, "first_name": "Anna""#);
        // as text, since teloxide wants the id of an update before its content
        let update = format!(
            r#"{{ "update_id": {number}, "message": {{
                "message_id": 5, "date": 1770000000, "text": "{text}",
                "from": {{ {anna}, "is_bot": false }}, "chat": {{ {anna}, "type": "private" }}
            }} }}"#
        );
        let update: Update = serde_json::from_str(&update).expect("an update");
        let tree = self.plugin.handler::<anyhow::Error>();
        let outcome = tree.dispatch(dptree::deps![update]).await;
        assert!(matches!(outcome, std::ops::ControlFlow::Break(Ok(()))), "it is the plugin's");
        pass(Duration::from_secs(1)).await;
    }
}

const RUNS_TWICE: &str = "Бот запущен дважды";
const ELSEWHERE: &str = "его сделает другая запущенная копия бота";

#[tokio::test(start_paused = true)]
async fn of_two_copies_one_makes_the_backups_and_the_other_takes_over() {
    let world = World::new(MemoryStorage::new()).await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(10 * DAY).await;
    assert_eq!(world.backups(), 11, "one a day");
    first.task.shutdown().await;
    pass(DAY).await;
    assert_eq!(world.backups(), 12, "the second has taken over");
    // and the next one waits for it in turn
    let third = world.start();
    pass(DAY).await;
    assert_eq!(world.backups(), 13);
    second.task.shutdown().await;
    third.task.shutdown().await;
    assert_eq!(world.told("Бекап по расписанию создан"), 13);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_copy_that_stands_by_says_so_and_what_is_asked_of_it_works() {
    let world = World::new(MemoryStorage::new()).await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(MINUTE).await;
    second.command("/backup_settings").await;
    assert_eq!(world.told(&format!("Следующий бекап: {ELSEWHERE}")), 1);
    first.command("/backup_settings").await;
    assert_eq!(world.told("Следующий бекап: 2026-01-16 12:00"), 1);
    pass(MINUTE).await;
    second.command("/backup").await;
    assert_eq!((world.told("Бекап создан успешно"), world.backups()), (1, 2));
    first.task.shutdown().await;
    pass(MINUTE).await;
    second.command("/backup_settings").await;
    assert_eq!(world.told("Следующий бекап: 2026-01-16 12:03"), 1, "now it is its own");
    second.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_not_told_of_and_a_copy_that_stays_is_told_of_once() {
    let world = World::new(MemoryStorage::new()).await;
    let mut running = world.start();
    pass(MINUTE).await;
    for _ in 0..5 {
        let next = world.start();
        pass(9 * MINUTE).await;
        running.task.shutdown().await;
        pass(HOUR).await;
        running = next;
    }
    assert_eq!(world.told(RUNS_TWICE), 0);
    let too_many = world.start();
    pass(11 * MINUTE).await;
    assert_eq!(world.told(RUNS_TWICE), 1);
    pass(10 * DAY).await;
    assert_eq!(world.told(RUNS_TWICE), 1);
    too_many.task.shutdown().await;
    running.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn standing_by_is_told_once_somebody_can_hear_it_and_not_when_it_is_over() {
    let world = World::new(MemoryStorage::new()).await;
    let first = world.start();
    pass(MINUTE).await;
    world.anna.block_bot().await;
    world.sandbox.allow_refusal("bot was blocked");
    let second = world.start();
    pass(HOUR).await;
    assert_eq!(world.told(RUNS_TWICE), 0);
    world.anna.unblock_bot().await;
    pass(HOUR).await;
    assert_eq!(world.told(RUNS_TWICE), 1);

    world.anna.block_bot().await;
    let third = world.start();
    pass(20 * MINUTE).await;
    first.task.shutdown().await;
    second.task.shutdown().await;
    pass(MINUTE).await;
    world.anna.unblock_bot().await;
    pass(DAY).await;
    assert_eq!(world.told(RUNS_TWICE), 1, "the third makes the backups by now");
    third.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_the_other_copy() {
    let world = World::new(MemoryStorage::new()).await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(MINUTE).await;
    let began = tokio::time::Instant::now();
    second.task.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    first.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn two_copies_with_a_folder_are_one_schedule() {
    let place = tempfile::tempdir().expect("a folder");
    let world = World::new(FolderStorage::new(place.path())).await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(3 * DAY).await;
    first.task.shutdown().await;
    pass(3 * DAY).await;
    second.task.shutdown().await;
    assert_eq!(world.backups(), 7);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_cannot_be_taken_is_told_of_and_taken_later() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("backups");
    let world = World::new(FolderStorage::new(&folder)).await;
    let plugin = world.plugin();
    std::fs::remove_dir_all(&folder).expect("removed");
    let task = plugin.spawn();
    pass(5 * HOUR).await;
    assert_eq!(world.told("Бекап по расписанию не создан"), 1);
    std::fs::create_dir(&folder).expect("it is back");
    pass(DAY).await;
    assert_eq!(world.told("Бекапы по расписанию снова работают"), 1);
    task.shutdown().await;
    world.finish().await;
}

/// A storage of one's own, which knows of no parts: everybody gets them.
#[derive(Clone)]
struct Plain(MemoryStorage);

impl Storage for Plain {
    forward!(0: name path prepare lock list open draft delete read_state write_state);
}

// threads, so that all of them find the same backup due at the same moment
#[tokio::test(start_paused = true)]
async fn copies_that_know_nothing_of_each_other_make_one_backup_a_day() {
    let world = World::new(Plain(MemoryStorage::new())).await;
    let copies: Vec<Copy> = (0..8).map(|_| world.start()).collect();
    pass(10 * DAY + HOUR).await;
    assert_eq!(world.backups(), 11);
    for copy in copies {
        copy.task.shutdown().await;
    }
    assert_eq!(world.told(RUNS_TWICE), 0, "nobody can tell");
    world.finish().await;
}

/// A storage that cannot be asked who has the schedule, for as long as this is true.
#[derive(Clone)]
struct Mute(MemoryStorage, Arc<AtomicBool>);

impl Storage for Mute {
    forward!(0: name path prepare lock list open draft delete read_state write_state);

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        if self.1.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody answers"));
        }
        self.0.claim(part)
    }
}

/// Two copies on such a storage, the second of which stands by.
async fn on_a_mute_place() -> (World<Mute>, Arc<AtomicBool>, Copy, Copy) {
    let mute = Arc::new(AtomicBool::new(false));
    let world = World::new(Mute(MemoryStorage::new(), Arc::clone(&mute))).await;
    let first = world.start();
    pass(MINUTE).await;
    let second = world.start();
    pass(MINUTE).await;
    (world, mute, first, second)
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_stands_by_and_cannot_ask_stands_by_in_silence() {
    let (world, mute, first, second) = on_a_mute_place().await;
    mute.store(true, Ordering::Relaxed);
    pass(DAY).await;
    assert_eq!(world.backups(), 2, "the first one makes them all the same");
    assert_eq!(world.told("Бекап по расписанию не создан"), 0);
    first.task.shutdown().await;
    mute.store(false, Ordering::Relaxed);
    pass(MINUTE).await;
    second.command("/backup_settings").await;
    assert_eq!(world.told(ELSEWHERE), 0, "it looks twice a minute, and not after a pause");
    second.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_stands_by_and_cannot_ask_tells_once_backups_are_due_and_not_made() {
    let (world, mute, first, second) = on_a_mute_place().await;
    first.task.shutdown().await;
    mute.store(true, Ordering::Relaxed);
    pass(23 * HOUR).await;
    assert_eq!(world.told("Бекап по расписанию не создан"), 0, "none is due");
    pass(90 * MINUTE).await;
    assert_eq!(world.told("Бекап по расписанию не создан"), 0, "a backup may take a while");
    pass(HOUR).await;
    assert_eq!(world.told("Бекап по расписанию не создан"), 1);
    second.command("/backup_settings").await;
    assert_eq!(world.told(ELSEWHERE), 0, "nobody makes them");
    mute.store(false, Ordering::Relaxed);
    pass(DAY).await;
    assert_eq!(world.told("Бекапы по расписанию снова работают"), 1);
    second.task.shutdown().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_stands_by_again_tells_what_nobody_could_hear_before() {
    let (world, mute, first, second) = on_a_mute_place().await;
    world.anna.block_bot().await;
    world.sandbox.allow_refusal("bot was blocked");
    pass(20 * MINUTE).await;
    first.task.shutdown().await;
    mute.store(true, Ordering::Relaxed);
    pass(27 * HOUR).await;
    // the second one has given up, and waits; another one comes
    mute.store(false, Ordering::Relaxed);
    let third = world.start();
    pass(MINUTE).await;
    world.anna.unblock_bot().await;
    pass(9 * HOUR).await;
    assert_eq!((world.told(RUNS_TWICE), world.backups()), (1, 2));
    second.task.shutdown().await;
    third.task.shutdown().await;
    world.finish().await;
}
