use http::HeaderMap;
use quadrille::{
    Error, KeyRing, Login, Owner, Service, Spec, Twitter,
    consumer::{Begin, Jar, MemoryStorage, OperatorError},
    oauth1::SignatureMethod,
};

use super::World;
use crate::support::{SECRET, SITE};

#[tokio::test]
async fn twitter_is_a_row() {
    let world = World::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Twitter::new("our-key", SECRET))
        .storage(MemoryStorage::new())
        .http(world.service.clone());
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("twitter").owner(&Owner::user(1))).await.unwrap();
    assert!(url.starts_with("https://api.x.com/oauth/authorize?oauth_token="), "{url}");
    let query = world.service.consent(&url, 7).unwrap();
    let jar = Jar::new(&crate::library::carry(&jar));
    let done = login.finish(&jar, "twitter", &query, &Owner::user(1)).await.unwrap();
    assert_eq!(&*done.account.subject, "7");
    let uris: Vec<_> =
        world.service.asked().iter().map(|asked| asked.request.uri().to_string()).collect();
    assert_eq!(
        uris,
        [
            "https://api.x.com/oauth/request_token",
            "https://api.x.com/oauth/access_token",
            "https://api.x.com/1.1/account/verify_credentials.json",
        ]
    );
    let twitter = login.linked::<Twitter>(&done.account).await.unwrap();
    let echo: serde_json::Value = twitter.get("https://api.x.com/2/users/me").await.unwrap();
    assert_eq!(
        (&echo["path"], &echo["signature_method"]),
        (&"/2/users/me".into(), &"HMAC-SHA1".into())
    );
}

fn missing<S>(client: quadrille::Result<quadrille::consumer::Client<S>>) -> String {
    match client.err() {
        Some(Error::Operator(OperatorError::VariableMissing { name, .. })) => name.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_variables_have_the_names_that_people_know() {
    assert_eq!(missing(Twitter::from_env()), "TWITTER_OAUTH_CLIENT_KEY");
    struct Keyed;
    impl Service for Keyed {
        const SPEC: Spec = Spec::oauth1("my-keyed", "t", "https://keyed.example", "c", "a")
            .signature_method(SignatureMethod::RsaSha256)
            .build();
    }
    assert_eq!(missing(Keyed::client_from_env()), "MY_KEYED_OAUTH_CONSUMER_KEY");
    struct Homeless;
    impl Service for Homeless {
        const SPEC: Spec = Spec::oauth2("my-own", "authorize", "token", "api").build();
    }
    assert_eq!(missing(Homeless::client_from_env()), "MY_OWN_OAUTH_BASE_URL");
    #[cfg(feature = "rsa-sha1")]
    assert_eq!(missing(quadrille::Jira::from_env()), "JIRA_OAUTH_BASE_URL");
}

#[cfg(feature = "rsa-sha1")]
#[tokio::test]
async fn jira_is_wherever_it_is_installed() {
    use http::Method;
    use quadrille::Jira;

    for (base, below) in [
        ("https://jira.example", "https://jira.example"),
        ("https://jira.example/", "https://jira.example"),
        ("https://corp.example/jira", "https://corp.example/jira"),
        ("https://corp.example/jira/", "https://corp.example/jira"),
    ] {
        let world = World::new();
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Jira::new(base, "our-key", super::RSA_KEY))
            .storage(MemoryStorage::new())
            .http(world.service.clone());
        let jar = Jar::new(&HeaderMap::new());
        let url = login.begin(&jar, &Begin::new("jira").owner(&Owner::user(1))).await.unwrap();
        assert!(url.starts_with(&format!("{below}/plugins/servlet/oauth/authorize?")), "{url}");
        let query = world.service.consent(&url, 7).unwrap();
        let jar = Jar::new(&crate::library::carry(&jar));
        let done = login.finish(&jar, "jira", &query, &Owner::user(1)).await.unwrap();
        assert_eq!(&*done.account.subject, "JIRAUSER7");
        let jira = login.linked::<Jira>(&done.account).await.unwrap();
        let issue = serde_json::json!({ "fields": { "summary": "It is broken" } });
        let call = jira.request(Method::POST, "rest/api/2/issue").json_body(&issue);
        let echo: serde_json::Value = call.json().await.unwrap();
        assert_eq!(echo["signature_method"], "RSA-SHA1");
        let uris: Vec<_> =
            world.service.asked().iter().map(|asked| asked.request.uri().to_string()).collect();
        let paths = [
            "plugins/servlet/oauth/request-token",
            "plugins/servlet/oauth/access-token",
            "rest/api/2/myself",
            "rest/api/2/issue",
        ];
        assert_eq!(uris, paths.map(|path| format!("{below}/{path}")));
    }
}
