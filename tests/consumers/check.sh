#!/bin/sh
# Builds, lints and runs the strict crates, with the workspace's own versions of everything.
set -eu

cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
CARGO_TARGET_DIR=$root/target/consumers
export CARGO_TARGET_DIR

for consumer in edition2021 edition2024; do
    cp "$root/Cargo.lock" "$consumer/Cargo.lock"
    (
        cd "$consumer"
        cargo clippy --quiet --all-targets -- -D warnings
        cargo test --quiet
        RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps
        # Everything is built by now, and yet the variable is heard.
        TPC_ACTORS_DUMP=Shelf cargo check 2>dump.txt
        for part in 'impl ::tpc_actors::Actor for Shelf' 'pub fn forget' 'struct of `Shelf`'; do
            grep -qF "$part" dump.txt || { cat dump.txt; echo "no \`$part\` in the dump"; exit 1; }
        done
        ! grep -q 'Summary' dump.txt
    )
    echo "$consumer: ok"
done

# Where the runtime is called otherwise, also in a macro of another crate.
cp "$root/Cargo.lock" renamed/Cargo.lock
(
    cd renamed
    cargo clippy --quiet --all-targets -- -D warnings
    cargo test --quiet
)
echo 'renamed: ok'

# The system's own jemalloc, where there is one, in place of one that takes minutes to build.
cp "$root/Cargo.lock" arenas/Cargo.lock
jemalloc=$(PATH=$PATH:/sbin ldconfig -p | awk '/libjemalloc\.so\.2/ { print $NF; exit }')
if [ -n "$jemalloc" ]; then
    ln -sf "$jemalloc" "$CARGO_TARGET_DIR/libjemalloc.so"
    JEMALLOC_OVERRIDE=$CARGO_TARGET_DIR/libjemalloc.so
    export JEMALLOC_OVERRIDE
fi
(
    cd arenas
    cargo clippy --quiet --all-targets -- -D warnings
    cargo test --quiet
)
# An example can do so as well.
CARGO_TARGET_DIR=$root/target cargo clippy --quiet -p tpc-actors-examples --example kv_server --features jemalloc -- -D warnings
echo 'arenas: ok'

# A profile that ends the process with the first panic is refused in words, unless it is asked for.
cp "$root/Cargo.lock" abort/Cargo.lock
(
    cd abort
    ! cargo check --quiet 2>refused.txt || { echo "\`panic = abort\` is not refused"; exit 1; }
    grep -q 'isolates and restarts actors by catching their panics' refused.txt || { cat refused.txt; exit 1; }
    [ "$(grep -c '^error' refused.txt)" -le 2 ] || { cat refused.txt; exit 1; }
    cargo check --quiet --features accept
)
echo "abort: ok"
