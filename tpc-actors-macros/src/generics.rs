//! The parameters of an actor, as the items around it repeat them.
//!
//! An actor lives as long as its core, so every type parameter of it is `'static`, whether the user
//! says so or not. For the same reason no lifetime is left.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, GenericParam, ImplGenerics, Lifetime, Path,
    PathArguments, PathSegment, Type, TypeGenerics, TypeParamBound, WhereClause, WherePredicate,
};

/// Type and const parameters with their bounds, in the order of the actor's own arguments.
#[derive(Clone, Default)]
pub(crate) struct Generics {
    inner: syn::Generics,
}

impl Generics {
    /// What is left of a list of parameters: lifetimes are `'static`, defaults and attributes gone.
    pub(crate) fn of(declared: &syn::Generics) -> Self {
        let mut inner = declared.clone();
        let names: HashSet<Ident> =
            declared.lifetimes().map(|param| param.lifetime.ident.clone()).collect();
        MakeStatic { names: &names }.visit_generics_mut(&mut inner);
        inner.params = inner.params.into_iter().filter_map(plain).collect();
        if let Some(clause) = &mut inner.where_clause {
            let predicates = std::mem::take(&mut clause.predicates).into_iter();
            let about_types =
                |found: &WherePredicate| !matches!(found, WherePredicate::Lifetime(_));
            clause.predicates = predicates.filter(about_types).collect();
        }
        live_forever(&mut inner);
        Self { inner }
    }

    /// As [`of`](Self::of) for an `impl` block, in the order in which `actor` takes them; nothing
    /// when `actor` does not take them all, which rustc refuses on its own.
    pub(crate) fn of_impl(declared: &syn::Generics, actor: &Path) -> Option<Self> {
        let mut generics = Self::of(declared);
        let words = words(actor.to_token_stream());
        let place = |param: &GenericParam| words.iter().position(|word| word == name(param));
        let params = std::mem::take(&mut generics.inner.params).into_iter();
        let mut placed: Vec<_> =
            params.map(|param| Some((place(&param)?, param))).collect::<Option<_>>()?;
        placed.sort_by_key(|(place, _)| *place);
        generics.inner.params = placed.into_iter().map(|(_, param)| param).collect();
        Some(generics)
    }

    /// The parameters where they are declared, where they are used, and what is demanded of them.
    pub(crate) fn split(&self) -> (ImplGenerics<'_>, TypeGenerics<'_>, Option<&WhereClause>) {
        self.inner.split_for_impl()
    }

    /// Names of the type parameters.
    pub(crate) fn types(&self) -> Vec<&Ident> {
        self.inner.type_params().map(|param| &param.ident).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.params.is_empty()
    }

    /// Changes what is demanded of the parameters.
    pub(crate) fn visit(&mut self, visitor: &mut impl VisitMut) {
        visitor.visit_generics_mut(&mut self.inner);
    }
}

/// The struct as an actor: with its own parameters for arguments and `'static` for lifetimes.
pub(crate) fn actor(ident: &Ident, declared: &syn::Generics) -> Path {
    let mut segment = PathSegment::from(ident.clone());
    if !declared.params.is_empty() {
        let arguments: Punctuated<GenericArgument, _> =
            declared.params.iter().map(argument).collect();
        segment.arguments = PathArguments::AngleBracketed(AngleBracketedGenericArguments {
            colon2_token: None,
            lt_token: <_>::default(),
            args: arguments,
            gt_token: <_>::default(),
        });
    }
    segment.into()
}

/// Replaces the lifetimes of a list by `'static`.
pub(crate) struct MakeStatic<'a> {
    pub(crate) names: &'a HashSet<Ident>,
}

impl VisitMut for MakeStatic<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.names.contains(&lifetime.ident) || lifetime.ident == "_" {
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }

    // What a list declares stays what it is; only uses of it change.
    fn visit_lifetime_param_mut(&mut self, _: &mut syn::LifetimeParam) {}
}

