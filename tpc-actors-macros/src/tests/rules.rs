//! Each rule reports its code and nothing else, and the user's item survives.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};

use super::{expand, messages};
use crate::codes::Code;
use crate::core_actor::{core_actor, stray_role};
use crate::krate::Krate;
use crate::parse::Target;

/// Mistakes on a struct: the codes, the arguments, the item.
const STRUCTS: &[(&str, &str, &str)] = &[
    ("TPC015", "capcity = 1", "struct A;"),
    ("TPC015", "supervise(maximum = 1)", "struct A;"),
    ("TPC018", "supervise(within = 10)", "struct A;"),
    ("TPC018", "supervise(within = \"0s\")", "struct A;"),
    ("TPC018", "supervise(backoff = \"1ms\")", "struct A;"),
    ("TPC018", "supervise(backoff = \"1s..1ms\")", "struct A;"),
    ("TPC010", "event = &'a str", "struct A;"),
    ("TPC011", "event = impl Clone", "struct A;"),
    ("TPC021", "", "enum A { B }"),
    ("TPC021", "", "union A { a: u8 }"),
    ("TPC021", "", "fn a() {}"),
    ("TPC021", "", "mod a {}"),
    ("TPC021", "", "trait A {}"),
    ("TPC021", "", "const A: u8 = 1;"),
    ("TPC029", "capacity = 1, capacity = 2", "struct A;"),
    ("TPC029", "supervise(max = 1, max = 2)", "struct A;"),
    ("TPC030", "capacity = 0", "struct A;"),
    ("TPC030", "capacity = 16777217", "struct A;"),
    ("TPC030", "capacity = \"64\"", "struct A;"),
    ("TPC030", "capacity = 1u8", "struct A;"),
    ("TPC030", "capacity = -1", "struct A;"),
    ("TPC030", "capacity", "struct A;"),
    ("TPC030", "event", "struct A;"),
    ("TPC030", "max_request_bytes = 0", "struct A;"),
    ("TPC030", "max_request_bytes = x", "struct A;"),
    ("TPC030", "event = 5", "struct A;"),
    ("TPC030", "crate = 5", "struct A;"),
    ("TPC030", "crate", "struct A;"),
    ("TPC030", "supervise", "struct A;"),
    ("TPC030", "supervise()", "struct A;"),
    ("TPC030", "pressure()", "struct A;"),
    ("TPC030", "supervise(max = 5000000000)", "struct A;"),
    ("TPC030", "supervise(max = many)", "struct A;"),
    ("TPC030", "supervise(then = stopp)", "struct A;"),
    ("TPC030", "supervise(then)", "struct A;"),
    ("TPC030", "supervise(on_panic = retry)", "struct A;"),
    ("TPC030", "supervise(queue = drop)", "struct A;"),
    ("TPC015", "watchdog(cooldown = \"1s..2s\")", "struct A;"),
    ("TPC018", "watchdog(cool_down = \"1s\")", "struct A;"),
    ("TPC030", "watchdog = 3", "struct A;"),
    ("TPC030", "watchdog(failures = 0)", "struct A;"),
    ("TPC030", "watchdog(probes = many)", "struct A;"),
    ("TPC037", "capacity =", "struct A;"),
    ("TPC037", "capacity 64", "struct A;"),
    ("TPC015 TPC030 TPC018", "evnt = E, capacity = 0, supervise(within = \"1\")", "struct A;"),
];

