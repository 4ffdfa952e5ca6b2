//! Large arguments in boxes of their own or in one, under a limit for the size of requests.
#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "a condition that always holds")]

use tpc_actors::prelude::*;

type Page = [u8; 512];

#[core_actor(max_request_bytes = 24)]
pub struct Pages {
    pages: Vec<Page>,
}

#[core_actor]
impl Pages {
    #[init]
    fn new(count: usize, page: Page) -> Self {
        Self { pages: vec![page; count] }
    }

    /// One box for the page.
    #[handler]
    fn write(&mut self, #[key] at: usize, #[boxed] page: Page) -> Page {
        std::mem::replace(&mut self.pages[at], page)
    }

    /// One box for both.
    #[handler(boxed)]
    fn swap(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] at: usize,
        mut page: Page,
        with: u8,
    ) -> Result<Page, Page> {
        assert!(cx.core() < 2);
        page[0] = with;
        let before = std::mem::replace(&mut self.pages[at], page);
        if before[0] == with { Err(before) } else { Ok(before) }
    }

    /// A box for the only argument.
    #[handler(all, boxed)]
    fn fill(&mut self, page: Page) -> usize {
        self.pages.fill(page);
        self.pages.len()
    }

    #[handler(all, tell, boxed)]
    fn xor(&mut self, page: Page, _with: u8) {
        self.pages.iter_mut().flatten().zip(page.iter().cycle()).for_each(|(at, by)| *at ^= by);
    }

    #[handler(boxed)]
    fn later(&self, #[key] at: usize, page: Page, reply: Reply<bool>) {
        reply.send(self.pages[at] == page);
    }

    #[handler]
    fn key(
        &self,
        #[key]
        #[boxed]
        at: usize,
        #[cfg(all())]
        #[boxed]
        page: Page,
    ) -> bool {
        self.pages[at] == page
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let pages = system.spawn_sharded::<Pages>(2, |_| (4, [0; 512])).wait().unwrap();
    assert_eq!(pages.write(1, [1; 512]).wait().unwrap(), [0; 512]);
    assert_eq!(pages.swap(1, [2; 512], 9).wait().unwrap(), [1; 512]);
    assert!(matches!(pages.swap(1, [3; 512], 9).wait(), Err(AskError::Handler([9, ..]))));
    assert_eq!(pages.fill([4; 512]).wait().unwrap(), [4, 4]);
    pages.xor([1; 512], 0).wait().unwrap();
    assert!(pages.later(1, [5; 512]).wait().unwrap());
    assert!(pages.key(1, [5; 512]).wait().unwrap());
    assert_eq!(size_of::<PagesRequest>(), 24);
    let swap = PagesRequest::Swap { arguments: Box::new((1, [0; 512], 2)) };
    assert!(matches!(swap, PagesRequest::Swap { arguments } if arguments.2 == 2));
}
