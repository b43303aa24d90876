//! Pairwise subjects (OpenID Connect Core, section 8; OpenID Connect Dynamic Client Registration,
//! section 5).

use axum::body::Body;
use http::Request;
use quadrille::{
    RemoteAddress,
    provider::{
        AccessTokenFormat, AuthorizationServer, Client, ClientOpenId, DeviceGrant,
        DynamicRegistration, FetchError, Fetched, Fetcher, GrantType, Logout, NewClient, Notifier,
        RegistrationError, SubjectType,
    },
};
use serde_json::json;
use url::Url;

use super::{asking, logout, openid, text, tokens, verified, world_of};
use crate::{
    jwt::introspect,
    support::{Browser, World},
};

fn pairwise() -> ClientOpenId {
    let mut openid = ClientOpenId::default();
    openid.subject_type = SubjectType::Pairwise;
    openid
}

async fn world() -> World {
    let on = |it: AuthorizationServer| {
        it.openid(openid().pairwise_subjects(&[7; 32])).access_token_format(AccessTokenFormat::Jwt)
    };
    world_of(|new| new.openid(pairwise()), on).await
}

#[tokio::test]
async fn a_client_learns_one_subject_of_its_own_everywhere() {
    let world = world().await;
    let response = tokens(&world, "openid", &[]).await;
    let subject = verified(&world, text(&response, "id_token")).await.0.subject;
    assert!(subject != "ada" && subject.len() == 43, "{subject}");
    // An access token in which the client could read another subject would give it away.
    let access_token = text(&response, "access_token");
    assert_eq!(access_token.split('.').count(), 1, "a JWT: {access_token}");
    let request = Request::get("/oauth/userinfo")
        .header("authorization", format!("Bearer {access_token}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.json()["sub"], *subject);
    let refreshed = world.refresh(text(&response, "refresh_token")).await.json();
    assert_eq!(verified(&world, text(&refreshed, "id_token")).await.0.subject, subject);
    let introspected = introspect(&world, text(&refreshed, "access_token")).await;
    assert_eq!((&introspected["active"], &introspected["sub"]), (&json!(true), &json!(subject)));
}

/// Core, sections 3.1.2.1 and 5.5.1: the client names a user as it knows the user.
#[tokio::test]
async fn a_client_asks_for_its_user_by_its_own_subject() {
    let world = world().await;
    let response = tokens(&world, "openid", &[]).await;
    let hint = text(&response, "id_token");
    let subject = verified(&world, hint).await.0.subject;
    let claims = |sub: &str| json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    let (own, public) = (claims(&subject), claims("ada"));
    let mut browser = Browser::default();
    for (parameter, error) in [
        (("id_token_hint", hint), None),
        (("claims", &*own), None),
        (("claims", &*public), Some("login_required")),
    ] {
        let sent = [parameter, ("prompt", "none")];
        let answer = world.ask(&mut browser, &asking(&world, "openid", &sent)).await;
        let location = answer.location();
        match error {
            Some(error) => assert!(location.contains(&format!("error={error}")), "{location}"),
            None => assert!(location.contains("code="), "{parameter:?}: {location}"),
        }
    }
    world.sign_in("bob");
    let sent = [("id_token_hint", hint), ("prompt", "none")];
    let answer = world.ask(&mut browser, &asking(&world, "openid", &sent)).await;
    assert_eq!(answer.query("error"), "login_required");
}

#[tokio::test]
async fn a_logout_is_of_the_subject_that_the_client_knows() {
    let offered = openid().pairwise_subjects(&[7; 32]);
    let mut stage = logout::stage_on(offered, |it| it.subject_type = SubjectType::Pairwise).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    assert_eq!(stage.get(&[("id_token_hint", &hint)]).await.status(), 200);
    assert!(!stage.is_signed_in(), "the hint is of this user");
    let subject = verified(&stage.world, &hint).await.0.subject;
    assert_eq!(stage.token().await.1.subject, Some(subject));
}

/// Section 8.1 of Core.
#[tokio::test]
async fn a_client_needs_a_sector_and_a_server_its_secret() {
    let world = world().await;
    let new = |uris: &[&str]| {
        NewClient::confidential("Other").redirect_uris(uris.iter().copied()).openid(pairwise())
    };
    let several = new(&["https://a.example/cb", "https://b.example/cb"]);
    let refused = world.server.register(several).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::NoPairwiseSubjects), "{refused}");
    let without = world_of(|it| it, |it| it).await;
    let refused = without.server.register(new(&["https://a.example/cb"])).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::NoPairwiseSubjects), "{refused}");
    let path = "/.well-known/openid-configuration";
    for (world, types) in [(&world, json!(["public", "pairwise"])), (&without, json!(["public"]))] {
        let document = world.request("GET", path, "application/json", "").await.json();
        assert_eq!(document["subject_types_supported"], types);
    }
}

