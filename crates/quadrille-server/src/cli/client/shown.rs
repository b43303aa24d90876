//! The form in which commands show a client.

use std::sync::Arc;

use quadrille::{
    Scopes, Secret,
    jose::Algorithm,
    provider::{
        AccessTokenFormat, Client, ClientAbout, ClientOpenId, ClientSecret, ClientType, GrantType,
        GrantTypes, Lifetimes, MessageEncryption, RedirectPattern, RedirectUri, SecretVerifier,
        SubjectType,
        oauth1::{Credential, Registration},
    },
};
use serde::Serialize;

use crate::{Failure, output::Output};

use super::super::table::{table, when};

/// A client, under the names of RFC 7591, section 2.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    pub(super) client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth1_secret: Option<&'a str>,
    pub(super) client_name: &'a str,
    client_type: ClientType,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<&'static str>,
    redirect_uris: &'a [RedirectUri],
    grant_types: &'a GrantTypes,
    pub(super) scope: &'a str,
    first_party: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    without_pkce: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_scope: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    requires_pkce: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    without_rotation: bool,
    #[serde(skip_serializing_if = "Lifetimes::is_default")]
    lifetimes: Lifetimes,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_format: Option<AccessTokenFormat>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    redirect_uri_patterns: &'a [RedirectPattern],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    from_document: bool,
    /// The way in which the client came, unless the operator registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_server: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "ClientAbout::is_empty")]
    about: ClientAbout,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a ClientOpenId>,
    secrets: Vec<ShownSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth1: Option<ShownOAuth1>,
    pub(super) created: String,
    /// Whether the client is the program's own, which has the access tokens that users make.
    #[serde(skip)]
    has_personal_tokens: bool,
}

/// Shows the client with its new secrets. No later command can show them.
pub(super) fn show_secrets(
    client: &Client,
    secrets: Secrets<'_>,
    output: Output,
) -> Result<(), Failure> {
    let shown = Shown::new(client, secrets);
    let written = output.result(&shown, || shown.text());
    let mut names = Vec::new();
    names.extend(secrets.client.map(|_| ("client_secret", "")));
    names.extend(secrets.oauth1.map(|_| ("oauth1_secret", " --oauth1")));
    for (name, flag) in names {
        if written.is_err() {
            output.note(&format!(
                "The {name} is lost. To rotate it: quadrille client rotate-secret {}{flag}",
                client.id
            ));
        } else if !output.is_json() {
            output.note(&format!("Store the {name} now: it is not shown again."));
        }
    }
    written
}

/// Newly generated secrets, which are shown once.
#[derive(Clone, Copy, Default)]
pub(super) struct Secrets<'a> {
    pub(super) client: Option<&'a Secret>,
    pub(super) oauth1: Option<&'a Secret>,
}

/// A secret of a client, without the secret.
#[derive(Serialize)]
pub(super) struct ShownSecret {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) created: String,
    pub(super) expires: Option<String>,
}

impl ShownSecret {
    pub(super) fn all(client: &Client) -> Vec<Self> {
        let shown = |secret: &ClientSecret| Self {
            id: secret.id.to_string(),
            kind: match secret.verifier {
                SecretVerifier::Sha256(_) => "generated",
                SecretVerifier::Argon2id(_) => "chosen",
                SecretVerifier::Imported(_) => "imported",
                _ => "sealed",
            },
            created: when(secret.created),
            expires: secret.expires.map(when),
        };
        client.secrets.iter().map(shown).collect()
    }
}

/// The registration for OAuth 1.0a.
#[derive(Serialize)]
struct ShownOAuth1 {
    keys: Vec<ShownKey>,
    out_of_band: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signature_methods: Vec<&'static str>,
    /// The same for people.
    #[serde(skip)]
    signs_by: String,
}

#[derive(Serialize)]
struct ShownKey {
    kind: &'static str,
    expires: Option<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(client: &'a Client, secrets: Secrets<'a>) -> Self {
        Self {
            client_id: &client.id,
            client_secret: secrets.client.map(Secret::expose),
            oauth1_secret: secrets.oauth1.map(Secret::expose),
            client_name: &client.name,
            client_type: client.client_type,
            token_endpoint_auth_method: client.auth.as_ref().map(|auth| auth.method().as_str()),
            redirect_uris: &client.redirect_uris,
            grant_types: &client.grant_types,
            scope: client.scopes.as_str(),
            first_party: client.first_party,
            without_pkce: client.without_pkce,
            default_scope: client.default_scopes.as_ref().map(Scopes::as_str),
            requires_pkce: client.requires_pkce,
            without_rotation: client.without_rotation,
            lifetimes: client.lifetimes,
            access_token_format: client.access_token_format,
            redirect_uri_patterns: &client.redirect_patterns,
            from_document: client.from_document,
            registered: client.registration.as_ref().map(|found| {
                match &found.initial_access_token {
                    Some(name) => format!("with the token {name}"),
                    None => "by a stranger".to_owned(),
                }
            }),
            resource_server: client.resource_server.as_ref().map(|apis| apis.iter().collect()),
            about: client.about(),
            openid: Some(&client.openid).filter(|openid| **openid != ClientOpenId::default()),
            secrets: ShownSecret::all(client),
            oauth1: client.oauth1.as_ref().map(ShownOAuth1::new),
            created: when(client.created),
            has_personal_tokens: client.is_of_personal_tokens(),
        }
    }

