//! Whatever of the host's own code panics: the bot lives, and each question gets its answer.

mod support;

use std::any::Any;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, Utc};
use support::forward::forward;
use support::{ADMIN, NO, Place, Probe, STALE, Scene, UNDO, Wall, YES, shop};
use telegram_sandbox::{Chat, Shown};
use teloxide_backup::{
    BackupId, BackupPluginBuilder, BoxError, Clock, DataSource, Draft, Export, Import,
    MemoryStorage, Readable, Section, Storage,
};

/// The places of the host's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Sections,
    Export,
    ExportAfterAwait,
    Check,
    CheckAfterAwait,
    Name,
    Path,
    Lock,
    At(Place),
    Open,
    ReadNotes,
    Free,
    ReadIndex,
    WriteIndex,
    Claim,
    Of(File, Deed),
    Now,
    ToLocal,
    ToUtc,
}

/// Files of the host's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    /// An archive that is written,
    Draft,
    /// that is read back,
    Reopened,
    /// that is read at any time,
    Stored,
    /// and one whose blocks go into a new one.
    Previous,
}

/// What is done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Read,
    Write,
    Seek,
    Flush,
    Reopen,
    Publish,
}

/// Those that a command or a button comes to in any bot.
const SPOTS: [Spot; 28] = [
    Spot::Sections,
    Spot::Export,
    Spot::ExportAfterAwait,
    Spot::Check,
    Spot::CheckAfterAwait,
    Spot::Name,
    Spot::Path,
    Spot::Lock,
    Spot::At(Place::List),
    Spot::At(Place::Draft),
    Spot::At(Place::Delete),
    Spot::At(Place::Notes),
    Spot::Open,
    Spot::ReadNotes,
    Spot::Free,
    Spot::ReadIndex,
    Spot::Of(File::Draft, Deed::Write),
    Spot::Of(File::Draft, Deed::Seek),
    Spot::Of(File::Draft, Deed::Flush),
    Spot::Of(File::Draft, Deed::Reopen),
    Spot::Of(File::Draft, Deed::Publish),
    Spot::Of(File::Reopened, Deed::Read),
    Spot::Of(File::Reopened, Deed::Seek),
    Spot::Of(File::Stored, Deed::Read),
    Spot::Of(File::Stored, Deed::Seek),
    Spot::Now,
    Spot::ToLocal,
    Spot::ToUtc,
];

/// Where it panics now, and how often it has.
#[derive(Clone, Default)]
struct Mine(Arc<Mutex<(Option<Spot>, usize)>>);

impl Mine {
    fn laid(&self) -> MutexGuard<'_, (Option<Spot>, usize)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lay(&self, spot: Option<Spot>) {
        *self.laid() = (spot, 0);
    }

    /// Takes it away; gives how often it was stepped on.
    fn lift(&self) -> usize {
        std::mem::take(&mut *self.laid()).1
    }

    fn step(&self, spot: Spot) {
        let mut laid = self.laid();
        if laid.0 == Some(spot) {
            laid.1 += 1;
            drop(laid);
            panic!("the host's own code is wrong");
        }
    }
}

/// Source, storage and clock of a host, each with the mine in it.
#[derive(Clone)]
struct Mined<T>(T, Mine);

impl DataSource for Mined<Probe> {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        self.1.step(Spot::Sections);
        self.0.sections()
    }

    // a future that is not even made
    #[allow(clippy::manual_async_fn)]
    fn export(&self, out: &mut Export<'_>) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.1.step(Spot::Export);
        async move {
            tokio::task::yield_now().await;
            self.1.step(Spot::ExportAfterAwait);
            self.0.export(out).await
        }
    }

    #[allow(clippy::manual_async_fn)]
    fn check(&self, data: &mut Import<'_>) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.1.step(Spot::Check);
        async move {
            tokio::task::yield_now().await;
            self.1.step(Spot::CheckAfterAwait);
            self.0.check(data).await
        }
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        self.0.restore(data).await
    }
}

impl Clock for Mined<Wall> {
    fn now(&self) -> DateTime<Utc> {
        self.1.step(Spot::Now);
        self.0.now()
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        self.1.step(Spot::ToLocal);
        self.0.to_local(moment)
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        self.1.step(Spot::ToUtc);
        self.0.to_utc(wall)
    }
}

/// A storage in memory, and whether the next archive that is opened is one whose blocks are taken.
#[derive(Clone, Default)]
struct Shelf {
    memory: Arc<MemoryStorage>,
    previous: Arc<AtomicBool>,
}

/// A file of the storage.
struct MinedFile<T>(T, File, Mine);

