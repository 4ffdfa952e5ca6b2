//! Handlers whose messages come together.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::emit;
use crate::model::{ActorModel, Arg, Handler, Param};
use crate::names::generated;

/// The arm of a handler whose messages come together.
pub(super) fn arm(model: &ActorModel, handler: &Handler, most: u64) -> TokenStream {
    let Handler { method, cfgs, variant, .. } = handler;
    let (response, most) = (&model.names.response, super::grouped(most, "usize"));
    let pattern = super::pattern(model, handler);
    let cx = handler.params.iter().find_map(|param| match param {
        Param::Ctx(cfgs) => Some(emit!(#(#cfgs)* cx,)),
        Param::Reply | Param::Value(_) => None,
    });
    let value = handler.args().map(
        |Arg { field, boxed, .. }| {
            if *boxed { emit!(*#field) } else { emit!(#field) }
        },
    );
    let value: TokenStream = value.collect();
    let take = emit!(|request| match request {
        #pattern => ::core::option::Option::Some(#value),
        _ => ::core::option::Option::None,
    });
    let batch = if handler.reply().is_some() {
        emit!(reply.batch::<_, _, #most>(#value, #take, #response::#variant))
    } else {
        emit!(reply.batch_of_tells::<_, #most>(#value, #take))
    };
    emit! {
        #(#cfgs)*
        #pattern => {
            let batch = #batch;
            Self::#method(self, #cx batch);
        }
    }
}

/// Which requests are handled together, if any.
pub(super) fn is_batched(model: &ActorModel) -> Option<TokenStream> {
    let request = &model.names.request;
    let batched = model.handlers.iter().filter(|handler| handler.batch.is_some());
    let arms: Vec<_> = batched
        .map(|Handler { cfgs, variant, .. }| emit!(#(#cfgs)* #request::#variant { .. } => true,))
        .collect();
    (!arms.is_empty()).then(|| {
        emit! {
            #[inline]
            fn is_batched(request: &Self::Request) -> ::core::primitive::bool {
                match *request { #(#arms)* _ => false }
            }
        }
    })
}

/// Looks at once whether a lane can hold as many as a batch may have, where that is known; for a
/// generic actor it is looked at for each kind that is spawned.
pub(super) fn sizes(model: &ActorModel) -> Option<TokenStream> {
    if !model.generics.is_empty() || !model.complete {
        return None;
    }
    let actor = &model.actor;
    let checks = model.handlers.iter().filter_map(|handler| {
        let ((most, span), cfgs) = (handler.batch?, &handler.cfgs);
        let (krate, span) = (model.krate.at(generated(span)), generated(span));
        let most = super::grouped(most, "usize");
        Some(quote_spanned! {span=>
            #(#cfgs)*
            const _: () = #krate::private::batch_fits::<#actor>(#most);
        })
    });
    Some(checks.collect())
}
