//! Every grant, with every authentication of a client, for clients that may use it and that may
//! not.

use axum::body::Body;
use quadrille::{
    Authentication, Policy, Scopes, Timestamp,
    form::FormWriter,
    jose::{Algorithm, Claims, KeySet, Protected, SigningKey},
    oauth2::{
        ClientAuth, DeviceAuthorizationRequest, Resources, ResponseType, TokenExchange,
        TokenRequest, token_type,
    },
    provider::{
        Asserted, AuthorizationServer, ClientKeys, DeviceGrant, Exchanged, Exchanging,
        GrantRequest, GrantType, Granted, NewClient, PasswordAttempt, RegisteredAuth,
        TrustedIssuer,
    },
};

use crate::support::{Answer, Browser, CALLBACK, ISSUER, World};

const PARTNER: &str = "https://partner.example";

/// The registration of a client, and the method by which a request authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    None,
    Basic,
    Post,
    SecretJwt,
    PrivateKeyJwt,
}

const METHODS: [Method; 5] =
    [Method::None, Method::Basic, Method::Post, Method::SecretJwt, Method::PrivateKeyJwt];

const GRANTS: [&str; 8] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "password",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:example:own",
];

struct Keys {
    client: SigningKey,
    partner: SigningKey,
}

/// A client that is registered for one method, and for the grant or for another one.
async fn world(method: Method, grant: &str, is_allowed: bool, keys: &Keys) -> World {
    let trusted = KeySet::from_iter([keys.partner.verifying_key().clone()]);
    let set = |server: AuthorizationServer| {
        server
            .trusted_issuer(TrustedIssuer::new(PARTNER, trusted).unwrap())
            .jwt_bearer(async |_: Asserted| Ok(Granted::to_user("ada")))
            .token_exchange(async |_: Exchanging| Ok(Exchanged::delegation()))
            .let_clients_see_passwords_of_users(async |attempt: PasswordAttempt| {
                let is_right = *attempt.password() == "correct horse".into();
                Ok(is_right.then(|| Authentication::new("ada", Timestamp::from_seconds(1))))
            })
            .device_grant(DeviceGrant::new())
            .send_access_tokens_in_redirects_so_that_they_can_leak()
            .grant("urn:example:own", async |_: GrantRequest| Ok(Granted::to_user("ada")))
            .unwrap()
    };
    let grant_type: GrantType = grant.parse().unwrap();
    // A refresh token needs a code first.
    let mut grants = vec![GrantType::AuthorizationCode];
    match (is_allowed, grant) {
        (true, _) => grants.push(grant_type),
        (false, "authorization_code") => grants = vec!["urn:example:own".parse().unwrap()],
        (false, _) => {}
    }
    let jwks = KeySet::from_iter([keys.client.verifying_key().clone()]).to_json();
    let auth = match method {
        Method::None => None,
        Method::Basic => Some(RegisteredAuth::ClientSecretBasic),
        Method::Post => Some(RegisteredAuth::ClientSecretPost),
        Method::SecretJwt => Some(RegisteredAuth::ClientSecretJwt { alg: None }),
        Method::PrivateKeyJwt => {
            let keys = ClientKeys::Jwks(jwks.into());
            Some(RegisteredAuth::PrivateKeyJwt { alg: None, keys })
        }
    };
    let new = match method {
        Method::None => NewClient::public("Client"),
        _ => NewClient::confidential("Client"),
    };
    let new = new.redirect_uri(CALLBACK).grant_types(grants);
    let new = auth.map_or(new.clone(), |auth| new.auth(auth));
    let clock = quadrille::testing::ManualClock::new();
    let store = quadrille::provider::store::MemoryStore::new(clock.env());
    World::build(store, clock, Policy::safe(), new, set).await
}

