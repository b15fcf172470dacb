//! Restores that were cut off, and the ways back from them.

use super::*;
use crate::service::interruption::Fate;

#[tokio::test]
async fn a_restore_that_was_cut_off_unseen_keeps_its_place() {
    let house = House::new();
    let (anna, hers) = house.bot(ANNA, 3);
    let backup = house.back_up(&anna).await;
    let back = house.restore(&anna, &backup).await.undo.expect("a way back");
    let chosen = Chosen::Stored(backup.clone());
    let sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    assert!(anna.untold_cut_off().await.expect("read").is_none(), "nobody has anything to hear");
    // another program is killed, before the restore has its turn
    let cut_off = Journal::new("other.zip".to_owned(), None);
    house.leave_journal(&anna, &cut_off);
    hers.write().await.clear();
    let restored = anna.restore(chosen.clone(), sha256.clone(), Save::First).await;
    let refused = restored.expect_err("nobody has heard of it");
    assert_eq!((refused.error.kind(), refused.cut_off.is_some()), (ErrorKind::Busy, false));
    let refused = anna.undo(back.clone()).await.expect_err("nor an undo");
    assert_eq!(refused.error.kind(), ErrorKind::Busy);
    assert_eq!(refused.undo.map(|undo| undo.token), Some(back.token), "the button stays");
    assert!(hers.read().await.is_empty());

    let found = anna.untold_cut_off().await.expect("read").expect("it must be told");
    assert_eq!(found, cut_off);
    // and one more of the same file while that was told
    let later = Journal::new("other.zip".to_owned(), None);
    house.leave_journal(&anna, &later);
    anna.note_told_of(found).await;
    let found = anna.untold_cut_off().await.expect("read").expect("it must be told as well");
    assert_eq!(found, later);
    anna.note_told_of(found).await;
    assert!(anna.untold_cut_off().await.expect("read").is_none());
    anna.restore(chosen, sha256, Save::First).await.expect("restored");
    assert_eq!(hers.read().await["numbers"].len(), 3);
}

/// A command that is killed so often in a restore; gives the ways back.
async fn killed(
    house: &House,
    anna: &Service,
    hers: &RwLock<Data>,
    shell: &Service,
    times: u64,
) -> Vec<Undo> {
    let mut ways = Vec::new();
    for round in 0..times {
        house.clock.forward(TimeDelta::minutes(1));
        hers.write().await.insert("numbers".to_owned(), vec![round]);
        let (undo, _) = anna.parts.save(false).expect("saved");
        house.leave_journal(shell, &Journal::new("a.zip".to_owned(), Some(undo.clone())));
        ways.push(undo);
        // the next one says it on the screen alone
        assert!(shell.untold_cut_off().await.expect("read").is_some());
    }
    ways
}

/// Tells the chat of all that it has not heard; gives the ways back.
async fn told(anna: &Service) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(found) = anna.untold_cut_off().await.expect("read") {
        told.push(found.undo.clone().expect("a way back").token);
        anna.note_told_of(found).await;
    }
    told
}

fn tokens(ways: &[Undo]) -> Vec<String> {
    ways.iter().map(|undo| undo.token.clone()).collect()
}

#[tokio::test]
async fn bringing_back_what_was_before_one_crash_puts_no_other_out_of_which_nobody_has_heard() {
    let house = House::new();
    let ((anna, hers), (shell, _)) = (house.bot(ANNA, 3), house.bot(ANNA, 3));
    let ways = killed(&house, &anna, &hers, &shell, 16).await;
    house.clock.forward(TimeDelta::minutes(1));
    let last = ways.last().expect("the last one");
    let safety = Chosen::Stored(last.safety().expect("a name"));
    let restored = shell.restore(safety, last.safety_sha256.clone(), Save::First).await;
    let undo = restored.expect("brought back").undo.expect("a way back");
    assert_eq!(told(&anna).await, tokens(&ways));
    // there is no room for one more, but what it leads to is in the list
    assert!(house.has(&undo.safety().expect("a name")));
}

