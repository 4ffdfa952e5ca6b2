# Recipes for people; `.ci/run` is the gate and needs none of them.

# Everything that CI checks.
ci:
    ./.ci/run

# All tests.
test:
    cargo test --workspace

# The loom models and their mutants; `just models 4` raises the bound on preemptions.
models preemptions="3":
    LOOM_MAX_PREEMPTIONS={{preemptions}} CARGO_TARGET_DIR=target/models RUSTFLAGS="--cfg tpc_loom" cargo test -p tpc-actors --release --lib

# The tests under AddressSanitizer and LeakSanitizer, but for those whose ends the sanitizer takes for its own;
# needs a nightly toolchain and no extra component.
asan:
    ASAN_OPTIONS=allocator_may_return_null=1 LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=target/asan cargo +nightly test -p tpc-actors -p tpc-actors-tests --target x86_64-unknown-linux-gnu --lib --tests -- --skip with_a_leak --skip overflow_of_the_stack --skip running_out_of_memory

# Random faults under a ledger, in a release build; a minute is what CI runs.
soak seconds="60":
    TPC_SOAK_SECONDS={{seconds}} cargo test --release -p tpc-actors-tests --test soak -- --nocapture

# Random histories of simulated systems, each twice, from another seed each time.
histories seeds="10000":
    FROM=$(date +%s) SEEDS={{seeds}} cargo test --release -p tpc-actors-tests --test histories --test event_histories -- --ignored

# The soak against defects that it must notice.
planted:
    CARGO_TARGET_DIR=target/planted RUSTFLAGS="--cfg tpc_planted" cargo test -p tpc-actors-tests --test soak -- --nocapture every_planted
    CARGO_TARGET_DIR=target/planted RUSTFLAGS="--cfg tpc_planted" cargo test -p tpc-actors-tests --test histories planted

# Wake-ups until something breaks: the sleep tests over and over, in a release build.
wakes rounds="20":
    for round in $(seq {{rounds}}); do cargo test -q --release -p tpc-actors-tests --test wakes --test asks --test lanes --test shutdown || exit 1; done

# The tests of sleeping, asking, bridges and ends, with threads that are held up wherever they meet.
delays cycles="30000":
    TPC_DELAYS=1 TPC_WAKE_CYCLES={{cycles}} CARGO_TARGET_DIR=target/planted RUSTFLAGS="--cfg tpc_planted" cargo test -p tpc-actors-tests --test wakes --test asks --test bridge --test lanes --test shutdown --test cores

# 300,000 sleeps and wakes of one core without a limit to a sleep, so that a lost wake hangs.
wake-cycles cycles="300000":
    TPC_WAKE_CYCLES={{cycles}} cargo test --release -p tpc-actors-tests --test wakes no_wake_is_lost

# Rings, messages and events beside those of others; an argument behind `--` picks tables by their titles.
bench:
    cargo bench -p tpc-actors-benches

# How long an actor with 100 handlers takes to compile, against kameo; fetches kameo.
compile-time:
    benches/compile_time.py

# So many items through a ring between two threads: each once, and in order.
ring-items items="200000000":
    TPC_RING_ITEMS={{items}} cargo test --release -p tpc-actors --lib two_threads_lose_nothing

# Ten million events of each of four cores, with readers that pause: every one delivered or reported.
soak-events:
    TPC_SOAK_EVENTS=10000000 cargo test --release -p tpc-actors-tests --test bus -- loss

# Every bit of the last group of the default log, flipped; CI flips one of each byte.
log-bits:
    TPC_LOG_BITS=8 cargo test --release -p tpc-actors-tests --test fjall_log no_flipped_bit

# Licences, advisories and duplicate versions; needs `cargo install cargo-deny`.
deny:
    cargo deny check

# Records the compiler's messages anew; read the difference before committing it.
ui:
    TRYBUILD=overwrite cargo test -p tpc-actors-tests-ui

# The macros' fuzzer for a while, from another seed each time.
fuzz-macros rounds="300000":
    TPC_FUZZ_ROUNDS={{rounds}} TPC_FUZZ_SEED=$(date +%s) cargo test -q -p tpc-actors-macros fuzz