impl<T> MinedFile<T> {
    fn step(&self, deed: Deed) {
        self.2.step(Spot::Of(self.1, deed));
    }
}

impl<T: Read> Read for MinedFile<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.step(Deed::Read);
        self.0.read(bytes)
    }
}

impl<T: Seek> Seek for MinedFile<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.step(Deed::Seek);
        self.0.seek(to)
    }
}

impl<T: Write> Write for MinedFile<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.step(Deed::Write);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.step(Deed::Flush);
        self.0.flush()
    }
}

impl Draft for MinedFile<Box<dyn Draft>> {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        self.step(Deed::Reopen);
        Ok(Box::new(MinedFile(self.0.reopen()?, File::Reopened, self.2.clone())))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        self.step(Deed::Publish);
        self.0.publish(id)
    }
}

impl Storage for Mined<Shelf> {
    forward!(0.memory: prepare);

    fn name(&self) -> String {
        self.1.step(Spot::Name);
        self.0.memory.name()
    }

    fn path(&self, id: &BackupId) -> String {
        self.1.step(Spot::Path);
        self.0.memory.path(id)
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.1.step(Spot::Lock);
        self.0.memory.lock()
    }

    fn free(&self) -> io::Result<Option<u64>> {
        self.1.step(Spot::Free);
        self.0.memory.free()
    }

    fn list(&self) -> io::Result<Vec<(BackupId, u64)>> {
        self.1.step(Spot::At(Place::List));
        self.0.memory.list()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        self.1.step(Spot::Open);
        let previous = self.0.previous.swap(false, Ordering::Relaxed);
        let file = if previous { File::Previous } else { File::Stored };
        let mined = |opened| Box::new(MinedFile(opened, file, self.1.clone())) as Box<dyn Readable>;
        Ok(self.0.memory.open(id)?.map(mined))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        self.1.step(Spot::At(Place::Draft));
        Ok(Box::new(MinedFile(self.0.memory.draft()?, File::Draft, self.1.clone())))
    }

    fn delete(&self, id: &BackupId) -> io::Result<()> {
        self.1.step(Spot::At(Place::Delete));
        self.0.memory.delete(id)
    }

    fn read_index(&self) -> io::Result<Option<Vec<u8>>> {
        self.1.step(Spot::ReadIndex);
        let index = self.0.memory.read_index()?;
        self.0.previous.store(index.is_some(), Ordering::Relaxed);
        Ok(index)
    }

    fn write_index(&self, index: &[u8]) -> io::Result<()> {
        self.1.step(Spot::WriteIndex);
        self.0.memory.write_index(index)
    }

    fn claim(&self, part: &str) -> io::Result<Option<Box<dyn Any + Send>>> {
        self.1.step(Spot::Claim);
        self.0.memory.claim(part)
    }

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        self.1.step(Spot::ReadNotes);
        self.0.memory.read_state()
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        self.1.step(Spot::At(Place::Notes));
        self.0.memory.write_state(state)
    }
}

/// A bot all of whose host's code is mined. It keeps one backup, so that old ones are removed.
async fn mined() -> (Scene, Mine, Arc<MemoryStorage>) {
    let mine = Mine::default();
    let (mut scene, storage) = mined_with(&mine, |builder| builder).await;
    let plugin = scene.plugin_of(Mined(scene.source.clone(), mine.clone()));
    scene.begin_with(&plugin);
    (scene, mine, storage)
}

/// The same with other settings, before it begins.
async fn mined_with(
    mine: &Mine,
    settings: impl Fn(BackupPluginBuilder) -> BackupPluginBuilder + 'static,
) -> (Scene, Arc<MemoryStorage>) {
    let (laid, shelf) = (mine.clone(), Shelf::default());
    let storage = Arc::clone(&shelf.memory);
    let clock = Wall::at("2026-02-01 14:30:25");
    let hand = clock.clone();
    let mut scene = Scene::prepare(move |builder| {
        let clock = Mined(clock.clone(), laid.clone());
        settings(builder.keep(1).clock(clock).storage(Mined(shelf.clone(), laid.clone())))
    })
    .await;
    scene.clock = hand;
    (scene, storage)
}

/// What the bot has said: number, how often it was changed, text.
fn said(chat: &Chat) -> Vec<(i64, u32, String)> {
    let shown = chat.messages.iter().filter(|message| message.from_bot);
    shown.map(|message| (message.id, message.edits, message.plain.clone())).collect()
}

/// What the bot says to what a person does, once it works on it no longer.
async fn answer_to(scene: &Scene, act: impl Future<Output = ()>) -> String {
    let before = said(&scene.admin.chat());
    act.await;
    answer_after(scene, &before).await
}

