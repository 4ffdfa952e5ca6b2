//! Roles that depend on a condition: `#[cfg_attr(feature = "x", handler)]`.
//!
//! Only rustc knows which conditions hold, so a method with such a role becomes two, under opposite
//! `#[cfg]`s.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote};

/// The ways in which a list of attributes may turn out, as far as `decides` asks about them.
pub(crate) fn versions(
    attrs: Vec<Attribute>,
    decides: &dyn Fn(&Attribute) -> bool,
) -> Vec<Vec<Attribute>> {
    let mut places = attrs.iter().enumerate();
    let found = places.find_map(|(at, attr)| Some((at, conditional(attr, decides)?)));
    let Some((at, (condition, given))) = found else { return vec![attrs] };
    let (mut with, mut without) = (attrs.clone(), attrs);
    with.splice(at..=at, std::iter::once(parse_quote!(#[cfg(#condition)])).chain(given));
    without[at] = parse_quote!(#[cfg(not(#condition))]);
    let mut all = versions(with, decides);
    all.extend(versions(without, decides));
    all
}

/// The condition and the attributes of a `#[cfg_attr(..)]` that contains what is asked for.
pub(crate) fn conditional(
    attr: &Attribute,
    decides: &dyn Fn(&Attribute) -> bool,
) -> Option<(TokenStream, Vec<Attribute>)> {
    let Meta::List(list) = &attr.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let (condition, metas) = parts.parse2(list.tokens.clone()).ok()?;
    let given: Vec<Attribute> = metas.into_iter().map(|meta| parse_quote!(#[#meta])).collect();
    let inside = |attr: &Attribute| decides(attr) || conditional(attr, decides).is_some();
    given.iter().any(inside).then_some((condition, given))
}

fn parts(input: ParseStream<'_>) -> syn::Result<(TokenStream, Punctuated<Meta, Token![,]>)> {
    let mut condition = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        condition.extend([input.parse::<TokenTree>()?]);
    }
    input.parse::<Token![,]>()?;
    let metas = Punctuated::parse_terminated(input)?;
    Ok((quote!(#condition), metas))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(attrs: &str) -> Vec<String> {
        let attrs = Attribute::parse_outer.parse_str(attrs).unwrap();
        let decides = |attr: &Attribute| attr.path().is_ident("handler");
        let versions = versions(attrs, &decides).into_iter();
        versions.map(|attrs| quote!(#(#attrs)*).to_string().replace(' ', "")).collect()
    }

    #[test]
    fn only_roles_make_versions() {
        let plain = "#[cfg(a)] #[cfg_attr(b, doc = \"c\")] #[handler] #[cfg_attr]";
        assert_eq!(shown(plain), [plain.replace(' ', "")]);
        assert_eq!(
            shown("#[inline] #[cfg_attr(all(a, not(b)), cold, handler(tell),)]"),
            [
                "#[inline]#[cfg(all(a,not(b)))]#[cold]#[handler(tell)]",
                "#[inline]#[cfg(not(all(a,not(b))))]",
            ]
        );
        assert_eq!(
            shown("#[cfg_attr(feature = \"a\", cfg_attr(true, handler))]"),
            [
                "#[cfg(feature=\"a\")]#[cfg(true)]#[handler]",
                "#[cfg(feature=\"a\")]#[cfg(not(true))]",
                "#[cfg(not(feature=\"a\"))]",
            ]
        );
    }
}
