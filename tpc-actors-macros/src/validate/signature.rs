//! Rules about the signature of any method with a role.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, Pat, PatType, Path, ReceiverKind, Safety, Type};

use super::special::{
    ctx_comes_first, is_ctx, is_ctx_renamed, not_renamed, reply_is_certain, reply_is_usable,
};
use super::{is_named, key, types};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::model::{Arg, Param};
use crate::names;
use crate::parse::{self, Method};

/// The parameters after the receiver, told apart.
#[derive(Default)]
pub(crate) struct Params {
    pub(crate) list: Vec<Param>,
    /// The `T` of a `Reply<T>` parameter.
    pub(crate) reply: Option<Type>,
    /// Whether there is a parameter that no message can carry.
    pub(crate) unusable: bool,
}

impl Params {
    /// The parameters that travel.
    pub(crate) fn arguments_mut(&mut self) -> impl Iterator<Item = &mut Arg> {
        self.list.iter_mut().filter_map(|param| match param {
            Param::Value(arg) => Some(&mut **arg),
            Param::Ctx(_) | Param::Reply => None,
        })
    }
}

/// TPC026: a method has one role.
pub(crate) fn one_role(method: &Method, errors: &mut Errors) {
    for extra in method.roles.iter().skip(1) {
        let text = format!(
            "`{}` already is `#[{}]`; give it one role and remove this attribute",
            method.sig.ident,
            method.roles[0].role.name()
        );
        if method.elsewhere {
            errors.push_if(&method.named("cfg"), Code::RoleTwice, &extra.attr, text);
        } else {
            errors.push(Code::RoleTwice, &extra.attr, text);
        }
    }
}

/// TPC002: a core runs a method to its end and never waits for it.
pub(crate) fn not_async(method: &Method, errors: &mut Errors) {
    if let Some(found) = &method.sig.asyncness {
        let text = format!(
            "`{}` is an `async fn`, but a core never waits inside of a method; \
             make it a plain `fn` and leave the waiting to `cx.offload(..)` or `cx.spawn(..)`",
            method.sig.ident
        );
        errors.push(Code::Async, found, text);
    }
}

/// TPC023: expansions call methods like any other function.
pub(crate) fn not_qualified(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    let mut refuse = |what: &str, at: &dyn ToTokens| {
        let at = at.to_token_stream();
        let text = format!("`{}` is {what}; write a plain `fn`", sig.ident);
        errors.push(Code::Qualified, at, text);
    };
    if let Some(found) = &sig.constness {
        refuse("a `const fn`", found);
    }
    if !matches!(sig.safety, Safety::Default) {
        refuse("an `unsafe fn`", &sig.safety);
    }
    if let Some(found) = &sig.abi {
        refuse("an `extern fn`", found);
    }
    if let Some(found) = &sig.variadic {
        refuse("variadic", found);
    }
}

/// TPC016: a message has one type, so its method has no parameters of its own.
pub(crate) fn not_generic(method: &Method, errors: &mut Errors) {
    let generics = &method.sig.generics;
    let text = format!(
        "`{}` is generic, but a message has one type; \
         name concrete types, an enum or a `Box<dyn ..>`",
        method.sig.ident
    );
    if !generics.params.is_empty() {
        errors.push(Code::GenericMethod, &generics.params, text);
    } else if let Some(clause) = &generics.where_clause {
        errors.push(Code::GenericMethod, clause, text);
    }
}

/// TPC024: the actor is borrowed for the time of the call.
pub(crate) fn borrows_self(method: &Method, errors: &mut Errors) {
    let name = &method.sig.ident;
    match method.sig.receiver() {
        None => {
            let text = format!("`{name}` has no receiver; write `fn {name}(&mut self, ..)`");
            errors.push(Code::Receiver, name, text);
        }
        Some(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
            let text = format!(
                "`{name}` takes `{}`, but the actor goes on afterwards; \
                 write `&self` or `&mut self`",
                source(receiver)
            );
            errors.push(Code::Receiver, receiver, text);
        }
        Some(_) => {}
    }
}

/// TPC033 on methods without a role.
pub(crate) fn no_keys(method: &Method, errors: &mut Errors) {
    for mark in method.params.iter().flat_map(parse::Param::marks) {
        stray_mark(mark, errors);
    }
}

/// TPC033 on arguments of functions that are not routed.
pub(crate) fn no_keys_on_values(method: &Method, errors: &mut Errors) {
    let special = |ty: &Type| is_ctx(ty) || is_named(ty, "Reply");
    let values = method
        .params
        .iter()
        .filter(|param| matches!(&param.arg, FnArg::Typed(typed) if !special(&typed.ty)));
    for mark in values.flat_map(parse::Param::marks) {
        stray_mark(mark, errors);
    }
}