#[tokio::test]
async fn a_copy_of_what_was_before_closes_the_last_way_there_alone() {
    let house = House::new();
    let ((anna, hers), (shell, _)) = (house.bot(ANNA, 3), house.bot(ANNA, 3));
    // before the last one all was as before the first one
    let mut ways = killed(&house, &anna, &hers, &shell, 2).await;
    ways.extend(killed(&house, &anna, &hers, &shell, 1).await);
    assert_eq!(told(&anna).await, tokens(&ways));
    house.clock.forward(TimeDelta::minutes(1));
    let [_, other, last] = &ways[..] else { panic!("three ways") };
    let elsewhere = tempfile::tempdir().expect("a folder");
    let copy = house.copy_of(&last.safety().expect("a name"), elsewhere.path());
    let restored = shell.restore(copy, last.safety_sha256.clone(), Save::First).await;
    restored.expect("brought back");
    let is_open =
        async |undo: &Undo| anna.undo_target(undo.token.clone()).await.expect("read").is_some();
    assert!(is_open(other).await && !is_open(last).await);
}

#[tokio::test]
async fn a_command_that_is_killed_again_and_again_loses_no_way_back() {
    let house = House::new();
    let ((anna, hers), (shell, _)) = (house.bot(ANNA, 3), house.bot(ANNA, 3));
    let backup = house.back_up(&anna).await;
    let ways = killed(&house, &anna, &hers, &shell, 20).await;
    house.back_up(&anna).await;
    let told = told(&anna).await;
    assert_eq!(told, [tokens(&ways[..1]), tokens(&ways[5..])].concat(), "the first, and the last");
    for token in &told {
        assert!(anna.undo_target(token.clone()).await.expect("read").is_some(), "a dead button");
    }
    anna.undo(ways[0].clone()).await.expect("the first way back is open");
    assert_eq!(hers.read().await["numbers"], [0]);
    let last = anna.undo_target(told[1].clone()).await.expect("read");
    assert!(last.is_none(), "only the last restore can be undone");
    assert!(house.has(&backup));
}

#[tokio::test]
async fn a_crash_closes_no_older_way_back_and_the_next_restore_closes_both() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let backup = house.back_up(&anna).await;
    let older = house.restore(&anna, &backup).await.undo.expect("a way back");
    // the clock is set back meanwhile
    house.clock.forward(TimeDelta::minutes(-5));
    let (undo, _) = anna.parts.save(false).expect("saved");
    house.clock.forward(TimeDelta::minutes(6));
    house.leave_journal(&anna, &Journal::new("a.zip".to_owned(), Some(undo.clone())));
    let is_open =
        async |undo: &Undo| anna.undo_target(undo.token.clone()).await.expect("read").is_some();
    let found = anna.untold_cut_off().await.expect("read").expect("it must be told");
    anna.note_told_of(found).await;
    assert!(is_open(&older).await && is_open(&undo).await);
    let target = anna.undo_target(older.token.clone()).await.expect("read");
    assert!(target.is_some_and(|target| !target.recent), "it must ask");
    let last = house.restore(&anna, &backup).await.undo.expect("a way back");
    assert!(!is_open(&older).await && !is_open(&undo).await && is_open(&last).await);
}

/// A restore whose end could not be noted, with the way back from it.
async fn unnoted(house: &House) -> (Service, Arc<RwLock<Data>>, Undo) {
    let (anna, hers) = house.bot(ANNA, 3);
    let chosen = Chosen::Stored(house.back_up(&anna).await);
    let sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
    // the proof of the safety backup and the journal are noted, and then nothing
    house.note_so_often(Some(2));
    let restored = anna.restore(chosen, sha256, Save::First).await.expect("restored");
    house.note_so_often(None);
    hers.write().await.clear();
    (anna, hers, restored.undo.expect("a way back"))
}

