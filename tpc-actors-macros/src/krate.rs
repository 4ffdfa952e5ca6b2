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

    /// Whether a path begins with the crate's own name or with the given path.
    pub(crate) fn leads_to(&self, path: &Path) -> bool {
        let names: Vec<&Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
        let starts = |prefix: &[&Ident]| names.len() > prefix.len() && names.starts_with(prefix);
        let given = self.given.as_ref().is_some_and(|given| {
            starts(&given.segments.iter().map(|segment| &segment.ident).collect::<Vec<_>>())
        });
        given || (names.len() > 1 && names[0] == "tpc_actors")
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
