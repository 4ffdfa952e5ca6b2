//! The only stage with opinions: parsed items become a model, and everything wrong with them is
//! said.
//!
//! Rules report and go on, so several mistakes show at once. What is still understandable ends up
//! in the model, because uses of it elsewhere should not light up as well.

mod batch;
mod boxes;
mod handler;
mod hooks;
mod key;
mod options;
mod pressure;
mod signature;
mod special;
mod supervision;
mod types;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::visit_mut::VisitMut as _;
use syn::{
    GenericArgument, Item, ItemImpl, ItemStruct, Lifetime, Meta, Path, PathArguments, Type,
    Visibility,
};

use crate::codes::Code;
use crate::diag::{Errors, source};
use crate::generics::{self, Generics, MakeStatic};
use crate::krate::Krate;
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
    /// Functions with `#[init]` so far; `bool` says that a `#[cfg]` decides about it.
    inits: Vec<bool>,
}

/// Validates the struct half.
pub(crate) fn settings(
    item: &ItemStruct,
    args: TokenStream,
    krate: Krate,
    errors: &mut Errors,
) -> SettingsModel {
    let mut model = defaults(&item.ident, &item.vis, &item.generics, krate);
    options::settings(args, &mut model, errors);
    model
}

/// Validates anything that is neither a struct nor an `impl` block, which is always TPC021.
pub(crate) fn other(item: &Item, krate: Krate, errors: &mut Errors) -> Option<SettingsModel> {
    let (kind, found) = match item {
        Item::Enum(item) => {
            ("an enum", Some(defaults(&item.ident, &item.vis, &item.generics, krate)))
        }
        Item::Union(item) => {
            ("a union", Some(defaults(&item.ident, &item.vis, &item.generics, krate)))
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
    krate: Krate,
    errors: &mut Errors,
) -> Option<ActorModel> {
    options_on_impl(args, errors);
    let (path, generics) = inherent_impl(item, errors)?;
    let ident = path.segments.last()?.ident.clone();
    let mut model = ActorModel {
        names: Names::of(&ident),
        actor: path.clone(),
        inits: Vec::new(),
        handlers: Vec::new(),
        timers: Vec::new(),
        maintenance: Vec::new(),
        checkpoints: Vec::new(),
        on_stops: Vec::new(),
        key: None,
        deprecated: item.methods().any(|method| !method.roles.is_empty() && deprecated(method)),
        complete: true,
        ident,
        generics,
        krate,
    };
    let key = key::first(item, &path);
    model.key = key.as_ref().map(|(_, ty)| ty.clone());
    let mut facts = Facts { actor: path, key, variants: Vec::new(), inits: Vec::new() };
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
        if !method.elsewhere {
            signature::no_keys(method, errors);
        }
        return;
    };
    signature::one_role(method, errors);
    if method.elsewhere && method.roles.len() > 1 {
        return;
    }
    signature::not_async(method, errors);
    signature::not_qualified(method, errors);
    signature::not_generic(method, errors);
    match first.role {
        Role::Handler => model.handlers.extend(handler::validate(method, first, facts, errors)),
        Role::Init => {
            model.inits.extend(hooks::init(method, first, facts, errors));
        }
        Role::Every => model.timers.extend(hooks::every(method, first, errors)),
        Role::Maintenance => {
            model.maintenance.extend(hooks::maintenance(method, first, errors));
        }
        Role::Checkpoint => {
            let hook = hooks::checkpoint(method, first, &model.checkpoints, errors);
            model.checkpoints.push(hook);
        }
        Role::OnStop => {
            let hook = hooks::on_stop(method, first, &model.on_stops, errors);
            model.on_stops.push(hook);
        }
    }
}

fn defaults(
    ident: &Ident,
    vis: &Visibility,
    declared: &syn::Generics,
    krate: Krate,
) -> SettingsModel {
    SettingsModel {
        names: Names::of(ident),
        ident: ident.clone(),
        actor: generics::actor(ident, declared),
        generics: Generics::of(declared),
        krate,
        vis: vis.clone(),
        event: None,
        capacity: None,
        max_request_bytes: None,
        deadline: None,
        pressure: None,
        serde: false,
        supervise: None,
        watchdog: None,
    }
}

fn deprecated(method: &Method) -> bool {
    let says_so = |tokens: TokenStream| {
        tokens
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(name) if name == "deprecated"))
    };
    method.attrs.iter().any(|attr| match &attr.meta {
        // Under a condition of which only rustc knows whether it holds.
        Meta::List(list) if attr.path().is_ident("cfg_attr") => says_so(list.tokens.clone()),
        _ => attr.path().is_ident("deprecated"),
    })
}

