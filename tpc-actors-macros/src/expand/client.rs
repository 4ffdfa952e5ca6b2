//! The client: a method per handler, from anywhere.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::{
    Visible, decode, docs, duration, emit, link, lints, moved, outcome, parameters, request, verb,
};
use crate::model::{ActorModel, Arg, Handler, Key, Reply};
use crate::names::{self, generated};

/// The client's type.
pub(crate) fn types(model: &ActorModel) -> Visible {
    let (name, inner) = (&model.names.client, inner(model));
    let doc = format!(
        "Client of {}: `Send`, cheap to clone, works from Tokio and from plain threads.",
        link(&model.actor)
    );
    let (declared, _, clause) = model.generics.split();
    Visible::new(model, &doc, emit!(struct #name #declared #clause { inner: #inner }))
}

/// The client's traits and methods.
pub(crate) fn impls(model: &ActorModel) -> TokenStream {
    let name = &model.names.client;
    let traits = wrapper(model, name, &inner(model));
    let (declared, used, clause) = model.generics.split();
    let lints = lints(model);
    let methods = model.handlers.iter().map(|handler| method(model, handler));
    let shard_of = shard_of(model);
    let (krate, actor) = (&model.krate, &model.actor);
    emit! {
        #traits

        #[automatically_derived]
        impl #declared #krate::client::ActorClient for #name #used #clause {
            type Actor = #actor;

            #[inline]
            fn untyped(&self) -> &#krate::client::Client<#actor> {
                &self.inner
            }
        }

        #lints
        impl #declared #name #used #clause {
            #(#methods)*

            /// A client with its own lane: strictly first in, first out over all of its clones.
            #[must_use]
            #[inline]
            pub fn ordered(&self) -> Self {
                Self { inner: self.inner.ordered() }
            }

            /// Number of shards; 1 for an actor that was spawned alone.
            #[must_use]
            #[inline]
            pub fn shards(&self) -> ::core::primitive::usize {
                self.inner.shards()
            }

            #shard_of
        }
    }
}

fn inner(model: &ActorModel) -> TokenStream {
    let (krate, actor) = (&model.krate, &model.actor);
    emit!(#krate::client::Client<#actor>)
}

/// `Clone`, `Debug` and `From` of a struct that only holds `inner`.
pub(super) fn wrapper(model: &ActorModel, name: &Ident, inner: &TokenStream) -> TokenStream {
    let (declared, used, clause) = model.generics.split();
    emit! {
        #[automatically_derived]
        impl #declared ::core::clone::Clone for #name #used #clause {
            #[inline]
            fn clone(&self) -> Self {
                Self { inner: ::core::clone::Clone::clone(&self.inner) }
            }
        }

        #[automatically_derived]
        impl #declared ::core::fmt::Debug for #name #used #clause {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.inner, f)
            }
        }

        #[automatically_derived]
        impl #declared ::core::convert::From<#inner> for #name #used #clause {
            #[inline]
            fn from(inner: #inner) -> Self {
                Self { inner }
            }
        }
    }
}

fn shard_of(model: &ActorModel) -> Option<TokenStream> {
    let key = model.key.as_ref()?;
    Some(emit! {
        /// The shard that owns `key`.
        #[must_use]
        #[inline]
        pub fn shard_of(&self, key: &#key) -> ::core::primitive::usize {
            self.inner.shard_of(key)
        }
    })
}

fn method(model: &ActorModel, handler: &Handler) -> TokenStream {
    let cfgs = &handler.cfgs;
    let name = names::method(&handler.method);
    let whom = if handler.all { "every shard" } else { "the actor" };
    let docs = docs(handler, &format!("{} {whom} to run `{}`.", verb(handler), name.unraw()));
    let parameters = parameters(handler);
    let (output, body) = match (handler.all, handler.reply()) {
        (false, Some(reply)) => ask(model, handler, reply),
        (false, None) => tell(model, handler),
        (true, Some(reply)) => ask_all(model, handler, reply),
        (true, None) => tell_all(model, handler),
    };
    emit! {
        #(#cfgs)*
        #docs
        #[inline]
        pub fn #name(&self #parameters) -> #output { #body }
    }
}

/// The shard of a request: the key's, or the only one.
fn shard(model: &ActorModel, handler: &Handler) -> (Option<TokenStream>, TokenStream) {
    // After a mistake, the key may be of another type than the actor's, which has been said.
    match handler.key().filter(|_| model.complete) {
        None => (None, emit!(0usize)),
        Some((arg, key)) => {
            let key = borrowed(arg, key);
            (Some(emit!(let shard = self.inner.shard_of(#key);)), emit!(shard))
        }
    }
}

/// What the shard is chosen by.
fn borrowed(arg: &Arg, key: &Key) -> TokenStream {
    let mut field = arg.field.clone();
    match key {
        Key::Whole => emit!(&#field),
        Key::Field(member) => {
            // Only rustc knows the field's type. What it says is about the field that the user has written.
            let at = member.span();
            field.set_span(field.span().located_at(at));
            quote_spanned!(generated(at)=> &#field.#member)
        }
    }
}

fn ask(model: &ActorModel, handler: &Handler, reply: &Reply) -> (TokenStream, TokenStream) {
    let (krate, actor) = (&model.krate, &model.actor);
    let (request, decode, outcome) = (
        request(model, handler, moved),
        decode(model, handler, reply),
        outcome(&model.krate, reply),
    );
    let (route, shard) = shard(model, handler);
    let deadline = deadline(handler);
    (
        emit!(#krate::client::Ask<'_, #actor, #outcome>),
        emit!(#route self.inner.ask(#shard, #request, #decode) #deadline),
    )
}

/// What the handler says about its callers' patience, before they say something else.
fn deadline(handler: &Handler) -> Option<TokenStream> {
    let limit = duration(handler.deadline?);
    Some(emit!(.deadline(#limit)))
}

fn tell(model: &ActorModel, handler: &Handler) -> (TokenStream, TokenStream) {
    let (krate, actor) = (&model.krate, &model.actor);
    let request = request(model, handler, moved);
    let (route, shard) = shard(model, handler);
    (emit!(#krate::client::Tell<'_, #actor>), emit!(#route self.inner.tell(#shard, #request)))
}

fn ask_all(model: &ActorModel, handler: &Handler, reply: &Reply) -> (TokenStream, TokenStream) {
    let (krate, actor) = (&model.krate, &model.actor);
    let (request, decode, outcome) = (
        request(model, handler, cloned),
        decode(model, handler, reply),
        outcome(&model.krate, reply),
    );
    let deadline = deadline(handler);
    (
        emit!(#krate::client::AskAll<'_, #actor, #outcome>),
        emit!(self.inner.ask_all(|| #request, #decode) #deadline),
    )
}

fn tell_all(model: &ActorModel, handler: &Handler) -> (TokenStream, TokenStream) {
    let (krate, actor) = (&model.krate, &model.actor);
    let request = request(model, handler, cloned);
    (emit!(#krate::client::TellAll<'_, #actor>), emit!(self.inner.tell_all(|| #request)))
}

/// An argument's clone: every shard gets its own.
fn cloned(field: &Ident) -> TokenStream {
    // A type that cannot be cloned is the argument's fault.
    quote_spanned!(generated(field.span())=> ::core::clone::Clone::clone(&#field))
}
