//! The pipeline: parse, validate, expand.
//!
//! Whatever happens, the user's item comes out again, without our attributes; a mistake in one
//! handler must not make the whole actor unknown to the rest of the program.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::Attribute;
use syn::parse::{ParseStream, Parser as _};

use crate::codes::Code;
use crate::diag::Errors;
use crate::dump;
use crate::expand;
use crate::krate::Krate;
use crate::parse::Target;
use crate::validate;

/// Expands `#[core_actor(args)] item`.
pub(crate) fn core_actor(args: TokenStream, item: &TokenStream) -> TokenStream {
    let krate = Krate::of(&args);
    if let Some(reordered) = conditions_first(&args, item, &krate) {
        return reordered;
    }
    let target = match Target::parse(item.clone(), &krate) {
        Ok(target) => target,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#error #item);
        }
    };
    let mut errors = Errors::new();
    let generated = match &target {
        Target::Struct(item) => {
            let model = validate::settings(item, args, krate, &mut errors);
            let expansion = expand::settings::expand(&model);
            dump::half(&model.ident, "struct", || expansion.clone());
            Some(expansion)
        }
        Target::Impl(item) => {
            let model = validate::actor(item, args, krate, &mut errors);
            model.map(|model| {
                let expansion = expand::actor(&model);
                dump::half(&model.ident, "`impl` block", || expansion.plain());
                expansion.to_token_stream()
            })
        }
        Target::Other(item) => {
            let model = validate::other(item, krate, &mut errors);
            model.as_ref().map(expand::settings::expand)
        }
    };
    let mentions = match &target {
        Target::Impl(item) => item.mentions(),
        Target::Struct(_) | Target::Other(_) => TokenStream::new(),
    };
    let errors = errors.finish();
    quote!(#errors #target #mentions #generated)
}

/// The argument of a role attribute that `#[core_actor]` has only mentioned.
const CONSUMED: &str = "__of_core_actor";

/// TPC001: what a role attribute expands to when no `#[core_actor]` has consumed it.
pub(crate) fn stray_role(name: &str, args: &TokenStream, item: &TokenStream) -> TokenStream {
    if args.to_string() == CONSUMED {
        return TokenStream::new();
    }
    let mut errors = Errors::new();
    let text = format!(
        "`#[{name}]` means something only inside of an actor; put `#[core_actor]` on the `impl` block, \
         which is one for all roles of an actor, and write `#[{name}]` under this name"
    );
    errors.push(Code::StrayRole, Ident::new(name, Span::call_site()), text);
    let errors = errors.finish();
    quote!(#errors #item)
}

/// Lets rustc decide about `#[cfg]` before anything is generated.
///
/// A `#[cfg]` below `#[core_actor]` has not been looked at yet. Moving it above saves us from
/// copying it to every generated item.
fn conditions_first(args: &TokenStream, item: &TokenStream, krate: &Krate) -> Option<TokenStream> {
    let split = |input: ParseStream<'_>| {
        Ok((input.call(Attribute::parse_outer)?, input.parse::<TokenStream>()?))
    };
    let (attrs, rest) = split.parse2(item.clone()).ok()?;
    let (conditions, others): (Vec<_>, Vec<_>) = attrs
        .into_iter()
        .partition(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"));
    if conditions.is_empty() {
        return None;
    }
    Some(quote!(#(#conditions)* #[#krate::core_actor(#args)] #(#others)* #rest))
}
