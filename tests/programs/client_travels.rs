//! A client goes anywhere: threads, Tokio, an `Arc`, across an `.await`.
#![deny(warnings)]

use std::sync::Arc;
use std::thread;

use tpc_actors::prelude::*;

#[core_actor]
struct Counter {
    value: u64,
}

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self { value: 0 }
    }

    #[handler(tell)]
    fn add(&mut self, by: u64) {
        self.value += by;
    }

    #[handler]
    fn get(&self) -> u64 {
        self.value
    }
}

fn need_send<T: Send + Sync + 'static>(value: T) -> T {
    value
}

#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder().start()?;
    let counter = need_send(system.spawn::<Counter>(()).await?);

    let moved = counter.clone();
    // What one thread has sent arrives in order, so its answer says that the order has been carried out.
    let told = thread::spawn(move || moved.add(1).wait().map(|()| moved.get().wait()));
    told.join().expect("a thread")??;

    let shared = Arc::new(counter.clone());
    let threads = [1, 2].map(|by| {
        let shared = Arc::clone(&shared);
        thread::spawn(move || shared.add(by).wait().map(|()| shared.get().wait()))
    });
    for thread in threads {
        thread.join().expect("a thread")??;
    }

    // The task may go on on another thread, and only an ordered client keeps the order then.
    let kept = counter.ordered();
    let task = tokio::spawn(async move {
        kept.add(4).await?;
        tokio::task::yield_now().await;
        kept.get().await
    });
    assert_eq!(task.await??, 8);
    assert_eq!(need_send(counter.get().into_owned()).await?, 8);
    Ok(())
}
