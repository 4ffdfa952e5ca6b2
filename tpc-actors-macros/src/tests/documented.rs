//! What the documentation of the attributes leaves out, nobody finds.

use super::{expand, messages};

/// The documentation of one of the attributes.
fn documentation(attribute: &str) -> String {
    let source = include_str!("../lib.rs");
    let (before, _) = source.split_once(&format!("\npub fn {attribute}(")).expect("the attribute");
    let lines = before.lines().rev().skip_while(|line| !line.starts_with("///"));
    lines.take_while(|line| line.starts_with("///")).collect::<Vec<_>>().join("\n")
}

/// The options that the message about an unknown one lists.
fn options(args: &str, item: &str) -> Vec<String> {
    let message = messages(&expand(args, item)).pop().expect("an unknown option");
    let (_, list) = message.split_once("the options are ").expect("a list of options");
    list.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn every_option_is_documented() {
    let handler =
        "impl A { #[init] fn new() -> Self { Self } #[handler(qqqqqqqqqq)] fn a(&self) {} }";
    for (attribute, options) in
        [("core_actor", options("qqqqqqqqqq", "struct A;")), ("handler", options("", handler))]
    {
        let documentation = documentation(attribute);
        assert!(options.len() > 4, "the options are told otherwise: {options:?}");
        for option in options {
            let forms = ["`", "(", ", "].map(|before| format!("{before}{option}"));
            let told = forms.iter().any(|form| documentation.contains(form));
            assert!(told, "`{option}` of `{attribute}`");
        }
    }
}
