//! The registration of a client by itself (RFC 7591, section 3).

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    RemoteAddress, Scopes, Secret, Timestamp,
    guard::mask_secrets,
    oauth2::{
        AuthMethod, ClientConfiguration, ClientInformation, ClientMetadata, RegistrationRequest,
        ResponseType, SecretExpiry,
    },
    provider::{
        client::{
            grant_type::GrantType,
            metadata, own_keys,
            policy::MetadataPolicy,
            record::{Client, ClientSecret, ClientType},
            redirect_uri::RedirectUri,
            registered_auth::{ClientKeys, RegisteredAuth},
            secrets,
        },
        error::Error,
        guessing::{Party, Who},
        openid::client::{ApplicationType, ClientOpenId},
        paths::EndpointPath,
        server::{AuthorizationServer, Inner},
        store::{Admission, Admitted, InitialTokenRecord, UnusedClient},
        token::format::sha256,
    },
};

use super::{
    application_type,
    described::{self, Hosts},
    error::ClientRegistrationError,
    initial::random_token,
    openid,
    record::ClientRegistration,
    room, sector,
    self_described::Server,
    settings::{DynamicRegistration, REGISTRATIONS},
    statement,
};

/// Registers a client.
pub(crate) async fn register(
    server: &AuthorizationServer,
    settings: &DynamicRegistration,
    asked: RegistrationRequest,
    from: Option<RemoteAddress>,
) -> Result<ClientInformation, Error> {
    let inner = server.inner();
    let issuer = inner.issuer_id().await?;
    let token = allowed(inner, settings, asked.initial_access_token.as_ref()).await?;
    let mut draft = draft(inner, settings, None, asked.metadata).await?;
    let is_open = token.is_none();
    if is_open {
        // Before other clients are read, and others wait for it.
        count(inner, settings, from).await?;
    }
    draft.check_sector(inner, from).await?;
    let (hash, registration_access_token) = random_token(inner);
    draft.registration.token = hash;
    match &token {
        Some(token) => draft.registration.initial_access_token = Some(token.name.clone()),
        None => {
            draft.registration.unused_until = Some(inner.now() + settings.unused_lifetime);
            draft.registration.from = from.map(|from| from.0);
        }
    }
    let id: Arc<str> = BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<16>()).into();
    let (verifier, secret) = match draft.needs_secret() {
        true => Some(server.generate(&id, draft.checked.auth.as_ref())).unzip(),
        false => (None, None),
    };
    let expires = settings.secret_lifetime.map(|lifetime| inner.now() + lifetime);
    let mut client = draft.client(id, inner.newer_row().await?, inner.now());
    if let Some(verifier) = verifier {
        let id = secrets::new_id(inner, &[]);
        client.secrets = vec![ClientSecret { id, created: client.created, verifier, expires }];
    }
    // One at a time makes room: else several would find the same place. Little is read meanwhile.
    let _turn = if is_open { Some(settings.memory.turn.lock().await) } else { None };
    let instead_of = match is_open {
        true => make_room(inner, settings, from).await?,
        false => Vec::new(),
    };
    let token = token.map(|token| token.hash);
    let admission = Admission { client: client.clone(), token, instead_of };
    match inner.store.admit(issuer, admission).await? {
        Admitted::Registered => {}
        Admitted::TokenSpent => return Err(ClientRegistrationError::TokenInvalid.into()),
        // The source of randomness has repeated itself.
        Admitted::IdTaken => return Err(ClientRegistrationError::ChangedMeanwhile.into()),
    }
    let from = from.map(|from| tracing::field::display(from.0));
    let name = mask_secrets(&client.name);
    tracing::info!(client = %client.id, name = &*name, is_open, from, "client registered itself");
    Ok(information(inner, &client, secret, registration_access_token))
}

/// The initial access token of a request; `None` if anybody may register, and the request has none.
async fn allowed(
    inner: &Inner,
    settings: &DynamicRegistration,
    token: Option<&Secret>,
) -> Result<Option<InitialTokenRecord>, Error> {
    let Some(token) = token else {
        return match settings.is_open {
            true => Ok(None),
            false => Err(ClientRegistrationError::TokenMissing.into()),
        };
    };
    let hash = sha256(token.expose().as_bytes());
    let found = inner.store.initial_token(inner.issuer_id().await?, &hash).await?;
    let found = found.filter(|token| inner.now() < token.expires);
    Ok(Some(found.ok_or(ClientRegistrationError::TokenInvalid)?))
}