/// Mistakes in an `impl` block that has an `#[init]` besides these members.
const MEMBERS: &[(&str, &str)] = &[
    ("TPC002", "#[handler] async fn a(&self) {}"),
    ("TPC002", "#[every(\"1s\")] async fn a(&self) {}"),
    ("TPC003", "#[handler(tell)] fn a(&self) -> u8 { 1 }"),
    ("TPC004", "#[handler] fn a(&self, #[key] k: u8) {} #[handler] fn b(&self) {}"),
    ("TPC005", "#[handler] fn a(&self, #[key] k: u8, #[key] l: u8) {}"),
    ("TPC005", "#[handler] fn a(&self, #[key] k: u8) {} #[handler] fn b(&self, #[key] k: u16) {}"),
    (
        "TPC005",
        "#[handler] fn a(&self, #[key(i: u8)] k: K) {} #[handler] fn b(&self, #[key] k: u16) {}",
    ),
    ("TPC008", "#[init] fn another() -> Self { Self }"),
    ("TPC010", "#[handler] fn a(&self, b: &str) {}"),
    ("TPC010", "#[handler] fn a(&self, b: Option<&mut u8>) {}"),
    ("TPC010", "#[handler] fn a(&self, b: Cow<'_, str>) {}"),
    ("TPC010", "#[handler] fn a(&self) -> &str { \"\" }"),
    ("TPC010", "#[handler] fn a(&self, reply: Reply<&str>) {}"),
    ("TPC010", "#[handler] fn a(&self, #[key] k: &str) {} #[handler] fn b(&self, #[key] k: u8) {}"),
    ("TPC011", "#[handler] fn a(&self, b: impl Clone) {}"),
    ("TPC011", "#[handler] fn a(&self) -> impl Clone { 1 }"),
    ("TPC011", "#[handler] fn a(&self) -> ! { loop {} }"),
    ("TPC012", "#[handler] fn a(&self, reply: Reply<u8>) -> u8 { 1 }"),
    ("TPC012", "#[handler(tell)] fn a(&self, reply: Reply<u8>) {}"),
    ("TPC012", "#[handler(tell)] fn a(&self, reply: Reply<u8>) -> u8 { 1 }"),
    ("TPC015", "#[handler(tel)] fn a(&self) {}"),
    ("TPC015", "#[handler(every_shard)] fn a(&self) {}"),
    ("TPC015", "#[on_stop(now)] fn a(&self) {}"),
    ("TPC015", "#[handler] fn a(&self, #[key(hash)] k: u8) {}"),
    ("TPC015", "#[handler] fn a(&self, #[key(a.b: u8)] k: K) {}"),
    ("TPC015", "#[handler] fn a(&self, #[key(a: u8, b: u8)] k: K) {}"),
    ("TPC015", "#[handler] fn a(&self, #[key = a] k: K) {}"),
    ("TPC010", "#[handler] fn a(&self, #[key(a: &str)] k: K) {}"),
    ("TPC011", "#[handler] fn a(&self, #[key(0: impl Hash)] k: K) {}"),
    ("TPC016", "#[handler] fn a<T>(&self, b: T) {}"),
    ("TPC016", "#[handler] fn a<'a>(&'a self) {}"),
    ("TPC016", "#[handler] fn a<const N: usize>(&self, b: [u8; N]) {}"),
    ("TPC016", "#[handler] fn a(&self) where u8: Copy {}"),
    ("TPC017", "#[handler] fn clone(&self) {}"),
    ("TPC017", "#[handler] fn shard_of(&self) {}"),
    ("TPC017", "#[handler] fn self_(&self) {}"),
    ("TPC017", "#[handler] fn __(&self) {}"),
    ("TPC017", "#[handler] fn a_b(&self) {} #[handler] fn aB(&self) {}"),
    ("TPC018", "#[every] fn a(&self) {}"),
    ("TPC018", "#[every(20)] fn a(&self) {}"),
    ("TPC018", "#[every(\"0ms\")] fn a(&self) {}"),
    ("TPC018", "#[every(\"20 ms\")] fn a(&self) {}"),
    ("TPC023", "#[handler] const fn a(&self) {}"),
    ("TPC023", "#[handler] unsafe fn a(&self) {}"),
    ("TPC023", "#[handler] extern \"C\" fn a(&self) {}"),
    ("TPC024", "#[handler] fn a() {}"),
    ("TPC024", "#[handler] fn a(self) {}"),
    ("TPC024", "#[handler] fn a(mut self, b: u8) {}"),
    ("TPC024", "#[handler] fn a(self: Box<Self>) {}"),
    ("TPC024", "#[every(\"1s\")] fn a() {}"),
    ("TPC024", "#[on_stop] fn a(self) {}"),
    ("TPC025", "#[handler] fn a(&self, (b, c): (u8, u8)) {}"),
    ("TPC025", "#[handler] fn a(&self, ref b: u8) {}"),
    ("TPC025", "#[handler] fn a(&self, b @ _: u8) {}"),
    ("TPC026", "#[handler] #[on_stop] fn a(&self) {}"),
    ("TPC026", "#[handler] #[handler] fn a(&self) {}"),
    ("TPC027", "#[handler(all)] fn a(&self, #[key] k: u8) {}"),
    ("TPC028", "#[every(\"1s\")] fn a(&self, b: u8) {}"),
    ("TPC028", "#[on_stop] fn a(&self, cx: &mut Ctx<Self>, b: u8) {}"),
    ("TPC028", "#[every(\"1s\")] fn a(&self) -> u8 { 1 }"),
    ("TPC029", "#[handler(tell, tell)] fn a(&self) {}"),
    ("TPC030", "#[handler(tell = true)] fn a(&self) {}"),
    ("TPC015", "#[maintenance(every = \"1s\", pause = \"1s\")] fn a(&self) -> Work { b }"),
    ("TPC018", "#[maintenance] fn a(&self) -> Work { b }"),
    ("TPC018", "#[maintenance(every = \"1\")] fn a(&self) -> Work { b }"),
    ("TPC018", "#[maintenance(every = \"1s\", budget = 5)] fn a(&self) -> Work { b }"),
    ("TPC030", "#[maintenance(every = \"1s\", budget = \"2s\")] fn a(&self) -> Work { b }"),
    ("TPC030", "#[maintenance(budget = \"1001ms\", every = \"1s\")] fn a(&self) -> Work { b }"),
    ("TPC028", "#[maintenance(every = \"1s\")] fn a(&self, b: u8) -> Work { c }"),
    ("TPC037", "#[maintenance(\"1s\")] fn a(&self) -> Work { b }"),
    ("TPC050", "#[maintenance(every = \"1s\")] fn a(&self) {}"),
    ("TPC050", "#[maintenance(every = \"1s\")] fn a(&self) -> bool { true }"),
    ("TPC015", "#[checkpoint(now)] fn a(&self) {}"),
    ("TPC028", "#[checkpoint] fn a(&self, b: u8) {}"),
    ("TPC051", "#[checkpoint] fn a(&self) {} #[checkpoint] fn b(&self) {}"),
    ("TPC032", "#[on_stop] fn a(&self) {} #[on_stop] fn b(&self) {}"),
    ("TPC033", "fn a(&self, #[key] k: u8) {}"),
    ("TPC033", "#[handler] fn a(#[key] &self) {}"),
    ("TPC033", "#[handler] fn a(&self, #[key] #[cfg(x)] k: u8) {}"),
    ("TPC033", "#[handler] fn a(&self, #[cfg_attr(x, key)] k: u8) {}"),
    ("TPC033", "#[handler] fn a(&self, #[key] cx: &mut Ctx<Self>) {}"),
    ("TPC033", "#[handler] fn a(&self, #[key] reply: Reply<u8>) {}"),
    ("TPC033", "#[on_stop] fn a(&self, #[key] cx: &mut Ctx<Self>) {}"),
    ("TPC034", "#[handler] fn a(&self, b: u8, cx: &mut Ctx<Self>) {}"),
    ("TPC034", "#[handler] fn a(&self, cx: Ctx<Self>) {}"),
    ("TPC034", "#[handler] fn a(&self, b: u8, cx: Ctx) {}"),
    ("TPC034", "#[handler] fn a(&self, cx: &mut Context<Self>) {}"),
    ("TPC034", "#[on_stop] fn a(&self, cx: &mut Context<Self>) {}"),
    ("TPC034", "#[handler] fn a(&self, reply: Reply) {}"),
    ("TPC034", "#[handler] fn a(&self, reply: Reply<A, B>) {}"),
    ("TPC034", "#[handler] fn a(&self, a: Reply<u8>, b: Reply<u8>) {}"),
    ("TPC034", "#[handler] fn a(&self, #[cfg(x)] reply: Reply<u8>) {}"),
    ("TPC034", "#[on_stop] fn a(&self, cx: &mut Ctx<Self>, cy: &mut Ctx<Self>) {}"),
    ("TPC033", "fn a(&self, #[boxed] k: u8) {}"),
    ("TPC033", "#[handler] fn a(&self, #[boxed] cx: &mut Ctx<Self>) {}"),
    ("TPC038", "#[handler(boxed)] fn a(&self) {}"),
    ("TPC038", "#[handler(boxed)] fn a(&self, #[boxed] b: u8) {}"),
    ("TPC038", "#[handler(boxed)] fn a(&self, #[cfg(x)] b: u8, c: u8) {}"),
    ("TPC038", "#[handler] fn a(&self, #[boxed(5)] b: u8) {}"),
    ("TPC038", "#[handler] fn a(&self, #[cfg_attr(x, boxed)] b: u8) {}"),
    ("TPC036", "#[handler] fn a(&self, b: u8, _b: u8) {}"),
    ("TPC037", "#[handler = 5] fn a(&self) {}"),
    ("TPC037", "#[handler(tell all)] fn a(&self) {}"),
    ("TPC030", "#[handler(batch = 0)] fn a(&self, b: Batch<u8, Reply<u8>>) {}"),
    ("TPC030", "#[handler(batch)] fn a(&self, b: Batch<u8, Reply<u8>>) {}"),
    ("TPC030", "#[handler(batch = 16777217)] fn a(&self, b: Batch<u8, Reply<u8>>) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: u8) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8>) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8, u8>) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8, Reply>) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8, Reply<u8>>, c: u8) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8, Reply<u8>>) -> u8 { 1 }"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, b: Batch<u8>, c: Reply<u8>) {}"),
    ("TPC041", "#[handler(batch = 8)] fn a(&self, #[cfg(x)] b: Batch<u8, Reply<u8>>) {}"),
    ("TPC041", "#[handler(tell, batch = 8)] fn a(&self, b: Batch<u8, Reply<u8>>) {}"),
    ("TPC041", "#[handler] fn a(&self, b: Batch<u8, Reply<u8>>) {}"),
    ("TPC003", "#[handler(tell, batch = 8)] fn a(&self, b: Batch<u8>) -> u8 { 1 }"),
    ("TPC018", "#[handler(deadline = 5)] fn a(&self) {}"),
    ("TPC043", "#[handler(tell, deadline = \"5ms\")] fn a(&self) {}"),
    ("TPC010", "#[handler(batch = 8)] fn a(&self, b: Batch<&str, Reply<u8>>) {}"),
    (
        "TPC002 TPC024 TPC010 TPC018 TPC003",
        "#[handler] async fn a(self, b: &str) {} fn plain(&self) {} \
         #[every(\"x\")] fn b(&self) {} #[handler(tell)] fn c(&self) -> u8 { 1 }",
    ),
];

