//! Errors of the data: a folder, or a database on a server.

use std::{io, net::SocketAddr, path::PathBuf};

use quadrille::{
    jose::SigningKeysError,
    provider::{IssuerError, store::StoreError},
    seal::KeyRingError,
};

use crate::words::describe;

/// The data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The cache does not answer.
    #[error("{place}: {error}")]
    Cache {
        /// The cache, without its password.
        place: String,
        /// The reason.
        error: StoreError,
    },
    /// The cache removes keys when its memory is full.
    #[error(
        "{place} removes keys when its memory is full, which would break off logins: configure it \
         with maxmemory-policy noeviction, or set let_the_cache_evict_what_is_under_way"
    )]
    CacheEvicts {
        /// The cache, without its password.
        place: String,
    },
    /// The key ring cannot be used.
    #[error("the key ring in {place}: {error}")]
    Keys {
        /// The file or environment variable that has the key ring.
        place: String,
        /// The reason.
        error: KeyRingError,
    },
    /// The directory had a key ring, and the file is gone.
    #[error(
        "the key ring {path} is missing, and without it everything that {issuer} issued is \
         invalid: restore {path} from a backup, or make a new key ring, which ends every session \
         and every token: (umask 077; openssl rand -base64 32 > {path}), and then `quadrille keys \
         replace-ring-and-end-all-tokens`",
        path = path.display()
    )]
    KeysLost {
        /// The path where the file should be.
        path: PathBuf,
        /// The issuer of the directory.
        issuer: String,
    },
    /// The processes of a database share a key ring, which is not on this machine.
    #[error(
        "the key ring {} is missing, and processes that share {place} need the same one: copy it \
         from another machine, or give it in QUADRILLE_KEYS",
        path.display()
    )]
    KeysElsewhere {
        /// The path where the file should be.
        path: PathBuf,
        /// The database.
        place: String,
    },
    /// The key ring is not the one that the database was used with.
    #[error(
        "the key ring of this process is not that of {place}, so no token of it would be valid: give \
         the right one, in QUADRILLE_KEYS or the file of the keys. If it is lost, `quadrille keys \
         replace-ring-and-end-all-tokens` accepts this one"
    )]
    OtherKeys {
        /// The database, or the backup.
        place: String,
    },
    /// The secret of pairwise subjects is not the one that the database was served with.
    #[error(
        "openid_pairwise_secret is another one than {place} was served with, so clients with pairwise \
         subjects would take every user for a new one: give the one before, or \
         --replace-pairwise-secret accepts this one"
    )]
    OtherPairwiseSecret {
        /// The database.
        place: String,
    },
    /// The key ring has a key that was given up.
    #[error(
        "the key ring of this process has a key that was given up at {place}, since it was lost or \
         stolen: remove it from the ring"
    )]
    KeyGivenUp {
        /// The database.
        place: String,
    },
    /// The database got another key ring while this process served.
    #[error(
        "{place} has got another key ring, so this process has stopped: start it with that ring"
    )]
    KeysReplaced {
        /// The database.
        place: String,
    },
    /// A move was given a key ring that is not that of the folder.
    #[error(
        "the key ring in QUADRILLE_KEYS is not that in {}, under which the tokens were issued: unset \
         it, or put the key of the file behind the others",
        path.display()
    )]
    KeysOfFolder {
        /// The file of the key ring.
        path: PathBuf,
    },
    /// A provider is to be moved into a folder with another key ring.
    #[error(
        "{} is another key ring than that of the data, so no token would be valid in this folder: move \
         the file away, or name a new folder",
        path.display()
    )]
    OtherKeysInFolder {
        /// The file of the key ring.
        path: PathBuf,
    },
    /// The data was moved into another database.
    #[error(
        "the data in {from} was moved to {to}, and is old: what was used or revoked since would be valid \
         again. Use the other one, by --database or --data-dir. If that one is given up, `quadrille serve \
         --serve-data-that-was-moved-away-so-that-revoked-tokens-are-valid-again` makes this one the \
         current one"
    )]
    MovedAway {
        /// The database that was moved.
        from: String,
        /// The new one.
        to: String,
    },
    /// All of the data is in another database, which may not be complete.
    #[error(
        "the move of {from} to {to} has not come to its end: run `quadrille migrate --from ... --to ...` \
         again, into the same database. If that one is lost or emptied, `quadrille serve \
         --serve-data-that-was-moved-away-so-that-revoked-tokens-are-valid-again` makes the old one the \
         current one, which can be moved again"
    )]
    MoveNotComplete {
        /// The database that is moved.
        from: String,
        /// The new one.
        to: String,
    },
    /// Another move of the same data goes on.
    #[error("{from} is being moved to {to} by another command: wait for its end")]
    BeingMoved {
        /// The database that is moved.
        from: String,
        /// The new one.
        to: String,
    },
    /// The keys that sign access tokens cannot be used.
    #[error("the signing keys in {place}: {error}")]
    SigningKeys {
        /// The file or the database.
        place: String,
        /// The reason.
        error: SigningKeysError,
    },
    /// A file of keys has none: it is no text, too long, or no file.
    #[error("{}: {}", path.display(), describe(error))]
    KeyFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        error: io::Error,
    },
    /// A file or folder of the directory cannot be used.
    #[error("{}: {}", path.display(), describe(error))]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The folder has no data.
    #[error(
        "{} has no data of a provider: name the right folder by --data-dir or QUADRILLE_DATA_DIR, or begin \
         there with `quadrille serve`",
        folder.display()
    )]
    NoData {
        /// The folder.
        folder: PathBuf,
    },
    /// The process is ending.
    #[error("the process is ending")]
    Stopped,
    /// The database cannot be used.
    #[error("{place}: {error}")]
    Database {
        /// The file of the database, or its URL without a password.
        place: String,
        /// The reason.
        error: StoreError,
    },
    /// Processes that do not share nonces could each accept the same request of OAuth 1.0a once.
    #[error(
        "another process serves {place} with OAuth 1.0a, and processes do not share the requests \
         that they have seen: set oauth1.several_processes = true for all of them"
    )]
    NoncesNotShared {
        /// The data folder.
        place: String,
    },
    /// The settings name another issuer than the data has.
    #[error(
        "{place} has the issuer {current}, not {asked}; only `quadrille serve --rename-issuer` \
         changes that"
    )]
    OtherIssuer {
        /// The data folder, or the database without its password.
        place: String,
        /// The issuer of the data.
        current: String,
        /// The issuer in the settings.
        asked: String,
    },
    /// `serve` was given another issuer than the data has, without `--rename-issuer`.
    #[error(
        "{place} has the issuer {current}; with the issuer {asked}, existing tokens become \
         invalid, and every client needs the new issuer. To rename it, add --rename-issuer"
    )]
    IssuerRenamed {
        /// The data folder, or the database without its password.
        place: String,
        /// The issuer of the data.
        current: String,
        /// The issuer in the settings.
        asked: String,
    },
    /// The issuer would change while another process serves the folder under the old one.
    #[error(
        "another process serves {place} with the issuer {current}: to serve it with one more \
         process, give --issuer {current}; to serve it as {asked}, stop the other process first"
    )]
    IssuerInUse {
        /// The data folder.
        place: String,
        /// The issuer that is served.
        current: String,
        /// The issuer in the settings.
        asked: String,
    },
    /// The issuer changed while this process served.
    #[error("{place} has got the issuer {now}, so this process has stopped")]
    IssuerReplaced {
        /// The database.
        place: String,
        /// The issuer of the database now.
        now: String,
    },
    /// The command copies files, and the database is on a server.
    #[error(
        "{place} is copied and restored by its own tools, such as pg_dump and pg_restore or mariadb-dump, \
         and then by `quadrille restore` without a folder: the guide has the procedure, which copies the key \
         ring, too"
    )]
    NotEmbedded {
        /// The database.
        place: String,
    },
    /// The setting `database_hashed_keys` is not that of the tables, which keep their keys.
    #[error(
        "the tables in {place} were made with database_hashed_keys = {found}, and keep their keys: set \
         it so or leave it out, or move the data into a new database (`quadrille migrate --from --to`)"
    )]
    HashedKeys {
        /// The database.
        place: String,
        /// The choice of the tables.
        found: bool,
    },
    /// A process serves a database that is to be moved.
    #[error(
        "a process serves {place}, or was killed a moment ago: stop it, or wait five minutes, before \
         the data is moved"
    )]
    InUse {
        /// The database.
        place: String,
    },
    /// The database to which data is to be moved has data.
    #[error("{place} has data already, and a move does not replace it: name an empty database")]
    TargetInUse {
        /// The database.
        place: String,
    },
    /// Data is to be moved from one folder to another.
    #[error("a folder is moved by `quadrille backup` and `quadrille restore`")]
    SameKind,
    /// A move into the database was interrupted.
    #[error(
        "data is being moved into {place}, and not all of it is there: run `quadrille migrate \
         --from ...` again to the end"
    )]
    Unfinished {
        /// The database.
        place: String,
    },
    /// The database whose data is moved was used during the move, or since one that was interrupted.
    #[error(
        "{from} was used since the move began, so {to} has tokens that may have been used or revoked: \
         make it anew, empty, and run the move again while nothing uses the other one"
    )]
    MovedWhileUsed {
        /// The database that is moved.
        from: String,
        /// The new one.
        to: String,
    },
    /// Passwords would cross a network unencrypted.
    #[error(
        "listening on {0}, which others can reach, needs an https issuer: give --issuer \
         https://... (and put a proxy that speaks TLS in front), or listen on a loopback address"
    )]
    PlainIssuer(SocketAddr),
    /// The folder for a backup has other files.
    #[error("{} is not empty: name a new folder for the backup", path.display())]
    BackupExists {
        /// The folder.
        path: PathBuf,
    },
    /// A backup is to be restored where a database is.
    #[error(
        "{} exists already, and a backup does not replace it: move its folder away, or give another \
         --data-dir",
        path.display()
    )]
    DatabaseExists {
        /// The file of the database.
        path: PathBuf,
    },
    /// A backup is to be restored where other keys are.
    #[error(
        "{} exists already, and differs from {}: move it away if the backup is right",
        path.display(),
        backup.display()
    )]
    KeysDiffer {
        /// The file of the keys.
        path: PathBuf,
        /// The file in the backup.
        backup: PathBuf,
    },
    /// A backup is without the key ring.
    #[error(
        "the backup {} has no key ring: put the one of its time at {}, or into QUADRILLE_KEYS",
        backup.display(),
        path.display()
    )]
    NoKeysInBackup {
        /// The path where the key ring should be.
        path: PathBuf,
        /// The folder of the backup.
        backup: PathBuf,
    },
    /// A backup is to be restored where a process serves.
    #[error("a process serves {place}: stop it before a backup is restored")]
    RestoreInUse {
        /// The data folder.
        place: String,
    },
    /// The recorded issuer is not valid.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

