//! Rules about arguments that travel in an allocation, to keep requests small.

use syn::Meta;

use super::handler::Flags;
use super::signature::Params;
use crate::codes::Code;
use crate::diag::Errors;
use crate::model::Arg;
use crate::parse::{Method, RoleAttr};

/// Whether all arguments of a handler go into one box; of one argument there is only its own.
pub(super) fn together(
    method: &Method,
    role: &RoleAttr,
    flags: Flags,
    params: &mut Params,
    errors: &mut Errors,
) -> bool {
    plain_marks(method, flags, errors);
    let mut arguments: Vec<&mut Arg> = params.arguments_mut().collect();
    match &mut *arguments {
        _ if !flags.boxed => false,
        [] => {
            let text = format!("`{}` has no arguments to box; remove `boxed`", method.sig.ident);
            errors.push(Code::NothingToBox, &role.attr, text);
            false
        }
        [only] => {
            only.boxed = true;
            false
        }
        several => {
            unconditional(several, errors);
            true
        }
    }
}

/// TPC038: an argument is boxed once and under all conditions.
fn plain_marks(method: &Method, flags: Flags, errors: &mut Errors) {
    for mark in method.params.iter().flat_map(|param| &param.boxed) {
        let plain = matches!(mark.meta, Meta::Path(_));
        let text = if flags.boxed {
            let name = &method.sig.ident;
            format!("all arguments of `{name}` are boxed; remove `#[boxed]` or the option")
        } else if plain {
            continue;
        } else {
            "`#[boxed]` has no options and no conditions; write `#[boxed]`".to_owned()
        };
        errors.push(Code::NothingToBox, mark, text);
    }
}

/// TPC038: what is in a box together cannot depend on conditions.
fn unconditional(arguments: &[&mut Arg], errors: &mut Errors) {
    if let Some(cfg) = arguments.iter().find_map(|arg| arg.cfgs.first()) {
        let text = "arguments under conditions cannot share a box; \
                    write `#[boxed]` on the large ones instead of `#[handler(boxed)]`";
        errors.push(Code::NothingToBox, cfg, text);
    }
}
