//! Whose fault it is, and what a restore that went wrong has left.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::*;
use crate::error::BoxError;
use crate::source::{Export, Section};

/// A field that is empty does not stand in a backup.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Shop {
    orders: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<u64>,
}

/// A source that writes as `Shared` does, and whose restore is its own.
#[derive(Clone, Default)]
struct Own {
    state: Arc<RwLock<Shop>>,
    /// The last order of a backup is lost, and the restore fails after that or does not.
    loses: Arc<std::sync::Mutex<Option<bool>>>,
    /// Nothing can be read.
    fails: Arc<AtomicBool>,
}

impl Own {
    fn loses(&self, and_fails: Option<bool>) {
        *self.loses.lock().unwrap_or_else(PoisonError::into_inner) = and_fails;
    }
}

impl DataSource for Own {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        ["orders", "reviews"].map(Section::new).into()
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err("not now".into());
        }
        DataSource::export(&Shared::new(Arc::clone(&self.state)), out).await
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let (orders, reviews) = (data.value("orders")?, data.value("reviews")?);
        let mut now = self.state.write().await;
        now.reviews = reviews.unwrap_or_else(|| now.reviews.clone());
        let loses = self.loses.lock().unwrap_or_else(PoisonError::into_inner).take();
        if loses == Some(true) {
            return Err("the disk is full".into());
        }
        now.orders = orders.unwrap_or_else(|| now.orders.clone());
        if loses.is_some() {
            now.orders.pop();
        }
        Ok(())
    }
}

/// A bot without reviews, and a backup with three.
async fn own(house: &House) -> (Service, Own, BackupId) {
    let source = Own::default();
    *source.state.write().await = Shop { orders: vec![1, 2], reviews: vec![3, 4, 5] };
    let service = house.bot_with(ANNA, source.clone());
    let made = house.back_up(&service).await;
    source.state.write().await.reviews.clear();
    (service, source, made)
}

#[tokio::test]
async fn what_held_nothing_before_a_restore_is_looked_at_after_one_that_failed() {
    for and_fails in [true, false] {
        let house = House::new();
        let (anna, source, made) = own(&house).await;
        source.loses(Some(and_fails));
        let chosen = Chosen::Stored(made);
        let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
        let failed = anna.restore(chosen, data_sha256, Save::First).await.expect_err("it fails");
        assert_eq!(source.state.read().await.reviews.len(), 3, "they have come");
        assert!(failed.cut_off.is_some(), "so nothing is as it was: {}", failed.error);
        assert!(failed.undo.is_some());
    }
}

#[tokio::test]
async fn an_undo_whose_end_nobody_knows_closes_no_way_back() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    source.state.write().await.reviews = vec![9];
    let undo = house.restore(&anna, &made).await.undo.expect("a way back");
    source.loses(Some(true));
    let failed = anna.undo(undo.clone()).await.expect_err("it fails half way");
    assert_eq!(source.state.read().await.reviews, [9], "they have come");
    let cut_off = failed.cut_off.expect("so nobody knows");
    let target = anna.undo_target(undo.token.clone()).await.expect("read").expect("it is open");
    assert!(!target.recent, "it asks first: there is a later one");
    let later = failed.undo.expect("a way back from the undo");
    let target = anna.undo_target(later.token.clone()).await.expect("read").expect("open as well");
    assert!(target.recent);
    // until people have heard of it, it is told like a crash, by whatever program
    let other = house.bot_with(ANNA, source.clone());
    for bot in [&anna, &other] {
        let untold = bot.untold_cut_off().await.expect("read");
        assert_eq!(untold.as_ref(), Some(&*cut_off));
    }
    anna.note_told_of(*cut_off).await;
    assert!(other.untold_cut_off().await.expect("read").is_none());
    anna.undo(undo).await.expect("another try");
}

/// A restore, with its way back, and two tries to go it of which nobody knows the end, with theirs.
async fn unknown_twice(anna: &Service, house: &House, source: &Own, made: &BackupId) -> [Undo; 3] {
    source.state.write().await.reviews = vec![9];
    let undo = house.restore(anna, made).await.undo.expect("a way back");
    let mut ways = vec![undo.clone()];
    for _ in 0..2 {
        house.clock.forward(TimeDelta::minutes(1));
        source.state.write().await.orders.push(7);
        source.loses(Some(true));
        let failed = anna.undo(undo.clone()).await.expect_err("it fails half way");
        anna.note_told_of(*failed.cut_off.expect("nobody knows")).await;
        ways.push(*failed.undo.expect("a way back"));
        source.state.write().await.reviews.push(8);
    }
    ways.try_into().expect("three ways")
}

