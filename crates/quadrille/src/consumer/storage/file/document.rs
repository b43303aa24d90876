//! The content of a file: the accounts of one owner at one service, or their leases.

use std::{fmt::Write as _, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::{
    consumer::{
        account::{Account, Owner},
        error::StorageError,
        wire::lengths_first,
    },
    digest::sha256,
};

use super::folder::{Durability, FORMAT};

/// A kind of file.
pub(super) trait Entry:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static
{
    /// The end of the file's name.
    const SUFFIX: &str;
    const DURABILITY: Durability;
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) subject: Arc<str>,
    /// The greatest of an owner's accounts is the one linked last.
    pub(super) linked: u64,
    pub(super) version: u64,
    pub(super) needs_linking_again: bool,
    /// The sealed token.
    #[serde(serialize_with = "write_base64", deserialize_with = "read_base64")]
    pub(super) token: Vec<u8>,
}

impl Entry for Kept {
    const SUFFIX: &str = ".json";
    const DURABILITY: Durability = Durability::Kept;
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) subject: Arc<str>,
    pub(super) holder: u64,
    /// In milliseconds.
    pub(super) ends: i64,
}

impl Entry for Lease {
    const SUFFIX: &str = ".leases";
    const DURABILITY: Durability = Durability::MayBeLost;
}

/// A file. It repeats the key that its name has as a digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document<T> {
    format: u32,
    pub(super) owner: Owner,
    pub(super) service: Arc<str>,
    pub(super) entries: Vec<T>,
}

/// The part that every version of the format has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl<T: Entry> Document<T> {
    pub(super) fn new(place: &Place) -> Self {
        let Place { owner, service, .. } = place.clone();
        Self { format: FORMAT, owner, service, entries: Vec::new() }
    }

    pub(super) fn read(content: &[u8]) -> Result<Self, StorageError> {
        let version: Version =
            serde_json::from_slice(content).map_err(|_| StorageError::Unreadable)?;
        if version.format > FORMAT {
            return Err(StorageError::Newer);
        }
        serde_json::from_slice(content).map_err(|_| StorageError::Unreadable)
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, StorageError> {
        serde_json::to_vec(self).map_err(|_| StorageError::Unwritable)
    }
}

/// The place of the accounts of one owner at one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) owner: Owner,
    pub(super) service: Arc<str>,
    /// Digests, since keys have any bytes and any length, and file systems have names that are
    /// equal without regard to case.
    name: String,
    pub(super) shard: u8,
}

impl Place {
    pub(super) fn new(owner: &Owner, service: &str) -> Self {
        let digest = sha256(lengths_first([service, owner.as_str()]).as_bytes());
        let [shard, ..] = digest;
        let name = format!("{}{}", prefix(service), hex(&digest));
        Self { owner: owner.clone(), service: service.into(), name, shard }
    }

    pub(super) fn of(account: &Account) -> Self {
        Self::new(&account.owner, &account.service)
    }

    /// The name of the file with these entries.
    pub(super) fn file<T: Entry>(&self) -> String {
        [&self.name, T::SUFFIX].concat()
    }

    /// Whether the file is of this place: two keys have one digest only if somebody changed files.
    pub(super) fn has<T>(&self, document: &Document<T>) -> bool {
        document.owner == self.owner && document.service == self.service
    }
}

/// The beginning of the names of all files of a service.
pub(super) fn prefix(service: &str) -> String {
    let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = sha256(service.as_bytes());
    format!("{}-", hex(&start))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD_NO_PAD.encode(bytes))
}

fn read_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apart_on_every_file_system() {
        let owners = ["", "u:a", "u:A", "u:a ", "u:a\0", "u:../../etc/passwd", "b:a"];
        let mut names: Vec<_> = owners
            .iter()
            .flat_map(|owner| ["git", "Git", "git~a", "git~A"].map(|service| (owner, service)))
            .map(|(owner, service)| {
                Place::new(&Owner::from_key(owner), service).file::<Kept>().to_lowercase()
            })
            .collect();
        names.push(Place::new(&Owner::user("x".repeat(10_000)), "git").file::<Kept>());
        assert!(names.iter().all(|name| name.len() < 120 && name.is_ascii()));
        assert!(names.iter().all(|name| !name.contains(['/', '\\', ':', ' '])));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let read = |text: &str| Document::<Kept>::read(text.as_bytes()).map(|_| ());
        assert_eq!(read(r#"{"format":2,"rows":{}}"#), Err(StorageError::Newer));
        for text in ["", "{", "null", "{}", r#"{"format":1}"#, r#"{"format":-1}"#] {
            assert_eq!(read(text), Err(StorageError::Unreadable), "{text}");
        }
        assert_eq!(read(r#"{"format":1,"owner":null,"service":"a","entries":[]}"#), Ok(()));
    }
}
