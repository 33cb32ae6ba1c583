//! `[flow]`: the X-ray, which shows a browser its own logins.

use super::public_url::PublicUrl;
use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;

/// More would take too much memory when every one of them is as large as it may be.
const MAXIMUM_LOGINS: usize = 1000;

static ENABLED: Setting<bool> = Setting::optional(
    "enabled",
    "Whether logins are recorded for the browser that makes them, to be looked at on the page /flow. Secrets are never recorded, but what \
     the provider says about the user is, and whoever uses the browser next can see it.",
)
.default_in_words("`true` when public_url is on this machine, otherwise `false`")
.example("false");
static LOGINS: Setting<usize> =
    Setting::optional("logins", "How many logins are kept in all; the oldest makes way for the next.").default("100");
static LOGINS_PER_BROWSER: Setting<usize> = Setting::optional("logins_per_browser", "How many of them may be one browser's.").default("10");

pub(super) static SECTION: Section = Section {
    name: "flow",
    element: None,
    doc: "The X-ray: each step of a login as it really happened, with every parameter and every check, for whoever made it. It is kept in \
          memory alone.",
    settings: &[&ENABLED, &LOGINS, &LOGINS_PER_BROWSER],
};

/// The X-ray.
#[derive(Clone, Copy, Debug)]
pub struct FlowConfig {
    /// Whether logins are recorded.
    pub enabled: bool,
    /// How many are kept.
    pub logins: usize,
    /// How many of one browser.
    pub logins_per_browser: usize,
}

impl FlowConfig {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>, public_url: Option<&PublicUrl>) -> Option<Self> {
        let is_loopback = public_url.is_some_and(PublicUrl::is_loopback);
        let enabled = if reader.is_set(&ENABLED) { reader.optional(&ENABLED) } else { Some(is_loopback) };
        let (logins, logins_per_browser) = (reader.optional(&LOGINS), reader.optional(&LOGINS_PER_BROWSER));
        if enabled == Some(true) && public_url.is_some() && !is_loopback {
            reader.warn(
                &ENABLED,
                "logins are recorded in memory; whoever uses a browser next can see what the provider said about the user.",
            );
        }
        if logins.is_some_and(|logins| !(1..=MAXIMUM_LOGINS).contains(&logins)) {
            reader.problem(&LOGINS, "It is not between 1 and 1000.", "Write a number between 1 and 1000, or set enabled = false.");
        }
        if let (Some(logins), Some(of_browser)) = (logins, logins_per_browser)
            && !(1..=logins).contains(&of_browser)
        {
            reader.problem(
                &LOGINS_PER_BROWSER,
                format!("It is not between 1 and {logins}, which is all there are."),
                "Write a smaller number.",
            );
        }
        Some(Self { enabled: enabled?, logins: logins?, logins_per_browser: logins_per_browser? })
    }
}
