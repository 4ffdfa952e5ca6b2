//! Rules about parameters that do not travel: the context, and the reply that is to come later.

use syn::{PatType, Path, Type};

use super::signature::Params;
use super::{arguments, bare, is_named, types};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::model::Param;
use crate::parse;

/// TPC034: the context is borrowed, and it comes first.
pub(super) fn ctx_comes_first(typed: &PatType, first: bool, errors: &mut Errors) {
    if !matches!(bare(&typed.ty), Type::Reference(_)) {
        let text = "`Ctx` cannot be taken by value; write `cx: &mut Ctx<Self>`, \
                    and import a type of your own that has this name by another one";
        errors.push(Code::SpecialParameter, &typed.ty, text);
    } else if !first {
        let text = "`Ctx` is not the first parameter; move it to right after the receiver";
        errors.push(Code::SpecialParameter, typed, text);
    }
}

/// TPC034: at most one reply, and its type says what the answer is.
pub(super) fn reply_is_usable(
    typed: &PatType,
    actor: &Path,
    found: &mut Params,
    errors: &mut Errors,
) {
    if found.list.iter().any(|param| matches!(param, Param::Reply)) {
        let text = "there is a second `Reply`, but a request has one answer; remove one of them";
        errors.push(Code::SpecialParameter, typed, text);
        return;
    }
    if let Some([ty]) = arguments(&typed.ty).as_deref() {
        found.unusable |= !types::owned_and_named(ty, "the answer", errors);
        found.reply = Some(types::without_self(ty, actor));
    } else {
        // rustc has nothing to say about somebody else's `Reply`, be it an alias of ours.
        let text = format!(
            "`{}` does not say what is answered; write `Reply<T>`, \
             and import a type of your own that has this name by another one",
            source(&typed.ty)
        );
        errors.push(Code::SpecialParameter, &typed.ty, text);
        found.unusable = true;
    }
}

/// TPC034: under each condition a handler answers in one way.
pub(super) fn reply_is_certain(param: &parse::Param, errors: &mut Errors) {
    if let Some(cfg) = param.cfgs.first() {
        let text = "a handler answers in one way; write a handler for each condition instead";
        errors.push(Code::SpecialParameter, cfg, text);
    }
}

/// TPC034: a context by another name would be taken for something that travels.
pub(super) fn not_renamed(typed: &PatType, errors: &mut Errors) {
    let text = format!(
        "the context is known by its name only; write `&mut Ctx<Self>` instead of `{}`",
        source(&typed.ty)
    );
    errors.push(Code::SpecialParameter, &typed.ty, text);
}

/// Whether a type is one that is borrowed and about the actor, as a context is.
pub(super) fn is_ctx_renamed(ty: &Type) -> bool {
    let Type::Reference(reference) = bare(ty) else { return false };
    reference.mutability.is_some()
        && matches!(arguments(&reference.elem).as_deref(), Some([about]) if is_named(about, "Self"))
}

pub(super) fn is_ctx(ty: &Type) -> bool {
    match bare(ty) {
        Type::Reference(reference) => is_named(&reference.elem, "Ctx"),
        other => is_named(other, "Ctx"),
    }
}