/// What the bot has said since, once it works on nothing any longer.
async fn answer_after(scene: &Scene, before: &[(i64, u32, String)]) -> String {
    let answer = scene.admin.wait_until(|chat| {
        let mut now = said(chat);
        if now.iter().any(|(_, _, text)| text.starts_with('⏳')) {
            return None;
        }
        now.retain(|message| !before.contains(message));
        now.pop().map(|(_, _, text)| text)
    });
    let answer = answer.await;
    scene.sandbox.settled().await;
    answer
}

/// What the bot says to a command with the mine in this spot, and how often it stepped on it.
async fn answer_over(scene: &Scene, mine: &Mine, spot: Spot, command: &str) -> (String, usize) {
    scene.clock.forward(TimeDelta::minutes(1));
    mine.lay(Some(spot));
    let answer = answer_to(scene, async {
        _ = scene.admin.send(command).await;
    })
    .await;
    (answer, mine.lift())
}

#[tokio::test]
async fn each_command_is_answered_whatever_panics() {
    let (scene, mine, storage) = mined().await;
    // of the Python system, which says by the wall alone when it was
    let old = "backup_20260118_090000.zip";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-archives");
    let archive = std::fs::read(folder.join(old)).expect("a fixture");
    storage.insert(BackupId::parse(old).expect("a name"), archive);
    scene.back_up().await;
    for spot in SPOTS {
        let mut steps = 0;
        for command in ["/backup", "/backup_list", "/backup_settings"] {
            let (answer, stepped) = answer_over(&scene, &mine, spot, command).await;
            steps += stepped;
            let of_which = format!("{spot:?}, {command}: {answer}");
            assert!(answer.starts_with(['✅', '❌', '📂', '⚙']), "{of_which}");
        }
        assert!(steps > 0, "{spot:?} was not reached");
        scene.clock.forward(TimeDelta::minutes(1));
        scene.back_up().await;
    }
    scene.admin.send("hello").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: hello"]);
    scene.finish().await;
}

#[tokio::test]
async fn each_button_is_answered_whatever_panics() {
    let (scene, mine, _) = mined().await;
    for spot in SPOTS {
        scene.clock.forward(TimeDelta::minutes(1));
        scene.set_shop(shop(12, 5)).await;
        scene.back_up().await;
        scene.admin.send("/backup_list").await;
        let list = scene.admin.wait_for("📂").await;
        let backup = list.buttons[0][0].data.clone().expect("a button");
        let mut steps = 0;
        let download = backup.replace(":b:", ":d:");
        for data in [&backup, &download, "bkp:p:0"] {
            let (answer, stepped) = pressed_over(&scene, &mine, spot, list.id, data).await;
            steps += stepped;
            // a file that is sent has no words
            let sent = answer.is_empty() || answer.starts_with(['❌', '📂', '🔄']);
            assert!(sent, "{spot:?}, {data}: {answer}");
        }
        for (label, done, reviews) in [
            (NO, "❌ Отменено", 4),
            (YES, "✅ Готово!", 5),
            (UNDO, "↩️ Восстановление отменено", 4),
        ] {
            scene.set_shop(shop(12, 4)).await;
            let data = ask(&scene, list.id, &backup, label).await;
            let before = scene.shop().await;
            let (answer, stepped) = pressed_over(&scene, &mine, spot, list.id, &data).await;
            steps += stepped;
            let of_which = format!("{spot:?}, {label}: {answer}");
            let is_done = answer.starts_with(done);
            // of a notebook that cannot be read the button stays as it is
            let is_told =
                answer.starts_with(['❌', '🔄']) || label == UNDO && answer.starts_with('⚠');
            assert!(is_done || label != NO && is_told, "{of_which}");
            let after = if is_done { shop(12, reviews) } else { before };
            assert_eq!(scene.shop().await, after, "{of_which}");
        }
        // these are of what no button of these leads to: a backup, an empty list
        let elsewhere = [Spot::Name, Spot::At(Place::Delete), Spot::ToUtc];
        assert_eq!(steps > 0, !elsewhere.contains(&spot), "{spot:?} was stepped on {steps} times");
    }
    scene.finish().await;
}

/// What such a button carries: of the question whether to restore a backup, or of what was restored.
async fn ask(scene: &Scene, message: i64, backup: &str, label: &str) -> String {
    scene.admin.press_data(message, backup).await;
    let question = scene.admin.wait_for("Восстановить данные из этого бекапа?").await;
    if label != UNDO {
        return data_of(&question, label);
    }
    scene.admin.press_data(message, data_of(&question, YES)).await;
    data_of(&scene.admin.wait_for("Готово!").await, UNDO)
}

