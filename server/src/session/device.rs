//! What a session runs on, in words, so that people recognize it in a list: from the `User-Agent` header of the login
//! ([RFC 9110 §10.1.5](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5)). It is the browser's own word, so nothing depends on it.

use crate::middleware::client_ip::ClientAddress;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// How much of the header is looked at.
const LONGEST: usize = 512;

/// Browsers by what only they write; most write the names of others as well, so the order counts.
const BROWSERS: [(&str, &str); 40] = [
    ("HeadlessChrome/", "Headless Chrome"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("OPT/", "Opera"),
    ("Opera", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("Brave/", "Brave"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("YaBrowser/", "Yandex Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("UCBrowser/", "UC Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("Whale/", "Whale"),
    ("Silk/", "Silk"),
    ("Focus/", "Firefox Focus"),
    ("Klar/", "Firefox Klar"),
    ("SeaMonkey/", "SeaMonkey"),
    ("PaleMoon/", "Pale Moon"),
    ("Waterfox/", "Waterfox"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("GSA/", "Google app"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Epiphany/", "GNOME Web"),
    ("; wv)", "an app"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("w3m/", "w3m"),
    ("Lynx/", "Lynx"),
];

/// Systems, in the same way.
const SYSTEMS: [(&str, &str); 20] = [
    ("Windows Phone", "Windows Phone"),
    ("Xbox", "Xbox"),
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPod", "iPod"),
    ("iPad", "iPad"),
    ("PlayStation", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("KAIOS/", "KaiOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Ubuntu", "Ubuntu"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
];

/// What a session runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The browser, such as `Firefox`, if it is a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The system, such as `Linux`, if it is a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Where the login came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Device {
    /// Reads the header of a request from this address.
    pub fn of(headers: &HeaderMap, address: Option<ClientAddress>) -> Self {
        let name = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // The header is ASCII, so every place is a boundary.
        let (browser, system) = recognize(name.get(..LONGEST).unwrap_or(name));
        Self {
            browser: browser.map(str::to_owned),
            system: system.map(str::to_owned),
            address: address.map(|ClientAddress(address)| address.to_string()),
        }
    }
}

/// The browser and the system that a `User-Agent` names.
fn recognize(name: &str) -> (Option<&'static str>, Option<&'static str>) {
    let first = |table: &[(&str, &'static str)]| table.iter().find(|(mark, _)| name.contains(mark)).map(|(_, words)| *words);
    // Nearly everybody claims to be Safari; the real one has a version and nothing else.
    let safari = || (name.contains("Version/") && name.contains("Safari/")).then_some("Safari");
    // What shows pages inside another program has no name of its own.
    let app = || (name.contains("AppleWebKit/") && name.contains("Mobile/")).then_some("an app");
    (first(&BROWSERS).or_else(safari).or_else(app), first(&SYSTEMS))
}

#[cfg(test)]
mod tests {
    use super::{Device, recognize};
    use crate::middleware::client_ip::ClientAddress;
    use axum::http::{HeaderMap, HeaderValue, header};

    const GECKO_ANDROID: &str = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";

    #[test]
    fn browsers_are_called_what_people_call_them() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let ios = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
        let android = "Mozilla/5.0 (Linux; Android 10; K)";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)";
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox", "Linux"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned(), "Firefox", "Ubuntu"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox", "Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox", "macOS"),
            ("Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned(), "Firefox", "FreeBSD"),
            ("Mozilla/5.0 (X11; OpenBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned(), "Firefox", "OpenBSD"),
            (GECKO_ANDROID.to_owned(), "Firefox", "Android"),
            (format!("{iphone} {ios} FxiOS/140.0 Mobile/15E148 Safari/605.1.15"), "Firefox", "iPhone"),
            (format!("{iphone} {ios} FxiOS/140.0 Focus/140.0 Mobile/15E148 Safari/605.1.15"), "Firefox Focus", "iPhone"),
            (format!("{windows} {webkit} Chrome/138.0.0.0 Safari/537.36"), "Chrome", "Windows"),
            (format!("{mac} {webkit} Chrome/138.0.0.0 Safari/537.36"), "Chrome", "macOS"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/138.0.0.0 Safari/537.36"), "Chrome", "Linux"),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} Chrome/138.0.0.0 Safari/537.36"), "Chrome", "ChromeOS"),
            (format!("{android} {webkit} Chrome/138.0.0.0 Mobile Safari/537.36"), "Chrome", "Android"),
            (format!("{iphone} {ios} CriOS/138.0.7204.33 Mobile/15E148 Safari/604.1"), "Chrome", "iPhone"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/138.0.0.0 Safari/537.36"), "Headless Chrome", "Linux"),
            (
                format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Ubuntu Chromium/80.0.3987.87 Chrome/80.0.3987.87 Safari/537.36"),
                "Chromium",
                "Ubuntu",
            ),
            (format!("{mac} {ios} Version/18.5 Safari/605.1.15"), "Safari", "macOS"),
            (format!("{iphone} {ios} Version/18.5 Mobile/15E148 Safari/604.1"), "Safari", "iPhone"),
            (format!("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) {ios} Version/12.1 Mobile/15E148 Safari/604.1"), "Safari", "iPad"),
            (format!("{windows} {webkit} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0"), "Edge", "Windows"),
            (format!("{windows} {webkit} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763"), "Edge", "Windows"),
            (format!("{android} {webkit} Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0.0.0"), "Edge", "Android"),
            (format!("{iphone} {ios} Version/18.0 EdgiOS/138.0.3351.65 Mobile/15E148 Safari/605.1.15"), "Edge", "iPhone"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {webkit} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0"),
                "Edge",
                "Xbox",
            ),
            (format!("{windows} {webkit} Chrome/136.0.0.0 Safari/537.36 OPR/121.0.0.0"), "Opera", "Windows"),
            ("Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18".to_owned(), "Opera", "Windows"),
            (format!("{iphone} {ios} Version/18.0 Mobile/15E148 Safari/604.1 OPT/5.5.0"), "Opera", "iPhone"),
            (format!("{windows} {webkit} Chrome/138.0.0.0 Safari/537.36 Vivaldi/7.5.3735.44"), "Vivaldi", "Windows"),
            (format!("{android} {webkit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"), "Samsung Internet", "Android"),
            (format!("{mac} {ios} Version/18.5 Safari/605.1.15 Ddg/18.5"), "DuckDuckGo", "macOS"),
            (format!("{android} {webkit} Chrome/138.0.0.0 Mobile DuckDuckGo/5 Safari/537.36"), "DuckDuckGo", "Android"),
            (format!("{windows} {webkit} Chrome/136.0.0.0 YaBrowser/25.6.0.0 Safari/537.36"), "Yandex Browser", "Windows"),
            (
                format!(
                    "Mozilla/5.0 (Linux; U; Android 13; de-de; M2101K6G) {webkit} Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.4"
                ),
                "Mi Browser",
                "Android",
            ),
            (
                format!(
                    "Mozilla/5.0 (Linux; U; Android 12; en-US; SM-A125F) {webkit} Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.4.0 Mobile Safari/537.36"
                ),
                "UC Browser",
                "Android",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 11; KFTRWI) {webkit} Silk/136.2.6 like Chrome/136.0.7103.125 Safari/537.36"),
                "Silk",
                "Android",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) {webkit} Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36"),
                "an app",
                "Android",
            ),
            (format!("{iphone} {ios} Mobile/15E148"), "an app", "iPhone"),
            (format!("{iphone} {ios} GSA/373.0 Mobile/15E148 Safari/604.1"), "Google app", "iPhone"),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {ios} Version/18.0 Safari/605.1.15 Epiphany/605.1.15"), "GNOME Web", "Linux"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Firefox/91.0 SeaMonkey/2.53.19".to_owned(), "SeaMonkey", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Goanna/6.8 Firefox/128.0 PaleMoon/33.8".to_owned(),
                "Pale Moon",
                "Windows",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(), "Internet Explorer", "Windows"),
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)".to_owned(), "Internet Explorer", "Windows"),
        ];
        for (name, browser, system) in cases {
            assert_eq!(recognize(&name), (Some(browser), Some(system)), "{name}");
        }
    }

    #[test]
    fn what_does_not_say_its_system_is_still_named() {
        assert_eq!(recognize("curl/8.14.1"), (Some("curl"), None));
        assert_eq!(recognize("Lynx/2.9.2 libwww-FM/2.14"), (Some("Lynx"), None));
    }

    #[test]
    fn nobody_is_made_up() {
        for name in ["", "Mozilla/5.0", "SomethingNew/1.0", "Safari/605.1.15", "firefox"] {
            assert_eq!(recognize(name), (None, None), "{name}");
        }
        assert_eq!(Device::of(&HeaderMap::new(), None), Device::default());
    }

    #[test]
    fn only_the_beginning_of_a_long_name_is_looked_at() {
        let mut headers = HeaderMap::new();
        let name = format!("{}Firefox/140.0 (X11; Linux)", "x".repeat(600));
        headers.insert(header::USER_AGENT, HeaderValue::try_from(name).unwrap());
        assert_eq!(Device::of(&headers, None), Device::default());
        headers.insert(header::USER_AGENT, HeaderValue::from_bytes(b"Firefox/\xff").unwrap());
        assert_eq!(Device::of(&headers, None), Device::default());
    }

    #[test]
    fn a_device_is_read_from_a_request_and_from_the_store() {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(GECKO_ANDROID));
        let device = Device::of(&headers, Some(ClientAddress("192.0.2.1".parse().unwrap())));
        let text = serde_json::to_string(&device).unwrap();
        assert_eq!(text, r#"{"browser":"Firefox","system":"Android","address":"192.0.2.1"}"#);
        assert_eq!(serde_json::from_str::<Device>(&text).unwrap(), device);
        assert_eq!(serde_json::from_str::<Device>("{}").unwrap(), Device::default());
    }
}
