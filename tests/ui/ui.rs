//! Programs that must not compile, with what the compiler says, and programs that must.
//!
//! `TRYBUILD=overwrite cargo test -p tpc-actors-tests-ui` writes the messages anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use trybuild::TestCases;

/// The compiler that wrote the `.stderr` files; others put things differently.
const PINNED: &str = "1.95.";

/// Codes that rustc reports on behalf of the runtime.
const RUNTIME_CODES: [&str; 3] = ["TPC006", "TPC009", "TPC042"];

#[test]
fn fail() {
    let version = rustc_version();
    if version.starts_with(PINNED) {
        TestCases::new().compile_fail("fail/*.rs");
        return;
    }
    println!("note: rustc is {version} instead of {PINNED}*, so its messages are not compared");
    let copies = copies_of_fixtures();
    let status = Command::new(env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", "fail_in_any_words", "--nocapture"])
        // Otherwise a message without a file to compare it with would be a failure.
        .env("TRYBUILD", "overwrite")
        .env(COPIES, &copies)
        .status()
        .expect("this test starts");
    assert!(status.success(), "a program compiles that must not");
}

#[test]
fn pass() {
    TestCases::new().pass("pass/*.rs");
}

/// Where `fail` has put the copies of its programs.
const COPIES: &str = "TPC_UI_COPIES";

#[test]
#[ignore = "run by `fail` when the compiler is not the pinned one"]
fn fail_in_any_words() {
    if let Some(copies) = env::var_os(COPIES) {
        TestCases::new().compile_fail(Path::new(&copies).join("*.rs"));
    }
}

#[test]
fn every_code_has_a_program_that_shows_it() {
    let fixtures = fixtures();
    let codes = codes();
    for code in &codes {
        let prefix = format!("{}_", code.to_lowercase());
        let named = |name: &str| name.starts_with(&prefix);
        assert!(fixtures.iter().any(|path| named(&stem(path))), "no program for {code}");
    }
    for path in &fixtures {
        let name = stem(path);
        let Some(code) = name.get(..6).filter(|start| start.starts_with("tpc")) else { continue };
        let code = code.to_uppercase();
        assert!(codes.contains(&code), "{name} is named after a code that does not exist");
        let message = read(&path.with_extension("stderr"));
        assert!(message.contains(&format!("{code}: ")), "{name} is about something else");
    }
}

/// Where each rule lives, and a program that breaks it.
const RULES: &[(&str, &str)] = &[
    ("core_actor::stray_role", "tpc001_role_without_actor"),
    ("validate::other", "tpc021_enum"),
    ("validate::inherent_impl", "tpc021_trait_impl"),
    ("validate::without_lifetimes", "tpc022_lifetime"),
    ("validate::options_on_impl", "tpc031_options_on_impl"),
    ("validate/boxes::together", "tpc038_nothing_to_box"),
    ("validate/boxes::plain_marks", "tpc038_boxed_twice"),
    ("validate/boxes::unconditional", "tpc038_conditional"),
    ("validate/handler::known_options", "tpc037_handler_grammar"),
    ("validate/handler::free_name", "tpc017_same_variant"),
    ("validate/key::one_key", "tpc005_two_keys"),
    ("validate/batch::members", "tpc041_batch_with_answer"),
    ("validate/batch::wrong_type", "tpc041_batch_of_values"),
    ("validate/options::batch", "tpc030_batch"),
    ("validate/key::all_without_key", "tpc027_all_with_key"),
    ("validate/key::same_key_type", "tpc005_key_types"),
    ("validate/key::says_which_shard", "tpc004_no_shard"),
    ("validate/handler::reply_excludes", "tpc012_two_answers"),
    ("validate/handler::tell_returns_nothing", "tpc003_tell_with_reply"),
    ("validate/handler::tell_has_no_deadline", "tpc043_tell_with_deadline"),
    ("validate/hooks::init_exists", "tpc008_no_init"),
    ("validate/hooks::init", "tpc008_two_inits"),
    ("validate/hooks::every", "tpc018_interval"),
    ("validate/hooks::maintenance", "tpc050_no_work"),
    ("validate/hooks::checkpoint", "tpc051_two_checkpoints"),
    ("validate/hooks::on_stop", "tpc032_two_on_stops"),
    ("validate/hooks::hook", "tpc028_hook_with_answer"),
    ("validate/hooks::returns_the_actor", "tpc035_init_answers"),
    ("validate/hooks::no_options", "tpc015_init_options"),
    ("validate/options::admit", "tpc015_unknown_option"),
    ("validate/options::parsed", "tpc037_grammar"),
    ("validate/options::runtime", "tpc030_crate"),
    ("validate/options::serde", "tpc039_serde_without_feature"),
    ("validate/options::flag", "tpc030_flag"),
    ("validate/options::event", "tpc030_event"),
    ("validate/options::capacity", "tpc030_capacity"),
    ("validate/options::request_bytes", "tpc030_request_bytes"),
    ("validate/options::slices", "tpc018_no_slices"),
    ("validate/options::in_time", "tpc030_budget"),
    ("validate/options::time", "tpc018_backoff"),
    ("validate/pressure::pressure", "tpc030_pressure"),
    ("validate/pressure::percent", "tpc030_percent"),
    ("validate/signature::one_role", "tpc026_two_roles"),
    ("validate/signature::not_async", "tpc002_async_handler"),
    ("validate/signature::not_qualified", "tpc023_unsafe_handler"),
    ("validate/signature::not_generic", "tpc016_generic_handler"),
    ("validate/signature::borrows_self", "tpc024_consumes"),
    ("validate/signature::only_cx", "tpc028_timer_with_argument"),
    ("validate/special::ctx_comes_first", "tpc034_late_ctx"),
    ("validate/special::not_renamed", "tpc034_renamed_ctx"),
    ("validate/special::reply_is_usable", "tpc034_two_replies"),
    ("validate/special::reply_is_certain", "tpc034_conditional_reply"),
    ("validate/signature::value", "tpc033_conditional_key"),
    ("validate/signature::field_name", "tpc025_pattern"),
    ("validate/signature::distinct_field", "tpc036_same_name"),
    ("validate/signature::stray_mark", "tpc033_stray_key"),
    ("validate/supervision::supervise", "tpc030_supervise"),
    ("validate/supervision::watchdog", "tpc030_watchdog"),
    ("validate/supervision::max", "tpc030_max"),
    ("validate/supervision::at_least_one", "tpc030_probes"),
    ("validate/supervision::word", "tpc030_then"),
    ("validate/types::owned_and_named", "tpc010_borrowed_argument"),
];

#[test]
fn every_rule_has_a_program_that_breaks_it() {
    let listed: BTreeSet<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    let found = rules();
    assert!(found.len() > 40, "the rules are elsewhere: {found:?}");
    for rule in &found {
        assert!(listed.contains(&**rule), "no program breaks `{rule}`; add one to `RULES`");
    }
    for (rule, program) in RULES {
        assert!(found.contains(*rule), "`{rule}` is not a rule any more");
        let path = directory().join(program).with_extension("stderr");
        assert!(path.exists(), "the program `{program}` of `{rule}` is missing");
    }
}

/// Functions that report a mistake, by file and name.
fn rules() -> BTreeSet<String> {
    let sources = directory().join("../../../tpc-actors-macros/src");
    let mut files = vec![sources.join("core_actor.rs"), sources.join("validate.rs")];
    let entries = fs::read_dir(sources.join("validate")).expect("the rules");
    files.extend(entries.map(|entry| entry.expect("a file").path()));
    let mut rules = BTreeSet::new();
    for file in files {
        let module = file.with_extension("");
        let module = module.strip_prefix(&sources).expect("a source").display().to_string();
        let source = read(&file);
        let mut function = "";
        for line in source.lines() {
            let start = line.trim_start().trim_start_matches("pub(crate) ");
            let start = start.trim_start_matches("pub(super) ");
            if let Some(rest) = start.strip_prefix("fn ") {
                function = rest.split(['(', '<']).next().unwrap_or_default();
            }
            let reports = ["errors.push(", "errors.push_if(", "errors.syntax("];
            if reports.iter().any(|report| line.contains(report)) {
                rules.insert(format!("{module}::{function}"));
            }
        }
    }
    rules
}

/// Who forgets to implement a trait, or attributes that do it, is told in our words.
#[test]
fn every_public_trait_says_what_is_missing() {
    // What these are about is said by the traits of what they hold, or can never be missing.
    let silent = ["Travels", "NotEnriched"];
    let (mut files, mut seen) = (vec![directory().join("../../../tpc-actors/src")], 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("sources");
            files.extend(entries.map(|entry| entry.expect("a file").path()));
            continue;
        }
        let source = read(&path);
        for (before, after) in
            source.match_indices("\npub trait ").map(|(at, _)| source.split_at(at))
        {
            let name = after[11..].split([':', '<', ' ']).next().unwrap_or_default();
            let attributes = before.rsplit("\n\n").next().unwrap_or_default();
            let told = attributes.contains("#[diagnostic::on_unimplemented(");
            assert!(told || silent.contains(&name), "`{name}` in {}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 8, "the traits are elsewhere");
}

/// A mistake that also lights up elsewhere hides where it is.
#[test]
fn one_mistake_is_one_error() {
    for path in fixtures() {
        let name = stem(&path);
        let message = read(&path.with_extension("stderr"));
        let errors = message.lines().filter(|line| line.starts_with("error")).count();
        let expected = match &*name {
            "three_mistakes" => 3,
            // A `#[cfg]` cannot stand where the other types are looked at; see `private::Travels`.
            // And a method has both a signature and a body in which its answer is wrong.
            "tpc009_conditional" | "fallible_by_name" => 2,
            // rustc gives each reason why something stays on its core.
            _ if PINNED_THINGS.iter().any(|start| name.starts_with(start)) => errors.clamp(1, 4),
            _ => 1,
        };
        assert_eq!(errors, expected, "errors of {name}");
        assert!(!message.contains("warning"), "{name} also warns");
        assert!(read(&path).lines().count() <= 20, "{name} is long for one mistake");
    }
}

/// What fixtures about things that stay on their core are called.
const PINNED_THINGS: [&str; 4] = ["send_", "sync_", "ctx_", "offload_"];

#[test]
fn three_mistakes_are_told_in_source_order() {
    let message = read(&directory().join("three_mistakes.stderr"));
    let errors: Vec<&str> =
        message.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    let codes: Vec<&str> = errors.iter().filter_map(|error| error.get(..6)).collect();
    assert_eq!(codes, ["TPC002", "TPC010", "TPC018"]);
}

/// Whatever stays on its core says so by name. About a future, rustc only names its parts.
#[test]
fn what_is_pinned_says_why() {
    for path in fixtures() {
        let name = stem(&path);
        if name.starts_with("send_") || name.starts_with("sync_") {
            let message = read(&path.with_extension("stderr"));
            let future = message.contains("future cannot be sent");
            let reason = if future { "`CounterPinned`" } else { "PinnedToCore" };
            let told = message.contains(reason) || message.contains("TPC009");
            assert!(told, "{name} does not say why");
        }
    }
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc says its version");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fail")
}

fn fixtures() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory()).expect("the programs");
    let paths = entries.map(|entry| entry.expect("a program").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn copies_of_fixtures() -> PathBuf {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui-fail");
    // Leftovers may be copies of programs that are gone.
    drop(fs::remove_dir_all(&copies));
    fs::create_dir_all(&copies).expect("a directory for the copies");
    for path in fixtures() {
        let name = path.file_name().expect("a file");
        fs::copy(&path, copies.join(name)).expect("a copy");
    }
    copies
}

/// The codes in the macros' table, and the runtime's.
fn codes() -> BTreeSet<String> {
    let table = directory().join("../../../tpc-actors-macros/src/codes.rs");
    let table = read(&table);
    let quoted = table.split('"').filter(|text| text.len() == 6 && text.starts_with("TPC"));
    let codes: BTreeSet<String> = quoted.chain(RUNTIME_CODES).map(ToOwned::to_owned).collect();
    assert!(codes.len() > 25, "the table of codes is elsewhere: {codes:?}");
    codes
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
