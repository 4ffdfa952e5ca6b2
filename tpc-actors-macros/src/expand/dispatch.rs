//! The `Actor` impl: how a request becomes a method call.

use proc_macro2::{Literal, TokenStream};
use syn::ext::IdentExt as _;

use super::{deprecated, duration, emit, krate};
use crate::model::{ActorModel, Answer, Handler, Hook, Init, Param, Timer};

/// The actor's contract with the runtime.
pub(crate) fn impls(model: &ActorModel) -> TokenStream {
    let (krate, deprecated) = (krate(), deprecated(model));
    let (actor, names) = (&model.actor, &model.names);
    let (request, response) = (&names.request, &names.response);
    let (client, pinned) = (&names.client, &names.pinned);
    let args = init_args(model.init.as_ref());
    let timers = model.timers.iter().filter(|_| model.complete).map(timer);
    let init = init(model);
    let handle = handle(model);
    let handler_name = handler_name(model);
    let on_stop = model.on_stop.as_ref().filter(|_| model.complete).map(on_stop);
    let sharded = model.key.as_ref().map(|key| {
        emit! {
            #[automatically_derived]
            impl #krate::actor::Sharded for #actor {
                type Key = #key;
            }
        }
    });
    emit! {
        #[automatically_derived]
        #deprecated
        impl #krate::Actor for #actor {
            type Args = #args;
            type Request = #request;
            type Response = #response;
            type Client = #client;
            type Pinned = #pinned;
            const TIMERS: &'static [#krate::actor::Timer<Self>] = &[#(#timers),*];
            #init
            #handle
            #handler_name
            #on_stop
        }
        #sharded
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

fn timer(timer: &Timer) -> TokenStream {
    let krate = krate();
    let Hook { method, cfgs, .. } = &timer.hook;
    let name = Literal::string(&method.unraw().to_string());
    let interval = duration(timer.interval);
    let call = call(&timer.hook);
    emit! {
        #(#cfgs)*
        #krate::actor::Timer::new(#name, #interval, |this, cx| { #call })
    }
}

/// The call of a hook with `this` and `cx` in scope.
fn call(hook: &Hook) -> TokenStream {
    let method = &hook.method;
    if hook.cx {
        return emit!(Self::#method(this, cx););
    }
    emit! {
        let _ = cx;
        Self::#method(this);
    }
}

fn init(model: &ActorModel) -> TokenStream {
    let krate = krate();
    let (args, body) = match model.init.as_ref().filter(|_| model.complete) {
        Some(init) => build(init),
        // Something is wrong with the actor, so this never runs; it only has to have a type.
        None => (emit!(_args), emit!(::core::unimplemented!())),
    };
    let cx = match &model.init {
        Some(init) if init.cx && model.complete => emit!(cx),
        _ => emit!(_cx),
    };
    emit! {
        fn init(
            #cx: &mut #krate::Ctx<Self>,
            #args: Self::Args,
        ) -> ::core::result::Result<Self, #krate::InitError> {
            #body
        }
    }
}

/// The pattern of the arguments, and the call with them.
fn build(init: &Init) -> (TokenStream, TokenStream) {
    let krate = krate();
    let method = &init.method;
    let fields: Vec<_> = init.args.iter().map(|arg| &arg.field).collect();
    let pattern = match &*fields {
        [only] => emit!(#only),
        several => emit!((#(#several),*)),
    };
    let cx = init.cx.then(|| emit!(cx,));
    let body = emit!(#krate::private::IntoInit::into_init(Self::#method(#cx #(#fields),*)));
    (pattern, body)
}

fn handle(model: &ActorModel) -> TokenStream {
    let krate = krate();
    let arms = model.handlers.iter().map(|handler| arm(model, handler));
    let body = if model.complete {
        emit!(match request { #(#arms)* })
    } else {
        // Calls of methods that break a rule would only be reported a second time.
        emit!(::core::unimplemented!())
    };
    emit! {
        fn handle(
            &mut self,
            cx: &mut #krate::Ctx<Self>,
            request: Self::Request,
            reply: #krate::private::ReplySlot<'_, Self>,
        ) {
            #body
        }
    }
}

fn arm(model: &ActorModel, handler: &Handler) -> TokenStream {
    let Handler { method, cfgs, variant, .. } = handler;
    let response = &model.names.response;
    let pattern = super::request(model, handler);
    let params = handler.params.iter().map(|param| match param {
        Param::Ctx => emit!(cx),
        Param::Reply => emit!(reply),
        Param::Value(arg) => {
            let field = &arg.field;
            emit!(#field)
        }
    });
    let call = emit!(Self::#method(self #(, #params)*));
    let body = match handler.answer {
        Answer::Never => emit!({ #call; }),
        Answer::Now(_) => emit!(reply.complete(#response::#variant(#call)),),
        Answer::Later(_) => emit!({
            let reply = reply.defer(#response::#variant);
            #call;
        }),
    };
    emit!(#(#cfgs)* #pattern => #body)
}

fn handler_name(model: &ActorModel) -> TokenStream {
    let request = &model.names.request;
    let arms = model.handlers.iter().map(|handler| {
        let Handler { method, cfgs, variant, .. } = handler;
        let content = handler.args().next().map(|_| emit!({ .. }));
        let name = Literal::string(&method.unraw().to_string());
        emit!(#(#cfgs)* #request::#variant #content => #name,)
    });
    emit! {
        fn handler_name(request: &Self::Request) -> &'static ::core::primitive::str {
            match *request { #(#arms)* }
        }
    }
}

fn on_stop(hook: &Hook) -> TokenStream {
    let krate = krate();
    let Hook { method, cfgs, .. } = hook;
    let (cx, argument) = if hook.cx { (emit!(cx), Some(emit!(, cx))) } else { (emit!(_cx), None) };
    emit! {
        #(#cfgs)*
        fn on_stop(&mut self, #cx: &mut #krate::Ctx<Self>) {
            Self::#method(self #argument);
        }
    }
}
