//! The client that personal access tokens belong to.

use std::sync::Arc;

use crate::provider::store::Grant;

use super::record::{Client, ClientType};

impl Client {
    /// `true` for the client that personal access tokens belong to
    /// ([`NewToken::personal`](crate::provider::NewToken::personal)). Its removal would end the tokens
    /// of all users.
    pub fn is_of_personal_tokens(&self) -> bool {
        ClientOfPersonalTokens::is(self)
    }
}

/// The client that personal access tokens belong to: it has a reserved id, and can do nothing itself.
/// It is registered with the first of them.
#[derive(Clone, Debug)]
pub(crate) struct ClientOfPersonalTokens(Arc<Client>);

impl ClientOfPersonalTokens {
    /// The reserved `client_id`.
    pub(crate) const ID: &str = "personal-access-tokens";

    /// The client, if it is this one.
    pub(crate) fn of(client: Arc<Client>) -> Option<Self> {
        Self::is(&client).then_some(Self(client))
    }

    /// `true` for this client. One that has the reserved id from elsewhere, from a store or a table
    /// of the application's, and can do something is another.
    pub(crate) fn is(client: &Client) -> bool {
        *client.id == *Self::ID
            && client.client_type == ClientType::Public
            && client.grant_types.is_empty()
            && client.redirect_uris.is_empty()
            && client.redirect_patterns.is_empty()
            && client.secrets.is_empty()
            && client.auth.is_none()
            && client.oauth1.is_none()
            && client.resource_server.is_none()
            && !client.is_in_table
    }

    /// `true` for the grant of a personal access token.
    pub(crate) fn owns(&self, grant: &Grant) -> bool {
        grant.client == self.0.id && grant.id >= self.0.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, provider::store::RowId};

    #[test]
    fn a_client_with_the_reserved_id_that_can_do_something_is_another() {
        let (kind, at) = (ClientType::Public, Timestamp::default());
        let bare = |id: &str| Client::bare(id.into(), RowId(1), "Tokens".to_owned(), kind, at);
        let ours = || bare(ClientOfPersonalTokens::ID);
        assert!(ClientOfPersonalTokens::is(&ours()));
        assert!(!ClientOfPersonalTokens::is(&bare("Personal-access-tokens")));
        let redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
        let grant_types = [crate::provider::GrantType::AuthorizationCode].into();
        for other in [
            Client { client_type: ClientType::Confidential, ..ours() },
            Client { redirect_uris, ..ours() },
            Client { grant_types, ..ours() },
            Client { resource_server: Some(crate::oauth2::Resources::EMPTY), ..ours() },
            Client { is_in_table: true, ..ours() },
        ] {
            assert!(!ClientOfPersonalTokens::is(&other), "{other:?}");
        }
    }
}
