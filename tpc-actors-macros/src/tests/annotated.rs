//! `docs/generated-code.md` shows a whole expansion; here it is checked that it is one.
//!
//! `UPDATE_EXPECT=1` writes the blocks of code anew, each with as many items as it had.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{File, Item, Meta};

use super::snapshots::visible;
use crate::core_actor::core_actor;

/// How a block of the expansion begins.
const FENCE: &str = "```rust,ignore\n";

#[test]
fn the_guide_shows_a_whole_expansion() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated-code.md");
    let text = fs::read_to_string(&path).expect("the page");
    let found = items(expansion(&block(&text, "```rust\n").expect("an actor").1));
    let renewed = with_items(&text, &found);
    if env::var_os("UPDATE_EXPECT").is_some_and(|wish| wish == "1") {
        fs::write(&path, &renewed).expect("the page is written");
        return;
    }
    assert!(text == renewed, "the page differs from what is generated; it should be:\n{renewed}");
}

/// The generated items, one text each.
fn items(expansion: TokenStream) -> Vec<String> {
    let file: File = syn::parse2(expansion).expect("an expansion consists of items");
    let text = |item: Item| {
        let mut file: File = syn::parse_quote!();
        file.items.push(item);
        prettyplease::unparse(&file)
    };
    file.items.into_iter().map(text).collect()
}

/// What the attribute makes of both halves, without the user's own items.
fn expansion(source: &str) -> TokenStream {
    let file: File = syn::parse_str(source).expect("the actor");
    let halves = file.items.into_iter().map(|mut item| {
        let attrs = match &mut item {
            Item::Struct(item) => &mut item.attrs,
            Item::Impl(item) => &mut item.attrs,
            _ => panic!("two halves"),
        };
        let at = attrs.iter().position(|attr| attr.path().is_ident("core_actor")).expect("ours");
        let args = match attrs.remove(at).meta {
            Meta::List(list) => list.tokens,
            _ => TokenStream::new(),
        };
        let own = |item: &Item| matches!(item, Item::Struct(item) if item.ident == "Stock")
            || matches!(item, Item::Impl(item) if item.trait_.is_none() && item.self_ty.to_token_stream().to_string() == "Stock");
        let expansion = visible(core_actor(args, &item.to_token_stream()));
        let file: File = syn::parse2(expansion).expect("an expansion consists of items");
        file.items.into_iter().filter(|item| !own(item)).map(Item::into_token_stream).collect()
    });
    halves.collect::<Vec<TokenStream>>().into_iter().collect()
}

/// The place and the text of the first block after `fence`.
fn block(text: &str, fence: &str) -> Option<(usize, String)> {
    let start = text.find(fence)? + fence.len();
    let end = start + text[start..].find("```")?;
    Some((start, text[start..end].to_owned()))
}

/// The page with these items in its blocks.
fn with_items(text: &str, items: &[String]) -> String {
    let (mut rest, mut renewed, mut items) = (text, String::new(), items.iter().peekable());
    while let Some((start, code)) = block(rest, FENCE) {
        let file: File = syn::parse_str(&code).expect("a block consists of items");
        renewed.push_str(&rest[..start]);
        let last = !rest[start..].contains(FENCE);
        let count = if last { usize::MAX } else { file.items.len() };
        let texts: Vec<&str> = items.by_ref().take(count).map(|item| &**item).collect();
        renewed.push_str(&texts.join("\n"));
        rest = &rest[start + code.len()..];
    }
    assert!(items.next().is_none(), "there are items without a block");
    renewed + rest
}
