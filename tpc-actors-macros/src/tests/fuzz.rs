//! Whatever stands below the attribute, it comes back, and nothing panics.
//!
//! Actors with tokens missing, doubled, exchanged, cut off or put in from elsewhere. The seed is
//! fixed; `TPC_FUZZ_ROUNDS=1000000` looks for longer, from `TPC_FUZZ_SEED`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{env, str};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::core_actor::core_actor;
use crate::krate::Krate;
use crate::parse::Target;

/// Arguments and items, with every construct that the macro knows.
const SOURCES: &[(&str, &str)] = &[
    (
        "event = Event, capacity = 64, max_request_bytes = 128, crate = facade::tpc_actors, serde,
         supervise(max = 5, within = \"10s\", backoff = \"1ms..1s\", then = stop)",
        "#[doc = \"A store.\"] #[derive(Debug)] pub(crate) struct Store<'a, K: Hash + 'a, const N: usize = 1>
         where K: Clone { map: HashMap<K, &'a [u8; N]>, rc: Rc<Cell<u8>> }",
    ),
    ("capacity = 1", "pub struct Unit;"),
    ("", "enum Wrong { A(u8), B }"),
    (
        "",
        "impl<K, const N: usize> Store<'static, K, N> where K: Hash + Clone + Send {
            #![allow(dead_code)]
            const SIZE: usize = N;
            #[cfg(a)] #[init] fn new(cx: &mut Ctx<Self>, a: K, #[cfg(b)] c: u8) -> Result<Self, E> {}
            #[cfg(not(a))] #[init] fn other() -> Self { Self }
            #[doc = \"Reads.\"] #[handler] fn get(&self, #[key] key: K) -> Option<[u8; Self::SIZE]> { body @ }
            #[handler(boxed)] #[deprecated = \"x\"] fn put(&mut self, cx: &mut Ctx<Self>,
                #[key] key: K, mut value: Vec<u8>, _: (u8, fn(&u8) -> &u8)) -> io::Result<()> { }
            #[handler(all, tell)] fn r#all(&mut self, #[boxed] page: [u8; 4096], #[cfg(x)] y: u8) {}
            #[handler] fn later(&self, #[key] _key: K, reply: Reply<Result<Self, <K as T>::E>>) {}
            #[cfg_attr(feature = \"x\", handler(tell), cfg_attr(y, inline))] fn maybe(&self, #[key] key: K) {}
            #[every(\"20ms\")] fn tick(&mut self) {} #[on_stop] fn stop(&mut self, cx: &mut Ctx<Self>) {}
            fn helper(self: Box<Self>, a: impl Into<String>) -> impl Iterator<Item = u8> + '_ { 1 }
            macro_call! { x } type Alias = u8;
        }",
    ),
    ("", "impl Store { #[init] async fn new(&self, a: &str) {} #[handler] unsafe fn a<T>(x: T) {} }"),
];

/// What does not belong where it is put.
const STRAYS: &str = "handler init every key boxed cfg cfg_attr self Self crate super async fn impl struct \
    where for 'a '_ 'static _ ! & * = => -> :: : ; , # $ < > ? | 0 1u8 \"\" \"1s\" 'x' b\"x\" r#type \
    Reply Ctx Result dyn mut pub ( ) [ ] { } (a, b) [u8] { x }";

/// `SplitMix64`; the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let limit = u64::try_from(limit.max(1)).expect("a length");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("less than the limit")
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// Single tokens and groups to put in.
fn strays() -> Vec<TokenTree> {
    STRAYS.split(' ').filter_map(|text| text.parse::<TokenStream>().ok()).flatten().collect()
}

/// One change, somewhere in the tree.
fn changed(stream: TokenStream, strays: &[TokenTree], random: &mut Random) -> TokenStream {
    let mut trees: Vec<TokenTree> = stream.into_iter().collect();
    let at = random.below(trees.len());
    // Deep down there is more to break.
    if let Some(TokenTree::Group(group)) = trees.get(at)
        && random.below(5) > 0
    {
        let inner = changed(group.stream(), strays, random);
        let delimiter = match random.below(40) {
            0 => Delimiter::None,
            1 => Delimiter::Bracket,
            _ => group.delimiter(),
        };
        trees[at] = Group::new(delimiter, inner).into();
        return trees.into_iter().collect();
    }
    let stray = strays[random.below(strays.len())].clone();
    match random.below(16) {
        0 => trees.truncate(at),
        1 if !trees.is_empty() => drop(trees.remove(at)),
        2 if !trees.is_empty() => trees.insert(at, trees[at].clone()),
        3 if trees.len() > 1 => {
            let other = random.below(trees.len());
            trees.swap(at, other);
        }
        4 if !trees.is_empty() => trees[at] = stray,
        5 => trees.insert(at.min(trees.len()), stray),
        // What is still an item shows more than what is none.
        number => orderly(&mut trees, at, number, strays, random),
    }
    trees.into_iter().collect()
}

/// A change that the grammar may survive: an attribute goes or comes twice, a word becomes another.
fn orderly(
    trees: &mut Vec<TokenTree>,
    at: usize,
    number: usize,
    strays: &[TokenTree],
    random: &mut Random,
) {
    match (trees.get(at), trees.get(at + 1)) {
        (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(_))) if hash.as_char() == '#' => {
            let attribute: Vec<TokenTree> = trees.drain(at..at + 2).collect();
            if number.is_multiple_of(2) {
                let doubled = attribute.iter().chain(&attribute).cloned();
                trees.splice(at..at, doubled);
            }
        }
        (Some(TokenTree::Ident(_)), _) => {
            let words: Vec<&TokenTree> =
                strays.iter().filter(|stray| matches!(stray, TokenTree::Ident(_))).collect();
            trees[at] = words[random.below(words.len())].clone();
        }
        (Some(TokenTree::Literal(_)), _) => {
            let literals: Vec<&TokenTree> =
                strays.iter().filter(|stray| matches!(stray, TokenTree::Literal(_))).collect();
            trees[at] = literals[random.below(literals.len())].clone();
        }
        _ => {}
    }
}

