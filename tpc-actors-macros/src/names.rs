//! Every generated identifier is formed here.
//!
//! Generated names are located at the user's name, so that editors find their way back, but
//! resolved like the macro's own tokens: lints then treat them as generated.

use std::ffi::OsStr;
use std::path::Path;

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::PathSegment;
use syn::ext::IdentExt as _;

/// Names of client methods that do not come from a handler.
pub(crate) const RESERVED: [&str; 5] = ["ordered", "shards", "shard_of", "clone", "inner"];

/// Words that no identifier can be, not even a raw one.
const NEVER_IDENTIFIERS: [&str; 5] = ["self", "Self", "super", "crate", "_"];

/// What the items around an actor are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) request: Ident,
    pub(crate) response: Ident,
    pub(crate) client: Ident,
    pub(crate) pinned: Ident,
    /// The macro that carries the struct's visibility to the impl half. Its name is what rustc says
    /// when the struct half is missing.
    pub(crate) visibility: Ident,
    /// The same macro under a name that no other actor's has: macros of a module are seen by the modules
    /// below it, and of two with one name rustc would take neither.
    pub(crate) carrier: Ident,
}

impl Names {
    pub(crate) fn of(actor: &Ident) -> Self {
        let (base, span) = (actor.unraw(), generated(actor.span()));
        Self {
            request: format_ident!("{base}Request", span = span),
            response: format_ident!("{base}Response", span = span),
            client: format_ident!("{base}Client", span = span),
            pinned: format_ident!("{base}Pinned", span = span),
            visibility: format_ident!("__needs_core_actor_on_struct_{base}", span = span),
            carrier: format_ident!("__core_actor_{base}_{}", place(), span = span),
        }
    }

    /// The path of the visibility macro, which lives in the module of the struct.
    pub(crate) fn visibility_path(&self, actor: &syn::Path) -> syn::Path {
        let mut path = actor.clone();
        path.segments.pop();
        path.segments.push(PathSegment::from(self.visibility.clone()));
        path
    }
}

/// Where the attribute stands, as part of a name.
fn place() -> String {
    if !proc_macro::is_available() {
        return "here".to_owned();
    }
    let site = proc_macro::Span::call_site();
    let file = site.file();
    let stem = Path::new(&file).file_stem().map(OsStr::to_string_lossy).unwrap_or_default();
    let word: String = stem
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    format!("{word}_{}_{}", site.line(), site.column())
}

/// The place of `span` with the resolution of generated code.
pub(crate) fn generated(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// The same name as generated code; raw identifiers stay raw.
pub(crate) fn method(handler: &Ident) -> Ident {
    let mut ident = handler.clone();
    ident.set_span(generated(handler.span()));
    ident
}

/// The variant of a handler, or nothing when its name has no letters to make one of.
pub(crate) fn variant(handler: &Ident) -> Option<Ident> {
    let name = camel_case(&handler.unraw().to_string());
    let usable = name.starts_with(char::is_alphabetic) && name != "Self";
    usable.then(|| Ident::new(&name, generated(handler.span())))
}

/// The name that an argument has outside of its method, or nothing when only a number is left.
///
/// A leading underscore says that the *body* does not use it; for callers that means nothing.
pub(crate) fn field(argument: &Ident) -> Option<Ident> {
    let plain = argument.unraw().to_string();
    let plain = plain.trim_start_matches('_');
    if NEVER_IDENTIFIERS.contains(&plain) || !plain.starts_with(char::is_alphabetic) {
        return None;
    }
    // `gen` is a word of its own since the 2024 edition, which the parser cannot know about.
    if plain == "gen" || syn::parse_str::<Ident>(plain).is_err() {
        return Some(Ident::new_raw(plain, argument.span()));
    }
    Some(Ident::new(plain, argument.span()))
}

/// The field of an argument without a usable name.
pub(crate) fn numbered_field(index: usize, span: Span) -> Ident {
    format_ident!("arg{index}", span = span)
}

fn camel_case(snake: &str) -> String {
    let capitalized = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    };
    snake.split('_').map(capitalized).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        syn::parse_str(name).unwrap()
    }

    #[test]
    fn variants_are_camel_case() {
        for (handler, expected) in [
            ("get", Some("Get")),
            ("used_bytes", Some("UsedBytes")),
            ("usedBytes", Some("UsedBytes")),
            ("_private__name_", Some("PrivateName")),
            ("r#async", Some("Async")),
            ("get_2nd", Some("Get2nd")),
            ("größe_öffnen", Some("GrößeÖffnen")),
            ("self_", None),
            ("__", None),
            ("_1", None),
        ] {
            let found = variant(&ident(handler)).map(|variant| variant.to_string());
            assert_eq!(found.as_deref(), expected, "{handler}");
        }
    }

    #[test]
    fn fields_lose_their_underscores() {
        for (argument, expected) in [
            ("key", Some("key")),
            ("_key", Some("key")),
            ("__a_b", Some("a_b")),
            ("r#type", Some("r#type")),
            ("_type", Some("r#type")),
            ("_gen", Some("r#gen")),
            ("_self", None),
            ("_1", None),
            ("__", None),
        ] {
            let found = field(&ident(argument)).map(|field| field.to_string());
            assert_eq!(found.as_deref(), expected, "{argument}");
        }
    }

    #[test]
    fn types_are_named_after_the_actor() {
        let names = Names::of(&ident("r#Kv"));
        assert_eq!(names.request, "KvRequest");
        assert_eq!(names.response, "KvResponse");
        assert_eq!(names.client, "KvClient");
        assert_eq!(names.pinned, "KvPinned");
        assert_eq!(names.visibility, "__needs_core_actor_on_struct_Kv");
    }

    #[test]
    fn the_visibility_macro_lives_beside_the_struct() {
        let actor: syn::Path = syn::parse_str("crate::store::Kv").unwrap();
        let path = Names::of(&ident("Kv")).visibility_path(&actor);
        let text = quote::quote!(#path).to_string();
        assert_eq!(text, "crate :: store :: __needs_core_actor_on_struct_Kv");
    }
}
