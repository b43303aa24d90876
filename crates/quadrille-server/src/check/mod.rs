//! A walk through another provider, for `quadrille check`: its metadata, its keys and its refusals,
//! each judged by the section that demands it.
//!
//! [`ask`] sends requests; `metadata`, `keys` and `refusals` judge the answers, without any I/O.

mod ask;
mod keys;
mod metadata;
mod refusals;
mod report;

use serde_json::{Map, Value};
use url::Url;

pub use ask::CheckError;
use ask::{Answer, Asking};
pub use refusals::KnownClient;
pub use report::{Finding, Outcome, Part, Report};
use report::{Found, Quote};

/// The provider to check, and what is known at it.
#[derive(Debug)]
pub struct Check {
    /// The issuer, an https URL, or one of http on this machine.
    pub issuer: String,
    /// A client that is registered at the provider: with it, refusals are checked that are sent to a
    /// client.
    pub client: Option<KnownClient>,
    /// Certificate authorities beside those of the machine, in PEM.
    pub authorities: Option<Vec<u8>>,
}

const DISCOVERY_4: &str = "OpenID Connect Discovery 1.0, section 4";
const DISCOVERY_4_2: &str = "OpenID Connect Discovery 1.0, section 4.2";
const RFC_8414_3: &str = "RFC 8414, section 3";
const RFC_8414_3_2: &str = "RFC 8414, section 3.2";
const RFC_6749_4_1_2_1: &str = "RFC 6749, section 4.1.2.1";
const RFC_7517_5: &str = "RFC 7517, section 5";

impl Check {
    /// Walks through the provider. `told` gets each finding as it is made.
    ///
    /// # Errors
    /// [`CheckError`] if the issuer is no URL, or its server does not respond or is too slow.
    pub async fn run(&self, told: &mut (dyn FnMut(&Finding) + Send)) -> Result<Report, CheckError> {
        let walk = tokio::time::timeout(ask::PATIENCE_IN_ALL, self.walk(told));
        walk.await.unwrap_or(Err(CheckError::TooSlow))
    }

    async fn walk(&self, told: &mut (dyn FnMut(&Finding) + Send)) -> Result<Report, CheckError> {
        let asking = Asking::new(self.authorities.as_deref())?;
        let issuer = ask::issuer(&self.issuer)?;
        let mut report = Report::new(&self.issuer);
        let answers =
            [asking.get(&openid_url(&issuer)).await?, asking.get(&oauth_url(&issuer)).await?];
        let [openid, oauth] = &answers;
        let openid = document(&mut report, Part::Metadata, DISCOVERY_4_2, openid);
        let oauth = document(&mut report, Part::OAuthMetadata, RFC_8414_3_2, oauth);
        if let Some(document) = &openid {
            metadata::openid(document, &self.issuer, &mut report);
        }
        if let Some(document) = &oauth {
            metadata::oauth(document, &self.issuer, &mut report);
        }
        if let (Some(openid), Some(oauth)) = (&openid, &oauth) {
            metadata::agree(openid, oauth, &mut report);
        }
        report.tell(told);
        // What another issuer's document names is none of this provider's.
        if openid.iter().chain(&oauth).any(|document| !metadata::is_of(document, &self.issuer)) {
            return Ok(report);
        }
        let Some(document) = openid.or(oauth) else {
            // The faults of a document that is there are in the report already.
            if answers.iter().all(|answer| answer.status != 200) {
                report.part(Part::Metadata).must(
                    &format!("{DISCOVERY_4}, and {RFC_8414_3}"),
                    "the issuer has metadata at one of the two well-known paths",
                    Found::wrong(none(&issuer, &answers)),
                );
            }
            report.tell(told);
            return Ok(report);
        };
        self.keys(&asking, &document, &mut report).await;
        report.tell(told);
        self.client(&asking, &document, &mut report).await;
        report.tell(told);
        for (part, probe) in refusals::probes(&document) {
            let answer = asking.send(&probe.request).await;
            refusals::judge(&probe, &answer, &mut report.part(part));
            report.tell(told);
        }
        Ok(report)
    }

    /// What a client gets that is registered there, if it is.
    async fn client(&self, asking: &Asking, document: &Map<String, Value>, report: &mut Report) {
        let Some(client) = &self.client else { return };
        let probes = refusals::of_client(document, client);
        let mut answers = Vec::new();
        for probe in &probes {
            answers.push(asking.send(&probe.request).await);
        }
        let mut part = report.part(Part::Authorization);
        if let Some(found) = refusals::unknown_client(&probes, &answers) {
            part.must(
                RFC_6749_4_1_2_1,
                "errors get to a client that is registered, at its redirect URI",
                Found::wrong(found),
            );
            return;
        }
        for (probe, answer) in probes.iter().zip(&answers) {
            refusals::judge(probe, answer, &mut part);
        }
    }

    async fn keys(&self, asking: &Asking, document: &Map<String, Value>, report: &mut Report) {
        let Some(url) = metadata::url(document, "jwks_uri") else { return };
        let requirement = "the key set can be fetched";
        match asking.get(&url).await {
            Err(error) => {
                let found = Found::wrong(error.to_string());
                report.part(Part::Keys).must(RFC_7517_5, requirement, found);
            }
            Ok(answer) => {
                let mut part = report.part(Part::Keys);
                if let Some(limit) = answer.limit() {
                    part.must(RFC_7517_5, requirement, Found::Limited(limit));
                    return;
                }
                let found = Found::is(answer.status == 200, || answer.status.to_string());
                part.must(RFC_7517_5, requirement, found);
                keys::check(&answer, document, &mut part);
            }
        }
    }
}

/// The metadata in an answer. An answer other than 200 has none.
fn document(
    report: &mut Report,
    part: Part,
    section: &'static str,
    answer: &Answer,
) -> Option<Map<String, Value>> {
    if answer.status != 200 {
        return None;
    }
    let mut part = report.part(part);
    let found = Found::is(answer.is_json(), || answer.header("content-type").quote());
    part.must(section, "the metadata are application/json", found);
    let object = answer.object();
    let found = Found::is(object.is_some(), || answer.shown());
    part.must(section, "the metadata are one JSON object", found);
    object
}

/// What is in place of metadata. The URL of a document is often given for the issuer.
fn none(issuer: &Url, [openid, oauth]: &[Answer; 2]) -> String {
    let (before, after) = issuer.path().split_once("/.well-known/").unwrap_or_default();
    let names = ["openid-configuration", "oauth-authorization-server"];
    if let Some(rest) = names.iter().find_map(|name| after.strip_prefix(name)) {
        let mut right = issuer.clone();
        right.set_path(&format!("{before}{rest}"));
        let right = right.as_str().trim_end_matches('/');
        return format!("the URL of a document. The issuer is wanted: quadrille check {right}");
    }
    openid.limit().or(oauth.limit()).unwrap_or_else(|| match openid.status == oauth.status {
        true => format!("status {} at both", openid.status),
        false => format!("status {} and status {}", openid.status, oauth.status),
    })
}

/// OpenID Connect Discovery, section 4.1: the path of the issuer comes first.
fn openid_url(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!(
        "{}/.well-known/openid-configuration",
        issuer.path().trim_end_matches('/')
    ));
    url
}

/// RFC 8414, section 3.1: the well-known path comes first.
fn oauth_url(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!(
        "/.well-known/oauth-authorization-server{}",
        issuer.path().trim_end_matches('/')
    ));
    url
}
