//! The secret of pairwise subjects that a database was served with.

use aws_lc_rs::digest;
use quadrille::provider::SubjectType;

use super::{Data, DataError, sealed::Sealed};
use crate::config::{PairwiseSecret, Settings};

/// The beginning of what is hashed.
const PURPOSE: &[u8] = b"quadrille pairwise subjects ";

impl Data {
    /// Records the secret of pairwise subjects, by a hash. By another one than before, clients would take
    /// every user for a new one, so it is accepted only if no client has such subjects, or if it
    /// `replaces` the one before.
    ///
    /// # Errors
    /// [`DataError::OtherPairwiseSecret`], and those of the database.
    pub async fn served_with_pairwise_secret(
        &self,
        settings: &Settings,
        replaces: bool,
    ) -> Result<(), DataError> {
        let Some(secret) = settings.openid.pairwise_secret.as_ref() else { return Ok(()) };
        let known = known_by(secret);
        loop {
            let before = self.sealed(Sealed::PairwiseSecret).await?;
            match &before {
                Some(before) if *before == known => return Ok(()),
                Some(_) if !replaces && self.has_pairwise_subjects().await? => {
                    return Err(DataError::OtherPairwiseSecret { place: self.shown() });
                }
                _ => {}
            }
            let replaced =
                self.backend.replace_sealed(Sealed::PairwiseSecret, before, known.clone()).await;
            if replaced.map_err(|error| self.failure(error))? {
                return Ok(());
            }
        }
    }

    async fn has_pairwise_subjects(&self) -> Result<bool, DataError> {
        let clients = self.clients().await?;
        Ok(clients.iter().any(|client| client.openid.subject_type == SubjectType::Pairwise))
    }
}

/// What the database knows of a secret, which is drawn from 256 random bits.
fn known_by(secret: &PairwiseSecret) -> Vec<u8> {
    digest::digest(&digest::SHA256, &[PURPOSE, &secret.0].concat()).as_ref().to_vec()
}