/// Counts a registration of a stranger, and refuses it if its network has made too many.
async fn count(
    inner: &Inner,
    settings: &DynamicRegistration,
    from: Option<RemoteAddress>,
) -> Result<(), Error> {
    let Some(network) = from else { return Ok(()) };
    let (networks, steady) = (&settings.memory.networks, inner.env.steady());
    if let Some(wait) = networks.failed(Who::Address(network), steady) {
        return Err(ClientRegistrationError::TooOften(wait).into());
    }
    let party = Party::pair("registrations", REGISTRATIONS, "", from);
    inner.limits_now().await?.count(&party).await.map_err(|wait| {
        networks.forgive(Who::Address(network), steady);
        ClientRegistrationError::TooOften(wait).into()
    })
}

/// The clients that give way to another one of a stranger.
async fn make_room(
    inner: &Inner,
    settings: &DynamicRegistration,
    from: Option<RemoteAddress>,
) -> Result<Vec<UnusedClient>, Error> {
    let unused = inner.store.unused_clients(inner.issuer_id().await?).await?;
    let room = room::make(&unused, from, settings.most_unused, inner.now());
    Ok(room.map_err(ClientRegistrationError::Full)?)
}

/// A client without its id, secrets and tokens.
pub(super) struct Draft {
    checked: metadata::CheckedMetadata,
    pub(super) registration: ClientRegistration,
    scopes: Scopes,
    openid: ClientOpenId,
}

impl Draft {
    /// Checks the sector of the client. It may be fetched, so the registration is counted before.
    pub(super) async fn check_sector(
        &self,
        inner: &Inner,
        from: Option<RemoteAddress>,
    ) -> Result<(), ClientRegistrationError> {
        sector::check(inner, &self.openid, &self.checked, from).await
    }

    /// `true` if the client authenticates by a secret.
    pub(super) const fn needs_secret(&self) -> bool {
        let signs = matches!(self.checked.auth, Some(RegisteredAuth::PrivateKeyJwt { .. }));
        matches!(self.checked.client_type, ClientType::Confidential) && !signs
    }

    pub(super) fn client(
        self,
        id: Arc<str>,
        number: crate::provider::store::RowId,
        created: Timestamp,
    ) -> Client {
        let registration = Some(Box::new(self.registration));
        let client = self.checked.client(id, number, self.scopes, created);
        let response_types = client.openid.response_types.clone();
        Client { registration, openid: ClientOpenId { response_types, ..self.openid }, ..client }
    }
}

/// Checks the metadata of a registration, or of an update of `registered`, but not its sector.
pub(super) async fn draft(
    inner: &Inner,
    settings: &DynamicRegistration,
    registered: Option<&ClientRegistration>,
    metadata: ClientMetadata,
) -> Result<Draft, ClientRegistrationError> {
    let metadata = match metadata.software_statement.as_deref() {
        Some(text) => {
            let trusted = &settings.statements;
            let stated = statement::read(text, trusted, inner.issuer.as_str(), &inner.env).await?;
            statement::overridden(metadata, stated)
        }
        None if settings.requires_statement => {
            return Err(ClientRegistrationError::StatementMissing);
        }
        None => metadata,
    };
    let hosts = Hosts::of(inner);
    let mut registration = described::check(&metadata, hosts)?;
    registration.software_statement = metadata.software_statement.as_deref().map(Into::into);
    let of_operator = registered.and_then(|found| found.scope_ceiling.as_ref());
    let allowed = of_operator.or(settings.scopes.as_ref());
    let allowed = allowed.map_or_else(
        || inner.scopes.known().clone(),
        |scopes| inner.scopes.known().intersection(scopes),
    );
    let scopes = match &metadata.scope {
        Some(asked) if asked.is_empty() => allowed,
        Some(asked) => {
            let scopes = allowed.intersection(asked);
            if scopes.is_empty() {
                return Err(ClientRegistrationError::Scope);
            }
            scopes
        }
        None => allowed,
    };
    let grant_types: Vec<_> = match registered.and_then(|found| found.grant_type_ceiling.as_ref()) {
        Some(of_operator) => of_operator.iter().cloned().collect(),
        None => settings.grant_types.iter().filter(|it| inner.offers(it)).cloned().collect(),
    };
    let first = metadata.redirect_uris.first().map(|uri| RedirectUri::parse(uri)).transpose();
    let first = first.map_err(ClientRegistrationError::RedirectUri)?;
    // Users see where the answer goes, so it is a fair name for a client without one.
    let name = first.as_ref().map(|uri| uri.destination().trim_start_matches("https://"));
    let name = name.unwrap_or("Unnamed application");
    let response_types = inner.response_types();
    let policy = MetadataPolicy::registration(name, &grant_types, &response_types);
    if metadata.client_name.as_deref().is_some_and(|name| settings.reserved.has(name)) {
        return Err(ClientRegistrationError::ReservedName);
    }
    let jwks = metadata.jwks.map(|jwks| serde_json::Value::Object(jwks).to_string().into());
    let jwks_uri: Option<Arc<str>> = metadata.jwks_uri.map(Into::into);
    let further = match (&jwks, &jwks_uri) {
        (Some(jwks), _) => Some(ClientKeys::Jwks(Arc::clone(jwks))),
        (None, uri) => uri.clone().map(ClientKeys::JwksUri),
    };
    let checked = metadata::ClientMetadata {
        redirect_uris: metadata.redirect_uris,
        token_endpoint_auth_method: metadata.token_endpoint_auth_method,
        token_endpoint_auth_signing_alg: metadata.token_endpoint_auth_signing_alg,
        jwks,
        jwks_uri,
        grant_types: metadata.grant_types,
        response_types: metadata.response_types,
        client_name: metadata.client_name,
        scope: None,
    };
    let checked = checked.check(&policy)?;
    let openid = Server::of(inner).read(&metadata.extra, further, &checked)?;
    let kind = openid.application_type.unwrap_or(ApplicationType::Web);
    let is_implicit = checked.grant_types.contains(&GrantType::Implicit);
    if inner.openid.is_some()
        && !application_type::fits(kind, &checked.redirect_uris, is_implicit, hosts)
    {
        return Err(match kind {
            ApplicationType::Web => ClientRegistrationError::NotOfWebsite,
            ApplicationType::Native => ClientRegistrationError::NotOfNative,
        });
    }
    Ok(Draft { checked, registration, scopes, openid })
}

