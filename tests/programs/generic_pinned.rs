//! Tasks and other actors of the same core use a generic handle.
#![deny(warnings)]

use std::time::Duration;

use tpc_actors::prelude::*;

#[core_actor]
pub struct Slow<T> {
    value: T,
}

#[core_actor]
impl<T: Clone + Send> Slow<T> {
    #[init]
    fn new(value: T) -> Self {
        Self { value }
    }

    #[handler]
    fn now(&self) -> T {
        self.value.clone()
    }

    #[handler(tell)]
    fn set(&mut self, value: T) {
        self.value = value;
    }

    #[handler]
    fn later(&mut self, cx: &mut Ctx<Self>, then: T, reply: Reply<Result<(T, T), String>>) {
        let me: SlowPinned<T> = cx.pinned();
        let sleep = cx.sleep(Duration::from_millis(1));
        cx.spawn(async move {
            sleep.await;
            let before = me.now().await.map_err(|error| error.to_string());
            let told = me.set(then).await;
            assert!(told.is_ok());
            let after = me.clone().now().await.map_err(|error| error.to_string());
            reply.send(before.and_then(|before| Ok((before, after?))));
        });
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let slow = system.spawn::<Slow<char>>('a').wait().unwrap();
    assert_eq!(slow.later('b').wait().unwrap(), ('a', 'b'));
}