/// The credentials of the client for one request.
fn auth(world: &World, method: Method, keys: &Keys) -> ClientAuth {
    let client_id: Box<str> = (*world.client.id).into();
    let client_secret = || match &*world.secret {
        "" => "a secret that this client does not have, and long".into(),
        secret => secret.into(),
    };
    let assertion = |key: &SigningKey| {
        let mut claims = Claims::default();
        claims.iss = Some(client_id.to_string());
        claims.sub = Some(client_id.to_string());
        claims.aud = vec![ISSUER.into()];
        claims.exp = Some(world.env.now() + std::time::Duration::from_secs(60));
        claims.jti = Some(format!("{:x?}", world.env.random::<16>()));
        key.sign_claims(&Protected::plain(), &claims).unwrap().into()
    };
    match method {
        Method::None => ClientAuth::None { client_id },
        Method::Basic => ClientAuth::Basic { client_secret: client_secret(), client_id },
        Method::Post => ClientAuth::Post { client_secret: client_secret(), client_id },
        Method::SecretJwt => {
            let key = SigningKey::hmac(Algorithm::Hs256, &client_secret()).unwrap();
            ClientAuth::Assertion { assertion: assertion(&key), client_id }
        }
        Method::PrivateKeyJwt => {
            ClientAuth::Assertion { assertion: assertion(&keys.client), client_id }
        }
    }
}

/// A token of a user for another client.
async fn subject_token(world: &World) -> String {
    let new = NewClient::confidential("Other").grant_types(["urn:example:own".parse().unwrap()]);
    let other = world.server.register(new.scopes(Scopes::of(["photos:read"]))).await.unwrap();
    let mut form = FormWriter::new();
    form.append("grant_type", "urn:example:own");
    form.append("client_id", &other.client.id);
    form.append("client_secret", other.secret.unwrap().expose());
    let form = form.finish();
    let path = "/oauth/token";
    let answer = world.request("POST", path, "application/x-www-form-urlencoded", &form).await;
    answer.tokens().access
}

/// A device code that a user has approved, if the client gets one.
async fn device_code(world: &World, auth: &ClientAuth) -> String {
    let asked = DeviceAuthorizationRequest::default();
    let endpoint = "https://id.example/oauth/device_authorization";
    let answer = world.send(asked.to_request(endpoint, auth, &[]).unwrap().map(Body::from)).await;
    if answer.status() != 200 {
        return "x".to_owned();
    }
    world.sign_in("ada");
    let codes = answer.json();
    let (mut browser, typed) = (Browser::default(), codes["user_code"].as_str().unwrap());
    let page = browser.post(world, "/device", &format!("user_code={typed}")).await;
    assert_eq!(browser.answer(world, &page, "decision=all").await.status(), 200);
    codes["device_code"].as_str().unwrap().to_owned()
}

async fn ask(world: &World, grant: &str, registered: Method, used: Method, keys: &Keys) -> Answer {
    let has_codes = world.client.grant_types.contains(&GrantType::AuthorizationCode);
    let code = if has_codes { world.code("ada").await } else { "x".to_owned() };
    let verifier = world.verifier();
    let redeem = |code| TokenRequest::AuthorizationCode {
        code,
        redirect_uri: Some(CALLBACK),
        code_verifier: Some(verifier.expose()),
        resource: Resources::EMPTY,
    };
    let (subject, assertion, refresh, device);
    let asked = match grant {
        "authorization_code" => redeem(&code),
        "refresh_token" => {
            let own = auth(world, registered, keys);
            refresh =
                world.token(&own, &redeem(&code)).await.tokens().refresh.unwrap_or("x".into());
            let resource = Resources::EMPTY;
            TokenRequest::RefreshToken { refresh_token: &refresh, scope: None, resource }
        }
        "client_credentials" => {
            TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY }
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let mut claims = Claims::default();
            claims.iss = Some(PARTNER.into());
            claims.sub = Some("17".into());
            claims.aud = vec![ISSUER.into()];
            claims.exp = Some(world.env.now() + std::time::Duration::from_secs(60));
            claims.jti = Some(format!("{:x?}", world.env.random::<16>()));
            assertion = keys.partner.sign_claims(&Protected::plain(), &claims).unwrap();
            let resource = Resources::EMPTY;
            TokenRequest::JwtBearer { assertion: &assertion, scope: None, resource }
        }
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            subject = subject_token(world).await;
            TokenRequest::TokenExchange(TokenExchange::new(&subject, token_type::ACCESS_TOKEN))
        }
        "password" => TokenRequest::Password {
            username: "ada",
            password: "correct horse",
            scope: None,
            resource: Resources::EMPTY,
        },
        "urn:ietf:params:oauth:grant-type:device_code" => {
            device = device_code(world, &auth(world, registered, keys)).await;
            TokenRequest::DeviceCode { device_code: &device, resource: Resources::EMPTY }
        }
        own => {
            // The message of a grant of one's own, by way of another one.
            let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
            let request = asked
                .to_request("https://id.example/oauth/token", &auth(world, used, keys), &[])
                .unwrap();
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            let body = body.replace("client_credentials", &own.replace(':', "%3A"));
            return world.send(request.map(|_| Body::from(body))).await;
        }
    };
    world.token(&auth(world, used, keys), &asked).await
}

