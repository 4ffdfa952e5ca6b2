//! `.await`, `.now()` and `.wait()`, with deadlines and owned asks, from everywhere.
#![deny(warnings)]

use std::time::Duration;

use tpc_actors::prelude::*;

#[core_actor]
struct Echo;

#[core_actor]
impl Echo {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn echo(&self, text: String) -> String {
        text
    }

    #[handler(tell)]
    fn hear(&self, _text: String) {}
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    assert_eq!(echo.echo("a".to_owned()).deadline(Duration::from_secs(60)).wait().unwrap(), "a");
    let asked = echo.echo("b".to_owned()).now().unwrap();
    assert_eq!(asked.wait().unwrap(), "b");
    echo.hear("c".to_owned()).now().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let owned = echo.echo("d".to_owned()).into_owned();
        let task = tokio::spawn(async move { owned.await });
        assert_eq!(echo.echo("e".to_owned()).await.unwrap(), "e");
        echo.ordered().hear("f".to_owned()).await.unwrap();
        assert_eq!(task.await.unwrap().unwrap(), "d");
    });
}
