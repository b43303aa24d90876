//! Fake services: the manners by which the real ones differ from each other.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use quadrille::{
    Apple, Env, Facebook, GitHub, GitLab, Google, Microsoft, Reddit, Salesforce, Strava, Twitch,
    Weibo, X,
    testing::{Emulated, FakeService, SERVICES},
    transport::Purpose,
};
use serde_json::{Value, json};

const CALLBACK: &str = "https://app.example/cb";

/// A way to send the secret.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Basic,
    Form,
    Both,
}

/// A fake service with a request of an application.
struct World(FakeService);

impl World {
    fn of<S: Emulated>() -> Self {
        Self(FakeService::of::<S>("our-id", "our-secret"))
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.0.respond(request, Purpose::RedeemCode).await.unwrap()
    }

    fn code(&self, scope: &str) -> String {
        let url = format!(
            "https://service.example/authorize?response_type=code&client_id=our-id&scope={scope}\
             &redirect_uri={CALLBACK}"
        );
        let query = self.0.consent(&url, 7).expect("the request is valid");
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
        code.expect("a code").to_owned()
    }

    async fn redeem(&self, way: Way, scope: &str, accept: &str) -> Response<Bytes> {
        let mut form = format!(
            "grant_type=authorization_code&code={}&redirect_uri={CALLBACK}&client_id=our-id",
            self.code(scope)
        );
        let mut request = Request::post("https://service.example/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, accept);
        if way != Way::Form {
            let basic = BASE64_STANDARD.encode("our-id:our-secret");
            request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
        }
        if way != Way::Basic {
            form += "&client_secret=our-secret";
        }
        self.send(request.body(form.into()).unwrap()).await
    }

    async fn tokens(&self, scope: &str) -> Value {
        let answer = self.redeem(Way::Form, scope, "application/json").await;
        serde_json::from_slice(answer.body()).unwrap()
    }

    async fn get(&self, url: &str, authorization: Option<String>) -> Response<Bytes> {
        let mut request = Request::get(url);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(Bytes::new()).unwrap()).await
    }
}

