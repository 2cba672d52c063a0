//! Closed sets of words. Each has one number, the same on the wire, in the database and in the canonical encoding.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            /// All values, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The number that stands for the word everywhere.
            pub const fn code(self) -> u8 { self as u8 }

            /// The word with this number, if there is one.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The word as the contract spells it, without its enum's prefix.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The word spelt so, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// How an order ended.
    EndKind {
        Completed = 1 "COMPLETED",
        CancelledByWorker = 2 "CANCELLED_BY_WORKER",
        CancelledByCustomer = 3 "CANCELLED_BY_CUSTOMER",
        CancelledByMerchant = 4 "CANCELLED_BY_MERCHANT",
        CancelledByPlatform = 5 "CANCELLED_BY_PLATFORM",
        Reassigned = 6 "REASSIGNED",
        TimedOut = 7 "TIMED_OUT",
    }
}

words! {
    /// What became of one order event.
    Outcome {
        Recorded = 1 "RECORDED",
        Replayed = 2 "REPLAYED",
        Conflict = 3 "CONFLICT",
        Refused = 4 "REFUSED",
    }
}

words! {
    /// How a platform's own count of an hour stands to the ledger's.
    HourState {
        /// Both counts are the same.
        Complete = 1 "COMPLETE",
        /// The ledger holds fewer than the platform counted.
        Short = 2 "SHORT",
        /// The platform counted some, the ledger holds none.
        Missing = 3 "MISSING",
        /// The ledger holds more than the platform counted.
        Excess = 4 "EXCESS",
        /// The platform told no count of it.
        NotReported = 5 "NOT_REPORTED",
    }
}

words! {
    /// A step in the life of a platform's and province's month.
    PeriodStep {
        /// Its statements are fixed; later lines go to the next open month.
        Freeze = 1 "FREEZE",
        /// Declared to the tax office; the newest declaration counts.
        Declaration = 2 "DECLARATION",
        /// Paid, or paid back; payments add up.
        Payment = 3 "PAYMENT",
    }
}

words! {
    /// Where the money of a statement stands.
    StatementState {
        Open = 1 "OPEN",
        Frozen = 2 "FROZEN",
        Declared = 3 "DECLARED",
        PartPaid = 4 "PART_PAID",
        Paid = 5 "PAID",
    }
}

words! {
    /// Whether a premium is due; decided in this order.
    PremiumState {
        OutOfScope = 1 "OUT_OF_SCOPE",
        NotCharged = 2 "NOT_CHARGED",
        RatePending = 3 "RATE_PENDING",
        Charged = 4 "CHARGED",
    }
}

words! {
    /// Why a line is in its premium state.
    PremiumReason {
        OutOfScope = 1 "OUT_OF_SCOPE",
        Open = 2 "OPEN",
        EndKindNotCounted = 3 "END_KIND_NOT_COUNTED",
        NoRate = 4 "NO_RATE",
        Priced = 5 "PRICED",
    }
}

words! {
    /// What a premium line does.
    LineKind {
        Open = 1 "OPEN",
        Charge = 2 "CHARGE",
        Reversal = 3 "REVERSAL",
        Adjustment = 4 "ADJUSTMENT",
    }
}

words! {
    /// Why a human took a line back.
    ReversalReason {
        DuplicateTrip = 1 "DUPLICATE_TRIP",
        OrderIdReused = 2 "ORDER_ID_REUSED",
        TwoCompletedAssignments = 3 "TWO_COMPLETED_ASSIGNMENTS",
        WrongData = 4 "WRONG_DATA",
        Other = 5 "OTHER",
    }
}