/// Mistakes of `impl` blocks as a whole, and of `#[init]`.
const IMPLS: &[(&str, &str, &str)] = &[
    ("TPC031", "capacity = 1", "impl A { #[init] fn new() -> Self { Self } }"),
    ("TPC008", "", "impl A {}"),
    (
        "TPC008",
        "",
        "impl A { #[cfg(a)] #[init] fn new() -> Self { Self } #[init] fn b() -> Self { Self } }",
    ),
    ("TPC021", "", "impl Clone for A { fn clone(&self) -> Self { A } }"),
    ("TPC021", "", "impl [A] {}"),
    ("TPC022", "", "impl<'a> A<'a> { #[init] fn new() -> Self { Self } }"),
    ("TPC022", "", "impl<T> A<'_, T> { #[init] fn new() -> Self { Self } }"),
    ("TPC030", "crate = \"a\"", "impl A { #[init] fn new() -> Self { Self } }"),
    ("TPC037", "crate a", "impl A { #[init] fn new() -> Self { Self } }"),
    ("TPC002", "", "impl A { #[init] async fn new() -> Self { Self } }"),
    ("TPC010", "", "impl A { #[init] fn new(a: &str) -> Self { Self } }"),
    ("TPC015", "", "impl A { #[init(now)] fn new() -> Self { Self } }"),
    ("TPC016", "", "impl A { #[init] fn new<T>(a: T) -> Self { Self } }"),
    ("TPC024", "", "impl A { #[init] fn new(&self) -> Self { Self } }"),
    ("TPC025", "", "impl A { #[init] fn new((a, b): (u8, u8)) -> Self { Self } }"),
    ("TPC033", "", "impl A { #[init] fn new(#[key] a: u8) -> Self { Self } }"),
    ("TPC034", "", "impl A { #[init] fn new(a: u8, cx: &mut Ctx<Self>) -> Self { Self } }"),
    ("TPC034", "", "impl A { #[init] fn new(reply: Reply<u8>) -> Self { Self } }"),
    ("TPC034", "", "impl A { #[init] fn new(reply: Reply) -> Self { Self } }"),
    ("TPC035", "", "impl A { #[init] fn new() {} }"),
    ("TPC035", "", "impl A { #[init] fn new() -> u8 { 1 } }"),
];

