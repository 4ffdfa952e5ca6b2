//! Moving a value word by word.
//!
//! A copy uses the widest loads that there are. One that covers several stores which have not left the store buffer
//! yet has to wait until they have; and in a thread that writes to lines which another CPU has, that takes a while.
//! A load of a word that was stored as a word gets it from the store buffer.

#![allow(unsafe_code, reason = "a copy that the compiler must not make wider")]

use std::mem::MaybeUninit;

/// Larger values are copied as usual: their first words have left the store buffer by the time that the last come. So
/// are those that consist of less than words.
const BYTES_MAX: usize = 128;

type Word = MaybeUninit<u64>;

/// Takes out a value that has just been put together.
#[expect(clippy::inline_always, reason = "a result that is built in memory is copied once more")]
#[inline(always)]
pub(crate) fn take_by_words<T>(from: &mut Option<T>) -> Option<T> {
    let in_words = const { align_of::<T>() >= align_of::<Word>() && size_of::<T>() <= BYTES_MAX };
    if !in_words {
        return from.take();
    }
    let source = std::ptr::from_mut(from.as_mut()?);
    let mut value = MaybeUninit::<T>::uninit();
    for word in 0..const { size_of::<T>() / size_of::<Word>() } {
        // SAFETY: both pointers are to a `T`, which is aligned as a word and a whole number of words long, because
        // sizes are multiples of alignments. A word may have parts that are not initialised, as padding is.
        unsafe {
            let read = source.cast::<Word>().add(word).read_volatile();
            value.as_mut_ptr().cast::<Word>().add(word).write(read);
        }
    }
    // SAFETY: `value` is a copy of the whole `T`, and the only one that is left: what stood there is overwritten
    // without being dropped.
    unsafe {
        std::ptr::from_mut(from).write(None);
        Some(value.assume_init())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_moved() {
        fn moves<T: Clone + PartialEq + std::fmt::Debug>(value: T) {
            let mut from = Some(value.clone());
            assert_eq!(take_by_words(&mut from), Some(value));
            assert_eq!(from, None);
            assert_eq!(take_by_words(&mut from), None);
        }
        moves(());
        moves(7_u8);
        moves(7_u64);
        moves((7_u64, true));
        moves("on the heap".to_owned());
        moves(Some(Box::new(7)));
        moves(vec!["a".to_owned(), "b".to_owned()]);
        moves([[7_u64; 8]; 2]);
        moves([7_u64; 17]);
    }

    #[test]
    fn what_was_moved_is_dropped_once() {
        let counted = std::rc::Rc::new(());
        let mut from = Some((std::rc::Rc::clone(&counted), 7_u64));
        let taken = take_by_words(&mut from);
        drop(from);
        assert_eq!(std::rc::Rc::strong_count(&counted), 2);
        drop(taken);
        assert_eq!(std::rc::Rc::strong_count(&counted), 1);
    }
}
