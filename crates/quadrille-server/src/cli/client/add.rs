//! `quadrille client add`.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use clap::Args;
use quadrille::{
    Env,
    oauth1::RsaVerifyingKey,
    oauth2::Resources,
    provider::{
        AuthorizationServer, ClientOpenId, GrantType, Lifetimes, NewClient, oauth1::NewKey,
    },
};

use crate::{
    Failure,
    config::Settings,
    data::{Data, Known},
    grant::Grant,
    named_file,
    output::Output,
    refused::Refused,
};

use super::{
    super::{
        checks::{known_resources, known_scopes, parse_scopes},
        confirm::ask,
    },
    about::AboutArgs,
    auth::AuthArgs,
    changed::changed,
    openid::{OpenIdArgs, offering_all},
    remarks::{remark, remark_on_name},
    rules::RuleArgs,
    secret::read_secret,
    shown::{Secrets, show_secrets},
};

/// Arguments of `quadrille client add`.
#[derive(Args, Debug)]
pub(in super::super) struct AddArgs {
    /// The name, as the consent page shows it
    name: String,
    /// Redirect URI (exact match; any port of http://localhost, 127.0.0.1 or [::1]); repeatable
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Scope that the client may request; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Grant type; repeatable [default: authorization_code and refresh_token; none with --oauth1,
    /// or for a --resource-server]. A program that acts for itself alone, without users, has
    /// client_credentials
    #[arg(long = "grant", value_name = "GRANT", value_enum)]
    grants: Vec<Grant>,
    /// The client cannot keep a secret: a phone or single-page application
    #[arg(long, conflicts_with = "auth_method")]
    public: bool,
    /// The client_id, for a client that has one already: printable ASCII characters [default:
    /// generated]
    #[arg(long)]
    id: Option<String>,
    /// Read the client's own secret from standard input, instead of generating one
    #[arg(long, conflicts_with_all = ["public", "oauth1_secret_stdin"])]
    secret_stdin: bool,
    /// The client is your own: users are not asked for consent
    #[arg(long)]
    first_party: bool,
    /// The client is an API that introspects tokens (RFC 7662)
    #[arg(long)]
    resource_server: bool,
    /// API whose tokens the client may introspect, by its URI as in the setting resources;
    /// repeatable [default: tokens without an API]
    #[arg(long = "audience", value_name = "URI", requires = "resource_server")]
    audiences: Vec<String>,
    #[command(flatten)]
    about: AboutArgs,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    oauth1: OAuth1Args,
    #[command(flatten)]
    openid: OpenIdArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

/// The question for a redirect URI that was forgotten.
const WHERE: &str = "\
Users come back to the application with a code: at which address? (A program that acts for itself alone,
without users, has none: --grant client_credentials.)
Redirect URI, such as https://app.example/callback: ";

/// The arguments for OAuth 1.0a.
#[derive(Args, Debug)]
#[command(next_help_heading = "OAuth 1.0a")]
struct OAuth1Args {
    /// The client signs its requests (OAuth 1.0a) with a generated secret; its callbacks are the
    /// redirect URIs. `serve` must offer OAuth 1.0a: --oauth1
    #[arg(long)]
    oauth1: bool,
    /// Users copy the verifier to the client, which has no callback (oauth_callback=oob)
    #[arg(long, requires = "oauth1")]
    oob: bool,
    /// Read the client's own consumer secret from standard input, instead of generating one
    #[arg(long, requires = "oauth1", conflicts_with_all = ["rsa_key", "short_rsa_key"])]
    oauth1_secret_stdin: bool,
    /// The client signs for itself only, without users and their tokens (two-legged OAuth 1), at
    /// APIs that accept such requests: it needs neither --redirect-uri nor --oob
    #[arg(long, requires = "oauth1")]
    two_legged: bool,
    #[command(flatten)]
    key: RsaArgs,
}

/// An RSA key instead of a secret.
#[derive(Args, Debug)]
pub(super) struct RsaArgs {
    /// The client signs with an RSA key of 2048 bits or more: FILE has the public key, in PEM
    #[arg(long, value_name = "FILE", requires = "oauth1")]
    rsa_key: Option<PathBuf>,
    /// FILE has an RSA public key that is too short to be safe
    #[arg(
        long = "rsa-key-of-1024-bits-and-up-as-old-installations-have-them",
        value_name = "FILE",
        requires = "oauth1",
        conflicts_with = "rsa_key"
    )]
    short_rsa_key: Option<PathBuf>,
}

