//! Tests of the whole pipeline: what comes out for which input.

mod annotated;
mod budget;
mod documented;
mod fuzz;
mod rules;
mod snapshots;
mod spans;

use proc_macro2::{TokenStream, TokenTree};

use crate::core_actor::core_actor;

/// Expands Rust source, with the arguments of the attribute.
fn expand(args: &str, item: &str) -> TokenStream {
    core_actor(args.parse().expect("arguments"), &item.parse().expect("an item"))
}

/// All identifiers and keywords of a stream, groups included.
fn words(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// The messages of the `compile_error!`s at the beginning of an expansion.
fn messages(tokens: &TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(tokens.clone()).expect("an expansion consists of items");
    file.items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
                Some(item.mac.parse_body::<syn::LitStr>().expect("a message").value())
            }
            _ => None,
        })
        .collect()
}
