//! The one table from errors to gRPC statuses, with google.rpc details.

use crate::intake::IntakeError;
use crate::ledger::CorrectionRefused;
use crate::rating::{PeriodRefused, PutRefused};
use crate::statement::reconcile::ReconcileError;
use crate::store::StoreError;
use crate::types::Violations;
use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// Domain of the reasons in ErrorInfo.
const DOMAIN: &str = "premium-ledger";
/// When to come back to a full queue.
const RETRY_BUSY: Duration = Duration::from_millis(50);
/// When to come back to a database that does not answer.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(1);
/// When to come back to long work that cannot be begun.
const RETRY_LONG: Duration = Duration::from_secs(10);

/// INVALID_ARGUMENT with each wrong field; `prefix` is put before their paths.
pub fn invalid(prefix: &str, violations: &Violations) -> Status {
    let fields: Vec<FieldViolation> = violations
        .as_slice()
        .iter()
        .map(|v| {
            FieldViolation::new(format!("{prefix}{}", v.field), format!("{}: {}", v.code.name(), v.description))
        })
        .collect();
    let text = fields.iter().map(|f| format!("{} {}", f.field, f.description)).collect::<Vec<_>>().join("; ");
    Status::with_error_details(Code::InvalidArgument, text, ErrorDetails::with_bad_request(fields))
}

/// Every error of the intake, and what a caller is told.
pub fn intake_status(error: IntakeError) -> Status {
    let text = error.to_string();
    match error {
        IntakeError::Busy => retry(Code::ResourceExhausted, "QUEUE_FULL", text, RETRY_BUSY),
        IntakeError::Unavailable => retry(Code::Unavailable, "DATABASE_UNAVAILABLE", text, RETRY_UNAVAILABLE),
        IntakeError::Stopping => retry(Code::Unavailable, "STOPPING", text, RETRY_UNAVAILABLE),
        IntakeError::NotFound(_) => Status::not_found(text),
        IntakeError::Correction(refused) => info(correction_code(refused), correction_reason(refused), text),
        IntakeError::Put(PutRefused::Invalid(violations)) | IntakeError::Invalid(violations) => {
            invalid("", &violations)
        }
        IntakeError::Put(PutRefused::Exists(_)) => info(Code::AlreadyExists, "ROW_EXISTS", text),
        IntakeError::Put(PutRefused::Full) => info(Code::ResourceExhausted, "REGISTRY_FULL", text),
        IntakeError::Period(refused) => {
            let (code, reason) = period_refused(refused);
            info(code, reason, text)
        }
        IntakeError::Superseded => info(Code::FailedPrecondition, "RUN_SUPERSEDED", text),
        IntakeError::RequestIdUsed => info(Code::AlreadyExists, "REQUEST_ID_USED", text),
        IntakeError::Contended => retry(Code::Aborted, "CONTENDED", text, RETRY_BUSY),
        IntakeError::TooMuch(_) => info(Code::ResourceExhausted, "TOO_MUCH", text),
        IntakeError::Internal(_) => Status::internal(text),
    }
}

/// Every error of a reconciliation.
pub fn reconcile_status(error: ReconcileError) -> Status {
    let text = error.to_string();
    match error {
        ReconcileError::BadFile(_)
        | ReconcileError::TooManyRows
        | ReconcileError::TooManyOfOne
        | ReconcileError::SumTooLarge => {
            let fields = vec![FieldViolation::new("data", text.clone())];
            Status::with_error_details(Code::InvalidArgument, text, ErrorDetails::with_bad_request(fields))
        }
        ReconcileError::UnderWay => retry(Code::Aborted, "RUN_UNDER_WAY", text, RETRY_UNAVAILABLE),
        ReconcileError::DoneMeanwhile => retry(Code::Aborted, "RUN_DONE", text, RETRY_BUSY),
        ReconcileError::SpoolFull(_) => retry(Code::ResourceExhausted, "SPOOL_FULL", text, RETRY_LONG),
        ReconcileError::Panicked => Status::internal(text),
        ReconcileError::TooManyRuns => retry(Code::ResourceExhausted, "TOO_MANY_RUNS", text, RETRY_LONG),
        ReconcileError::TooManyLines => info(Code::FailedPrecondition, "TOO_MANY_LINES", text),
        ReconcileError::Gone => Status::cancelled(text),
        ReconcileError::Spool(error) => {
            tracing::error!(%error, "the spool folder cannot be used");
            retry(Code::Unavailable, "SPOOL_UNAVAILABLE", "the spool folder cannot be used".to_owned(), RETRY_LONG)
        }
        ReconcileError::Store(error) => store_status(error),
    }
}

/// What this build of the service cannot do.
#[cfg(not(feature = "parquet"))]
pub fn parquet_not_built() -> Status {
    let text = "this service was built without Parquet; export CSV".to_owned();
    info(Code::Unimplemented, "PARQUET_NOT_BUILT", text)
}

/// Errors of questions that go straight to the store.
pub fn store_status(error: StoreError) -> Status {
    intake_status(error.into())
}

fn correction_code(refused: CorrectionRefused) -> Code {
    match refused {
        CorrectionRefused::NoSuchLine => Code::NotFound,
        CorrectionRefused::NotAnOrderLine
        | CorrectionRefused::NotStanding
        | CorrectionRefused::OtherSort
        | CorrectionRefused::NothingToCorrect
        | CorrectionRefused::TooManyLines
        | CorrectionRefused::Overflow => Code::FailedPrecondition,
    }
}

fn correction_reason(refused: CorrectionRefused) -> &'static str {
    match refused {
        CorrectionRefused::NoSuchLine => "NO_SUCH_LINE",
        CorrectionRefused::NotAnOrderLine => "NOT_AN_ORDER_LINE",
        CorrectionRefused::NotStanding => "LINE_NOT_STANDING",
        CorrectionRefused::OtherSort => "OTHER_SORT",
        CorrectionRefused::NothingToCorrect => "NOTHING_TO_CORRECT",
        CorrectionRefused::TooManyLines => "TOO_MANY_LINES",
        CorrectionRefused::Overflow => "SUM_OVERFLOW",
    }
}

fn period_refused(refused: PeriodRefused) -> (Code, &'static str) {
    match refused {
        PeriodRefused::NotOver => (Code::FailedPrecondition, "PERIOD_NOT_OVER"),
        PeriodRefused::AlreadyFrozen => (Code::FailedPrecondition, "PERIOD_FROZEN"),
        PeriodRefused::EarlierOpen(_) => (Code::FailedPrecondition, "EARLIER_PERIOD_OPEN"),
        PeriodRefused::NotFrozen => (Code::FailedPrecondition, "PERIOD_NOT_FROZEN"),
        PeriodRefused::NotDeclared => (Code::FailedPrecondition, "PERIOD_NOT_DECLARED"),
        PeriodRefused::BadSum => (Code::FailedPrecondition, "PAYMENTS_OUT_OF_RANGE"),
        PeriodRefused::ReceiptUsed => (Code::AlreadyExists, "RECEIPT_RECORDED"),
    }
}

fn info(code: Code, reason: &str, text: String) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, text, details)
}

fn retry(code: Code, reason: &str, text: String, after: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.set_retry_info(Some(after));
    Status::with_error_details(code, text, details)
}
