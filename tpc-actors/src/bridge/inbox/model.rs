//! Every interleaving of telling a thread something with its hearing of it: nothing lies there unheard.

use loom::thread;

use super::*;
use crate::bridge::bell::model::ModelDoorbell;
use crate::sync::Arc as ModelArc;
use crate::sync::mutants::{explore, mutant};

/// How many things there are to be taken, unless nobody may put any.
#[derive(Debug, Default)]
struct News {
    waiting: usize,
    closed: bool,
}

type Told = Inbox<News>;

fn inbox(closed: bool) -> ModelArc<Told> {
    let bell = Arc::new(CoreBell::new(Arc::new(ModelDoorbell::new())));
    ModelArc::new(Inbox::new(bell, News { waiting: 0, closed }))
}

/// Takes what is there until it is `all`, and sleeps in between; without a limit, so that what is never heard of is a
/// deadlock.
fn serve(inbox: &Told, all: usize) {
    let mut taken = 0;
    while taken < all {
        if inbox.bell.has_news() {
            let take = |news: &mut News| std::mem::take(&mut news.waiting);
            taken += inbox.take(drop, take).unwrap_or(0);
        } else if inbox.bell.announce_sleep() {
            inbox.bell.sleep(None);
        }
    }
    assert_eq!(taken, all);
}

/// Two who tell, each in its own way.
fn told() {
    explore(3, || {
        let inbox = inbox(false);
        let tellers = [Told::command, Told::tell].map(|tell| {
            let inbox = ModelArc::clone(&inbox);
            thread::spawn(move || tell(&inbox, |news: &mut News| news.waiting += 1))
        });
        serve(&inbox, 2);
        for teller in tellers {
            teller.join().unwrap();
        }
    });
}

/// One who tells while the thread's successor begins: either is refused or heard.
fn told_while_reopened() {
    explore(3, || {
        let inbox = inbox(true);
        let theirs = ModelArc::clone(&inbox);
        let teller = thread::spawn(move || {
            let put = |news: &mut News| {
                let taken = !news.closed;
                news.waiting += usize::from(taken);
                taken
            };
            // Again until it is taken: by then the successor is at work.
            while !theirs.command(put) {
                thread::yield_now();
            }
        });
        inbox.reopen(|news| news.closed = false);
        serve(&inbox, 1);
        teller.join().unwrap();
    });
}

#[test]
fn model_inbox_told() {
    told();
}

#[test]
fn model_inbox_told_while_reopened() {
    told_while_reopened();
}

mutant!(mutant_command: "inbox.command" breaks told);
mutant!(mutant_tell: "inbox.tell" breaks told);
mutant!(mutant_hear_first: "inbox.hear-first" breaks told);
mutant!(mutant_reopen: "inbox.reopen" breaks told_while_reopened);
