//! What is over a limit is refused by its name, whether it is read or about to be written.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::forward::forward;
use chrono::TimeDelta;
use teloxide_backup::{BackupCommand, BackupPluginBuilder, Draft, ErrorKind, Limits, Readable};

use super::*;

type Setter = fn(Limits, u64) -> Limits;

/// The limits of lengths, and the data and archive of the tests that are just within them.
fn lengths(archive: &[u8], data: &[u8]) -> [(&'static str, Setter, u64); 3] {
    [
        ("archive_bytes", Limits::archive_bytes, archive.len() as u64),
        ("data_bytes", Limits::data_bytes, data.len() as u64),
        ("text_bytes", Limits::text_bytes, LONGEST as u64),
    ]
}

/// The longest text in the data of these tests, as it is written in JSON.
const LONGEST: usize = 5000;

/// Data with one long text that cannot be compressed to a hundredth, nested five deep.
fn crm() -> Crm {
    let mut dice = Dice(7);
    let letters =
        (0..LONGEST).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).expect("few")));
    let mut crm = Crm::with_users(2);
    crm.reviews = vec![json!({ "text": letters.collect::<String>(), "more": [[1]] })];
    crm
}

fn only(archive: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(name(0), archive)])
}

/// What the bot says of the one archive in its list, and in answer to a choice of it. The live data
/// stay what they were.
async fn judged(archive: Vec<u8>, limits: Limits) -> (String, String) {
    let live = Crm::with_users(1);
    let files = only(archive);
    let scene = Scene::start_with(live.clone(), &files, |builder| builder.limits(limits)).await;
    let list = scene.list().await;
    let answer = scene.choose(list.id, &name(0)).await;
    assert_eq!(*scene.state.read().await, live);
    assert!(scene.files() == files, "the folder has changed");
    scene.finish().await;
    (list.plain, answer)
}

fn assert_taken((list, answer): &(String, String)) {
    assert!(list.contains("Записей"), "{list}");
    assert!(answer.contains("Восстановить данные"), "{answer}");
}

fn assert_refused(answer: &str, limit: &str) {
    assert!(answer.contains("восстановить нельзя"), "{answer}");
    assert!(answer.contains("больше, чем боту разрешено"), "{answer}");
    assert!(answer.contains(&format!("(setting: limits, {limit})")), "{limit}: {answer}");
}

#[tokio::test]
async fn an_archive_is_as_long_as_a_limit_and_no_longer() {
    let archive = archive_of(&crm()).await;
    let data = file_of(&archive, "data.json");
    for (limit, set, most) in lengths(&archive, &data) {
        assert_taken(&judged(archive.clone(), set(Limits::folder(), most)).await);
        let (list, answer) = judged(archive.clone(), set(Limits::folder(), most - 1)).await;
        assert_refused(&answer, limit);
        // how long a text is shows only when it is read
        assert_eq!(list.contains("Больше предела"), limit != "text_bytes", "{list}");
    }
    assert_taken(&judged(archive.clone(), Limits::folder().depth(5)).await);
    let (_, answer) = judged(archive, Limits::folder().depth(4)).await;
    assert_refused(&answer, "depth");
    assert!(answer.contains("nested more than 4 levels deep"), "{answer}");
}

/// An archive of so many blanks behind the data, each honest in all that it says.
fn blanks(bytes: usize, bot_id: i64) -> Vec<u8> {
    let data = [hostile::DATA.as_bytes(), &vec![b' '; bytes]].concat();
    hostile::packed(&data, &hostile::metadata_of(&data, bot_id), None)
}

#[tokio::test]
async fn blanks_that_unpack_to_a_thousand_times_their_length_are_refused_where_a_limit_says_so() {
    let bot_id = Sandbox::start().await.bot_id();
    let bomb = blanks(64 << 20, bot_id);
    assert!(bomb.len() < 70_000, "{} bytes", bomb.len());
    let (list, answer) = judged(bomb.clone(), Limits::folder().ratio(200)).await;
    assert!(list.contains("Больше предела"), "{list}");
    assert_refused(&answer, "ratio");
    assert!(answer.contains("more than 200 times its length"), "{answer}");
    let (_, answer) = judged(bomb.clone(), Limits::folder().data_bytes(64 << 20)).await;
    assert_refused(&answer, "data_bytes");
    assert!(answer.contains("longer than 64 MB"), "{answer}");
    // in the bot's own folder, blanks are as good as any other data
    assert_taken(&judged(bomb, Limits::folder()).await);
    // and little is little, whatever it is made of
    assert_taken(&judged(blanks(900_000, bot_id), Limits::folder().ratio(2)).await);
}

