//! The panic hook: panics on cores are told once, and not all of them.
//!
//! A core catches what its actors throw and reports it, so what the hook in place would print is a
//! repetition. Without a subscriber for `tracing`'s errors it is the only report; then five a minute and
//! core get through to it, because printing a backtrace takes longer than a restart.

use std::cell::RefCell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;
use std::time::Instant;

use crate::core_loop::on_core_thread;
use crate::rate::FiveAMinute;

thread_local! {
    static PRINTED: RefCell<FiveAMinute> = const { RefCell::new(FiveAMinute::new()) };
}

/// Puts our hook before the one in place, once in the life of the process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    // std forbids it to a thread that panics; the next system will do it.
    if std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !on_core_thread() || is_first_report() {
                before(info);
            }
        }));
    });
}

/// Whether a panic of this core should reach the hook that was there before.
fn is_first_report() -> bool {
    if tracing::enabled!(tracing::Level::ERROR) {
        return false;
    }
    let admitted = PRINTED.try_with(|printed| {
        printed.try_borrow_mut().is_ok_and(|mut printed| printed.admit(Instant::now()).is_some())
    });
    admitted.unwrap_or(true)
}
