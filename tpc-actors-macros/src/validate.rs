//! The only stage with opinions: parsed items become a model, and everything wrong with them is
//! said.
//!
//! Rules report and go on, so several mistakes show at once. What is still understandable ends up
//! in the model, because uses of it elsewhere should not light up as well.

mod handler;
mod hooks;
mod options;
mod signature;
mod types;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Item, ItemStruct, Path, Type, Visibility};

use crate::codes::Code;
use crate::diag::Errors;
use crate::model::{ActorModel, SettingsModel};
use crate::names::Names;
use crate::parse::{ActorImpl, Method, Role};

/// What the rules for one method need to know of the others.
struct Facts {
    actor: Path,
    /// The first key in the `impl` block, with the handler it belongs to.
    key: Option<(Ident, Type)>,
    /// Handlers seen so far by their variants; `bool` says that a `#[cfg]` decides about it.
    variants: Vec<(Ident, Ident, bool)>,
    init_seen: bool,
    on_stop_seen: bool,
}

/// Validates the struct half. Nothing is left of a generic actor.
pub(crate) fn settings(
    item: &ItemStruct,
    args: TokenStream,
    errors: &mut Errors,
) -> Option<SettingsModel> {
    if !item.generics.params.is_empty() {
        generic_actor(&item.generics.params, errors);
        return None;
    }
    let mut model = defaults(&item.ident, &item.vis);
    options::settings(args, &mut model, errors);
    Some(model)
}

/// Validates anything that is neither a struct nor an `impl` block, which is always TPC021.
pub(crate) fn other(item: &Item, errors: &mut Errors) -> Option<SettingsModel> {
    let (kind, found) = match item {
        Item::Enum(item) => {
            let plain = item.generics.params.is_empty();
            ("an enum", plain.then(|| defaults(&item.ident, &item.vis)))
        }
        Item::Union(item) => {
            let plain = item.generics.params.is_empty();
            ("a union", plain.then(|| defaults(&item.ident, &item.vis)))
        }
        Item::Fn(_) => ("a function", None),
        Item::Mod(_) => ("a module", None),
        Item::Trait(_) => ("a trait", None),
        _ => ("this item", None),
    };
    let text = format!(
        "`#[core_actor]` cannot make an actor of {kind}; \
         put it on a struct and on the inherent `impl` block of that struct"
    );
    // Whole items are long; their first token is enough to point at.
    let at = item.to_token_stream().into_iter().next();
    errors.push(Code::WrongItem, at, text);
    found
}

/// Validates the impl half. Nothing is left of an `impl` that cannot be an actor's.
pub(crate) fn actor(
    item: &ActorImpl,
    args: TokenStream,
    errors: &mut Errors,
) -> Option<ActorModel> {
    options_on_impl(args, errors);
    let path = inherent_impl(item, errors)?;
    let ident = path.segments.last()?.ident.clone();
    let mut model = ActorModel {
        names: Names::of(&ident),
        actor: path.clone(),
        init: None,
        handlers: Vec::new(),
        timers: Vec::new(),
        on_stop: None,
        key: None,
        deprecated: item.methods().any(|method| !method.roles.is_empty() && deprecated(method)),
        complete: true,
        ident,
    };
    let key = handler::first_key(item, &path);
    model.key = key.as_ref().map(|(_, ty)| ty.clone());
    let mut facts =
        Facts { actor: path, key, variants: Vec::new(), init_seen: false, on_stop_seen: false };
    hooks::init_exists(item, &model.ident, errors);
    for method in item.methods() {
        validate_method(method, &mut facts, &mut model, errors);
    }
    model.complete = errors.is_empty();
    Some(model)
}

fn validate_method(
    method: &Method,
    facts: &mut Facts,
    model: &mut ActorModel,
    errors: &mut Errors,
) {
    let Some(first) = method.roles.first() else {
        signature::no_keys(method, errors);
        return;
    };
    signature::one_role(method, errors);
    signature::not_async(method, errors);
    signature::not_qualified(method, errors);
    signature::not_generic(method, errors);
    match first.role {
        Role::Handler => model.handlers.extend(handler::validate(method, first, facts, errors)),
        Role::Init => {
            let init = hooks::init(method, first, facts, errors);
            model.init = model.init.take().or(init);
        }
        Role::Every => model.timers.extend(hooks::every(method, first, errors)),
        Role::OnStop => {
            let hook = hooks::on_stop(method, first, facts, errors);
            model.on_stop = model.on_stop.take().or(Some(hook));
        }
    }
}

fn defaults(actor: &Ident, vis: &Visibility) -> SettingsModel {
    SettingsModel {
        names: Names::of(actor),
        actor: actor.clone(),
        vis: vis.clone(),
        event: None,
        capacity: None,
        supervise: None,
    }
}

fn deprecated(method: &Method) -> bool {
    method.attrs.iter().any(|attr| attr.path().is_ident("deprecated"))
}

/// TPC021 and TPC022: the actor's path, if the `impl` block is an inherent one of a plain type.
fn inherent_impl(item: &ActorImpl, errors: &mut Errors) -> Option<Path> {
    let header = &item.header;
    if let Some((of, _)) = &header.trait_ {
        let text = "`#[core_actor]` cannot read the impl of a trait; \
                    put it on the inherent `impl` block that has the handlers";
        errors.push(Code::WrongItem, of, text);
        return None;
    }
    if !header.generics.params.is_empty() {
        generic_actor(&header.generics.params, errors);
        return None;
    }
    match &*header.self_ty {
        Type::Path(ty) if ty.qself.is_none() => {
            if ty.path.segments.iter().all(|segment| segment.arguments.is_none()) {
                return Some(ty.path.clone());
            }
            generic_actor(ty, errors);
        }
        other => {
            let text = "an actor is a struct; write its name after `impl`";
            errors.push(Code::WrongItem, other, text);
        }
    }
    None
}

/// TPC022: actors have no parameters.
fn generic_actor(at: impl ToTokens, errors: &mut Errors) {
    let text = "generic actors are not supported; \
                make the actor concrete or put the generic part behind an enum or a `Box<dyn ..>`";
    errors.push(Code::GenericActor, at, text);
}

/// TPC031: the policy belongs to the struct.
fn options_on_impl(args: TokenStream, errors: &mut Errors) {
    if !args.is_empty() {
        let text = "options of `#[core_actor]` belong on the struct; \
                    move them there and write `#[core_actor]` on the `impl` block";
        errors.push(Code::OptionsOnImpl, args, text);
    }
}

/// The last name of a path type; what it leads to is unknowable here.
fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(ty) => ty.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// Whether the last name of a type is `name`.
fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident.unraw() == name)
}
