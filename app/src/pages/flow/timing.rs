//! How long things took, and when they were.

use crate::{
    flow::{MessageName, RecordedLogin},
    texts::{fill, flow},
};

/// How long something took, in a unit that fits: `310 µs`, `12.3 ms`, `1.24 s`, `2 minutes 5 seconds`.
pub(crate) fn duration(microseconds: u64) -> String {
    let decimals = |whole: u64, hundredths: u64, unit: &str| {
        let mut text = whole.to_string();
        // Three digits say enough.
        match whole {
            0..=9 => text.push_str(&[".", &(hundredths / 10).to_string(), &(hundredths % 10).to_string()].concat()),
            10..=99 => text.push_str(&[".", &(hundredths / 10).to_string()].concat()),
            _ => {}
        }
        text.push(' ');
        text.push_str(unit);
        text
    };
    match microseconds {
        0..1_000 => [&microseconds.to_string(), " µs"].concat(),
        1_000..1_000_000 => decimals(microseconds / 1_000, microseconds % 1_000 / 10, "ms"),
        1_000_000..60_000_000 => decimals(microseconds / 1_000_000, microseconds % 1_000_000 / 10_000, "s"),
        _ => crate::clock::remaining(i64::try_from(microseconds / 1_000_000).unwrap_or(i64::MAX)),
    }
}

/// How long one of the seven steps took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepTime {
    /// Which.
    pub(crate) step: u8,
    /// How long.
    pub(crate) microseconds: u64,
}

/// When a login was over: with its session, or with the refusal. What comes later, such as a call or a sign-out, is not part of it.
pub(crate) fn total(login: &RecordedLogin) -> u64 {
    let is_end = |name| matches!(name, MessageName::SessionCreated | MessageName::LoginRefused);
    let end = login.messages.iter().find(|message| is_end(message.name));
    let ends = |message: &crate::flow::Message| message.at_microseconds + message.duration_microseconds.unwrap_or_default();
    end.map_or_else(|| login.messages.iter().map(ends).max().unwrap_or_default(), |end| end.at_microseconds)
}

/// How long each step took, until the login was over: from each message to the next.
pub(crate) fn steps(login: &RecordedLogin) -> Vec<StepTime> {
    let total = total(login);
    let mut times: Vec<StepTime> = Vec::new();
    for (at, message) in login.messages.iter().enumerate() {
        let begin = message.at_microseconds.min(total);
        let end = login.messages.get(at + 1).map_or(total, |next| next.at_microseconds.clamp(begin, total.max(begin)));
        let microseconds = end - begin;
        if message.at_microseconds > total {
            break;
        }
        match times.iter_mut().find(|time| time.step == message.step) {
            Some(time) => time.microseconds += microseconds,
            None => times.push(StepTime { step: message.step, microseconds }),
        }
    }
    times
}

/// Seconds since 1970 as people write them: `22 November 2026, 10:57:00 UTC`.
pub(crate) fn moment(unix_seconds: i64) -> String {
    let (days, second) = (unix_seconds.div_euclid(86_400), unix_seconds.rem_euclid(86_400));
    // Years begin in March, so that the leap day comes last; 400 of them have 146 097 days.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month_of_year = (month + 2) % 12;
    let year = year + era * 400 + i64::from(month_of_year < 2);
    let date = crate::clock::written_day(year, u16::try_from(month_of_year + 1).unwrap_or_default(), day_of_month);
    let two = |number: i64| [(number / 10).to_string(), (number % 10).to_string()].concat();
    let time = [&two(second / 3_600), ":", &two(second / 60 % 60), ":", &two(second % 60)].concat();
    fill(flow::FLOW_MOMENT, &[("day", &date), ("time", &time)])
}

/// An RFC 3339 time as people write it; as it is if it is none.
pub(crate) fn moment_of(rfc3339: &str) -> String {
    crate::clock::unix_seconds(rfc3339).map_or_else(|| rfc3339.to_owned(), moment)
}

#[cfg(test)]
mod tests {
    use super::{StepTime, duration, moment, moment_of, steps, total};
    use crate::pages::flow::example;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        let cases = [
            (0, "0 µs"),
            (310, "310 µs"),
            (1_000, "1.00 ms"),
            (12_340, "12.3 ms"),
            (123_456, "123 ms"),
            (1_240_000, "1.24 s"),
            (59_999_999, "59.9 s"),
            (125_000_000, "2 minutes 5 seconds"),
        ];
        for (microseconds, text) in cases {
            assert_eq!(duration(microseconds), text);
        }
        assert!(duration(u64::MAX).ends_with(" hours"));
    }

    #[test]
    fn the_steps_take_as_long_as_the_login_and_a_later_call_is_none_of_them() {
        let login = example::signed_in();
        let times = steps(&login);
        assert_eq!(times.iter().map(|time| time.microseconds).sum::<u64>(), total(&login));
        assert_eq!(times.iter().map(|time| time.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert!(login.messages.last().unwrap().at_microseconds > total(&login));
    }

    #[test]
    fn what_has_only_begun_takes_as_long_as_it_has_taken() {
        let mut login = example::signed_in();
        login.messages.truncate(1);
        assert_eq!(steps(&login), [StepTime { step: 1, microseconds: total(&login) }]);
        login.messages.clear();
        assert_eq!((steps(&login), total(&login)), (Vec::new(), 0));
    }

    #[test]
    fn messages_in_a_strange_order_do_no_harm() {
        let mut login = example::signed_in();
        login.messages.reverse();
        let sum: u64 = steps(&login).iter().map(|time| time.microseconds).sum();
        assert!(sum <= total(&login).max(1) * 20);
    }

    #[test]
    fn a_moment_is_written_out() {
        let cases = [
            (0, "1 January 1970, 00:00:00 UTC"),
            (-1, "31 December 1969, 23:59:59 UTC"),
            (951_825_601, "29 February 2000, 12:00:01 UTC"),
            (1_795_345_020, "22 November 2026, 10:57:00 UTC"),
            (4_107_542_400, "1 March 2100, 00:00:00 UTC"),
        ];
        for (seconds, text) in cases {
            assert_eq!(moment(seconds), text);
        }
        assert_eq!(moment_of("2026-11-22T10:57:00.5Z"), "22 November 2026, 10:57:00 UTC");
        assert_eq!(moment_of("soon"), "soon");
    }
}
