//! Rules about `#[key]`: what of a request chooses its shard.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{Attribute, FnArg, Member, Meta, Path, Token, Type};

use super::handler::Flags;
use super::{Facts, bare, batch, types};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::model::Key;
use crate::parse::{ActorImpl, Method, Role};

/// The first `#[key]` of the actor; all others are measured by it.
pub(super) fn first(item: &ActorImpl, actor: &Path) -> Option<(Ident, Type)> {
    let is_handler =
        |method: &&Method| method.roles.first().is_some_and(|first| first.role == Role::Handler);
    item.methods().filter(is_handler).find_map(|method| {
        // A borrowed key is refused on its own account; others should not have to agree with it.
        let (_, ty) = keys(method).find(|(_, ty)| !matches!(bare(ty), Type::Reference(_)))?;
        Some((method.sig.ident.clone(), types::without_self(&ty, actor)))
    })
}

/// What a `#[key]` takes of its argument.
pub(super) fn chosen(key: &Attribute) -> Key {
    field(key).map_or(Key::Whole, |(member, _)| Key::Field(member))
}

/// The field in `#[key(id: u64)]`, and its type.
///
/// The type is there for the compiler to compare: nobody else knows it before the expansion is typed, and keys of
/// different types would lead to different shards.
fn field(key: &Attribute) -> Option<(Member, Type)> {
    let field = |input: ParseStream<'_>| {
        let member = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((member, input.parse()?))
    };
    key.parse_args_with(field).ok()
}

/// The arguments with `#[key]`, and the type of what chooses the shard.
fn keys(method: &Method) -> impl Iterator<Item = (&Attribute, Type)> {
    method.params.iter().flat_map(|param| {
        let argument = match &param.arg {
            FnArg::Typed(typed) => Some(batch::message(method, &typed.ty)),
            FnArg::Receiver(_) => None,
        };
        param.keys.iter().filter_map(move |key| {
            let argument = argument?;
            Some((key, field(key).map_or_else(|| argument.clone(), |(_, ty)| ty)))
        })
    })
}

/// Applies all rules to a handler.
pub(super) fn validate(method: &Method, flags: Flags, facts: &Facts, errors: &mut Errors) {
    one_key(method, errors);
    all_without_key(method, flags, errors);
    same_key_type(method, facts, errors);
    says_which_shard(method, flags, facts, errors);
}

/// TPC005, TPC010, TPC011 and TPC015: one argument routes, as a whole or by a field of its own.
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
        } else if let Some((_, ty)) = field(key) {
            types::owned_and_named(&ty, "the key", errors);
        } else if !matches!(key.meta, Meta::Path(_)) {
            let text = "a key is an argument or a field of it; \
                        write `#[key]`, or the field and its type as in `#[key(id: u64)]`";
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
    let (own, expected) = (source(&types::without_self(&found, &facts.actor)), source(expected));
    if own != expected && !matches!(bare(&found), Type::Reference(_)) {
        let text = format!(
            "the key of `{}` is `{own}`, but that of `{other}` is `{expected}`; \
             use one type for all keys of an actor, written the same way, \
             be it that of a field of the argument, as in `#[key(id: u64)]`",
            method.sig.ident,
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
