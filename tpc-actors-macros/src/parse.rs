//! Grammar: from tokens to an item with our attributes taken out and set aside.
//!
//! Method bodies stay tokens. Whatever is wrong inside of them is rustc's to report, at the right
//! place.

pub(crate) mod args;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{
    Attribute, FnArg, FnModifiers, ImplItem, Item, ItemImpl, ItemStruct, Path, Signature, Token,
    Visibility, token,
};

use crate::generics::live_forever;
use crate::krate::Krate;

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

/// A function of an `impl` block, without our attributes.
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) roles: Vec<RoleAttr>,
    pub(crate) sig: Signature,
    pub(crate) params: Vec<Param>,
    vis: Visibility,
    modifiers: FnModifiers,
    body: Group,
}

/// What a method does for the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Handler,
    Init,
    Every,
    OnStop,
}

/// An attribute that gives a method its role.
pub(crate) struct RoleAttr {
    pub(crate) role: Role,
    pub(crate) attr: Attribute,
}

/// A parameter together with the `#[key]`s that stood on it.
pub(crate) struct Param {
    pub(crate) keys: Vec<Attribute>,
    pub(crate) arg: FnArg,
}

impl Role {
    const ALL: [Self; 4] = [Self::Handler, Self::Init, Self::Every, Self::OnStop];

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Init => "init",
            Self::Every => "every",
            Self::OnStop => "on_stop",
        }
    }

    fn of(path: &Path, krate: &Krate) -> Option<Self> {
        Self::ALL.into_iter().find(|role| is_ours(path, role.name(), krate))
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
                members.push(Member::parse(input, krate)?);
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

impl Member {
    fn parse(input: ParseStream<'_>, krate: &Krate) -> syn::Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        if Method::head(&ahead).is_err() || !ahead.peek(token::Brace) {
            return input.parse().map(|item| Self::Other(Box::new(item)));
        }
        let (attrs, roles) = split_roles(input.call(Attribute::parse_outer)?, krate);
        let (vis, modifiers, mut sig) = Method::head(input)?;
        let body = input.parse()?;
        let params = sig.inputs.iter_mut().map(|arg| Param::take(arg, krate)).collect();
        Ok(Self::Method(Box::new(Method { attrs, roles, sig, params, vis, modifiers, body })))
    }
}

impl Method {
    fn head(input: ParseStream<'_>) -> syn::Result<(Visibility, FnModifiers, Signature)> {
        let vis = input.parse()?;
        let mut modifiers = FnModifiers::default();
        modifiers.defaultness = input.parse::<Option<Token![default]>>()?;
        Ok((vis, modifiers, input.parse()?))
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, .. } = self;
        let defaultness = &self.modifiers.defaultness;
        // The framework dictates these signatures, so lints about their shape are out of place.
        // They come first: what the user says about a lint has the last word.
        let shape = (!self.roles.is_empty()).then(|| {
            let site = proc_macro2::Span::mixed_site();
            quote::quote_spanned! {site=>
                #[allow(
                    clippy::large_types_passed_by_value,
                    clippy::missing_const_for_fn,
                    clippy::needless_pass_by_ref_mut,
                    clippy::needless_pass_by_value,
                    clippy::trivially_copy_pass_by_ref,
                    clippy::unnecessary_wraps,
                    clippy::unused_self
                )]
            }
        });
        tokens.extend(quote!(#shape #(#attrs)* #vis #defaultness #sig #body));
    }
}

impl Param {
    /// Copies a parameter after taking its `#[key]`s out of the signature.
    fn take(arg: &mut FnArg, krate: &Krate) -> Self {
        let attrs = match arg {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(typed) => &mut typed.attrs,
        };
        let (keys, others) = attrs.drain(..).partition(|attr| is_ours(attr.path(), "key", krate));
        *attrs = others;
        Self { keys, arg: arg.clone() }
    }
}

/// Removes the role attributes from a list.
fn split_roles(all: Vec<Attribute>, krate: &Krate) -> (Vec<Attribute>, Vec<RoleAttr>) {
    let (mut attrs, mut roles) = (Vec::new(), Vec::new());
    for attr in all {
        match Role::of(attr.path(), krate) {
            Some(role) => roles.push(RoleAttr { role, attr }),
            None => attrs.push(attr),
        }
    }
    (attrs, roles)
}

/// Whether a path names one of our attributes, directly or through the runtime crate.
fn is_ours(path: &Path, name: &str, krate: &Krate) -> bool {
    let last = path.segments.last().is_some_and(|segment| segment.ident == name);
    last && (path.segments.len() == 1 || krate.leads_to(path))
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