words! {
    /// What is wrong with a field; within one field the first that holds is given.
    ViolationCode {
        Required = 1 "REQUIRED",
        NotAllowed = 2 "NOT_ALLOWED",
        TooLong = 3 "TOO_LONG",
        Malformed = 4 "MALFORMED",
        UnknownValue = 5 "UNKNOWN_VALUE",
        OutOfRange = 6 "OUT_OF_RANGE",
        NotInRegistry = 7 "NOT_IN_REGISTRY",
        BeforeScheme = 8 "BEFORE_SCHEME",
        InFuture = 9 "IN_FUTURE",
        EndsBeforeAcceptance = 10 "ENDS_BEFORE_ACCEPTANCE",
        LongerThanOrderLength = 11 "LONGER_THAN_ORDER_LENGTH",
        Mismatch = 12 "MISMATCH",
    }
}

words! {
    /// Why somebody reads a person's lines.
    Purpose {
        OwnRecords = 1 "OWN_RECORDS",
        PlatformService = 2 "PLATFORM_SERVICE",
        Claim = 3 "CLAIM",
        Dispute = 4 "DISPUTE",
        Audit = 5 "AUDIT",
    }
}

words! {
    /// How an instant lies to a worker's orders: the first that holds, in this order.
    CoverageReason {
        ConflictingRecords = 1 "CONFLICTING_RECORDS",
        InOrder = 2 "IN_ORDER",
        InOpenOrder = 3 "IN_OPEN_ORDER",
        InCancelledOrder = 4 "IN_CANCELLED_ORDER",
        OutOfScope = 5 "OUT_OF_SCOPE",
        DataMayBeIncomplete = 6 "DATA_MAY_BE_INCOMPLETE",
        BetweenOrders = 7 "BETWEEN_ORDERS",
        AfterEnd = 8 "AFTER_END",
        BeforeAccept = 9 "BEFORE_ACCEPT",
        NoOrderThatDay = 10 "NO_ORDER_THAT_DAY",
    }
}

words! {
    /// What a row of somebody's file is.
    ReconcileLevel {
        Count = 1 "COUNT",
        Line = 2 "LINE",
    }
}

words! {
    /// Why an order is doubtful.
    AnomalyType {
        DuplicateTrip = 1 "DUPLICATE_TRIP",
        OrderIdReused = 2 "ORDER_ID_REUSED",
        TwoCompletedAssignments = 3 "TWO_COMPLETED_ASSIGNMENTS",
        OpenOverdue = 4 "OPEN_OVERDUE",
    }
}

words! {
    /// What a row of an exported file is.
    ExportLevel {
        Statement = 1 "STATEMENT",
        Line = 2 "LINE",
    }
}

words! {
    /// Form of an exported file.
    ExportFormat {
        Csv = 1 "CSV",
        Xlsx = 2 "XLSX",
        Parquet = 3 "PARQUET",
    }
}

words! {
    /// Form of a file.
    FileFormat {
        Csv = 1 "CSV",
        Ndjson = 2 "NDJSON",
    }
}

words! {
    /// Encoding of a file's text.
    FileEncoding {
        Utf8 = 1 "UTF_8",
        Gbk = 2 "GBK",
    }
}

words! {
    /// How a row of somebody's file and the ledger differ.
    DifferenceType {
        Match = 1 "MATCH",
        MissingInLedger = 2 "MISSING_IN_LEDGER",
        MissingAtSource = 3 "MISSING_AT_SOURCE",
        AmountDiff = 4 "AMOUNT_DIFF",
        RateDiff = 5 "RATE_DIFF",
        CountDiff = 6 "COUNT_DIFF",
        ProvinceDiff = 7 "PROVINCE_DIFF",
        MonthDiff = 8 "MONTH_DIFF",
        WorkerDiff = 9 "WORKER_DIFF",
        DuplicateAtSource = 10 "DUPLICATE_AT_SOURCE",
        RoundingOnly = 11 "ROUNDING_ONLY",
        IndustryDiff = 12 "INDUSTRY_DIFF",
        UnreadableAtSource = 13 "UNREADABLE_AT_SOURCE",
    }
}

impl Purpose {
    /// Claims, disputes and audits name their case.
    pub const fn needs_case(self) -> bool {
        matches!(self, Self::Claim | Self::Dispute | Self::Audit)
    }
}