/// Correct members, in forms that are easily refused by mistake.
const FINE: &[&str] = &[
    "",
    "#[handler] fn a(&self) -> () {}",
    "#[handler(tell)] fn a(&self) -> () {}",
    "#[handler(all, tell,)] fn a(&self, b: u8) {}",
    "#[handler(all)] fn a(&self, reply: Reply<u8>) {}",
    "#[handler] fn a(&self, reply: Reply<u8>) -> () {}",
    "#[handler] fn a(&mut self, mut b: u8, _: u8, _c: u8, _: u8) {}",
    "#[handler] fn a(&self, cx: &mut tpc_actors::Ctx<Self>, b: u8, r: tpc_actors::Reply<u8>) {}",
    "#[handler] fn a(&self, b: &'static str, c: Box<dyn Fn(&str) + Send>) {}",
    "#[handler] fn a(&self, #[key] k: u8) {} #[handler(all)] fn b(&self) {}",
    "#[handler(batch = 8)] fn a(&self, cx: &mut Ctx<Self>, b: Batch<u8, Reply<u8>>) {}",
    "#[handler(tell, all, batch = 8)] fn a(&mut self, b: tpc_actors::Batch<Vec<u8>>) {}",
    "#[handler(batch = 8, boxed)] fn a(&self, #[key] b: Batch<K, Reply<Result<u8, E>>>) {}",
    "#[handler] fn a(&self, #[key] k: K) {} #[handler(batch = 1)] fn b(&self, #[key] b: Batch<K, Reply<()>>) {}",
    "#[handler(tell)] fn a(&self, batch: Batch, b: Batch<u8>) {}",
    "#[cfg(a)] #[handler] fn a(&self) {} #[cfg(not(a))] #[handler] fn a(&self) {}",
    "#[cfg_attr(a, handler)] fn a(&self, #[key] b: u8) {}",
    "#[cfg_attr(a, cfg(b), handler(all), inline)] fn a(&self, #[cfg(c)] b: u8) {}",
    "#[handler] fn a(&self, #[cfg(a)] cx: &mut Ctx<Self>, #[cfg(b)] c: u8, d: u8) {}",
    "#[every(\"1ns\")] fn a(&mut self) {} #[on_stop] fn b(&mut self, cx: &mut Ctx<Self>) -> () {}",
    "#[maintenance(every = \"1s\", budget = \"1000ms\")] fn a(&self) -> Work { b }",
    "fn helper(self, b: &str) -> &str { b } const N: u8 = 1; type T = u8;",
];

