//! Parameters that are not `Sized`, and trait objects in messages.
#![deny(warnings)]

use std::fmt::Display;
use std::sync::Arc;

use tpc_actors::prelude::*;

#[core_actor]
pub struct Shared<T: ?Sized> {
    value: Arc<T>,
}

#[core_actor]
impl<T> Shared<T>
where
    T: ?Sized + Display + Send + Sync,
{
    #[init]
    fn new(value: Arc<T>) -> Self {
        Self { value }
    }

    #[handler]
    fn get(&self) -> Arc<T> {
        Arc::clone(&self.value)
    }

    #[handler]
    fn show(&self, with: Box<dyn Fn(&T) -> String + Send>) -> String {
        with(&self.value)
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let text: SharedClient<str> = system.spawn::<Shared<str>>(Arc::from("a")).wait().unwrap();
    assert_eq!(&*text.get().wait().unwrap(), "a");
    let any = system.spawn::<Shared<dyn Display + Send + Sync>>(Arc::new(5)).wait().unwrap();
    assert_eq!(any.show(Box::new(|value| format!("<{value}>"))).wait().unwrap(), "<5>");
}
