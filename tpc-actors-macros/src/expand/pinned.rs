//! The handle of the actor's own core: the same methods, without shards and without atomics.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;

use super::{
    Visible, client, decode, docs, emit, link, lints, moved, outcome, parameters, request, verb,
};
use crate::model::{ActorModel, Handler};
use crate::names;

/// The handle's type.
pub(crate) fn types(model: &ActorModel) -> Visible {
    let (name, inner) = (&model.names.pinned, inner(model));
    let doc = format!(
        "Handle to a {} on its own core: not `Send`, no atomics on the way.",
        link(&model.actor)
    );
    let (declared, _, clause) = model.generics.split();
    Visible::new(model, &doc, emit!(struct #name #declared #clause { inner: #inner }))
}

/// The handle's traits and methods.
pub(crate) fn impls(model: &ActorModel) -> TokenStream {
    let name = &model.names.pinned;
    let traits = client::wrapper(model, name, &inner(model));
    let (declared, used, clause) = model.generics.split();
    let lints = lints(model);
    let methods = model.handlers.iter().map(|handler| method(model, handler));
    emit! {
        #traits

        #lints
        impl #declared #name #used #clause {
            #(#methods)*
        }
    }
}

fn inner(model: &ActorModel) -> TokenStream {
    let (krate, actor) = (&model.krate, &model.actor);
    emit!(#krate::pinned::Pinned<#actor>)
}

fn method(model: &ActorModel, handler: &Handler) -> TokenStream {
    let (krate, actor) = (&model.krate, &model.actor);
    let cfgs = &handler.cfgs;
    let name = names::method(&handler.method);
    let docs = docs(handler, &format!("{} the actor to run `{}`.", verb(handler), name.unraw()));
    let parameters = parameters(handler);
    let request = request(model, handler, moved);
    let (output, body) = if let Some(reply) = handler.reply() {
        let (decode, outcome) = (decode(model, handler, reply), outcome(&model.krate, reply));
        let output = emit!(#krate::pinned::PinnedAsk<'_, #actor, #outcome>);
        (output, emit!(self.inner.ask(#request, #decode)))
    } else {
        let output = emit!(#krate::pinned::PinnedTell<'_, #actor>);
        (output, emit!(self.inner.tell(#request)))
    };
    emit! {
        #(#cfgs)*
        #docs
        #[inline]
        pub fn #name(&self #parameters) -> #output { #body }
    }
}
