//! StatementService: each call in a file of its own.

mod account;
mod encode;
mod export_statement;
mod freeze_period;
mod get_statement;
mod lines;
mod list_differences;
mod list_lines;
mod list_reconciliations;
mod list_statements;
mod reconcile;
mod reconciliation;
mod record_declaration;
mod record_payment;

use super::known_at::known_at;
use super::proto as pb;
use super::proto::statement_service_server::StatementService;
use super::{decode, status};
use crate::clock::Clock;
use crate::intake::{IntakeError, Registry};
use crate::ledger::request_digest;
use crate::rating::Snapshot;
use crate::statement::StatementKey;
use crate::statement::reconcile::MAX_RUNS;
use crate::store::Store;
use crate::types::{
    CalendarDraft, Code, Day, Malformed, Money, Period, PeriodStep, Province, SealNo, ViolationCode, Violations,
};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// The service on the wire.
#[derive(Clone, Debug)]
pub struct StatementApi {
    store: Store,
    registry: Registry,
    clock: Clock,
    stopping: watch::Receiver<bool>,
    spool: PathBuf,
    reconciling: Arc<Semaphore>,
}

impl StatementApi {
    /// Over a store; the clock decides what lies in the future. Streams end when the service stops. Files wait in the spool folder.
    pub fn new(
        store: Store,
        registry: Registry,
        clock: Clock,
        stopping: watch::Receiver<bool>,
        spool: PathBuf,
    ) -> Self {
        Self { store, registry, clock, stopping, spool, reconciling: Arc::new(Semaphore::new(MAX_RUNS)) }
    }

    /// A platform that the registry knows.
    fn platform(&self, field: &'static str, code: String, wrong: &mut Violations) -> Option<Code> {
        let platform = wrong.take(field, Code::parse(code))?;
        if !self.registry.snapshot().knows_platform(platform.as_str()) {
            let text = "no platform of the registry";
            wrong.add(field, Malformed::new(ViolationCode::NotInRegistry, text));
        }
        Some(platform)
    }

    /// A province that the registry knows.
    fn province(&self, field: &'static str, code: &str, wrong: &mut Violations) -> Option<Province> {
        let province = wrong.take(field, Province::parse(code))?;
        if !self.registry.snapshot().knows_province(province) {
            let text = "no province of the registry";
            wrong.add(field, Malformed::new(ViolationCode::NotInRegistry, text));
        }
        Some(province)
    }

    /// An industry that the registry knows.
    fn industry(&self, field: &'static str, code: String, wrong: &mut Violations) -> Option<Code> {
        let industry = wrong.take(field, Code::parse(code))?;
        if !self.registry.snapshot().knows_industry(industry.as_str()) {
            let text = "no industry of the registry";
            wrong.add(field, Malformed::new(ViolationCode::NotInRegistry, text));
        }
        Some(industry)
    }

    /// The same three, where they may be left out.
    fn asked_platform(&self, field: &'static str, code: String, wrong: &mut Violations) -> Option<Code> {
        if code.is_empty() { None } else { self.platform(field, code, wrong) }
    }

    fn asked_province(&self, field: &'static str, code: &str, wrong: &mut Violations) -> Option<Province> {
        if code.is_empty() { None } else { self.province(field, code, wrong) }
    }

    fn asked_industry(&self, field: &'static str, code: String, wrong: &mut Violations) -> Option<Code> {
        if code.is_empty() { None } else { self.industry(field, code, wrong) }
    }

    /// Which statement is asked for.
    fn statement_key(&self, key: Option<pb::StatementKey>, wrong: &mut Violations) -> Option<StatementKey> {
        let key = wrong.take("key", decode::required(key))?;
        let platform = self.platform("key.platform_code", key.platform_code, wrong);
        let province = self.province("key.province_code", &key.province_code, wrong);
        let industry = self.industry("key.industry_code", key.industry_code, wrong);
        let period = wrong.take("key.period", Period::parse(&key.period));
        Some(StatementKey { platform: platform?, province: province?, industry: industry?, period: period? })
    }

    /// The ledger with all that is booked by now, or as it was at the point that is asked for.
    async fn known(&self, asked: Option<pb::KnownAt>) -> Result<Known, Status> {
        match known_at(&self.store, asked).await? {
            Some(seal) => self.known_after(seal).await,
            None => loop {
                // The calendar of that seal: one that was known before it, and has not moved on until after it. The registry may be newer: it only grows.
                let before = self.registry.snapshot().calendar().epoch();
                let seal = self.store.seal_booked().await.map_err(status::store_status)?;
                self.registry.refresh().await.map_err(status::store_status)?;
                let snapshot = self.registry.snapshot();
                if snapshot.calendar().epoch() == before {
                    return Ok(Known { seal, snapshot });
                }
            },
        }
    }

    /// The service goes on.
    fn is_serving(&self) -> Result<(), Status> {
        match *self.stopping.borrow() {
            true => Err(status::intake_status(IntakeError::Stopping)),
            false => Ok(()),
        }
    }

