//! Rules about options, on the struct and on handlers.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Attribute, Lit, LitStr, Type};

use super::{pressure, supervision, types};
use crate::codes::Code;
use crate::diag::{Errors, did_you_mean, list};
use crate::duration::{self, Fault, Nanos};
use crate::krate;
use crate::model::SettingsModel;
use crate::parse::args::{Opt, Value};

/// More requests than anyone wants to find waiting in one lane.
const CAPACITY_MAX: u64 = 1 << 24;

/// What the struct half may say.
const STRUCT_OPTIONS: &[&str] = &[
    "event",
    "capacity",
    "max_request_bytes",
    "deadline",
    "pressure",
    "supervise",
    "watchdog",
    "serde",
    "crate",
];

/// Lets every known option pass once.
pub(crate) struct Admission<'a> {
    owner: &'a str,
    known: &'a [&'static str],
    seen: Vec<&'static str>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(owner: &'a str, known: &'a [&'static str]) -> Self {
        Self { owner, known, seen: Vec::new() }
    }

    /// TPC015 and TPC029: the option's name, if it is known and new.
    pub(crate) fn admit(&mut self, option: &Opt, errors: &mut Errors) -> Option<&'static str> {
        let name = option.name.unraw().to_string();
        let Some(known) = self.known.iter().find(|known| **known == name) else {
            let hint = match did_you_mean(&name, self.known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the options are {}", list(self.known)),
            };
            let text = format!("`{}` has no option `{name}`; {hint}", self.owner);
            errors.push(Code::UnknownOption, &option.name, text);
            return None;
        };
        if self.seen.contains(known) {
            let text = format!("`{name}` is given more than once; keep one of them");
            errors.push(Code::OptionTwice, &option.name, text);
            return None;
        }
        self.seen.push(known);
        Some(known)
    }
}

/// The options of the struct half.
pub(crate) fn settings(args: TokenStream, model: &mut SettingsModel, errors: &mut Errors) {
    let Some(options) = parsed(args, errors) else { return };
    let mut admission = Admission::new("#[core_actor]", STRUCT_OPTIONS);
    for option in &options {
        match admission.admit(option, errors) {
            Some("event") => model.event = event(option, errors),
            Some("capacity") => model.capacity = capacity(option, errors),
            Some("max_request_bytes") => model.max_request_bytes = request_bytes(option, errors),
            Some("deadline") => model.deadline = deadline(option, errors),
            Some("pressure") => model.pressure = pressure::pressure(option, errors),
            Some("supervise") => model.supervise = supervision::supervise(option, errors),
            Some("serde") => model.serde = serde(option, errors),
            Some("crate") => runtime(option, errors),
            Some("watchdog") => model.watchdog = supervision::watchdog(option, errors),
            _ => {}
        }
    }
}

/// TPC037: the options of `#[core_actor(..)]` on either half.
pub(crate) fn parsed(args: TokenStream, errors: &mut Errors) -> Option<Vec<Opt>> {
    match Opt::list(args) {
        Ok(options) => Some(options),
        Err(error) => {
            let form = "write options as in `#[core_actor(capacity = 1024, supervise(max = 5))]`";
            errors.syntax(Code::Syntax, &error, form);
            None
        }
    }
}

/// TPC030: where the runtime is; the path itself has been taken by then.
pub(crate) fn runtime(option: &Opt, errors: &mut Errors) {
    if krate::path(option).is_none() {
        let text = "`crate` takes a path; write `crate = facade::tpc_actors`";
        errors.push(Code::BadValue, option, text);
    }
}

/// TPC039: whether the runtime has what the derives name.
fn serde(option: &Opt, errors: &mut Errors) -> bool {
    let wanted = flag(option, errors);
    let there = cfg!(feature = "serde");
    if wanted && !there {
        let text = "`serde` needs the feature of that name; \
                    write `tpc-actors = { version = \"..\", features = [\"serde\"] }`";
        errors.push(Code::NoSerde, &option.name, text);
    }
    wanted && there
}

/// TPC030: `tell` and `all` are either there or not.
pub(crate) fn flag(option: &Opt, errors: &mut Errors) -> bool {
    if !matches!(option.value, Value::Flag) {
        let text = format!("`{0}` takes no value; write `{0}`", option.name);
        errors.push(Code::BadValue, option, text);
    }
    true
}

/// TPC030: an event is a type, and an owned one, as it is kept for replay.
fn event(option: &Opt, errors: &mut Errors) -> Option<Type> {
    let Value::Type(ty) = &option.value else {
        let text = "`event` takes a type; write `event = MyEvent`";
        errors.push(Code::BadValue, option, text);
        return None;
    };
    types::owned_and_named(ty, "the event", errors).then(|| (**ty).clone())
}

