//! What all connections share, and the loop that accepts them.

use crate::connection;
use crate::info::{Facts, ShardStatus};
use crate::shard::ShardClient;
use crate::store::Figures;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::time;

/// The asks that all connections together may have under way: half of what one shard has room for.
const ROOM: usize = 2048;
/// How long to wait when the machine has no descriptor or memory for one more connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Names tried when looking for a key of each shard; chance misses a shard less than once in an age.
const ROUTE_TRIES: usize = 1 << 24;

pub(crate) struct Server {
    pub(crate) shards: ShardClient,
    /// For each shard a key that it owns, to reach it when a command names none.
    pub(crate) routes: Vec<Bytes>,
    /// How often a run of asks looks for its answers before its thread may sleep.
    pub(crate) looks: u32,
    /// An ask that has to queue for room could be overtaken by the next one from its connection, so
    /// room is taken for a whole run before the run starts.
    room: Semaphore,
    statuses: Box<dyn Fn() -> Vec<ShardStatus> + Send + Sync>,
    port: u16,
    started: Instant,
    accepted: AtomicU64,
    connected: AtomicUsize,
}

impl Server {
    /// `None` if some shard owns none of very many keys, which no sane routing does.
    pub(crate) fn new(
        shards: ShardClient,
        port: u16,
        looks: u32,
        statuses: impl Fn() -> Vec<ShardStatus> + Send + Sync + 'static,
    ) -> Option<Self> {
        let routes = routes(shards.shards(), |key| shards.shard_of(key))?;
        Some(Self {
            shards,
            routes,
            looks,
            room: Semaphore::new(ROOM),
            statuses: Box::new(statuses),
            port,
            started: Instant::now(),
            accepted: AtomicU64::new(0),
            connected: AtomicUsize::new(0),
        })
    }

    /// Waits until `asks` more asks may be under way, for as long as the permit lives.
    pub(crate) async fn room_for(&self, asks: usize) -> Option<SemaphorePermit<'_>> {
        let asks = u32::try_from(asks.min(ROOM)).ok()?;
        // The semaphore is never closed, and without it only the order of asks would be at stake.
        self.room.acquire_many(asks).await.ok()
    }

    pub(crate) fn facts(&self, figures: Result<Vec<Figures>, String>) -> Facts {
        Facts {
            port: self.port,
            uptime: self.started.elapsed(),
            connected: self.connected.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            statuses: (self.statuses)(),
            figures,
        }
    }
}

/// A key of each shard, found by trying short names.
fn routes(count: usize, shard_of: impl Fn(&Bytes) -> usize) -> Option<Vec<Bytes>> {
    let mut routes = vec![None; count];
    let mut missing = count;
    for name in 0..ROUTE_TRIES {
        if missing == 0 {
            break;
        }
        let key = Bytes::from(name.to_string());
        if let Some(route @ None) = routes.get_mut(shard_of(&key)) {
            *route = Some(key);
            missing -= 1;
        }
    }
    routes.into_iter().collect()
}

/// Told to all connections: `true` asks them to finish what they have read and to close.
pub(crate) type Stop = watch::Receiver<bool>;

/// Accepts until the task is dropped. Every connection holds a clone of `alive`, so that its other
/// end sees when the last one is gone.
pub(crate) async fn accept(listener: TcpListener, server: Arc<Server>, stop: Stop, alive: Alive) {
    let mut healthy = true;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                healthy = true;
                let server = Arc::clone(&server);
                let (stop, alive) = (stop.clone(), alive.clone());
                tokio::spawn(async move {
                    serve(stream, &server, stop).await;
                    drop(alive);
                });
            }
            // The client gave up before it was its turn.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // The queue stays readable, so a loop without a pause would spin.
                if healthy {
                    eprintln!("cannot accept connections for now: {error}");
                }
                healthy = false;
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

pub(crate) type Alive = mpsc::Sender<()>;

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn serve(stream: TcpStream, server: &Server, stop: Stop) {
    let id = server.accepted.fetch_add(1, Ordering::Relaxed) + 1;
    server.connected.fetch_add(1, Ordering::Relaxed);
    let _leaving = Leaving(server);
    // A connection that breaks concerns only the client that broke it.
    drop(connection::serve(stream, server, id, stop).await);
}

/// Counts the connection out, even if its task panics or is dropped.
struct Leaving<'a>(&'a Server);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::routes;

    #[test]
    fn every_shard_gets_a_key_of_its_own() {
        let shard_of =
            |key: &bytes::Bytes| key.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 7;
        let found = routes(7, shard_of).expect("seven shards");
        assert!(found.iter().enumerate().all(|(shard, key)| shard_of(key) == shard));
    }
}