/// TPC028 and TPC034: hooks take the context or nothing; its conditions, if they do.
pub(crate) fn only_cx(method: &Method, errors: &mut Errors) -> Option<Vec<Attribute>> {
    let mut cx = None;
    for (index, param) in method.params.iter().enumerate() {
        let FnArg::Typed(typed) = &param.arg else { continue };
        if is_ctx(&typed.ty) {
            ctx_comes_first(typed, cx.is_none() && index <= 1, errors);
            cx = Some(param.cfgs.clone());
        } else if is_ctx_renamed(&typed.ty) {
            not_renamed(typed, errors);
        } else {
            let text = format!(
                "nobody could pass an argument to `{}`; remove it and keep state in the actor",
                method.sig.ident
            );
            errors.push(Code::HookShape, typed, text);
        }
    }
    no_keys(method, errors);
    cx
}

/// Tells the parameters apart and checks them one by one.
pub(crate) fn params(method: &Method, actor: &Path, errors: &mut Errors) -> Params {
    let mut found = Params::default();
    for param in &method.params {
        match &param.arg {
            FnArg::Receiver(_) => param.marks().for_each(|mark| stray_mark(mark, errors)),
            FnArg::Typed(typed) if is_ctx(&typed.ty) => {
                param.marks().for_each(|mark| stray_mark(mark, errors));
                ctx_comes_first(typed, found.list.is_empty(), errors);
                found.list.push(Param::Ctx(param.cfgs.clone()));
            }
            FnArg::Typed(typed) if is_named(&typed.ty, "Reply") => {
                param.marks().for_each(|mark| stray_mark(mark, errors));
                reply_is_usable(typed, actor, &mut found, errors);
                reply_is_certain(param, errors);
                found.list.push(Param::Reply);
            }
            FnArg::Typed(typed) if is_ctx_renamed(&typed.ty) => {
                not_renamed(typed, errors);
                found.unusable = true;
            }
            FnArg::Typed(typed) => value(param, typed, actor, &mut found, errors),
        }
    }
    found
}

/// The conditions of the context, if the first parameter after the receiver is the context.
pub(crate) fn takes_cx(params: &Params) -> Option<Vec<Attribute>> {
    match params.list.first() {
        Some(Param::Ctx(cfgs)) => Some(cfgs.clone()),
        _ => None,
    }
}

/// A parameter that becomes a field of the request.
fn value(
    param: &parse::Param,
    typed: &PatType,
    actor: &Path,
    found: &mut Params,
    errors: &mut Errors,
) {
    let field = field_name(&typed.pat, &found.list, errors);
    let field = distinct_field(field, typed, &found.list, errors);
    let what = format!("the argument `{}`", field.unraw());
    found.unusable |= !types::owned_and_named(&typed.ty, &what, errors);
    let ty = types::without_self(&typed.ty, actor);
    let (key, cfgs) = (param.keys.first().map(key::chosen), param.cfgs.clone());
    if let (Some(_), Some(cfg)) = (&key, cfgs.first()) {
        let text = "an actor is sharded under all conditions or under none; remove this `#[cfg]`";
        errors.push(Code::StrayMark, cfg, text);
    }
    let boxed = !param.boxed.is_empty();
    found.list.push(Param::Value(Box::new(Arg { cfgs, field, ty, key, boxed })));
}

/// TPC025: an argument is a name, because callers see it.
fn field_name(pat: &Pat, earlier: &[Param], errors: &mut Errors) -> Ident {
    let numbered = free_number(earlier, pat.span());
    match pat {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
            names::field(&ident.ident).unwrap_or(numbered)
        }
        Pat::Wild(_) => numbered,
        other => {
            let text = format!(
                "`{}` is a pattern, but callers need a name; \
                 write a plain name and take it apart in the body",
                source(other)
            );
            errors.push(Code::Pattern, other, text);
            numbered
        }
    }
}

/// TPC036: arguments are told apart by name, and leading underscores are not part of it.
fn distinct_field(field: Ident, typed: &PatType, earlier: &[Param], errors: &mut Errors) -> Ident {
    if !fields(earlier).any(|taken| *taken == field) {
        return field;
    }
    let text = format!("callers would see two arguments named `{field}`; rename one of them");
    errors.push(Code::ArgumentTwice, &typed.pat, text);
    free_number(earlier, typed.pat.span())
}

/// The first numbered name from the argument's place on that no earlier argument has.
fn free_number(earlier: &[Param], at: Span) -> Ident {
    let mut numbered = (fields(earlier).count()..).map(|index| names::numbered_field(index, at));
    numbered.find(|name| !fields(earlier).any(|taken| taken == name)).expect("few are taken")
}

fn fields(params: &[Param]) -> impl Iterator<Item = &Ident> {
    params.iter().filter_map(Param::value).map(|arg| &arg.field)
}

/// TPC033: what is marked is an argument of a handler.
pub(crate) fn stray_mark(mark: &Attribute, errors: &mut Errors) {
    let boxed = mark.path().segments.last().is_some_and(|last| last.ident == "boxed");
    let text = if boxed {
        "`#[boxed]` is about an argument of a `#[handler]`; remove it here"
    } else {
        "`#[key]` routes by an argument of a `#[handler]`; remove it here"
    };
    errors.push(Code::StrayMark, mark, text);
}
