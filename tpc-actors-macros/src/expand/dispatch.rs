//! The `Actor` impl: how a request becomes a method call.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Attribute, ReturnType, Type};

use super::{batch, calls, deprecated, emit, ends, hooks, krate_at};
use crate::model::{ActorModel, Handler, Init};

/// The actor's contract with the runtime.
pub(crate) fn impls(model: &ActorModel) -> TokenStream {
    let (krate, deprecated) = (&model.krate, deprecated(model));
    let (actor, names) = (&model.actor, &model.names);
    let (request, response) = (&names.request, &names.response);
    let (client, pinned) = (&names.client, &names.pinned);
    let (declared, used, clause) = model.generics.split();
    let inits = inits(model);
    let requests = associated("Request", &[], &emit!(#request #used), &requests_travel(model));
    let responses = associated("Response", &[], &emit!(#response #used), &responses_travel(model));
    let timers =
        model.timers.iter().filter(|_| model.complete).map(|found| hooks::timer(model, found));
    let maintenance = model.maintenance.iter().filter(|_| model.complete);
    let maintenance: Vec<_> = maintenance.map(|found| hooks::slices(model, found)).collect();
    let maintenance = (!maintenance.is_empty()).then(|| {
        emit! {
            const MAINTENANCE: &'static [#krate::actor::Maintenance<Self>] = &[#(#maintenance),*];
        }
    });
    let checkpoints = model.checkpoints.iter().filter(|_| model.complete);
    let checkpoints = checkpoints.map(|hook| hooks::checkpoint(model, hook));
    let (handle, handle_tell) = (calls::handle(model), calls::handle_tell(model));
    let handler_names = handler_names(model);
    let variants = variants(model);
    let on_stops = model.on_stops.iter().filter(|_| model.complete);
    let on_stops = on_stops.map(|hook| hooks::on_stop(model, hook));
    let sharded = model.key.as_ref().map(|key| {
        emit! {
            #[automatically_derived]
            impl #declared #krate::actor::Sharded for #actor #clause {
                type Key = #key;
            }
        }
    });
    let lanes = model.generics.is_empty().then(|| lanes(model));
    let (is_batched, batches) = (batch::is_batched(model), batch::sizes(model));
    emit! {
        #[automatically_derived]
        #deprecated
        impl #declared #krate::Actor for #actor #clause {
            #requests
            #responses
            type Client = #client #used;
            type Pinned = #pinned #used;
            #lanes
            const TIMERS: &'static [#krate::actor::Timer<Self>] = &[#(#timers),*];
            #maintenance
            #inits
            #handle
            #handle_tell
            #handler_names
            #is_batched
            #variants
            #(#checkpoints)*
            #(#on_stops)*
        }
        #sharded
        #batches
    }
}

/// The place of each thread's lanes. A generic actor has none: a static cannot depend on type parameters.
fn lanes(model: &ActorModel) -> TokenStream {
    let (krate, actor) = (&model.krate, &model.actor);
    emit! {
        const LANES: #krate::private::LanesKey<Self> = #krate::private::thread_lanes!(#actor);
    }
}

/// Nothing, the type itself, or a tuple.
fn init_args(init: Option<&Init>) -> TokenStream {
    let types: Vec<_> = init.iter().flat_map(|init| &init.args).map(|arg| &arg.ty).collect();
    match &*types {
        [only] => emit!(#only),
        several => emit!((#(#several),*)),
    }
}

/// An associated type under conditions that say more than its bounds do, if they fail.
///
/// They are of no interest to anyone who reads the documentation.
fn associated(
    name: &str,
    cfgs: &[Attribute],
    ty: &TokenStream,
    conditions: &[TokenStream],
) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site());
    if conditions.is_empty() {
        return emit!(#(#cfgs)* type #name = #ty;);
    }
    emit! {
        #[cfg(doc)]
        type #name = #ty;
        #[cfg(not(doc))]
        type #name = #ty where #(#conditions,)*;
    }
}

fn requests_travel(model: &ActorModel) -> Vec<TokenStream> {
    let args = unconditional(model).flat_map(Handler::args).filter(|arg| arg.cfgs.is_empty());
    args.map(|arg| travels(model, &emit!(Argument), &arg.ty)).collect()
}

fn responses_travel(model: &ActorModel) -> Vec<TokenStream> {
    let replies = unconditional(model).filter_map(Handler::reply);
    replies.map(|reply| travels(model, &emit!(Answer), &reply.ty)).collect()
}

fn unconditional(model: &ActorModel) -> impl Iterator<Item = &Handler> {
    model.handlers.iter().filter(|handler| handler.cfgs.is_empty())
}

/// The condition that a type travels, which a message shows at the type.
fn travels(model: &ActorModel, role: &TokenStream, ty: &Type) -> TokenStream {
    let krate = &model.krate;
    let bound = krate_at(krate, ty, &["private", "Travels"]);
    emit!(for<'__message> #krate::private::#role<'__message, #ty>: #bound)
}

/// The functions that build the state, with the types of their arguments.
fn inits(model: &ActorModel) -> TokenStream {
    if !model.complete {
        // Something is wrong with the actor, so this never runs; it only has to have a type.
        return init(model, model.inits.first());
    }
    model.inits.iter().map(|found| init(model, Some(found))).collect()
}

fn init(model: &ActorModel, init: Option<&Init>) -> TokenStream {
    let krate = &model.krate;
    let cfgs = init.filter(|_| model.complete).map(|init| &*init.cfgs).unwrap_or_default();
    let travel: Vec<_> = (init.iter().flat_map(|init| &init.args))
        .filter(|_| cfgs.is_empty())
        .map(|arg| travels(model, &emit!(Argument), &arg.ty))
        .collect();
    let types = associated("Args", cfgs, &init_args(init), &travel);
    let (args, body) = match init.filter(|_| model.complete) {
        Some(init) => build(model, init),
        None => (emit!(_args), emit!(::core::unreachable!())),
    };
    let cx = match init {
        Some(Init { cx: Some(_), .. }) if model.complete => emit!(cx),
        _ => emit!(_cx),
    };
    emit! {
        #types
        #(#cfgs)*
        #[inline]
        fn init(
            #cx: &mut #krate::Ctx<Self>,
            #args: Self::Args,
        ) -> ::core::result::Result<Self, #krate::InitError> {
            #body
        }
    }
}

/// The pattern of the arguments, and the call with them.
fn build(model: &ActorModel, init: &Init) -> (TokenStream, TokenStream) {
    let method = &init.method;
    let fields: Vec<_> = init.args.iter().map(|arg| &arg.field).collect();
    let pattern = match &*fields {
        [only] => emit!(#only),
        several => emit!((#(#several),*)),
    };
    let cx = init.cx.as_ref().map(|cfgs| emit!(#(#cfgs)* cx,));
    // A wrong type is the return type's fault.
    let at = ends(&returned(&init.returns)).0;
    let (returned, any) = (Ident::new("returned", at), quote_spanned!(at=> _));
    let into_init = krate_at(&model.krate, &returned, &["private", "into_init"]);
    let body = emit! {
        let #returned = Self::#method(#cx #(#fields),*);
        #into_init::<Self, #any>(#returned)
    };
    (pattern, body)
}

/// The type behind the arrow.
fn returned(returns: &ReturnType) -> TokenStream {
    match returns {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

/// Handlers have numbers, which are cheap to write down for each call, and names for who looks.
fn handler_names(model: &ActorModel) -> TokenStream {
    let request = &model.names.request;
    let numbered = || model.handlers.iter().zip(0u32..);
    let numbers = numbered().map(|(handler, number)| {
        let Handler { cfgs, variant, .. } = handler;
        let content = handler.args().next().map(|_| emit!({ .. }));
        emit!(#(#cfgs)* #request::#variant #content => #number,)
    });
    let names = numbered().map(|(handler, number)| {
        let Handler { method, cfgs, .. } = handler;
        let name = Literal::string(&method.unraw().to_string());
        emit!(#(#cfgs)* #number => #name,)
    });
    let parameters = super::messages::parameters_arm(model, &emit!(#request));
    emit! {
        #[inline]
        fn handler_number(request: &Self::Request) -> ::core::primitive::u32 {
            match *request { #(#numbers)* #parameters }
        }
        #[inline]
        fn handler_name(number: ::core::primitive::u32) -> &'static ::core::primitive::str {
            match number { #(#names)* _ => "?", }
        }
    }
}

/// What each variant takes, so that the widest one can be named.
fn variants(model: &ActorModel) -> TokenStream {
    let krate = &model.krate;
    let rows = model.handlers.iter().map(|handler| {
        let Handler { cfgs, variant, .. } = handler;
        let name = Literal::string(&variant.to_string());
        let sizes = super::messages::travelling(model, handler)
            .into_iter()
            .map(|(cfgs, ty)| emit!(#(#cfgs)* ::core::mem::size_of::<#ty>()));
        emit!(#(#cfgs)* #krate::actor::Variant::new(#name, &[#(#sizes),*]))
    });
    emit!(const VARIANTS: &'static [#krate::actor::Variant] = &[#(#rows),*];)
}
