//! The names of all settings.

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in the file.
    pub name: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// Whether the value must stay out of files and command lines, which others can read.
    pub secret: bool,
    /// The purpose.
    pub about: &'static str,
}

const fn key(name: &'static str, variable: &'static str, about: &'static str) -> Key {
    Key { name, variable, secret: false, about }
}

/// All settings.
pub const KEYS: &[Key] = &[
    key("data_dir", "QUADRILLE_DATA_DIR", "folder of the database and the key ring"),
    key(
        "database",
        "QUADRILLE_DATABASE",
        "URL of a database of PostgreSQL, MariaDB or MySQL, for any number of processes, instead of the \
         embedded one",
    ),
    key(
        "database_connections",
        "QUADRILLE_DATABASE_CONNECTIONS",
        "greatest number of connections of this process to that database",
    ),
    key(
        "database_wait",
        "QUADRILLE_DATABASE_WAIT",
        "how long `serve` waits at its start for that database to answer; 0 for not at all",
    ),
    key(
        "database_lock_timeout",
        "QUADRILLE_DATABASE_LOCK_TIMEOUT",
        "how long a statement waits for a lock of that database",
    ),
    key(
        "database_statement_timeout",
        "QUADRILLE_DATABASE_STATEMENT_TIMEOUT",
        "how long a statement runs in that database",
    ),
    key(
        "database_prepared_statements",
        "QUADRILLE_DATABASE_PREPARED_STATEMENTS",
        "whether statements are prepared once for a connection",
    ),
    key(
        "database_hashed_keys",
        "QUADRILLE_DATABASE_HASHED_KEYS",
        "whether tables that are made in that database have keys that do not rise with time, for one \
         that divides tables by ranges of keys",
    ),
    key(
        "cache",
        "QUADRILLE_CACHE",
        "cache of codes and of requests that wait for users: none, memory, files:DIR, redis://HOST or \
         memcached://HOST",
    ),
    key(
        "let_the_cache_evict_what_is_under_way",
        "QUADRILLE_LET_THE_CACHE_EVICT_WHAT_IS_UNDER_WAY",
        "serve also with a Redis that removes keys when its memory is full: logins break off, and \
         signed requests are refused for minutes",
    ),
    key(
        "database_direct",
        "QUADRILLE_DATABASE_DIRECT",
        "URL of that database without a pooler between, to hear at once what other processes change, \
         if database is a PgBouncer in transaction mode",
    ),
    key(
        "read_from",
        "QUADRILLE_READ_FROM",
        "URLs of streaming standbys of that database, in which access tokens are looked up",
    ),
    key(
        "read_from_max_lag",
        "QUADRILLE_READ_FROM_MAX_LAG",
        "longest time by which a standby may lag and still be asked",
    ),
    key("listen", "QUADRILLE_LISTEN", "address and port to listen on"),
    key(
        "metrics_listen",
        "QUADRILLE_METRICS_LISTEN",
        "address and port for /metrics, /health and /ready alone, without encryption; not public",
    ),
    key(
        "traces_endpoint",
        "QUADRILLE_TRACES_ENDPOINT",
        "URL of an OpenTelemetry collector that gets traces (OTLP over HTTP)",
    ),
    key(
        "traces_ratio",
        "QUADRILLE_TRACES_RATIO",
        "share of requests that are traced, unless a trusted proxy decided: 0 to 1",
    ),
    key("issuer", "QUADRILLE_ISSUER", "public URL of the provider, and its name in every message"),
    key(
        "endpoints_path",
        "QUADRILLE_ENDPOINTS_PATH",
        "path above the endpoints of clients, below that of the issuer: /oauth2 for /oauth2/token",
    ),
    key("name", "QUADRILLE_NAME", "name of the site, on every page"),
    key(
        "trusted_proxies",
        "QUADRILLE_TRUSTED_PROXIES",
        "addresses (CIDR) of the proxies whose proxy_header is trusted",
    ),
    key(
        "proxy_header",
        "QUADRILLE_PROXY_HEADER",
        "x-forwarded-for or forwarded: the header that these proxies set; the other is ignored",
    ),
    key("brand_color", "QUADRILLE_BRAND_COLOR", "color of buttons and links, as #rrggbb"),
    key("brand_second_color", "QUADRILLE_BRAND_SECOND_COLOR", "color of tiles and of the focus"),
    key("brand_logo", "QUADRILLE_BRAND_LOGO", "file of the logo on every page: PNG, WebP or JPEG"),
    key("templates", "QUADRILLE_TEMPLATES", "folder with pages that replace the built-in ones"),
    key(
        "texts",
        "QUADRILLE_TEXTS",
        "folder with a folder of Fluent files for each language, whose texts replace the built-in ones",
    ),
    key(
        "default_language",
        "QUADRILLE_DEFAULT_LANGUAGE",
        "language of pages for a browser that accepts no other one of them",
    ),
    Key {
        name: "keys",
        variable: "QUADRILLE_KEYS",
        secret: true,
        about: "key ring, the newest key first, separated by commas; for processes on several \
                machines",
    },
    key("keys_file", "QUADRILLE_KEYS_FILE", "file of the key ring; created at the first start"),
    key(
        "openid",
        "QUADRILLE_OPENID",
        "whether clients can learn who their users are, by OpenID Connect: the scopes openid, \
         profile, email, address and phone",
    ),
    key(
        "openid_response_types",
        "QUADRILLE_OPENID_RESPONSE_TYPES",
        "response types beside code that OpenID Connect offers: ID tokens are then in the addresses \
         of applications",
    ),
    key(
        "openid_request_objects",
        "QUADRILLE_OPENID_REQUEST_OBJECTS",
        "whether clients can send their requests as tokens that they sign, by value or at a registered \
         URL, also encrypted",
    ),
    key(
        "openid_accept_unsigned_request_objects_that_anybody_can_have_written",
        "QUADRILLE_OPENID_ACCEPT_UNSIGNED_REQUEST_OBJECTS_THAT_ANYBODY_CAN_HAVE_WRITTEN",
        "whether such tokens need no signature, of clients that are registered without an algorithm for \
         them",
    ),
    key(
        "openid_request_object_keys",
        "QUADRILLE_OPENID_REQUEST_OBJECT_KEYS",
        "files with a private key each, as a JWK, to which such tokens may be encrypted, beside the keys \
         that follow from the key ring",
    ),
    key(
        "openid_encrypted_responses",
        "QUADRILLE_OPENID_ENCRYPTED_RESPONSES",
        "whether ID tokens and userinfo responses are encrypted for clients that are registered so",
    ),
    key(
        "openid_offline_access",
        "QUADRILLE_OPENID_OFFLINE_ACCESS",
        "whether refresh tokens of OpenID Connect need the scope offline_access, which users consent to",
    ),
    key(
        "openid_webfinger",
        "QUADRILLE_OPENID_WEBFINGER",
        "whether clients find the issuer by the address of a user, at /.well-known/webfinger",
    ),
    key(
        "openid_session_management",
        "QUADRILLE_OPENID_SESSION_MANAGEMENT",
        "whether pages of applications notice, by a frame of this provider, that a user signs in or out: \
         only where browsers let frames have cookies",
    ),
    Key {
        name: "openid_pairwise_secret",
        variable: "QUADRILLE_OPENID_PAIRWISE_SECRET",
        secret: true,
        about: "secret of the subjects by which clients cannot tell that two of their users are one",
    },
    key(
        "openid_acr_values",
        "QUADRILLE_OPENID_ACR_VALUES",
        "authentication context classes of which a sign-in by password is, the usual one first",
    ),
    key("scopes", "QUADRILLE_SCOPES", "scopes, each with the description that users read"),
    key(
        "scope_tree",
        "QUADRILLE_SCOPE_TREE",
        "scopes that imply others: a token with one of them may do what the others permit",
    ),
    key(
        "signing_keys_file",
        "QUADRILLE_SIGNING_KEYS_FILE",
        "file of the keys that sign tokens; created when JWTs or ID tokens are first issued",
    ),
    key(
        "signing_keys_rotate_every",
        "QUADRILLE_SIGNING_KEYS_ROTATE_EVERY",
        "how long each of these keys signs, before the next one does; `quadrille keys rotate` rotates \
         them by hand",
    ),
    key(
        "access_token_format",
        "QUADRILLE_ACCESS_TOKEN_FORMAT",
        "opaque or jwt: whether access tokens are JWTs, which an API can verify by itself",
    ),
    key(
        "token_prefix",
        "QUADRILLE_TOKEN_PREFIX",
        "name at the beginning of tokens, by which scanners for leaked secrets recognize them",
    ),
    key(
        "jwt_resources",
        "QUADRILLE_JWT_RESOURCES",
        "URIs of the APIs, among resources, whose access tokens are JWTs",
    ),
    key(
        "claims",
        "QUADRILLE_CLAIMS",
        "claims about users beside the standard ones, each with what it is for people; a scope of the \
         same name gives it to clients",
    ),
    key(
        "claims_that_users_edit",
        "QUADRILLE_CLAIMS_THAT_USERS_EDIT",
        "claims that users edit about themselves on their account page",
    ),
    key("resources", "QUADRILLE_RESOURCES", "URIs of the APIs that accept tokens of this provider"),
    key(
        "client_metadata_documents",
        "QUADRILLE_CLIENT_METADATA_DOCUMENTS",
        "whether to accept clients that nobody registered, whose client_id is the URL of a \
         document about them",
    ),
    key(
        "client_metadata_document_scopes",
        "QUADRILLE_CLIENT_METADATA_DOCUMENT_SCOPES",
        "scopes that such clients may request",
    ),
    key(
        "registration",
        "QUADRILLE_REGISTRATION",
        "off, initial-access-token or open-to-anybody-so-that-strangers-add-clients: who may \
         register clients over the network",
    ),
    key(
        "registration_scopes",
        "QUADRILLE_REGISTRATION_SCOPES",
        "scopes that clients registered so may have",
    ),
    key(
        "registration_grant_types",
        "QUADRILLE_REGISTRATION_GRANT_TYPES",
        "grant types that clients registered so may have",
    ),
    key(
        "registration_secret_lifetime",
        "QUADRILLE_REGISTRATION_SECRET_LIFETIME",
        "lifetime of the secrets of clients registered so",
    ),
    key(
        "registration_unused_lifetime",
        "QUADRILLE_REGISTRATION_UNUSED_LIFETIME",
        "how long a client that a stranger registered may stay unused; then it is removed",
    ),
    key(
        "registration_most_unused",
        "QUADRILLE_REGISTRATION_MOST_UNUSED",
        "greatest number of clients that strangers registered and nobody has used yet",
    ),
    key(
        "registration_reserved_names",
        "QUADRILLE_REGISTRATION_RESERVED_NAMES",
        "names that clients which describe themselves may neither have nor pass for; the setting name is \
         one",
    ),
    key(
        "registration_requires_software_statement",
        "QUADRILLE_REGISTRATION_REQUIRES_SOFTWARE_STATEMENT",
        "whether clients register only with a software statement of one of trusted_issuers",
    ),
    key(
        "grant_types",
        "QUADRILLE_GRANT_TYPES",
        "grants that are on, among authorization_code, refresh_token and client_credentials",
    ),
    key(
        "trusted_issuers",
        "QUADRILLE_TRUSTED_ISSUERS",
        "issuers elsewhere whose JWTs are accepted, with their keys and what they are trusted for",
    ),
    key(
        "token_exchange",
        "QUADRILLE_TOKEN_EXCHANGE",
        "which clients may exchange tokens of which clients for tokens of their own",
    ),
    key(
        "allow_confidential_clients_without_pkce_so_that_leaked_codes_can_be_injected",
        "QUADRILLE_ALLOW_CONFIDENTIAL_CLIENTS_WITHOUT_PKCE_SO_THAT_LEAKED_CODES_CAN_BE_INJECTED",
        "whether every client that has a secret may omit PKCE; `client add` can allow it for one \
         client",
    ),
    key(
        "accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them",
        "QUADRILLE_ACCEPT_ASSERTIONS_FOR_THE_TOKEN_ENDPOINT_SO_THAT_ANOTHER_SERVER_CAN_OBTAIN_THEM",
        "whether the audience of assertions may be the token endpoint, as older clients write it, and \
         not the issuer alone",
    ),
    key(
        "send_access_tokens_in_redirects_so_that_they_can_leak",
        "QUADRILLE_SEND_ACCESS_TOKENS_IN_REDIRECTS_SO_THAT_THEY_CAN_LEAK",
        "whether clients that are registered for it get access tokens in their redirects, where \
         tokens can leak and be injected (RFC 6749, section 4.2)",
    ),
    key(
        "let_clients_see_passwords_of_users",
        "QUADRILLE_LET_CLIENTS_SEE_PASSWORDS_OF_USERS",
        "whether clients that are registered for it get tokens by the passwords of users, which they \
         then know (RFC 6749, section 4.3)",
    ),
    key(
        "certificate_authorities",
        "QUADRILLE_CERTIFICATE_AUTHORITIES",
        "file with certificate authorities, in PEM, that hosts of clients may have beside those of the \
         machine",
    ),
    key(
        "fetch_from_this_machine_so_that_strangers_can_send_to_its_services",
        "QUADRILLE_FETCH_FROM_THIS_MACHINE_SO_THAT_STRANGERS_CAN_SEND_TO_ITS_SERVICES",
        "whether URLs that clients name may be on this machine, for tests: keys, documents and logout \
         tokens",
    ),
    key("session_lifetime", "QUADRILLE_SESSION_LIFETIME", "lifetime of a session"),
    key("code_lifetime", "QUADRILLE_CODE_LIFETIME", "lifetime of an authorization code"),
    key("access_token_lifetime", "QUADRILLE_ACCESS_TOKEN_LIFETIME", "lifetime of an access token"),
    key(
        "refresh_token_idle_lifetime",
        "QUADRILLE_REFRESH_TOKEN_IDLE_LIFETIME",
        "how long a refresh token may stay unused",
    ),
    key(
        "refresh_token_total_lifetime",
        "QUADRILLE_REFRESH_TOKEN_TOTAL_LIFETIME",
        "how long a client may refresh tokens after the consent",
    ),
    key(
        "refresh_repeat_window",
        "QUADRILLE_REFRESH_REPEAT_WINDOW",
        "how long a client may repeat a refresh whose answer it did not get",
    ),
    key(
        "personal_access_token_scopes",
        "QUADRILLE_PERSONAL_ACCESS_TOKEN_SCOPES",
        "scopes of the personal access tokens that users may make on their account page",
    ),
    key(
        "personal_access_token_max_lifetime",
        "QUADRILLE_PERSONAL_ACCESS_TOKEN_MAX_LIFETIME",
        "how long such a token is valid at most",
    ),
    key(
        "let_users_delete_their_accounts",
        "QUADRILLE_LET_USERS_DELETE_THEIR_ACCOUNTS",
        "whether users may delete their accounts, on their account page",
    ),
    key(
        "device.enabled",
        "QUADRILLE_DEVICE_ENABLED",
        "whether to offer the device authorization grant, to clients that are registered for it",
    ),
    key(
        "device.page",
        "QUADRILLE_DEVICE_PAGE",
        "path of the page on which users type codes in, below that of the issuer",
    ),
    key(
        "device.code_lifetime",
        "QUADRILLE_DEVICE_CODE_LIFETIME",
        "lifetime of the code that a device shows",
    ),
    key(
        "device.interval",
        "QUADRILLE_DEVICE_INTERVAL",
        "time between two polls of a device, in whole seconds",
    ),
    key(
        "oauth1.enabled",
        "QUADRILLE_OAUTH1_ENABLED",
        "whether to offer OAuth 1.0a, to clients that are registered for it",
    ),
    key(
        "oauth1.signature_methods",
        "QUADRILLE_OAUTH1_SIGNATURE_METHODS",
        "accepted signature methods; further ones are HMAC-SHA1-as-most-clients-sign, \
         RSA-SHA1-with-its-broken-digest and PLAINTEXT-which-carries-the-secrets",
    ),
    key(
        "oauth1.timestamp_window",
        "QUADRILLE_OAUTH1_TIMESTAMP_WINDOW",
        "how far the timestamp of a signed request may differ from this clock",
    ),
    key(
        "oauth1.temporary_lifetime",
        "QUADRILLE_OAUTH1_TEMPORARY_LIFETIME",
        "lifetime of temporary credentials",
    ),
    key(
        "oauth1.token_lifetime",
        "QUADRILLE_OAUTH1_TOKEN_LIFETIME",
        "lifetime of token credentials; clients cannot refresh them",
    ),
    key(
        "oauth1.several_processes",
        "QUADRILLE_OAUTH1_SEVERAL_PROCESSES",
        "whether several processes serve this folder: each signed request is then stored in the \
         database, which costs a commit",
    ),
    key(
        "header_timeout",
        "QUADRILLE_HEADER_TIMEOUT",
        "how long the head of a request may take, and how long a connection may be idle",
    ),
    key("body_timeout", "QUADRILLE_BODY_TIMEOUT", "how long the body of a request may take"),
    key(
        "write_timeout",
        "QUADRILLE_WRITE_TIMEOUT",
        "how long a client may take to read an answer; then its connection is closed",
    ),
    key(
        "shutdown_timeout",
        "QUADRILLE_SHUTDOWN_TIMEOUT",
        "how long requests under way may take after a signal to stop",
    ),
    key(
        "drain_time",
        "QUADRILLE_DRAIN_TIME",
        "how long requests are still accepted after a signal to stop, while /ready says 503",
    ),
    key(
        "max_connections",
        "QUADRILLE_MAX_CONNECTIONS",
        "greatest number of connections; beyond it, idle ones are closed",
    ),
    key(
        "max_connections_per_address",
        "QUADRILLE_MAX_CONNECTIONS_PER_ADDRESS",
        "greatest number of connections of one address, or of one IPv6 network of 48 bits; \
         trusted proxies are not limited",
    ),
    key(
        "log",
        "QUADRILLE_LOG",
        "off, error, warn, info, debug or trace, also per module: info,quadrille::request=debug",
    ),
    key("log_format", "QUADRILLE_LOG_FORMAT", "text or json"),
    key(
        "audit_log",
        "QUADRILLE_AUDIT_LOG",
        "file to which sign-ins, consents and changes by commands are appended, as JSON Lines; for \
         `serve` and for commands",
    ),
];
