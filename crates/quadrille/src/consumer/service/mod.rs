//! What a service is: data. And this application's registration there.

mod protocol;
mod spec;
mod spec_buf;
mod spec_methods;

use std::{borrow::Cow, env, fmt, marker::PhantomData};

use crate::{
    Scopes, Secret,
    error::{Error, OperatorFault, Result},
};

pub use protocol::{ClientAuthentication, OAuth1, OAuth2, Protocol};
pub use spec::Spec;
pub use spec_buf::SpecBuf;

/// A service as a type, so that `Linked<GitHub>` is checked by the compiler.
pub trait Service: Sized + Send + Sync + 'static {
    /// What it is.
    const SPEC: Spec;

    /// This application as the service knows it.
    fn client(id: impl Into<String>, secret: impl Into<Secret>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::Secret(secret.into()))
    }

    /// This application as a service of OAuth 1 knows it that wants RSA signatures. `key` is the
    /// private key as PEM (PKCS#8 or PKCS#1), or the path of a file with it, which is read when
    /// everything is made ready ([`Login::check`](crate::Login::check)).
    fn client_with_key(id: impl Into<String>, key: impl Into<Secret>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::Key(key.into()))
    }

    /// This application as the service knows it, without a secret: a program on people's own
    /// machines, say.
    fn public_client(id: impl Into<String>) -> Client<Self> {
        Client::new(SpecBuf::from(Self::SPEC), id, Credential::None)
    }

    /// This application as the service knows it, from the environment. For a service called
    /// `gitea` the variables are
    ///
    /// * `GITEA_OAUTH_CLIENT_ID` and `GITEA_OAUTH_CLIENT_SECRET` for OAuth 2,
    /// * `GITEA_OAUTH_CLIENT_KEY` and `GITEA_OAUTH_CLIENT_SECRET` for OAuth 1,
    /// * `GITEA_OAUTH_CONSUMER_KEY` and `GITEA_OAUTH_RSA_KEY` (as in
    ///   [`client_with_key`](Service::client_with_key)) for OAuth 1 with RSA signatures.
    ///
    /// # Errors
    /// [`OperatorFault::VariableMissing`] with the name of the one that is not set.
    fn client_from_env() -> Result<Client<Self>> {
        Client::from_spec_and_env(SpecBuf::from(Self::SPEC))
    }
}

/// Stands for the service in the types of services known at run time only.
#[derive(Clone, Copy, Debug)]
pub struct Dynamic;

/// This application as one service knows it: its identifier and secret there, and what it asks for.
pub struct Client<S> {
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
    pub(crate) service: PhantomData<fn() -> S>,
}

/// What an application proves itself by.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    None,
    Secret(Secret),
    /// An RSA key as PEM, or the path of a file with it.
    Key(Secret),
}

impl<S> Client<S> {
    pub(crate) fn new(spec: SpecBuf, id: impl Into<String>, credential: Credential) -> Self {
        Self { spec, id: id.into(), credential, service: PhantomData }
    }

    pub(crate) fn from_spec_and_env(spec: SpecBuf) -> Result<Self> {
        let (id, secret) = match &spec.protocol {
            Protocol::OAuth2(_) => ("CLIENT_ID", "CLIENT_SECRET"),
            Protocol::OAuth1(oauth1) if oauth1.signature_method.is_rsa() => {
                ("CONSUMER_KEY", "RSA_KEY")
            }
            Protocol::OAuth1(_) => ("CLIENT_KEY", "CLIENT_SECRET"),
        };
        let (id, value) = (variable(&spec.name, id)?, variable(&spec.name, secret)?.into());
        let credential =
            if secret == "RSA_KEY" { Credential::Key(value) } else { Credential::Secret(value) };
        Ok(Self::new(spec, id, credential))
    }

    /// Asks for these scopes instead of the service's default ones; separated by spaces.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.spec.scopes = Scopes::of(scopes.split(' '));
        self
    }

    /// Calls this service by another name, in paths and keys: for two registrations at one service.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// Adds a parameter to every authorization request.
    #[must_use]
    pub fn parameter(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.spec.parameters.push((name.into(), value.into()));
        self
    }

    /// Changes any fact about the service: another host, say.
    #[must_use]
    pub fn with_spec(mut self, change: impl FnOnce(&mut SpecBuf)) -> Self {
        change(&mut self.spec);
        self
    }
}

/// The variable `{SERVICE}_OAUTH_{what}`.
pub(crate) fn variable(service: &str, what: &str) -> Result<String> {
    let prefix = service.to_ascii_uppercase().replace('-', "_");
    let name = format!("{prefix}_OAUTH_{what}");
    match env::var(&name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(Error::from(OperatorFault::VariableMissing { name: name.into() })),
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("service", &self.spec.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