#[tokio::test]
async fn a_length_that_is_a_lie_lets_no_blanks_through() {
    let data = [hostile::DATA.as_bytes(), &vec![b' '; 64 << 20]].concat();
    let bot_id = Sandbox::start().await.bot_id();
    for said in [5, hostile::DATA.len(), 1 << 20] {
        let metadata = hostile::metadata_of(&data, bot_id);
        let bomb = hostile::packed(&data, &metadata, u32::try_from(said).ok());
        let (_, answer) = judged(bomb, Limits::folder().ratio(200)).await;
        assert!(answer.contains("восстановить нельзя"), "{answer}");
        assert!(answer.contains("Архив повреждён"), "{answer}");
    }
}

#[tokio::test]
async fn archives_of_the_python_system_keep_to_the_limits_too() {
    let limits = Limits::folder().data_bytes(1000);
    let scene =
        Scene::start_with(Crm::default(), &fixtures(), |builder| builder.limits(limits)).await;
    let list = scene.list().await;
    assert_eq!(list.plain.matches("Больше предела").count(), 2, "{}", list.plain);
    let answer = scene.choose(list.id, PYTHONS[0]).await;
    assert_refused(&answer, "data_bytes");
    scene.finish().await;
}

#[tokio::test]
async fn a_backup_over_a_limit_is_not_made_and_the_limit_is_named() {
    let crm = crm();
    let archive = archive_of(&crm).await;
    let data = file_of(&archive, "data.json");
    let mut limits: Vec<_> = lengths(&archive, &data)
        .into_iter()
        // the archive of another moment may be a few bytes shorter
        .map(|(limit, set, most)| (limit, set(Limits::folder(), most - most.min(100) / 2)))
        .collect();
    limits.push(("depth", Limits::folder().depth(4)));
    for (limit, limits) in limits {
        let files = BTreeMap::new();
        let scene = Scene::start_with(crm.clone(), &files, |builder| builder.limits(limits)).await;
        scene.anna.send("/backup").await;
        let answer = scene.anna.wait_for("Бекап не создан").await.plain;
        assert!(answer.contains(&format!("(setting: limits, {limit})")), "{limit}: {answer}");
        assert!(scene.files().is_empty(), "{limit}: something stays in the folder");
        scene.finish().await;
    }
}

#[tokio::test]
async fn a_backup_of_data_more_repetitive_than_the_limit_is_not_made() {
    let reviews = vec![json!("the same again and again"); 100_000];
    let crm = Crm { reviews, ..Crm::default() };
    let limits = Limits::folder().ratio(50);
    let scene = Scene::start_with(crm, &BTreeMap::new(), |builder| builder.limits(limits)).await;
    scene.anna.send("/backup").await;
    let answer = scene.anna.wait_for("Бекап не создан").await.plain;
    assert!(answer.contains("(setting: limits, ratio)"), "{answer}");
    assert!(scene.files().is_empty());
    scene.finish().await;
}

/// Sends an archive into the chat of a bot without backups; gives what it says. An archive that is
/// refused is not kept.
async fn sent(
    archive: Vec<u8>,
    settings: impl FnOnce(BackupPluginBuilder) -> BackupPluginBuilder,
) -> String {
    let live = Crm::with_users(1);
    let scene = Scene::start_with(live.clone(), &BTreeMap::new(), settings).await;
    scene.anna.send_document("backup.zip", archive, "/backup_restore").await;
    let answer = scene
        .anna
        .wait_until(|chat| {
            let last = chat.messages.last()?;
            let answered =
                last.plain.contains("не подходит") || last.plain.contains("Восстановить");
            answered.then(|| last.plain.clone())
        })
        .await;
    assert_eq!(*scene.state.read().await, live);
    assert_eq!(scene.files().is_empty(), answer.contains("не подходит"), "{answer}");
    scene.finish().await;
    answer
}

