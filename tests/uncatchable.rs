//! What no library can catch ends the process, each in a process of its own; and what the documentation
//! says about it.

use std::process::{Command, Output};
use std::time::Duration;
use std::{env, process};

use tpc_actors::prelude::*;

/// Which end the child is to come to.
const KIND: &str = "TPC_UNCATCHABLE";

struct ThrowsWhenDropped;

impl Drop for ThrowsWhenDropped {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

thread_local! {
    static LAST: ThrowsWhenDropped = const { ThrowsWhenDropped };
}

#[core_actor(supervise(max = 1000, within = "60s", backoff = "1ms..1ms"))]
struct Doomed;

#[core_actor]
impl Doomed {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn overflow_the_stack(&self, depth: u64) -> u64 {
        fn deeper(depth: u64) -> u64 {
            let room = std::hint::black_box([depth; 1024]);
            if depth == 0 { room[7] } else { deeper(depth - 1) + room[usize::from(depth > 9)] }
        }
        deeper(depth)
    }

    #[handler]
    fn run_out_of_memory(&self) -> usize {
        let much = isize::MAX as usize / 2;
        std::hint::black_box(Vec::<u8>::with_capacity(much)).capacity()
    }

    #[handler]
    fn panic_while_unwinding(&self) -> u64 {
        let _held = ThrowsWhenDropped;
        panic!("and the value that is dropped panics as well")
    }

    #[handler]
    fn panic(&self) -> u64 {
        panic!("an ordinary one")
    }

    #[handler]
    fn leave_a_thread_local(&self) -> u64 {
        LAST.with(|_| 1)
    }

    #[handler]
    fn exit(&self) -> u64 {
        process::exit(7)
    }
}

#[test]
#[ignore = "the child of the other tests"]
fn child() {
    let kind = env::var(KIND).unwrap();
    if kind == "hook" {
        std::panic::set_hook(Box::new(|_| panic!("in the hook")));
    }
    let system = System::builder().cores(1).start().unwrap();
    let doomed = system.spawn::<Doomed>(()).wait().unwrap();
    match &*kind {
        "stack" => drop(doomed.overflow_the_stack(1 << 40).wait()),
        "memory" => drop(doomed.run_out_of_memory().wait()),
        "unwinding" => drop(doomed.panic_while_unwinding().wait()),
        "hook" | "caught" => drop(doomed.panic().wait()),
        "storm" => (0..50).for_each(|_| drop(doomed.panic().wait())),
        "thread-local" => drop(doomed.leave_a_thread_local().wait()),
        "exit" => drop(doomed.exit().wait()),
        other => panic!("{other}"),
    }
    system.shutdown_wait(Duration::from_secs(10));
    println!("survived");
}

fn run(kind: &str) -> (Output, String) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .env(KIND, kind)
        .output()
        .unwrap();
    let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
    (output, said)
}

/// Ends by a signal (`SIGABRT`), with a text that says why.
fn aborts(kind: &str, text: &str) {
    use std::os::unix::process::ExitStatusExt as _;
    let (output, said) = run(kind);
    assert!(output.status.signal().is_some(), "{kind}: {:?}: {said}", output.status);
    assert!(said.contains(text), "{kind}: {said}");
    assert!(!said.contains("survived"), "{kind}: {said}");
}

#[test]
fn an_overflow_of_the_stack_ends_the_process() {
    aborts("stack", "has overflowed its stack");
}

#[test]
fn running_out_of_memory_ends_the_process() {
    aborts("memory", "memory allocation of");
}

#[test]
fn a_panic_while_unwinding_ends_the_process() {
    aborts("unwinding", "panic in a destructor during cleanup");
}

#[test]
fn a_panic_in_the_hook_ends_the_process() {
    aborts("hook", "aborting");
}

#[test]
fn a_panic_of_a_thread_local_ends_the_process() {
    aborts("thread-local", "thread local panicked on drop");
}

#[test]
fn an_exit_is_what_it_says() {
    let (output, said) = run("exit");
    assert_eq!(output.status.code(), Some(7), "{said}");
}

#[test]
fn anything_else_is_caught() {
    let (output, said) = run("caught");
    assert!(output.status.success() && said.contains("survived"), "{said}");
}

#[test]
fn a_panic_is_printed_once_and_a_storm_of_them_in_part() {
    let (_, said) = run("caught");
    assert_eq!(said.matches("an ordinary one").count(), 1, "{said}");
    let (_, said) = run("storm");
    assert_eq!(said.matches("an ordinary one").count(), 5, "five a minute: {said}");
}
