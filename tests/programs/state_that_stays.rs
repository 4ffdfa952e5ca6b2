//! State that could never leave its core.
#![deny(warnings)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tpc_actors::prelude::*;

#[core_actor]
struct Graph {
    nodes: Vec<Rc<Node>>,
    visits: Cell<usize>,
    hook: Box<dyn FnMut(usize) -> usize>,
    raw: *const u8,
}

struct Node {
    next: RefCell<Option<Rc<Node>>>,
}

#[core_actor]
impl Graph {
    #[init]
    fn new(count: usize) -> Self {
        let node = |_| Rc::new(Node { next: RefCell::new(None) });
        let nodes: Vec<_> = (0..count).map(node).collect();
        for pair in nodes.windows(2) {
            *pair[0].next.borrow_mut() = Some(Rc::clone(&pair[1]));
        }
        let mut total = 0;
        let hook = move |n| {
            total += n;
            total
        };
        Self { nodes, visits: Cell::new(0), hook: Box::new(hook), raw: std::ptr::null() }
    }

    #[handler]
    fn walk(&mut self) -> usize {
        let mut at = self.nodes.first().cloned();
        while let Some(node) = at {
            self.visits.set(self.visits.get() + 1);
            at = node.next.borrow().clone();
        }
        assert!(self.raw.is_null());
        (self.hook)(self.visits.get())
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let graph = system.spawn::<Graph>(3).wait().unwrap();
    assert_eq!(graph.walk().wait().unwrap(), 3);
    assert_eq!(graph.walk().wait().unwrap(), 9);
}