impl AddArgs {
    /// The redirect URIs. If they were forgotten, the operator is asked on a terminal: a client that acts
    /// for itself is no answer to a missing one.
    fn redirect_uris(&self) -> Result<Cow<'_, [String]>, Failure> {
        let needs_one = self.grants.is_empty()
            && self.redirect_uris.is_empty()
            && !self.rules.has_redirect_patterns()
            && !self.resource_server
            && !self.oauth1.oauth1;
        if !needs_one {
            return Ok(Cow::Borrowed(&self.redirect_uris));
        }
        match ask(WHERE)?.filter(|uri| !uri.is_empty()) {
            Some(uri) => Ok(Cow::Owned(vec![uri])),
            None if self.public => Err(Refused::PublicWithoutRedirectUri.into()),
            None => Err(Refused::NoRedirectUri.into()),
        }
    }

    /// The client as it is to be registered.
    pub(super) fn client(&self, known: &Known) -> Result<NewClient, Failure> {
        // Hexadecimal: an id that begins with a hyphen would be taken for a flag.
        let id = Env::system()
            .random::<12>()
            .iter()
            .fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
        let oauth1 = &self.oauth1;
        let redirects = |grant: &Grant| matches!(grant, Grant::AuthorizationCode | Grant::Implicit);
        let sends_people =
            oauth1.oauth1 || self.grants.is_empty() || self.grants.iter().any(redirects);
        if !sends_people && !self.redirect_uris.is_empty() {
            return Err(Refused::RedirectUriUnused.into());
        }
        if oauth1.oauth1 && self.redirect_uris.is_empty() && !oauth1.oob && !oauth1.two_legged {
            return Err(Refused::NoCallback.into());
        }
        let scopes = parse_scopes(&self.scopes)?;
        known_scopes(&scopes, known)?;
        let auth = self.auth.read(None)?;
        let redirect_uris = self.redirect_uris()?;
        let name = self.name.trim();
        let mut new = match self.public {
            true => NewClient::public(name),
            false => NewClient::confidential(name),
        };
        let id = self.id.clone().unwrap_or(id);
        new = redirect_uris.iter().fold(new.id(id).scopes(scopes), NewClient::redirect_uri);
        let default_scopes = self.rules.default_scopes(known)?;
        new = self.rules.apply(new, Lifetimes::default(), default_scopes.as_ref());
        let keys = self.openid.keys()?;
        new = self.openid.apply(new, &ClientOpenId::default(), keys.as_ref());
        new = self.about.apply(new);
        if self.secret_stdin {
            new = new.chosen_secret(read_secret()?);
        }
        if let Some(auth) = auth {
            new = new.auth(auth);
        }
        if oauth1.oauth1 || !self.grants.is_empty() {
            let itself = oauth1.two_legged.then_some(GrantType::ClientCredentials);
            let grants = self.grants.iter().map(|grant| grant.grant_type());
            new = new.grant_types(grants.chain(itself));
        }
        if self.first_party {
            new = new.first_party();
        }
        if self.resource_server {
            let apis = Resources::of(self.audiences.iter().map(String::as_str));
            let apis = apis.map_err(|_| Refused::Audience)?;
            known_resources(&apis, known)?;
            new = new.resource_server(apis);
        }
        if oauth1.oauth1 {
            new = new.oauth1(match oauth1.oauth1_secret_stdin {
                true => NewKey::ChosenSecret(read_secret()?),
                false => oauth1.key.read()?,
            });
        }
        Ok(if oauth1.oob { new.oauth1_out_of_band() } else { new })
    }
}

/// The client as it is to be registered in a folder without data, where a refused command leaves none.
pub(super) async fn tried(args: &AddArgs, settings: &Settings) -> Result<NewClient, Failure> {
    let (server, known) = Data::unbegun(settings)?;
    let new = args.client(&known)?;
    offering_all(&server, (settings, &known))?.register(new.clone()).await?;
    Ok(new)
}

pub(super) async fn add(
    server: &AuthorizationServer,
    new: NewClient,
    (settings, known): (&Settings, &Known),
    output: Output,
) -> Result<(), Failure> {
    let registered = offering_all(server, (settings, known))?.register(new).await?;
    changed("client_added", "a client was added", &registered.client.id);
    remark(&registered.client, (settings, known), output);
    remark_on_name(server, &registered.client, output).await?;
    let secrets =
        Secrets { client: registered.secret.as_ref(), oauth1: registered.oauth1_secret.as_ref() };
    show_secrets(&registered.client, secrets, output)
}

impl RsaArgs {
    /// Reads the key. Without a file, the key is a secret to generate.
    pub(super) fn read(&self) -> Result<NewKey, Failure> {
        if let Some(path) = &self.rsa_key {
            let pem = read_pem(path)?;
            return match RsaVerifyingKey::from_pem(&pem) {
                Ok(_) => Ok(NewKey::RsaPublicKey(pem)),
                Err(reason) => Err(Refused::rsa_key(path, reason).into()),
            };
        }
        if let Some(path) = &self.short_rsa_key {
            let pem = read_pem(path)?;
            let read = RsaVerifyingKey::from_pem_of_1024_bits_and_up_as_old_installations_have_them;
            return match read(&pem) {
                Ok(_) => Ok(NewKey::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(pem)),
                Err(reason) => Err(Refused::rsa_key(path, reason).into()),
            };
        }
        Ok(NewKey::Secret)
    }
}

fn read_pem(path: &Path) -> Result<String, Failure> {
    let read = named_file::text_or_pipe(path);
    let text = read.map_err(|error| Failure::File { path: path.to_owned(), error })?;
    Ok(text.as_str().to_owned())
}