    pub(super) fn text(&'a self) -> String {
        let mut grants: Vec<_> = self.grant_types.iter().map(GrantType::as_str).collect();
        if self.oauth1.is_some() {
            grants.push("OAuth 1.0a");
        }
        let kind = match self.client_type {
            ClientType::Confidential => "confidential",
            ClientType::Public => "public",
        };
        let grants = grants.join(" ");
        let lifetimes = [
            ("codes live", self.lifetimes.code),
            ("access tokens live", self.lifetimes.access_token),
            ("refresh tokens idle", self.lifetimes.refresh_token_idle),
            ("refresh tokens live", self.lifetimes.refresh_token_total),
        ];
        let lifetimes: Vec<_> = lifetimes
            .into_iter()
            .filter_map(|(name, lifetime)| Some((name, format!("{} s", lifetime?.as_secs()))))
            .collect();
        let openid = self.openid.map(openid_lines).unwrap_or_default();
        let mut lines = vec![["client_id", self.client_id]];
        lines.extend(self.client_secret.map(|secret| ["client_secret", secret]));
        lines.extend(self.oauth1_secret.map(|secret| ["oauth1_secret", secret]));
        lines.push(["name", self.client_name]);
        lines.extend(about_lines(&self.about));
        lines.push(["type", kind]);
        lines.extend(self.token_endpoint_auth_method.map(|method| ["authenticates by", method]));
        lines.extend(self.redirect_uris.iter().map(|uri| ["redirect URI", uri.as_str()]));
        let patterns = self.redirect_uri_patterns.iter();
        lines.extend(patterns.map(|pattern| ["redirect URIs like", pattern.as_str()]));
        lines.push(["grants", &grants]);
        lines.push(["scopes", self.scope]);
        lines.extend(self.default_scope.map(|scopes| ["default scopes", scopes]));
        lines.extend(lifetimes.iter().map(|(name, lifetime)| [name, &**lifetime]));
        lines.extend(self.access_token_format.map(|format| match format {
            AccessTokenFormat::Jwt => ["access tokens", "are JWTs"],
            _ => ["access tokens", "are opaque"],
        }));
        if self.first_party {
            lines.push(["consent", self.first_party_consent()]);
        }
        if self.without_pkce {
            lines.push(["PKCE", "may be left out: its codes can be injected if they leak"]);
        }
        if self.requires_pkce {
            lines.push(["PKCE", "required"]);
        }
        if self.without_rotation {
            lines.push(["refresh tokens", "do not rotate: a stolen one stays valid"]);
        }
        if self.from_document {
            lines.push(["described", "by the document at its client_id"]);
        }
        lines.extend(self.registered.iter().map(|how| ["registered", how.as_str()]));
        if let Some(apis) = &self.resource_server {
            lines.push(["may introspect", "access tokens"]);
            lines.extend(apis.iter().map(|uri| ["for", *uri]));
        }
        lines.extend(openid.iter().map(|[name, value]| [name.as_str(), value.as_str()]));
        let until = |secret: &'a ShownSecret| secret.expires.as_deref();
        lines.extend(self.secrets.iter().filter_map(until).map(|end| ["secret until", end]));
        if let Some(oauth1) = &self.oauth1 {
            lines.extend(oauth1.lines());
        }
        lines.push(["since", &self.created]);
        table(lines.into_iter())
    }

    /// When users are asked although the client is first-party: where any program can pose as it
    /// (RFC 8252, section 8.6).
    fn first_party_consent(&self) -> &'static str {
        let is_https = |uri: &RedirectUri| uri.as_str().starts_with("https://");
        let is_confidential = self.client_type == ClientType::Confidential;
        if is_confidential
            || !self.redirect_uris.is_empty() && self.redirect_uris.iter().all(is_https)
        {
            "not asked: first party"
        } else if self.redirect_uris.iter().any(is_https) {
            "not asked at https (first party); asked elsewhere, where any program can pose as it"
        } else {
            "asked although first party: any program can pose as it"
        }
    }

    /// The way in which the client came, in a word or two.
    pub(super) fn origin(&self) -> &str {
        match &self.registered {
            Some(how) => how,
            None if self.has_personal_tokens => "for tokens of users",
            None if self.from_document => "by its document",
            None => "by command",
        }
    }

    /// The ways in which the client gets tokens, in a word or two.
    pub(super) fn ways(&self) -> &'static str {
        match (&self.oauth1, self.grant_types.is_empty()) {
            (None, _) => "OAuth 2",
            (Some(_), true) => "OAuth 1.0a",
            (Some(_), false) => "OAuth 2 and 1.0a",
        }
    }
}

