//! The time as the server sees it: every lifetime is the server's, and a browser's clock may be wrong.

use leptos::{
    ev::{Custom, Event},
    prelude::*,
};
use std::time::Duration;
use wasm_bindgen::JsValue;

use crate::{
    language::Language,
    texts::{count, fill, language, pages, t},
};

/// The app's only source of the time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    now: RwSignal<i64>,
    server_minus_browser: RwSignal<i64>,
    watched: StoredValue<Watched>,
}

impl Clock {
    /// A clock that starts at the server's time, where the page brought it along.
    pub fn new(now_unix_seconds: Option<i64>) -> Self {
        Self {
            now: RwSignal::new(now_unix_seconds.unwrap_or_default()),
            server_minus_browser: RwSignal::new(0),
            watched: StoredValue::default(),
        }
    }

    /// The time in seconds since 1970, as of the last tick.
    pub fn now(self) -> i64 {
        self.now.get()
    }

    /// The same, without subscribing to it.
    pub fn latest(self) -> i64 {
        self.now.try_get_untracked().unwrap_or_default()
    }

    /// The time in seconds since 1970, now. Only for the browser.
    pub fn read(self) -> i64 {
        browser_unix_seconds() + self.server_minus_browser.try_get_untracked().unwrap_or_default()
    }

    /// Learns from an answer's `Date` header how far the browser's clock is from the server's.
    pub fn set_by_server(self, server_unix_seconds: i64) {
        let difference = server_unix_seconds - browser_unix_seconds();
        // The header has whole seconds and has travelled: less than that is no difference.
        self.server_minus_browser.set(if difference.abs() > 2 { difference } else { 0 });
        self.now.set(self.read());
    }

    /// Learns the same from a page, by the time at which the server wrote it: that was soon after it had been asked for, however long ago
    /// that is where the app came over a slow line. Only for the browser.
    pub fn set_by_page(self, server_unix_seconds: i64) {
        self.set_by_server(server_unix_seconds + seconds_since_the_page_was_asked_for());
    }

    /// Ticks at each full second that the page is visible, for as long as the calling component lives. However many there are, the page
    /// is woken once; one that nobody sees is not.
    pub fn tick(self) {
        Effect::new(move || {
            // It is the document's event, and comes up to the window.
            let seen = window_event_listener(Custom::<Event>::new("visibilitychange"), move |_| self.go_on());
            self.watched(|watched| watched.by += 1);
            on_cleanup(move || {
                seen.remove();
                self.watched(|watched| watched.by -= 1);
            });
            self.go_on();
        });
    }

    /// Begins to tick, unless it does.
    fn go_on(self) {
        if self.watched(|watched| watched.is_ticking) == Some(false) {
            self.beat();
        }
    }

    fn beat(self) {
        let is_seen = !document().hidden();
        let goes_on = self.watched(|watched| {
            watched.is_ticking = is_seen && watched.by > 0;
            watched.is_ticking
        });
        if goes_on == Some(true) {
            self.now.set(self.read());
            set_timeout(move || self.beat(), until_next_second());
        }
    }

    /// A clock that is gone is watched by nobody.
    fn watched<T>(self, look: impl FnOnce(&mut Watched) -> T) -> Option<T> {
        self.watched.try_update_value(look)
    }
}

/// Who wants to see the clock tick.
#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    /// How many components.
    by: u32,
    is_ticking: bool,
}

/// How long the browser's current second still lasts; only for the browser.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970 fit, and it is later than that")]
fn until_next_second() -> Duration {
    Duration::from_millis(1000 - js_sys::Date::now() as u64 % 1000)
}

