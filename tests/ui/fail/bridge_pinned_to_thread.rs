//! The data end of a bridge stays where it was pinned.
use tpc_actors::bridge::{self, BridgeConfig};

fn main() {
    let (_control, data) = bridge::channel::<u8, u8>(BridgeConfig::new(1, 1)).unwrap();
    let mut data = data.pin();
    std::thread::spawn(move || data.try_recv());
}
