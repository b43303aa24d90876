//! The grants that a server does not offer by itself: those that the application decides on, and
//! those that give up safety.

use std::sync::Arc;

use crate::provider::{
    client::grant_type::{GrantType, InvalidGrantType},
    server::AuthorizationServer,
    token::decided::{
        asserted::Asserted,
        exchange::{Exchanged, Exchanging},
        extension::ExtensionGrant,
        granted::{Granted, NotGranted},
        password::PasswordVerifier,
        trusted::TrustedIssuer,
    },
};

impl AuthorizationServer {
    /// Offers a grant of the application's own (RFC 6749, section 4.5), by its name, which is an
    /// absolute URI. A client may use it if it is among the client's
    /// [grant types](crate::provider::NewClient::grant_types); metadata lists it. The client has authenticated when
    /// `grant` is asked.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::{GrantRequest, Granted, NewClient, NotGranted};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?.grant(
    ///     "urn:example:kiosk",
    ///     async |request: GrantRequest| match request.required("ticket")? {
    ///         "4711" => Ok(Granted::to_user("ada")),
    ///         _ => Err(NotGranted::refused("there is no such ticket")),
    ///     },
    /// )?;
    /// let kiosk = NewClient::confidential("Kiosk").grant_types(["urn:example:kiosk".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidGrantType`] if the name cannot be that of a grant type, or is one of this library's.
    pub fn grant(self, name: &str, grant: impl ExtensionGrant) -> Result<Self, InvalidGrantType> {
        let GrantType::Extension(name) = name.parse()? else { return Err(InvalidGrantType) };
        Ok(self.with(|inner| drop(inner.decided.extensions.insert(name, Arc::new(grant)))))
    }

    /// Trusts an issuer elsewhere: its JWTs are assertions for [`jwt_bearer`](Self::jwt_bearer), and
    /// subject and actor tokens for [`token_exchange`](Self::token_exchange). A second one with the
    /// same name replaces the first.
    #[must_use]
    pub fn trusted_issuer(self, issuer: TrustedIssuer) -> Self {
        self.with(|inner| {
            inner.decided.issuers.retain(|known| known.issuer() != issuer.issuer());
            inner.decided.issuers.push(issuer);
        })
    }

    /// Offers tokens for JWTs of [trusted issuers](Self::trusted_issuer) (RFC 7523, section 2.1).
    /// `decide` says which user, or client, an assertion is about. The assertion is signed, valid
    /// for this server alone, and was not used before.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::{Asserted, Granted, NotGranted};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?.jwt_bearer(
    ///     async |asserted: Asserted| match asserted.subject() {
    ///         "17" => Ok(Granted::to_user("ada")),
    ///         _ => Err(NotGranted::refused("nobody is known by this subject")),
    ///     },
    /// );
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn jwt_bearer<A>(self, decide: impl Fn(Asserted) -> A + Send + Sync + 'static) -> Self
    where
        A: Future<Output = Result<Granted, NotGranted>> + Send + 'static,
    {
        self.with(|inner| {
            inner.decided.jwt_bearer = Some(Arc::new(move |asserted| Box::pin(decide(asserted))));
        })
    }

    /// Offers token exchange (RFC 8693). `decide` says which client may exchange which token, and
    /// whether it acts for the subject (delegation) or as the subject (impersonation). The subject
    /// token is an access token of this server, a refresh token of the client, or a JWT of a
    /// [trusted issuer](Self::trusted_issuer).
    ///
    /// The new token has no scope and no audience that the subject token does not have, expires with
    /// it at the latest, and is valid only as long as it: if its grant is revoked, so are those of
    /// all tokens that were exchanged for it. At most four exchanges lie behind a token.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::{Exchanged, Exchanging, NotGranted};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?.token_exchange(
    ///     async |exchanging: Exchanging| match (&*exchanging.client().id, exchanging.actor()) {
    ///         ("mailer", None) => Ok(Exchanged::delegation()),
    ///         _ => Err(NotGranted::refused("only the mailer acts for others")),
    ///     },
    /// );
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn token_exchange<A>(self, decide: impl Fn(Exchanging) -> A + Send + Sync + 'static) -> Self
    where
        A: Future<Output = Result<Exchanged, NotGranted>> + Send + 'static,
    {
        self.with(|inner| {
            inner.decided.exchange = Some(Arc::new(move |exchanging| Box::pin(decide(exchanging))));
        })
    }

    /// Offers the implicit grant (RFC 6749, section 4.2) to the clients that have
    /// [`GrantType::Implicit`], for as long as they cannot use codes: RFC 9700, section 2.1.2
    /// advises against it. It gives up what codes protect: the access token is in the address of a
    /// page, where scripts, extensions and the browser's history find it, nothing binds it to the
    /// client that requested it, so that a token of another one can be injected, and it cannot be
    /// refreshed, so that clients want long lifetimes. PKCE does not help, and is not read.
    ///
    /// With it, responses may be requested in the fragment (`response_mode`), those with a code,
    /// too. Users are asked for consent as for codes. But where another program can receive the
    /// redirect, neither an earlier consent nor `first_party` makes up for the page, since no secret
    /// of the client is needed to use the token.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::{GrantType, NewClient};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .send_access_tokens_in_redirects_so_that_they_can_leak();
    /// let old_app = NewClient::public("Photos, version 1")
    ///     .redirect_uri("https://photos.example/callback")
    ///     .grant_types([GrantType::Implicit]);
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn send_access_tokens_in_redirects_so_that_they_can_leak(self) -> Self {
        self.with(|inner| inner.redirects_tokens = true)
    }

    /// Offers the resource owner password credentials grant (RFC 6749, section 4.3) to the clients
    /// that have [`GrantType::Password`], for as long as they cannot use another grant: RFC 9700,
    /// section 2.4 forbids it. It gives up what OAuth is for: the client sees the user's password
    /// and can do anything with it, users learn to type their passwords in anywhere, nobody is
    /// asked for consent, and a second factor or another provider's login is not possible.
    ///
    /// Wrong passwords are counted by user name and network. After ten an attempt waits for its
    /// turn, one every two seconds, and is refused with 429 and `Retry-After` where that would be
    /// more than eight seconds. So guesses from elsewhere lock nobody out. The refresh token is for
    /// clients that have [`GrantType::RefreshToken`], too. Clients that register themselves never
    /// have the grant.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::{Authentication, Secret, provider::{GrantType, NewClient, PasswordAttempt}};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .let_clients_see_passwords_of_users(async |attempt: PasswordAttempt| {
    ///         // Ask the users of your application, and compare with a slow hash.
    ///         let is_right = attempt.user_name() == "ada"
    ///             && *attempt.password() == Secret::from("correct horse");
    ///         Ok(is_right.then(|| Authentication::new("17", Env::system().now())))
    ///     });
    /// let old_app = NewClient::public("Photos, version 1").grant_types([GrantType::Password]);
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn let_clients_see_passwords_of_users(self, verifier: impl PasswordVerifier) -> Self {
        self.with(|inner| inner.decided.password = Some(Arc::new(verifier)))
    }
}