/// Sections 2 and 12.2 of Core: `sub` never changes, and nobody gets that of another sector.
#[tokio::test]
async fn a_client_moves_to_no_other_sector() {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let on = |it: AuthorizationServer| {
        it.openid(openid().pairwise_subjects(&[7; 32])).dynamic_registration(registration)
    };
    let world = world_of(|it| it, on).await;
    let metadata = |uri: &str, subject_type: &str| json!({ "redirect_uris": [uri], "subject_type": subject_type, "scope": "openid" });
    let body = metadata("https://evil.example/cb", "pairwise").to_string();
    let added = world.request("POST", "/oauth/register", "application/json", &body).await.json();
    let uri = Url::parse(added["registration_client_uri"].as_str().unwrap()).unwrap();
    let uri = &uri[url::Position::BeforePath..];
    let mut token = added["registration_access_token"].clone();
    for (redirect_uri, subject_type, status) in [
        ("https://victim.example/cb", "pairwise", 400),
        ("https://evil.example/cb", "public", 400),
        ("https://evil.example/other", "pairwise", 200),
    ] {
        let mut body = metadata(redirect_uri, subject_type);
        body["client_id"] = added["client_id"].clone();
        let request = Request::put(uri)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", token.as_str().unwrap()))
            .body(Body::from(body.to_string()));
        let answer = world.send(request.unwrap()).await;
        assert_eq!(answer.status(), status, "{redirect_uri} {subject_type}: {answer:?}");
        match status {
            200 => token = answer.json()["registration_access_token"].clone(),
            _ => assert_eq!(answer.json()["error"], "invalid_client_metadata"),
        }
    }
    let id = added["client_id"].as_str().unwrap();
    let moved = |_: &_, new: NewClient| new.redirect_uri("https://victim.example/cb");
    let refused = world.server.edit_client(id, moved).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::NoPairwiseSubjects), "{refused}");
    let public = |_: &_, new: NewClient| new.openid(ClientOpenId::default());
    let refused = world.server.edit_client(id, public).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::OtherSubjects), "{refused}");
}

/// The document of one sector.
struct Sector;

