//! Writes a model down. Nothing here can fail, and nothing is decided besides what to repeat.
//!
//! Our tokens resolve at the mixed site: our locals cannot meet the user's, and lints see generated
//! code. All paths are absolute, because preludes can be shadowed or absent: they begin in `::core`
//! or where the runtime crate is.

mod batch;
mod calls;
mod client;
mod dispatch;
mod fingerprint;
mod hooks;
mod messages;
mod pinned;
pub(crate) mod settings;

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Path, Type};

use crate::duration::Nanos;
use crate::krate::Krate;
use crate::model::{ActorModel, Answer, Arg, Handler, Reply};
use crate::names::generated;

/// `quote!` for tokens that are the macro's own.
macro_rules! emit {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}
pub(crate) use emit;

/// A path within the runtime crate that messages show at the place of `at`.
fn krate_at(krate: &Krate, at: &impl ToTokens, within: &[&str]) -> TokenStream {
    let (first, last) = ends(at);
    let segments = within.iter().enumerate().map(|(index, name)| {
        Ident::new(name, if index + 1 == within.len() { last } else { first })
    });
    let krate = krate.at(first);
    quote_spanned!(first=> #krate #(::#segments)*)
}

/// The places where `at` begins and ends; rustc points from the first token to the last one.
fn ends(at: &impl ToTokens) -> (Span, Span) {
    let mut spans = at.to_token_stream().into_iter().map(|token| generated(token.span()));
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    (first, spans.last().unwrap_or(first))
}

/// Everything that follows the user's `impl` block, as one call of the macro that the struct half
/// left.
///
/// If the struct half is missing, so is its macro, and that is the only message.
pub(crate) fn actor(model: &ActorModel) -> Protocol {
    let impls = [
        messages::impls(model),
        dispatch::impls(model),
        client::impls(model),
        pinned::impls(model),
    ];
    Protocol {
        visibility: model.names.visibility_path(&model.actor),
        runtime: settings::runtime(&model.krate),
        enums: messages::types(model),
        handles: [client::types(model), pinned::types(model)],
        fingerprint: fingerprint::of(model),
        impls: impls.into_iter().collect(),
    }
}

/// What the impl half generates.
pub(crate) struct Protocol {
    visibility: Path,
    runtime: TokenStream,
    enums: [Visible; 2],
    handles: [Visible; 2],
    fingerprint: TokenStream,
    impls: TokenStream,
}

impl Protocol {
    /// The same as if nothing depended on the struct half.
    pub(crate) fn plain(&self) -> TokenStream {
        let items = self
            .enums
            .iter()
            .chain(&self.handles)
            .map(|Visible { attributes, item }| emit!(#attributes #item));
        let impls = &self.impls;
        emit!(#(#items)* #impls)
    }
}

impl ToTokens for Protocol {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { visibility, runtime, enums, handles, fingerprint, impls } = self;
        tokens.extend(emit! {
            #visibility! {
                #runtime
                [#(#enums)*]
                [#(#handles)*]
                { #fingerprint }
                #impls
            }
        });
    }
}

/// An item that will be as visible as the actor's struct.
struct Visible {
    attributes: TokenStream,
    item: TokenStream,
}

impl Visible {
    fn new(model: &ActorModel, doc: &str, item: TokenStream) -> Self {
        let lints = lints(model);
        let doc = documented(doc);
        Self { attributes: emit!(#doc #lints), item }
    }
}

impl ToTokens for Visible {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, item } = self;
        tokens.extend(emit!([#attributes] { #item }));
    }
}

/// What generated items need not answer for: the user did not write them and cannot change them, and links in comments on
/// methods lead to what can be seen from there.
fn lints(model: &ActorModel) -> TokenStream {
    let deprecated = deprecated(model);
    emit! {
        #[allow(
            dead_code,
            missing_copy_implementations,
            rustdoc::all,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
        #deprecated
    }
}

/// Generated code may call what users are advised not to call.
fn deprecated(model: &ActorModel) -> Option<TokenStream> {
    model.deprecated.then(|| emit!(#[allow(deprecated)]))
}

/// A link to the actor that works beside the `impl` block.
fn link(actor: &Path) -> String {
    let segments: Vec<String> = actor.segments.iter().map(|part| part.ident.to_string()).collect();
    match &*segments {
        [only] => format!("[`{only}`]"),
        [.., last] => format!("[`{last}`]({})", segments.join("::")),
        [] => String::new(),
    }
}

/// A documentation comment, as people write it.
fn documented(text: &str) -> TokenStream {
    let text = format!(" {text}");
    emit!(#[doc = #text])
}

/// The documentation of a handler's method: the user's words, or `otherwise`.
fn docs(handler: &Handler, otherwise: &str) -> TokenStream {
    let Handler { docs, deprecated, .. } = handler;
    if docs.is_empty() {
        let doc = documented(otherwise);
        emit!(#doc #deprecated)
    } else {
        emit!(#(#docs)* #deprecated)
    }
}

/// The pattern that takes a request apart into fields by their names.
fn pattern(model: &ActorModel, handler: &Handler) -> TokenStream {
    let (request, variant) = (&model.names.request, &handler.variant);
    if handler.boxed {
        return emit!(#request::#variant { arguments });
    }
    let fields: Vec<_> = handler.args().map(conditional_field).collect();
    if fields.is_empty() {
        return emit!(#request::#variant);
    }
    emit!(#request::#variant { #(#fields),* })
}

/// The expression that builds a request out of what `value` makes of each argument.
fn request(model: &ActorModel, handler: &Handler, value: fn(&Ident) -> TokenStream) -> TokenStream {
    let (krate, request, variant) = (&model.krate, &model.names.request, &handler.variant);
    if handler.boxed {
        let values = handler.args().map(|arg| value(&arg.field));
        return emit!(#request::#variant { arguments: #krate::private::Box::new((#(#values),*)) });
    }
    let fields: Vec<_> = handler
        .args()
        .map(|arg| {
            let Arg { cfgs, field, .. } = arg;
            let value = value(field);
            if arg.boxed {
                emit!(#(#cfgs)* #field: #krate::private::Box::new(#value))
            } else if *field == value.to_string() {
                emit!(#(#cfgs)* #field)
            } else {
                emit!(#(#cfgs)* #field: #value)
            }
        })
        .collect();
    if fields.is_empty() {
        return emit!(#request::#variant);
    }
    emit!(#request::#variant { #(#fields),* })
}

/// An argument as it is.
fn moved(field: &Ident) -> TokenStream {
    emit!(#field)
}

/// A field by its name, under its conditions.
fn conditional_field(arg: &Arg) -> TokenStream {
    let Arg { cfgs, field, .. } = arg;
    emit!(#(#cfgs)* #field)
}

/// The parameters that a caller fills in.
fn parameters(handler: &Handler) -> TokenStream {
    let parameters = handler.args().map(|arg| {
        let Arg { cfgs, field, ty, .. } = arg;
        emit!(#(#cfgs)* #field: #ty)
    });
    emit!(#(, #parameters)*)
}

/// The type arguments of an answer: the value, and the error if there can be one.
fn outcome(krate: &Krate, reply: &Reply) -> TokenStream {
    let ty = &reply.ty;
    if !reply.fallible {
        return emit!(#ty);
    }
    let (value, error) = (fallible(krate, ty, "Value"), fallible(krate, ty, "Error"));
    emit!(#value, #error)
}

/// A type of the answer's `Fallible` impl. If there is none, the answer's type is to blame.
fn fallible(krate: &Krate, ty: &Type, item: &str) -> TokenStream {
    let (first, last) = ends(ty);
    let item = Ident::new(item, last);
    let krate = krate.at(first);
    quote_spanned!(first=> <#ty as #krate::private::Fallible>::#item)
}

/// The function that takes an answer out of the response enum.
fn decode(model: &ActorModel, handler: &Handler, reply: &Reply) -> TokenStream {
    let (response, variant) = (&model.names.response, &handler.variant);
    let answer = if reply.fallible {
        let into_result = krate_at(&model.krate, &reply.ty, &["private", "into_result"]);
        let mut argument = Group::new(Delimiter::Parenthesis, emit!(answer));
        argument.set_span(ends(&reply.ty).1);
        emit!(#into_result #argument)
    } else {
        emit!(::core::result::Result::Ok(answer))
    };
    emit! {
        |response| match response {
            #response::#variant(answer) => ::core::option::Option::Some(#answer),
            _ => ::core::option::Option::None,
        }
    }
}

/// Whether a handler has an answer, in a word for its documentation.
fn verb(handler: &Handler) -> &'static str {
    match handler.answer {
        Answer::Never => "Tells",
        Answer::Now(_) | Answer::Later(_) => "Asks",
    }
}

/// A duration as a constant expression.
fn duration(nanos: Nanos) -> TokenStream {
    let nanos = grouped(nanos.0, "u64");
    emit!(::core::time::Duration::from_nanos(#nanos))
}

/// A number with its digits in groups of three, because people read expansions too.
fn grouped(number: u64, suffix: &str) -> TokenStream {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let boundary = index > 0 && (digits.len() - index).is_multiple_of(3);
        if boundary && digits.len() > 4 {
            text.push('_');
        }
        text.push(digit);
    }
    text.push_str(suffix);
    let mut literal: Literal = text.parse().expect("digits, underscores and a suffix");
    literal.set_span(Span::mixed_site());
    emit!(#literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [
            (0, "0u64"),
            (999, "999u64"),
            (1024, "1024u64"),
            (16_384, "16_384u64"),
            (1_234_567, "1_234_567u64"),
            (u64::MAX, "18_446_744_073_709_551_615u64"),
        ] {
            assert_eq!(grouped(number, "u64").to_string(), expected);
        }
    }

    #[test]
    fn links_reach_into_modules() {
        let to = |path| link(&syn::parse_str(path).unwrap());
        assert_eq!(to("Kv"), "[`Kv`]");
        assert_eq!(to("crate::store::Kv"), "[`Kv`](crate::store::Kv)");
    }
}
