//! Clients in a table of the application's own, as records.

use crate::{Timestamp, oauth2::Resources, provider::store::RowId};

use super::{
    new::NewClient,
    oauth1::new_key::NewKeyError,
    record::{Client, ClientSecret, ClientType},
    registered_auth::RegisteredAuth,
    registration::RegistrationError,
};

impl NewClient {
    /// The record of a client that the application keeps in a table of its own, after the checks
    /// of a registration. `since` is the time since which the [id](Self::id) belongs to this
    /// client, as a rule that of its row: a client that has the id of an earlier one gets none of
    /// its grants, and no grant is older than its client.
    ///
    /// The secret comes as a verifier ([`imported_secret`](Self::imported_secret)), in the form in
    /// which the table has it. The server cannot replace it in the table when it is outdated. For
    /// OAuth 1.0a the key comes as the table has it ([`oauth1`](Self::oauth1)): an RSA key, or a
    /// secret ([`NewKey::ImportedSecret`](crate::provider::oauth1::NewKey::ImportedSecret)).
    /// Scopes and APIs that the server does not know are not granted.
    ///
    /// ```
    /// use quadrille::{Scopes, Timestamp, provider::{NewClient, SecretVerifier}};
    ///
    /// let digest = "{SHA256}47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    /// let client = NewClient::confidential("Photo printer")
    ///     .id("printer")
    ///     .imported_secret(SecretVerifier::parse(digest)?)
    ///     .redirect_uri("https://printer.example/callback")
    ///     .scopes(Scopes::of(["photos:read"]))
    ///     .in_table(Timestamp::from_seconds(1_700_000_000))?;
    /// assert_eq!(&*client.id, "printer");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistrationError`]: [`IdMissing`](RegistrationError::IdMissing) without an id,
    /// [`SecretMissing`](RegistrationError::SecretMissing) for a confidential client without one,
    /// and [`NotForTables`](RegistrationError::NotForTables).
    pub fn in_table(&self, since: Timestamp) -> Result<Client, RegistrationError> {
        let id = self.id.as_deref().ok_or(RegistrationError::IdMissing)?;
        if self.chosen_secret.is_some() {
            return Err(RegistrationError::NotForTables);
        }
        let apis = self.resource_server.as_ref().unwrap_or(&Resources::EMPTY);
        let checked = self.check(&self.scopes, apis)?;
        let oauth1 = match &self.oauth1 {
            Some(oauth1) => Some(oauth1.in_table().ok_or(RegistrationError::NotForTables)?),
            None => None,
        };
        if oauth1.as_ref().is_some_and(|oauth1| !oauth1.can_sign(since)) {
            return Err(NewKeyError::Methods.into());
        }
        // OAuth 1.0a has a secret of its own.
        let signs = matches!(&self.auth, Some(RegisteredAuth::PrivateKeyJwt { .. }))
            || oauth1.is_some() && checked.grant_types.is_empty() && self.resource_server.is_none();
        let is_confidential = self.client_type == ClientType::Confidential;
        if is_confidential && !signs && self.imported_secret.is_none() {
            return Err(RegistrationError::SecretMissing);
        }
        let secret = self.imported_secret.clone().map(|verifier| ClientSecret {
            id: "table".into(),
            created: since,
            verifier,
            expires: None,
        });
        Ok(Client {
            secrets: secret.into_iter().collect(),
            oauth1,
            is_in_table: true,
            ..self.record(&checked, id.into(), RowId::first_at(since), since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        oauth1::SignatureMethod,
        provider::{
            SecretVerifier,
            oauth1::{Credential, NewKey},
        },
    };

    fn web() -> NewClient {
        NewClient::confidential("Web").id("web").redirect_uri("https://app.example/cb")
    }

    fn refused(new: &NewClient) -> String {
        format!("{:?}", new.in_table(Timestamp::from_seconds(1_700_000_000)).unwrap_err())
    }

    #[test]
    fn a_row_becomes_a_client_after_the_checks_of_a_registration() {
        let verifier = SecretVerifier::Sha256([7; 32]);
        let web = || web().imported_secret(verifier.clone());
        let since = Timestamp::from_seconds(1_750_000_000);
        let client = web().scopes(Scopes::of(["photos"])).in_table(since).unwrap();
        assert_eq!(client.secrets[0].verifier, verifier);
        assert_eq!(client.created, since);
        assert!(client.number <= RowId::last_at(since), "no grant from then on is too old");
        let before = Timestamp::from_millis(since.millis() - 1);
        assert!(client.number > RowId::last_at(before), "all grants from before are");

        assert!(refused(&web().redirect_uri("http://app.example/")).contains("Insecure"));
        assert_eq!(refused(&web().id("a\tb")), "Id");
        let unnamed = NewClient::public("App").redirect_uri("https://app.example/cb");
        assert_eq!(refused(&unnamed), "IdMissing");
    }

    #[test]
    fn what_only_the_server_could_do_is_refused() {
        assert_eq!(refused(&web()), "SecretMissing");
        let chosen = web().chosen_secret("from the configuration".into());
        assert_eq!(refused(&chosen), "NotForTables");
        let signs = web().grant_types([]).oauth1(NewKey::Secret);
        assert_eq!(refused(&signs), "NotForTables");
    }

    #[test]
    fn a_key_of_oauth1_comes_as_the_table_has_it() {
        let since = Timestamp::from_seconds(1_750_000_000);
        let old = |secret: &str| NewKey::ImportedSecret(secret.into());
        let signs = web().grant_types([]).oauth1(old("short")).oauth1_out_of_band();
        let client = signs.in_table(since).unwrap();
        let oauth1 = client.oauth1.clone().unwrap();
        assert!(oauth1.out_of_band && client.secrets.is_empty());
        assert_eq!(oauth1.keys[0].credential, Credential::SharedSecretInTable("short".into()));
        assert!(!format!("{client:?}").contains("short"));
        assert!(serde_json::to_string(&client).is_err(), "it is never written");

        assert!(refused(&signs.clone().oauth1(old(""))).contains("ImportedSecret"));
        assert!(
            refused(&signs.clone().oauth1(NewKey::RsaPublicKey("no key".into()))).contains("Rsa")
        );
        let other = signs.clone().oauth1_methods([SignatureMethod::RsaSha256]);
        assert_eq!(refused(&other), "OAuth1Key(Methods)");
        let both = web().oauth1(old("short"));
        assert_eq!(refused(&both), "SecretMissing", "OAuth 2 needs a secret of its own");
        let both = both.imported_secret(SecretVerifier::Sha256([7; 32]));
        assert!(both.in_table(since).unwrap().oauth1.is_some());
    }
}