#[tokio::test]
async fn the_secret_comes_in_the_ways_that_the_service_accepts() {
    async fn accepts(world: World, ways: [(Way, bool); 3]) {
        for (way, is_accepted) in ways {
            let answer = world.redeem(way, "openid", "application/json").await;
            let answer: Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(answer["access_token"].is_string(), is_accepted, "{way:?}: {answer}");
            if !is_accepted {
                let why = answer["error_description"].as_str().unwrap();
                assert!(
                    why.contains("the application authenticates")
                        || why.contains("more than one way")
                );
            }
        }
    }
    let all = [(Way::Basic, true), (Way::Form, true), (Way::Both, true)];
    accepts(World::of::<GitHub>(), all).await;
    accepts(World::of::<Google>(), all).await;
    accepts(World::of::<GitLab>(), all).await;
    accepts(World::of::<Microsoft>(), all).await;
    let basic = [(Way::Basic, true), (Way::Form, false), (Way::Both, true)];
    accepts(World::of::<X>(), basic).await;
    accepts(World::of::<Reddit>(), basic).await;
    let form = [(Way::Basic, false), (Way::Form, true), (Way::Both, false)];
    accepts(World::of::<Twitch>(), form).await;
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_application_are_told_apart() {
    let github = World::of::<GitHub>();
    for (form, why) in [
        ("client_id=our-id&client_secret=x", "the client_secret is another one"),
        (
            "client_id=other&client_secret=our-secret",
            "no application is registered with this client_id",
        ),
        ("client_id=our-id", "the request has no client_secret"),
    ] {
        let request = Request::post("https://github.com/login/oauth/access_token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        let form = format!("grant_type=authorization_code&code=x&{form}");
        let answer = github.send(request.body(form.into()).unwrap()).await;
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer["error"], "incorrect_client_credentials");
        assert!(answer["error_description"].as_str().unwrap().starts_with(why), "{answer}");
    }
}

#[tokio::test]
async fn github_answers_as_a_form_unless_json_is_accepted() {
    let github = World::of::<GitHub>();
    let answer = github.redeem(Way::Form, "repo", "*/*").await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert!(answer.body().starts_with(b"access_token="), "{answer:?}");
    let answer = github.redeem(Way::Form, "repo", "application/json").await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn tokens_come_in_the_ways_of_the_service() {
    let github = World::of::<GitHub>();
    let tokens = github.tokens("user").await;
    let token = tokens["access_token"].as_str().unwrap();
    for (scheme, status) in [("Bearer", 200), ("token", 200), ("bearer", 200), ("OAuth2", 401)] {
        let answer =
            github.get("https://api.github.com/user", Some(format!("{scheme} {token}"))).await;
        assert_eq!(answer.status(), status, "{scheme}");
    }
    let in_query = format!("https://api.github.com/user?access_token={token}");
    assert_eq!(github.get(&in_query, None).await.status(), StatusCode::UNAUTHORIZED);

    let weibo = World::of::<Weibo>();
    let tokens = weibo.tokens("email").await;
    let token = tokens["access_token"].as_str().unwrap();
    let url = format!("https://api.weibo.com/2/users/show.json?uid=7&access_token={token}");
    let account: Value = serde_json::from_slice(weibo.get(&url, None).await.body()).unwrap();
    assert_eq!(account["idstr"], "7");

    let strava = World::of::<Strava>();
    let tokens = strava.tokens("read").await;
    let token = tokens["access_token"].as_str().unwrap();
    let url = format!("https://www.strava.com/api/v3/athlete?access_token={token}");
    assert_eq!(strava.get(&url, None).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_id_token_needs_the_scope_openid_but_at_apple() {
    let has_one =
        async |world: &World, scope: &str| world.tokens(scope).await["id_token"].is_string();
    let gitlab = World::of::<GitLab>();
    assert!(has_one(&gitlab, "openid+read_user").await);
    assert!(!has_one(&gitlab, "read_user").await);
    assert!(has_one(&World::of::<Apple>(), "name+email").await);

    // Nor does a refresh.
    let tokens = gitlab.tokens("read_user").await;
    let form = format!(
        "grant_type=refresh_token&client_id=our-id&client_secret=our-secret&refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    let request = Request::post("https://gitlab.com/oauth/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let refreshed = gitlab.send(request.body(form.into()).unwrap()).await;
    let refreshed: Value = serde_json::from_slice(refreshed.body()).unwrap();
    assert!(
        refreshed["access_token"].is_string() && refreshed["id_token"].is_null(),
        "{refreshed}"
    );
}

#[tokio::test]
async fn the_account_of_gitlab_has_a_number_and_its_id_token_a_text() {
    let gitlab = World::of::<GitLab>();
    let tokens = gitlab.tokens("openid+read_user").await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let account = gitlab.get("https://gitlab.com/api/v4/user", Some(bearer)).await;
    let account: Value = serde_json::from_slice(account.body()).unwrap();
    assert_eq!(account["id"], 7);
    let claims = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap()["sub"], "7");
}

#[tokio::test]
async fn the_users_of_several_numbers_have_names_that_differ() {
    let account = async |github: &World, user: u64| {
        let url = format!(
            "https://github.com/login/oauth/authorize?client_id=our-id&redirect_uri={CALLBACK}"
        );
        let query = github.0.consent(&url, user).expect("GitHub needs no response_type");
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap();
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&client_id=our-id\
             &client_secret=our-secret"
        );
        let request = Request::post("https://github.com/login/oauth/access_token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        let tokens = github.send(request.body(form.into()).unwrap()).await;
        let tokens: Value = serde_json::from_slice(tokens.body()).unwrap();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let account = github.get("https://api.github.com/user", Some(bearer)).await;
        let account: Value = serde_json::from_slice(account.body()).unwrap();
        [account["login"].clone(), account["name"].clone()]
    };
    let github = World::of::<GitHub>();
    assert_eq!(account(&github, 7).await, ["ada", "Ada Lovelace"]);
    assert_eq!(account(&github, 9).await, ["ada-9", "Ada Lovelace 9"]);
    assert_eq!(account(&github, 7).await, ["ada", "Ada Lovelace"]);
    let github = World(github.0.user(json!({"login": "grace"})).user(json!({"login": "joan"})));
    assert_eq!(account(&github, 1).await, ["grace", "Ada Lovelace"]);
    assert_eq!(account(&github, 2).await, ["joan", "Ada Lovelace"]);
    assert_eq!(account(&github, 7).await, ["ada-7", "Ada Lovelace 7"]);
}

#[tokio::test]
async fn the_metadata_of_each_provider_name_what_it_has_and_it_signs_by_rs256() {
    for row in SERVICES {
        let fake = FakeService::playing(row, "our-id", "our-secret");
        let Some(issuer) = fake.issuer() else { continue };
        let world = World(fake);
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata = world.get(&url, None).await;
        let metadata: Value = serde_json::from_slice(metadata.body()).unwrap();
        assert_eq!(metadata["issuer"], issuer, "{metadata}");
        assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["RS256"]));
        let methods = json!(world.0.authentication_methods());
        assert_eq!(metadata["token_endpoint_auth_methods_supported"], methods);

        let query = world.0.consent(
            &format!(
                "{}?response_type=code&client_id=our-id&scope=openid&redirect_uri={CALLBACK}",
                metadata["authorization_endpoint"].as_str().unwrap()
            ),
            7,
        );
        let has_iss = query.unwrap().contains("iss=");
        let says_iss = &metadata["authorization_response_iss_parameter_supported"];
        assert_eq!(says_iss, has_iss, "{}", row.spec.name);

        let tokens = world.tokens("openid").await;
        let header = tokens["id_token"].as_str().unwrap().split('.').next().unwrap();
        let header: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        let keys = world.get(metadata["jwks_uri"].as_str().unwrap(), None).await;
        let keys: Value = serde_json::from_slice(keys.body()).unwrap();
        let mut keys = keys["keys"].as_array().unwrap().iter();
        let key = keys.find(|key| key["kid"] == header["kid"] && key["alg"] == header["alg"]);
        assert_eq!(key.unwrap()["kty"], "RSA", "{}", row.spec.name);
        if let Some(userinfo) = metadata["userinfo_endpoint"].as_str() {
            let token = tokens["access_token"].as_str().unwrap();
            let claims = world.get(userinfo, Some(format!("Bearer {token}"))).await;
            let claims: Value = serde_json::from_slice(claims.body()).unwrap();
            assert!(claims["sub"].is_string(), "{}: {claims}", row.spec.name);
        }
    }
}

#[tokio::test]
async fn a_fake_as_a_server_has_the_time_of_the_system() {
    let google = FakeService::of::<Google>("our-id", "our-secret");
    google.listen(0).await.unwrap();
    let token = google.id_token("our-id", 7, "n").unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = Env::system().now().seconds();
    let iat = claims["iat"].as_i64().unwrap();
    assert!((now - iat).abs() < 600, "{claims}");
    assert_eq!(claims["exp"].as_i64().unwrap() - iat, 3600);
}

#[tokio::test]
async fn a_service_that_needs_no_response_type_takes_a_request_without_one() {
    let url = format!("https://service.example/x?client_id=our-id&redirect_uri={CALLBACK}");
    assert!(World::of::<Facebook>().0.consent(&url, 7).is_some());
    assert!(World::of::<Salesforce>().0.consent(&url, 7).is_none());
}
