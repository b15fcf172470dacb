//! Several bots in one place: each has its own backups and its own notes.

mod cut_off;
mod faults;

use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use chrono::{MappedLocalTime, TimeDelta, TimeZone};
use tokio::sync::RwLock;

use super::*;
use crate::source::{DataSource, Shared};
use crate::storage::forward::forward;
use crate::storage::{Draft, MemoryStorage, Stamp};

/// A clock that a test sets.
#[derive(Clone)]
struct Hand(Arc<std::sync::Mutex<DateTime<Utc>>>);

impl Hand {
    fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_local(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc()
    }

    fn to_utc(&self, wall: NaiveDateTime) -> MappedLocalTime<DateTime<Utc>> {
        Utc.from_local_datetime(&wall)
    }
}

/// A memory with so much room, where that matters; nothing can be written, and archives not be read
/// after so many steps, where a test says so.
#[derive(Clone, Default)]
struct Room(
    MemoryStorage,
    Option<u64>,
    Arc<AtomicBool>,
    Arc<std::sync::Mutex<Cut>>,
    /// The notes cannot be read.
    Arc<AtomicBool>,
    /// After so many times the notes cannot be written.
    Arc<std::sync::Mutex<Option<(usize, Fails)>>>,
);

type Cut = Option<(usize, io::ErrorKind)>;

/// How a note fails.
#[derive(Clone, Copy)]
enum Fails {
    Wholly,
    /// It takes effect, and none does after it.
    Afterwards,
}

impl Storage for Room {
    forward!(0: name path prepare lock list list_stamped delete);

    fn read_state(&self) -> io::Result<Option<Vec<u8>>> {
        if self.4.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.0.read_state()
    }

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        let file = self.0.open(id)?;
        Ok(file.map(|file| Box::new(Cuttable(file, Arc::clone(&self.3))) as Box<dyn Readable>))
    }

    fn free(&self) -> io::Result<Option<u64>> {
        Ok(self.1)
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(Fillable(self.0.draft()?, Arc::clone(&self.2))))
    }

    fn write_state(&self, state: &[u8]) -> io::Result<()> {
        if self.2.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match self.5.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some((0, Fails::Wholly)) => return Err(io::ErrorKind::TimedOut.into()),
            Some((0, fails @ Fails::Afterwards)) => {
                *fails = Fails::Wholly;
                self.0.write_state(state)?;
                return Err(io::ErrorKind::TimedOut.into());
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        self.0.write_state(state)
    }
}

/// A draft whose disk may be full.
struct Fillable(Box<dyn Draft>, Arc<AtomicBool>);

impl Write for Fillable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Fillable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Draft for Fillable {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        self.0.reopen()
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        self.0.publish(id)
    }
}

/// A file whose connection may end.
struct Cuttable(Box<dyn Readable>, Arc<std::sync::Mutex<Cut>>);

impl Cuttable {
    fn step(&self) -> io::Result<()> {
        let mut cut = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        match cut.as_mut() {
            Some((0, kind)) => return Err((*kind).into()),
            Some((left, _)) => *left -= 1,
            None => {}
        }
        Ok(())
    }
}

impl Read for Cuttable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.step()?;
        self.0.read(buffer)
    }
}

impl Seek for Cuttable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // what leads to no place is the archive's own fault
        self.step().or_else(|error| match error.kind() {
            io::ErrorKind::InvalidInput => Ok(()),
            _ => Err(error),
        })?;
        self.0.seek(to)
    }
}

/// A place in which several bots keep their backups.
struct House {
    clock: Hand,
    room: Room,
}

type Data = std::collections::BTreeMap<String, Vec<u64>>;

impl House {
    fn new() -> Self {
        crate::canary::listen();
        let moment = DateTime::from_timestamp(1_770_000_000, 0).expect("a moment");
        let clock = Hand(Arc::new(std::sync::Mutex::new(moment)));
        Self { clock, room: Room::default() }
    }

    /// A bot that keeps two, with so many records.
    fn bot(&self, bot_id: Option<u64>, records: u64) -> (Service, Arc<RwLock<Data>>) {
        let numbers = (0..records).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let data = Arc::new(RwLock::new(Data::from([("numbers".to_owned(), numbers)])));
        (self.bot_with(bot_id, Shared::new(Arc::clone(&data))), data)
    }

    fn bot_with(&self, bot_id: Option<u64>, source: impl DataSource) -> Service {
        self.bot_in(self.room.clone(), bot_id, source)
    }

