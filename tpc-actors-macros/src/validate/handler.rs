//! Rules about `#[handler]` methods.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::{Path, ReturnType, Type, parse_quote};

use super::options::{self, Admission, flag};
use super::signature::{self, Params};
use super::{Facts, bare, batch, boxes, is_named, key, types};
use crate::codes::Code;
use crate::diag::Errors;
use crate::duration::Nanos;
use crate::model::{Answer, Handler, Reply};
use crate::names;
use crate::parse::args::Opt;
use crate::parse::{Method, RoleAttr};

/// The options of one `#[handler]`.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) tell: bool,
    pub(super) all: bool,
    pub(super) boxed: bool,
    pub(super) batch: Option<(u64, Span)>,
    deadline: Option<(Nanos, Span)>,
}

/// Applies all rules; there is a model if the handler's messages can be formed in spite of
/// mistakes.
pub(crate) fn validate(
    method: &Method,
    role: &RoleAttr,
    facts: &mut Facts,
    errors: &mut Errors,
) -> Option<Handler> {
    let flags = known_options(role, errors);
    let variant = free_name(method, facts, errors);
    signature::borrows_self(method, errors);
    let mut params = signature::params(method, &facts.actor, errors);
    let answers = batch::members(method, flags, &mut params, errors);
    let boxed = boxes::together(method, role, flags, &mut params, errors);
    key::validate(method, flags, facts, errors);
    reply_excludes(method, flags, &params, errors);
    tell_returns_nothing(method, flags, &params, errors);
    tell_has_no_deadline(method, flags, errors);
    let answer = match answers {
        Some(ty) => Some(Answer::Later(Reply::new(ty))),
        None => answer(method, flags, &params, &facts.actor, errors),
    };
    let usable = !params.unusable && method.sig.generics.params.is_empty();
    usable.then_some(Handler {
        method: method.sig.ident.clone(),
        variant: variant?,
        cfgs: method.named("cfg"),
        docs: method.named("doc"),
        deprecated: method.named("deprecated").pop(),
        params: params.list,
        answer: answer?,
        all: flags.all,
        boxed,
        batch: flags.batch,
        deadline: flags.deadline.map(|(limit, _)| limit),
    })
}

/// TPC015, TPC029, TPC030 and TPC037: the options that a handler may have.
fn known_options(role: &RoleAttr, errors: &mut Errors) -> Flags {
    let mut flags = Flags::default();
    let options = match Opt::of(&role.attr) {
        Ok(options) => options,
        Err(error) => {
            errors.syntax(
                Code::Syntax,
                &error,
                "write `#[handler]`, or options as in `#[handler(tell, all)]`",
            );
            return flags;
        }
    };
    let mut admission =
        Admission::new("#[handler]", &["tell", "all", "boxed", "batch", "deadline"]);
    for option in &options {
        match admission.admit(option, errors) {
            Some("tell") => flags.tell = flag(option, errors),
            Some("all") => flags.all = flag(option, errors),
            Some("boxed") => flags.boxed = flag(option, errors),
            Some("batch") => flags.batch = Some(options::batch(option, errors)),
            Some("deadline") => {
                let deadline = options::deadline(option, errors);
                flags.deadline = deadline.map(|limit| (limit, option.name.span()));
            }
            _ => {}
        }
    }
    flags
}

/// TPC017: each handler gets a variant and a client method of its own.
fn free_name(method: &Method, facts: &mut Facts, errors: &mut Errors) -> Option<Ident> {
    let ident = &method.sig.ident;
    let name = ident.unraw().to_string();
    if names::RESERVED.contains(&&*name) {
        let text = format!("every client has `{name}` already; rename the handler");
        errors.push(Code::NameTaken, ident, text);
        return None;
    }
    let Some(variant) = names::variant(ident) else {
        let text = format!("no variant can be named after `{name}`; rename the handler");
        errors.push(Code::NameTaken, ident, text);
        return None;
    };
    let conditional = method.attrs.iter().any(|attr| attr.path().is_ident("cfg"));
    // Two handlers under opposite conditions may share a name; rustc knows whether they are.
    let clash = (facts.variants.iter())
        .find(|(taken, _, other)| *taken == variant && !(conditional && *other));
    if let Some((_, other, _)) = clash {
        let text = format!(
            "`{name}` and `{}` would both become the variant `{variant}`; rename one of them",
            other.unraw()
        );
        errors.push(Code::NameTaken, ident, text);
        return None;
    }
    facts.variants.push((variant.clone(), ident.clone(), conditional));
    Some(variant)
}

/// TPC012: an answer comes from one place.
fn reply_excludes(method: &Method, flags: Flags, params: &Params, errors: &mut Errors) {
    if params.reply.is_none() {
        return;
    }
    let name = &method.sig.ident;
    if flags.tell {
        let text = format!(
            "`{name}` is `tell`, so nobody waits for its `Reply`; remove `tell` or the parameter, \
             or import a type of your own that has this name by another one"
        );
        errors.push(Code::ReplyConflict, name, text);
    } else if let Some(ty) = returned(method) {
        let text = format!(
            "`{name}` answers through its `Reply` and by returning; \
             remove the return type or the parameter"
        );
        errors.push(Code::ReplyConflict, ty, text);
    }
}

/// TPC003: nobody waits for the result of a `tell`.
fn tell_returns_nothing(method: &Method, flags: Flags, params: &Params, errors: &mut Errors) {
    if let (true, None, Some(ty)) = (flags.tell, &params.reply, returned(method)) {
        let text = format!(
            "`{}` is `tell`, so nobody would see what it returns; remove the return type or `tell`",
            method.sig.ident
        );
        errors.push(Code::TellAnswers, ty, text);
    }
}

/// TPC043: a deadline is for an answer, and how long a `tell` waits for room is for its sender to say.
fn tell_has_no_deadline(method: &Method, flags: Flags, errors: &mut Errors) {
    if let (true, Some((_, at))) = (flags.tell, flags.deadline) {
        let text = format!(
            "`{}` is `tell`, so there is no answer to be late; remove `deadline`, and write \
             `.deadline(..)` where a sender must not wait long for room",
            method.sig.ident
        );
        errors.push(Code::TellDeadline, Ident::new("deadline", at), text);
    }
}

/// How the handler answers, if its answer can travel.
fn answer(
    method: &Method,
    flags: Flags,
    params: &Params,
    actor: &Path,
    errors: &mut Errors,
) -> Option<Answer> {
    if flags.tell {
        return Some(Answer::Never);
    }
    if let Some(ty) = &params.reply {
        return Some(Answer::Later(Reply::new(ty.clone())));
    }
    let ReturnType::Type(_, ty) = &method.sig.output else {
        return Some(Answer::Now(Reply::new(parse_quote!(()))));
    };
    let usable = types::owned_and_named(ty, "the answer", errors);
    usable.then(|| Answer::Now(Reply::new(types::without_self(ty, actor))))
}

impl Reply {
    fn new(ty: Type) -> Self {
        Self { fallible: is_named(&ty, "Result"), ty }
    }
}

/// The return type, unless it is `()`.
pub(crate) fn returned(method: &Method) -> Option<&Type> {
    let ReturnType::Type(_, ty) = &method.sig.output else { return None };
    let unit = matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty());
    (!unit).then_some(&**ty)
}