#[tokio::test]
async fn an_archive_that_is_sent_keeps_to_the_stricter_limits() {
    let archive = archive_of(&crm()).await;
    let data = file_of(&archive, "data.json");
    for (limit, set, most) in lengths(&archive, &data) {
        let within = |most| set(Limits::upload(), most);
        let answer = sent(archive.clone(), |builder| builder.upload_limits(within(most))).await;
        assert!(answer.contains("Восстановить данные"), "{answer}");
        let answer = sent(archive.clone(), |builder| builder.upload_limits(within(most - 1))).await;
        assert!(answer.contains(&format!("(setting: upload_limits, {limit})")), "{answer}");
    }
    // without any setting
    let bomb = blanks(64 << 20, Sandbox::start().await.bot_id());
    let answer = sent(bomb, |builder| builder).await;
    assert!(answer.contains("200 times its length (setting: upload_limits, ratio)"), "{answer}");
}

/// A clock on which a second goes by at each look.
struct Hasty(TestClock);

impl Clock for Hasty {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.0.jump(TimeDelta::seconds(1));
        self.0.now()
    }

    fn to_local(&self, moment: chrono::DateTime<chrono::Utc>) -> chrono::NaiveDateTime {
        self.0.to_local(moment)
    }

    fn to_utc(
        &self,
        wall: chrono::NaiveDateTime,
    ) -> chrono::MappedLocalTime<chrono::DateTime<chrono::Utc>> {
        self.0.to_utc(wall)
    }
}

#[tokio::test]
async fn the_check_of_what_is_sent_takes_half_a_minute_and_no_longer() {
    let hasty =
        |builder: BackupPluginBuilder| builder.clock(Hasty(clock_at("2026-03-01 12:00:00")));
    let answer = sent(archive_of(&Crm::with_users(20)).await, hasty).await;
    assert!(answer.contains("Восстановить данные"), "{answer}");
    // the clock is looked at for each 64 KB
    let large = archive_of(&Crm::with_users(4000)).await;
    assert!(file_of(&large, "data.json").len() > 31 << 16);
    let answer = sent(large, hasty).await;
    assert!(answer.contains("longer than 30s (setting: upload_limits, time)"), "{answer}");
}

/// A source that writes on and on, and counts what it could write.
struct Endless(Arc<AtomicUsize>);

impl DataSource for Endless {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("lines")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let mut lines = out.list("lines")?;
        let mut dice = Dice(3);
        loop {
            let line: Vec<usize> = (0..100).map(|_| dice.below(usize::MAX)).collect();
            lines.item(&line)?;
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn restore(&self, _: &mut Import<'_>) -> Result<(), BoxError> {
        Err("nobody restores here".into())
    }
}

/// Runs a command inside this program, and gives its exit code as it is shown.
async fn run_command(words: &[&str], builder: BackupPluginBuilder) -> String {
    let words: Vec<_> = words.iter().map(Into::into).collect();
    let command = BackupCommand::parse(words).expect("a command");
    format!("{:?}", builder.run(command).await)
}

fn builder(source: impl DataSource, storage: impl Storage) -> BackupPluginBuilder {
    BackupPlugin::builder(Bot::new(""), source)
        .storage(storage)
        .clock(clock_at("2026-03-01 12:00:00"))
}

fn code(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

#[tokio::test]
async fn data_without_an_end_are_given_up_at_the_limit() {
    for limits in [Limits::folder().data_bytes(5 << 20), Limits::folder().archive_bytes(2 << 20)] {
        let (written, storage) = (Arc::new(AtomicUsize::new(0)), MemoryStorage::new());
        let builder = builder(Endless(Arc::clone(&written)), storage.clone()).limits(limits);
        assert_eq!(run_command(&["backup"], builder).await, code(3));
        // about two kilobytes a line
        assert!(written.load(Ordering::Relaxed) < 6000, "{written:?} lines");
        assert_eq!(storage.list().expect("a list"), []);
    }
}

#[tokio::test]
async fn a_command_ends_with_the_code_of_what_does_not_fit() {
    let storage = MemoryStorage::new();
    let id = BackupId::parse(&name(0)).expect("a name");
    storage.insert(id, archive_of(&crm()).await);
    let state = Arc::new(RwLock::new(Crm::default()));
    for words in [&["verify"][..], &["verify", &name(0)], &["restore", &name(0), "--yes"]] {
        let builder = || builder(shared(&state), storage.clone());
        let limits = Limits::folder().data_bytes(1000);
        assert_eq!(run_command(words, builder().limits(limits)).await, code(3), "{words:?}");
        // the limits of the chat are not those of the folder
        let upload = builder().upload_limits(limits);
        assert_eq!(run_command(words, upload).await, code(0), "{words:?}");
    }
    assert_eq!(*state.read().await, crm(), "the last one has restored it");
}

/// Archives whose every reading takes a second.
struct Slow {
    storage: MemoryStorage,
    clock: TestClock,
}

struct SlowFile {
    file: Box<dyn Readable>,
    clock: TestClock,
}

impl Storage for Slow {
    forward!(storage: name path prepare lock list draft delete read_state write_state);

    fn open(&self, id: &BackupId) -> std::io::Result<Option<Box<dyn Readable>>> {
        let slow = |file| Box::new(SlowFile { file, clock: self.clock.clone() }) as _;
        Ok(self.storage.open(id)?.map(slow))
    }
}

impl Read for SlowFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.clock.jump(TimeDelta::seconds(1));
        self.file.read(buffer)
    }
}

