//! Compresses a stream by DEFLATE: in one thread, or block by block in several at once.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use flate2::{Compress, FlushCompress};

use super::index::{Entry, Previous};
use super::packer::{Block, Packed, Packer};
use super::team::Team;

/// Up to so much is one stream: neither worth a thread nor worth to be remembered.
const SMALL: usize = 1 << 20;
/// A last block of DEFLATE that holds nothing (RFC 1951, 3.2.6), since no other may be the last: one
/// that was could not be taken over.
const END: [u8; 2] = [3, 0];
/// A single thread makes the blocks, and keeps no more busy than these.
const MOST_WORKERS: usize = 8;

/// How small an archive is to be, against the time that it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// About a fifth larger than by default, in about half the time.
    Fast,
    /// Archives as small as other programs make them by default, in a quarter of their time.
    #[default]
    Default,
    /// A few per cent smaller than by default, in almost twice the time.
    Small,
}

/// How archives are compressed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Packing {
    pub(crate) compression: Compression,
    /// How many threads compress a large archive, if it was said.
    pub(crate) workers: Option<NonZeroUsize>,
}

impl Packing {
    /// As many as there are cores, in a program that has nothing else to do.
    pub(crate) fn on_all_cores(self) -> Self {
        Self { workers: self.workers.or(Some(cores())), ..self }
    }

    /// All cores but one, which is the bot's: where each has a thread that computes, whoever waits for
    /// an answer waits for the kernel's whole slice of some milliseconds first.
    pub(crate) fn workers(self) -> usize {
        let spare = || cores().get() - 1;
        self.workers.map_or_else(spare, NonZeroUsize::get).clamp(1, MOST_WORKERS)
    }

    pub(super) fn engine(self) -> Compress {
        Compress::new(flate2::Compression::new(self.level().into()), false)
    }

    pub(super) fn level(self) -> u8 {
        match self.compression {
            Compression::Fast => 2,
            Compression::Default => 4,
            Compression::Small => 6,
        }
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A stream that is being compressed.
pub(super) struct Deflate {
    packing: Packing,
    previous: Option<Arc<Previous>>,
    pace: Pace,
    /// For what is short, one after the other: setting one up takes longer than a small text.
    engine: Option<Compress>,
    /// What came out and is not taken yet.
    out: Vec<u8>,
    entries: Vec<Entry>,
}

enum Pace {
    /// Nobody knows yet whether there will be much.
    Waiting(Vec<Block>),
    /// With the block before.
    Alone(Box<Packer>, Option<Block>),
    Together(Team),
}

impl Deflate {
    pub(super) fn new(packing: Packing, previous: Option<Arc<Previous>>) -> Self {
        let previous = previous.filter(|previous| previous.is_of(packing.level()));
        let pace = Pace::Waiting(Vec::new());
        Self { packing, previous, pace, engine: None, out: Vec::new(), entries: Vec::new() }
    }

    /// Takes a block; gives what can be written now.
    pub(super) fn take(&mut self, block: Vec<u8>) -> io::Result<&[u8]> {
        self.out.clear();
        let mut ready = vec![Arc::new(block)];
        if let Pace::Waiting(blocks) = &mut self.pace {
            blocks.append(&mut ready);
            if blocks.iter().map(|block| block.len()).sum::<usize>() > SMALL {
                ready = std::mem::take(blocks);
                self.pace = self.begin();
            }
        }
        for block in ready {
            self.pass_on(block)?;
        }
        Ok(&self.out)
    }

    /// There is much: share it out, if the system lets us have a thread.
    fn begin(&self) -> Pace {
        let packer = || Packer::new(self.packing, self.previous.clone());
        let workers = self.packing.workers();
        let team = (workers > 1).then(|| Team::start(workers, packer)).flatten();
        team.map_or_else(|| Pace::Alone(Box::new(packer()), None), Pace::Together)
    }

    fn pass_on(&mut self, block: Block) -> io::Result<()> {
        let mut done = Vec::new();
        match &mut self.pace {
            Pace::Alone(packer, before) => {
                done.push(packer.pack(&block, before.as_ref())?);
                *before = Some(block);
            }
            Pace::Together(team) => team.take(block, &mut done)?,
            Pace::Waiting(blocks) => blocks.push(block),
        }
        self.put(done);
        Ok(())
    }

    fn put(&mut self, done: Vec<Packed>) {
        for Packed { bytes, entry } in done {
            self.out.extend_from_slice(&bytes);
            self.entries.push(entry);
        }
    }

    /// Gives the end of the stream.
    pub(super) fn finish(&mut self) -> io::Result<&[u8]> {
        self.out.clear();
        let mut done = Vec::new();
        match &mut self.pace {
            Pace::Waiting(blocks) => {
                let blocks = std::mem::take(blocks);
                return self.whole(blocks.iter().map(|block| &block[..]));
            }
            Pace::Alone(..) => {}
            Pace::Together(team) => team.finish(&mut done)?,
        }
        self.put(done);
        self.out.extend(END);
        Ok(&self.out)
    }

    /// Gives the stream that these parts are alone.
    pub(super) fn whole<'a>(
        &mut self,
        parts: impl IntoIterator<Item = &'a [u8]>,
    ) -> io::Result<&[u8]> {
        self.out.clear();
        let engine = self.engine.get_or_insert_with(|| self.packing.engine());
        engine.reset();
        for part in parts {
            deflate(engine, part, FlushCompress::None, &mut self.out)?;
        }
        deflate(engine, &[], FlushCompress::Finish, &mut self.out)?;
        Ok(&self.out)
    }

    /// The blocks of the stream; none of a short one.
    pub(super) fn entries(self) -> Vec<Entry> {
        self.entries
    }
}

/// Compresses all of `input` behind what `out` holds.
pub(super) fn deflate(
    engine: &mut Compress,
    mut input: &[u8],
    flush: FlushCompress,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        out.reserve(input.len() / 4 + 1024);
        let before = engine.total_in();
        let status = engine.compress_vec(input, out, flush).map_err(io::Error::other)?;
        let taken = usize::try_from(engine.total_in() - before).map_err(io::Error::other)?;
        input = input.get(taken..).unwrap_or_default();
        // all is out only when there was room left for more
        let done = input.is_empty() && out.len() < out.capacity();
        if status == flate2::Status::StreamEnd || (done && flush != FlushCompress::Finish) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
