//! Facts about who an account is.

use super::*;

const PROFILE: &[(&str, &str)] = &[
    ("preferred_username", "login"),
    ("name", "{first} {last}"),
    ("email", "mail"),
    ("email_verified", "checked"),
    ("picture", "pictures.0.url"),
];

service!(Describing, acme().identity("me", "id").profile(PROFILE), {
    account: r#"{"id":$ID,"login":"ada","first":"Ada","last":"Lovelace","mail":"ada@example.com",
        "checked":true,"pictures":[{"url":"https://p.example/ada.png"}],"more":[1]}"#,
});
service!(Mailing, acme().identity("me", "id").profile(PROFILE).email_list("me/emails"), {
    account: r#"{"id":$ID,"login":"ada","mail":null}"#,
});

#[tokio::test]
async fn a_profile_is_read_from_the_services_claims() {
    let world = World::of::<Describing>();
    let profile = world.linked::<Describing>().await.profile().await.unwrap();
    assert_eq!(profile.subject, "7");
    assert_eq!(profile.user_name.as_deref(), Some("ada"));
    assert_eq!(profile.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.email_verified, Some(true));
    assert_eq!(profile.picture.as_deref(), Some("https://p.example/ada.png"));
    assert_eq!(profile.raw["more"][0], 1);
}

#[tokio::test]
async fn an_address_from_a_list_is_the_primary_one_and_no_address_is_no_error() {
    let world = World::of::<Mailing>();
    let linked = world.linked::<Mailing>().await;
    let profile = linked.profile().await.unwrap();
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.email_verified, Some(true));
    let me = r#"{"id":7,"mail":"public@example.com"}"#;
    for (status, is_error) in [(403, false), (404, false), (503, true), (429, true)] {
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Identity, StatusCode::OK, me);
        world.fake.answers_next(Purpose::Identity, status, "{}");
        let profile = linked.profile().await;
        assert_eq!(profile.is_err(), is_error, "{status}");
        if let Ok(profile) = profile {
            assert_eq!(profile.email.as_deref(), Some("public@example.com"));
            assert_eq!(profile.email_verified, None, "nothing says that it is");
        }
    }
}

#[test]
fn a_malformed_fact_is_named_at_start() {
    let check = |change: fn(&mut SpecBuf)| {
        let client = Nameless::client("our-id", SECRET).with_spec(change);
        Login::new(KeyRing::ephemeral(), SITE).with(client).check().unwrap_err()
    };
    let service = || "acme".into();
    let member = Error::from(OperatorError::MemberMalformed { service: service() });
    let endpoint = Error::from(OperatorError::EndpointMalformed { service: service() });
    assert_eq!(check(|its| its.profile = vec![("nick".into(), "name".into())]), member);
    assert_eq!(check(|its| its.profile = vec![("name".into(), "{name".into())]), member);
    assert_eq!(check(|its| its.required_claim = Some(("hd".into(), "*".into()))), member);
    assert_eq!(check(|its| its.call_headers = vec![("a b".into(), "c".into())]), endpoint);
    assert_eq!(check(|its| its.email_list = Some("http://acme.example/emails".into())), endpoint);
    let oauth2 = |its: &mut SpecBuf, change: fn(&mut OAuth2Buf)| {
        let Protocol::OAuth2(oauth2) = &mut its.protocol else { panic!("it is OAuth 2") };
        change(oauth2);
    };
    for change in [
        (|its| its.refresh = Some("http://acme.example/refresh".into())) as fn(&mut OAuth2Buf),
        |its| its.token_scheme = "a\nb".into(),
        |its| its.revocation = Some(("http://acme.example/x".into(), Revocation::Standard)),
    ] {
        let client = Nameless::client("our-id", SECRET).with_spec(|its| oauth2(its, change));
        let error = Login::new(KeyRing::ephemeral(), SITE).with(client).check().unwrap_err();
        assert_eq!(error, endpoint);
    }
}

service!(
    Selective,
    acme()
        .identity("me", "id")
        .profile(&[("name", "login")])
        .required_claim("hd", "acme.example"),
    { account: r#"{"id":$ID,"login":"ada","hd":"acme.example"}"# }
);

#[tokio::test]
async fn an_account_without_the_required_claim_is_not_linked() {
    let world = World::of::<Selective>();
    world.account().await.unwrap();
    for account in [
        r#"{"id":$ID,"login":"ada","hd":"other.example"}"#,
        r#"{"id":$ID,"login":"ada","hd":""}"#,
        r#"{"id":$ID,"login":"ada"}"#,
    ] {
        let world = World::of::<Selective>();
        world.fake.change(|its| its.account = account);
        let error = world.account().await.unwrap_err();
        assert_eq!(error, BrowserError::AccountNotAllowed.into(), "{account}");
        let accounts = world.login.accounts::<Selective>().unwrap().next().await;
        assert!(accounts.is_none(), "nothing is stored: {accounts:?}");
    }
}
