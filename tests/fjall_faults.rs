//! The default log on a disk that fails, as `strace` has its system calls fail.

mod fjall_child;
mod scratch;

use std::path::{Path, PathBuf};

use fjall_child::{Running, check, journal, mark};
use scratch::directory;
use tpc_actors::bus::log::{EventLog, FjallLog};

/// A process that has ended, and what `strace` has seen of it.
struct Traced {
    child: Running,
    went_well: bool,
    calls: String,
}

/// Runs a test whose calls for some files are traced, or fail, as `expressions` say.
fn run_traced(name: &str, path: &Path, files: &[&Path], expressions: &[&str]) -> Traced {
    let traced = path.with_extension("calls");
    let mut wrapper = vec!["strace", "-f", "-qq", "-o", traced.to_str().unwrap()];
    wrapper.extend(files.iter().flat_map(|file| ["-P", file.to_str().unwrap()]));
    wrapper.extend(expressions.iter().flat_map(|expression| ["-e", expression]));
    let mut child = Running::start_test(name, path, &wrapper);
    while child.read() {}
    let went_well = child.process.wait().unwrap().success();
    Traced { child, went_well, calls: std::fs::read_to_string(traced).unwrap() }
}

/// Runs a test where calls for a file fail with this fault; whether the process says that all went as it should.
fn run_failing(name: &str, path: &Path, (file, fault): (&Path, &str)) -> (Running, bool) {
    let inject = format!("inject={fault}");
    let Traced { child, went_well, .. } = run_traced(name, path, &[file], &[&inject]);
    (child, went_well)
}

/// A disk that fails, as seen by the process: system calls with injected errors.
fn failing(name: &str, file: impl Fn(&Path) -> PathBuf, fault: &str) {
    let path = directory(name);
    // What is there before must survive.
    let mut child = Running::start(&path);
    while child.acknowledged.is_none() && child.read() {}
    let before = child.kill();
    check(&path, before);
    let (child, _) = run_failing("child", &path, (&file(&path), fault));
    assert!(child.failed.is_some(), "the log did not fail by {fault}");
    assert!(child.failed.as_ref().unwrap().len() > "failed ".len(), "without a reason");
    check(&path, child.acknowledged.or(before));
}

#[test]
fn nothing_is_acknowledged_after_a_failed_sync() {
    for n in [5, 9, 14] {
        failing("eio", journal, &format!("fdatasync:error=EIO:when={n}"));
    }
}

/// The names of the calls of these kinds for a file, in their order, of a log that begins an epoch and writes a little.
fn calls(path: &Path, kinds: &str, file: &Path) -> Vec<String> {
    let trace = format!("trace={kinds}");
    let Traced { went_well, calls, .. } = run_traced("stubborn_child", path, &[file], &[&trace]);
    assert!(went_well, "{calls}");
    // Behind the number of the thread.
    let name = |line: &str| line.split_whitespace().nth(1)?.split('(').next().map(str::to_owned);
    calls.lines().filter_map(name).collect()
}

/// A log without any mark would be one that has lost what it acknowledged, so the first one has to survive.
#[test]
fn the_first_mark_is_on_the_disk_before_anything_is_acknowledged() {
    let path = directory("first-mark");
    let calls = calls(&path, "write,fsync", &path.join("acknowledged"));
    let first = calls.iter().position(|call| call == "write").unwrap();
    assert_eq!(calls[first + 1], "fsync", "{calls:?}");
    assert!(calls.len() > 40, "{calls:?}");
}

/// What is lost of an epoch that was not would be numbered again.
#[test]
fn an_epoch_is_on_the_disk_before_its_first_event() {
    let path = directory("first-epoch");
    drop(FjallLog::open(&path).unwrap());
    let calls = calls(&path, "write,fsync,fdatasync", &journal(&path));
    let first = calls.iter().position(|call| call == "fdatasync").unwrap();
    let before = calls[..first].windows(2).any(|pair| pair == ["write", "fsync"]);
    assert!(before, "{calls:?}");
}

/// The suite says where its disk is to fail, and which of the syncs that is shows when it does not.
#[test]
fn the_default_log_conforms_also_when_its_disk_fails() {
    let mut fails: Vec<usize> = Vec::new();
    loop {
        let path = directory("conforms-failing");
        drop(FjallLog::open(&path).unwrap());
        let (journal, mark) = (journal(&path), mark(&path));
        // The second is as far from the first as that is from the next one, which there is not.
        let when = match fails[..] {
            [] => None,
            [first] => Some(first.to_string()),
            [first, second, ..] => Some(format!("{first}..{second}+{}", second - first)),
        };
        let inject = when.map(|when| format!("inject=fdatasync:error=EIO:when={when}"));
        let expressions: Vec<_> =
            ["trace=fdatasync,/stat"].into_iter().chain(inject.as_deref()).collect();
        let Traced { went_well, calls, .. } =
            run_traced("conforming_child", &path, &[&journal, &mark], &expressions);
        let mark = mark.to_str().unwrap();
        let (mut syncs, mut marks) = (0, Vec::new());
        for call in calls.lines() {
            syncs += usize::from(call.contains("fdatasync("));
            marks.extend(call.contains(mark).then_some(syncs + 1));
        }
        if went_well {
            assert_eq!((fails.len(), &fails), (2, &marks), "it passed by something else");
            return;
        }
        assert!(marks.len() > fails.len(), "{fails:?} failed, as told by {marks:?}");
        fails = marks;
    }
}

/// The disk recovers at once, and the log does not believe it: what the failed sync had to write may be gone.
#[test]
fn a_log_that_has_failed_takes_nothing_more_until_it_is_opened_again() {
    for n in [3, 6] {
        let path = directory("stubborn");
        drop(FjallLog::open(&path).unwrap());
        let fault = format!("fdatasync:error=EIO:when={n}");
        let (child, went_well) = run_failing("stubborn_child", &path, (&journal(&path), &fault));
        assert!(went_well, "it accepted something");
        assert!(child.failed.is_some(), "the log did not fail");
        let mut log = FjallLog::open(&path).unwrap();
        let next = log.bounds(0).unwrap().map(|bounds| bounds.next);
        assert!(next > child.acknowledged, "{next:?} after {:?}", child.acknowledged);
        log.begin_epoch().unwrap();
        log.sync().unwrap();
    }
}

#[test]
fn nothing_is_acknowledged_on_a_full_disk() {
    failing("enospc-sync", journal, "fdatasync:error=ENOSPC:when=8");
    failing("enospc-write", journal, "write:error=ENOSPC:when=7+");
}

/// Of the first write, which begins an epoch, and of later ones; once, or from there on.
#[test]
fn nothing_is_acknowledged_after_a_failed_write() {
    for when in ["1", "1+", "2", "6", "11+"] {
        let fault = format!("write:error=EIO:when={when}");
        failing("eio-write", journal, &fault);
        failing("eio-mark", |path| path.join("acknowledged"), &fault);
    }
}