impl Fetcher for Sector {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        match url.path() {
            "/sector.json" => {
                Ok(Fetched::new(r#"["https://a.example/cb","https://b.example/cb"]"#))
            }
            "/other.json" => Ok(Fetched::new(r#"{"redirect_uris":[]}"#)),
            _ => Err(FetchError::Status(404)),
        }
    }
}

/// A server at which strangers register themselves, and whose sectors are fetched.
async fn world_with_sectors() -> World {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let on = |it: AuthorizationServer| {
        it.openid(openid().pairwise_subjects(&[7; 32]))
            .client_keys_fetched_by(Sector)
            .dynamic_registration(registration)
    };
    world_of(|it| it, on).await
}

/// Section 5 of Dynamic Client Registration.
#[tokio::test]
async fn a_document_at_the_sector_names_the_redirect_uris_of_a_client_that_registers_itself() {
    let world = world_with_sectors().await;
    let both = ["https://a.example/cb", "https://b.example/cb"];
    for (uris, sector, status) in [
        (&both[..], Some("https://s.example/sector.json"), 201),
        (&both[..1], Some("https://s.example/sector.json"), 201),
        (&["https://c.example/cb"], Some("https://s.example/sector.json"), 400),
        (&both, Some("https://s.example/other.json"), 400),
        (&both, Some("https://s.example/missing.json"), 400),
        (&both, None, 400),
        (&both[..1], None, 201),
    ] {
        let mut metadata = json!({ "redirect_uris": uris, "subject_type": "pairwise" });
        if let Some(sector) = sector {
            metadata["sector_identifier_uri"] = sector.into();
        }
        let body = metadata.to_string();
        let answer = world.request("POST", "/oauth/register", "application/json", &body).await;
        assert_eq!(answer.status(), status, "{metadata}: {answer:?}");
        if status == 201 {
            assert_eq!(answer.json()["subject_type"], "pairwise");
        }
    }
}

/// Section 8.1 of Core: a stranger who needs no redirect could name the redirect URIs of another site.
#[tokio::test]
async fn a_stranger_joins_the_sector_of_no_other_site_by_a_grant_without_redirects() {
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let strangers = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
        .grant_types([
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::DeviceCode,
        ]);
    let on = |it: AuthorizationServer| {
        it.openid(openid().pairwise_subjects(&[7; 32]))
            .client_keys_fetched_by(Sector)
            .device_grant(DeviceGrant::new())
            .dynamic_registration(strangers)
    };
    let world = world_of(|it| it, on).await;
    let code = "authorization_code";
    for (subject_type, grant_types, sector, status) in [
        ("pairwise", vec![code, device], None, 400),
        ("pairwise", vec![device, code], Some("https://s.example/sector.json"), 400),
        ("pairwise", vec![code, "refresh_token"], None, 201),
        ("public", vec![code, device], None, 201),
    ] {
        let mut metadata = json!({
            "redirect_uris": ["https://a.example/cb"],
            "subject_type": subject_type,
            "grant_types": grant_types,
        });
        if let Some(sector) = sector {
            metadata["sector_identifier_uri"] = sector.into();
        }
        let body = metadata.to_string();
        let answer = world.request("POST", "/oauth/register", "application/json", &body).await;
        assert_eq!(answer.status(), status, "{metadata}: {answer:?}");
        if status == 400 {
            assert_eq!(answer.json()["error"], "invalid_client_metadata");
        }
    }
}

/// Section 8.1 of Core: a grant that the operator adds would let a stranger into the sector of the site
/// whose redirect URIs it named.
#[tokio::test]
async fn an_operator_lets_a_stranger_into_the_sector_of_no_other_site() {
    let strangers = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let on = |it: AuthorizationServer| {
        let offered = openid().pairwise_subjects(&[7; 32]);
        it.openid(offered.logout(Logout::new().back_channel(Deaf)))
            .client_keys_fetched_by(Sector)
            .device_grant(DeviceGrant::new())
            .dynamic_registration(strangers)
    };
    let world = world_of(|it| it, on).await;
    let register = async |subject_type: &str, sector: Option<&str>| {
        let mut metadata =
            json!({ "redirect_uris": ["https://a.example/cb"], "subject_type": subject_type });
        if let Some(sector) = sector {
            metadata["sector_identifier_uri"] = sector.into();
        }
        let body = metadata.to_string();
        let answer = world.request("POST", "/oauth/register", "application/json", &body).await;
        assert_eq!(answer.status(), 201, "{answer:?}");
        text(&answer.json(), "client_id").to_owned()
    };
    let device = |_: &_, new: NewClient| {
        new.grant_types([GrantType::AuthorizationCode, GrantType::DeviceCode])
    };
    let told = |client: &Client, new: NewClient| {
        let mut openid = client.openid.clone();
        openid.backchannel_logout_uri = Some("https://evil.example/told".parse().unwrap());
        new.openid(openid)
    };
    let moved = |_: &_, new: NewClient| new.redirect_uri("https://evil.example/cb");
    let stranger = register("pairwise", None).await;
    for refused in [
        world.server.edit_client(&stranger, device).await,
        world.server.edit_client(&stranger, told).await,
    ] {
        assert!(matches!(refused, Err(RegistrationError::SectorUnproven)), "{refused:?}");
    }
    let renamed = world.server.edit_client(&stranger, |_, new| new.name("Album")).await;
    assert_eq!(renamed.unwrap().client.name, "Album");
    let in_sector = register("pairwise", Some("https://s.example/sector.json")).await;
    let refused = world.server.edit_client(&in_sector, moved).await;
    assert!(matches!(refused, Err(RegistrationError::SectorUnproven)), "{refused:?}");
    // Everybody knows the other subject of a user already, and the operator knows an own client.
    let public = register("public", None).await;
    world.server.edit_client(&public, device).await.unwrap();
    let own = NewClient::public("Television").redirect_uri("https://a.example/cb");
    let own = world.server.register(own.openid(pairwise())).await.unwrap().client.id;
    world.server.edit_client(&own, device).await.unwrap();
}

/// A receiver of logout tokens.
struct Deaf;

impl Notifier for Deaf {
    async fn notify(&self, _: &Url, _: &str) -> Result<(), FetchError> {
        Ok(())
    }
}

/// Section 8.1 of Core: logout tokens name users, too.
#[tokio::test]
async fn a_stranger_gets_no_logout_tokens_of_the_sector_of_another_site() {
    let strangers = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let world = world_of(
        |it| it,
        |it| {
            let offered =
                openid().pairwise_subjects(&[7; 32]).logout(Logout::new().back_channel(Deaf));
            it.openid(offered).dynamic_registration(strangers)
        },
    )
    .await;
    for (subject_type, told, status) in [
        ("pairwise", "https://evil.example/told", 400),
        ("pairwise", "https://a.example/told", 201),
        ("public", "https://evil.example/told", 201),
    ] {
        let metadata = json!({
            "redirect_uris": ["https://a.example/cb"],
            "subject_type": subject_type,
            "backchannel_logout_uri": told,
        });
        let body = metadata.to_string();
        let answer = world.request("POST", "/oauth/register", "application/json", &body).await;
        assert_eq!(answer.status(), status, "{metadata}: {answer:?}");
    }
}

/// Strangers have nothing fetched without end: a refused registration counts, too.
#[tokio::test]
async fn documents_of_sectors_are_fetched_for_as_many_registrations_as_a_network_may_make() {
    let world = world_with_sectors().await;
    let register = async |from: u8| {
        let metadata = json!({
            "redirect_uris": ["https://c.example/cb"],
            "subject_type": "pairwise",
            "sector_identifier_uri": "https://s.example/missing.json",
        });
        let request = Request::post("/oauth/register").header("content-type", "application/json");
        let mut request = request.body(Body::from(metadata.to_string())).unwrap();
        request.extensions_mut().insert(RemoteAddress([192, 0, 2, from].into()));
        world.send(request).await.status()
    };
    for _ in 0..20 {
        assert_eq!(register(1).await, 400);
    }
    assert_eq!(register(1).await, 429);
    assert_eq!(register(2).await, 400);
}
