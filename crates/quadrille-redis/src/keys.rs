//! The keys in Redis, and the values that are packed.

use quadrille::{
    Owner,
    consumer::{Account, StorageError},
};

/// The bytes before a sealed token: its version, and whether the account needs linking again.
const HEADER: usize = 9;

/// The keys of one service, which are all in one slot of a cluster: the braces name it.
pub(crate) struct ServiceKeys(String);

impl ServiceKeys {
    pub(crate) fn new(prefix: &str, service: &str) -> Self {
        // The length keeps a service whose name contains a brace from the keys of another.
        Self(format!("{prefix}{}:{{{service}}}", service.len()))
    }

    /// A hash: the accounts of an owner, by subject.
    pub(crate) fn accounts(&self, owner: &str) -> Vec<u8> {
        self.key("accounts", owner, "")
    }

    /// A sorted set: the subjects of an owner, in the order in which they were linked.
    pub(crate) fn order(&self, owner: &str) -> Vec<u8> {
        self.key("order", owner, "")
    }

    /// A sorted set: the accounts of all owners, in the order of their keys.
    pub(crate) fn index(&self) -> Vec<u8> {
        self.key("index", "", "")
    }

    /// A text: the lease of an account.
    pub(crate) fn lease(&self, account: &Account) -> Vec<u8> {
        self.key("lease", account.owner.as_str(), &account.subject)
    }

    fn key(&self, kind: &str, owner: &str, subject: &str) -> Vec<u8> {
        format!("{}:{kind}:{}:{owner}{subject}", self.0, owner.len()).into_bytes()
    }
}

/// An account in the index, whose bytes have the order of accounts: in the owner, a zero is
/// followed by 255, and the end is a zero followed by 1.
pub(crate) fn member(account: &Account) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    for byte in account.owner.as_str().bytes() {
        out.push(byte);
        if byte == 0 {
            out.push(255);
        }
    }
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(account.subject.as_bytes());
    out
}

/// The account of a [`member`].
pub(crate) fn account(service: &str, member: &[u8]) -> Result<Account, StorageError> {
    let mut owner = Vec::new();
    let mut rest = member;
    loop {
        rest = match rest {
            [0, 1, rest @ ..] => {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
                let (Ok(owner), Ok(subject)) = (text(&owner), text(rest)) else { break };
                return Ok(Account {
                    owner: Owner::from_key(&owner),
                    service: service.into(),
                    subject: subject.into(),
                });
            }
            [0, 255, rest @ ..] => {
                owner.push(0);
                rest
            }
            [0, ..] | [] => break,
            [byte, rest @ ..] => {
                owner.push(*byte);
                rest
            }
        };
    }
    Err(StorageError::Unreadable)
}

/// The value of an account.
pub(crate) fn pack(version: u64, needs_linking_again: bool, sealed: &[u8]) -> Vec<u8> {
    [&version.to_be_bytes()[..], &[u8::from(needs_linking_again)], sealed].concat()
}

/// Version, whether it needs linking again, and the sealed token.
pub(crate) fn unpack(value: &[u8]) -> Result<(u64, bool, &[u8]), StorageError> {
    let (header, sealed) = value.split_first_chunk::<HEADER>().ok_or(StorageError::Unreadable)?;
    let [version @ .., flag] = *header;
    let needs_linking_again = match flag {
        0 => false,
        1 => true,
        _ => return Err(StorageError::Newer),
    };
    Ok((u64::from_be_bytes(version), needs_linking_again, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_has_the_order_of_accounts() {
        let texts = ["", "\0", "\0\0", "a", "a\0", "a\u{1}", "ab", "\u{e9}", "\u{1f600}"];
        let mut all = Vec::new();
        for owner in texts {
            all.extend(texts.map(|subject| Account {
                owner: Owner::from_key(owner),
                service: "github".into(),
                subject: subject.into(),
            }));
        }
        all.sort();
        let members: Vec<_> = all.iter().map(member).collect();
        assert!(members.is_sorted_by(|a, b| a < b));
        for (expected, member) in all.iter().zip(&members) {
            assert_eq!(account("github", member).as_ref(), Ok(expected));
        }
        for broken in [&b""[..], b"a", b"a\0", b"a\0\x02b", b"\xff\0\x01"] {
            assert_eq!(account("github", broken), Err(StorageError::Unreadable));
        }
    }

    #[test]
    fn no_two_services_share_a_key() {
        let keys = |service, owner| ServiceKeys::new("q:", service).accounts(owner);
        assert_ne!(keys("a", "}:accounts:1:b"), keys("a}:accounts:1:b", ""));
        assert_ne!(keys("a", "b"), keys("ab", ""));
    }
}
