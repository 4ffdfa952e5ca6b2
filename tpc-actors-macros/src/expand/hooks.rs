//! Methods that the runtime calls by itself: timers, maintenance, checkpoints, the end.

use proc_macro2::{Literal, TokenStream};
use syn::ext::IdentExt as _;

use super::{duration, emit};
use crate::model::{ActorModel, Hook, Maintenance, Timer};

pub(super) fn timer(model: &ActorModel, timer: &Timer) -> TokenStream {
    let krate = &model.krate;
    let Hook { method, cfgs, .. } = &timer.hook;
    let name = Literal::string(&method.unraw().to_string());
    let interval = duration(timer.interval);
    let call = call(&timer.hook);
    emit! {
        #(#cfgs)*
        #krate::actor::Timer::new(#name, #interval, |this, cx| { #call })
    }
}

pub(super) fn slices(model: &ActorModel, maintenance: &Maintenance) -> TokenStream {
    let krate = &model.krate;
    let Hook { method, cfgs, .. } = &maintenance.hook;
    let name = Literal::string(&method.unraw().to_string());
    let interval = duration(maintenance.interval);
    let budget = maintenance.budget.map(|budget| {
        let budget = duration(budget);
        emit!(.budget(#budget))
    });
    let (cx, argument) = context(&maintenance.hook);
    emit! {
        #(#cfgs)*
        #krate::actor::Maintenance::new(
            #name,
            #interval,
            |this, #cx| Self::#method(this #argument),
        ) #budget
    }
}

pub(super) fn checkpoint(model: &ActorModel, hook: &Hook) -> TokenStream {
    let krate = &model.krate;
    let Hook { method, cfgs, .. } = hook;
    let (cx, argument) = context(hook);
    emit! {
        #(#cfgs)*
        const CHECKPOINT: ::core::primitive::bool = true;
        #(#cfgs)*
        #[inline]
        fn checkpoint(
            &mut self,
            #cx: &mut #krate::Ctx<Self>,
        ) -> ::core::result::Result<(), #krate::private::HookError> {
            #krate::private::into_checkpoint(Self::#method(self #argument))
        }
    }
}

/// What `cx` is called where a hook gets it, and how it is handed on.
fn context(hook: &Hook) -> (TokenStream, Option<TokenStream>) {
    match &hook.cx {
        Some(cfgs) => (emit!(cx), Some(emit!(, #(#cfgs)* cx))),
        None => (emit!(_cx), None),
    }
}

/// The call of a hook with `this` and `cx` in scope.
fn call(hook: &Hook) -> TokenStream {
    let method = &hook.method;
    if let Some(cfgs) = &hook.cx {
        return emit!(Self::#method(this, #(#cfgs)* cx););
    }
    emit! {
        let _ = cx;
        Self::#method(this);
    }
}

pub(super) fn on_stop(model: &ActorModel, hook: &Hook) -> TokenStream {
    let krate = &model.krate;
    let Hook { method, cfgs, .. } = hook;
    let (cx, argument) = context(hook);
    emit! {
        #(#cfgs)*
        #[inline]
        fn on_stop(&mut self, #cx: &mut #krate::Ctx<Self>) {
            Self::#method(self #argument);
        }
    }
}
