//! Actors that a macro writes.
#![deny(warnings)]

use tpc_actors::prelude::*;

macro_rules! register {
    ($actor:ident, $ty:ty, $get:ident, $key:ident: $key_ty:ty) => {
        /// A register.
        #[core_actor]
        pub struct $actor {
            value: $ty,
        }

        #[core_actor]
        impl $actor {
            #[init]
            fn new(value: $ty) -> Self {
                Self { value }
            }

            /// The value, and the key that led here.
            #[handler]
            fn $get(&self, #[key] $key: $key_ty) -> ($ty, $key_ty) {
                (self.value.clone(), $key)
            }

            #[handler]
            fn set(
                &mut self,
                cx: &mut Ctx<Self>,
                #[key] key: $key_ty,
                value: $ty,
            ) -> Result<(), $ty> {
                let _ = (cx.now(), key);
                self.value = value;
                Ok(())
            }

            #[handler(all)]
            fn add_up(&self, one: u8, reply: Reply<Option<$ty>>) {
                let _ = one;
                reply.send(Some(self.value.clone()));
            }
        }
    };
}

register!(Words, String, word, at: u32);
register!(Bytes, Vec<u8>, byte, r#in: String);

pub fn main() {
    let system = System::builder().start().unwrap();
    let words: WordsClient = system.spawn_sharded::<Words>(2, |_| "a".to_owned()).wait().unwrap();
    words.set(1, "b".to_owned()).wait().unwrap();
    assert_eq!(words.word(1).wait().unwrap(), ("b".to_owned(), 1));
    let bytes = system.spawn_sharded::<Bytes>(1, |_| vec![]).wait().unwrap();
    assert_eq!(bytes.byte("k".to_owned()).wait().unwrap(), (vec![], "k".to_owned()));
    assert_eq!(bytes.add_up(1).wait().unwrap(), [Some(vec![])]);
}
