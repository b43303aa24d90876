//! What a command refuses.

use std::path::{Path, PathBuf};

use quadrille::{jose, oauth1::KeyError};

use crate::{
    users::{NameError, PasswordError, claims::ClaimError},
    words::{Plain, Quoted, did_you_mean, quoted},
};

/// An argument or the input of a command is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A new password is rejected.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password is not text.
    #[error("a password is text in UTF-8")]
    PasswordNotUtf8,
    /// The second password differs from the first.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// There is no terminal to prompt for the password.
    #[error("there is no terminal to ask for a password; use --password-stdin")]
    NoTerminal,
    /// The operator's answer to a question about something that cannot be undone is not `yes`.
    #[error("nothing was done: the answer was not yes")]
    Declined,
    /// There is no terminal to ask about something that cannot be undone.
    #[error(
        "nothing was done, since there is no terminal to ask: add --yes if this is meant. {what}"
    )]
    NotConfirmed {
        /// What would have happened.
        what: String,
    },
    /// The client of personal access tokens is to be removed, with those of all users.
    #[error(
        "this client has the personal access tokens of all users: end those of one with `quadrille \
         user token revoke`, or leave personal_access_token_scopes out to end the offer"
    )]
    ClientOfTokens,
    /// The client of personal access tokens is to be changed.
    #[error(
        "this client has the personal access tokens of all users, and nothing of it can be changed: the \
         setting personal_access_token_scopes names their scopes"
    )]
    ClientOfTokensChanged,
    /// The name of an initial access token is rejected.
    #[error("an initial access token needs a name of at most 100 characters, all of them visible")]
    InitialTokenName,
    /// A user name is rejected.
    #[error(transparent)]
    UserName(#[from] NameError),
    /// A claim is rejected.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Users could confuse two names.
    #[error("the name of the user {} looks the same as {}", Quoted(other), Quoted(name))]
    UserNameLooksLike {
        /// The name as given.
        name: String,
        /// The name that is taken.
        other: String,
    },
    /// The text is not a scope.
    #[error(
        "{} is not a scope: a scope is printable ASCII without quotation marks, backslashes and \
         spaces",
        Quoted(.0)
    )]
    Scope(String),
    /// The client has no public key for what this member of its metadata says.
    #[error(
        "{0}: the client has no key for it: --message-jwks FILE has it, or --jwks FILE of a client \
         with --private-key-jwt"
    )]
    NoMessageKey(&'static str),
    /// The address of this member is not on the public Internet, and the server does not send there.
    #[error(
        "{0}: not on the public Internet. For tests, the setting \
         fetch_from_this_machine_so_that_strangers_can_send_to_its_services allows addresses of this \
         machine"
    )]
    Inward(&'static str),
    /// A new key would take away the algorithm for which clients are registered.
    #[error(
        "{}{} registered for the algorithm {name}, which would sign no more: choose {name}, or add \
         --although-clients-lose-their-algorithm, and give each another one by `quadrille client edit` \
         before the new key signs",
        Quoted(client),
        match others {
            0 => " is".to_owned(),
            1 => " and another client are".to_owned(),
            others => format!(" and {others} other clients are"),
        },
        name = algorithm.as_str(),
    )]
    AlgorithmOfClients {
        /// The algorithm.
        algorithm: jose::Algorithm,
        /// The identifier of one of the clients.
        client: String,
        /// How many more clients there are.
        others: usize,
    },
    /// The scope is not in the setting `scopes`.
    #[error(
        "there is no scope {} among the setting scopes{}{}",
        Quoted(name),
        did_you_mean(nearest.as_deref()),
        match setting_of(name) {
            Some(setting) => format!(": {setting} = true adds it"),
            None => where_to_look(nearest.as_deref()).to_owned(),
        }
    )]
    UnknownScope {
        /// The scope as given.
        name: String,
        /// The known scope that is closest.
        nearest: Option<String>,
    },
    /// The client to change has a scope that is not in the setting `scopes` any more.
    #[error(
        "the client has the scope {0}, which is not among the setting scopes any more: {1}, or \
         --remove-scope {0} takes it away{2}",
        Quoted(name),
        match setting_of(name) {
            Some(setting) => format!("{setting} = true adds it"),
            None => "give the setting to this command as to `quadrille serve`".to_owned(),
        },
        did_you_mean(nearest.as_deref())
    )]
    LostScope {
        /// The scope.
        name: String,
        /// The known scope that is closest.
        nearest: Option<String>,
    },
    /// The client to change has an audience that is not in the setting `resources` any more.
    #[error(
        "the client has the audience {0}, which is not among the setting resources any more: give the \
         setting to this command as to `quadrille serve`, or --remove-audience {1} takes it away{2}",
        Quoted(uri),
        quoted(uri),
        did_you_mean(nearest.as_deref())
    )]
    LostAudience {
        /// The URI of the API.
        uri: String,
        /// The known URI that is closest.
        nearest: Option<String>,
    },
    /// A client that introspects tokens of APIs would introspect others without its last audience.
    #[error(
        "without an audience the client would introspect the tokens that name no API: \
         --resource-server true does that, --resource-server false lets it introspect none, and \
         --add-audience gives it another one"
    )]
    LastAudience,
    /// Audiences belong to a client that introspects tokens.
    #[error("the client introspects no tokens: --resource-server true lets it")]
    NoResourceServer,
    /// The API is not in the setting `resources`.
    #[error(
        "there is no API {} among the setting resources{}{}",
        Quoted(uri),
        did_you_mean(nearest.as_deref()),
        where_to_look(nearest.as_deref())
    )]
    UnknownResource {
        /// The URI as given.
        uri: String,
        /// The known URI that is closest.
        nearest: Option<String>,
    },
    /// The client does not have the value that is to be removed.
    #[error("the client has no {what} {}{}", Quoted(name), did_you_mean(nearest.as_deref()))]
    NotOfTheClient {
        /// `scope`, `redirect URI` and so on.
        what: &'static str,
        /// The value as given.
        name: String,
        /// The client's value that is closest.
        nearest: Option<String>,
    },
    /// A client is given by its name, which several clients may have.
    #[error("that is the name of a client, and its client_id is wanted: {}", Plain(id))]
    NameOfClient {
        /// The client_id of a client with this name.
        id: String,
    },
    /// The text is not a resource indicator.
    #[error("an audience is an absolute URI without a fragment, such as https://api.example")]
    Audience,
    /// The client has redirect URIs, and no grant that uses them.
    #[error(
        "--redirect-uri needs the grant authorization_code, or implicit for an old client: leave it \
         out, or add --grant authorization_code"
    )]
    RedirectUriUnused,
    /// A public client has no way to get tokens.
    #[error(
        "a public client needs --redirect-uri, where users return to it with a code, or a grant of \
         its own: --grant device_code for a device"
    )]
    PublicWithoutRedirectUri,
    /// A client has no way to get tokens.
    #[error(
        "a client needs --redirect-uri, where users return to it with a code, or a grant of its own: \
         --grant client_credentials for a program that acts for itself, without users"
    )]
    NoRedirectUri,
    /// A client of OAuth 1.0a has no way back from the consent page.
    #[error(
        "a client that signs its requests (--oauth1) needs --redirect-uri, or --oob if users copy \
         the verifier to it"
    )]
    NoCallback,
    /// Keys or an algorithm of assertions are given without the method that uses them.
    #[error(
        "--jwks and --jwks-uri are the keys of --private-key-jwt, and --assertion-alg the algorithm \
         of that or of --client-secret-jwt: add the method; `client edit` needs it too, unless the \
         client signs with keys already. The keys of another client, for request objects and for what \
         is encrypted for it, are those of --message-jwks and --message-jwks-uri"
    )]
    KeysWithoutMethod,
    /// A file of keys is PEM, not a JWK Set.
    #[error(
        "{}: this is PEM, and --jwks takes a JWK Set (RFC 7517, section 5): {{\"keys\": [JWK]}} with \
         the public key of the client as a JWK. Libraries for JOSE convert it, such as jwcrypto for \
         Python: jwk.JWK.from_pem(pem).export_public() is the JWK{}",
        path.display(),
        if *is_private { ". The key in this file is private, and stays with the client" } else { "" }
    )]
    PemOfJwks {
        /// The file.
        path: PathBuf,
        /// `true` if the file has a private key.
        is_private: bool,
    },
    /// A file has no private key to which clients can encrypt.
    #[error("{}: {reason}; one private JWK for RSA, EC or OKP (X25519) is needed", path.display())]
    ObjectKey {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: jose::KeyError,
    },
    /// The identifier of a key to which clients can encrypt is odd.
    #[error(
        "{}: the kid of the key is 1 to 255 visible characters of ASCII; without one it is the thumbprint",
        path.display()
    )]
    ObjectKeyId {
        /// The file.
        path: PathBuf,
    },
    /// Two keys to which clients can encrypt have one identifier.
    #[error("{}: another key of openid_request_object_keys has the kid {}, too", path.display(), Quoted(kid))]
    ObjectKeyRepeated {
        /// The file of the second one.
        path: PathBuf,
        /// The identifier.
        kid: String,
    },
    /// A file has no usable RSA public key.
    #[error("{}: {reason}", path.display())]
    RsaKey {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: KeyError,
    },
    /// The RSA key is short enough to be broken at a price.
    #[error(
        "{}: the RSA key has {bits} bits, and fewer than 2048 are not safe; if the client cannot \
         have another key, give it as --rsa-key-of-1024-bits-and-up-as-old-installations-have-them",
        path.display()
    )]
    ShortRsaKey {
        /// The file.
        path: PathBuf,
        /// The length in bits.
        bits: usize,
    },
    /// Standard input has no secret.
    #[error(
        "there is no secret on standard input: one line of printable ASCII characters, at most 1024"
    )]
    Secret,
    /// The access tokens of a client are to be JWTs, and there are no keys to sign them.
    #[error(
        "no key signs access tokens here: `quadrille keys rotate` makes one, which `quadrille \
         serve` uses from its next start on"
    )]
    NoSigningKeys,
    /// The text names no database.
    #[error(
        "a database is sqlite:DIR, with DIR a data folder, or a URL, such as \
         postgres://quadrille@db.internal/quadrille, or mysql://quadrille@db.internal/quadrille for MariaDB \
         and MySQL"
    )]
    DatabaseUrl,
    /// The tables of a database are of the first version that it has.
    #[error("the version before has no tables in MariaDB and MySQL")]
    NoWayBack,
    /// The URL of a database on the command line has a password.
    #[error(
        "the URL of the database has a password, which other users of this machine can read: give \
         the URL in QUADRILLE_DATABASE and leave the flag out, or for PostgreSQL the password alone in \
         PGPASSWORD"
    )]
    DatabasePassword,
    /// A personal access token cannot be issued.
    #[error("{0}")]
    Token(String),
    /// Lines of an import are wrong.
    #[error("nothing was imported:\n{0}")]
    Import(String),
    /// A secret of a client to export is sealed under other keys.
    #[error("a secret of the client {} is sealed under a key that the key ring has not", Quoted(.0))]
    SealedElsewhere(String),
    /// There is no such service or fault to imitate.
    #[cfg(feature = "fake")]
    #[error(
        "there is no {what} {}{}: `quadrille fake --list` lists them",
        Quoted(name),
        did_you_mean(nearest.as_deref())
    )]
    NothingToFake {
        /// The kind: `service` or `fault`.
        what: &'static str,
        /// The name as given.
        name: String,
        /// The known name that is closest.
        nearest: Option<String>,
    },
    /// The claims of a user of a fake service are not a JSON object.
    #[cfg(feature = "fake")]
    #[error("--user: the claims of a user are a JSON object, such as {{\"login\": \"ada\"}}")]
    FakeUser,
    /// A tape that cannot be played.
    #[cfg(feature = "fake")]
    #[error("{0}")]
    Tape(String),
    /// The application of a fake service has no identifier, or no secret.
    #[cfg(feature = "fake")]
    #[error("{0} is empty")]
    FakeClient(&'static str),
    /// The accounts of a fake service have no such number.
    #[cfg(feature = "fake")]
    #[error("--approve-as: the accounts have the numbers from 1")]
    FakeAccount,
    /// The callback of an application at a fake service is no URL.
    #[cfg(feature = "fake")]
    #[error(
        "--callback: {} is no absolute URL; it is one such as http://localhost:3000/callback",
        Quoted(.0)
    )]
    FakeCallback(String),
    /// Standard input has no token.
    #[error("there is no token on standard input")]
    NothingToRevoke,
}

/// A hint to put after the error for an unknown scope or API, unless a suggestion says enough.
const fn where_to_look(nearest: Option<&str>) -> &'static str {
    match nearest {
        Some(_) => "",
        None => {
            " (`quadrille config` shows it; give it to this command as to `quadrille serve`, or \
             serve this provider with it first)"
        }
    }
}

/// The setting that adds a scope of OpenID Connect (OpenID Connect Core, sections 5.4 and 11); `None` for
/// another scope.
pub(crate) fn setting_of(scope: &str) -> Option<&'static str> {
    match scope {
        "openid" | "profile" | "email" | "address" | "phone" => Some("openid"),
        "offline_access" => Some("openid_offline_access"),
        _ => None,
    }
}

impl Refused {
    /// The reason for rejecting the key in this file.
    pub(crate) fn rsa_key(path: &Path, reason: KeyError) -> Self {
        let path = path.to_owned();
        match reason {
            KeyError::Length { bits: bits @ 1024..2048 } => Self::ShortRsaKey { path, bits },
            reason => Self::RsaKey { path, reason },
        }
    }
}