fn impl_with(members: &str) -> String {
    format!("impl A {{ #[init] fn new() -> Self {{ Self }} {members} }}")
}

/// The codes of the messages, after checks that hold for every expansion.
fn codes(args: &str, item: &str) -> String {
    let expansion = expand(args, item);
    let messages = messages(&expansion);
    for message in &messages {
        assert!(message.contains("; "), "no advice in {message:?}");
    }
    // What is only mentioned has been consumed.
    let text = expansion.to_string().replace(" (__of_core_actor)", "\u{200b}");
    for ours in
        ["core_actor", "handler", "init", "every", "maintenance", "checkpoint", "on_stop", "key"]
    {
        for end in ["]", " ("] {
            assert!(
                !text.contains(&format!("# [{ours}{end}")),
                "#[{ours}] is left over from {item}"
            );
        }
    }
    let survivor = Target::parse(item.parse().unwrap(), &Krate::default())
        .unwrap()
        .to_token_stream()
        .to_string();
    assert!(text.contains(&survivor), "lost {survivor}");
    messages.iter().map(|message| &message[..6]).collect::<Vec<_>>().join(" ")
}

#[test]
fn structs() {
    for (expected, args, item) in STRUCTS {
        assert_eq!(codes(args, item), *expected, "{args} on {item}");
    }
}

#[test]
fn members() {
    for (expected, members) in MEMBERS {
        assert_eq!(codes("", &impl_with(members)), *expected, "{members}");
    }
}

#[test]
fn impls() {
    for (expected, args, item) in IMPLS {
        assert_eq!(codes(args, item), *expected, "{item}");
    }
}

#[test]
fn nothing_wrong() {
    for members in FINE {
        assert_eq!(codes("", &impl_with(members)), "", "{members}");
    }
    for args in ["", "capacity = 1", "capacity = 16_777_216usize"] {
        assert_eq!(codes(args, "pub struct A;"), "", "{args}");
    }
    let args = "watchdog, supervise(then = escalate, on_panic = resume, queue = reject)";
    assert_eq!(codes(args, "struct A;"), "");
    let args = "watchdog(failures = 3, within = \"60s\", cool_down = \"30s..8m\", probes = 2)";
    assert_eq!(codes(args, "struct A;"), "");
    let args = "event = Map<K, V>, supervise(max = 0, within = \"1h\", then = abort_system)";
    assert_eq!(codes(args, "struct A { a: u8 }"), "");
}

