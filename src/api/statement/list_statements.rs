//! ListStatements: a month's statements, of one platform or of all.

use super::{Known, StatementApi};
use crate::api::{page, proto as pb, status};
use crate::statement::{Statement, StatementKey, list};
use crate::types::{Code, Malformed, Period, Province, SealNo, ViolationCode, Violations};
use std::collections::HashMap;
use tonic::Status;

impl StatementApi {
    pub(super) async fn list_statements(
        &self,
        request: pb::ListStatementsRequest,
    ) -> Result<pb::ListStatementsResponse, Status> {
        let mut wrong = Violations::default();
        let period = wrong.take("period", Period::parse(&request.period));
        let platform = self.asked_platform("platform_code", request.platform_code, &mut wrong);
        let size = wrong.take("page_size", page::size(request.page_size));
        let after = wrong.take("page_token", period.map_or(Ok(None), |period| after(period, &request.page_token)));
        let (Some(period), Some(size), Some(after), true) = (period, size, after, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let known = match &after {
            // All pages are of one moment.
            Some((_, seal)) => {
                let seal = pb::known_at::Point::Seal(seal.get());
                self.known(Some(pb::KnownAt { point: Some(seal) })).await?
            }
            None => self.known(request.known_at).await?,
        };
        let mut found =
            list(&self.store, platform.as_ref(), period, known.seal).await.map_err(status::store_status)?;
        if let Some((after, _)) = &after {
            found.retain(|statement| statement.key > *after);
        }
        let more = found.len() > size as usize;
        found.truncate(size as usize);
        let token = found.last().filter(|_| more).map(|last| token(&last.key, known.seal));
        let statements = self.statements(&found, period, &known).await?;
        Ok(pb::ListStatementsResponse { statements, next_page_token: token.unwrap_or_default() })
    }
}

impl StatementApi {
    /// Statements of one month as messages.
    pub(super) async fn statements(
        &self,
        found: &[Statement],
        period: Period,
        known: &Known,
    ) -> Result<Vec<pb::Statement>, Status> {
        let mut accounts = HashMap::new();
        let mut statements = Vec::with_capacity(found.len());
        for statement in found {
            let key = &statement.key;
            let of = (key.platform.clone(), key.province);
            if !accounts.contains_key(&of) {
                let account = self.account(&key.platform, key.province, period, &known.snapshot).await?;
                accounts.insert(of.clone(), account);
            }
            statements.push(self.statement(statement, accounts[&of].as_ref(), known)?);
        }
        Ok(statements)
    }
}

fn token(last: &StatementKey, seal: SealNo) -> String {
    let (platform, industry) = (last.platform.as_str().as_bytes(), last.industry.as_str().as_bytes());
    page::token(&[platform, last.province.as_str().as_bytes(), industry, &seal.get().to_be_bytes()])
}

fn after(period: Period, token: &str) -> Result<Option<(StatementKey, SealNo)>, Malformed> {
    let Some([platform, province, industry, seal]) = page::parts(token)? else { return Ok(None) };
    let parsed = || {
        let code = |bytes: Vec<u8>| Code::parse(String::from_utf8(bytes).ok()?).ok();
        let province = Province::parse(&String::from_utf8(province).ok()?).ok()?;
        let key = StatementKey { platform: code(platform)?, province, industry: code(industry)?, period };
        Some((key, SealNo::new(u64::from_be_bytes(seal.try_into().ok()?))))
    };
    parsed().map(Some).ok_or_else(|| {
        Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before")
    })
}
