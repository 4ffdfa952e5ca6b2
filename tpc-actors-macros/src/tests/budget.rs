//! What one more handler costs, counted.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Arm, Expr, ImplItem, Item, Stmt};

use super::expand;
use super::snapshots::visible;

/// What is generated for an actor, counted.
#[derive(Debug, Default, PartialEq)]
struct Count {
    items: usize,
    request_variants: usize,
    response_variants: usize,
    arms_of_handle: usize,
    client_methods: usize,
    pinned_methods: usize,
}

fn actor(handlers: &[&str]) -> String {
    format!("impl A {{ #[init] fn new() -> Self {{ Self }} {} }}", handlers.concat())
}

fn count(handlers: &[&str]) -> Count {
    let file: syn::File = syn::parse2(visible(expand("", &actor(handlers)))).expect("items");
    let mut count = Count { items: file.items.len(), ..Count::default() };
    for item in &file.items {
        match item {
            Item::Enum(item) if item.ident == "ARequest" => {
                count.request_variants = item.variants.len();
            }
            Item::Enum(item) if item.ident == "AResponse" => {
                count.response_variants = item.variants.len();
            }
            Item::Impl(item) => {
                let methods = item.items.iter().filter(|item| matches!(item, ImplItem::Fn(_)));
                let of = quote::quote!(#item).to_string();
                if of.contains("impl AClient {") {
                    count.client_methods = methods.count();
                } else if of.contains("impl APinned {") {
                    count.pinned_methods = methods.count();
                } else {
                    count.arms_of_handle += arms(&item.items);
                }
            }
            _ => {}
        }
    }
    count
}

/// Arms of the one `match` of `handle`.
fn arms(items: &[ImplItem]) -> usize {
    let handle = items.iter().find_map(|item| match item {
        ImplItem::Fn(item) if item.sig.ident == "handle" => Some(item),
        _ => None,
    });
    let statements: &[Stmt] = handle.map(|handle| &*handle.block.stmts).unwrap_or_default();
    match statements {
        [Stmt::Expr(Expr::Match(found), _)] => found.arms.iter().map(|_: &Arm| 1).sum(),
        [] => 0,
        _ => panic!("`handle` is one `match`"),
    }
}

fn tokens(stream: TokenStream) -> usize {
    let size = |token| match token {
        TokenTree::Group(group) => 2 + tokens(group.stream()),
        _ => 1,
    };
    stream.into_iter().map(size).sum()
}

const ASK: &str = "#[handler] fn ask(&self, a: u8) -> u8 { a }";
const FALLIBLE: &str = "#[handler] fn fallible(&self, a: u8) -> Result<u8, u8> { Ok(a) }";
const TELL: &str = "#[handler(tell)] fn tell(&self, a: u8) {}";
const FIRST_TELL: &str = "#[handler(tell)] fn first(&self, a: u8) {}";
const LATER: &str = "#[handler] fn later(&self, a: u8, reply: Reply<u8>) {}";
const BATCH: &str = "#[handler(batch = 8)] fn batch(&self, b: Batch<u8, Reply<u8>>) {}";
const ALL: &str = "#[handler(all)] fn all(&self, a: u8) -> u8 { a }";

#[test]
fn a_handler_is_one_of_each() {
    let base = count(&[ASK]);
    // A batch has its size checked by an item of its own.
    for (handler, answers, checks) in
        [(FALLIBLE, 1, 0), (TELL, 0, 0), (LATER, 1, 0), (ALL, 1, 0), (BATCH, 1, 1)]
    {
        let with = count(&[ASK, handler]);
        let expected = Count {
            items: base.items + checks,
            request_variants: base.request_variants + 1,
            response_variants: base.response_variants + answers,
            arms_of_handle: base.arms_of_handle + 1,
            client_methods: base.client_methods + 1,
            pinned_methods: base.pinned_methods + 1,
        };
        assert_eq!(with, expected, "{handler}");
    }
    assert_eq!((base.request_variants, base.response_variants, base.arms_of_handle), (1, 1, 1));
}

#[test]
fn a_handler_costs_a_few_hundred_tokens() {
    let size = |handlers: &[&str]| tokens(expand("", &actor(handlers)));
    let within = |cost: usize, budget: usize, handler: &str| {
        assert!(cost <= budget, "{cost} tokens instead of {budget} for {handler}");
        assert!(cost > budget / 2, "{cost} tokens; the budget of {budget} for {handler} is idle");
    };
    // It brings a method that all tells share.
    within(size(&[ASK, FIRST_TELL]) - size(&[ASK]), 440, FIRST_TELL);
    let base = size(&[ASK, FIRST_TELL]);
    for (handler, budget) in [(FALLIBLE, 660), (TELL, 360), (LATER, 560), (ALL, 560), (BATCH, 700)]
    {
        within(size(&[ASK, FIRST_TELL, handler]) - base, budget, handler);
    }
}
