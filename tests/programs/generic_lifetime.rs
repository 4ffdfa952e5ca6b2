//! A struct that may borrow; as an actor it borrows for ever.
#![deny(warnings)]

use std::borrow::Cow;

use tpc_actors::prelude::*;

#[core_actor]
pub struct Words<'a, 'b: 'a, T: AsRef<str> + 'a> {
    text: &'a str,
    other: Cow<'b, str>,
    more: T,
}

#[core_actor]
impl<T: AsRef<str> + Send> Words<'static, 'static, T> {
    #[init]
    fn new(text: &'static str, other: Cow<'static, str>, more: T) -> Self {
        Self { text, other, more }
    }

    #[handler]
    fn word(&self, at: usize) -> Option<&'static str> {
        self.text.split(' ').nth(at)
    }

    #[handler]
    fn other(&mut self, other: Cow<'static, str>) -> Cow<'static, str> {
        std::mem::replace(&mut self.other, other)
    }

    #[handler]
    fn longest(&self) -> usize {
        self.text.len().max(self.other.len()).max(self.more.as_ref().len())
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let words: WordsClient<String> = system
        .spawn::<Words<'_, '_, String>>(("a b", Cow::Borrowed("c"), "long".to_owned()))
        .wait()
        .unwrap();
    assert_eq!(words.word(1).wait().unwrap(), Some("b"));
    assert_eq!(words.other("d".to_owned().into()).wait().unwrap(), "c");
    assert_eq!(words.longest().wait().unwrap(), 4);
}