/// How an item came back.
#[derive(Clone, Copy)]
enum Outcome {
    Unparsed,
    Refused,
    Accepted,
}

/// What must hold for any arguments and any item.
fn check(args: &TokenStream, item: &TokenStream) -> Outcome {
    let expansion = core_actor(args.clone(), item);
    let text = expansion.to_string();
    let is_reordered = text.contains("core_actor (") && !text.contains("compile_error");
    // The struct half has one for the case that the other half is different.
    let errors = text.matches("compile_error ! {").count() - text.matches("TPC040: ").count();
    let target = match Target::parse(item.clone(), &Krate::of(args)) {
        Ok(_) if is_reordered => return Outcome::Accepted,
        Ok(target) => target,
        // rustc does not come so far, but an editor may.
        Err(_) => {
            assert!(is_reordered || errors > 0, "no error");
            assert!(is_reordered || text.ends_with(&item.to_string()), "the item is gone");
            return Outcome::Unparsed;
        }
    };
    assert!(text.contains(&target.to_token_stream().to_string()), "the item is gone");
    if errors > 0 {
        return Outcome::Refused;
    }
    assert!(!matches!(target, Target::Other(_)), "no error");
    if text.contains("fn handle (") {
        assert!(text.contains("match request"), "neither an error nor a dispatch");
    }
    Outcome::Accepted
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn changed_actors_come_back() {
    let (rounds, seed) = (number("TPC_FUZZ_ROUNDS", 3_000), number("TPC_FUZZ_SEED", 7));
    let strays = strays();
    let mut outcomes = [0_u64; 3];
    for round in 0..rounds {
        let mut random = Random(seed ^ (round << 20));
        let (args, item) = SOURCES[random.below(SOURCES.len())];
        let (mut args, mut item) = (tokens(args), tokens(item));
        for _ in 0..=random.below(2) {
            if random.below(6) == 0 {
                args = changed(args, &strays, &mut random);
            } else {
                item = changed(item, &strays, &mut random);
            }
        }
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| check(&args, &item))) else {
            panic!("seed {seed}, round {round}: #[core_actor({args})] {item}");
        };
        outcomes[outcome as usize] += 1;
    }
    // A fuzzer that only ever sees one of them looks at little.
    assert!(outcomes.iter().all(|&count| count > rounds / 20), "{outcomes:?} of {rounds}");
}

#[test]
fn unchanged_actors_are_what_they_seem() {
    for (index, (args, item)) in SOURCES.iter().enumerate() {
        let outcome = check(&tokens(&args.replace("serde,", "")), &tokens(item));
        let wrong = index == 2 || index == 4;
        assert_eq!(matches!(outcome, Outcome::Refused), wrong, "{item}");
        assert!(!matches!(outcome, Outcome::Unparsed), "{item}");
    }
}

#[test]
fn actors_that_end_early_come_back() {
    for (args, item) in SOURCES {
        let (args, trees) = (tokens(args), tokens(item).into_iter().collect::<Vec<_>>());
        for end in 0..trees.len() {
            check(&args, &trees[..end].iter().cloned().collect());
        }
        // And each body at each length, the arguments likewise.
        if let Some(TokenTree::Group(body)) = trees.last() {
            let inner: Vec<TokenTree> = body.stream().into_iter().collect();
            for end in 0..inner.len() {
                let body = Group::new(body.delimiter(), inner[..end].iter().cloned().collect());
                let head = trees[..trees.len() - 1].iter().cloned();
                check(&args, &head.chain([TokenTree::Group(body)]).collect());
            }
        }
        let all: Vec<TokenTree> = args.into_iter().collect();
        for end in 0..all.len() {
            check(&all[..end].iter().cloned().collect(), &tokens(item));
        }
    }
}