fn data_of(message: &Shown, label: &str) -> String {
    message.button(label).and_then(|button| button.data.clone()).expect(label)
}

/// What the bot says to a press with the mine in this spot, in the chat or in a notice above it, and
/// how often it stepped on it.
async fn pressed_over(
    scene: &Scene,
    mine: &Mine,
    spot: Spot,
    message: i64,
    data: &str,
) -> (String, usize) {
    let before = said(&scene.admin.chat());
    mine.lay(Some(spot));
    let notice = scene.admin.press_data(message, data).await.text;
    let answer = match notice {
        Some(notice) => notice,
        None => answer_after(scene, &before).await,
    };
    (answer, mine.lift())
}

#[tokio::test]
async fn a_backup_that_is_there_is_not_called_failed_for_what_panics_after_it() {
    let (scene, mine, storage) = mined().await;
    let spots = [Spot::Path, Spot::ReadIndex, Spot::At(Place::Delete), Spot::At(Place::Notes)];
    for spot in spots {
        let before = storage.list().expect("a list");
        let (answer, _) = answer_over(&scene, &mine, spot, "/backup").await;
        assert!(answer.starts_with("✅"), "{spot:?}: {answer}");
        assert_ne!(storage.list().expect("a list"), before, "{spot:?}");
    }
    scene.finish().await;
}

/// What is known of blocks makes the next backup faster, and is worth none.
#[tokio::test]
async fn a_backup_is_made_whatever_panics_over_the_blocks_of_the_last() {
    let previous = [Deed::Read, Deed::Seek].map(|deed| Spot::Of(File::Previous, deed));
    let numbers = (0..170_000).fold(String::new(), |text, number| text + &format!("{number} "));
    for workers in [1, 3] {
        let mine = Mine::default();
        let (mut scene, storage) = mined_with(&mine, move |builder| builder.workers(workers)).await;
        let mut large = shop(12, 5);
        large.reviews[0].text.clone_from(&numbers);
        scene.set_shop(large).await;
        let plugin = scene.plugin_of(Mined(scene.source.clone(), mine.clone()));
        scene.begin_with(&plugin);
        scene.back_up().await;
        for spot in [Spot::ReadIndex, Spot::WriteIndex].into_iter().chain(previous) {
            // an index that was not written is of an archive that is gone
            scene.clock.forward(TimeDelta::minutes(1));
            scene.back_up().await;
            // not once, as after a failure that passes: at each of them
            for number in 0..2 {
                let before = storage.list().expect("a list");
                let (answer, steps) = answer_over(&scene, &mine, spot, "/backup").await;
                let told = format!("{spot:?}, {workers} workers, number {number}: {answer}");
                assert!(steps > 0 || number > 0, "it was not reached: {told}");
                assert!(answer.starts_with('✅'), "{told}");
                assert_ne!(storage.list().expect("a list"), before, "{told}");
            }
        }
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_schedule_that_panics_as_it_is_taken_is_told_of_and_ends_no_bot() {
    let mine = Mine::default();
    let (mut scene, storage) = mined_with(&mine, |builder| builder.enabled(true)).await;
    mine.lay(Some(Spot::Claim));
    let plugin = scene.plugin_of(Mined(scene.source.clone(), mine.clone()));
    scene.begin_with(&plugin);
    scene.admin.wait_for("Бекап по расписанию не создан").await;
    assert!(mine.lift() > 0);
    assert!(storage.list().expect("a list").is_empty());
    scene.admin.send("hello").await;
    scene.sandbox.settled().await;
    assert_eq!(scene.host.take(), ["message: hello"]);
    scene.stop().await;
    let plugin = scene.plugin_of(Mined(scene.source.clone(), mine.clone()));
    scene.begin_with(&plugin);
    scene.admin.wait_for("Бекапы по расписанию снова работают").await;
    assert_eq!(storage.list().expect("a list").len(), 1);
    scene.finish().await;
}

#[tokio::test]
async fn an_old_archive_over_which_the_source_panics_fails_no_backup() {
    let mut scene = Scene::prepare(|builder| builder.keep(1)).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let plugin = scene.plugin_of(PanicsOnOld(scene.source.clone(), Arc::clone(&calls)));
    scene.begin_with(&plugin);
    scene.back_up().await;
    // nobody knows any more that it was checked
    std::fs::remove_file(scene.folder().join("state.json")).expect("removed");
    scene.clock.forward(TimeDelta::minutes(1));
    calls.store(1, Ordering::Relaxed);
    scene.back_up().await;
    assert_eq!(calls.load(Ordering::Relaxed), 3, "the new one, then the old one");
    assert_eq!(scene.archives().len(), 2, "what could not be checked stays");
    let told = scene.admin.chat().last_from_bot().map(|message| message.plain.clone());
    assert!(told.is_some_and(|told| !told.contains("⚠️")), "and that is no failure either");
    scene.finish().await;
}

/// A source that cannot look at the second archive it is shown.
struct PanicsOnOld(Probe, Arc<AtomicUsize>);

impl DataSource for PanicsOnOld {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        self.0.sections()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        self.0.export(out).await
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        assert!(number != 2, "the host's own code is wrong");
        self.0.check(data).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        self.0.restore(data).await
    }
}

/// A notebook that panics when it is written: at the journal, or when that is cleared.
#[tokio::test]
async fn what_a_restore_says_is_true_whenever_the_notebook_panics() {
    for (writes, replaced) in [(0, false), (1, false), (2, true)] {
        let storage = Counted(Arc::default(), Arc::new(AtomicUsize::new(usize::MAX)));
        let own = storage.clone();
        let scene = Scene::with(move |builder| builder.storage(own.clone())).await;
        scene.back_up().await;
        scene.set_shop(shop(1, 0)).await;
        let question = scene.choose_newest().await;
        storage.1.store(writes, Ordering::Relaxed);
        let press = async { drop(scene.admin.press_on(question.id, YES).await) };
        let answer = answer_to(&scene, press).await;
        storage.1.store(usize::MAX, Ordering::Relaxed);
        let done = answer.starts_with("✅ Готово!");
        assert_eq!(done, scene.shop().await == shop(12, 5), "{writes}: {answer}");
        assert!(done || answer.contains("не изменены"), "{writes}: {answer}");
        assert!(done || !replaced, "{writes}: {answer}");
        scene.finish().await;
    }
}

/// A storage whose notebook panics after so many writings.
#[derive(Clone)]
struct Counted(Arc<MemoryStorage>, Arc<AtomicUsize>);

impl Storage for Counted {
    forward!(0: name path prepare lock list open draft delete read_state);

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        let left = self.1.load(Ordering::Relaxed);
        assert!(left > 0, "the host's own code is wrong");
        self.1.store(left.saturating_sub(1), Ordering::Relaxed);
        self.0.write_state(state)
    }
}

