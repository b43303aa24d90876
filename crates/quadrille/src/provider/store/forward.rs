//! Verbs that are those of another store, or of a part.

/// The verbs of the part in a field, as they are. Borrowed arguments stand behind a semicolon.
macro_rules! forward {
    ($part:ident: $(
        fn $verb:ident($($argument:ident: $type:ty),* $(; $($borrowed:ident: $of:ty),+)?)
            -> $output:ty;
    )*) => {
        $(
            async fn $verb(
                &self,
                $($argument: $type,)*
                $($($borrowed: &$of),+)?
            ) -> Result<$output, StoreError> {
                self.$part.$verb($($argument,)* $($($borrowed),+)?).await
            }
        )*
    };
}
pub(super) use forward;
