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
    )
    echo "$consumer: ok"
done
