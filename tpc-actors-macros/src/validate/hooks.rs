//! Rules about `#[init]`, `#[every]`, `#[maintenance]`, `#[checkpoint]` and `#[on_stop]`.

use proc_macro2::{Ident, TokenStream};
use syn::{Meta, ReturnType, parse_quote};

use super::handler::returned;
use super::{Facts, is_named, options, signature};
use crate::codes::Code;
use crate::diag::Errors;
use crate::duration;
use crate::model::{Hook, Init, Maintenance, Param, Timer};
use crate::parse::args;
use crate::parse::{ActorImpl, Method, Role, RoleAttr};

/// TPC008: there must be a way to build the state.
pub(crate) fn init_exists(item: &ActorImpl, actor: &Ident, errors: &mut Errors) {
    let is_init = |method: &Method| method.roles.iter().any(|found| found.role == Role::Init);
    if !item.methods().any(is_init) {
        let text = format!(
            "`{actor}` has no `#[init]`; add `#[init] fn new(..) -> Self {{ .. }}`, \
             with an optional first parameter `cx: &mut Ctx<Self>`; \
             if another `impl` block has one, move what has a role over there"
        );
        errors.push(Code::InitCount, actor, text);
    }
}

/// The rules of the function that builds the state.
pub(crate) fn init(
    method: &Method,
    role: &RoleAttr,
    facts: &mut Facts,
    errors: &mut Errors,
) -> Vec<Init> {
    let name = &method.sig.ident;
    no_options(role, errors);
    let second = is_second(method, facts.inits.iter().copied());
    facts.inits.push(is_conditional(method));
    if second {
        let text =
            format!("`{name}` is a second `#[init]`; an actor is built in one way, keep one");
        errors.push(Code::InitCount, &role.attr, text);
    }
    if let Some(receiver) = method.sig.receiver() {
        let text = format!("`{name}` builds the actor, so there is no `self` yet; remove it");
        errors.push(Code::Receiver, receiver, text);
    }
    let params = signature::params(method, &facts.actor, errors);
    signature::no_keys_on_values(method, errors);
    if params.reply.is_some() {
        let text = format!("nobody asked for `{name}`, so it has no `Reply`; remove the parameter");
        errors.push(Code::SpecialParameter, &method.sig.inputs, text);
    }
    returns_the_actor(method, facts, errors);
    let cx = signature::takes_cx(&params);
    let args = params.list.into_iter().filter_map(|param| match param {
        Param::Value(arg) => Some(*arg),
        Param::Ctx(_) | Param::Reply => None,
    });
    let usable = !params.unusable && method.sig.generics.params.is_empty();
    let returns = method.sig.output.clone();
    if !usable {
        return Vec::new();
    }
    let (method, cfgs) = (name.clone(), method.named("cfg"));
    with_and_without(Init { method, cfgs, cx, args: args.collect(), returns })
}

