//! A generic actor that a macro writes, and one whose parameters have strange names.
#![deny(warnings)]

use tpc_actors::prelude::*;

macro_rules! cell {
    ($actor:ident<$($param:ident: $bound:path),*>, $first:ident) => {
        #[core_actor]
        pub struct $actor<$($param),*>(($($param,)*));

        #[core_actor]
        impl<$($param: $bound + Send + Clone),*> $actor<$($param),*> {
            #[init]
            fn new(values: ($($param,)*)) -> Self {
                Self(values)
            }

            #[handler]
            fn first(&self) -> $first {
                self.0.0.clone()
            }

            #[handler]
            fn all(&mut self, values: ($($param,)*)) -> ($($param,)*) {
                std::mem::replace(&mut self.0, values)
            }
        }
    };
}

cell!(Two<A: Default, B: Copy>, A);
cell!(Odd<Request: Default, Response: Default, Args: Default>, Request);

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let two = system.spawn::<Two<String, u8>>(("a".to_owned(), 1)).wait().unwrap();
    assert_eq!(two.first().wait().unwrap(), "a");
    let odd = system.spawn::<Odd<u8, u16, u32>>((1, 2, 3)).wait().unwrap();
    assert_eq!(odd.all((4, 5, 6)).wait().unwrap(), (1, 2, 3));
    assert_eq!(odd.first().wait().unwrap(), 4);
}