/// TPC021: the actor's path and parameters, if the `impl` block is an inherent one of a struct.
fn inherent_impl(item: &ActorImpl, errors: &mut Errors) -> Option<(Path, Generics)> {
    let header = &item.header;
    if let Some((of, _)) = &header.trait_ {
        let text = "`#[core_actor]` cannot read the impl of a trait; \
                    put it on the inherent `impl` block that has the handlers";
        errors.push(Code::WrongItem, of, text);
        return None;
    }
    let ty = match &*header.self_ty {
        Type::Path(ty) if ty.qself.is_none() => ty,
        other => {
            let text = "an actor is a struct; write its name after `impl`";
            errors.push(Code::WrongItem, other, text);
            return None;
        }
    };
    let path = without_lifetimes(header, &ty.path, errors);
    let mut generics = Generics::of_impl(&header.generics, &path)?;
    generics.visit(&mut types::ReplaceSelf { actor: &path });
    Some((path, generics))
}

/// TPC022: nothing that an actor holds ends before it does.
fn without_lifetimes(header: &ItemImpl, actor: &Path, errors: &mut Errors) -> Path {
    let borrowed = |found: &&Lifetime| found.ident != "static";
    let lifetimes = actor.segments.last().into_iter().flat_map(|last| lifetimes(&last.arguments));
    if let Some(lifetime) = lifetimes.into_iter().find(borrowed) {
        let text = format!(
            "`{lifetime}` would end some day, but a core keeps its actors as long as it likes; \
             write `'static` in its place, as in `impl {}<'static>`",
            source(&actor.segments.last().map(|last| &last.ident))
        );
        errors.push(Code::BorrowingActor, lifetime, text);
    }
    let names = header.generics.lifetimes().map(|param| param.lifetime.ident.clone()).collect();
    let mut actor = actor.clone();
    MakeStatic { names: &names }.visit_path_mut(&mut actor);
    actor
}

fn lifetimes(arguments: &PathArguments) -> Vec<&Lifetime> {
    let PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    let lifetimes = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    });
    lifetimes.collect()
}

/// TPC031: the policy belongs to the struct; where the runtime is, each half says for itself.
fn options_on_impl(args: TokenStream, errors: &mut Errors) {
    let Some(list) = options::parsed(args, errors) else { return };
    for option in &list {
        if option.name == "crate" {
            options::runtime(option, errors);
            continue;
        }
        let text = "options of `#[core_actor]` belong on the struct; \
                    move them there and write `#[core_actor]` on the `impl` block";
        errors.push(Code::OptionsOnImpl, &option.name, text);
    }
}

/// The type within parentheses, and within the groups of types that a `macro_rules!` has passed on.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// The last name of a path type; what it leads to is unknowable here.
fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match bare(ty) {
        Type::Path(ty) => ty.path.segments.last(),
        _ => None,
    }
}

/// The types between the angle brackets of a type, if there is nothing else.
fn arguments(ty: &Type) -> Option<Vec<&Type>> {
    let PathArguments::AngleBracketed(list) = &last_segment(ty)?.arguments else { return None };
    let types = list.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// Whether the last name of a type is `name`.
fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident.unraw() == name)
}
