//! Faults of a check of passwords, each of which the contract names.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use quadrille::{
    Authentication, Env,
    provider::{PasswordAttempt, PasswordNotChecked, PasswordVerifier},
    testing::{
        ManualClock,
        contract::{
            passwords::{
                a_name_leads_to_one_user, any_other_password_is_refused,
                any_text_is_a_name_and_a_password, the_right_password_tells_the_subject,
            },
            run,
        },
        password_verifier_contract,
    },
};

const USERS: [(&str, &str); 2] = [("ada", "a dance for four"), ("bob", "a waltz for two")];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    WaitsForEver,
    RefusesEverybody,
    SignsInTomorrow,
    OneSubjectForAll,
    NoSubject,
    AnotherSubjectEachTime,
    IgnoresCase,
    IgnoresSpaces,
    StopsAtZero,
    ComparesTheBeginning,
    AnyPassword,
    AnyUsersPassword,
    PatternsAreNames,
    NobodyIsSomebody,
    AnotherCaseIsAnotherUser,
    FailsAtZero,
    FailsAtLongNames,
}

use Fault::*;

/// Names and passwords that are kept as they are, for a test.
struct Verifier(Fault, Env);

impl Verifier {
    fn is_right(&self, typed: &str, password: &str) -> bool {
        match self.0 {
            RefusesEverybody => false,
            AnyPassword => true,
            IgnoresCase => typed.eq_ignore_ascii_case(password),
            IgnoresSpaces => typed.trim() == password,
            StopsAtZero => typed.split('\0').next() == Some(password),
            ComparesTheBeginning => password.starts_with(typed),
            AnyUsersPassword => USERS.iter().any(|(_, password)| typed == *password),
            _ => typed == password,
        }
    }

    fn has_name(&self, typed: &str, name: &str) -> bool {
        match self.0 {
            PatternsAreNames => typed == name || typed == "%",
            NobodyIsSomebody => typed == name || typed.is_empty(),
            AnotherCaseIsAnotherUser => typed.eq_ignore_ascii_case(name),
            _ => typed == name,
        }
    }
}

impl PasswordVerifier for Verifier {
    async fn verify(
        &self,
        attempt: PasswordAttempt,
    ) -> Result<Option<Authentication>, PasswordNotChecked> {
        let (name, typed) = (attempt.user_name(), attempt.password().expose());
        match self.0 {
            WaitsForEver => {
                return Err(PasswordNotChecked::TooMany(Duration::from_secs(1)));
            }
            FailsAtZero if name.contains('\0') => {
                return Err(PasswordNotChecked::unavailable("invalid byte sequence"));
            }
            FailsAtLongNames if name.len() > 255 => {
                return Err(PasswordNotChecked::unavailable("value too long"));
            }
            _ => {}
        }
        let user = USERS
            .iter()
            .find(|(known, password)| self.has_name(name, known) && self.is_right(typed, password));
        let now = self.1.now();
        Ok(user.map(|(known, _)| {
            let subject = match self.0 {
                OneSubjectForAll => "1".to_owned(),
                NoSubject => String::new(),
                AnotherSubjectEachTime => format!("{known}{}", u64::from_be_bytes(self.1.random())),
                AnotherCaseIsAnotherUser => name.to_owned(),
                _ => (*known).to_owned(),
            };
            let ahead = if self.0 == SignsInTomorrow { 86_400 } else { 0 };
            Authentication::new(subject, now + Duration::from_secs(ahead))
        }))
    }
}

password_verifier_contract!(without_a_fault, || (Verifier(Nothing, Env::system()), USERS, ()));

fn said(fault: Fault) -> Vec<String> {
    let broken = |behaviour: &dyn Fn(&Verifier, &ManualClock)| {
        let clock = ManualClock::new();
        let verifier = Verifier(fault, clock.env());
        let panic = catch_unwind(AssertUnwindSafe(|| behaviour(&verifier, &clock))).err()?;
        panic.downcast_ref::<String>().cloned()
    };
    [
        broken(&|verifier, clock| {
            run(the_right_password_tells_the_subject(verifier, &USERS, clock));
        }),
        broken(&|verifier, clock| run(any_other_password_is_refused(verifier, &USERS, clock))),
        broken(&|verifier, clock| run(a_name_leads_to_one_user(verifier, &USERS, clock))),
        broken(&|verifier, clock| run(any_text_is_a_name_and_a_password(verifier, &USERS, clock))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn each_fault_of_a_check_of_passwords_is_named() {
    assert_eq!(said(Nothing), Vec::<String>::new());
    for (fault, rule) in [
        (WaitsForEver, "after the time that it names"),
        (RefusesEverybody, "accepts the right password of \"ada\""),
        (SignsInTomorrow, "a time of the sign-in of \"ada\" that is not to come"),
        (OneSubjectForAll, "a subject for \"bob\" that no other user has"),
        (NoSubject, "the subject of \"ada\" is not empty"),
        (AnotherSubjectEachTime, "the same subject for \"ada\" each time"),
        (IgnoresCase, "refuses \"A DANCE FOR FOUR\""),
        (IgnoresSpaces, "refuses \"a dance for four \""),
        (StopsAtZero, "refuses \"a dance for four\\0\""),
        (ComparesTheBeginning, "refuses \"\""),
        (AnyPassword, "which is not the password of \"ada\""),
        (AnyUsersPassword, "refuses \"a waltz for two\", which is not the password of \"ada\""),
        (PatternsAreNames, "finds no user by \"%\""),
        (NobodyIsSomebody, "finds no user by \"\""),
        (AnotherCaseIsAnotherUser, "finds nobody or \"ada\" by \"ADA\""),
        (FailsAtZero, "the verb `verify` failed: passwords cannot be checked: invalid byte"),
        (FailsAtLongNames, "the verb `verify` failed: passwords cannot be checked: value too long"),
    ] {
        let said = said(fault);
        assert!(said.iter().any(|said| said.contains(rule)), "{fault:?}: {said:#?}");
    }
}
