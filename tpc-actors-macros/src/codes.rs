//! The table of diagnostics: one stable code for each kind of mistake.
//!
//! TPC007, 013, 014, 019 and 020 belong to checks outside of this crate or are not in use. TPC006, a
//! request that is too large, TPC009, an argument or answer that is not `Send`, and TPC042, a batch
//! that no lane could hold, are the runtime's: the expansion only makes rustc look.

macro_rules! codes {
    ($($name:ident = $id:literal: $summary:literal;)*) => {
        /// What a diagnostic is about; each variant is reported by one rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// All codes with their summaries, in the order of the table.
            #[cfg(test)]
            pub(crate) const TABLE: &[(Self, &str)] = &[$((Self::$name, $summary),)*];

            /// The code as users see it and search for it.
            pub(crate) fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

codes! {
    StrayRole = "TPC001": "a role attribute such as `#[handler]` outside a `#[core_actor]` impl";
    Async = "TPC002": "an `async fn` where a core needs a plain one";
    TellAnswers = "TPC003": "a `tell` handler with a return type";
    NoShard = "TPC004": "a handler of a sharded actor that does not say which shard runs it";
    KeyMismatch = "TPC005": "two keys in one handler, or key types that differ between handlers";
    InitCount = "TPC008": "no `#[init]`, or more than one";
    Borrowed = "TPC010": "a borrowed type in a signature whose values travel between cores";
    Unnamed = "TPC011": "`impl Trait` or `!` in a signature";
    ReplyConflict = "TPC012": "a `Reply<T>` parameter together with a return type or `tell`";
    UnknownOption = "TPC015": "an option that does not exist";
    GenericMethod = "TPC016": "a generic method with a role";
    NameTaken = "TPC017": "a handler whose generated names clash or cannot be formed";
    BadDuration = "TPC018": "a duration or a range of durations that cannot be read";
    WrongItem = "TPC021": "`#[core_actor]` on something else than a struct or an inherent impl";
    BorrowingActor = "TPC022": "an actor with a lifetime that is not `'static`";
    Qualified = "TPC023": "an `unsafe`, `const`, `extern` or variadic function with a role";
    Receiver = "TPC024": "a missing, consuming or unexpected receiver";
    Pattern = "TPC025": "an argument that is a pattern instead of a name";
    RoleTwice = "TPC026": "a method with more than one role";
    AllWithKey = "TPC027": "`#[handler(all)]` together with `#[key]`";
    HookShape = "TPC028": "a hook with arguments or a return type";
    OptionTwice = "TPC029": "an option that is given more than once";
    BadValue = "TPC030": "an option with a value that it cannot have";
    OptionsOnImpl = "TPC031": "actor options on the impl half";
    OnStopTwice = "TPC032": "more than one `#[on_stop]`";
    StrayMark = "TPC033": "`#[key]` or `#[boxed]` on something else than an argument of a handler";
    SpecialParameter = "TPC034": "a `Ctx` or `Reply` parameter in the wrong place or form";
    InitReturn = "TPC035": "an `#[init]` that returns neither `Self` nor a `Result`";
    ArgumentTwice = "TPC036": "two arguments of one name, leading underscores aside";
    Syntax = "TPC037": "options that do not follow the grammar";
    NothingToBox = "TPC038": "`boxed` where there is nothing to box, or twice";
    NoSerde = "TPC039": "the option `serde` without the feature `serde`";
    OneCrate = "TPC040": "`crate = ..` on one half of an actor only";
    BatchShape = "TPC041": "a `batch` handler that does not take one `Batch`, or a `Batch` of asks without the option";
    TellDeadline = "TPC043": "a `deadline` on a `tell` handler";
    SliceShape = "TPC050": "a `#[maintenance]` that does not return `Work`";
    CheckpointTwice = "TPC051": "more than one `#[checkpoint]`";
}