#[tokio::test]
async fn a_restore_whose_end_cannot_be_noted_was_not_cut_off_for_who_knows_it() {
    let house = House::new();
    let (anna, hers, back) = unnoted(&house).await;
    assert!(anna.untold_cut_off().await.expect("read").is_none());
    house.back_up(&anna).await;
    let (other, _) = house.bot(ANNA, 3);
    assert!(other.untold_cut_off().await.expect("read").is_none(), "it is noted now");
    anna.undo(back).await.expect("the way back is open");
    assert_eq!(hers.read().await["numbers"].len(), 3);
}

#[tokio::test]
async fn a_restore_whose_end_was_not_noted_in_time_spoils_none_that_came_after() {
    let house = House::new();
    let (anna, hers, back) = unnoted(&house).await;
    // another program cannot know
    let (other, _) = house.bot(ANNA, 3);
    let told = other.untold_cut_off().await.expect("read").expect("it looks like a crash");
    assert_eq!(told.undo.as_ref().map(|undo| &undo.token), Some(&back.token));
    house.leave_journal(&other, &Journal::new("b.zip".to_owned(), None));
    house.back_up(&anna).await;
    other.note_told_of(told).await;
    let found = anna.untold_cut_off().await.expect("read").expect("that is another one");
    assert_eq!(found.restored, "b.zip");
    anna.undo(back).await.expect("the way back is open");
    assert_eq!(hers.read().await["numbers"].len(), 3);
}

#[tokio::test]
async fn who_knows_how_a_restore_ended_tells_of_no_crash_whoever_took_it_for_one() {
    let house = House::new();
    let (anna, _, _) = unnoted(&house).await;
    let (command, _) = house.bot(ANNA, 3);
    assert!(command.untold_cut_off().await.expect("read").is_some(), "a command cannot know");
    assert!(anna.untold_cut_off().await.expect("read").is_none());
}

/// A source that refuses to restore.
struct Refuses(Shared<Data>);

impl DataSource for Refuses {
    type Error = BoxError;

    fn sections(&self) -> Vec<Section> {
        DataSource::sections(&self.0)
    }

    async fn export(&self, out: &mut Export<'_>) -> std::result::Result<(), BoxError> {
        DataSource::export(&self.0, out).await
    }

    async fn restore(&self, _: &mut Import<'_>) -> std::result::Result<(), BoxError> {
        Err("no".into())
    }
}

#[tokio::test]
async fn a_refused_restore_costs_no_way_back_whatever_cannot_be_noted() {
    // the journal is noted or not, or noted though the disk says that it failed; its end is not
    for (times, fails) in [(1, Fails::Wholly), (1, Fails::Afterwards), (2, Fails::Wholly)] {
        let house = House::new();
        let (first, hers) = house.bot(ANNA, 3);
        let backup = house.back_up(&first).await;
        let back = house.restore(&first, &backup).await.undo.expect("a way back");
        house.clock.forward(TimeDelta::minutes(1));
        let anna = house.bot_with(ANNA, Refuses(Shared::new(hers)));
        let chosen = Chosen::Stored(backup.clone());
        let sha256 = anna.inspect(chosen.clone()).await.expect("good").data_sha256;
        house.note_and_fail(Some((times, fails)));
        let failed = anna.restore(chosen, sha256, Save::First).await.expect_err("it refuses");
        assert!(failed.cut_off.is_none());
        house.note_and_fail(None);
        assert!(anna.untold_cut_off().await.expect("read").is_none(), "nothing was cut off");
        house.back_up(&anna).await;
        let found = first.undo_target(back.token).await.expect("read");
        assert!(found.is_some(), "the way back from the restore before is lost");
    }
}

#[tokio::test]
async fn a_crash_that_cannot_be_noted_is_no_other_programs_work() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let backup = house.back_up(&anna).await;
    house.leave_journal(&anna, &Journal::new("a.zip".to_owned(), None));
    house.note_so_often(Some(0));
    assert!(anna.cut_off().await.expect("read").is_some());
    house.note_so_often(None);
    // whoever has read of it on the screen is not told to wait
    house.restore(&anna, &backup).await;
    let (other, _) = house.bot(ANNA, 3);
    assert!(other.untold_cut_off().await.expect("read").is_some(), "the chat tells all the same");
}

