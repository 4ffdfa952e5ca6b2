//! Types in signatures: which ones can travel, and what `Self` means outside of the `impl` block.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, ExprPath, Lifetime, ParenthesizedGenericArguments, Path, PathSegment, QSelf, Token,
    TraitBound, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeNever, TypePath, TypeReference,
    parse_quote,
};

use crate::codes::Code;
use crate::diag::{Errors, source};

/// TPC010 and TPC011: a type must own what it holds and must have a name.
///
/// `what` is the subject of the message, like "the argument `key`". Says whether the type is fine.
pub(crate) fn owned_and_named(ty: &Type, what: &str, errors: &mut Errors) -> bool {
    let mut walk = Walk { found: None, inferred: false };
    walk.visit_type_mut(&mut ty.clone());
    if walk.inferred && walk.found.is_none() {
        errors.leave_to_rustc();
        return false;
    }
    let Some((code, fault)) = walk.found else { return true };
    let text = match code {
        Code::Borrowed => format!(
            "{what} borrows with `{fault}`, but it travels to another core; \
             take an owned type, such as `String` for `&str` or `Vec<T>` for `&[T]`"
        ),
        _ => {
            format!("{what} has the type `{fault}`, which no generated type can hold; name a type")
        }
    };
    errors.push(code, ty, text);
    false
}

/// The type as it reads where `Self` is something else than the actor.
pub(crate) fn without_self(ty: &Type, actor: &Path) -> Type {
    let mut ty = ty.clone();
    ReplaceSelf { actor }.visit_type_mut(&mut ty);
    ty
}

/// Finds the first reason why a type cannot be part of a message.
struct Walk {
    found: Option<(Code, String)>,
    /// Whether there is a `_`, which rustc refuses in any signature.
    inferred: bool,
}

impl Walk {
    fn report(&mut self, code: Code, fault: &impl ToTokens) {
        let text = source(fault);
        self.found.get_or_insert((code, text));
    }
}

impl VisitMut for Walk {
    fn visit_type_reference_mut(&mut self, ty: &mut TypeReference) {
        if ty.lifetime.is_none() {
            self.report(Code::Borrowed, ty);
        }
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            self.report(Code::Borrowed, lifetime);
        }
    }

    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        self.report(Code::Unnamed, ty);
    }

    fn visit_type_infer_mut(&mut self, _: &mut TypeInfer) {
        self.inferred = true;
    }

    fn visit_type_never_mut(&mut self, ty: &mut TypeNever) {
        self.report(Code::Unnamed, ty);
    }

    // What a constant computes does not travel.

    fn visit_expr_mut(&mut self, _: &mut Expr) {}

    // The signature of a function type may borrow; those lifetimes belong to each call of it.

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }

    fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
        if bound.lifetimes.is_none() {
            visit_mut::visit_trait_bound_mut(self, bound);
        }
    }
}

/// Puts the actor in the place of `Self`.
pub(crate) struct ReplaceSelf<'a> {
    pub(crate) actor: &'a Path,
}

impl ReplaceSelf<'_> {
    /// `Self::Item` of an actor with arguments is `<Actor<K>>::Item`, in types and in expressions.
    fn qualify(&self, qself: &mut Option<QSelf>, path: &mut Path) {
        let arguments = self.actor.segments.last().is_some_and(|last| !last.arguments.is_none());
        let starts = path.leading_colon.is_none() && path.segments[0].ident == "Self";
        if qself.is_some() || !starts || !arguments || path.segments.len() == 1 {
            return;
        }
        let actor = self.actor;
        let rest: Punctuated<PathSegment, Token![::]> =
            std::mem::take(&mut path.segments).into_iter().skip(1).collect();
        let qualified: TypePath = parse_quote!(<#actor>::#rest);
        (*qself, *path) = (qualified.qself, qualified.path);
    }
}

impl VisitMut for ReplaceSelf<'_> {
    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        self.qualify(&mut ty.qself, &mut ty.path);
        visit_mut::visit_type_path_mut(self, ty);
    }

    fn visit_expr_path_mut(&mut self, path: &mut ExprPath) {
        self.qualify(&mut path.qself, &mut path.path);
        visit_mut::visit_expr_path_mut(self, path);
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        let starts = path.segments.first().is_some_and(|first| first.ident == "Self");
        if path.leading_colon.is_none() && starts {
            let rest = std::mem::take(&mut path.segments).into_iter().skip(1);
            *path = self.actor.clone();
            path.segments.extend(rest);
        }
        visit_mut::visit_path_mut(self, path);
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn faults() {
        for (ty, expected) in [
            ("String", None),
            ("&'static str", None),
            ("Cow<'static, [u8]>", None),
            ("Box<dyn Fn(&str) -> &u8 + Send>", None),
            ("fn(&str) -> &str", None),
            ("Box<dyn for<'a> Visit<'a>>", None),
            ("&str", Some(Code::Borrowed)),
            ("Option<&mut u8>", Some(Code::Borrowed)),
            ("Cow<'a, str>", Some(Code::Borrowed)),
            ("Cow<'_, str>", Some(Code::Borrowed)),
            ("[&u8; 2]", Some(Code::Borrowed)),
            ("[u8; { let bytes: &[_] = b\"ab\"; bytes.len() }]", None),
            ("impl Into<String>", Some(Code::Unnamed)),
            ("Vec<_>", None),
            ("!", Some(Code::Unnamed)),
        ] {
            let mut walk = Walk { found: None, inferred: false };
            walk.visit_type_mut(&mut syn::parse_str(ty).unwrap());
            assert_eq!(walk.found.map(|(code, _)| code), expected, "{ty}");
        }
    }

    #[test]
    fn self_is_the_actor() {
        for (actor, ty, expected) in [
            (quote!(crate::Kv), quote!(Self), quote!(crate::Kv)),
            (quote!(Kv<K>), quote!([u8; Self::SIZE]), quote!([u8; <Kv<K>>::SIZE])),
            (quote!(Kv<K>), quote!(Vec<Self::Out>), quote!(Vec<<Kv<K>>::Out>)),
            (quote!(Kv<K>), quote!(<Self as Trait>::Out), quote!(<Kv<K> as Trait>::Out)),
            (quote!(crate::Kv), quote!(Option<(Self, u8)>), quote!(Option<(crate::Kv, u8)>)),
            (quote!(crate::Kv), quote!([u8; Self::SIZE]), quote!([u8; crate::Kv::SIZE])),
            (quote!(crate::Kv), quote!(<Self as Trait>::Out), quote!(<crate::Kv as Trait>::Out)),
            (quote!(crate::Kv), quote!(my::Selfish), quote!(my::Selfish)),
        ] {
            let actor: Path = syn::parse2(actor).unwrap();
            let replaced = without_self(&syn::parse2(ty).unwrap(), &actor);
            let tight = |tokens: proc_macro2::TokenStream| tokens.to_string().replace(' ', "");
            assert_eq!(tight(quote!(#replaced)), tight(expected));
        }
    }
}
