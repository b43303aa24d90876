//! The findings of a check.

use serde::Serialize;

use crate::words::Quoted;

/// The longest piece of an answer that a finding shows, in characters.
const SHOWN: usize = 120;

/// The part of a provider that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The metadata of OpenID Connect Discovery.
    Metadata,
    /// The metadata of RFC 8414.
    #[serde(rename = "oauth_metadata")]
    OAuthMetadata,
    /// The key set.
    Keys,
    /// The authorization endpoint.
    Authorization,
    /// The token endpoint.
    Token,
    /// The userinfo endpoint.
    Userinfo,
    /// The revocation endpoint.
    Revocation,
    /// The introspection endpoint.
    Introspection,
    /// The endpoint for client registration.
    Registration,
    /// The device authorization endpoint.
    DeviceAuthorization,
    /// The end session endpoint.
    EndSession,
}

impl Part {
    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "Metadata (OpenID Connect Discovery)",
            Self::OAuthMetadata => "Metadata (RFC 8414)",
            Self::Keys => "Keys",
            Self::Authorization => "Authorization endpoint",
            Self::Token => "Token endpoint",
            Self::Userinfo => "Userinfo endpoint",
            Self::Revocation => "Revocation endpoint",
            Self::Introspection => "Introspection endpoint",
            Self::Registration => "Registration endpoint",
            Self::DeviceAuthorization => "Device authorization endpoint",
            Self::EndSession => "End session endpoint",
        }
    }
}

/// The outcome of one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The requirement is met.
    Passed,
    /// The provider does not do what the specification recommends.
    Warning,
    /// The provider does not do what the specification demands.
    Error,
    /// The provider limits attempts, and refused to look at this one.
    NotChecked,
}

/// One requirement and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part of the provider.
    pub part: Part,
    /// The outcome.
    pub outcome: Outcome,
    /// The section that has the requirement.
    pub section: String,
    /// The requirement.
    pub requirement: String,
    /// The value that was found in place of the required one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// All findings about one provider.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The issuer.
    pub issuer: String,
    /// The findings, in the order of the parts.
    pub findings: Vec<Finding>,
    /// The number of those that were told.
    #[serde(skip)]
    told: usize,
}

impl Report {
    pub(super) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), findings: Vec::new(), told: 0 }
    }

    /// The number of findings with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }

    /// Tells the findings that were made since the last call.
    pub(super) fn tell(&mut self, told: &mut (dyn FnMut(&Finding) + Send)) {
        self.findings.iter().skip(self.told).for_each(told);
        self.told = self.findings.len();
    }

    pub(super) fn part(&mut self, part: Part) -> Findings<'_> {
        Findings { report: self, part }
    }
}

/// The findings about one part.
#[derive(Debug)]
pub(super) struct Findings<'r> {
    report: &'r mut Report,
    part: Part,
}

impl Findings<'_> {
    /// A requirement of a specification.
    pub(super) fn must(&mut self, section: &str, requirement: impl Into<String>, found: Found) {
        self.add(section, requirement.into(), found, Outcome::Error);
    }

    /// A recommendation of a specification.
    pub(super) fn should(&mut self, section: &str, requirement: impl Into<String>, found: Found) {
        self.add(section, requirement.into(), found, Outcome::Warning);
    }

    fn add(&mut self, section: &str, requirement: String, found: Found, otherwise: Outcome) {
        let (outcome, found) = match found {
            Found::Met => (Outcome::Passed, None),
            Found::Other(found) => (otherwise, Some(found)),
            Found::Limited(found) => (Outcome::NotChecked, Some(found)),
        };
        let (part, section) = (self.part, section.to_owned());
        self.report.findings.push(Finding { part, outcome, section, requirement, found });
    }
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// The required value.
    Met,
    /// Another value.
    Other(String),
    /// An answer that tells the client to come later, and nothing about the requirement.
    Limited(String),
}

impl Found {
    pub(super) fn is(is_met: bool, found: impl FnOnce() -> String) -> Self {
        if is_met { Self::Met } else { Self::wrong(found()) }
    }

    pub(super) fn wrong(found: impl Into<String>) -> Self {
        Self::Other(found.into())
    }
}

/// Text of a stranger, short and in quotation marks.
pub(super) trait Quote {
    fn quote(&self) -> String;
}

impl<T: AsRef<str> + ?Sized> Quote for T {
    fn quote(&self) -> String {
        let text = self.as_ref();
        match text.char_indices().nth(SHOWN) {
            None => Quoted(text).to_string(),
            Some((end, _)) => format!("{} ...", Quoted(text.get(..end).unwrap_or(text))),
        }
    }
}
