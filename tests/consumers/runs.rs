//! The strict crate's actors at work.

#![deny(warnings, missing_docs, unused, clippy::pedantic, clippy::nursery)]

use std::error::Error;
use std::time::Duration;

use consumer::{Full, Last, LastClient, Shelf, ShelfClient, ShelfEvent, ShelfRequest, Summary};
use tpc_actors::prelude::*;

#[test]
fn every_attribute() -> Result<(), Box<dyn Error>> {
    let system = System::builder().cores(2).start()?;
    let mut cleared = system
        .events::<ShelfEvent>()
        .filter(|event| matches!(event, ShelfEvent::Cleared))
        .subscribe();
    let shelf: ShelfClient = system.spawn_sharded::<Shelf>(2, |_| (8, "shelf")).wait()?;

    assert_eq!(shelf.put("a".to_owned(), 7).wait()?, None);
    assert_eq!(shelf.put("a".to_owned(), 8).wait()?, Some(7));
    assert_eq!(shelf.get("a".to_owned()).wait()?, Some(8));
    assert_eq!(shelf.later("a".to_owned()).wait()?, Some(8));
    assert_eq!(shelf.len().wait()?.iter().sum::<usize>(), 1);
    assert_eq!(shelf.above(7).wait()?.concat(), [("a".to_owned(), 8)]);
    shelf.forget("a".to_owned()).wait()?;
    assert_eq!(shelf.get("a".to_owned()).wait()?, None);
    #[expect(deprecated, reason = "it still works")]
    let reads = shelf.look("a".to_owned()).wait()?;
    assert!(reads > 0);

    for number in 0..8 {
        let _before = shelf.put(number.to_string(), number).wait()?;
    }
    shelf.clear().wait()?;
    assert_eq!(shelf.len().wait()?, [0, 0]);
    assert!(matches!(cleared.next_wait(), Some(Delivery::Event { .. })));
    assert_eq!(format!("{:?}", ShelfRequest::Len), "Len");

    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
    Ok(())
}

#[test]
fn generic() -> Result<(), Box<dyn Error>> {
    let system = System::builder().start()?;
    let last: LastClient<String, 2> = system.spawn::<Last<String, 2>>(()).wait()?;
    assert_eq!(last.keep("a".to_owned()).wait()?, None);
    assert!(last.place(0, "b".to_owned()).wait()?);
    assert_eq!(last.all().wait()?, ["b", "a"]);
    Ok(())
}

#[test]
fn fallible() -> Result<(), Box<dyn Error>> {
    let system = System::builder().start()?;
    assert!(system.spawn::<Shelf>((0, "none")).wait().is_err());
    let shelf = system.spawn::<Shelf>((1, "small")).wait()?;
    assert_eq!(shelf.put("a".to_owned(), 1).wait()?, None);
    let refused = shelf.put("b".to_owned(), 2).wait();
    assert!(matches!(refused, Err(AskError::Handler(Full { .. }))));

    let summary = system.spawn::<Summary>(shelf).wait()?;
    assert_eq!(summary.total("a".to_owned()).wait()?, 1);
    assert!(summary.total("b".to_owned()).wait().is_err());
    Ok(())
}
