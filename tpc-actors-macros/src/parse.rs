//! Grammar: from tokens to an item with our attributes taken out and set aside.
//!
//! Method bodies stay tokens. Whatever is wrong inside of them is rustc's to report, at the right
//! place.

pub(crate) mod args;
mod conditional;
mod method;

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, ImplItem, Item, ItemImpl, ItemStruct};

use crate::generics::live_forever;
use crate::krate::Krate;

pub(crate) use method::{Method, Param, Role, RoleAttr};

/// What `#[core_actor]` was put on.
pub(crate) enum Target {
    Struct(ItemStruct),
    Impl(ActorImpl),
    /// Anything else, which is a mistake.
    Other(Item),
}

/// An `impl` block; `header` has no items of its own.
pub(crate) struct ActorImpl {
    pub(crate) header: ItemImpl,
    pub(crate) members: Vec<Member>,
}

/// An item of an `impl` block.
pub(crate) enum Member {
    Method(Box<Method>),
    Other(Box<ImplItem>),
}

impl Member {
    fn method(method: Method) -> Self {
        Self::Method(Box::new(method))
    }
}

impl Target {
    /// Tells the kinds of items apart.
    pub(crate) fn parse(item: TokenStream, krate: &Krate) -> syn::Result<Self> {
        if is_impl(&item) {
            return ActorImpl::parse(item, krate).map(Self::Impl);
        }
        Ok(match syn::parse2(item)? {
            Item::Struct(item) => Self::Struct(item),
            other => Self::Other(other),
        })
    }
}

impl ToTokens for Target {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Struct(item) => item.to_tokens(tokens),
            Self::Impl(item) => item.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
        }
    }
}

impl ActorImpl {
    /// Parses the header with an empty body, then the body member by member.
    fn parse(item: TokenStream, krate: &Krate) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = item.into_iter().collect();
        let mut body = TokenStream::new();
        if let Some(TokenTree::Group(group)) = tokens.last_mut() {
            body = group.stream();
            let mut empty = Group::new(group.delimiter(), TokenStream::new());
            empty.set_span(group.span());
            *group = empty;
        }
        let mut header: ItemImpl = syn::parse2(tokens.into_iter().collect())?;
        live_forever(&mut header.generics);
        let members = |input: ParseStream<'_>| {
            header.attrs.extend(input.call(Attribute::parse_inner)?);
            let mut members = Vec::new();
            while !input.is_empty() {
                match Method::parse(input, krate)? {
                    Some(methods) => members.extend(methods.into_iter().map(Member::method)),
                    None => members.push(Member::Other(input.parse()?)),
                }
            }
            Ok(members)
        };
        let members = members.parse2(body)?;
        Ok(Self { header, members })
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(_) => None,
        })
    }

    /// A mention of each role attribute that the user has written.
    pub(crate) fn mentions(&self) -> TokenStream {
        let mut seen = BTreeSet::new();
        let mentions = self.methods().flat_map(|method| {
            let cfgs = method.named("cfg");
            method.roles.iter().map(move |role| role.mention(&cfgs))
        });
        mentions.filter(|mention| seen.insert(mention.to_string())).collect()
    }
}

impl ToTokens for ActorImpl {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut item = self.header.clone();
        let verbatim = self.members.iter().map(|member| match member {
            Member::Method(method) => ImplItem::Verbatim(method.to_token_stream()),
            Member::Other(item) => (**item).clone(),
        });
        item.items.extend(verbatim);
        item.to_tokens(tokens);
    }
}

fn is_brace(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Looks for `impl` before the first brace, past attributes and modifiers.
fn is_impl(item: &TokenStream) -> bool {
    (item.clone().into_iter())
        .take_while(|token| !is_brace(token))
        .find_map(|token| match token {
            TokenTree::Ident(ident) if ident == "unsafe" || ident == "default" => None,
            TokenTree::Ident(ident) => Some(ident == "impl"),
            _ => None,
        })
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(item: &str) -> syn::Result<Target> {
        Target::parse(item.parse().expect("tokens"), &Krate::default())
    }

    fn members(body: &str) -> Vec<Member> {
        match target(&format!("impl Kv {{ {body} }}")).unwrap() {
            Target::Impl(item) => item.members,
            _ => panic!("an impl"),
        }
    }

    #[test]
    fn kinds_of_items() {
        assert!(matches!(target("#[a] struct A;"), Ok(Target::Struct(_))));
        assert!(matches!(target("#[a] unsafe impl A {}"), Ok(Target::Impl(_))));
        assert!(matches!(target("fn f() -> impl A {}"), Ok(Target::Other(_))));
        assert!(target("impl A").is_err());
        assert!(target("struct").is_err());
    }

    #[test]
    fn bodies_are_not_looked_into() {
        let members = members("#[handler] fn odd(&self) { this is @ no : rust }");
        let [Member::Method(method)] = &*members else { panic!("one method") };
        assert!(method.to_token_stream().to_string().contains("this is @ no : rust"));
    }

    #[test]
    fn attributes_are_ours_by_name_or_through_the_crate() {
        let members = members(
            "#[handler] #[inline] fn a(&self, #[key] #[cfg(x)] k: u8) {}
             #[tpc_actors::on_stop] fn b(&self) {}
             #[other::handler] fn c(&self) {}
             const D: u8 = { 1 };
             e! {}",
        );
        let roles = |member: &Member| match member {
            Member::Method(method) => method.roles.len(),
            Member::Other(_) => 9,
        };
        assert_eq!(members.iter().map(roles).collect::<Vec<_>>(), [1, 1, 0, 9, 9]);
        let Member::Method(a) = &members[0] else { panic!("a method") };
        assert_eq!(a.params[1].keys.len(), 1);
        let text = a.to_token_stream().to_string();
        assert!(text.contains("# [inline]") && text.contains("# [cfg (x)] k"), "{text}");
        assert!(!text.contains("handler") && !text.contains("key"), "{text}");
    }

    #[test]
    fn inner_attributes_stay_inside() {
        let item = target("impl A { #![allow(x)] fn f() {} }").unwrap();
        assert_eq!(item.to_token_stream().to_string(), "impl A { # ! [allow (x)] fn f () { } }");
    }
}