/// A source whose sections nobody can tell.
struct NoSections(Probe);

impl DataSource for NoSections {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        panic!("the host's own code is wrong")
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        self.0.export(out).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        self.0.restore(data).await
    }
}

#[tokio::test]
async fn a_plugin_of_a_source_that_panics_is_an_error() {
    let scene = Scene::prepare(|builder| builder).await;
    let bot = support::client(&scene.sandbox);
    let admin = teloxide::types::UserId(ADMIN.unsigned_abs());
    let source = NoSections(scene.source.clone());
    let builder = teloxide_backup::BackupPlugin::builder(bot, source);
    let refused = builder.admin(admin).folder(scene.folder()).build().expect_err("it panics");
    assert_eq!(refused.kind(), teloxide_backup::ErrorKind::Source);
    scene.finish().await;
}

/// The data can be read: that nobody can keep them elsewhere is no reason to give them up.
#[tokio::test]
async fn a_storage_that_panics_never_costs_what_is_live() {
    let (scene, mine, _) = mined().await;
    scene.back_up().await;
    scene.set_shop(shop(12, 4)).await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let backup = list.buttons[0][0].data.clone().expect("a button");
    for spot in [Spot::Free, Spot::At(Place::Draft), Spot::Of(File::Draft, Deed::Publish)] {
        let yes = ask(&scene, list.id, &backup, YES).await;
        let (answer, _) = pressed_over(&scene, &mine, spot, list.id, &yes).await;
        assert!(answer.starts_with('❌'), "{spot:?}: {answer}");
    }
    scene.finish().await;
}

/// What cannot be read just now may be read soon: such a button is not out of date.
#[tokio::test]
async fn a_way_back_that_cannot_be_read_now_is_not_called_out_of_date() {
    let (scene, mine, _) = mined().await;
    scene.back_up().await;
    scene.set_shop(shop(12, 4)).await;
    scene.admin.send("/backup_list").await;
    let list = scene.admin.wait_for("📂").await;
    let backup = list.buttons[0][0].data.clone().expect("a button");
    let undo = ask(&scene, list.id, &backup, UNDO).await;
    let (answer, _) = pressed_over(&scene, &mine, Spot::ReadNotes, list.id, &undo).await;
    assert_ne!(answer, STALE);
    scene.finish().await;
}
