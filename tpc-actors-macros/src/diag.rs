//! Collects diagnostics, so that one compilation shows all mistakes of an item at once.

use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Attribute;

use crate::codes::Code;

/// The mistakes found so far, in source order; it insists on being read.
#[derive(Debug)]
#[must_use = "errors that nobody reads let a broken program through"]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// Mistakes under conditions of which only rustc knows whether they hold.
    conditional: TokenStream,
    /// Whether rustc has something to say that need not be said twice.
    left_to_rustc: bool,
    read: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            found: Vec::new(),
            conditional: TokenStream::new(),
            left_to_rustc: false,
            read: false,
        }
    }

    /// Reports a mistake; `text` says what is wrong and then what to write instead.
    pub(crate) fn push(&mut self, code: Code, at: impl ToTokens, text: impl Display) {
        self.found.push(syn::Error::new_spanned(at, format!("{}: {text}", code.id())));
    }

    /// Reports what is a mistake if `cfgs` hold.
    pub(crate) fn push_if(
        &mut self,
        cfgs: &[Attribute],
        code: Code,
        at: impl ToTokens,
        text: impl Display,
    ) {
        let error = syn::Error::new_spanned(at, format!("{}: {text}", code.id()));
        let error = error.to_compile_error();
        self.conditional.extend(quote!(#(#cfgs)* #error));
    }

    /// Reports what the parser stumbled over; `hint` shows the form that it expects.
    pub(crate) fn syntax(&mut self, code: Code, error: &syn::Error, hint: &str) {
        let text = format!("{}: {error}; {hint}", code.id());
        self.found.push(syn::Error::new(error.span(), text));
    }

    /// Notes a mistake that rustc reports well, and at the same place.
    pub(crate) fn leave_to_rustc(&mut self) {
        self.left_to_rustc = true;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && !self.left_to_rustc
    }

    /// One `compile_error!` per mistake.
    pub(crate) fn finish(mut self) -> TokenStream {
        self.read = true;
        let certain: TokenStream = self.found.iter().map(syn::Error::to_compile_error).collect();
        let conditional = std::mem::take(&mut self.conditional);
        quote!(#certain #conditional)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        // A second panic would abort and hide the first one.
        assert!(self.read || thread::panicking(), "errors were dropped without being read");
    }
}

/// Tokens as people write them, for a message.
pub(crate) fn source(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (wide, narrow) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        (" : ", ": "),
        ("& ", "&"),
    ] {
        text = text.replace(wide, narrow);
    }
    text
}

/// Quotes names for a message: "`a`, `b` and `c`".
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The known name that `wrong` was probably meant to be.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |name: &&str| distance(wrong, name);
    let best = known.iter().copied().min_by_key(near)?;
    // A third of the letters may be wrong; beyond that a guess confuses more than it helps.
    let tolerance = 1 + best.len() / 4;
    (distance(wrong, best) <= tolerance).then_some(best)
}

/// Number of inserted, removed or replaced letters between two words.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["event", "capacity", "supervise"];
        for (wrong, meant) in [
            ("capcity", Some("capacity")),
            ("capacities", Some("capacity")),
            ("supervice", Some("supervise")),
            ("events", Some("event")),
            ("evnet", Some("event")),
            ("mailbox", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(wrong, &known), meant, "{wrong}");
        }
        assert_eq!(did_you_mean("anything", &[]), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn tokens_read_like_source() {
        for text in [
            "Vec<Option<u8>>",
            "std::io::Result<()>",
            "(u8, [u8; 4])",
            "&'static str",
            "&mut self",
            "fn(&u8) -> u8",
            "HashMap<String, dyn Fn(u8)>",
            "impl Into<String>",
            "<S as Storage>::Key",
        ] {
            let tokens: TokenStream = text.parse().unwrap();
            assert_eq!(source(&tokens).replace("Fn (", "Fn(").replace("fn (", "fn("), text);
        }
    }

    #[test]
    #[should_panic(expected = "without being read")]
    fn unread_errors_are_a_bug_of_the_macro() {
        drop(Errors::new());
    }
}
