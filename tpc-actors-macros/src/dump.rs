//! `TPC_ACTORS_DUMP=Actor cargo build` prints what the attribute makes of an actor.
//!
//! The struct half mentions the variable in its expansion, so that cargo compiles the crate again
//! when it changes.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;

/// The variable: an actor's name, or `*` for all of them.
pub(crate) const VARIABLE: &str = "TPC_ACTORS_DUMP";

/// Prints one half of an actor, if anyone wants to see it.
pub(crate) fn half(actor: &Ident, half: &str, expansion: impl FnOnce() -> TokenStream) {
    let Ok(wanted) = env::var(VARIABLE) else { return };
    if is_wanted(&wanted, &actor.unraw().to_string()) {
        // Like all that a compiler says, it goes where it does not mix with a program's output.
        eprintln!("{}", shown(actor, half, &expansion().to_string()));
    }
}

fn is_wanted(wanted: &str, actor: &str) -> bool {
    wanted.split(',').map(str::trim).any(|name| name == actor || name == "*")
}

fn shown(actor: &Ident, half: &str, expansion: &str) -> String {
    let text = formatted(expansion);
    let text = text.as_deref().unwrap_or(expansion);
    format!("// What `#[core_actor]` adds to the {half} of `{actor}`.\n{text}")
}

/// The tokens as `rustfmt` writes them, where it is installed: people who look at this have it, and
/// everybody else should not have to compile a formatter.
fn formatted(tokens: &str) -> Option<String> {
    let mut rustfmt = Command::new(env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into()))
        .args(["--edition", "2024", "--config", "normalize_doc_attributes=true"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // What it prints is read only after it has read everything, so it must not depend on that.
    rustfmt.stdin.take()?.write_all(tokens.as_bytes()).ok()?;
    let output = rustfmt.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_chosen_by_name() {
        for (wanted, actor, expected) in
            [("Kv", "Kv", true), ("A, Kv", "Kv", true), ("*", "Kv", true), ("Kv", "KvShard", false)]
        {
            assert_eq!(is_wanted(wanted, actor), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_shown_names_its_half() {
        let actor: Ident = syn::parse_quote!(Kv);
        let text = shown(&actor, "struct", "struct A { a : u8 }");
        assert!(text.starts_with("// What `#[core_actor]` adds to the struct of `Kv`.\n"));
        assert!(text.contains("struct A"));
    }
}
