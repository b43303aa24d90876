//! The faults.

/// What is wrong with a store. Verbs go by their names; `*` is every verb that writes but `sweep`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// No row of this table goes by this verb.
    Keeps(&'static str, &'static str),
    /// No row of this table ever goes.
    NeverGoes(&'static str),
    /// The verb does this as well.
    Also(&'static str, &'static str),
    /// The verb does this first.
    First(&'static str, &'static str),
    /// The verb tells no change.
    TellsNothing(&'static str),
    /// The verb tells the last change again when it did nothing.
    TellsAgain(&'static str),
    /// The verb takes all issuers for the first.
    MixesIssuers(&'static str),
    IssuersIgnoreASlash,
    ClientsIgnoreCase,
    ClientsIgnoreSpaces,
    ClientsAreUnordered,
    PutClientOverwrites,
    PutClientRevives,
    AddClientsStopsInTheMiddle,
    AdmitIsNotAtomic,
    HashIsNotCompared,
    ImportKeepsTheOld,
    AdmitComparesOnlyTheNumber,
    AdmitComparesOnlyTheId,
    RotateAlwaysTurns,
    RotateKeepsTheExpiry,
    RevokeGrantSaysYesTwice,
    SpacesAreOne,
    KeysAreKnownForEver,
    DenialsLoseTheConsent,
    DenialsOfRequestsLoseTheConsent,
    DeadApprovalsLeaveAConsent,
    UntickedScopesStay,
    ConsentsAreReplacedWhole,
    ConsentsIgnoreResources,
    ConsentsIgnoreCase,
    RedeemIsNotAtomic,
    RememberIsNotAtomic,
    ReplayNamesNoGrant,
    ReplayIssues,
    PendingIsFoundByAnyHash,
    PendingIsFoundByAnyUserCode,
    PutPendingOverwrites,
    PutPendingSaysYes,
    ApprovalIsNotAtomic,
    RedeemPendingIsNotAtomic,
    LosersStoreTheirs,
    RotateIssuesTwice,
    RotateIgnoresTheSecret,
    AnswerCountsTwice,
    ChangesAreReversed,
    ChangesHaveNoGaps,
    SweepSaysNothing,
    SweepIsASecondEarly,
    LeasesAreShared,
    RenewalIgnoresTheHolder,
    LeaseForgetsTheTimeBefore,
    IssueBeginsLate,
    IssueIsTwoWrites,
}
