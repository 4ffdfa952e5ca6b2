//! Rules about `#[key]`: what of a request chooses its shard.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, Meta, Path, Type};

use super::handler::Flags;
use super::{Facts, batch, types};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::parse::{ActorImpl, Method, Role};

/// The first `#[key]` of the actor; all others are measured by it.
pub(super) fn first(item: &ActorImpl, actor: &Path) -> Option<(Ident, Type)> {
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

/// Applies all rules to a handler.
pub(super) fn validate(method: &Method, flags: Flags, facts: &Facts, errors: &mut Errors) {
    one_key(method, errors);
    all_without_key(method, flags, errors);
    same_key_type(method, facts, errors);
    says_which_shard(method, flags, facts, errors);
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
