//! The authentication of the application at the token endpoint of a fake service.

use bytes::Bytes;
use http::{Request, header};

use crate::{
    consumer::{ClientAuthentication, Protocol},
    form::{FormWriter, Params},
    oauth2::{
        AuthMethod, ClientAuthError, ErrorCode, ErrorResponse, PresentedClient, TokenRequest,
    },
};

use super::{fake::FakeService, mannered::form_of, scene::Scene, service::OAuth2};

/// The reason for which the application's authentication is refused.
#[derive(Debug, thiserror::Error)]
enum Unauthenticated {
    #[error(transparent)]
    Malformed(#[from] ClientAuthError),
    #[error("no application is registered with this client_id")]
    UnknownClient,
    #[error("the request has no client_secret")]
    NoSecret,
    #[error("the client_secret is another one than that of the application")]
    WrongSecret,
    #[error("the assertion is invalid, or was sent before")]
    Assertion,
    #[error("the application authenticates by {sent}, and this service accepts {accepted}")]
    OtherMethod { sent: &'static str, accepted: String },
}

impl Unauthenticated {
    fn code(&self, scene: &Scene) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::InvalidClient,
            _ => scene.own_manners.wrong_client.into(),
        }
    }
}

impl FakeService {
    /// The names of the methods by which the application may authenticate at the token endpoint
    /// (`token_endpoint_auth_methods_supported`; RFC 8414, section 2). It is empty in OAuth 1.
    ///
    /// ```
    /// use quadrille::{GitHub, Twitch, testing::FakeService};
    ///
    /// let github = FakeService::of::<GitHub>("our-id", "our-secret");
    /// assert_eq!(github.authentication_methods(), ["client_secret_post", "client_secret_basic"]);
    /// let twitch = FakeService::of::<Twitch>("our-id", "our-secret");
    /// assert_eq!(twitch.authentication_methods(), ["client_secret_post"]);
    /// ```
    pub fn authentication_methods(&self) -> Vec<&'static str> {
        let scene = &self.stage().scene;
        match scene.spec {
            Some(spec) if matches!(spec.protocol, Protocol::OAuth1(_)) => Vec::new(),
            _ => methods(scene).into_iter().map(AuthMethod::as_str).collect(),
        }
    }
}

/// The methods by which the application may authenticate, its service's own first.
pub(super) fn methods(scene: &Scene) -> Vec<AuthMethod> {
    use AuthMethod as M;
    let Some(Protocol::OAuth2(oauth2)) = scene.spec.map(|spec| spec.protocol) else {
        return vec![
            M::ClientSecretBasic,
            M::ClientSecretPost,
            M::ClientSecretJwt,
            M::PrivateKeyJwt,
        ];
    };
    let is_alone = scene.own_manners.secret_in_one_way;
    match oauth2.authentication {
        ClientAuthentication::SecretJwt(_) => vec![M::ClientSecretJwt],
        ClientAuthentication::Basic if is_alone => vec![M::ClientSecretBasic],
        ClientAuthentication::Basic => vec![M::ClientSecretBasic, M::ClientSecretPost],
        ClientAuthentication::Post | ClientAuthentication::Json if is_alone => {
            vec![M::ClientSecretPost]
        }
        ClientAuthentication::Post | ClientAuthentication::Json => {
            vec![M::ClientSecretPost, M::ClientSecretBasic]
        }
    }
}

impl OAuth2 {
    /// A token request as the service reads it: JSON as a form, and without the secret of a form beside
    /// the one in HTTP Basic, which clients send to services that ignore it. `None` for a request that
    /// is read as it is.
    pub(super) fn as_read(
        &self,
        scene: &Scene,
        request: &Request<Bytes>,
    ) -> Option<Request<Bytes>> {
        let (_, oauth2) = self.spec?;
        if oauth2.authentication == ClientAuthentication::Json
            && let Some(form) = form_of(request)
        {
            return Some(form);
        }
        let basic = request.headers().get(header::AUTHORIZATION)?.as_bytes();
        let is_basic = basic.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "));
        if !is_basic || !methods(scene).contains(&AuthMethod::ClientSecretBasic) {
            return None;
        }
        let params = Params::of_body(request).ok()?;
        let mut form = FormWriter::new();
        for (name, value) in params.iter().filter(|(name, _)| *name != "client_secret") {
            form.append(name, value);
        }
        let (parts, _) = request.clone().into_parts();
        Some(Request::from_parts(parts, form.finish().into()))
    }

    /// Authenticates the application that sends a token request.
    ///
    /// # Errors
    /// The response of the token endpoint.
    pub(super) fn authenticate(
        &mut self,
        scene: &Scene,
        request: &Request<Bytes>,
    ) -> Result<(), ErrorResponse> {
        let malformed = |_| ErrorResponse::new(ErrorCode::InvalidRequest);
        let params = Params::of_body(request).map_err(malformed)?;
        self.authenticated(scene, request, &params).map_err(|reason| {
            let title = scene.spec.map_or("the service", |spec| spec.title);
            tracing::warn!("{title} refuses the application at its token endpoint: {reason}");
            ErrorResponse::new(reason.code(scene)).describe(reason.to_string())
        })
    }

    fn authenticated(
        &mut self,
        scene: &Scene,
        request: &Request<Bytes>,
        params: &Params<'_>,
    ) -> Result<(), Unauthenticated> {
        let client = PresentedClient::parse(request.headers(), params)?;
        if *client.id != *self.id {
            return Err(Unauthenticated::UnknownClient);
        }
        let asked = TokenRequest::parse(params);
        let is_device = matches!(asked, Ok(TokenRequest::DeviceCode { .. }));
        if is_device && self.is_public_or_known(&client) {
            return Ok(());
        }
        let accepted = methods(scene);
        match client.method() {
            AuthMethod::None => Err(Unauthenticated::NoSecret),
            // The keys of an application are at every service that a test gives them to.
            sent if sent != AuthMethod::PrivateKeyJwt && !accepted.contains(&sent) => {
                let accepted: Vec<_> = accepted.into_iter().map(AuthMethod::as_str).collect();
                let accepted = accepted.join(" and ");
                Err(Unauthenticated::OtherMethod { sent: sent.as_str(), accepted })
            }
            _ if self.is_proved(scene, request, &client.proof) => Ok(()),
            AuthMethod::ClientSecretJwt | AuthMethod::PrivateKeyJwt => {
                Err(Unauthenticated::Assertion)
            }
            _ => Err(Unauthenticated::WrongSecret),
        }
    }
}
