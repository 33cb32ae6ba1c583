//! Where a specification says so.

/// One section of a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    document: Document,
    section: &'static str,
    anchor: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Document {
    Rfc(u16),
    OpenId { name: &'static str, file: &'static str },
    W3c { name: &'static str, file: &'static str },
}

/// A section of an RFC.
pub(crate) const fn rfc(number: u16, section: &'static str) -> Reference {
    Reference { document: Document::Rfc(number), section, anchor: "" }
}

/// A section of `OpenID` Connect Core, whose headings have names to link to.
pub(crate) const fn core(section: &'static str, anchor: &'static str) -> Reference {
    open_id("OpenID Connect Core", "openid-connect-core-1_0.html", section, anchor)
}

/// A section of `OpenID` Connect Discovery.
pub(super) const fn discovery(section: &'static str, anchor: &'static str) -> Reference {
    open_id("OpenID Connect Discovery", "openid-connect-discovery-1_0.html", section, anchor)
}

/// A section of `OpenID` Connect RP-Initiated Logout.
pub(super) const fn rp_logout(section: &'static str, anchor: &'static str) -> Reference {
    open_id("OpenID Connect RP-Initiated Logout", "openid-connect-rpinitiated-1_0.html", section, anchor)
}

/// A section of `OpenID` Connect Back-Channel Logout.
pub(super) const fn backchannel_logout(section: &'static str, anchor: &'static str) -> Reference {
    open_id("OpenID Connect Back-Channel Logout", "openid-connect-backchannel-1_0.html", section, anchor)
}

/// A section of `OpenID` Connect Session Management.
pub(super) const fn session_management(section: &'static str, anchor: &'static str) -> Reference {
    open_id("OpenID Connect Session Management", "openid-connect-session-1_0.html", section, anchor)
}

/// A section of JARM.
pub(super) const fn jarm(section: &'static str, anchor: &'static str) -> Reference {
    open_id("JARM", "oauth-v2-jarm.html", section, anchor)
}

/// A section of Fetch Metadata Request Headers, whose numbers change from draft to draft.
pub(super) const fn fetch_metadata(anchor: &'static str) -> Reference {
    w3c("Fetch Metadata", "fetch-metadata", "", anchor)
}

/// A section of Clear Site Data.
pub(super) const fn clear_site_data(section: &'static str, anchor: &'static str) -> Reference {
    w3c("Clear Site Data", "clear-site-data", section, anchor)
}

const fn w3c(name: &'static str, file: &'static str, section: &'static str, anchor: &'static str) -> Reference {
    Reference { document: Document::W3c { name, file }, section, anchor }
}

const fn open_id(name: &'static str, file: &'static str, section: &'static str, anchor: &'static str) -> Reference {
    Reference { document: Document::OpenId { name, file }, section, anchor }
}

impl Reference {
    /// What it is called, such as `RFC 6749 §4.1.1`.
    pub(crate) fn name(&self) -> String {
        let mut name = match self.document {
            Document::Rfc(number) => ["RFC ", &number.to_string()].concat(),
            Document::OpenId { name, .. } | Document::W3c { name, .. } => name.to_owned(),
        };
        if !self.section.is_empty() {
            name.push_str(" §");
            name.push_str(self.section);
        }
        name
    }

    /// Where it can be read.
    pub(crate) fn address(&self) -> String {
        let (base, document, anchor) = match self.document {
            Document::Rfc(number) => {
                let anchor = if self.section.is_empty() { String::new() } else { ["section-", self.section].concat() };
                ("https://www.rfc-editor.org/rfc/rfc", number.to_string(), anchor)
            }
            Document::OpenId { file, .. } => ("https://openid.net/specs/", file.to_owned(), self.anchor.to_owned()),
            Document::W3c { file, .. } => ("https://www.w3.org/TR/", [file, "/"].concat(), self.anchor.to_owned()),
        };
        let mut address = [base, &document].concat();
        if !anchor.is_empty() {
            address.push('#');
            address.push_str(&anchor);
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::{core, fetch_metadata, rfc};

    #[test]
    fn a_section_has_a_name_and_an_address() {
        let section = rfc(6749, "4.1.1");
        assert_eq!(section.name(), "RFC 6749 §4.1.1");
        assert_eq!(section.address(), "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1");
        let section = core("3.1.3.7", "IDTokenValidation");
        assert_eq!(section.name(), "OpenID Connect Core §3.1.3.7");
        assert_eq!(section.address(), "https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation");
        assert_eq!(rfc(7009, "").address(), "https://www.rfc-editor.org/rfc/rfc7009");
        let section = fetch_metadata("sec-fetch-site-header");
        assert_eq!(section.name(), "Fetch Metadata");
        assert_eq!(section.address(), "https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header");
    }
}
