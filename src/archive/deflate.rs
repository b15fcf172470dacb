//! Compresses a stream by DEFLATE: in one thread, or block by block in several at once.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use flate2::{Compress, FlushCompress};

use super::team::{Block, Team};

/// What one thread compresses at a time: long enough that the blocks cost hardly any size.
pub(super) const BLOCK: usize = 256 << 10;
/// Up to so many blocks are not worth a thread.
const ALONE: usize = 4;
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

impl Compression {
    fn level(self) -> flate2::Compression {
        flate2::Compression::new(match self {
            Self::Fast => 2,
            Self::Default => 4,
            Self::Small => 6,
        })
    }
}

/// How archives are compressed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Packing {
    pub(crate) compression: Compression,
    /// How many threads compress a large archive; as many as the machine has cores, if not said.
    pub(crate) workers: Option<NonZeroUsize>,
}

impl Packing {
    fn workers(self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.workers.map_or_else(cores, NonZeroUsize::get).min(MOST_WORKERS)
    }

    pub(super) fn engine(self) -> Compress {
        Compress::new(self.compression.level(), false)
    }
}

/// A stream that is being compressed.
pub(super) struct Deflate {
    packing: Packing,
    pace: Pace,
    /// What came out and is not taken yet.
    out: Vec<u8>,
}

enum Pace {
    /// Nobody knows yet whether there will be much.
    Waiting(Vec<Block>),
    Alone(Box<Compress>),
    Together(Team),
}

impl Deflate {
    pub(super) fn new(packing: Packing) -> Self {
        let alone = packing.workers() == 1;
        let pace = if alone { Pace::alone(packing) } else { Pace::Waiting(Vec::new()) };
        Self { packing, pace, out: Vec::new() }
    }

    /// Takes a block; gives what can be written now.
    pub(super) fn take(&mut self, block: Vec<u8>) -> io::Result<&[u8]> {
        self.out.clear();
        match &mut self.pace {
            Pace::Waiting(blocks) if blocks.len() < ALONE => blocks.push(Arc::new(block)),
            Pace::Waiting(blocks) => {
                let mut blocks = std::mem::take(blocks);
                blocks.push(Arc::new(block));
                self.begin(&blocks)?;
            }
            Pace::Alone(engine) => deflate(engine, &block, FlushCompress::None, &mut self.out)?,
            Pace::Together(team) => team.take(Arc::new(block), false, &mut self.out)?,
        }
        Ok(&self.out)
    }

    /// There is much: share it out, if the system lets us have a thread.
    fn begin(&mut self, blocks: &[Block]) -> io::Result<()> {
        match Team::start(self.packing.workers(), self.packing) {
            Some(mut team) => {
                for block in blocks {
                    team.take(Arc::clone(block), false, &mut self.out)?;
                }
                self.pace = Pace::Together(team);
            }
            None => self.begin_alone(blocks)?,
        }
        Ok(())
    }

    fn begin_alone(&mut self, blocks: &[Block]) -> io::Result<()> {
        let mut engine = Box::new(self.packing.engine());
        for block in blocks {
            deflate(&mut engine, block, FlushCompress::None, &mut self.out)?;
        }
        self.pace = Pace::Alone(engine);
        Ok(())
    }

    /// Takes the last block, which may be empty; gives the end of the stream.
    pub(super) fn finish(&mut self, block: Vec<u8>) -> io::Result<&[u8]> {
        self.out.clear();
        if let Pace::Waiting(blocks) = &mut self.pace {
            let blocks = std::mem::take(blocks);
            self.begin_alone(&blocks)?;
        }
        match &mut self.pace {
            Pace::Alone(engine) => deflate(engine, &block, FlushCompress::Finish, &mut self.out)?,
            Pace::Together(team) => {
                team.take(Arc::new(block), true, &mut self.out)?;
                team.finish(&mut self.out)?;
            }
            Pace::Waiting(_) => {}
        }
        Ok(&self.out)
    }
}

impl Pace {
    fn alone(packing: Packing) -> Self {
        Self::Alone(Box::new(packing.engine()))
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
