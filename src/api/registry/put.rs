//! Put…: one row of any table.

use super::RegistryApi;
use super::rows::{TypedRow, message};
use crate::api::{decode, status};
use crate::intake::IntakeError;
use crate::ledger::request_digest;
use crate::rating::PutRefused;
use crate::types::{RowDraft, Violations};
use tonic::Status;

impl RegistryApi {
    pub(super) async fn put<T: TypedRow>(
        &self,
        request_id: String,
        row: Option<T>,
        field: &'static str,
    ) -> Result<T, Status> {
        let mut wrong = Violations::default();
        let Some(row) = wrong.take(field, decode::required(row)) else { return Err(status::invalid("", &wrong)) };
        let prefix = format!("{field}.");
        let draft = row.draft(&mut wrong);
        let Some(draft) = draft.filter(|_| wrong.is_empty()) else { return Err(status::invalid(&prefix, &wrong)) };
        let asked = decode::asked(request_id, digest(&draft), &mut wrong);
        let Some(asked) = asked else { return Err(status::invalid("", &wrong)) };
        match self.registry.put(asked, draft).await {
            Ok(row) => Ok(message(&row)),
            Err(IntakeError::Put(PutRefused::Invalid(violations))) => Err(status::invalid(&prefix, &violations)),
            Err(error) => Err(status::intake_status(error)),
        }
    }
}

fn digest(draft: &RowDraft) -> [u8; 32] {
    let kind = draft.kind.code().to_string();
    let base = draft.base.map(|b| b.to_string()).unwrap_or_default();
    let factor = draft.factor.map(|f| f.to_string()).unwrap_or_default();
    let (from, to) = (draft.valid_from.to_string(), draft.valid_to.map(|d| d.to_string()).unwrap_or_default());
    let supersedes = draft.supersedes.map(|r| r.get().to_string()).unwrap_or_default();
    let fields: [&str; 13] = [
        &kind,
        &draft.name,
        &draft.platform,
        &draft.province,
        &draft.industry,
        &draft.value,
        &base,
        &factor,
        &from,
        &to,
        &draft.document,
        &draft.confidence,
        &supersedes,
    ];
    request_digest(&fields, None)
}
