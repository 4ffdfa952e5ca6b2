//! Rules about what follows failures: `supervise(..)` and `watchdog(..)`.

use super::options::{Admission, integer, time};
use crate::codes::Code;
use crate::diag::{Errors, did_you_mean};
use crate::duration;
use crate::model::{SuperviseModel, WatchdogModel};
use crate::parse::args::{Opt, Value};

/// TPC030: the options of `supervise(..)`, of which there is one at least.
pub(super) fn supervise(option: &Opt, errors: &mut Errors) -> Option<SuperviseModel> {
    let Value::List(options) = &option.value else {
        let text = "`supervise` takes a list; write `supervise(max = 5, within = \"10s\")`";
        errors.push(Code::BadValue, option, text);
        return None;
    };
    if options.is_empty() {
        let text = "`supervise()` says nothing; write `supervise(max = 5, within = \"10s\")`, or leave it out";
        errors.push(Code::BadValue, &option.name, text);
        return None;
    }
    let mut model = SuperviseModel::default();
    let known = ["max", "within", "backoff", "then", "on_panic", "queue"];
    let mut admission = Admission::new("supervise(..)", &known);
    for option in options {
        match admission.admit(option, errors) {
            Some("max") => model.max = max(option, errors),
            Some("within") => model.within = time(option, "10s", duration::parse, errors),
            Some("backoff") => {
                model.backoff = time(option, "1ms..1s", duration::parse_range, errors);
            }
            Some("then") => model.then = word(option, &THEN, errors),
            Some("on_panic") => model.on_panic = word(option, &ON_PANIC, errors),
            Some("queue") => model.queue = word(option, &QUEUE, errors),
            _ => {}
        }
    }
    Some(model)
}

/// The options of `watchdog(..)`; `watchdog` alone has the defaults.
pub(super) fn watchdog(option: &Opt, errors: &mut Errors) -> Option<WatchdogModel> {
    let options = match &option.value {
        Value::Flag => &[][..],
        Value::List(options) => options,
        _ => {
            let text = "`watchdog` takes a list; write `watchdog(failures = 3, within = \"60s\")`";
            errors.push(Code::BadValue, option, text);
            return None;
        }
    };
    let mut model = WatchdogModel::default();
    let known = ["failures", "within", "cool_down", "probes"];
    let mut admission = Admission::new("watchdog(..)", &known);
    for option in options {
        match admission.admit(option, errors) {
            Some("failures") => model.failures = at_least_one(option, errors),
            Some("within") => model.within = time(option, "60s", duration::parse, errors),
            Some("cool_down") => {
                model.cool_down = time(option, "30s..10m", duration::parse_range, errors);
            }
            Some("probes") => model.probes = at_least_one(option, errors),
            _ => {}
        }
    }
    Some(model)
}

/// TPC030: a number of restarts; zero means that the first panic is the last.
fn max(option: &Opt, errors: &mut Errors) -> Option<u32> {
    let number = integer(option, "u32").and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        let text = "`max` takes a number of restarts; write `max = 5`, or `max = 0` for none";
        errors.push(Code::BadValue, option, text);
    }
    number
}

/// TPC030: a number that must not be zero.
fn at_least_one(option: &Opt, errors: &mut Errors) -> Option<u32> {
    let number = integer(option, "u32").and_then(|number| u32::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        let text = format!("`{0}` takes a number above zero; write `{0} = 3`", option.name);
        errors.push(Code::BadValue, option, text);
    }
    number
}

/// The words that an option takes, and the variants that they stand for.
type Words = [(&'static str, &'static str); 3];

/// What follows when the restart budget is spent.
const THEN: Words = [("stop", "Stop"), ("escalate", "Escalate"), ("abort_system", "AbortSystem")];
const ON_PANIC: Words = [("restart", "Restart"), ("resume", "Resume"), ("stop", "Stop")];
const QUEUE: [(&str, &str); 2] = [("keep", "Keep"), ("reject", "Reject")];

/// TPC030: one of a few words.
fn word(
    option: &Opt,
    known: &[(&'static str, &'static str)],
    errors: &mut Errors,
) -> Option<&'static str> {
    let given = match &option.value {
        Value::Type(ty) => super::last_segment(ty).map(|segment| segment.ident.to_string()),
        _ => None,
    };
    let given = given.unwrap_or_default();
    if let Some((_, variant)) = known.iter().find(|(word, _)| *word == given) {
        return Some(variant);
    }
    let name = &option.name;
    let words: Vec<&'static str> = known.iter().map(|(word, _)| *word).collect();
    let hint = if let Some(meant) = did_you_mean(&given, &words) {
        format!("did you mean `{meant}`?")
    } else {
        let forms: Vec<String> = words.iter().map(|word| format!("`{name} = {word}`")).collect();
        let (last, others) = forms.split_last().expect("at least one word");
        format!("write {} or {last}", others.join(", "))
    };
    errors.push(Code::BadValue, option, format!("`{name}` cannot have this value; {hint}"));
    None
}
