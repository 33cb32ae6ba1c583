//! Reading and writing the parts of a URL, without a URL library: every byte of one would be sent to every visitor.

use crate::api::{AuthorizationResponse, BASE};

/// What the URL of the callback page holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Redirect {
    /// Nothing of a sign-in.
    Nothing,
    /// A parameter more than once, which makes the whole answer void (RFC 6749 §3.1): all of it, as it came, for the server to see why.
    Repeated(String),
    /// The provider's answer.
    Response(AuthorizationResponse),
}

/// The name and value pairs of a query or a fragment, with or without its `?` or `#`, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let text = text.strip_prefix(['?', '#']).unwrap_or(text);
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Reads a provider's answer from the query and the fragment of the callback page's URL.
///
/// A response comes in the query; the fragment is read too, so that a parameter in both counts as repeated.
pub fn read_redirect(url_parts: &str) -> Redirect {
    let (search, hash) = url_parts.split_once('#').unwrap_or((url_parts, ""));
    let mut response = AuthorizationResponse::default();
    for (name, value) in pairs(search).into_iter().chain(pairs(hash)) {
        let field = match name.as_str() {
            "code" => &mut response.code,
            "state" => &mut response.state,
            "iss" => &mut response.iss,
            "response" => &mut response.response,
            "error" => &mut response.error,
            "error_description" => &mut response.error_description,
            "error_uri" => &mut response.error_uri,
            _ => continue,
        };
        if field.replace(value).is_some() {
            let search = search.strip_prefix('?').unwrap_or(search);
            return Redirect::Repeated([search, if search.is_empty() || hash.is_empty() { "" } else { "&" }, hash].concat());
        }
    }
    if response.code.is_none() && response.error.is_none() && response.state.is_none() && response.response.is_none() {
        return Redirect::Nothing;
    }
    Redirect::Response(response)
}

/// The address that starts a sign-in with `provider` and comes back to `return_to`.
pub fn login_address(provider: &str, return_to: &str) -> String {
    let mut address = String::from(BASE);
    address.push_str("/oauth/login?provider=");
    encode(provider, &mut address);
    address.push_str("&return_to=");
    encode(return_to, &mut address);
    address
}

/// The address of a sign-in that the server has asked for, coming back to `return_to`; nothing for an address that is none.
pub fn step_up_address(login_url: &str, return_to: &str) -> Option<String> {
    login_url.strip_prefix(BASE)?.strip_prefix("/oauth/login?")?;
    let mut address = String::from(login_url);
    address.push_str("&return_to=");
    encode(return_to, &mut address);
    Some(address)
}

/// Whether `text` can be the id of a request: nothing else from a URL is worth showing.
pub fn is_request_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Appends `text` to `encoded`, percent-encoded but for the unreserved characters and the slash (RFC 3986 §3.4).
pub fn encode(text: &str, encoded: &mut String) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push(HEXADECIMAL[usize::from(byte >> 4)].into());
            encoded.push(HEXADECIMAL[usize::from(byte & 15)].into());
        }
    }
}

/// Undoes `application/x-www-form-urlencoded`; what is not UTF-8 becomes replacement characters.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                at += 3;
                continue;
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Redirect, encode, is_request_id, login_address, pairs, read_redirect, step_up_address};

    fn response(url_parts: &str) -> crate::api::AuthorizationResponse {
        match read_redirect(url_parts) {
            Redirect::Response(response) => response,
            Redirect::Nothing => panic!("nothing in {url_parts}"),
            Redirect::Repeated(_) => panic!("repeated in {url_parts}"),
        }
    }

    #[test]
    fn values_are_decoded_as_forms_encode_them() {
        let read = pairs("?a=1&b=x+y%20z&c&=d&e=%C3%A9%2&f=%zz%e2");
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("", "d"), ("e", "é%2"), ("f", "%zz\u{fffd}")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_code_and_its_company_are_read() {
        let response = response("?code=c%2Fd&state=s&iss=http%3A%2F%2F127.0.0.1%3A4000&session_state=x#_=_");
        assert_eq!(response.code.as_deref(), Some("c/d"));
        assert_eq!(response.state.as_deref(), Some("s"));
        assert_eq!(response.iss.as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(response.error, None);
    }

    #[test]
    fn an_error_and_its_words_are_read() {
        let response = response("?error=access_denied&error_description=No+%3Cb%3E&state=s");
        assert_eq!(response.error.as_deref(), Some("access_denied"));
        assert_eq!(response.error_description.as_deref(), Some("No <b>"));
    }

    #[test]
    fn a_signed_answer_is_read() {
        let response = response("?response=eyJ.eyJ.sig");
        assert_eq!(response.response.as_deref(), Some("eyJ.eyJ.sig"));
        assert!(response.code.is_none() && response.state.is_none());
    }

    #[test]
    fn a_step_up_leads_to_the_sign_in_and_nowhere_else() {
        let address = step_up_address("/api/v1/oauth/login?provider=demo&upstream=notes", "/account?x=1");
        assert_eq!(address.as_deref(), Some("/api/v1/oauth/login?provider=demo&upstream=notes&return_to=/account%3Fx%3D1"));
        for elsewhere in ["https://evil.example/", "//evil.example/api/v1/oauth/login?", "/api/v1/session", "javascript:alert(1)", ""] {
            assert_eq!(step_up_address(elsewhere, "/"), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_repeated_parameter_voids_the_answer() {
        for (url_parts, form) in [
            ("?code=a&code=b&state=s", "code=a&code=b&state=s"),
            ("?code=a&state=s&state=s", "code=a&state=s&state=s"),
            ("?code=a&iss=x&iss=y", "code=a&iss=x&iss=y"),
            ("?error=a&error=a", "error=a&error=a"),
            ("?code=a%2Bb#code=b", "code=a%2Bb&code=b"),
            ("#code=a&code=b", "code=a&code=b"),
            ("?response=a&response=b", "response=a&response=b"),
        ] {
            assert!(matches!(read_redirect(url_parts), Redirect::Repeated(repeated) if repeated == form), "{url_parts}");
        }
    }

    #[test]
    fn a_url_without_an_answer_holds_nothing() {
        for url_parts in ["", "?", "#_=_", "?utm=1", "?iss=x"] {
            assert!(matches!(read_redirect(url_parts), Redirect::Nothing), "{url_parts}");
        }
    }

    #[test]
    fn a_login_address_keeps_query_and_fragment_of_the_way_back() {
        assert_eq!(login_address("demo", "/account"), "/api/v1/oauth/login?provider=demo&return_to=/account");
        assert_eq!(
            login_address("a&b", "/account?x=1&y=ü#notes"),
            "/api/v1/oauth/login?provider=a%26b&return_to=/account%3Fx%3D1%26y%3D%C3%BC%23notes"
        );
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text = "a b&c=d#é/\"<>%+";
        let mut encoded = String::from("x=");
        encode(text, &mut encoded);
        assert_eq!(pairs(&encoded), [("x".to_owned(), text.to_owned())]);
    }

    #[test]
    fn only_a_request_id_is_a_request_id() {
        assert!(is_request_id("01J-abc"));
        for text in ["", "a b", "<script>", "é", &"a".repeat(65)] {
            assert!(!is_request_id(text), "{text}");
        }
    }
}