impl std::io::Seek for SlowFile {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// A source that takes an hour before it reads what it is to restore.
struct Patient {
    state: Shared<Crm>,
    clock: TestClock,
}

impl DataSource for Patient {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        DataSource::sections(&self.state)
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        DataSource::export(&self.state, out).await
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        DataSource::check(&self.state, data).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        self.clock.jump(TimeDelta::hours(1));
        DataSource::restore(&self.state, data).await
    }
}

#[tokio::test]
async fn a_check_has_its_time_and_a_restore_takes_as_long_as_it_needs() {
    let memory = MemoryStorage::new();
    let id = BackupId::parse(&name(0)).expect("a name");
    memory.insert(id, archive_of(&crm()).await);
    let state = Arc::new(RwLock::new(Crm::default()));
    for (seconds, expected) in [(5, 3), (600, 0)] {
        let clock = clock_at("2026-03-01 12:00:00");
        let storage = Slow { storage: memory.clone(), clock: clock.clone() };
        let source = Patient { state: shared(&state), clock: clock.clone() };
        let limits = Limits::folder().time(Duration::from_secs(seconds));
        let builder = builder(source, storage).clock(clock).limits(limits);
        let words = ["restore", &name(0), "--yes"];
        assert_eq!(run_command(&words, builder).await, code(expected), "{seconds} s");
        let expected = if expected == 0 { crm() } else { Crm::default() };
        assert_eq!(*state.read().await, expected, "{seconds} s");
    }
}

#[tokio::test]
async fn what_the_bot_has_made_is_restored_however_slow_its_disk_is() {
    let memory = MemoryStorage::new();
    let state = Arc::new(RwLock::new(crm()));
    let run = async |words: &[&str]| {
        let clock = clock_at("2026-03-01 12:00:00");
        let storage = Slow { storage: memory.clone(), clock: clock.clone() };
        let limits = Limits::folder().time(Duration::from_secs(5));
        run_command(words, builder(shared(&state), storage).clock(clock).limits(limits)).await
    };
    assert_eq!(run(&["backup"]).await, code(0));
    let made = memory.list().expect("a list").remove(0).0.to_string();
    *state.write().await = Crm::default();
    for words in [&["verify", &made][..], &["restore", &made, "--yes"]] {
        assert_eq!(run(words).await, code(0), "{words:?}");
    }
    assert_eq!(*state.read().await, crm());
}

#[test]
fn a_limit_that_lets_nothing_through_is_a_setting_that_makes_no_sense() {
    let nonsense = [
        Limits::folder().archive_bytes(0),
        Limits::folder().data_bytes(0),
        Limits::folder().ratio(0),
        Limits::folder().depth(0),
        Limits::folder().depth(128),
        Limits::folder().text_bytes(0),
        Limits::folder().time(Duration::ZERO),
    ];
    for limits in nonsense {
        let builder = || builder(Endless(Arc::default()), MemoryStorage::new()).admin(ADMIN);
        let outcomes = [builder().limits(limits), builder().upload_limits(limits)];
        for (setting, builder) in ["limits ", "upload_limits "].into_iter().zip(outcomes) {
            let error = builder.build().expect_err("nonsense");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(setting), "{error}");
        }
    }
    let builder = builder(Endless(Arc::default()), MemoryStorage::new()).admin(ADMIN);
    assert!(builder.limits(Limits::upload()).upload_limits(Limits::folder()).build().is_ok());
}
