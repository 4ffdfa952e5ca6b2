//! Running foreign code where a panic must not get through.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Runs `f`; a panic comes back as its message, with the payload already dropped.
///
/// Unwind safety is the caller's promise: after an `Err` it must not use what `f` was changing, except
/// to drop it.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(panic_message)
}

/// The message of a panic, whose payload is dropped.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let message = message(&*payload);
    drop_quietly(payload);
    message
}

/// Drops a foreign value; a panic in its `Drop` is swallowed, and so is one in that panic's payload.
pub(crate) fn drop_quietly<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        let second = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        if let Err(third) = second
            && !is_text(&*third)
        {
            #[expect(
                clippy::mem_forget,
                reason = "a payload whose drop keeps panicking never ends"
            )]
            std::mem::forget(third);
        }
    }
}

/// Wakes a foreign waker; a panic in it is swallowed.
pub(crate) fn wake_quietly(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        drop_quietly(payload);
    }
}

/// Whether it is a payload of `panic!`, whose drop is none of anybody's code.
fn is_text(payload: &(dyn Any + Send)) -> bool {
    payload.is::<&'static str>() || payload.is::<String>()
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "(the panic's payload is not a string)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nasty(u32);

    impl Drop for Nasty {
        fn drop(&mut self) {
            if self.0 > 0 {
                std::panic::panic_any(Nasty(self.0 - 1));
            }
        }
    }

    #[test]
    fn the_message_survives_and_the_value_comes_back() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| panic!("static")), Err::<(), _>("static".to_owned()));
        assert_eq!(catch(|| panic!("made {}", 1)), Err::<(), _>("made 1".to_owned()));
    }

    #[test]
    fn payloads_that_panic_when_dropped_do_not_get_through() {
        for depth in 0..3 {
            assert!(catch(|| std::panic::panic_any(Nasty(depth))).is_err());
            drop_quietly(Nasty(depth));
        }
    }
}
