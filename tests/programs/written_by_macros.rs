//! Actors from macros: a protocol for each type, in modules, with options that are passed on.
#![deny(warnings)]

use tpc_actors::prelude::*;

macro_rules! stores {
    ($($module:ident: $ty:ty, $capacity:literal, [$($extra:item)*];)*) => {
        $(
            pub mod $module {
                use super::*;

                #[core_actor(capacity = $capacity, event = $ty)]
                pub struct Store(Option<$ty>);

                #[core_actor]
                impl Store {
                    #[init]
                    fn new() -> Self {
                        Self(None)
                    }

                    #[handler]
                    fn put(&mut self, cx: &mut Ctx<Self>, value: $ty) -> Option<$ty> {
                        let _position = cx.publish(value.clone());
                        self.0.replace(value)
                    }
                }

                $($extra)*
            }
        )*
    };
}

stores! {
    words: String, 16, [pub fn start() -> String { "a".to_owned() }];
    pairs: (u8, Vec<u8>), 64, [];
}

macro_rules! handlers {
    ($actor:ident { $($name:ident($($argument:ident: $ty:ty),*) -> $answer:ty = $value:expr;)* }) => {
        #[core_actor]
        impl $actor {
            #[init]
            fn new() -> Self {
                Self
            }

            $(
                #[handler]
                fn $name(&self, $($argument: $ty),*) -> $answer {
                    $value
                }
            )*
        }
    };
}

#[core_actor]
struct Maths;

handlers! {
    Maths {
        zero() -> u8 = 0;
        add(a: u8, b: u8) -> u16 = u16::from(a) + u16::from(b);
        half(of: u8) -> Option<u8> = of.is_multiple_of(2).then_some(of / 2);
    }
}

macro_rules! bodies {
    ($actor:ident($cx:ty), $tell:ident -> $unit:ty $told:block, $helper:ident $helped:block) => {
        #[core_actor]
        pub struct $actor(u8);

        #[core_actor]
        impl $actor {
            #[init]
            fn new() -> Self {
                Self(0)
            }

            #[handler(tell)]
            fn $tell(&mut self, cx: $cx) -> $unit {
                let _ = cx.now();
                self.0 = Self::$helper();
                $told
            }

            #[handler]
            fn get(&self, reply: Reply<u8>) -> $unit {
                reply.send(self.0)
            }

            #[on_stop]
            fn stop(&mut self, _cx: $cx) -> $unit $told

            fn $helper() -> u8 $helped
        }
    };
}

bodies!(Bodies(&mut Ctx<Self>), set -> () { () }, seven { 7 });

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let words = system.spawn::<words::Store>(()).wait().unwrap();
    assert_eq!(words.put(words::start()).wait().unwrap(), None);
    let pairs = system.spawn::<pairs::Store>(()).wait().unwrap();
    assert_eq!(pairs.put((1, vec![])).wait().unwrap(), None);
    let maths = system.spawn::<Maths>(()).wait().unwrap();
    assert_eq!(maths.zero().wait().unwrap(), 0);
    assert_eq!(maths.add(200, 100).wait().unwrap(), 300);
    assert_eq!(maths.half(3).wait().unwrap(), None);
    let bodies = system.spawn::<Bodies>(()).wait().unwrap();
    bodies.set().wait().unwrap();
    assert_eq!(bodies.get().wait().unwrap(), 7);
}