/// One way to build the state for each way in which the conditions of its arguments may turn out:
/// the type of all arguments together cannot have conditions inside.
fn with_and_without(init: Init) -> Vec<Init> {
    let Some(at) = init.args.iter().position(|arg| !arg.cfgs.is_empty()) else { return vec![init] };
    let (mut with, mut without) = (init.clone(), init);
    let conditions: Vec<_> = without.args.remove(at).cfgs;
    let predicates = conditions.iter().map(|cfg| match &cfg.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    });
    without.cfgs.push(parse_quote!(#[cfg(not(all(#(#predicates),*)))]));
    with.cfgs.extend(conditions);
    with.args[at].cfgs.clear();
    let mut all = with_and_without(with);
    all.extend(with_and_without(without));
    all
}

/// The rules of a method that runs at intervals.
pub(crate) fn every(method: &Method, role: &RoleAttr, errors: &mut Errors) -> Option<Timer> {
    let interval = match args::text(&role.attr) {
        None => {
            let text = format!("`#[every]` needs an interval; {}", duration::FORMS);
            errors.push(Code::BadDuration, &role.attr, text);
            None
        }
        Some(text) => match duration::parse(&text.value()) {
            Ok(interval) => Some(interval),
            Err(fault) => {
                errors.push(Code::BadDuration, &text, format!("\"{}\" {fault}", text.value()));
                None
            }
        },
    };
    let hook = hook(method, errors);
    interval.map(|interval| Timer { hook, interval })
}

/// The rules of a method that runs in slices.
pub(crate) fn maintenance(
    method: &Method,
    role: &RoleAttr,
    errors: &mut Errors,
) -> Option<Maintenance> {
    let name = &method.sig.ident;
    let (interval, budget) = options::slices(&role.attr, errors);
    signature::borrows_self(method, errors);
    let cx = signature::only_cx(method, errors);
    let fine = returned(method).is_some_and(|ty| is_named(ty, "Work"));
    if !fine {
        let text = format!(
            "`{name}` does not say whether it has more to do; write `-> Work`, and answer `Work::More` or \
             `Work::Done`"
        );
        match returned(method) {
            Some(ty) => errors.push(Code::SliceShape, ty, text),
            None => errors.push(Code::SliceShape, name, text),
        }
    }
    let hook = Hook { method: name.clone(), cfgs: method.named("cfg"), cx };
    interval.map(|interval| Maintenance { hook, interval, budget })
}

/// The rules of the method that writes the state down; what it returns is for rustc to judge.
pub(crate) fn checkpoint(
    method: &Method,
    role: &RoleAttr,
    earlier: &[Hook],
    errors: &mut Errors,
) -> Hook {
    no_options(role, errors);
    let name = &method.sig.ident;
    if is_second(method, earlier.iter().map(|hook| !hook.cfgs.is_empty())) {
        let text =
            format!("`{name}` is a second `#[checkpoint]`; keep one and call the other from it");
        errors.push(Code::CheckpointTwice, &role.attr, text);
    }
    signature::borrows_self(method, errors);
    let cx = signature::only_cx(method, errors);
    Hook { method: name.clone(), cfgs: method.named("cfg"), cx }
}

/// The rules of the method that runs at the end.
pub(crate) fn on_stop(
    method: &Method,
    role: &RoleAttr,
    earlier: &[Hook],
    errors: &mut Errors,
) -> Hook {
    no_options(role, errors);
    if is_second(method, earlier.iter().map(|hook| !hook.cfgs.is_empty())) {
        let text = format!(
            "`{}` is a second `#[on_stop]`; keep one and call the other from it",
            method.sig.ident
        );
        errors.push(Code::OnStopTwice, &role.attr, text);
    }
    hook(method, errors)
}

/// Whether there is one already; of those `earlier`, whether a `#[cfg]` decides about them. Two under opposite conditions
/// are one; rustc knows whether they are.
fn is_second(method: &Method, mut earlier: impl Iterator<Item = bool>) -> bool {
    let conditional = is_conditional(method);
    earlier.any(|other| !(conditional && other))
}

fn is_conditional(method: &Method) -> bool {
    !method.named("cfg").is_empty()
}

/// TPC028: the runtime has nothing to give to a hook and nothing to do with an answer.
fn hook(method: &Method, errors: &mut Errors) -> Hook {
    let name = &method.sig.ident;
    signature::borrows_self(method, errors);
    let cx = signature::only_cx(method, errors);
    if let Some(ty) = returned(method) {
        let text = format!("nobody would see what `{name}` returns; remove the return type");
        errors.push(Code::HookShape, ty, text);
    }
    Hook { method: name.clone(), cfgs: method.named("cfg"), cx }
}

/// TPC035: what comes out must be the actor.
fn returns_the_actor(method: &Method, facts: &Facts, errors: &mut Errors) {
    let name = &method.sig.ident;
    let actor = facts.actor.segments.last().map(|segment| segment.ident.to_string());
    match &method.sig.output {
        ReturnType::Default => {
            let text = format!("`{name}` returns nothing; write `-> Self` or `-> Result<Self, E>`");
            errors.push(Code::InitReturn, name, text);
        }
        ReturnType::Type(_, ty) => {
            let fine = is_named(ty, "Self")
                || is_named(ty, "Result")
                || actor.is_some_and(|actor| is_named(ty, &actor));
            if !fine {
                let text = format!(
                    "`{name}` does not return the actor; write `-> Self` or `-> Result<Self, E>`"
                );
                errors.push(Code::InitReturn, ty, text);
            }
        }
    }
}

/// TPC015: some roles have nothing to choose.
fn no_options(role: &RoleAttr, errors: &mut Errors) {
    if !matches!(role.attr.meta, Meta::Path(_)) {
        let name = role.role.name();
        let text = format!("`#[{name}]` takes no options; write `#[{name}]`");
        errors.push(Code::UnknownOption, &role.attr, text);
    }
}
