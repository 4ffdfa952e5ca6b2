//! Refused, because nothing can be isolated here.

pub use tpc_actors::System;
