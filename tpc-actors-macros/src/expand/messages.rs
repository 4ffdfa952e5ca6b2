//! The request and response enums, one variant per handler.

use proc_macro2::{Ident, Literal, TokenStream};
use syn::Attribute;
use syn::ext::IdentExt as _;

use super::{Visible, deprecated, documented, emit, link};
use crate::diag::list;
use crate::model::{ActorModel, Arg, Handler};

/// Both enums.
pub(crate) fn types(model: &ActorModel) -> [Visible; 2] {
    [requests(model), responses(model)]
}

/// `Debug` of both enums, and the bounds of what they carry.
pub(crate) fn impls(model: &ActorModel) -> TokenStream {
    let all: Vec<_> = model.handlers.iter().collect();
    let requests = debug(model, &model.names.request, &all, |handler| {
        handler.args().next().map(|_| emit!({ .. }))
    });
    let responses = debug(model, &model.names.response, &answering(model), |_| Some(emit!((..))));
    let bounds = bounds(model);
    emit!(#requests #responses #bounds)
}

fn answering(model: &ActorModel) -> Vec<&Handler> {
    model.handlers.iter().filter(|handler| handler.reply().is_some()).collect()
}

fn requests(model: &ActorModel) -> Visible {
    let name = &model.names.request;
    let doc = format!("Requests that {} understands; one variant per handler.", link(&model.actor));
    let variants = model.handlers.iter().map(|handler| {
        let Handler { variant, cfgs, deprecated, method, .. } = handler;
        // The comment on the handler is about the handler, and stands on the client's method.
        let doc = documented(&format!("A call of `{}`.", method.unraw()));
        let fields = fields(model, handler);
        emit!(#(#cfgs)* #doc #deprecated #variant #fields,)
    });
    Visible::new(model, &doc, enumeration(model, name, &variants.collect::<Vec<_>>()))
}

fn responses(model: &ActorModel) -> Visible {
    let name = &model.names.response;
    let doc = format!("Answers of {}; one variant per handler that answers.", link(&model.actor));
    let variants = answering(model).into_iter().map(|handler| {
        let Handler { variant, cfgs, deprecated, method, .. } = handler;
        let doc = documented(&format!("What `{}` answered.", method.unraw()));
        let ty = handler.reply().map(|reply| &reply.ty);
        emit!(#(#cfgs)* #doc #deprecated #variant(#ty),)
    });
    Visible::new(model, &doc, enumeration(model, name, &variants.collect::<Vec<_>>()))
}

/// An enum over the actor's parameters.
///
/// Those that no message mentions would be an error; a variant that cannot exist mentions them all.
fn enumeration(model: &ActorModel, name: &Ident, variants: &[TokenStream]) -> TokenStream {
    let (declared, _, clause) = model.generics.split();
    let (krate, types) = (&model.krate, model.generics.types());
    let parameters = types.first().map(|_| {
        emit! {
            #[doc(hidden)]
            __Parameters(#krate::private::Never, ::core::marker::PhantomData<fn(#(&#types),*)>),
        }
    });
    emit!(enum #name #declared #clause { #(#variants)* #parameters })
}

/// The arm of that variant where an enum is looked at by reference.
pub(super) fn parameters_arm(model: &ActorModel, name: &TokenStream) -> Option<TokenStream> {
    let needed = !model.generics.types().is_empty();
    needed.then(|| emit!(#name::__Parameters(ref never, _) => match *never {},))
}

/// What a request of this handler holds, each with its conditions.
pub(super) fn travelling<'a>(
    model: &ActorModel,
    handler: &'a Handler,
) -> Vec<(&'a [Attribute], TokenStream)> {
    let krate = &model.krate;
    if handler.boxed {
        let types = handler.args().map(|arg| &arg.ty);
        return vec![(&[], emit!(#krate::private::Box<(#(#types),*)>))];
    }
    let types = handler.args().map(|arg| {
        let Arg { cfgs, ty, boxed, .. } = arg;
        (&**cfgs, if *boxed { emit!(#krate::private::Box<#ty>) } else { emit!(#ty) })
    });
    types.collect()
}

fn fields(model: &ActorModel, handler: &Handler) -> Option<TokenStream> {
    if handler.boxed {
        let names: Vec<String> = handler.args().map(|arg| arg.field.unraw().to_string()).collect();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let doc = documented(&format!("The arguments {}, in one allocation.", list(&names)));
        let ty = travelling(model, handler).pop().map(|(_, ty)| ty);
        return Some(emit!({ #doc arguments: #ty }));
    }
    let fields: Vec<_> = handler
        .args()
        .zip(travelling(model, handler))
        .map(|(Arg { field, .. }, (cfgs, ty))| {
            let doc = documented(&format!("The argument `{}`.", field.unraw()));
            emit!(#(#cfgs)* #doc #field: #ty)
        })
        .collect();
    (!fields.is_empty()).then(|| emit!({ #(#fields),* }))
}

/// Prints the variant's name and nothing of its content, which need not be `Debug`.
fn debug(
    model: &ActorModel,
    name: &Ident,
    handlers: &[&Handler],
    content: impl Fn(&Handler) -> Option<TokenStream>,
) -> TokenStream {
    let deprecated = deprecated(model);
    let arms = handlers.iter().map(|handler| {
        let Handler { variant, cfgs, .. } = handler;
        let content = content(handler);
        let text = Literal::string(&variant.to_string());
        emit!(#(#cfgs)* Self::#variant #content => ::core::fmt::Formatter::write_str(f, #text),)
    });
    let parameters = parameters_arm(model, &emit!(Self));
    let (declared, used, clause) = model.generics.split();
    emit! {
        #[automatically_derived]
        #deprecated
        impl #declared ::core::fmt::Debug for #name #used #clause {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self { #(#arms)* #parameters }
            }
        }
    }
}

/// Makes rustc look at the types that travel if a `#[cfg]` lets them. The conditions of the `Actor`
/// impl look at all others; those cannot have a `#[cfg]`.
fn bounds(model: &ActorModel) -> Option<TokenStream> {
    let krate = &model.krate;
    let argument = |arg: &Arg, outer: &[Attribute]| {
        let Arg { cfgs, ty, .. } = arg;
        emit!(#(#outer)* #(#cfgs)* let _ = #krate::private::request_argument::<#ty>;)
    };
    let mut checks = Vec::new();
    for init in model.inits.iter().filter(|init| !init.cfgs.is_empty()) {
        checks.extend(init.args.iter().map(|arg| argument(arg, &init.cfgs)));
    }
    for handler in &model.handlers {
        let cfgs = &handler.cfgs;
        let uncertain = handler.args().filter(|arg| !cfgs.is_empty() || !arg.cfgs.is_empty());
        checks.extend(uncertain.map(|arg| argument(arg, cfgs)));
        if let (false, Some(reply)) = (cfgs.is_empty(), handler.reply()) {
            let ty = &reply.ty;
            checks.push(emit!(#(#cfgs)* let _ = #krate::private::reply_value::<#ty>;));
        }
    }
    if checks.is_empty() {
        return None;
    }
    if model.generics.is_empty() {
        return Some(emit!(const _: () = { #(#checks)* };));
    }
    let (declared, _, clause) = model.generics.split();
    Some(emit! {
        const _: () = {
            #[allow(dead_code)]
            fn travel #declared () #clause { #(#checks)* }
        };
    })
}
