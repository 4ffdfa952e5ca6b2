//! What goes over a bridge must be `Send`, or its ends stay.
use std::rc::Rc;
use tpc_actors::bridge::{self, BridgeConfig};

fn main() {
    let (_control, data) = bridge::channel::<Rc<u8>, u8>(BridgeConfig::new(1, 1)).unwrap();
    std::thread::spawn(move || drop(data));
}
