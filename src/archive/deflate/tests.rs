use std::io::Read;

use flate2::read::DeflateDecoder;

use super::super::blocks::LONGEST;
use super::*;

/// Text of a few words, so that it compresses, from a seed.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let words = ["заказ ", "бот ", "\"id\":", "{}", "клиент ", "1234", "\n", "абв"];
    let mut text = Vec::new();
    while text.len() < length {
        let draw = next();
        let word = usize::try_from(draw % 9).expect("small");
        match words.get(word) {
            Some(word) => text.extend_from_slice(word.as_bytes()),
            None => text.extend_from_slice(&draw.to_le_bytes()),
        }
    }
    text.truncate(length);
    text
}

fn packing(workers: usize, compression: Compression) -> Packing {
    Packing { compression, workers: NonZeroUsize::new(workers) }
}

/// Compresses in blocks of such lengths, in turn; gives how many there are as well, none of a short
/// stream.
fn packed(packing: Packing, data: &[u8], lengths: &[usize]) -> (Vec<u8>, usize) {
    let mut deflate = Deflate::new(packing, None);
    let (mut out, mut rest) = (Vec::new(), data);
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (block, more) = rest.split_at(rest.len().min(*length));
        out.extend_from_slice(deflate.take(block.to_vec()).expect("compressed"));
        rest = more;
    }
    out.extend_from_slice(deflate.finish().expect("compressed"));
    (out, deflate.entries().len())
}

/// What one stream unpacks to; nothing may follow it.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut decoder = DeflateDecoder::new(packed);
    let mut data = Vec::new();
    decoder.read_to_end(&mut data).expect("a stream");
    assert_eq!(decoder.total_in(), packed.len() as u64, "something follows the stream");
    data
}

#[test]
fn one_thread_and_several_give_the_same_data() {
    let lengths = [0, 1, LONGEST - 1, LONGEST, LONGEST + 1, SMALL, SMALL + 1, SMALL + LONGEST];
    for length in lengths.into_iter().chain([9 << 18, (9 << 18) + 1]) {
        let data = text(length as u64, length);
        for compression in [Compression::Fast, Compression::Default, Compression::Small] {
            for workers in [1, 2, 3, 8] {
                let (packed, blocks) = packed(packing(workers, compression), &data, &[LONGEST]);
                assert!(unpacked(&packed) == data, "{length} bytes, {workers} workers");
                let expected = if length > SMALL { length.div_ceil(LONGEST) } else { 0 };
                assert_eq!(blocks, expected, "{length} bytes, {workers} workers");
            }
        }
    }
}

#[test]
fn blocks_of_any_length_make_one_stream() {
    for seed in 0..8_u64 {
        let more = usize::try_from(seed * 71_777 % 500_000).expect("small");
        let data = text(seed, SMALL + 1 + more);
        let long = 1 + usize::try_from(seed * 9_991 % 80_000).expect("small");
        let lengths = [1, 3, 700, 32 << 10, long, 70_000];
        for workers in [3, 1] {
            let (packed, blocks) = packed(packing(workers, Compression::Default), &data, &lengths);
            assert!(blocks > 20, "{blocks} blocks, seed {seed}");
            assert!(unpacked(&packed) == data, "seed {seed}, {workers} workers");
        }
    }
}

#[test]
fn blocks_cost_hardly_any_size() {
    let data = text(7, 4 * SMALL);
    let mut engine = packing(1, Compression::Default).engine();
    let mut alone = Vec::new();
    deflate(&mut engine, &data, FlushCompress::Finish, &mut alone).expect("compressed");
    let several = packed(packing(2, Compression::Default), &data, &[LONGEST / 2]).0.len();
    assert!(several < alone.len() + alone.len() / 100, "{several} bytes against {}", alone.len());
}
