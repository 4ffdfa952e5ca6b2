//! A generic struct that is an actor for some of its arguments only.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
pub struct Log<T, S> {
    lines: Vec<T>,
    state: S,
}

#[core_actor]
impl<S: Copy + Send> Log<String, S> {
    const WIDTH: usize = 3;

    #[init]
    fn new(state: S) -> Self {
        Self { lines: Vec::new(), state }
    }

    #[handler]
    fn add(&mut self, line: String) -> (usize, S) {
        self.lines.push(line);
        (self.lines.len(), self.state)
    }
}

mod concrete {
    use tpc_actors::prelude::*;

    #[core_actor]
    pub(super) struct Pair<A, B>(pub(super) A, pub(super) B);

    #[core_actor]
    impl Pair<u8, u16> {
        const SIZE: usize = 2;

        #[init]
        fn new(first: u8, second: u16) -> Self {
            Self(first, second)
        }

        #[handler]
        fn both(&self, of: Option<Self>) -> ([u16; Self::SIZE], Option<Self>) {
            ([self.0.into(), self.1], of)
        }
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let log: LogClient<u8> = system.spawn::<Log<String, u8>>(7).wait().unwrap();
    assert_eq!(log.add("a".to_owned()).wait().unwrap(), (1, 7));
    assert_eq!(Log::<String, u8>::WIDTH, 3);
    let pair: concrete::PairClient = system.spawn::<concrete::Pair<_, _>>((1, 2)).wait().unwrap();
    let (both, of) = pair.both(Some(concrete::Pair(3, 4))).wait().unwrap();
    assert_eq!((both, of.unwrap().1), ([1, 2], 4));
}
