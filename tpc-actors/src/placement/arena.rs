//! A jemalloc arena of its own for each core.
//!
//! The arena is always created and never picked by number: jemalloc hands its automatic arenas to other
//! threads as well. Without jemalloc as the global allocator there is nothing to bind, which is said once.

#![allow(
    unsafe_code,
    reason = "jemalloc's control interface trusts the caller for names and types"
)]

use std::sync::Once;

use tikv_jemalloc_ctl::raw;

/// Creates an arena and binds the calling thread to it; true when jemalloc says that it is bound.
pub(crate) fn bind(core: usize) -> bool {
    static WARNED: Once = Once::new();
    if !is_global_allocator() {
        WARNED.call_once(|| {
            tracing::warn!(
                "the feature `jemalloc` needs jemalloc as `#[global_allocator]`; cores share"
            );
        });
        return false;
    }
    match create_and_bind() {
        Ok(arena) => {
            tracing::debug!(core, arena, "the core has an arena of its own");
            true
        }
        Err(error) => {
            tracing::warn!(core, %error, "the core has no arena of its own");
            false
        }
    }
}

fn create_and_bind() -> Result<u32, tikv_jemalloc_ctl::Error> {
    // SAFETY: `arenas.create` gives an `unsigned`, and the name ends with a zero byte.
    let arena: u32 = unsafe { raw::read(b"arenas.create\0") }?;
    // SAFETY: `thread.arena` takes an `unsigned`; the arena has just been created.
    unsafe { raw::write(b"thread.arena\0", arena) }?;
    // SAFETY: as above, for reading.
    let bound: u32 = unsafe { raw::read(b"thread.arena\0") }?;
    debug_assert_eq!(bound, arena, "jemalloc took the binding");
    Ok(bound)
}

/// Whether an allocation of this thread shows in jemalloc's books.
fn is_global_allocator() -> bool {
    let allocated = || {
        // SAFETY: `thread.allocated` gives a `uint64_t`, and the name ends with a zero byte.
        unsafe { raw::read::<u64>(b"thread.allocated\0") }.unwrap_or(0)
    };
    let before = allocated();
    // Kept from the optimiser, which may otherwise leave the allocation out.
    drop(std::hint::black_box(vec![0u8; 1 << 16]));
    allocated() > before
}