#[tokio::test]
async fn each_grant_is_for_clients_that_have_it_and_authenticate_as_registered() {
    let keys = Keys {
        client: SigningKey::generate(Algorithm::EdDsa).unwrap(),
        partner: SigningKey::generate(Algorithm::EdDsa).unwrap(),
    };
    for grant in GRANTS {
        for registered in METHODS {
            let is_public = registered == Method::None;
            if is_public && grant == "client_credentials" {
                continue; // Such a client cannot be registered.
            }
            let is_exchange = grant.ends_with("token-exchange");
            for is_allowed in [true, false] {
                if is_public && is_exchange && is_allowed {
                    continue; // Nor can this one.
                }
                let world = world(registered, grant, is_allowed, &keys).await;
                for used in METHODS {
                    let answer = ask(&world, grant, registered, used, &keys).await;
                    let case = format!("{grant}, {registered:?} by {used:?}, {is_allowed}");
                    if used != registered {
                        assert_eq!(answer.status(), 401, "{case}: {}", answer.text());
                        assert_eq!(answer.error(), "invalid_client", "{case}");
                    } else if !is_allowed {
                        assert_eq!(answer.status(), 400, "{case}: {}", answer.text());
                        assert_eq!(answer.error(), "unauthorized_client", "{case}");
                    } else {
                        assert_eq!(answer.status(), 200, "{case}: {}", answer.text());
                    }
                }
            }
        }
    }
}

/// The implicit grant has no token request, so a client need not authenticate for it.
#[tokio::test]
async fn the_implicit_grant_is_for_clients_that_have_it_however_they_authenticate_elsewhere() {
    let keys = Keys {
        client: SigningKey::generate(Algorithm::EdDsa).unwrap(),
        partner: SigningKey::generate(Algorithm::EdDsa).unwrap(),
    };
    for registered in METHODS {
        for is_allowed in [true, false] {
            let world = world(registered, "implicit", is_allowed, &keys).await;
            world.sign_in("ada");
            let mut asked = world.asking();
            asked.response_type = ResponseType::Token;
            let mut browser = Browser::default();
            let page = world.ask(&mut browser, &asked).await;
            let case = format!("{registered:?}, {is_allowed}");
            if is_allowed {
                let answer = browser.answer(&world, &page, "decision=all").await;
                let token = answer.fragment("access_token").unwrap();
                assert!(world.is_good(&token).await, "{case}");
            } else {
                assert_eq!(page.fragment("error").unwrap(), "unauthorized_client", "{case}");
            }
            let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
            let request = asked
                .to_request("https://id.example/oauth/token", &auth(&world, registered, &keys), &[])
                .unwrap();
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            let body = body.replace("client_credentials", "implicit");
            let answer = world.send(request.map(|_| Body::from(body))).await;
            assert_eq!(answer.error(), "unsupported_grant_type", "{case}");
        }
    }
}