#[tokio::test]
async fn what_a_restore_had_left_stays_where_nothing_could_be_saved() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    house.back_up(&anna).await;
    let (left, _) = anna.parts.save(true).expect("saved");
    let journal = Journal::new("a.zip".to_owned(), None);
    for fate in [Fate::RolledBack(Some(left.clone())), Fate::Replaced(None)] {
        house.leave_journal(&anna, &journal);
        anna.parts.conclude(journal.id.clone(), fate);
    }
    assert!(anna.undo_target(left.token).await.expect("read").is_some(), "a dead button");
}

#[tokio::test]
async fn crashes_that_lead_nowhere_take_no_way_back_away() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let (way, _) = anna.parts.save(false).expect("saved");
    for number in 0..40 {
        // one that leads back among those of which nothing could be saved
        let undo = (number == 3).then(|| way.clone());
        house.leave_journal(&anna, &Journal::new("a.zip".to_owned(), undo));
        let found = anna.untold_cut_off().await.expect("read").expect("it must be told");
        anna.note_told_of(found).await;
    }
    assert!(anna.undo_target(way.token).await.expect("read").is_some(), "a dead button");
}

#[tokio::test]
async fn a_backup_that_was_cut_off_is_told_of_but_not_each_time() {
    let house = House::new();
    let (anna, hers) = house.bot(ANNA, 3);
    house.back_up(&anna).await;
    assert!(anna.cut_off_backup().await.expect("read").is_none(), "it has ended");
    let dies = async || {
        house.clock.forward(TimeDelta::hours(1));
        let mut notebook = anna.parts.notebook().expect("read");
        notebook.making = Some(anna.now());
        notebook.write(&house.room).expect("written");
        let (next, _) = house.bot(ANNA, 3);
        let heard = next.cut_off_backup().await.expect("read").is_some();
        let (after, _) = house.bot(ANNA, 3);
        assert_eq!(
            after.cut_off_backup().await.expect("read").is_some(),
            heard,
            "until somebody has heard"
        );
        (next, heard)
    };
    let (next, heard) = dies().await;
    assert!(heard);
    next.note_told_of_cut_off_backup(next.now()).await;
    assert!(anna.cut_off_backup().await.expect("read").is_none(), "it was told");
    // an hour goes by before each
    house.clock.forward(TimeDelta::minutes(18 * 60 + 59));
    assert!(!dies().await.1, "a bot that ends in each backup may start each minute");
    house.clock.forward(TimeDelta::minutes(-59));
    let (next, heard) = dies().await;
    assert!(heard, "twenty hours later");
    next.note_told_of_cut_off_backup(next.now()).await;
    house.clock.forward(-TimeDelta::days(9));
    assert!(dies().await.1, "nobody knows how long ago it was told");

    // killed after the archive had its name, before that could be noted
    house.clock.forward(TimeDelta::days(30));
    hers.write().await.insert("numbers".to_owned(), vec![1]);
    house.note_so_often(Some(1));
    house.back_up(&anna).await;
    house.note_so_often(None);
    let (next, _) = house.bot(ANNA, 3);
    assert!(next.parts.notebook().expect("read").making.is_some());
    assert!(next.cut_off_backup().await.expect("read").is_none(), "it is there");
}

#[tokio::test]
async fn what_another_program_has_left_is_told_of_whatever_this_one_notes() {
    let house = House::new();
    let (anna, _) = house.bot(ANNA, 3);
    let made = house.back_up(&anna).await;
    house.clock.forward(TimeDelta::minutes(1));
    let mut notebook = anna.parts.notebook().expect("read");
    notebook.making = Some(anna.now());
    notebook.write(&house.room).expect("written");
    // that of the backup before a restore among them
    house.restore(&anna, &made).await;
    let (next, _) = house.bot(ANNA, 3);
    assert!(next.cut_off_backup().await.expect("read").is_some());
}
