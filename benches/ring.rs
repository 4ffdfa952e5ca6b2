//! The ring against the rings of others: one thread writes, another reads, both spin.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench ring
//! ```

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use gil::spsc as gil;
use ringbuf::HeapRb;
use ringbuf::traits::{Consumer as _, Producer as _, Split as _};
use tpc_actors::bridge::ring;
use tpc_actors_benches::{Contender, Unit, compare, each, pin};

const BATCH: usize = 32;

/// What travels: a number, so that order and loss are noticed.
trait Item: Copy + Send + Default + 'static {
    fn of(n: u64) -> Self;
    fn number(&self) -> u64;
}

impl Item for u64 {
    fn of(n: u64) -> Self {
        n
    }

    fn number(&self) -> u64 {
        *self
    }
}

impl Item for [u64; 8] {
    fn of(n: u64) -> Self {
        [n; 8]
    }

    fn number(&self) -> u64 {
        self[0]
    }
}

/// Times a writer on one CPU against a reader on the other.
fn race(
    items: u64,
    write: impl FnOnce(u64) + Send + 'static,
    read: impl FnOnce(u64) -> u64,
) -> f64 {
    let start = Arc::new(Barrier::new(2));
    let ready = Arc::clone(&start);
    let writer = thread::spawn(move || {
        pin(0);
        ready.wait();
        write(items);
    });
    pin(1);
    start.wait();
    let began = Instant::now();
    let sum = read(items);
    let time = each(began.elapsed(), items);
    writer.join().expect("no panic");
    assert_eq!(sum, items * (items - 1) / 2, "every item once");
    time
}

fn ours_single<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = ring::<T>(capacity).expect("a capacity");
    race(
        items,
        move |items| {
            for n in 0..items {
                let mut item = T::of(n);
                while let Err(back) = producer.push(item) {
                    item = back;
                    std::hint::spin_loop();
                }
            }
        },
        |items| {
            let mut sum = 0;
            for _ in 0..items {
                let item = loop {
                    match consumer.pop() {
                        Some(item) => break item,
                        None => std::hint::spin_loop(),
                    }
                };
                sum += item.number();
            }
            sum
        },
    )
}

fn ours_batch<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = ring::<T>(capacity).expect("a capacity");
    race(
        items,
        move |items| {
            let mut n = 0;
            while n < items {
                let mut reserved = producer.reserve(BATCH);
                reserved.fill_with(|| {
                    n += 1;
                    T::of(n - 1)
                });
                if reserved.commit() == 0 {
                    std::hint::spin_loop();
                }
            }
        },
        |items| {
            let (mut sum, mut seen) = (0, 0);
            while seen < items {
                let got = consumer.drain(BATCH, |item| sum += item.number());
                if got == 0 {
                    std::hint::spin_loop();
                }
                seen += got as u64;
            }
            sum
        },
    )
}

fn rtrb_single<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<T>::new(capacity);
    race(
        items,
        move |items| {
            for n in 0..items {
                while producer.push(T::of(n)).is_err() {
                    std::hint::spin_loop();
                }
            }
        },
        |items| {
            let mut sum = 0;
            for _ in 0..items {
                let item = loop {
                    match consumer.pop() {
                        Ok(item) => break item,
                        Err(_) => std::hint::spin_loop(),
                    }
                };
                sum += item.number();
            }
            sum
        },
    )
}

fn rtrb_batch<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<T>::new(capacity);
    race(
        items,
        move |items| {
            let mut n = 0;
            while n < items {
                match producer.write_chunk_uninit(BATCH) {
                    Ok(chunk) => {
                        n += chunk.fill_from_iter((n..n + BATCH as u64).map(T::of)) as u64;
                    }
                    Err(_) => std::hint::spin_loop(),
                }
            }
        },
        |items| {
            let (mut sum, mut seen) = (0, 0);
            while seen < items {
                match consumer.read_chunk(BATCH) {
                    Ok(chunk) => {
                        for item in chunk {
                            sum += item.number();
                        }
                        seen += BATCH as u64;
                    }
                    Err(_) => std::hint::spin_loop(),
                }
            }
            sum
        },
    )
}

fn ringbuf_single<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = HeapRb::<T>::new(capacity).split();
    race(
        items,
        move |items| {
            for n in 0..items {
                while producer.try_push(T::of(n)).is_err() {
                    std::hint::spin_loop();
                }
            }
        },
        |items| {
            let mut sum = 0;
            for _ in 0..items {
                let item = loop {
                    match consumer.try_pop() {
                        Some(item) => break item,
                        None => std::hint::spin_loop(),
                    }
                };
                sum += item.number();
            }
            sum
        },
    )
}