/// TPC030: a lane has room for at least one request, and for a sane number of them.
fn capacity(option: &Opt, errors: &mut Errors) -> Option<u64> {
    let text = match integer(option, "usize") {
        None => "`capacity` takes an integer; write `capacity = 1024`".to_owned(),
        Some(0) => "a capacity of 0 would refuse every request; write at least 1".to_owned(),
        Some(n) if n <= CAPACITY_MAX => return Some(n),
        Some(n) => format!(
            "a capacity of {n} hides an overload until it hurts; write at most {CAPACITY_MAX}"
        ),
    };
    errors.push(Code::BadValue, option, text);
    None
}

/// TPC030: a batch has members, and not more than any lane can hold.
pub(crate) fn batch(option: &Opt, errors: &mut Errors) -> (u64, Span) {
    let text = match integer(option, "usize") {
        None => "`batch` takes an integer; write `batch = 64`".to_owned(),
        Some(0) => "a batch of no messages would never run; write at least 1".to_owned(),
        Some(most) if most <= CAPACITY_MAX => return (most, option.value_span()),
        Some(most) => {
            format!("no lane holds the {most} messages of this batch; write at most {CAPACITY_MAX}")
        }
    };
    errors.push(Code::BadValue, option, text);
    (1, option.value_span())
}

/// TPC030: what a request may take; whether it does is for the compiler to see.
fn request_bytes(option: &Opt, errors: &mut Errors) -> Option<(u64, Span)> {
    let text = match integer(option, "usize") {
        None => "`max_request_bytes` takes an integer; write `max_request_bytes = 64`",
        Some(0) => "a request of no bytes has no arguments and no siblings; write at least 1",
        Some(bytes) => return Some((bytes, option.value_span())),
    };
    errors.push(Code::BadValue, option, text);
    None
}

/// How long an ask waits for its answer, unless its caller says so.
pub(crate) fn deadline(option: &Opt, errors: &mut Errors) -> Option<Nanos> {
    time(option, "50ms", duration::parse, errors)
}

/// Interval and budget of `#[maintenance(..)]`.
pub(crate) fn slices(attr: &Attribute, errors: &mut Errors) -> (Option<Nanos>, Option<Nanos>) {
    let options = match Opt::of(attr) {
        Ok(options) => options,
        Err(error) => {
            let form = "write `#[maintenance(every = \"10s\", budget = \"1ms\")]`";
            errors.syntax(Code::Syntax, &error, form);
            return (None, None);
        }
    };
    let (mut interval, mut budget) = (None, None);
    let mut said = false;
    let mut admission = Admission::new("#[maintenance]", &["every", "budget"]);
    for option in &options {
        match admission.admit(option, errors) {
            Some("every") => {
                said = true;
                interval = time(option, "10s", duration::parse, errors);
            }
            Some("budget") => {
                let time = time(option, "1ms", duration::parse, errors);
                budget = time.map(|time| (time, option));
            }
            _ => {}
        }
    }
    if !said {
        let text = "`#[maintenance]` needs an interval; write `every = \"10s\"`";
        errors.push(Code::BadDuration, attr, text);
    }
    (interval, budget.and_then(|(budget, option)| in_time(budget, option, interval, errors)))
}

/// TPC030: the budget, if a slice that uses it up ends before the next one is due.
fn in_time(
    budget: Nanos,
    option: &Opt,
    interval: Option<Nanos>,
    errors: &mut Errors,
) -> Option<Nanos> {
    if interval.is_some_and(|interval| budget > interval) {
        let text = "a slice would outlast the interval between two; write a `budget` of at most `every`, \
                    or a longer `every`";
        errors.push(Code::BadValue, option, text);
        return None;
    }
    Some(budget)
}

/// TPC018: times are texts with a unit.
pub(super) fn time<T>(
    option: &Opt,
    example: &str,
    parse: fn(&str) -> Result<T, Fault>,
    errors: &mut Errors,
) -> Option<T> {
    let name = &option.name;
    let Value::Lit(Lit::Str(text)) = &option.value else {
        let text = format!("`{name}` takes a text; write `{name} = \"{example}\"`");
        errors.push(Code::BadDuration, option, text);
        return None;
    };
    let report = |text: &LitStr, fault: Fault| format!("\"{}\" {fault}", text.value());
    match parse(&text.value()) {
        Ok(time) => Some(time),
        Err(fault) => {
            errors.push(Code::BadDuration, text, report(text, fault));
            None
        }
    }
}

/// An integer without a suffix, or with the one that it will have.
pub(super) fn integer(option: &Opt, suffix: &str) -> Option<u64> {
    match &option.value {
        Value::Lit(Lit::Int(int)) if int.suffix().is_empty() || int.suffix() == suffix => {
            int.base10_parse().ok()
        }
        _ => None,
    }
}
