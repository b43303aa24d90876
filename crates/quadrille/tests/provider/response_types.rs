//! Response types and grant types in the metadata of clients (RFC 7591, section 2.1).

use quadrille::{
    Policy,
    provider::{
        AuthorizationServer, ClientMetadataError, DynamicRegistration, GrantType, NewClient,
        RegistrationError,
    },
};
use serde_json::json;

use crate::{
    implicit::{old, on, world},
    support::{CALLBACK, World},
};

#[tokio::test]
async fn metadata_of_clients_say_the_same_by_grant_types_and_response_types() {
    let world = world().await;
    let refused = async |new: NewClient| match world.server.register(new).await {
        Err(RegistrationError::Metadata(error)) => error,
        other => panic!("{other:?}"),
    };
    let without = old(NewClient::public("App"));
    assert_eq!(refused(without).await, ClientMetadataError::NoRedirectUri);
    let refresh = NewClient::public("App")
        .redirect_uri(CALLBACK)
        .grant_types([GrantType::Implicit, GrantType::RefreshToken]);
    assert_eq!(refused(refresh).await, ClientMetadataError::RefreshTokenAlone);

    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
        .grant_types([GrantType::AuthorizationCode, GrantType::Implicit]);
    let offer = |server| on(server).dynamic_registration(registration.clone());
    let world = World::set_up(Policy::safe(), old, offer).await;
    let register = async |world: &World, grants: &[&str], responses: Option<&[&str]>| {
        let mut metadata = json!({
            "redirect_uris": ["https://app.example/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": grants,
        });
        if let Some(responses) = responses {
            metadata["response_types"] = json!(responses);
        }
        let (path, body) = ("/oauth/register", metadata.to_string());
        world.request("POST", path, "application/json", &body).await
    };
    let (code, implicit) = ("authorization_code", "implicit");
    for (grants, responses, registered) in [
        (&[implicit][..], None, Some(json!(["token"]))),
        (&[implicit], Some(&["token"][..]), Some(json!(["token"]))),
        (&[code, implicit], Some(&["token", "code"]), Some(json!(["code", "token"]))),
        (&[code, implicit], None, Some(json!(["code", "token"]))),
        (&[implicit], Some(&["code"]), None),
        (&[implicit], Some(&[]), None),
        (&[implicit], Some(&["code", "token"]), None),
        (&[implicit], Some(&["id_token"]), None),
        (&[code, implicit], Some(&["code"]), None),
        (&[code, implicit], Some(&["token"]), None),
        (&[code], Some(&["token"]), None),
        (&[code], Some(&["code", "token"]), None),
    ] {
        let answer = register(&world, grants, responses).await;
        match registered {
            Some(registered) => {
                assert_eq!(answer.status(), 201, "{grants:?} {responses:?}: {}", answer.text());
                assert_eq!(answer.json()["response_types"], registered);
            }
            None => {
                assert_eq!(answer.error(), "invalid_client_metadata", "{grants:?} {responses:?}");
            }
        }
    }
    // What the server does not offer, no client registers for.
    let offer = |server: AuthorizationServer| server.dynamic_registration(registration.clone());
    let off = World::set_up(Policy::safe(), |new| new, offer).await;
    let answer = register(&off, &[implicit], Some(&["token"])).await;
    assert_eq!(answer.error(), "invalid_client_metadata");
}