#[tokio::test]
async fn whoever_takes_back_a_restore_whose_end_nobody_knows_has_all_ways_of_before() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    let [undo, ways @ ..] = unknown_twice(&anna, &house, &source, &made).await;
    let is_open =
        async |undo: &Undo| anna.undo_target(undo.token.clone()).await.expect("read").is_some();
    // the last one first
    let left = anna.undo(ways[1].clone()).await.expect("taken back").undo.expect("a way to it");
    assert_eq!(source.state.read().await.orders, [1, 2, 7, 7]);
    assert!(is_open(&undo).await && is_open(&ways[0]).await && !is_open(&ways[1]).await);
    assert!(left.again && is_open(&left).await, "it can be had again, and is not the first undo");
    // had again, and taken back again: nothing of before is lost on the way
    let back = anna.undo(left.clone()).await.expect("had again").undo.expect("a way back");
    assert_eq!(source.state.read().await.reviews.last(), Some(&8), "what nobody knew the end of");
    anna.undo(back).await.expect("taken back again");
    assert!(is_open(&undo).await && is_open(&ways[0]).await);
    // a restore that is taken back by itself costs no way of before either
    source.loses(Some(false));
    let chosen = Chosen::Stored(made);
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    let failed = anna.restore(chosen, data_sha256, Save::First).await.expect_err("it loses one");
    let kept = failed.undo.expect("a way to what was left");
    assert!(failed.rolled_back.is_some() && kept.kept);
    assert!(is_open(&undo).await && is_open(&ways[0]).await);
    // whoever is asked first, and agrees, restores the same from the list
    let safety = ways[0].safety().expect("a name");
    house.clock.forward(TimeDelta::minutes(20));
    let chosen = Chosen::Stored(safety);
    let data_sha256 = ways[0].safety_sha256.clone();
    anna.restore(chosen, data_sha256, Save::First).await.expect("taken back as well");
    assert!(is_open(&kept).await, "whoever wants that can have it");
    assert_eq!(source.state.read().await.reviews, [3, 4, 5], "as the restore had left it");
    assert!(is_open(&undo).await && !is_open(&ways[0]).await);
    anna.undo(undo).await.expect("and the first one");
    assert_eq!(source.state.read().await.reviews, [9]);
}

/// A restore of which nobody knows the end, and the way back from it.
async fn unknown(anna: &Service, source: &Own, chosen: &Chosen) -> (Journal, Undo) {
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    source.state.write().await.reviews = vec![9];
    source.loses(Some(true));
    let restored = anna.restore(chosen.clone(), data_sha256, Save::First).await;
    let failed = restored.expect_err("it fails half way");
    (*failed.cut_off.expect("nobody knows"), *failed.undo.expect("a way back"))
}

#[tokio::test]
async fn ways_back_that_are_open_together_have_two_names() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    let (cut_off, first) = unknown(&anna, &source, &Chosen::Stored(made)).await;
    anna.note_told_of(cut_off).await;
    source.state.write().await.reviews.push(8);
    source.loses(Some(true));
    let failed = anna.undo(first.clone()).await.expect_err("nobody knows how it ends");
    anna.note_told_of(*failed.cut_off.expect("it is told")).await;
    let again = failed.undo.expect("a way back");
    assert_eq!((first.again, again.again), (false, true));
    let left = anna.undo(*again).await.expect("taken back").undo.expect("a way to it");
    assert!(left.again, "the first one is open, and is called an undo of the restore");
    anna.undo(first).await.expect("it is open");
}

#[tokio::test]
async fn what_was_before_is_brought_back_by_who_has_told_nobody_and_no_way_back_is_closed() {
    for by_path in [false, true] {
        brought_back_by_who_has_told_nobody(by_path).await;
    }
}

async fn brought_back_by_who_has_told_nobody(by_path: bool) {
    let house = House::new();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (anna, source, made) = own(&house).await;
    *source.state.write().await = Shop { orders: vec![1, 2, 7], reviews: vec![9] };
    let undo = house.restore(&anna, &made).await.undo.expect("a way back");
    // as a command does, which says it on a screen
    let command = house.bot_with(ANNA, source.clone());
    let (cut_off, way) = unknown(&command, &source, &Chosen::Stored(made)).await;
    let safety = way.safety().expect("a name");
    let safety =
        if by_path { house.copy_of(&safety, elsewhere.path()) } else { Chosen::Stored(safety) };
    let restored = command.restore(safety, way.safety_sha256.clone(), Save::First).await;
    restored.expect("brought back");
    for open in [&undo, &way] {
        assert!(anna.undo_target(open.token.clone()).await.expect("read").is_some(), "closed");
    }
    let untold = anna.untold_cut_off().await.expect("read");
    assert_eq!(untold.as_ref(), Some(&cut_off), "the chat still tells of it");
    anna.note_told_of(cut_off).await;
    anna.undo(way).await.expect("its button works");
    anna.undo(undo).await.expect("and the older one");
    assert_eq!(source.state.read().await.orders, [1, 2, 7]);
}

