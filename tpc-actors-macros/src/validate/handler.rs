//! Rules about `#[handler]` methods.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::{Attribute, FnArg, Meta, Path, ReturnType, Type, parse_quote};

use super::options::{self, Admission, flag};
use super::signature::{self, Params};
use super::{Facts, batch, boxes, is_named, types};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::duration::Nanos;
use crate::model::{Answer, Handler, Reply};
use crate::names;
use crate::parse::args::Opt;
use crate::parse::{ActorImpl, Method, Role, RoleAttr};

/// The options of one `#[handler]`.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) tell: bool,
    all: bool,
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
    one_key(method, errors);
    all_without_key(method, flags, errors);
    same_key_type(method, facts, errors);
    says_which_shard(method, flags, facts, errors);
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

/// The first `#[key]` of the actor; all others are measured by it.
pub(crate) fn first_key(item: &ActorImpl, actor: &Path) -> Option<(Ident, Type)> {
    let is_handler =
        |method: &&Method| method.roles.first().is_some_and(|first| first.role == Role::Handler);
    item.methods().filter(is_handler).find_map(|method| {
        // A borrowed key is refused on its own account; others should not have to agree with it.
        let (_, ty) = keys(method).find(|(_, ty)| !matches!(ty, Type::Reference(_)))?;
        Some((method.sig.ident.clone(), types::without_self(ty, actor)))
    })
}

/// The arguments with `#[key]`.
fn keys(method: &Method) -> impl Iterator<Item = (&Attribute, &Type)> {
    method.params.iter().flat_map(|param| {
        let ty = match &param.arg {
            FnArg::Typed(typed) => Some(batch::message(method, &typed.ty)),
            FnArg::Receiver(_) => None,
        };
        param.keys.iter().filter_map(move |key| Some((key, ty?)))
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

/// TPC005 and TPC015: one argument routes, and `#[key]` takes no options.
fn one_key(method: &Method, errors: &mut Errors) {
    for (index, (key, _)) in keys(method).enumerate() {
        if index > 0 {
            let text = format!(
                "`{}` has a second `#[key]`, but one argument chooses the shard; keep one of them",
                method.sig.ident
            );
            errors.push(Code::KeyMismatch, key, text);
        }
        if key.path().is_ident("cfg_attr") {
            let text =
                "an actor is sharded under all conditions or under none; write a plain `#[key]`";
            errors.push(Code::StrayMark, key, text);
        } else if !matches!(key.meta, Meta::Path(_)) {
            let text = "`#[key]` takes no options; write `#[key]`";
            errors.push(Code::UnknownOption, key, text);
        }
    }
}

/// TPC027: every shard is not one shard.
fn all_without_key(method: &Method, flags: Flags, errors: &mut Errors) {
    if let (true, Some((key, _))) = (flags.all, keys(method).next()) {
        let text = format!(
            "`{}` runs on every shard, so no key chooses one; remove `#[key]` or `all`",
            method.sig.ident
        );
        errors.push(Code::AllWithKey, key, text);
    }
}

/// TPC005: an actor has one type of key, compared as it is written.
fn same_key_type(method: &Method, facts: &Facts, errors: &mut Errors) {
    let (Some((_, found)), Some((other, expected))) = (keys(method).next(), &facts.key) else {
        return;
    };
    let own = source(&types::without_self(found, &facts.actor));
    if own != source(expected) && !matches!(found, Type::Reference(_)) {
        let text = format!(
            "the key of `{}` is `{own}`, but that of `{other}` is `{}`; \
             use one type for all keys of an actor, written the same way",
            method.sig.ident,
            source(expected)
        );
        errors.push(Code::KeyMismatch, found, text);
    }
}

/// TPC004: once an actor is sharded, a request must know where to go.
fn says_which_shard(method: &Method, flags: Flags, facts: &Facts, errors: &mut Errors) {
    if facts.key.is_some() && !flags.all && keys(method).next().is_none() {
        let name = &method.sig.ident;
        let text = format!(
            "`{name}` does not say which shard runs it; \
             put `#[key]` on an argument, or write `#[handler(all)]` to run it on every shard"
        );
        errors.push(Code::NoShard, name, text);
    }
}

/// TPC012: an answer comes from one place.
fn reply_excludes(method: &Method, flags: Flags, params: &Params, errors: &mut Errors) {
    if params.reply.is_none() {
        return;
    }
    let name = &method.sig.ident;
    if flags.tell {
        let text = format!(
            "`{name}` is `tell`, so nobody waits for its `Reply`; remove `tell` or the parameter"
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
    let unit = matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty());
    (!unit).then_some(&**ty)
}