fn ringbuf_batch<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut producer, mut consumer) = HeapRb::<T>::new(capacity).split();
    race(
        items,
        move |items| {
            let mut n = 0;
            let mut batch = [T::default(); BATCH];
            while n < items {
                for (slot, n) in batch.iter_mut().zip(n..) {
                    *slot = T::of(n);
                }
                let mut rest = &batch[..];
                while !rest.is_empty() {
                    let pushed = producer.push_slice(rest);
                    rest = &rest[pushed..];
                    if pushed == 0 {
                        std::hint::spin_loop();
                    }
                }
                n += BATCH as u64;
            }
        },
        |items| {
            let (mut sum, mut seen) = (0, 0);
            let mut batch = [T::default(); BATCH];
            while seen < items {
                let got = consumer.pop_slice(&mut batch);
                sum += batch[..got].iter().map(Item::number).sum::<u64>();
                if got == 0 {
                    std::hint::spin_loop();
                }
                seen += got as u64;
            }
            sum
        },
    )
}

fn gil_single<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut sender, mut receiver) = gil::channel::<T>(capacity.try_into().expect("not 0"));
    race(
        items,
        move |items| {
            for n in 0..items {
                let mut item = T::of(n);
                while let Err(back) = sender.try_send(item) {
                    item = back;
                    std::hint::spin_loop();
                }
            }
        },
        |items| {
            let mut sum = 0;
            for _ in 0..items {
                let item = loop {
                    match receiver.try_recv() {
                        Some(item) => break item,
                        None => std::hint::spin_loop(),
                    }
                };
                sum += item.number();
            }
            sum
        },
    )
}

fn gil_batch<T: Item>(capacity: usize, items: u64) -> f64 {
    let (mut sender, mut receiver) = gil::channel::<T>(capacity.try_into().expect("not 0"));
    race(
        items,
        move |items| {
            let mut n = 0;
            while n < items {
                let buffer = sender.write_buffer();
                let count = buffer.len().min(BATCH);
                if count == 0 {
                    std::hint::spin_loop();
                    continue;
                }
                for slot in &mut buffer[..count] {
                    slot.write(T::of(n));
                    n += 1;
                }
                // SAFETY: the first `count` places have just been written.
                unsafe { sender.commit(count) };
            }
        },
        |items| {
            let (mut sum, mut seen) = (0, 0);
            while seen < items {
                let mut buffer = receiver.read_guard();
                let count = buffer.len().min(BATCH);
                if count == 0 {
                    std::hint::spin_loop();
                    continue;
                }
                sum += buffer.as_slice()[..count].iter().map(Item::number).sum::<u64>();
                buffer.advance(count);
                seen += count as u64;
            }
            sum
        },
    )
}

/// What the cached positions and the counters of one writer each are for.
fn naive_single<T: Item>(capacity: usize, items: u64) -> f64 {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    #[derive(Default)]
    struct Naive<T> {
        head: AtomicUsize,
        tail: AtomicUsize,
        pushed: AtomicU64,
        popped: AtomicU64,
        slots: Vec<Mutex<Option<T>>>,
    }
    let naive = Arc::new(Naive::<T> {
        slots: (0..capacity).map(|_| Mutex::new(None)).collect(),
        ..Naive::default()
    });
    let writer = Arc::clone(&naive);
    let mask = capacity - 1;
    race(
        items,
        move |items| {
            for n in 0..items {
                let tail = writer.tail.load(Ordering::Relaxed);
                while tail - writer.head.load(Ordering::Acquire) == writer.slots.len() {
                    std::hint::spin_loop();
                }
                *writer.slots[tail & mask].lock().expect("no panic") = Some(T::of(n));
                writer.pushed.fetch_add(1, Ordering::Relaxed);
                writer.tail.store(tail + 1, Ordering::Release);
            }
        },
        |items| {
            let mut sum = 0;
            for _ in 0..items {
                let head = naive.head.load(Ordering::Relaxed);
                while head == naive.tail.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                let item = naive.slots[head & mask].lock().expect("no panic").take();
                naive.popped.fetch_add(1, Ordering::Relaxed);
                naive.head.store(head + 1, Ordering::Release);
                sum += item.expect("published").number();
            }
            sum
        },
    )
}

fn cells<T: Item>(bytes: &str, items: u64) {
    for capacity in [1024, 65_536] {
        compare(
            &format!("ring: {bytes}, capacity {capacity}, single"),
            Unit::Rate,
            9,
            vec![
                Contender::new("tpc-actors", || ours_single::<T>(capacity, items)),
                Contender::new("ringbuf", || ringbuf_single::<T>(capacity, items)),
                Contender::new("gil", || gil_single::<T>(capacity, items)),
                Contender::new("rtrb", || rtrb_single::<T>(capacity, items)),
                Contender::new("`Option` slots, shared counters", || {
                    naive_single::<T>(capacity, items / 16)
                }),
            ],
        );
        compare(
            &format!("ring: {bytes}, capacity {capacity}, batches of 32"),
            Unit::Rate,
            9,
            vec![
                Contender::new("tpc-actors", || ours_batch::<T>(capacity, items)),
                Contender::new("ringbuf", || ringbuf_batch::<T>(capacity, items)),
                Contender::new("gil", || gil_batch::<T>(capacity, items)),
                Contender::new("rtrb", || rtrb_batch::<T>(capacity, items)),
            ],
        );
    }
}

fn main() {
    cells::<u64>("8 B", 1 << 23);
    cells::<[u64; 8]>("64 B", 1 << 21);
}