impl DataError {
    /// The exit code of the program, and the error code for programs that read the error as JSON.
    pub(crate) const fn codes(&self) -> (u8, &'static str) {
        match self {
            Self::Issuer(_) | Self::Stopped => (1, "server"),
            Self::OtherIssuer { .. }
            | Self::IssuerRenamed { .. }
            | Self::IssuerInUse { .. }
            | Self::IssuerReplaced { .. }
            | Self::InUse { .. }
            | Self::NotEmbedded { .. }
            | Self::SameKind
            | Self::Unfinished { .. }
            | Self::MovedWhileUsed { .. }
            | Self::MovedAway { .. }
            | Self::MoveNotComplete { .. }
            | Self::BeingMoved { .. }
            | Self::RestoreInUse { .. }
            | Self::NoncesNotShared { .. } => (2, "refused"),
            Self::PlainIssuer(_)
            | Self::OtherPairwiseSecret { .. }
            | Self::CacheEvicts { .. }
            | Self::HashedKeys { .. } => (3, "config"),
            Self::Keys { .. }
            | Self::KeyFile { .. }
            | Self::OtherKeys { .. }
            | Self::KeyGivenUp { .. }
            | Self::KeysReplaced { .. }
            | Self::KeysOfFolder { .. }
            | Self::OtherKeysInFolder { .. } => (3, "keys"),
            Self::KeysElsewhere { .. } | Self::KeysLost { .. } | Self::NoKeysInBackup { .. } => {
                (3, "keys_lost")
            }
            Self::SigningKeys { .. } => (3, "signing_keys"),
            Self::Cache { .. } => (4, "cache"),
            Self::NoData { .. } | Self::File { .. } => (4, "file"),
            Self::Database { .. } => (4, "database"),
            Self::BackupExists { .. }
            | Self::DatabaseExists { .. }
            | Self::TargetInUse { .. }
            | Self::KeysDiffer { .. } => (7, "exists"),
        }
    }

    /// Whether the database may answer later without anything being changed.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Database { error: StoreError::Unavailable(_), .. })
    }
}
