//! Rules about the levels of pressure.

use super::options::{Admission, integer};
use crate::codes::Code;
use crate::diag::Errors;
use crate::model::PressureModel;
use crate::parse::args::{Opt, Value};

const OPTIONS: [&str; 4] = [
    "throttle_enter_percent",
    "throttle_leave_percent",
    "suspend_enter_percent",
    "suspend_leave_percent",
];

/// The runtime's defaults, for what is not said.
const DEFAULT: PressureModel =
    PressureModel { throttle_enter: 85, throttle_leave: 75, suspend_enter: 95, suspend_leave: 85 };

/// TPC030: the levels of `pressure(..)`, which must not contradict each other.
pub(super) fn pressure(option: &Opt, errors: &mut Errors) -> Option<PressureModel> {
    let options = match &option.value {
        Value::List(options) => &options[..],
        _ => &[],
    };
    if options.is_empty() {
        let text = "`pressure` takes a list; \
                    write `pressure(throttle_enter_percent = 85, throttle_leave_percent = 75)`";
        errors.push(Code::BadValue, option, text);
        return None;
    }
    let mut model = DEFAULT;
    let mut admission = Admission::new("pressure(..)", &OPTIONS);
    for option in options {
        let level = match admission.admit(option, errors) {
            Some("throttle_enter_percent") => &mut model.throttle_enter,
            Some("throttle_leave_percent") => &mut model.throttle_leave,
            Some("suspend_enter_percent") => &mut model.suspend_enter,
            Some("suspend_leave_percent") => &mut model.suspend_leave,
            _ => continue,
        };
        *level = percent(option, errors)?;
    }
    match contradiction(model) {
        None => Some(model),
        Some(text) => {
            errors.push(Code::BadValue, &option.name, text);
            None
        }
    }
}

/// TPC030: a share of a lane.
fn percent(option: &Opt, errors: &mut Errors) -> Option<u8> {
    let percent = integer(option, "u8").and_then(|percent| u8::try_from(percent).ok());
    let percent = percent.filter(|percent| (1..=100).contains(percent));
    if percent.is_none() {
        let text =
            format!("`{0}` takes a share of 1 to 100 percent; write `{0} = 80`", option.name);
        errors.push(Code::BadValue, option, text);
    }
    percent
}

/// What is wrong with the levels as a whole; those that are not given have their defaults.
fn contradiction(model: PressureModel) -> Option<String> {
    let PressureModel { throttle_enter, throttle_leave, suspend_enter, suspend_leave } = model;
    let leaves_late = |level: &str, enter: u8, leave: u8| {
        (leave >= enter).then(|| {
            format!(
                "pressure that is entered at {enter} percent must be left below that, but {leave} is \
                 not; write a smaller `{level}_leave_percent`"
            )
        })
    };
    leaves_late("throttle", throttle_enter, throttle_leave)
        .or_else(|| leaves_late("suspend", suspend_enter, suspend_leave))
        .or_else(|| {
            (throttle_enter > suspend_enter || throttle_leave > suspend_leave).then(|| {
                format!(
                    "a lane is throttled before it is suspended, but {throttle_enter} and \
                     {throttle_leave} percent are not below {suspend_enter} and {suspend_leave}; \
                     write smaller percentages for `throttle`, or larger ones for `suspend`"
                )
            })
        })
}