#[tokio::test]
async fn a_backup_that_failed_is_not_told_to_have_been_cut_off() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    // of two that fail, how many notes can be written in each: its beginning and its end are noted
    let all = [Some(0), Some(1), None];
    for notes in all.iter().flat_map(|first| all.map(|second| [*first, second])) {
        for notes in notes {
            house.clock.forward(TimeDelta::minutes(1));
            house.note_so_often(notes);
            source.fails.store(true, Ordering::Relaxed);
            anna.back_up(Trigger::Manual).await.expect_err("nothing can be read");
            source.fails.store(false, Ordering::Relaxed);
            house.note_so_often(None);
            assert!(anna.cut_off_backup().await.expect("read").is_none(), "{notes:?}");
        }
        // the next note says so
        source.state.write().await.reviews = vec![9];
        house.restore(&anna, &made).await;
        let next = house.bot_with(ANNA, source.clone());
        assert!(next.parts.notebook().expect("read").making.is_none(), "{notes:?}");
    }
    // whoever has heard is not told again for another that fails, though it could not be noted
    let cut_off = async || {
        house.clock.forward(TimeDelta::minutes(1));
        let mut notebook = anna.parts.notebook().expect("read");
        notebook.making = Some(anna.now());
        notebook.write(&house.room).expect("written");
        house.bot_with(ANNA, source.clone())
    };
    let next = cut_off().await;
    let since = next.cut_off_backup().await.expect("read").expect("it is told");
    house.note_so_often(Some(0));
    next.note_told_of_cut_off_backup(since).await;
    house.note_so_often(None);
    source.fails.store(true, Ordering::Relaxed);
    next.back_up(Trigger::Manual).await.expect_err("nothing can be read");
    source.fails.store(false, Ordering::Relaxed);
    assert!(house.bot_with(ANNA, source.clone()).cut_off_backup().await.expect("read").is_none());
    // nor does it take away what is to be told of an earlier one
    let next = cut_off().await;
    source.fails.store(true, Ordering::Relaxed);
    house.clock.forward(TimeDelta::minutes(1));
    next.back_up(Trigger::Manual).await.expect_err("nothing can be read");
    assert!(next.cut_off_backup().await.expect("read").is_some());
}

#[tokio::test]
async fn an_undo_that_leaves_what_was_not_there_is_found_out() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    let undo = house.restore(&anna, &made).await.undo.expect("a way back");
    let failed = anna.undo(undo).await.expect_err("the reviews are still there");
    assert_eq!(source.state.read().await.reviews.len(), 3);
    assert!(failed.rolled_back.is_some(), "{}", failed.error);
}

#[tokio::test]
async fn the_way_to_what_was_taken_back_stays_whoever_took_the_restore_for_a_crash() {
    let house = House::new();
    let source = Own::default();
    *source.state.write().await = Shop { orders: vec![1, 2, 3], reviews: vec![4] };
    let anna = house.bot_with(ANNA, source.clone());
    let chosen = Chosen::Stored(house.back_up(&anna).await);
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    source.loses(Some(false));
    // the two proofs and the journal are noted, and then nothing
    house.note_so_often(Some(3));
    let failed = anna.restore(chosen, data_sha256, Save::First).await.expect_err("it loses one");
    house.note_so_often(None);
    let left = failed.undo.expect("a way to what was left");
    assert!(failed.rolled_back.is_some() && left.kept, "{}", failed.error);
    let command = house.bot_with(ANNA, source);
    assert!(command.untold_cut_off().await.expect("read").is_some(), "it cannot know");
    assert!(anna.untold_cut_off().await.expect("read").is_none());
    let target = anna.undo_target(left.token).await.expect("read");
    assert!(target.is_some(), "a dead button");
}

/// A source that takes it for granted that writing and reading succeed.
struct Rash(Arc<AtomicBool>);

impl DataSource for Rash {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("numbers")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let numbers: Vec<u64> = (0..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
        out.value("numbers", &numbers).expect("there is room");
        Ok(())
    }