/// The information for the client (RFC 7591, section 3.2.1; RFC 7592, section 3).
pub(super) fn information(
    inner: &Inner,
    client: &Client,
    secret: Option<Secret>,
    registration_access_token: Secret,
) -> ClientInformation {
    let mut information = ClientInformation::new(&*client.id);
    information.client_secret = secret;
    information.client_id_issued_at = Some(client.created);
    information.client_secret_expires_at = client
        .secrets
        .last()
        .map(|secret| secret.expires.map_or(SecretExpiry::Never, SecretExpiry::At));
    let path = inner.paths.of(EndpointPath::CLIENT_CONFIGURATION);
    information.configuration = Some(ClientConfiguration {
        registration_access_token,
        registration_client_uri: format!("{}{path}?client_id={}", inner.issuer.origin(), client.id),
    });
    let response_types = ResponseType::ALL.into_iter().filter(|it| client.uses(*it));
    let metadata = &mut information.metadata;
    metadata.redirect_uris = client.redirect_uris.iter().map(ToString::to_string).collect();
    metadata.grant_types =
        Some(client.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect());
    metadata.response_types = Some(response_types.map(|it| it.as_str().to_owned()).collect());
    metadata.client_name = Some(client.name.clone());
    metadata.scope = Some(client.scopes.clone()).filter(|scopes| !scopes.is_empty());
    authentication(client, metadata);
    openid::write(&client.openid, &mut metadata.extra);
    if let Some(registration) = &client.registration {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        metadata.client_uri = text(&registration.client_uri);
        metadata.logo_uri = text(&registration.logo_uri);
        metadata.tos_uri = text(&registration.tos_uri);
        metadata.policy_uri = text(&registration.policy_uri);
        metadata.software_id = text(&registration.software_id);
        metadata.software_version = text(&registration.software_version);
        metadata.software_statement = text(&registration.software_statement);
        metadata.contacts = registration.contacts.iter().map(ToString::to_string).collect();
    }
    information
}

/// The authentication method, with what it needs.
fn authentication(client: &Client, metadata: &mut ClientMetadata) {
    let method = match (client.client_type, &client.auth) {
        (ClientType::Public, _) => AuthMethod::None,
        (ClientType::Confidential, None) => AuthMethod::ClientSecretBasic,
        (ClientType::Confidential, Some(auth)) => auth.method(),
    };
    metadata.token_endpoint_auth_method = Some(method.as_str().to_owned());
    match own_keys::public(client) {
        Some(ClientKeys::JwksUri(uri)) => metadata.jwks_uri = Some(uri.to_string()),
        Some(ClientKeys::Jwks(json)) => metadata.jwks = serde_json::from_str(json).ok(),
        None => {}
    }
    let alg = match &client.auth {
        Some(RegisteredAuth::PrivateKeyJwt { alg, .. }) => *alg,
        Some(RegisteredAuth::ClientSecretJwt { alg }) => *alg,
        _ => None,
    };
    metadata.token_endpoint_auth_signing_alg = alg.map(|alg| alg.as_str().to_owned());
}
