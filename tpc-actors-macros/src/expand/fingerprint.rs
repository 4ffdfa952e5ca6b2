//! A number that stays the same as long as the protocol does.
//!
//! It is computed from words, not from spans or spaces, so that it is the same on every machine and
//! with every compiler.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;

use super::emit;
use crate::model::{ActorModel, Handler, Key};

/// The constant, which the struct half lets through if it has the option `serde`.
pub(crate) fn of(model: &ActorModel) -> TokenStream {
    let (krate, request) = (&model.krate, &model.names.request);
    let (declared, used, clause) = model.generics.split();
    let steps = model.handlers.iter().map(steps);
    emit! {
        impl #declared #request #used #clause {
            /// A number that changes with the names, the order and the types of the messages, as they
            /// are written. Two programs in which it differs should not exchange them.
            pub const FINGERPRINT: ::core::primitive::u64 = {
                let print = #krate::private::Fingerprint::new();
                #(#steps)*
                print.value()
            };
        }
    }
}

/// What a handler contributes; conditional parts are steps of their own.
fn steps(handler: &Handler) -> TokenStream {
    let cfgs = &handler.cfgs;
    let text = text(handler);
    let arguments = handler.args().filter(|arg| !arg.cfgs.is_empty()).map(|arg| {
        let (own, text) = (&arg.cfgs, format!("{}: {}", arg.field.unraw(), words(&arg.ty)));
        emit!(#(#cfgs)* #(#own)* let print = print.with(#text);)
    });
    emit!(#(#cfgs)* let print = print.with(#text); #(#arguments)*)
}

/// A handler in one line, as in `ask get(key key: String) -> Option < u8 >`.
fn text(handler: &Handler) -> String {
    let verb = if handler.reply().is_some() { "ask" } else { "tell" };
    let all = if handler.all { " all" } else { "" };
    let boxed = if handler.boxed { " boxed" } else { "" };
    let arguments = handler.args().filter(|arg| arg.cfgs.is_empty()).map(|arg| {
        let key = match &arg.key {
            None => String::new(),
            Some(Key::Whole) => "key ".to_owned(),
            Some(Key::Field(member)) => format!("key({}) ", words(member)),
        };
        format!("{key}{}: {}", arg.field.unraw(), words(&arg.ty))
    });
    let arguments: Vec<String> = arguments.collect();
    let answer = handler.reply().map(|reply| format!(" -> {}", words(&reply.ty)));
    let (name, arguments) = (handler.method.unraw(), arguments.join(", "));
    format!("{verb}{all}{boxed} {name}({arguments}){}", answer.unwrap_or_default())
}

/// Tokens with one space between them, however they were written.
fn words(tokens: &impl ToTokens) -> String {
    fn collect(tokens: TokenStream, words: &mut Vec<String>) {
        for token in tokens {
            let TokenTree::Group(group) = token else {
                words.push(token.to_string());
                continue;
            };
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(", ")"),
                Delimiter::Bracket => ("[", "]"),
                Delimiter::Brace => ("{", "}"),
                Delimiter::None => ("", ""),
            };
            words.push(open.to_owned());
            collect(group.stream(), words);
            words.push(close.to_owned());
        }
    }
    let mut words = Vec::new();
    collect(tokens.to_token_stream(), &mut words);
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_do_not_matter() {
        for text in ["Vec<Option<(u8,[u8;4])>>", "Vec < Option <(u8 , [ u8 ; 4 ]) > >"] {
            let ty: syn::Type = syn::parse_str(text).unwrap();
            assert_eq!(words(&ty), "Vec < Option < ( u8 , [ u8 ; 4 ] ) > >");
        }
    }
}