    /// The same with a storage that does more than the room.
    fn bot_in(
        &self,
        storage: impl Storage,
        bot_id: Option<u64>,
        source: impl DataSource,
    ) -> Service {
        Service::new(Parts {
            source: Box::new(source),
            storage: Box::new(storage),
            clock: Arc::new(self.clock.clone()),
            keep: 2,
            skips_unchanged: true,
            bot_id,
            schema_version: 1,
            packing: Packing::default(),
            limits: Limits::folder(),
            upload_limits: Limits::upload(),
            gate: Gate::new(false),
            glances: Glances::default(),
            doubts: Doubts::default(),
            fates: Fates::default(),
            noted: AtomicBool::default(),
            making: Making::default(),
        })
    }

    /// Makes a backup, a minute later.
    async fn back_up(&self, service: &Service) -> BackupId {
        self.clock.forward(TimeDelta::minutes(1));
        let report = service.back_up(Trigger::Scheduled).await.expect("a backup");
        assert!(report.cleanup.is_none());
        report.info.id
    }

    fn cut(&self, cut: Cut) {
        *self.room.3.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    fn note_so_often(&self, times: Option<usize>) {
        self.note_and_fail(times.map(|times| (times, Fails::Wholly)));
    }

    fn note_and_fail(&self, after: Option<(usize, Fails)>) {
        *self.room.5.lock().unwrap_or_else(PoisonError::into_inner) = after;
    }

    /// Turns a bit among the compressed data of an archive.
    fn rot(&self, id: &BackupId) {
        let mut bytes = self.room.0.get(id).expect("it is there").to_vec();
        bytes[60] ^= 4;
        self.room.0.insert(id.clone(), bytes);
    }

    fn has(&self, id: &BackupId) -> bool {
        self.room.0.get(id).is_some()
    }

    /// The archive as a file somewhere else.
    fn copy_of(&self, id: &BackupId, folder: &Path) -> Chosen {
        let path = folder.join("copy.zip");
        std::fs::write(&path, self.room.0.get(id).expect("it is there")).expect("copied");
        Chosen::File(path)
    }

    /// What a program leaves that is killed while it restores.
    fn leave_journal(&self, service: &Service, journal: &Journal) {
        let mut notes = service.parts.notebook().expect("a notebook");
        notes.restoring = Some(journal.clone());
        notes.write(&self.room).expect("written");
    }

    async fn restore(&self, service: &Service, id: &BackupId) -> Restored {
        self.clock.forward(TimeDelta::minutes(1));
        let chosen = Chosen::Stored(id.clone());
        let sha256 = service.inspect(chosen.clone()).await.expect("good").data_sha256;
        service.restore(chosen, sha256, Save::First).await.expect("restored")
    }
}

const ANNA: Option<u64> = Some(777);
const BORIS: Option<u64> = Some(888);

#[tokio::test]
async fn each_bot_counts_and_removes_its_own_backups_alone() {
    let house = House::new();
    let ((anna, _), (boris, _)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    let mut made = [Vec::new(), Vec::new()];
    for round in 0..12 {
        made[0].push(house.back_up(&anna).await);
        if round % 3 == 0 {
            made[1].push(house.back_up(&boris).await);
        }
        for made in &made {
            let stay: Vec<bool> = made.iter().rev().map(|id| house.has(id)).collect();
            let expected: Vec<bool> = (0..made.len()).map(|age| age < 2).collect();
            assert_eq!(stay, expected, "round {round}");
        }
    }
    assert_eq!((anna.moments().await.expect("a list").all().len(), made[1].len()), (2, 4));
    assert_eq!(boris.moments().await.expect("a list").all().len(), 2);
}

#[tokio::test]
async fn what_names_no_bot_counts_for_the_only_bot_and_for_none_of_several() {
    let house = House::new();
    let ((anna, _), (shell, _)) = (house.bot(ANNA, 3), house.bot(None, 3));
    let first = house.back_up(&shell).await;
    house.back_up(&anna).await;
    assert_eq!(anna.moments().await.expect("a list").all().len(), 2);
    house.back_up(&anna).await;
    assert!(!house.has(&first), "it was one of three");
    // it may be the other one's from now on
    let (boris, _) = house.bot(BORIS, 5);
    house.back_up(&boris).await;
    let second = house.back_up(&shell).await;
    for _ in 0..4 {
        house.back_up(&anna).await;
        house.back_up(&boris).await;
        house.back_up(&shell).await;
    }
    assert!(house.has(&second));
    for bot in [&anna, &boris] {
        assert_eq!(bot.moments().await.expect("a list").all().len(), 2, "no more than its own");
    }
}

#[tokio::test]
async fn a_restore_its_way_back_and_its_interruption_are_one_bots() {
    let house = House::new();
    let ((anna, hers), (boris, his)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    let (of_anna, of_boris) = (house.back_up(&anna).await, house.back_up(&boris).await);
    let back = house.restore(&anna, &of_anna).await.undo.expect("a way back");
    house.restore(&boris, &of_boris).await;
    assert!(
        anna.undo_target(back.token.clone()).await.expect("read").is_some(),
        "his restore took hers away"
    );
    assert!(
        boris.undo_target(back.token.clone()).await.expect("read").is_none(),
        "it leads to her data"
    );
    let error = boris.undo(back.clone()).await.expect_err("it is not his").error;
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert_eq!(his.read().await["numbers"].len(), 5);

    // a crash in the middle of hers
    house.leave_journal(&anna, &Journal::new("hers.zip".to_owned(), Some(back.clone())));
    assert!(boris.untold_cut_off().await.expect("read").is_none());
    house.restore(&boris, &of_boris).await;
    let found = anna.untold_cut_off().await.expect("read").expect("she must hear of it");
    assert_eq!(found.restored, "hers.zip");
    anna.note_told_of(found).await;
    assert!(anna.untold_cut_off().await.expect("read").is_none());
    hers.write().await.clear();
    anna.undo(back).await.expect("the way back is open");
    assert_eq!(hers.read().await["numbers"].len(), 3);
}

#[tokio::test]
async fn a_failure_is_one_bots_and_so_is_its_end() {
    let house = House::new();
    let ((anna, _), (boris, _)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    assert!(!anna.note_failing().await.expect("noted").told);
    anna.note_told_of_failure(house.clock.now()).await.expect("noted");
    assert!(!boris.note_failing().await.expect("noted").told, "nobody has told of his");
    // he gets a backup by hand, and his is over
    let his = boris.back_up(Trigger::Manual).await.expect("a backup").news(false);
    boris.note_made(his.clone()).await.expect("noted");
    assert_eq!(boris.untold_recovery(his.clone()).await.expect("read"), Some(false));
    assert!(anna.note_failing().await.expect("noted").told, "hers was told");
    anna.note_made(his.clone()).await.expect("noted");
    assert_eq!(anna.untold_recovery(his).await.expect("read"), Some(true), "and is over");
}

#[tokio::test]
async fn another_bots_large_backup_says_nothing_of_the_room_for_ours() {
    let mut house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    house.back_up(&anna).await;
    let (boris, _) = house.bot(BORIS, 2000);
    house.back_up(&boris).await;
    house.room.1 = Some(4000);
    house.back_up(&house.bot(ANNA, 3).0).await;
    let refused = house.bot(BORIS, 2000).0.back_up(Trigger::Manual).await;
    assert_eq!(refused.expect_err("no room for his").kind(), ErrorKind::StorageFull);
}

#[tokio::test]
async fn the_list_shows_all_and_knows_whose_it_is() {
    let house = House::new();
    let ((anna, _), (boris, _)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    house.back_up(&anna).await;
    house.back_up(&boris).await;
    let page = anna.list(0, 5).await.expect("a list");
    let foreign: Vec<bool> = page
        .lines
        .iter()
        .map(|line| match line {
            Listed::Good(info) => anothers(info.bot_id, page.bot_id),
            Listed::Damaged { error, .. } => panic!("{error}"),
        })
        .collect();
    assert_eq!(foreign, [true, false], "the newest is his");
}

#[tokio::test]
async fn what_the_bots_types_no_longer_read_goes_when_its_time_has_come() {
    let house = House::new();
    let (before, _) = house.bot(ANNA, 3);
    let old = [house.back_up(&before).await, house.back_up(&before).await];
    // longer ago than a proof lasts
    house.clock.forward(TimeDelta::days(31));
    let texts = [("numbers".to_owned(), "a text, since".to_owned())];
    let data = std::collections::BTreeMap::from(texts);
    let since = house.bot_with(ANNA, Shared::new(Arc::new(RwLock::new(data))));
    let looked_at = since.inspect(Chosen::Stored(old[1].clone())).await;
    assert_eq!(looked_at.expect_err("numbers").kind(), ErrorKind::Incompatible);
    // nor is it a reason that its place was away for once
    since.parts.doubt(&old[1], &Error::new(ErrorKind::Storage, "read the archive"));
    let new = house.back_up(&since).await;
    assert_eq!([&old[0], &old[1], &new].map(|id| house.has(id)), [false, true, true]);
    // one that nobody can prove is another matter
    let bytes = house.room.0.get(&old[1]).expect("it is there");
    let copied = BackupId::new(old[0].stamp(), 7);
    house.room.0.insert(copied.clone(), bytes);
    let newest = house.back_up(&since).await;
    assert_eq!([&old[1], &new, &newest].map(|id| house.has(id)), [false, true, true]);
    assert!(house.has(&copied));
}

#[tokio::test]
async fn what_a_check_has_found_is_noted_before_a_backup_that_waits() {
    let house = House::new();
    let (anna, data) = house.bot(ANNA, 3);
    let (old, rotten) = (house.back_up(&anna).await, house.back_up(&anna).await);
    house.rot(&rotten);
    data.write().await.clear();
    house.clock.forward(TimeDelta::minutes(1));
    // both wait, one behind the other
    let turn = Arc::clone(&anna.turn).lock_owned().await;
    let check = anna.inspect(Chosen::Stored(rotten.clone()));
    let begin = async { drop(turn) };
    let (found, made, ()) = tokio::join!(check, anna.back_up(Trigger::Manual), begin);
    assert_eq!(found.expect_err("rotten").kind(), ErrorKind::Damaged);
    assert!(made.expect("a backup").cleanup.is_none());
    assert!(house.has(&old), "it went for the sake of one that was found damaged");
}

#[tokio::test]
async fn what_another_bots_check_has_found_counts_no_more() {
    let house = House::new();
    let ((anna, _), (boris, _)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    let (old, rotten) = (house.back_up(&anna).await, house.back_up(&anna).await);
    house.back_up(&boris).await;
    house.rot(&rotten);
    let found = boris.verify(Chosen::Stored(rotten.clone())).await;
    assert_eq!(found.expect_err("rotten").kind(), ErrorKind::Damaged);
    house.back_up(&anna).await;
    assert!(house.has(&old) && house.has(&rotten));
}

#[tokio::test]
async fn what_one_bot_may_not_read_is_no_fault_of_anothers_archive() {
    let house = House::new();
    let ((anna, _), (boris, _)) = (house.bot(ANNA, 3), house.bot(BORIS, 5));
    let made = house.back_up(&anna).await;
    house.back_up(&boris).await;
    for (kind, stands) in [(io::ErrorKind::PermissionDenied, true), (io::ErrorKind::Other, false)] {
        house.cut(Some((0, kind)));
        boris.verify(Chosen::Stored(made.clone())).await.expect_err("he cannot read it");
        house.cut(None);
        assert_eq!(anna.parts.notebook().expect("notes").has_proof(&made), stands, "{kind:?}");
    }
}

#[tokio::test]
async fn what_a_check_has_found_counts_no_more_though_it_could_not_be_noted() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let (old, rotten) = (house.back_up(&anna).await, house.back_up(&anna).await);
    house.rot(&rotten);
    house.room.2.store(true, Ordering::Relaxed);
    let found = anna.verify(Chosen::Stored(rotten.clone())).await;
    assert_eq!(found.expect_err("rotten").kind(), ErrorKind::Damaged);
    house.room.2.store(false, Ordering::Relaxed);
    house.back_up(&anna).await;
    assert!(house.has(&old) && house.has(&rotten));
    // what is whole again counts again
    house.rot(&rotten);
    house.back_up(&anna).await;
    assert!(!house.has(&old), "newer ones are whole");
    assert!(anna.parts.doubts.held().is_empty());
}

#[tokio::test]
async fn a_connection_that_ends_is_no_damage_of_an_archive() {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let made = house.back_up(&anna).await;
    for kind in [InvalidData, InvalidInput, UnexpectedEof] {
        let mut whole = None;
        for reads in 0.. {
            house.cut(Some((reads, kind)));
            let found = anna.verify(Chosen::Stored(made.clone())).await;
            house.cut(None);
            let Err(error) = found else {
                whole = Some(reads);
                break;
            };
            assert_eq!(error.kind(), ErrorKind::Storage, "{kind:?} after {reads}: {error}");
        }
        assert!(whole.is_some_and(|reads| reads > 3), "{whole:?} reads");
    }
}
