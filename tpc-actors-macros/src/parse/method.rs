//! Methods of an `impl` block, with our attributes taken out and set aside.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::{Attribute, FnArg, FnModifiers, Path, Signature, Token, Visibility, token};

use super::conditional::{conditional, versions};
use crate::krate::Krate;

/// A function of an `impl` block, without our attributes.
pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) roles: Vec<RoleAttr>,
    pub(crate) sig: Signature,
    pub(crate) params: Vec<Param>,
    /// Whether it has a role under other conditions.
    pub(crate) elsewhere: bool,
    vis: Visibility,
    modifiers: FnModifiers,
    /// Within a group without delimiters where a `macro_rules!` has passed it on.
    body: TokenTree,
}

/// What a method does for the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Handler,
    Init,
    Every,
    Maintenance,
    Checkpoint,
    OnStop,
}

/// An attribute that gives a method its role.
pub(crate) struct RoleAttr {
    pub(crate) role: Role,
    pub(crate) attr: Attribute,
}

/// A parameter together with the attributes that matter.
#[derive(Clone)]
pub(crate) struct Param {
    /// The `#[key]`s that stood on it.
    pub(crate) keys: Vec<Attribute>,
    /// The `#[boxed]`s that stood on it.
    pub(crate) boxed: Vec<Attribute>,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) arg: FnArg,
}

impl Role {
    const ALL: [Self; 6] =
        [Self::Handler, Self::Init, Self::Every, Self::Maintenance, Self::Checkpoint, Self::OnStop];

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Init => "init",
            Self::Every => "every",
            Self::Maintenance => "maintenance",
            Self::Checkpoint => "checkpoint",
            Self::OnStop => "on_stop",
        }
    }

    fn of(path: &Path, krate: &Krate) -> Option<Self> {
        Self::ALL.into_iter().find(|role| is_ours(path, role.name(), krate))
    }
}

impl Method {
    /// Parses a function with a body: once, or once for each way its role may turn out. Nothing is
    /// taken from `input` if there is something else.
    pub(crate) fn parse(input: ParseStream<'_>, krate: &Krate) -> syn::Result<Option<Vec<Self>>> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        if Self::head(&ahead).is_err() || !ahead.peek(token::Brace) {
            return Ok(None);
        }
        let attrs = input.call(Attribute::parse_outer)?;
        let (vis, modifiers, mut sig) = Self::head(input)?;
        let body: TokenTree = input.parse()?;
        let params: Vec<Param> = sig.inputs.iter_mut().map(|arg| Param::take(arg, krate)).collect();
        let is_role = |attr: &Attribute| Role::of(attr.path(), krate).is_some();
        let versions = versions(attrs, &is_role);
        let elsewhere = versions.len() > 1;
        let methods = versions.into_iter().map(|attrs| {
            let (attrs, roles) = split_roles(attrs, krate);
            let (vis, modifiers, sig) = (vis.clone(), modifiers.clone(), sig.clone());
            let (params, body) = (params.clone(), body.clone());
            Self { attrs, roles, sig, params, elsewhere, vis, modifiers, body }
        });
        Ok(Some(methods.collect()))
    }

    fn head(input: ParseStream<'_>) -> syn::Result<(Visibility, FnModifiers, Signature)> {
        let vis = input.parse()?;
        let mut modifiers = FnModifiers::default();
        modifiers.defaultness = input.parse::<Option<Token![default]>>()?;
        Ok((vis, modifiers, input.parse()?))
    }

    /// The attributes that are called `name`.
    pub(crate) fn named(&self, name: &str) -> Vec<Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect()
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, .. } = self;
        let defaultness = &self.modifiers.defaultness;
        // The framework dictates these signatures, so lints about their shape are out of place.
        // They come first: what the user says about a lint has the last word.
        let shape = (!self.roles.is_empty()).then(|| {
            quote_spanned! {Span::mixed_site()=>
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

impl RoleAttr {
    /// The attribute once more, on nothing: whoever imports it by name has used it, and editors find
    /// their way from it. The role's own macro makes nothing of it.
    pub(crate) fn mention(&self, cfgs: &[Attribute]) -> TokenStream {
        let path = self.attr.path();
        quote!(#(#cfgs)* #[#path(__of_core_actor)] const _: () = ();)
    }
}

impl Param {
    /// Copies a parameter after taking our attributes out of the signature.
    fn take(arg: &mut FnArg, krate: &Krate) -> Self {
        let attrs = match arg {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(typed) => &mut typed.attrs,
        };
        let mut take = |name: &str| -> Vec<Attribute> {
            let plain = |attr: &Attribute| is_ours(attr.path(), name, krate);
            let is_it = |attr: &mut Attribute| plain(attr) || conditional(attr, &plain).is_some();
            attrs.extract_if(.., is_it).collect()
        };
        let (keys, boxed) = (take("key"), take("boxed"));
        let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
        Self { keys, boxed, cfgs, arg: arg.clone() }
    }

    /// All of our attributes.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &Attribute> {
        self.keys.iter().chain(&self.boxed)
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
