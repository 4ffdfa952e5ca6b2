//! Brings the runtime along, and an actor for whoever wants one.

pub use runtime as tpc;

/// Defines a counter.
#[macro_export]
macro_rules! counter {
    ($(#[$attribute:meta])* $vis:vis $name:ident: $ty:ty) => {
        $(#[$attribute])*
        #[$crate::tpc::core_actor(crate = $crate::tpc)]
        $vis struct $name {
            /// How many.
            count: $ty,
        }

        #[$crate::tpc::core_actor(crate = $crate::tpc)]
        impl $name {
            /// Starts somewhere.
            #[$crate::tpc::init]
            fn new(count: $ty) -> Self {
                Self { count }
            }

            /// Adds; answers with the sum.
            #[$crate::tpc::handler]
            fn add(&mut self, by: $ty) -> $ty {
                self.count += by;
                self.count
            }
        }
    };
}