    /// The ledger as it was after the journal with a seal.
    async fn known_after(&self, seal: SealNo) -> Result<Known, Status> {
        let snapshot = self.registry.as_of(seal).await.map_err(status::store_status)?;
        Ok(Known { seal, snapshot })
    }

    /// Takes a step and tells how the month stands then.
    async fn step(
        &self,
        request_id: String,
        asked: Step,
        mut wrong: Violations,
    ) -> Result<pb::PeriodAccount, Status> {
        let platform = self.platform("platform_code", asked.platform_code, &mut wrong);
        let province = self.province("province_code", &asked.province_code, &mut wrong);
        let period = wrong.take("period", Period::parse(&asked.period));
        let amount = asked.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let dated_on = asked.dated_on.map(|day| day.to_string()).unwrap_or_default();
        let fields = [
            platform.as_ref().map_or("", Code::as_str),
            &asked.province_code,
            &asked.period,
            &amount,
            &asked.document,
            &dated_on,
        ];
        let by = decode::asked(request_id, request_digest(&fields, None), &mut wrong);
        let (Some(by), Some(platform), Some(province), Some(period), true) =
            (by, platform, province, period, wrong.is_empty())
        else {
            return Err(status::invalid("", &wrong));
        };
        let Step { step, amount, document, dated_on, .. } = asked;
        let draft = CalendarDraft { step, platform, province, period, amount, document, dated_on };
        let entry = self.registry.step(by, draft, self.clock.now().day()).await.map_err(status::intake_status)?;
        let account = self.account(&entry.draft.platform, province, period, &self.registry.snapshot()).await?;
        account.ok_or_else(|| Status::internal("a month with a step has an account"))
    }
}

/// The ledger as it was after a journal.
struct Known {
    /// The journal's seal.
    seal: SealNo,
    /// Registry and calendar of that time.
    snapshot: Arc<Snapshot>,
}

/// A step as the requests tell it.
struct Step {
    step: PeriodStep,
    platform_code: String,
    province_code: String,
    period: String,
    amount: Option<Money>,
    document: String,
    dated_on: Option<Day>,
}

/// Money in whole 分.
fn whole_fen(text: &str) -> Result<Money, Malformed> {
    let amount = Money::parse(text)?;
    match amount.micros() % 10_000 {
        0 => Ok(amount),
        _ => Err(Malformed::new(ViolationCode::Malformed, "must have at most two decimals")),
    }
}

/// A day that has begun.
fn past_day(text: &str, today: Day) -> Result<Day, Malformed> {
    let day = Day::parse(text)?;
    match day <= today {
        true => Ok(day),
        false => Err(Malformed::new(ViolationCode::InFuture, "must not lie in the future")),
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl StatementService for StatementApi {
    type ListLinesStream = ReceiverStream<Result<pb::ListLinesResponse, Status>>;

    type ReconcileStream = reconcile::Answers;

    type ExportStatementStream = export_statement::Answers;

    async fn get_statement(
        &self,
        request: Request<pb::GetStatementRequest>,
    ) -> Answered<pb::GetStatementResponse> {
        self.get_statement(request.into_inner()).await.map(Response::new)
    }

    async fn list_statements(
        &self,
        request: Request<pb::ListStatementsRequest>,
    ) -> Answered<pb::ListStatementsResponse> {
        self.list_statements(request.into_inner()).await.map(Response::new)
    }

    async fn list_lines(&self, request: Request<pb::ListLinesRequest>) -> Answered<Self::ListLinesStream> {
        self.list_lines(request.into_inner()).await.map(Response::new)
    }

    async fn freeze_period(
        &self,
        request: Request<pb::FreezePeriodRequest>,
    ) -> Answered<pb::FreezePeriodResponse> {
        self.freeze_period(request.into_inner()).await.map(Response::new)
    }

    async fn record_declaration(
        &self,
        request: Request<pb::RecordDeclarationRequest>,
    ) -> Answered<pb::RecordDeclarationResponse> {
        self.record_declaration(request.into_inner()).await.map(Response::new)
    }

    async fn record_payment(
        &self,
        request: Request<pb::RecordPaymentRequest>,
    ) -> Answered<pb::RecordPaymentResponse> {
        self.record_payment(request.into_inner()).await.map(Response::new)
    }

    async fn export_statement(
        &self,
        request: Request<pb::ExportStatementRequest>,
    ) -> Answered<Self::ExportStatementStream> {
        self.export_statement(request.into_inner()).await.map(Response::new)
    }

    async fn reconcile(
        &self,
        request: Request<Streaming<pb::ReconcileRequest>>,
    ) -> Answered<Self::ReconcileStream> {
        self.reconcile(request.into_inner()).await.map(Response::new)
    }

    async fn list_reconciliations(
        &self,
        request: Request<pb::ListReconciliationsRequest>,
    ) -> Answered<pb::ListReconciliationsResponse> {
        self.list_reconciliations(request.into_inner()).await.map(Response::new)
    }

    async fn list_differences(
        &self,
        request: Request<pb::ListDifferencesRequest>,
    ) -> Answered<pb::ListDifferencesResponse> {
        self.list_differences(request.into_inner()).await.map(Response::new)
    }
}
