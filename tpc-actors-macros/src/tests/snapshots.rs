//! Whole expansions as files that a person can read; `UPDATE_EXPECT=1` writes them anew.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::Item;

use super::{expand, words};

const KV_STRUCT: &str = r"
    /// One shard of the store.
    pub struct KvShard {
        map: HashMap<String, Vec<u8>>,
    }
";

const KV_ARGS: &str = r#"
    event = KvEvent,
    capacity = 1024,
    supervise(max = 5, within = "10s", backoff = "1ms..1s", then = stop),
"#;

const KV_IMPL: &str = r#"
    impl KvShard {
        #[init]
        fn new(_cx: &mut Ctx<Self>, budget: usize) -> Self {
            todo()
        }

        /// Reads a value.
        #[handler]
        fn get(&self, #[key] key: String) -> Option<Vec<u8>> {
            self.map.get(&key).cloned()
        }

        #[handler]
        fn put(
            &mut self,
            cx: &mut Ctx<Self>,
            #[key] key: String,
            value: Vec<u8>,
        ) -> Result<usize, KvError> {
            todo()
        }

        #[handler(tell)]
        fn touch(&mut self, #[key] _key: String) {}

        #[cfg(feature = "origin")]
        #[handler]
        fn load(
            &mut self,
            cx: &mut Ctx<Self>,
            #[key] key: String,
            reply: Reply<Result<usize, KvError>>,
        ) {
            todo()
        }

        /// Bytes in use.
        #[deprecated]
        #[handler(all)]
        fn used_bytes(&self) -> usize {
            todo()
        }

        #[handler(all, tell)]
        fn flush(&mut self, at: Instant) {}

        #[every("20ms")]
        fn sweep(&mut self, cx: &mut Ctx<Self>) {}

        #[on_stop]
        fn stopping(&mut self) {}

        fn helper(&self) {}
    }
"#;

/// Compares an expansion with the file of that name.
fn check(name: &str, args: &str, item: &str) {
    let file = syn::parse2(visible(expand(args, item))).expect("an expansion consists of items");
    let found = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand").join(name);
    if env::var_os("UPDATE_EXPECT").is_some_and(|wish| wish == "1") {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{name} differs; expected:\n{expected}\nfound:\n{found}");
}

/// Does what the visibility macro of a `pub struct` does.
pub(super) fn visible(expansion: TokenStream) -> TokenStream {
    let mut file: syn::File = syn::parse2(expansion).expect("an expansion consists of items");
    if !matches!(file.items.last(), Some(Item::Macro(item)) if item.ident.is_none()) {
        return quote!(#file);
    }
    let Some(Item::Macro(call)) = file.items.pop() else { panic!("a call of the macro") };
    // The first word says where the runtime is.
    let mut tokens = call.mac.tokens.into_iter().skip(1);
    for list in tokens.by_ref().take(2) {
        let TokenTree::Group(list) = list else { panic!("a list of items") };
        let mut items = list.stream().into_iter();
        while let Some(TokenTree::Group(attributes)) = items.next() {
            let Some(TokenTree::Group(item)) = items.next() else { panic!("an item") };
            let (attributes, item) = (attributes.stream(), item.stream());
            file.items.push(syn::parse2(quote!(#attributes pub #item)).expect("an item"));
        }
    }
    // Nor does the fingerprint come without being asked for.
    let others: TokenStream = tokens.skip(1).collect();
    quote!(#file #others)
}

#[test]
fn settings() {
    check("kv_struct.rs", KV_ARGS, KV_STRUCT);
}

#[test]
fn plain_settings() {
    check("plain_struct.rs", "", "struct Plain;");
}

#[test]
fn protocol() {
    check("kv_impl.rs", "", KV_IMPL);
}

#[test]
fn protocol_with_batches() {
    let item = "impl Wal {
        #[init] fn new() -> Self { Self }
        /// Makes a record durable.
        #[handler(batch = 64)]
        fn append(&mut self, cx: &mut Ctx<Self>, records: Batch<Vec<u8>, Reply<Result<u64, Full>>>) {}
        #[handler(tell, batch = 8, boxed)]
        fn note(&mut self, notes: Batch<Note>) {}
    }";
    check("wal_impl.rs", "", item);
}

#[test]
fn smallest_protocol() {
    check("plain_impl.rs", "", "impl Plain { #[init] fn new() -> Self { Self } }");
}

#[test]
fn protocol_with_a_mistake() {
    let item = "impl Plain {
        #[init] fn new(start: u8) -> Self { Self }
        #[handler] async fn late(&self, by: u8) -> u8 { by }
        #[handler] fn fine(&self) {}
    }";
    check("mistake_impl.rs", "", item);
}

#[test]
fn expansions_are_glue() {
    for (args, item) in [(KV_ARGS, KV_STRUCT), ("", KV_IMPL)] {
        let words = words(expand(args, item));
        for word in ["unsafe", "loop", "while", "in", "Mutex", "await", "unwrap", "panic", "std"] {
            assert!(!words.iter().any(|found| found == word), "`{word}` in an expansion");
        }
    }
}
