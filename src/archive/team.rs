//! Threads that compress the blocks of one stream side by side, for as long as a backup takes.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::in_context;
use super::packer::{Block, Packed, Packer};

struct Job {
    block: Block,
    before: Option<Block>,
    done: Sender<io::Result<Packed>>,
}

/// Gives back the blocks in the order in which it took them.
pub(super) struct Team {
    /// `None` once no more will come, which ends the threads.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// What is being compressed, the oldest first. A thread that dies drops its end of these.
    ahead: VecDeque<Receiver<io::Result<Packed>>>,
    before: Option<Block>,
}

impl Team {
    /// `None` where the system gives us no thread.
    pub(super) fn start(workers: usize, packer: impl Fn() -> Packer) -> Option<Self> {
        Self::start_with(workers, || {
            let mut packer = packer();
            move |job: &Job| packer.pack(&job.block, job.before.as_ref())
        })
    }

    fn start_with<W>(workers: usize, worker: impl Fn() -> W) -> Option<Self>
    where
        W: FnMut(&Job) -> io::Result<Packed> + Send + 'static,
    {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let thread = || {
            let (queue, worker) = (Arc::clone(&queue), worker());
            let builder = thread::Builder::new().name("backup".to_owned());
            builder.spawn(in_context(move || work(&queue, worker))).ok()
        };
        let threads: Vec<_> = (0..workers).map_while(|_| thread()).collect();
        // the queue is the threads' alone: with the last of them go the jobs that nobody will do
        drop(queue);
        let team = Self { jobs: Some(jobs), threads, ahead: VecDeque::new(), before: None };
        (!team.threads.is_empty()).then_some(team)
    }

    /// Takes a block. What must be written before there is room for another goes to `out`.
    pub(super) fn take(&mut self, block: Block, out: &mut Vec<Packed>) -> io::Result<()> {
        // two more than are in work: one that waits, and one that is done before its turn
        while self.ahead.len() >= self.threads.len() + 2 {
            self.collect(out)?;
        }
        let before = self.before.replace(Arc::clone(&block));
        let (done, result) = mpsc::channel();
        let job = Job { block, before, done };
        let queued = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        self.ahead.push_back(result);
        if queued { Ok(()) } else { Err(died()) }
    }

    /// Waits for all that is under way.
    pub(super) fn finish(&mut self, out: &mut Vec<Packed>) -> io::Result<()> {
        while !self.ahead.is_empty() {
            self.collect(out)?;
        }
        Ok(())
    }

    fn collect(&mut self, out: &mut Vec<Packed>) -> io::Result<()> {
        let Some(oldest) = self.ahead.pop_front() else { return Ok(()) };
        out.push(oldest.recv().map_err(|_| died())??);
        Ok(())
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // one that died has already failed the backup
            let _ = thread.join();
        }
    }
}

fn died() -> io::Error {
    io::Error::other("a thread that compresses has died")
}

fn work(queue: &Mutex<Receiver<Job>>, mut worker: impl FnMut(&Job) -> io::Result<Packed>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let packed = worker(&job);
        // nobody waits for it after an error
        let _ = job.done.send(packed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::deflate::Packing;
    use super::super::index::Entry;
    use super::*;

    fn block(number: u8) -> Block {
        Arc::new(vec![number; 10])
    }

    fn packed(number: u8) -> Packed {
        Packed { bytes: vec![number], entry: Entry { key: [0; 32], sum: [0; 32], length: 1 } }
    }

    #[test]
    fn blocks_come_back_in_order() {
        let echo = || |job: &Job| Ok(packed(job.block[0]));
        let mut team = Team::start_with(4, echo).expect("threads");
        let mut out = Vec::new();
        for number in 0..200 {
            team.take(block(number), &mut out).expect("taken");
            assert!(team.ahead.len() <= 6, "no more than this is held in memory");
        }
        team.finish(&mut out).expect("finished");
        let numbers: Vec<u8> = out.iter().map(|packed| packed.bytes[0]).collect();
        assert_eq!(numbers, (0..200).collect::<Vec<u8>>());
    }

    /// Until the error comes out, and not for ever.
    fn end_of(mut team: Team) -> io::Error {
        let mut out = Vec::new();
        for number in 0..200 {
            if let Err(error) = team.take(block(number), &mut out) {
                return error;
            }
        }
        team.finish(&mut out).expect_err("the worker did not do it")
    }

    #[test]
    fn a_panic_ends_the_stream_with_an_error() {
        for workers in [1, 2, 5] {
            for bad in [0, 3, 199] {
                let worker = move || {
                    move |job: &Job| {
                        assert!(job.block[0] != bad, "this block is one too many");
                        Ok(packed(0))
                    }
                };
                let team = Team::start_with(workers, worker).expect("threads");
                assert!(end_of(team).to_string().contains("has died"));
            }
        }
    }

    #[test]
    fn an_error_of_a_worker_is_kept() {
        let refuse = || |_: &Job| Err(io::Error::from(io::ErrorKind::StorageFull));
        let team = Team::start_with(3, refuse).expect("threads");
        assert_eq!(end_of(team).kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_team_that_is_dropped_in_the_middle_ends() {
        let packer = || Packer::new(Packing::default(), None);
        let mut team = Team::start(3, packer).expect("threads");
        for number in 0..4 {
            team.take(block(number), &mut Vec::new()).expect("taken");
        }
        drop(team);
    }
}
