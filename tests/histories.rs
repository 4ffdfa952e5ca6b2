//! Random histories of a simulated system: whatever users do and whatever fails, each request has one fate, orders are
//! kept, the books balance, and the same seed does it all again.

mod random;
#[path = "histories/seeds.rs"]
mod seeds;
#[path = "histories/users.rs"]
mod users;
#[path = "histories/workers.rs"]
mod workers;

use tpc_actors::Actor;
use tpc_actors::sim::Sim;
use tpc_actors::supervision::{Group, Strategy};

use users::History;
use workers::{Guarded, Mortal, Patient, Strict, Stubborn, Witness};

/// The five kinds in turn, in a group or by themselves.
fn any_history(seed: u64) -> Vec<String> {
    fn alone<A: Actor<Args = (u64, Witness)>>(sim: &mut Sim, id: u64, seen: Witness) -> A::Client {
        sim.spawn::<A>((id, seen))
    }
    match seed % 6 {
        0 => History::new(seed, alone::<Patient>).run(),
        1 => History::new(seed, alone::<Strict>).run(),
        2 => History::new(seed, alone::<Guarded>).run(),
        3 => History::new(seed, alone::<Stubborn>).run(),
        4 => History::new(seed, alone::<Mortal>).run(),
        _ => {
            let group = std::cell::OnceCell::new();
            let start = |sim: &mut Sim, id, seen| {
                let options = Group::new().strategy(Strategy::OneForAll);
                let group = group.get_or_init(|| sim.group(options));
                let member = group.spawn::<Patient>((id, seen));
                sim.run(member).unwrap()
            };
            History::new(seed, start).run()
        }
    }
}

fn twice(seed: u64) {
    let (first, second) = (any_history(seed), any_history(seed));
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    assert_eq!(differs.map(|at| (&first[at], &second[at])), None, "seed {seed} has two histories");
    assert_eq!(first.len(), second.len(), "seed {seed} has two histories");
}

#[test]
fn whatever_happens_happens_once_and_again_with_the_same_seed() {
    (0..120).for_each(twice);
}

#[test]
#[ignore = "takes as long as one wants"]
fn many_histories() {
    seeds::wanted().for_each(twice);
}

/// Defects that are noticed soon; the soak has all of them.
#[cfg(tpc_planted)]
#[test]
fn planted_defects_are_noticed() {
    for name in
        ["lost-request", "lost-ring", "run-cancelled", "keep-broken-state", "uncounted-panic"]
    {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "many_histories"])
            .env("TPC_PLANTED", name)
            .output()
            .unwrap();
        assert!(!output.status.success(), "`{name}` went unnoticed");
    }
}
