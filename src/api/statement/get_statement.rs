//! GetStatement: one platform, province, industry and month.

use super::StatementApi;
use crate::api::{proto as pb, status};
use crate::statement::find;
use crate::types::Violations;
use tonic::Status;

impl StatementApi {
    pub(super) async fn get_statement(
        &self,
        request: pb::GetStatementRequest,
    ) -> Result<pb::GetStatementResponse, Status> {
        let mut wrong = Violations::default();
        let Some(key) = self.statement_key(request.key, &mut wrong).filter(|_| wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let known = self.known(request.known_at).await?;
        let account = self.account(&key.platform, key.province, key.period, &known.snapshot).await?;
        let found = find(&self.store, key, known.seal).await.map_err(status::store_status)?;
        let statement = self.statement(&found, account.as_ref(), &known)?;
        Ok(pb::GetStatementResponse { statement: Some(statement), account })
    }
}