impl ShownOAuth1 {
    fn new(oauth1: &Registration) -> Self {
        let kind = |credential: &Credential| match credential {
            Credential::SharedSecret(_) => "shared_secret",
            Credential::RsaPublicKey(_) => "rsa_public_key",
            Credential::ShortRsaPublicKey(_) => "short_rsa_public_key",
            _ => "other",
        };
        let key = |key: &quadrille::provider::oauth1::Key| ShownKey {
            kind: kind(&key.credential),
            expires: key.expires.map(when),
        };
        let signature_methods: Vec<_> =
            oauth1.methods.iter().map(|method| method.as_str()).collect();
        Self {
            keys: oauth1.keys.iter().map(key).collect(),
            out_of_band: oauth1.out_of_band,
            signs_by: signature_methods.join(" "),
            signature_methods,
        }
    }

    fn lines(&self) -> impl Iterator<Item = [&str; 2]> {
        let key = |key: &'_ ShownKey| ["signs with", key.words()];
        let until = self.keys.iter().filter_map(|key| key.expires.as_deref());
        self.keys
            .iter()
            .map(key)
            .chain(until.map(|end| ["key until", end]))
            .chain(self.out_of_band.then_some(["verifier", "copied by users (oob)"]))
            .chain((!self.signs_by.is_empty()).then_some(["signs by", &*self.signs_by]))
    }
}

impl ShownKey {
    fn words(&self) -> &'static str {
        match self.kind {
            "shared_secret" => "a shared secret",
            "rsa_public_key" => "an RSA key",
            "short_rsa_public_key" => "an RSA key that may be short",
            _ => "another key",
        }
    }
}

/// The facts that users are shown.
fn about_lines(about: &ClientAbout) -> impl Iterator<Item = [&str; 2]> {
    let facts = [
        ("owner", &about.owner),
        ("page", &about.client_uri),
        ("logo", &about.logo_uri),
        ("terms of service", &about.tos_uri),
        ("privacy policy", &about.policy_uri),
    ];
    let facts = facts.into_iter().filter_map(|(name, fact)| Some([name, fact.as_deref()?]));
    facts.chain(about.contacts.iter().map(|contact| ["contact", &**contact]))
}

/// The OpenID Connect metadata that is not the default.
fn openid_lines(openid: &ClientOpenId) -> Vec<[String; 2]> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| [name.to_owned(), value]));
    };
    for response_type in &openid.response_types {
        line("response type", Some(response_type.as_str().to_owned()));
    }
    let encryption = |it: MessageEncryption| format!("{} and {}", it.alg.as_str(), it.enc.as_str());
    let alg = |it: Algorithm| it.as_str().to_owned();
    line("ID tokens signed by", openid.id_token_signed_response_alg.map(alg));
    line("ID tokens encrypted by", openid.id_token_encrypted_response.map(encryption));
    line("userinfo signed by", openid.userinfo_signed_response_alg.map(alg));
    line("userinfo encrypted by", openid.userinfo_encrypted_response.map(encryption));
    let signing = openid.request_object_signing_alg;
    line("request objects signed by", signing.map(|it| it.as_str().to_owned()));
    line("request objects encrypted by", openid.request_object_encryption.map(encryption));
    let is_required = openid.require_signed_request_object;
    line("requests", is_required.then(|| "are in signed request objects, or refused".to_owned()));
    for uri in &openid.request_uris {
        line("request objects at", Some(uri.to_string()));
    }
    if openid.subject_type != SubjectType::Public {
        line("subjects", Some(openid.subject_type.as_str().to_owned()));
    }
    let text = |it: &Option<Arc<str>>| it.as_ref().map(ToString::to_string);
    line("sector", text(&openid.sector_identifier_uri));
    line("default max_age", openid.default_max_age.map(|seconds| format!("{seconds} s")));
    let acr = openid.default_acr_values.join(" ");
    line("default acr_values", Some(acr).filter(|acr| !acr.is_empty()));
    line("a login begins at", text(&openid.initiate_login_uri));
    for uri in &openid.post_logout_redirect_uris {
        line("after a logout", Some(uri.to_string()));
    }
    let uri = |it: &Option<RedirectUri>| it.as_ref().map(ToString::to_string);
    line("logout by a frame", uri(&openid.frontchannel_logout_uri));
    line("logout by a token", uri(&openid.backchannel_logout_uri));
    lines
}