/// A parameter as generated items declare it; they have no lifetimes.
fn plain(param: GenericParam) -> Option<GenericParam> {
    match param {
        GenericParam::Lifetime(_) => None,
        GenericParam::Const(mut param) => {
            param.attrs.clear();
            param.default = None;
            Some(GenericParam::Const(param))
        }
        GenericParam::Type(mut param) => {
            param.attrs.clear();
            param.default = None;
            Some(GenericParam::Type(param))
        }
    }
}

/// Says of all type parameters what goes without saying, where the user has said other things.
pub(crate) fn live_forever(generics: &mut syn::Generics) {
    let mut clause = generics.where_clause.take();
    for param in generics.type_params_mut() {
        let ident = &param.ident;
        let predicates = clause.iter_mut().flat_map(|clause| &mut clause.predicates);
        let mut about = predicates.filter_map(|predicate| match predicate {
            WherePredicate::Type(found) if is_named(&found.bounded_ty, ident) => Some(found),
            _ => None,
        });
        let bounds = match about.next() {
            Some(found) if param.bounds.is_empty() => &mut found.bounds,
            _ => {
                param.colon_token.get_or_insert_default();
                &mut param.bounds
            }
        };
        let forever = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static");
        if !bounds.iter().any(forever) {
            bounds.push(TypeParamBound::Lifetime(Lifetime::new("'static", Span::mixed_site())));
        }
    }
    generics.where_clause = clause;
}

fn is_named(ty: &Type, name: &Ident) -> bool {
    matches!(ty, Type::Path(ty) if ty.qself.is_none() && ty.path.is_ident(name))
}

fn argument(param: &GenericParam) -> GenericArgument {
    match param {
        GenericParam::Lifetime(_) => {
            GenericArgument::Lifetime(Lifetime::new("'static", Span::mixed_site()))
        }
        other => {
            let name = name(other);
            GenericArgument::Type(syn::parse_quote!(#name))
        }
    }
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Lifetime(param) => &param.lifetime.ident,
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
    }
}

/// All words of a stream, groups included, in order.
fn words(tokens: TokenStream) -> Vec<Ident> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(ident) => vec![ident],
        TokenTree::Group(group) => words(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn shown(generics: &Generics) -> String {
        let (declared, used, clause) = generics.split();
        quote!(#declared / #used / #clause).to_string().replace(' ', "")
    }

    #[test]
    fn parameters_of_a_struct() {
        for (item, actor_is, expected) in [
            ("struct A;", "A", "//"),
            ("struct A<T>(T);", "A<T>", "<T:'static>/<T>/"),
            ("struct A<T: Send + 'static = u8>(T);", "A<T>", "<T:Send+'static>/<T>/"),
            ("struct A<'a, T: Tr<'a>>(&'a T);", "A<'static,T>", "<T:Tr<'static>+'static>/<T>/"),
            (
                "struct A<'a, 'b: 'a, const N: usize = 1> where 'a: 'b { x: u8 }",
                "A<'static,'static,N>",
                "<constN:usize>/<N>/",
            ),
            (
                "struct A<T>(T) where T: for<'x> Fn(&'x u8);",
                "A<T>",
                "<T>/<T>/whereT:for<'x>Fn(&'xu8)+'static",
            ),
        ] {
            let item: syn::ItemStruct = syn::parse_str(item).unwrap();
            let path = actor(&item.ident, &item.generics);
            assert_eq!(quote!(#path).to_string().replace(' ', ""), actor_is);
            assert_eq!(shown(&Generics::of(&item.generics)), expected);
        }
    }

    #[test]
    fn parameters_come_in_the_order_of_the_actor() {
        for (item, expected) in [
            ("impl<B, const N: usize, A> X<A, Vec<B>, N> {}", Some("<A,B,N>")),
            ("impl X<u8> {}", Some("")),
            ("impl<A> X<u8> {}", None),
        ] {
            let item: syn::ItemImpl = syn::parse_str(item).unwrap();
            let Type::Path(ty) = &*item.self_ty else { panic!("a path") };
            let generics = Generics::of_impl(&item.generics, &ty.path);
            let used = generics
                .map(|generics| generics.split().1.to_token_stream().to_string().replace(' ', ""));
            assert_eq!(used.as_deref(), expected);
        }
    }
}
