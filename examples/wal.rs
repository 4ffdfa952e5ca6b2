//! Group commit: a write-ahead log that makes many records durable with one `fsync`.
//!
//! Every caller waits until its own record is durable. Those that come while a commit is under way share
//! the next one, because `#[handler(batch = 128)]` hands over together what has queued up meanwhile.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use tpc_actors::prelude::*;

/// A log file with one writer.
#[core_actor(capacity = 1024)]
struct Wal {
    file: File,
    /// Records in the file.
    records: u64,
    commits: u64,
    /// What is written at once.
    buffer: Vec<u8>,
}

#[core_actor]
impl Wal {
    #[init]
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { file, records: 0, commits: 0, buffer: Vec::new() })
    }

    /// Answers with the record's number once it is on disk.
    #[handler(batch = 128)]
    fn append(&mut self, records: Batch<Vec<u8>, Reply<Result<u64, String>>>) {
        self.buffer.clear();
        for record in records.iter() {
            let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
            self.buffer.extend(length.to_le_bytes());
            self.buffer.extend(record);
        }
        let committed = self.file.write_all(&self.buffer).and_then(|()| self.file.sync_data());
        self.commits += 1;
        for (_record, reply) in records {
            self.records += u64::from(committed.is_ok());
            reply.send(match &committed {
                Ok(()) => Ok(self.records - 1),
                Err(error) => Err(error.to_string()),
            });
        }
    }

    /// Records and commits so far.
    #[handler]
    fn totals(&self) -> (u64, u64) {
        (self.records, self.commits)
    }
}

const WRITERS: u64 = 64;
const RECORDS_EACH: u64 = 100;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("tpc-actors-wal-{}", std::process::id()));
    let system = System::builder().cores(1).start()?;
    let wal = system.spawn::<Wal>(path.clone()).await?;

    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let wal = wal.clone();
            tokio::spawn(async move {
                let mut last = None;
                for n in 0..RECORDS_EACH {
                    let number = wal.append(format!("{writer}: {n}").into_bytes()).await?;
                    assert!(last < Some(number), "a writer's records keep their order");
                    last = Some(number);
                }
                Ok::<_, AskError<String>>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }

    let (records, commits) = wal.totals().await?;
    println!("{records} records were made durable by {commits} commits");
    assert_eq!(records, WRITERS * RECORDS_EACH);
    assert!(commits < records, "callers share commits");

    let report = system.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean(), "{report}");
    fs::remove_file(path)?;
    Ok(())
}
