#!/usr/bin/env bash
# Fuzzes a part of the library, or all of them one after the other: run.sh TARGET|all [EXECUTIONS]
# It begins with corpus/TARGET. An input that breaks a promise stays there as `found-…`, and from then
# on `cargo test` fails until it is mended; inputs that reach new code are kept there at the end.
set -euo pipefail
cd "$(dirname "$0")"

targets=(button settings command notebook import archive)
if [ $# -lt 1 ] || { [ "$1" != all ] && [ ! -f "src/bin/$1.rs" ]; }; then
    echo "usage: $0 all|$(IFS='|'; echo "${targets[*]}") [EXECUTIONS]" >&2
    exit 2
fi
[ "$1" = all ] || targets=("$1")
runs=${2:-1000000}

# what cargo-fuzz would set; the switch lets a stable compiler take the sanitizer
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address"
export ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=0
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host"

for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    program=target/$host/release/$target
    grown=target/grown/$target
    mkdir -p "$grown"
    # a case may take 5 seconds and 512 MB, and no one block of memory 64 MB
    nice "$program" "$grown" "corpus/$target" -runs="$runs" -max_len=4096 -timeout=5 \
        -rss_limit_mb=512 -malloc_limit_mb=64 -dict=words.dict -print_final_stats=1 \
        -artifact_prefix="corpus/$target/found-" 2>&1 | grep --line-buffered -v 'NEW\|REDUCE\|RELOAD'
    "$program" -set_cover_merge=1 -use_counters=0 -artifact_prefix="corpus/$target/found-" \
        "corpus/$target" "$grown" 2>&1 | grep 'MERGE-OUTER.*new files'
done
