//! A rule about e-mail addresses, and the address of somebody who wants to come in.

use oauth2flow_protocol::access::{self, DomainPattern, EmailAddress, Facts, Rule};

/// A line with a domain, then a line with an address. Whoever is let in has an address with one `@`, in that domain.
pub fn access(input: &[u8]) -> bool {
    let Some((pattern, address)) = std::str::from_utf8(input).ok().and_then(|text| text.split_once('\n')) else { return false };
    let (Some(domain), Some(email)) = (DomainPattern::parse(pattern), EmailAddress::parse(address)) else { return false };
    assert_eq!(EmailAddress::parse(email.as_str()), Some(email.clone()), "{address:?}");
    assert_eq!(address.matches('@').count(), 1, "{address:?}");
    assert!(!address.contains(|character: char| character.is_whitespace() || character.is_control()), "{address:?}");
    assert!(email.domain().bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()), "{address:?}");

    let facts = Facts { email: Some(email.clone()), ..Facts::default() };
    let own = Rule { emails: [email.clone()].into(), ..Rule::default() };
    assert!(access::decide(&own, &facts).is_ok(), "{address:?}");
    let lets_in = access::decide(&Rule { domains: vec![domain.clone()], ..Rule::default() }, &facts).is_ok();
    let is_in = match &domain {
        DomainPattern::Exactly(name) => email.domain() == name,
        DomainPattern::Below(name) => email.domain().len() > name.len() + 1 && email.domain().ends_with(&format!(".{name}")),
    };
    assert_eq!(lets_in, is_in, "{pattern:?} {address:?}");
    lets_in
}
