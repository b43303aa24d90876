//! The verbs about grants of a store with a fault.

use std::sync::Arc;

use quadrille::{
    Scopes, Timestamp,
    oauth2::Resources,
    provider::store::{
        AccessRecord, Answer, Answered, Bought, CodeRecord, Consent, CredentialRecord,
        FamilyRecord, Grants, Issue, IssuerId, KnownSince, LiveGrant, Outcome, PendingRecord,
        PendingRef, Redeemed, RevokeAll, Rotated, Rotation, RowId, StoreError, TokenRef,
    },
};

use super::{
    fault::Fault::*,
    faulty::{Faulty, Stored},
};

impl Grants for Faulty {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Stored<Option<RowId>> {
        self.inner.known_client(self.issuer("known_client", issuer), id).await
    }

    async fn know_client(&self, issuer: IssuerId, number: Option<RowId>, id: &str) -> Stored<bool> {
        self.around("know_client", self.inner.know_client(issuer, number, id)).await
    }

    async fn answer(&self, issuer: IssuerId, mut answer: Answer) -> Stored<Answered> {
        let issuer = self.issuer("answer", issuer);
        let loses = match answer.outcome {
            Outcome::Ticket(_, None) => self.is(DenialsLoseTheConsent),
            Outcome::Pending(_, None) => self.is(DenialsOfRequestsLoseTheConsent),
            _ => false,
        };
        if loses {
            answer.consent = None;
        }
        if self.is(ConsentsAreReplacedWhole) {
            answer.asked = Scopes::of(["photos", "profile", "albums"]);
        }
        if self.is(UntickedScopesStay) {
            answer.asked = answer.consent.as_ref().unwrap().scopes.clone();
        }
        let is_late = match answer.outcome {
            Outcome::Pending(row, _) if self.is(ApprovalIsNotAtomic) => {
                let state = self.state(row).await?;
                self.until_another_looks_too().await;
                state == 0
            }
            _ => false,
        };
        let beside = beside(&answer);
        let answered = self.around("answer", self.inner.answer(issuer, answer)).await?;
        if self.is(DeadApprovalsLeaveAConsent) {
            self.inner.answer(issuer, beside).await?;
        }
        match answered {
            Answered::Code(_) if self.is(AnswerCountsTwice) => Ok(Answered::First),
            Answered::Pending(_) | Answered::Denied if is_late => Ok(Answered::First),
            answered => Ok(answered),
        }
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Stored<()> {
        self.around("put_code", self.inner.put_code(issuer, code)).await
    }

    async fn code(&self, issuer: IssuerId, row: RowId) -> Stored<Option<Arc<CodeRecord>>> {
        let found = self.inner.code(self.issuer("code", issuer), row).await?;
        Ok(self.first("code", row, found))
    }

    async fn redeem(&self, issuer: IssuerId, code: RowId, issue: Issue) -> Stored<Redeemed> {
        let issuer = self.issuer("redeem", issuer);
        if self.is(RedeemIsNotAtomic) {
            let found = self.inner.code(issuer, code).await?.unwrap();
            self.until_another_looks_too().await;
            if found.redeemed {
                return Ok(Redeemed::Replayed(found.grant.id));
            }
            self.sql("UPDATE quadrille_codes SET redeemed = 1").await?;
            self.inner.issue(issuer, issue).await?;
            return Ok(Redeemed::Issued);
        }
        let again = issue.clone();
        let redeemed = self.around("redeem", self.inner.redeem(issuer, code, issue)).await?;
        match redeemed {
            Redeemed::Replayed(_) if self.is(ReplayNamesNoGrant) => Ok(Redeemed::Unknown),
            Redeemed::Replayed(grant) if self.is(ReplayIssues) => {
                self.inner.issue(issuer, again).await?;
                Ok(Redeemed::Replayed(grant))
            }
            redeemed => Ok(redeemed),
        }
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Stored<bool> {
        if self.is(IssueBeginsLate) {
            tokio::task::yield_now().await;
        }
        if self.is(IssueIsTwoWrites) {
            let access = issue.access.clone();
            self.inner.issue(issuer, Issue { access, family: None }).await?;
            // However quick the first write is, the second comes later.
            tokio::task::yield_now().await;
            let mut rest = issue;
            rest.access.row = RowId(rest.access.row.0 + 500_000);
            return self.inner.issue(issuer, rest).await;
        }
        let dead = issue.clone();
        let issued = match self.around("issue", self.inner.issue(issuer, issue)).await {
            // Its row is taken.
            Err(StoreError::Failed(_)) if self.is(IssueStoresTheDead) => return Ok(false),
            issued => issued?,
        };
        if !issued && self.is(IssueStoresTheDead) {
            let client = Arc::clone(&dead.access.grant.client);
            self.inner.know_client(issuer, Some(RowId(1)), &client).await?;
            self.inner.issue(issuer, dead).await?;
            self.inner.know_client(issuer, None, &client).await?;
        }
        Ok(issued || self.is(IssueSaysYes))
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Stored<()> {
        let known = TokenRef::Foreign { hash: access.hash };
        if self.is(ImportKeepsTheOld) && self.inner.access(issuer, &known).await?.is_some() {
            return Ok(());
        }
        self.around("import", self.inner.import(issuer, access)).await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Stored<Option<Arc<AccessRecord>>> {
        let issuer = self.issuer("access", issuer);
        if let (TokenRef::Row { row, .. }, true) = (token, self.is(HashIsNotCompared)) {
            let sql = "SELECT hash FROM quadrille_access_tokens WHERE row = ?1";
            let hash = |db: &rusqlite::Connection| db.query_row(sql, [row.0], |row| row.get(0));
            let hash = self.inner.read(|db| Ok::<_, StoreError>(hash(db).ok())).await?;
            let Some(hash) = hash else { return Ok(None) };
            return self.inner.access(issuer, &TokenRef::Row { row: *row, hash }).await;
        }
        let found = self.inner.access(issuer, token).await?;
        match (found, self.is(IsReadOnce("access"))) {
            (Some(found), _) => Ok(self.first("access", token, Some(found))),
            (None, true) => Ok(self.known("access", token)),
            (None, false) => Ok(None),
        }
    }

    async fn family(&self, issuer: IssuerId, row: RowId) -> Stored<Option<Arc<FamilyRecord>>> {
        let issuer = self.issuer("family", issuer);
        if self.is(FamiliesOutliveTheirGrant) {
            self.sql("CREATE TABLE kept AS SELECT * FROM quadrille_revoked").await?;
            self.sql("DELETE FROM quadrille_revoked").await?;
        }
        let found = self.inner.family(issuer, row).await?;
        if self.is(FamiliesOutliveTheirGrant) {
            self.sql("INSERT INTO quadrille_revoked SELECT * FROM kept; DROP TABLE kept").await?;
        }
        Ok(self.first("family", row, found))
    }

    async fn rotate(&self, issuer: IssuerId, mut rotation: Rotation) -> Stored<Rotated> {
        let issuer = self.issuer("rotate", issuer);
        if self.is(RotateIgnoresTheSecret)
            && let Some(family) = self.inner.family(issuer, rotation.family).await?
        {
            rotation.presented = family.current;
        }
        if let (None, Some(family)) =
            (rotation.successor, self.inner.family(issuer, rotation.family).await?)
        {
            if self.is(RotateAlwaysTurns) {
                rotation.successor = Some(family.current);
            }
            if self.is(RotateKeepsTheExpiry) {
                rotation.expires = family.expires;
            }
        }
        let rotated = self.around("rotate", self.inner.rotate(issuer, rotation)).await?;
        match rotated {
            Rotated::Lost(_) if self.is(RotateIssuesTwice) => Ok(Rotated::Issued),
            rotated => Ok(rotated),
        }
    }

    async fn put_pending(&self, issuer: IssuerId, pending: PendingRecord) -> Stored<bool> {
        if let (Some(code), true) = (pending.user_code, self.is(PutPendingOverwrites)) {
            let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
            self.sql(format!("DELETE FROM quadrille_pending WHERE user_code = x'{code}'")).await?;
        }
        if self.is(PutPendingBeginsAnew) {
            let row = pending.row.0;
            self.sql(format!("DELETE FROM quadrille_pending WHERE \"row\" = {row}")).await?;
        }
        let put = self.around("put_pending", self.inner.put_pending(issuer, pending)).await?;
        Ok(put || self.is(PutPendingSaysYes))
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Stored<Option<Arc<PendingRecord>>> {
        let issuer = self.issuer("pending", issuer);
        let found = self.inner.pending(issuer, reference).await?;
        let hash = |sql: &'static str| async move {
            let hash = |db: &rusqlite::Connection| db.query_row(sql, [], |row| row.get(0));
            self.inner.read(|db| Ok::<_, StoreError>(hash(db).ok())).await
        };
        let newest = match reference {
            PendingRef::Identifier(TokenRef::Row { row, .. })
                if self.is(PendingIsFoundByAnyHash) =>
            {
                let sql = "SELECT identifier FROM quadrille_pending ORDER BY row DESC";
                let row = *row;
                hash(sql).await?.map(|hash| PendingRef::Identifier(TokenRef::Row { row, hash }))
            }
            PendingRef::UserCode(_) if self.is(PendingIsFoundByAnyUserCode) => {
                let sql = "SELECT user_code FROM quadrille_pending WHERE user_code IS NOT NULL";
                hash(sql).await?.map(PendingRef::UserCode)
            }
            _ => None,
        };
        match (found, newest) {
            (None, Some(newest)) => self.inner.pending(issuer, &newest).await,
            (found, _) => Ok(self.first("pending", reference, found)),
        }
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Stored<Redeemed> {
        let issuer = self.issuer("redeem_pending", issuer);
        let mut is_late = false;
        if self.is(RedeemPendingIsNotAtomic) {
            is_late = self.state(pending).await? == 1;
            self.until_another_looks_too().await;
        }
        let again = bought.clone();
        let redeem = self.inner.redeem_pending(issuer, pending, bought);
        let redeemed = match self.around("redeem_pending", redeem).await {
            // The second time its row is taken.
            Err(StoreError::Failed(_)) => Ok(Redeemed::Issued),
            redeemed => redeemed,
        };
        match (redeemed?, again) {
            (Redeemed::Replayed(_), _) if self.is(ReplayNamesNoGrant) => Ok(Redeemed::Unknown),
            (Redeemed::Replayed(_), _) if is_late => Ok(Redeemed::Issued),
            (Redeemed::Replayed(grant), Bought::Tokens(issue)) if self.is(LosersStoreTheirs) => {
                self.inner.issue(issuer, *issue).await?;
                Ok(Redeemed::Replayed(grant))
            }
            (redeemed, _) => Ok(redeemed),
        }
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Stored<Option<Arc<CredentialRecord>>> {
        self.inner.credential(self.issuer("credential", issuer), token).await
    }

    async fn revoke_grant(&self, issuer: IssuerId, grant: RowId, until: Timestamp) -> Stored<bool> {
        let issuer = self.issuer("revoke_grant", issuer);
        let brief = Timestamp::default();
        let until = if self.is(RevocationsAreBrief) { brief } else { until };
        let revoke = self.inner.revoke_grant(issuer, grant, until);
        let revoked = self.around("revoke_grant", revoke).await?;
        Ok(revoked || self.is(RevokeGrantSaysYesTwice))
    }

    async fn revoke_all(&self, issuer: IssuerId, what: RevokeAll, last: RowId) -> Stored<()> {
        let issuer = self.issuer("revoke_all", issuer);
        let verb = match (&what, self.fault) {
            (_, Keeps(..) | Also(..) | First(..)) => "revoke_all",
            (RevokeAll::Consent { .. }, _) => "revoke_all consent",
            (RevokeAll::Subject(_), _) => "revoke_all subject",
            (RevokeAll::Removed(_), _) => "revoke_all removed",
        };
        let what = match what {
            RevokeAll::Subject(subject) if self.is(RevokeAllCutsSubjects) => {
                RevokeAll::Subject(subject.chars().take(200).collect::<String>().into())
            }
            RevokeAll::Subject(subject) if self.is(RevokeAllTakesPatterns) && *subject == *"%" => {
                let sql = "INSERT OR IGNORE INTO quadrille_cut
                    SELECT DISTINCT issuer, actor, '', 9000 FROM quadrille_access_tokens";
                self.sql(sql).await?;
                RevokeAll::Subject(subject)
            }
            what => what,
        };
        let is_for_ever = self.is(SubjectsAreRemovedForEver);
        if let (true, RevokeAll::Removed(subject)) = (is_for_ever, &what) {
            let subject = RevokeAll::Subject(Arc::clone(subject));
            self.inner.revoke_all(issuer, subject, RowId::MAX).await?;
        }
        self.around(verb, self.inner.revoke_all(issuer, what, last)).await
    }

    async fn subject_since(&self, issuer: IssuerId, subject: &str) -> Stored<Option<RowId>> {
        self.inner.subject_since(self.issuer("subject_since", issuer), subject).await
    }

    async fn uses_known_since(&self) -> Stored<KnownSince> {
        self.inner.uses_known_since().await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Stored<Option<Consent>> {
        let issuer = self.issuer("consent", issuer);
        let lower = subject.to_lowercase();
        let subject = if self.is(ConsentsIgnoreCase) { &lower } else { subject };
        let resources =
            if self.is(ConsentsIgnoreResources) { &Resources::EMPTY } else { resources };
        if self.is(ConsentsCompareTheBeginningOfResources) {
            let begins = |consent: &Consent| {
                let held = consent.resources.as_str();
                held.get(..200) == resources.as_str().get(..200)
            };
            return Ok(self.inner.consents(issuer, subject).await?.into_iter().find(begins));
        }
        self.inner.consent(issuer, subject, client, resources).await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<Consent>> {
        let composed = subject.replace("e\u{308}", "\u{eb}");
        let is_so = self.is(ConsentsIgnoreHowAnAccentIsWritten);
        self.inner.consents(issuer, if is_so { &composed } else { subject }).await
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<LiveGrant>> {
        let plain = subject.replace('\u{eb}', "e");
        let subject = match self.fault {
            GrantsIgnoreAccents => &plain,
            GrantsIgnoreSpaces => subject.trim_end(),
            _ => subject,
        };
        self.inner.grants(issuer, subject).await
    }
}

/// A ticket beside this one.
fn beside(answer: &Answer) -> Answer {
    let mut beside = answer.clone();
    if let Outcome::Ticket(used, code) = &mut beside.outcome {
        used.ticket[15] ^= 0x80;
        *code = None;
    }
    beside
}
