//! From a request to the method that it is for.

use proc_macro2::TokenStream;

use super::{batch, emit};
use crate::model::{ActorModel, Answer, Arg, Handler, Param};

/// All requests.
pub(super) fn handle(model: &ActorModel) -> TokenStream {
    let krate = &model.krate;
    let (tells, others) = apart(model);
    let body = if model.complete {
        let arms = others.into_iter().map(|handler| arm(model, handler));
        let tells =
            others_arms(model, &tells, &emit!(_ = #krate::Actor::handle_tell(self, cx, __other)));
        emit!(match request { #(#arms)* #(#tells)* })
    } else {
        // Calls of methods that break a rule would only be reported a second time.
        emit!(::core::unreachable!())
    };
    // It has two callers, the loop and whoever asks on the spot: a frame of its own, as large as its largest handler
    // needs it, would cost more than a small handler.
    emit! {
        #[inline(always)]
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

/// Tells that come on their own, apart from all others: the loop over them is a small one.
pub(super) fn handle_tell(model: &ActorModel) -> Option<TokenStream> {
    let krate = &model.krate;
    let (tells, others) = apart(model);
    if !model.complete || tells.is_empty() {
        return None;
    }
    let arms = tells.into_iter().map(|handler| {
        let cfgs = &handler.cfgs;
        let Invocation { pattern, unboxed, call } = Invocation::of(model, handler);
        emit!(#(#cfgs)* #pattern => { #unboxed #call; ::core::option::Option::None })
    });
    let others = others_arms(model, &others, &emit!(::core::option::Option::Some(__other)));
    Some(emit! {
        #[inline]
        fn handle_tell(
            &mut self,
            cx: &mut #krate::Ctx<Self>,
            request: Self::Request,
        ) -> ::core::option::Option<Self::Request> {
            match request { #(#arms)* #(#others)* }
        }
    })
}

/// The tells that have nothing to do with those behind them, and all other handlers.
fn apart(model: &ActorModel) -> (Vec<&Handler>, Vec<&Handler>) {
    let is_alone =
        |handler: &&Handler| matches!(handler.answer, Answer::Never) && handler.batch.is_none();
    model.handlers.iter().partition(is_alone)
}

/// Does the same with each request that one of `handlers` is for: in one arm, unless there may be no such request.
fn others_arms(model: &ActorModel, handlers: &[&Handler], body: &TokenStream) -> Vec<TokenStream> {
    let request = &model.names.request;
    if handlers.iter().any(|handler| handler.cfgs.is_empty()) {
        return vec![emit!(__other => #body,)];
    }
    let each = handlers.iter().map(|Handler { cfgs, variant, .. }| {
        emit!(#(#cfgs)* __other @ #request::#variant { .. } => #body,)
    });
    each.collect()
}

/// A request, and the call of the method that it is for.
struct Invocation {
    pattern: TokenStream,
    /// The arguments out of their box.
    unboxed: Option<TokenStream>,
    call: TokenStream,
}

impl Invocation {
    fn of(model: &ActorModel, handler: &Handler) -> Self {
        let method = &handler.method;
        let params = handler.params.iter().map(|param| match param {
            Param::Ctx(cfgs) => emit!(#(#cfgs)* cx),
            Param::Reply => emit!(reply),
            Param::Value(arg) if arg.boxed => {
                let Arg { cfgs, field, .. } = &**arg;
                emit!(#(#cfgs)* *#field)
            }
            Param::Value(arg) => super::conditional_field(arg),
        });
        let call = emit!(Self::#method(self #(, #params)*));
        let unboxed = handler.boxed.then(|| {
            let fields = handler.args().map(|arg| &arg.field);
            emit!(let (#(#fields),*) = *arguments;)
        });
        Self { pattern: super::pattern(model, handler), unboxed, call }
    }
}

fn arm(model: &ActorModel, handler: &Handler) -> TokenStream {
    if let Some((most, _)) = handler.batch {
        return batch::arm(model, handler, most);
    }
    let Handler { cfgs, variant, .. } = handler;
    let response = &model.names.response;
    let Invocation { pattern, unboxed, call } = Invocation::of(model, handler);
    let body = match handler.answer {
        Answer::Never => unreachable!("it is told apart"),
        Answer::Now(_) if handler.boxed => {
            emit!({ #unboxed reply.complete(#response::#variant(#call)) })
        }
        Answer::Now(_) => emit!(reply.complete(#response::#variant(#call)),),
        Answer::Later(_) => emit!({
            #unboxed
            let reply = reply.defer(#response::#variant);
            #call;
        }),
    };
    emit!(#(#cfgs)* #pattern => #body)
}
