//! A key-value server that speaks the Redis protocol.
//!
//! ```sh
//! cargo run --release --example kv_server
//! redis-cli -p 6399
//! redis-benchmark -p 6399 -t set,get -P 16
//! ```
//!
//! With `-p tpc-actors-examples --features jemalloc`, each core has an arena of its own for its keys and values; building
//! jemalloc takes minutes.
//!
//! `examples/kv_server_check/check.sh` checks a running server with Redis' own tools.
//!
//! Connections live on Tokio, the control plane; the data lives in shards, one actor each, on pinned
//! cores that do nothing else. Reading order: [`resp`] turns bytes into arguments, [`command`] turns
//! arguments into commands, [`connection`] executes them through [`ask`] and [`spread`], and
//! [`shard`] is the actor that owns the data.

mod ask;
mod client;
mod command;
mod connection;
mod glob;
mod in_order;
mod info;
mod number;
mod resp;
mod server;
mod shard;
mod spread;
mod store;

use clap::Parser;
use info::ShardStatus;
use server::Server;
use shard::Shard;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::time;
use tpc_actors::placement::Placement;
use tpc_actors::prelude::*;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long connections, and then shards, may take to finish what they have begun.
const GRACE: Duration = Duration::from_secs(5);
/// How often connections look for answers before they sleep: a few microseconds, far less than waking up
/// costs.
const LOOKS: u32 = 64;

/// A key-value server that speaks the Redis protocol, with its data on pinned cores.
#[derive(Parser)]
struct Flags {
    /// Port on 127.0.0.1 to listen on.
    #[arg(long, default_value_t = 6399)]
    port: u16,
    /// Cores that hold the data [default: half of those allowed].
    #[arg(long, value_parser = at_least_one)]
    cores: Option<usize>,
    /// Shards that the keys are spread over [default: one for each core].
    #[arg(long, value_parser = at_least_one)]
    shards: Option<usize>,
    /// Tokio threads that serve connections [default: the cores that hold no data].
    #[arg(long, value_parser = at_least_one)]
    tokio_threads: Option<usize>,
}

/// A cursor of `SCAN` bounds the number of shards, and no machine has more cores or threads.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=spread::SHARDS_MAX) => Ok(number),
        _ => Err(format!("a number from 1 to {} is needed", spread::SHARDS_MAX)),
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let flags = Flags::parse();
    let allowed = thread::available_parallelism().map_or(1, usize::from);
    let cores = flags.cores.unwrap_or(allowed / 2).max(1);
    let shards = flags.shards.unwrap_or(cores);
    let workers = flags.tokio_threads.unwrap_or(allowed.saturating_sub(cores)).max(1);
    let control_plane = Placement::plan(cores).control_plane();
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("connections")
        // Threads of Tokio stay off the data cores, where they would only interrupt the shards.
        .on_thread_start(move || {
            if !control_plane.bind_current_thread() {
                eprintln!("a connection thread may run on any CPU");
            }
        })
        .enable_all()
        .build()?;
    // On a CPU that both share, looking would only keep the shard from answering.
    let looks = if cores + workers <= allowed { LOOKS } else { 0 };
    runtime.block_on(run(flags.port, cores, shards, looks))
}

async fn run(
    port: u16,
    cores: usize,
    shards: usize,
    looks: u32,
) -> Result<ExitCode, Box<dyn Error>> {
    let stop_asked = stop_asked()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = listener.local_addr()?.port();
    let system = Arc::new(System::builder().cores(cores).start()?);
    let client = system.spawn_sharded::<Shard>(shards, |_shard| ()).await?;
    let watched = Arc::clone(&system);
    let server = Server::new(client, port, looks, move || statuses(&watched))
        .ok_or("some shard owns no key")?;

    let (stopping, stop) = watch::channel(false);
    let (alive, mut gone) = mpsc::channel(1);
    let accepting = tokio::spawn(server::accept(listener, Arc::new(server), stop, alive));
    println!("{shards} shards on {cores} cores, listening on 127.0.0.1:{port}");

    stop_asked.await;
    println!("draining");
    accepting.abort();
    stopping.send_replace(true);
    if time::timeout(GRACE, gone.recv()).await.is_err() {
        println!("some connections did not end in time");
    }
    let report = system.shutdown(GRACE).await;
    println!("{report}");
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for Ctrl-C, or for what service managers send; neither is lost from here on.
#[cfg(unix)]
fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn statuses(system: &System) -> Vec<ShardStatus> {
    (system.actors().iter())
        .filter(|actor| actor.name() == "Shard")
        .map(|actor| ShardStatus {
            shard: actor.shard(),
            core: actor.core(),
            queue_depth: actor.queue_depth(),
            restarts: actor.restarts(),
            panics: actor.panics(),
        })
        .collect()
}
