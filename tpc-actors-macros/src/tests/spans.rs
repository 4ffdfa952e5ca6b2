//! Where generated code says that it is: editors and messages go there.

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};
use syn::ImplItem;
use syn::visit::{self, Visit};

use super::expand;
use super::snapshots::visible;

const ACTOR: &str = "impl Kv {
    #[init] fn new() -> Self { Self }
    #[handler] fn get(&self, key: u64) -> Option<u8> { self.map.get(key).missing_one() }
    #[handler(tell)] fn put(&mut self, #[boxed] page: Page) { another(broken) }
}";

/// The place of a text in the actor.
fn place(of: &str) -> LineColumn {
    let at = ACTOR.find(of).expect("it is in the actor");
    let before = &ACTOR[..at];
    let line = before.matches('\n').count() + 1;
    LineColumn { line, column: at - before.rfind('\n').map_or(0, |end| end + 1) }
}

fn start(span: Span) -> LineColumn {
    span.start()
}

/// Collects the places of methods and variants by name.
#[derive(Default)]
struct Places {
    owner: String,
    methods: Vec<(String, String, LineColumn)>,
    variants: Vec<(String, LineColumn)>,
}

impl<'a> Visit<'a> for Places {
    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.owner = quote::quote!(#item).to_string();
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item(&mut self, item: &'a ImplItem) {
        if let ImplItem::Fn(item) = item {
            let name = item.sig.ident.to_string();
            self.methods.push((self.owner.clone(), name, start(item.sig.ident.span())));
        }
    }

    fn visit_variant(&mut self, variant: &'a syn::Variant) {
        self.variants.push((variant.ident.to_string(), start(variant.ident.span())));
    }
}

#[test]
fn methods_and_variants_lead_to_the_handler() {
    let file: syn::File = syn::parse2(visible(expand("", ACTOR))).expect("items");
    let mut places = Places::default();
    places.visit_file(&file);
    for handle in ["impl KvClient {", "impl KvPinned {"] {
        for (handler, at) in [("get", place("get(&self")), ("put", place("put(&mut"))] {
            let mut found = places
                .methods
                .iter()
                .filter(|(owner, name, _)| owner.contains(handle) && name == handler);
            assert_eq!(found.next().map(|(_, _, place)| *place), Some(at), "{handle} {handler}");
        }
    }
    for (variant, at) in [("Get", place("get(&self")), ("Put", place("put(&mut"))] {
        let found: Vec<_> = places.variants.iter().filter(|(name, _)| name == variant).collect();
        assert!(!found.is_empty() && found.iter().all(|(_, place)| *place == at), "{variant}");
    }
}

#[test]
fn bodies_and_types_keep_their_places() {
    let expansion = expand("", ACTOR);
    for word in ["missing_one", "another", "broken", "Page"] {
        let places = places_of(word, expansion.clone());
        assert!(!places.is_empty() && places.iter().all(|found| *found == place(word)), "{word}");
    }
}

/// All places at which a word of an expansion says that it is.
fn places_of(word: &str, tokens: TokenStream) -> Vec<LineColumn> {
    let places = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => places_of(word, group.stream()),
        TokenTree::Ident(ident) if ident == word => vec![start(ident.span())],
        _ => Vec::new(),
    });
    places.collect()
}
