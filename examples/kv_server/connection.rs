//! One client: read, decode, execute in order, reply in order.
//!
//! Consecutive commands about single keys form a *run*: their asks are under way together, and the
//! order per key is that of the commands (see [`InOrder`]). Everything else is a barrier between two
//! runs. A client that does not read its replies is not read from either.

use crate::ask::{Work, answer};
use crate::client::Client;
use crate::command::{Command, Session};
use crate::in_order::InOrder;
use crate::resp::{Decoder, Output, Reply};
use crate::server::{Server, Stop};
use crate::spread;
use bytes::Bytes;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;

/// The most commands in one run.
const RUN_MAX: usize = 128;
/// A run whose requests hold this much ends, however few they are.
const RUN_MAX_BYTES: usize = 1 << 20;
/// Replies are collected up to here before they are written.
const FLUSH_BYTES: usize = 64 << 10;
/// As many reply places as stay allocated between runs.
const KEEP_REPLIES: usize = 16;
/// How long, and for how many bytes, a closed connection is read so that its last reply arrives.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_MAX_BYTES: usize = 1 << 20;

/// Serves until the client leaves, breaks the protocol, or is asked to go.
pub(crate) async fn serve(
    stream: TcpStream,
    server: &Server,
    id: u64,
    mut stop: Stop,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let client = Client::new(id, stream.peer_addr().ok());
    let (out, replies) = (Output::default(), Vec::new());
    let mut connection = Connection { stream, server, client, out, replies };
    let mut decoder = Decoder::default();
    let mut run = Run::new(server.looks, |work| answer(&server.shards, work));
    let mut stopped = pin!(async move {
        drop(stop.wait_for(|stop| *stop).await);
    });
    loop {
        let mut room = decoder.room();
        let count = tokio::select! {
            count = connection.stream.read_buf(&mut room) => count?,
            () = &mut stopped => return Ok(()),
        };
        if count == 0 {
            return Ok(());
        }
        if let Next::Close = connection.execute(&mut decoder, &mut run).await? {
            return connection.close().await;
        }
    }
}

enum Next {
    Read,
    Close,
}

/// Commands that are executed together.
struct Run<S, F: Future> {
    works: InOrder<S, F>,
    asks: usize,
    bytes: usize,
}

impl<S: Fn(Work) -> F, F: Future<Output = Reply>> Run<S, F> {
    fn new(looks: u32, begin: S) -> Self {
        Self { works: InOrder::new(looks, begin), asks: 0, bytes: 0 }
    }

    fn push(&mut self, work: Work, bytes: usize) {
        self.asks += usize::from(matches!(work, Work::Ask(_)));
        self.bytes += bytes;
        self.works.push(work);
    }

    fn is_full(&self) -> bool {
        self.works.len() >= RUN_MAX || self.bytes >= RUN_MAX_BYTES
    }
}

struct Connection<'a> {
    stream: TcpStream,
    server: &'a Server,
    client: Client,
    out: Output,
    replies: Vec<Reply>,
}

impl Connection<'_> {
    /// Executes every whole command that has arrived, and writes all replies.
    async fn execute<S, F>(
        &mut self,
        decoder: &mut Decoder,
        run: &mut Run<S, F>,
    ) -> io::Result<Next>
    where
        S: Fn(Work) -> F,
        F: Future<Output = Reply>,
    {
        let next = loop {
            let args = match decoder.decode() {
                Ok(Some(args)) => args,
                Ok(None) => break Next::Read,
                Err(error) => {
                    self.finish(run).await?;
                    self.reply(Reply::Error(format!("ERR {error}"))).await?;
                    break Next::Close;
                }
            };
            let bytes = args.iter().map(Bytes::len).sum();
            match Command::parse(args) {
                Err(error) => run.push(Work::Answered(Reply::error(error)), bytes),
                Ok(Command::Keyed(command)) => run.push(Work::Ask(command), bytes),
                Ok(Command::Spread(command)) => {
                    self.finish(run).await?;
                    let reply = spread::answer(self.server, command).await;
                    self.reply(reply).await?;
                }
                Ok(Command::Session(command @ (Session::Hello(_) | Session::Quit))) => {
                    let quits = command == Session::Quit;
                    // Earlier replies must be out before the protocol changes.
                    self.finish(run).await?;
                    let reply = self.client.answer(command);
                    self.out.speak(self.client.protocol());
                    self.reply(reply).await?;
                    if quits {
                        break Next::Close;
                    }
                }
                Ok(Command::Session(command)) => {
                    run.push(Work::Answered(self.client.answer(command)), bytes);
                }
            }
            if run.is_full() {
                self.finish(run).await?;
            }
        };
        self.finish(run).await?;
        self.flush().await?;
        Ok(next)
    }

    /// Waits for the run and puts its replies out. Room is given back before anything is written, so
    /// that a client that does not read holds nothing that others need.
    async fn finish<S, F>(&mut self, run: &mut Run<S, F>) -> io::Result<()>
    where
        S: Fn(Work) -> F,
        F: Future<Output = Reply>,
    {
        if run.works.len() == 0 {
            return Ok(());
        }
        let mut replies = std::mem::take(&mut self.replies);
        let room = match run.asks {
            0 => None,
            asks => self.server.room_for(asks).await,
        };
        run.works.join_into(&mut replies).await;
        drop(room);
        (run.asks, run.bytes) = (0, 0);
        for reply in replies.drain(..) {
            self.reply(reply).await?;
        }
        replies.shrink_to(KEEP_REPLIES);
        self.replies = replies;
        Ok(())
    }

    /// Encodes a reply, item by item if it is an array: a hundred thousand values may share one
    /// allocation in the store and must not become a hundred thousand copies here.
    async fn reply(&mut self, reply: Reply) -> io::Result<()> {
        let Reply::Array(items) = reply else {
            self.out.push(reply);
            return self.relieve().await;
        };
        self.out.array_header(items.len());
        for item in items {
            self.out.push(item);
            self.relieve().await?;
        }
        Ok(())
    }

    async fn relieve(&mut self) -> io::Result<()> {
        if self.out.copied_bytes() < FLUSH_BYTES && self.out.only_tail().is_some() {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        if let Some(tail) = self.out.only_tail() {
            if !tail.is_empty() {
                self.stream.write_all(tail).await?;
                self.out.clear();
            }
            return Ok(());
        }
        for segment in self.out.take() {
            self.stream.write_all(&segment).await?;
        }
        Ok(())
    }

    /// Closes after the last reply. Bytes that nobody read would turn the close into a reset, and a
    /// reset may overtake that reply; so what still arrives is read and thrown away.
    async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let discard = async {
            let mut scratch = vec![0; 4 << 10];
            let mut left = LINGER_MAX_BYTES;
            while let Ok(count @ 1..) = self.stream.read(&mut scratch).await {
                left = left.saturating_sub(count);
                if left == 0 {
                    break;
                }
            }
        };
        let _ = time::timeout(LINGER, discard).await;
        Ok(())
    }
}