/// Waits; only for the browser.
pub(crate) async fn sleep(duration: Duration) {
    let promise = js_sys::Promise::new(&mut |done, _| {
        set_timeout(
            move || {
                // A promise's own function does not fail.
                let _ = done.call0(&JsValue::UNDEFINED);
            },
            duration,
        );
    });
    // The promise is never rejected.
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// The browser's own time; only for the browser.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit for the next 292 billion years")]
fn browser_unix_seconds() -> i64 {
    (js_sys::Date::now() / 1000.0) as i64
}

/// How long ago the document was asked for; only for the browser.
#[expect(clippy::cast_possible_truncation, reason = "a page is not open for that long")]
fn seconds_since_the_page_was_asked_for() -> i64 {
    window().performance().map_or(0, |performance| (performance.now() / 1000.0) as i64)
}

/// Reads an HTTP `Date` header to whole seconds since 1970; only for the browser.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit for the next 292 billion years")]
pub fn unix_seconds_of_date(header: &str) -> Option<i64> {
    let milliseconds = js_sys::Date::parse(header);
    milliseconds.is_finite().then_some((milliseconds / 1000.0) as i64)
}

/// Reads an RFC 3339 time in UTC, as this API writes them, to whole seconds since 1970.
pub fn unix_seconds(rfc3339: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = rfc3339.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let bytes = rfc3339.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !separators.iter().all(|&(at, separator)| bytes.get(at) == Some(&separator)) || !rfc3339.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days since 1970 in the proleptic Gregorian calendar: years begin in March, so that the leap day comes last.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted_year + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + day_of_year - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The day of a time as [`unix_seconds`] reads it, as people write it: `22 November 2026`. What is no time is left out.
pub(crate) fn day(rfc3339: &str) -> String {
    let number = |from: usize, to: usize| rfc3339.get(from..to)?.parse().ok();
    let date = unix_seconds(rfc3339).and_then(|_| Some((number(0, 4)?, u16::try_from(number(5, 7)?).ok()?, number(8, 10)?)));
    date.filter(|(_, month, _)| (1..=12).contains(month)).map_or_else(String::new, |(year, month, day)| written_day(year, month, day))
}

/// A day of the calendar as people write it; months count from 1.
pub(crate) fn written_day(year: i64, month: u16, day: i64) -> String {
    // French counts only the first.
    let ordinal = if day == 1 && language() == Language::Fr { "er" } else { "" };
    let month = t(pages::MONTH_M01.after(month.saturating_sub(1)));
    fill(pages::DATE_DAY, &[("day", &[&day.to_string(), ordinal].concat()), ("month", month), ("year", &year.to_string())])
}

/// How long there is left, in the two largest units that matter: `29 minutes 12 seconds`.
pub fn remaining(seconds: i64) -> String {
    let units = [
        (86_400_i64, pages::TIME_DAY_ONE, pages::TIME_DAY_OTHER),
        (3_600, pages::TIME_HOUR_ONE, pages::TIME_HOUR_OTHER),
        (60, pages::TIME_MINUTE_ONE, pages::TIME_MINUTE_OTHER),
        (1, pages::TIME_SECOND_ONE, pages::TIME_SECOND_OTHER),
    ];
    let Some(largest) = units.iter().position(|&(size, ..)| seconds >= size) else {
        return t(pages::TIME_ENDED).to_owned();
    };
    let mut text = String::new();
    let mut left = seconds.unsigned_abs();
    for (size, one, other) in units.into_iter().skip(largest).take(2) {
        if !text.is_empty() {
            text.push(' ');
        }
        let size = size.unsigned_abs();
        text.push_str(&count(left / size, one, other));
        left %= size;
    }
    text
}

/// How long ago that was, in the largest unit: `3 minutes ago`.
pub fn ago(seconds: i64) -> String {
    let units = [
        (86_400_i64, pages::SESSIONS_DAY_AGO_ONE, pages::SESSIONS_DAY_AGO_OTHER),
        (3_600, pages::SESSIONS_HOUR_AGO_ONE, pages::SESSIONS_HOUR_AGO_OTHER),
        (60, pages::SESSIONS_MINUTE_AGO_ONE, pages::SESSIONS_MINUTE_AGO_OTHER),
    ];
    match units.into_iter().find(|&(size, ..)| seconds >= size) {
        Some((size, one, other)) => count((seconds / size).unsigned_abs(), one, other),
        None => t(pages::SESSIONS_JUST_NOW).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, day, remaining, unix_seconds};

    #[test]
    fn the_past_is_told_in_one_unit() {
        for (seconds, text) in [(-3, "just now"), (59, "just now"), (60, "1 minute ago"), (7_300, "2 hours ago"), (200_000, "2 days ago")] {
            assert_eq!(ago(seconds), text);
        }
    }

    #[test]
    fn a_time_in_utc_is_read_to_the_second() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:00:01Z"), Some(951_825_601));
        assert_eq!(unix_seconds("2026-11-22T10:57:00.123456789Z"), Some(1_795_345_020));
        assert_eq!(unix_seconds("2100-03-01T00:00:00Z"), Some(4_107_542_400));
    }

    #[test]
    fn what_is_no_time_in_utc_is_refused() {
        for text in
            ["", "soon", "2026-11-22", "2026-11-22 10:57:00Z", "2026-11-22T10:57:00+01:00", "2026-+1-22T10:57:00Z", "2026-11-22T10:57:0éZ"]
        {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_written_out() {
        let cases = [
            ("2026-11-22T10:57:00Z", "22 November 2026"),
            ("2000-01-01T00:00:00.5Z", "1 January 2000"),
            ("2026-13-01T00:00:00Z", ""),
            ("soon", ""),
        ];
        for (time, text) in cases {
            assert_eq!(day(time), text);
        }
    }

    #[test]
    fn what_is_left_is_told_in_two_units() {
        let cases = [
            (-5, "ended"),
            (0, "ended"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute 0 seconds"),
            (1_752, "29 minutes 12 seconds"),
            (28_800, "8 hours 0 minutes"),
            (90_000, "1 day 1 hour"),
        ];
        for (seconds, text) in cases {
            assert_eq!(remaining(seconds), text);
        }
    }
}