    async fn check(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.value::<Vec<u64>>("numbers").expect("numbers");
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        data.value::<Vec<u64>>("numbers")?;
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn a_source_that_panics_on_a_full_disk_is_not_to_blame() {
    let house = House::new();
    let restored = Arc::new(AtomicBool::new(false));
    let anna = house.bot_with(ANNA, Rash(Arc::clone(&restored)));
    let made = house.back_up(&anna).await;
    let chosen = Chosen::Stored(made);
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    house.room.2.store(true, Ordering::Relaxed);
    let refused = anna.back_up(Trigger::Manual).await.expect_err("no room");
    assert_eq!(refused.kind(), ErrorKind::StorageFull, "{refused}");
    for save in [Save::First, Save::GiveUp] {
        let failed = anna.restore(chosen.clone(), data_sha256.clone(), save).await;
        let failed = failed.expect_err("what is live could not be saved");
        assert_eq!(failed.error.kind(), ErrorKind::StorageFull, "{}", failed.error);
        assert!(failed.unsaved && !failed.may_be_given_up());
    }
    assert!(!restored.load(Ordering::Relaxed), "it went for a full disk");

    house.room.2.store(false, Ordering::Relaxed);
    for steps in 0.. {
        house.cut(Some((steps, io::ErrorKind::Other)));
        let found = anna.verify(chosen.clone()).await;
        house.cut(None);
        let Err(error) = found else { return assert!(steps > 3, "{steps} steps") };
        assert_eq!(error.kind(), ErrorKind::Storage, "after {steps}: {error}");
    }
}

/// A source that writes the same each time in another order. After a restore the place of the backups is
/// away, until the data are read for the second time.
struct Shuffled(Arc<std::sync::Mutex<Cut>>, Arc<RwLock<Shuffle>>);

#[derive(Default)]
struct Shuffle {
    orders: HashMap<String, u64>,
    /// A restore will cut the place off.
    cuts: bool,
    /// How often the data are read until it is there again.
    away: u32,
}

impl Shuffled {
    fn cut(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }
}

impl DataSource for Shuffled {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        vec![Section::new("orders")]
    }

    async fn export(&self, out: &mut Export<'_>) -> Result<(), BoxError> {
        let mut now = self.1.write().await;
        now.away = now.away.saturating_sub(1);
        if now.away == 0 {
            self.cut(None);
        }
        // each map has an order of its own
        let orders: HashMap<_, _> = now.orders.clone().into_iter().collect();
        out.value("orders", &orders)?;
        Ok(())
    }

    async fn restore(&self, data: &mut Import<'_>) -> Result<(), BoxError> {
        let mut now = self.1.write().await;
        now.orders = data.value("orders")?.unwrap_or_default();
        if std::mem::take(&mut now.cuts) {
            now.away = 2;
            self.cut(Some((0, io::ErrorKind::TimedOut)));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_place_that_is_away_after_a_restore_is_not_blamed_on_the_data() {
    let house = House::new();
    let live = Arc::new(RwLock::new(Shuffle::default()));
    let anna = house.bot_with(ANNA, Shuffled(Arc::clone(&house.room.3), Arc::clone(&live)));
    let orders = |base: u64| (0..40).map(move |n| (format!("order_{n}"), base + n)).collect();
    live.write().await.orders = orders(0);
    let made = house.back_up(&anna).await;
    live.write().await.orders = orders(100);
    let chosen = Chosen::Stored(made);
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    live.write().await.cuts = true;
    let failed = anna.restore(chosen, data_sha256, Save::First).await.expect_err("taken back");
    assert_eq!(failed.rolled_back.as_deref(), Some(&Difference::default()), "{}", failed.error);
    assert!(!failed.is_of_the_data(), "{}", failed.error);
    assert_eq!(live.read().await.orders["order_0"], 100);
}

#[tokio::test]
async fn a_way_back_is_not_lost_while_nobody_can_read_whether_it_is_open() {
    let house = House::new();
    let (anna, data) = house.bot(ANNA, 3);
    let made = house.back_up(&anna).await;
    data.write().await.clear();
    let undo = house.restore(&anna, &made).await.undo.expect("a way back");
    house.room.4.store(true, Ordering::Relaxed);
    let failed = anna.undo(undo.clone()).await.expect_err("the notes cannot be read");
    assert_eq!(failed.undo.as_deref(), Some(&undo), "{}", failed.error);
    house.room.4.store(false, Ordering::Relaxed);
    anna.undo(undo.clone()).await.expect("it is open");
    assert!(data.read().await.is_empty());
    // and one that has been gone is closed
    let failed = anna.undo(undo).await.expect_err("gone");
    assert_eq!(failed.undo, None);
}

/// A place whose files panic when they are closed, once a restore has begun.
struct Bomb(Room, Arc<AtomicBool>);

impl Storage for Bomb {
    forward!(0: name path prepare lock list list_stamped free delete read_state write_state);

    fn open(&self, id: &BackupId) -> io::Result<Option<Box<dyn Readable>>> {
        let file = self.0.open(id)?;
        Ok(file.map(|file| Box::new(Fused(file, Arc::clone(&self.1))) as Box<dyn Readable>))
    }

    fn draft(&self) -> io::Result<Box<dyn Draft>> {
        Ok(Box::new(Fused(self.0.draft()?, Arc::clone(&self.1))))
    }
}

impl Write for Fused<Box<dyn Draft>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Draft for Fused<Box<dyn Draft>> {
    fn reopen(&mut self) -> io::Result<Box<dyn Readable>> {
        Ok(Box::new(Fused(self.0.reopen()?, Arc::clone(&self.1))))
    }

    fn publish(&mut self, id: &BackupId) -> io::Result<bool> {
        self.0.publish(id)
    }
}

struct Fused<F>(F, Arc<AtomicBool>);

impl<F: Read> Read for Fused<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<F: Seek> Seek for Fused<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl<F> Drop for Fused<F> {
    fn drop(&mut self) {
        assert!(!self.1.load(Ordering::Relaxed) || std::thread::panicking(), "closed");
    }
}

#[tokio::test]
async fn a_file_that_panics_at_its_end_fails_nothing() {
    let house = House::new();
    let restored = Arc::new(AtomicBool::new(false));
    let anna = house.bot_in(Bomb(house.room.clone(), Arc::clone(&restored)), ANNA, Rash(restored));
    let chosen = Chosen::Stored(house.back_up(&anna).await);
    let data_sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    let done = anna.restore(chosen.clone(), data_sha256, Save::First).await;
    done.expect("it is done");
    anna.verify(chosen).await.expect("it is whole");
    let made = house.back_up(&anna).await;
    house.clock.forward(TimeDelta::minutes(1));
    let report = anna.back_up_if(|_| true).await.expect("no failure").expect("it is due");
    assert!(report.info.id == made && report.unchanged.is_some(), "{made}: {report:?}");
    let archive = anna.read(made.clone(), 1 << 20).await.expect("read").expect("it is small");
    assert_eq!(anna.receive(archive.clone()).await.expect("it is here"), made);
    let other = House::new();
    let rash = Rash(Arc::default());
    let bomb = Bomb(other.room.clone(), Arc::new(AtomicBool::new(true)));
    let boris = other.bot_in(bomb, BORIS, rash);
    boris.receive(archive).await.expect("taken in");
}

#[tokio::test]
async fn a_backup_that_cannot_be_found_in_a_place_that_is_away_is_not_gone() {
    let house = House::new();
    let place = tempfile::tempdir().expect("a folder");
    let (folder, elsewhere) = (place.path().join("backups"), place.path().join("elsewhere"));
    std::fs::create_dir(&folder).expect("a folder");
    let source = Shared::new(Arc::new(RwLock::new(Data::default())));
    let anna = house.bot_in(crate::FolderStorage::new(&folder), ANNA, source);
    let made = house.back_up(&anna).await;
    std::fs::rename(&folder, &elsewhere).expect("moved");
    let error = anna.verify(Chosen::Stored(made.clone())).await.expect_err("not there");
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    std::fs::rename(&elsewhere, &folder).expect("moved back");
    anna.verify(Chosen::Stored(made)).await.expect("whole");
}

#[tokio::test]
async fn whoever_gives_up_what_cannot_be_saved_closes_no_way_back() {
    let house = House::new();
    let (anna, source, made) = own(&house).await;
    let [undo, ways @ ..] = unknown_twice(&anna, &house, &source, &made).await;
    source.fails.store(true, Ordering::Relaxed);
    let chosen = Chosen::Stored(ways[1].safety().expect("a name"));
    let restored = anna.restore(chosen, ways[1].safety_sha256.clone(), Save::GiveUp).await;
    assert!(restored.expect("restored").undo.is_none());
    for way in [undo].iter().chain(&ways) {
        assert!(anna.undo_target(way.token.clone()).await.expect("read").is_some(), "closed");
    }
}
