//! Rules about handlers that take their messages in batches.

use syn::{GenericArgument, PathArguments, Type};

use super::handler::{Flags, returned};
use super::signature::Params;
use super::{arguments, is_named, last_segment};
use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::model::{Arg, Param};
use crate::parse::args::Opt;
use crate::parse::{Method, Role};

/// TPC041: what is batched is one argument, and its type says what travels and what is answered.
///
/// The argument's type becomes that of a member, which is what a caller gives. Here is the type of the
/// answers, if there are some.
pub(super) fn members(
    method: &Method,
    flags: Flags,
    params: &mut Params,
    errors: &mut Errors,
) -> Option<Type> {
    let name = &method.sig.ident;
    let form = if flags.tell { "Batch<T>" } else { "Batch<T, Reply<R>>" };
    if flags.batch.is_none() {
        let answered = |arg: &&mut Arg| matches!(arguments(&arg.ty).as_deref(), Some([_, reply]) if is_named(reply, "Reply"));
        if let Some(arg) = params.arguments_mut().find(answered) {
            let text = format!(
                "`{name}` takes a `Batch` but has no option `batch`; write `#[handler(batch = 64)]`"
            );
            errors.push(Code::BatchShape, &arg.ty, text);
        }
        return None;
    }
    if params.list.iter().any(|param| matches!(param, Param::Reply)) && !flags.tell {
        let text = format!(
            "`{name}` answers the members of a batch one by one; remove `Reply` and write `{form}`"
        );
        errors.push(Code::BatchShape, name, text);
        return None;
    }
    if let (false, Some(ty)) = (flags.tell, returned(method)) {
        let text = format!(
            "`{name}` answers through the tokens of its batch; remove the return type and take a `{form}`"
        );
        errors.push(Code::BatchShape, ty, text);
        return None;
    }
    let mut arguments_of_method: Vec<&mut Arg> = params.arguments_mut().collect();
    let [arg] = &mut *arguments_of_method else {
        let text = format!(
            "`{name}` has the option `batch`, so it takes one argument besides `cx`; write `{form}`, \
             where `T` may be a tuple or a struct"
        );
        errors.push(Code::BatchShape, name, text);
        return None;
    };
    if let Some(cfg) = arg.cfgs.first() {
        let text =
            "a batch is taken under all conditions; write a handler for each condition instead";
        errors.push(Code::BatchShape, cfg, text);
        return None;
    }
    let found = arguments(&arg.ty).filter(|_| is_named(&arg.ty, "Batch"));
    let answer = match (found.as_deref(), flags.tell) {
        (Some([_]), true) => None,
        (Some([_, reply]), false) if is_named(reply, "Reply") => {
            match arguments(reply).as_deref() {
                Some([answer]) => Some((*answer).clone()),
                _ => return wrong_type(arg, form, errors),
            }
        }
        _ => return wrong_type(arg, form, errors),
    };
    if let Some([message, ..]) = found.as_deref() {
        arg.ty = (*message).clone();
    }
    answer
}

fn wrong_type(arg: &Arg, form: &str, errors: &mut Errors) -> Option<Type> {
    let text = format!("a batch cannot be taken as `{}`; write `{form}`", source(&arg.ty));
    errors.push(Code::BatchShape, &arg.ty, text);
    None
}

/// What travels of an argument's type.
pub(super) fn message<'a>(method: &Method, ty: &'a Type) -> &'a Type {
    let option = |option: &Opt| option.name == "batch";
    let batched = method.roles.iter().any(|role| {
        role.role == Role::Handler && Opt::of(&role.attr).is_ok_and(|list| list.iter().any(option))
    });
    let member = || match &last_segment(ty)?.arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(member) => Some(member),
                _ => None,
            })
        }
        _ => None,
    };
    let member = if batched && is_named(ty, "Batch") { member() } else { None };
    member.unwrap_or(ty)
}
