//! Cuts a stream into blocks where its content says so: what is inserted or removed moves the
//! borders beside it, and no others.

/// At least as long as DEFLATE looks back, so that a block depends on the one before it alone.
pub(super) const SHORTEST: usize = 32 << 10;
/// What one thread compresses at a time at most.
pub(super) const LONGEST: usize = 128 << 10;
/// A border comes after 32 KB more on average: as many bits of the sum must be zero.
const BITS: u32 = 15;

/// A random number for each byte, by the generator `SplitMix64`.
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut state = 0_u64;
    let mut byte = 0;
    while byte < table.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[byte] = mixed ^ (mixed >> 31);
        byte += 1;
    }
    table
};

/// Takes a stream in pieces of any length, and gives it in blocks.
pub(super) struct Blocks {
    held: Vec<u8>,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self { held: Vec::new() }
    }

    /// Takes as much of the bytes as there is room for. Once it is full, a block must be cut.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(LONGEST - self.held.len());
        self.held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        taken
    }

    pub(super) fn is_full(&self) -> bool {
        self.held.len() == LONGEST
    }

    /// Cuts off the first block of what is held; an empty one where nothing is.
    pub(super) fn cut(&mut self) -> Vec<u8> {
        let rest = self.held.split_off(border(&self.held));
        std::mem::replace(&mut self.held, rest)
    }
}

/// Where the first block ends. The sum of a place is made of the 64 bytes before it, since each one
/// is shifted out by those after it (the «gear» of `FastCDC`, 2016).
fn border(bytes: &[u8]) -> usize {
    let mut sum = 0_u64;
    let begin = SHORTEST - 64;
    for (number, &byte) in bytes.get(begin..).unwrap_or_default().iter().enumerate() {
        sum = (sum << 1).wrapping_add(GEAR[usize::from(byte)]);
        if number >= 64 && sum >> (u64::BITS - BITS) == 0 {
            return begin + number + 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(mut seed: u64, length: usize) -> Vec<u8> {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[3]
        };
        (0..length).map(|_| next()).collect()
    }

    fn cut(data: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let (mut blocks, mut found) = (Blocks::new(), Vec::new());
        for mut piece in data.chunks(piece) {
            while !piece.is_empty() {
                piece = &piece[blocks.take(piece)..];
                if blocks.is_full() {
                    found.push(blocks.cut());
                }
            }
        }
        loop {
            let block = blocks.cut();
            if block.is_empty() {
                return found;
            }
            found.push(block);
        }
    }

    #[test]
    fn the_blocks_are_the_stream_however_it_comes() {
        for length in [0, 1, SHORTEST - 1, SHORTEST, LONGEST, LONGEST + 1, 3_000_000] {
            let data = noise(length as u64 + 1, length);
            let found = cut(&data, 100_000);
            assert!(found.concat() == data);
            assert!(found == cut(&data, 7_777));
            let whole = found.split_last().map_or(&[][..], |(_, whole)| whole);
            assert!(whole.iter().all(|block| block.len() >= SHORTEST));
            assert!(length < 2 * LONGEST || whole.iter().any(|block| block.len() < LONGEST));
        }
        // what never gives a border is cut by its length
        let lengths: Vec<_> = cut(&vec![0; 3 * LONGEST + 1], 1000).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, 1]);
    }

    #[test]
    fn an_insertion_changes_the_blocks_beside_it_alone() {
        let data = noise(7, 6_000_000);
        let mut other = data.clone();
        other.splice(3_000_000..3_000_000, *b"one more order");
        let (before, after) = (cut(&data, 10_000), cut(&other, 10_000));
        assert!(before.len() > 30, "{} blocks", before.len());
        let new = after.iter().filter(|block| !before.contains(block)).count();
        assert!((1..=3).contains(&new), "{new} of {} are new", after.len());
    }
}
