//! Durations as users write them: `"20ms"`, `"10s"`, `"1ms..1s"`.

use std::fmt;

/// Forms that a message can show.
pub(crate) const FORMS: &str =
    "write an integer and a unit out of `ns`, `us`, `ms`, `s`, `m` and `h`, as in \"20ms\"";

const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
];

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoNumber,
    NoUnit,
    UnknownUnit,
    TooLong,
    Zero,
    NoRange,
    Descending,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => write!(f, "is not a duration; {FORMS}"),
            Self::NoUnit => write!(f, "has no unit; {FORMS}"),
            Self::UnknownUnit => write!(f, "has an unknown unit; {FORMS}"),
            Self::TooLong => f.write_str("is longer than 584 years; write a shorter time"),
            Self::Zero => f.write_str("has no length; write a time above zero"),
            Self::NoRange => f.write_str("is not a range; write two durations as in \"1ms..1s\""),
            Self::Descending => f.write_str("ends before it starts; write the shorter time first"),
        }
    }
}

/// Reads one duration; zero is refused, because no option has a use for it.
pub(crate) fn parse(text: &str) -> Result<Nanos, Fault> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Fault::NoNumber);
    }
    if unit.is_empty() {
        return Err(Fault::NoUnit);
    }
    let (_, scale) = *UNITS.iter().find(|(name, _)| *name == unit).ok_or(Fault::UnknownUnit)?;
    let number: u64 = number.parse().map_err(|_| Fault::TooLong)?;
    match number.checked_mul(scale) {
        None => Err(Fault::TooLong),
        Some(0) => Err(Fault::Zero),
        Some(nanos) => Ok(Nanos(nanos)),
    }
}

/// Reads a range of durations; both ends may be the same.
pub(crate) fn parse_range(text: &str) -> Result<(Nanos, Nanos), Fault> {
    let (from, to) = text.split_once("..").ok_or(Fault::NoRange)?;
    let (from, to) = (parse(from)?, parse(to)?);
    if to < from {
        return Err(Fault::Descending);
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("1ns", Ok(Nanos(1))),
            ("2us", Ok(Nanos(2_000))),
            ("20ms", Ok(Nanos(20_000_000))),
            ("10s", Ok(Nanos(10_000_000_000))),
            ("3m", Ok(Nanos(180_000_000_000))),
            ("2h", Ok(Nanos(7_200_000_000_000))),
            ("007s", Ok(Nanos(7_000_000_000))),
            ("18446744073709551615ns", Ok(Nanos(u64::MAX))),
            ("18446744073709551616ns", Err(Fault::TooLong)),
            ("99999999h", Err(Fault::TooLong)),
            ("0ms", Err(Fault::Zero)),
            ("", Err(Fault::NoNumber)),
            ("ms", Err(Fault::NoNumber)),
            ("-1s", Err(Fault::NoNumber)),
            (" 1s", Err(Fault::NoNumber)),
            ("20", Err(Fault::NoUnit)),
            ("1.5s", Err(Fault::UnknownUnit)),
            ("1 s", Err(Fault::UnknownUnit)),
            ("1sec", Err(Fault::UnknownUnit)),
            ("1S", Err(Fault::UnknownUnit)),
            ("1µs", Err(Fault::UnknownUnit)),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ranges() {
        let ms = |n: u64| Nanos(n * 1_000_000);
        for (text, expected) in [
            ("1ms..1s", Ok((ms(1), ms(1000)))),
            ("5ms..5ms", Ok((ms(5), ms(5)))),
            ("1s..1ms", Err(Fault::Descending)),
            ("1ms", Err(Fault::NoRange)),
            ("1ms..", Err(Fault::NoNumber)),
            ("..1s", Err(Fault::NoNumber)),
            ("1ms..=1s", Err(Fault::NoNumber)),
            ("1ms..2ms..3ms", Err(Fault::UnknownUnit)),
            ("0ms..1s", Err(Fault::Zero)),
        ] {
            assert_eq!(parse_range(text), expected, "{text:?}");
        }
    }
}