/// rustc refuses these signatures in its own words, at the same place.
#[test]
fn what_rustc_says_is_not_said_twice() {
    let text = expand("", &impl_with("#[handler] fn a(&self, b: Vec<_>) {}")).to_string();
    assert!(!text.contains("compile_error"), "{text}");
    assert!(text.contains("unreachable") && !text.contains("Self :: a"), "{text}");
}

#[test]
fn a_stray_role_says_where_it_belongs() {
    let expansion = stray_role(
        "handler",
        &quote!(tell),
        &quote!(
            fn a(&self) {
                body()
            }
        ),
    );
    let text = expansion.to_string();
    assert!(text.contains("TPC001: `#[handler]`"), "{text}");
    assert!(text.ends_with("fn a (& self) { body () }"), "{text}");
}

#[test]
fn every_code_has_a_case_and_an_id_of_its_own() {
    // TPC001 has a test of its own, TPC039 depends on a feature, and TPC040 takes both halves.
    let mut covered: Vec<&str> = vec!["TPC001", "TPC039", "TPC040"];
    covered.extend(STRUCTS.iter().flat_map(|(codes, ..)| codes.split(' ')));
    covered.extend(MEMBERS.iter().flat_map(|(codes, ..)| codes.split(' ')));
    covered.extend(IMPLS.iter().flat_map(|(codes, ..)| codes.split(' ')));
    for pair in Code::TABLE.windows(2) {
        assert!(pair[0].0.id() < pair[1].0.id(), "{} is out of order", pair[1].0.id());
    }
    for (code, summary) in Code::TABLE {
        assert!(covered.contains(&code.id()), "no case for {}: {summary}", code.id());
    }
}

#[test]
fn unknown_options_are_guessed() {
    for (args, hint) in [
        ("capcity = 1", "did you mean `capacity`?"),
        (
            "mailbox = 1",
            "the options are `event`, `capacity`, `max_request_bytes`, `deadline`, `pressure`, `supervise`, `watchdog`, \
             `serde` and `crate`",
        ),
        ("supervise(maxx = 1)", "did you mean `max`?"),
        (
            "supervise(then = abort)",
            "write `then = stop`, `then = escalate` or `then = abort_system`",
        ),
        ("supervise(then = stopp)", "did you mean `stop`?"),
    ] {
        let messages = messages(&expand(args, "struct A;"));
        assert!(messages[0].ends_with(hint), "{messages:?}");
    }
}

#[test]
fn a_mistake_leaves_the_rest_of_the_actor_usable() {
    let item =
        impl_with("#[handler] fn bad(&self, a: &str) {} #[handler] fn good(&self, a: u8) {}");
    let text = expand("", &item).to_string();
    for part in ["struct AClient", "pub fn good (& self , a : u8)", "Good { # [doc"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("pub fn bad"), "{text}");
    // A call of a method that breaks a rule would be a second message for one mistake.
    assert!(!text.contains("Self :: good"), "{text}");
}

#[test]
fn conditions_move_above_the_attribute() {
    let text = expand("capacity = 1", "#[derive(Debug)] #[cfg(unix)] struct A;").to_string();
    let expected = "# [cfg (unix)] # [:: tpc_actors :: core_actor (capacity = 1)] \
                    # [derive (Debug)] struct A ;";
    assert_eq!(text, expected);
}

#[test]
fn no_word_is_so_important_that_its_absence_panics() {
    let item = impl_with(
        "#[handler ( all , tell )]
         fn a ( & mut self , cx : & mut Ctx < Self > , mut b : u8 ) { body }
         #[handler]
         fn c ( & self , #[key] key : Map < K , V > , reply : Reply < Result < u8 , E > > ) { }
         #[every ( \"20ms\" )] fn d ( & mut self ) { } #[on_stop] fn e ( & mut self ) { }",
    );
    let words: Vec<&str> = item.split_whitespace().collect();
    for missing in 0..words.len() {
        let rest = [&words[..missing], &words[missing + 1..]].concat().join(" ");
        if let Ok(tokens) = rest.parse() {
            assert!(!core_actor(TokenStream::new(), &tokens).is_empty(), "{rest}");
        }
    }
}

#[test]
fn items_that_do_not_parse_come_back_with_a_message() {
    let text = expand("", "impl A { fn a(&self) }").to_string();
    assert!(text.contains("compile_error"), "{text}");
    assert!(text.ends_with("impl A { fn a (& self) }"), "{text}");
}
