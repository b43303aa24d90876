//! What settings accept, in words.

/// The values that a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Expected {
    /// A path.
    #[error("the path of a file or folder")]
    Path,
    /// A database.
    #[error(
        "the URL of a database, such as postgres://quadrille@db.internal/quadrille, or \
         mysql://quadrille@db.internal/quadrille for MariaDB and MySQL"
    )]
    Database,
    /// A database of PostgreSQL.
    #[error(
        "the URL of a database of PostgreSQL, such as postgres://quadrille@db.internal/quadrille"
    )]
    Postgres,
    /// How a connection to a database is secured.
    #[error(
        "the URL of a database with an sslmode of disable, allow, prefer, require, verify-ca or \
         verify-full"
    )]
    SslMode,
    /// How a connection to a database of MariaDB or MySQL is secured.
    #[error(
        "the URL of a database with an ssl-mode of disabled, preferred, required, verify_ca or \
         verify_identity"
    )]
    MySqlSslMode,
    /// A cache.
    #[error(
        "none, memory, files:DIR, or the URL of a cache, such as redis://cache.internal, \
         rediss://cache.internal or memcached://cache.internal:11211"
    )]
    Cache,
    /// An address to listen on.
    #[error("an address and port, such as 127.0.0.1:4004 or [::1]:4004")]
    Address,
    /// An issuer (RFC 8414, section 2).
    #[error(
        "an https URL (http for localhost) as browsers write it, without query, fragment or user \
         name, such as https://id.example"
    )]
    Issuer,
    /// A name.
    #[error("text, and not empty")]
    Name,
    /// Networks.
    #[error("addresses or networks, separated by commas, such as 10.0.0.0/8 or ::1")]
    Networks,
    /// The header of a proxy.
    #[error("x-forwarded-for or forwarded")]
    ProxyHeader,
    /// A key ring.
    #[error("a key ring: text")]
    Keys,
    /// Resources.
    #[error(
        "URIs of APIs without a fragment, separated by commas, such as https://api.example (in a \
         file [\"https://api.example\"])"
    )]
    Resources,
    /// Names of scopes.
    #[error(
        "names of scopes, separated by commas, such as photos:read (in a file [\"photos:read\"])"
    )]
    ScopeNames,
    /// Scopes.
    #[error(
        "a table of scopes, such as \"photos:read\" = \"See your photos\" (as text: \
         photos:read=See your photos;photos:write=Add photos, or names alone: a,b)"
    )]
    Scopes,
    /// A duration.
    #[error("a duration from 1s to 36525d, such as 90s, 15m, 12h or 30d")]
    Duration,
    /// A duration, or none.
    #[error("0 or a duration from 1s to 36525d, such as 90s, 15m, 12h or 30d")]
    DurationOrNone,
    /// A lifetime that is chosen in days.
    #[error("a duration from 1d to 36525d, such as 30d, since it is chosen in days")]
    Days,
    /// The time between two rotations.
    #[error("a duration from 1d to 36525d: a key is published for a day before it signs")]
    RotationPeriod,
    /// On or off.
    #[error("true or false")]
    Switch,
    /// Signature methods.
    #[error(
        "a list of HMAC-SHA256, HMAC-SHA512, RSA-SHA256, RSA-SHA512, \
         HMAC-SHA1-as-most-clients-sign, RSA-SHA1-with-its-broken-digest and \
         PLAINTEXT-which-carries-the-secrets"
    )]
    SignatureMethods,
    /// A number.
    #[error("a number from 1 to 1000000")]
    Count,
    /// A level.
    #[error("off, error, warn, info, debug or trace, also by part (info,quadrille::request=debug)")]
    Targets,
    /// The content of the file of one setting.
    #[error("{0}")]
    Other(&'static str),
    /// A format of access tokens.
    #[error("opaque or jwt")]
    AccessTokenFormat,
    /// The name with which the prefixes of tokens begin.
    #[error("small letters, digits and underscores, beginning with a letter, such as acme")]
    TokenPrefix,
    /// Names.
    #[error("names, separated by commas, such as Acme,Acme Mail")]
    Names,
    /// The parties that may register clients.
    #[error("off, initial-access-token or open-to-anybody-so-that-strangers-add-clients")]
    Registration,
    /// Grant types.
    #[error("grant types, separated by commas, such as authorization_code,refresh_token")]
    GrantTypes,
    /// Response types of OpenID Connect.
    #[error(
        "some of id_token, id_token token, code id_token, code token and code id_token token, \
         separated by commas"
    )]
    ResponseTypes,
    /// Trusted issuers.
    #[error(
        "a table of issuers, such as {{ \"https://partner.example\" = {{ jwks_file = \"partner.json\", \
         trusted_for = [\"jwt-bearer\"], subjects = \"user-names\" }} }}"
    )]
    Issuers,
    /// The rules of token exchange.
    #[error(
        "a table by the client_id of the client that exchanges, such as \
         {{ \"4f1c\" = {{ tokens_of = [\"9a2b\"] }} }}"
    )]
    Exchange,
    /// The grants that one setting switches.
    #[error(
        "some of authorization_code, refresh_token and client_credentials, separated by commas; \
         other grants have settings of their own"
    )]
    SwitchedGrants,
    /// A log format.
    #[error("text or json")]
    LogFormat,
}
