//! The runtime crate, as expansions name it: `::tpc_actors`, or what `crate = path` says.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Path, Type};

use crate::parse::args::{Opt, Value};

/// A path to the runtime crate.
#[derive(Clone, Default)]
pub(crate) struct Krate {
    given: Option<Path>,
}

impl Krate {
    /// What the arguments of `#[core_actor(..)]` say; whatever is wrong with them is said elsewhere.
    pub(crate) fn of(args: &TokenStream) -> Self {
        let options = Opt::list(args.clone()).unwrap_or_default();
        Self { given: options.iter().filter(|option| option.name == "crate").find_map(path) }
    }

    /// Whether the user says where the crate is.
    pub(crate) fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// Whether a path of several names goes through the crate: it begins with the crate's own name or
    /// with the given path, or imports have made the last name of that path its first.
    pub(crate) fn leads_to(&self, path: &Path) -> bool {
        let names: Vec<&Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
        let [first, _, ..] = &*names else { return false };
        let Some(given) = &self.given else { return *first == "tpc_actors" };
        let given: Vec<&Ident> = given.segments.iter().map(|segment| &segment.ident).collect();
        *first == "tpc_actors" || names.starts_with(&given) || given.last() == Some(first)
    }

    /// The crate, in messages shown at the place of `span`.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let Some(path) = &self.given else { return quote_spanned!(span=> ::tpc_actors) };
        let tokens = path.to_token_stream().into_iter().map(|mut token| {
            // `$crate` is found by where it comes from, everything else by name.
            let from = token.to_string() == "$crate";
            token.set_span(if from { span.resolved_at(token.span()) } else { span });
            token
        });
        tokens.collect()
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.at(Span::mixed_site()));
    }
}

/// The path that `crate = path` gives.
pub(crate) fn path(option: &Opt) -> Option<Path> {
    match &option.value {
        Value::Type(ty) => match &**ty {
            Type::Path(ty) if ty.qself.is_none() => Some(ty.path.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_through_the_crate() {
        let there = |args: &str, path: &str| {
            let krate = Krate::of(&args.parse().expect("arguments"));
            krate.leads_to(&syn::parse_str(path).expect("a path"))
        };
        for (args, path, expected) in [
            ("", "tpc_actors::init", true),
            ("", "::tpc_actors::prelude::init", true),
            ("", "init", false),
            ("", "other::init", false),
            ("crate = facade::tpc", "facade::tpc::init", true),
            ("crate = facade::tpc", "tpc::init", true),
            ("crate = facade::tpc", "facade::init", false),
            ("crate = facade::tpc", "tpc_actors::init", true),
            ("crate = facade::tpc", "other::init", false),
        ] {
            assert_eq!(there(args, path), expected, "{args} {path}");
        }
    }
}
