//! The data end of a bridge travels before it is pinned.
#![deny(warnings)]

use std::thread;

use tpc_actors::bridge::{self, BridgeConfig};

pub fn main() {
    let (mut control, data) = bridge::channel::<u8, u8>(BridgeConfig::new(4, 4)).unwrap();
    let core = thread::spawn(move || {
        let mut data = data.pin();
        while let Ok(request) = data.recv_blocking() {
            data.send_blocking(request + 1).unwrap();
        }
    });
    control.send_blocking(1).unwrap();
    assert_eq!(control.recv_blocking().unwrap(), 2);
    drop(control);
    core.join().unwrap();
}
