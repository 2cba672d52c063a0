//! The four services on the model: every call under one lock, one after the other.

use super::{
    Model,
    lists::page,
    put::{wire_industry, wire_platform, wire_province, wire_rate, wire_rule, wire_scope},
};
use premium_ledger::{
    api::proto::{
        self as pb, coverage_service_server::CoverageService, intake_service_server::IntakeService,
        registry_service_server::RegistryService, statement_service_server::StatementService,
    },
    types::RowKind,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IntakeService for Model {
    type StreamOrdersStream = ReceiverStream<Result<pb::RecordOrdersResponse, Status>>;

    async fn record_order(&self, request: Request<pb::RecordOrderRequest>) -> Answer<pb::RecordOrderResponse> {
        self.with(|state| state.record_order(&request.into_inner()))
    }

    async fn record_orders(&self, request: Request<pb::RecordOrdersRequest>) -> Answer<pb::RecordOrdersResponse> {
        self.with(|state| state.record_orders(request.into_inner()))
    }

    async fn stream_orders(
        &self,
        _: Request<Streaming<pb::RecordOrdersRequest>>,
    ) -> Answer<Self::StreamOrdersStream> {
        Err(Status::unimplemented("the model does not stream"))
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Answer<pb::GetOrderResponse> {
        self.with(|state| state.get_order(&request.into_inner()))
    }

    async fn reverse_order(&self, request: Request<pb::ReverseOrderRequest>) -> Answer<pb::ReverseOrderResponse> {
        self.with(|state| state.reverse_order(request.into_inner()))
    }

    async fn correct_order(&self, request: Request<pb::CorrectOrderRequest>) -> Answer<pb::CorrectOrderResponse> {
        self.with(|state| state.correct_order(request.into_inner()))
    }

    async fn report_watermark(
        &self,
        request: Request<pb::ReportWatermarkRequest>,
    ) -> Answer<pb::ReportWatermarkResponse> {
        self.with(|state| state.report_watermark(request.into_inner()))
    }

    async fn list_refusals(&self, request: Request<pb::ListRefusalsRequest>) -> Answer<pb::ListRefusalsResponse> {
        self.with(|state| state.list_refusals(&request.into_inner()))
    }

    async fn list_conflicts(
        &self,
        request: Request<pb::ListConflictsRequest>,
    ) -> Answer<pb::ListConflictsResponse> {
        self.with(|state| state.list_conflicts(&request.into_inner()))
    }
}

#[tonic::async_trait]
impl CoverageService for Model {
    async fn get_coverage(&self, request: Request<pb::GetCoverageRequest>) -> Answer<pb::GetCoverageResponse> {
        let request = request.into_inner();
        self.known(request.known_at, |state| state.get_coverage(&request))
    }

    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Answer<pb::CheckEligibilityResponse> {
        let request = request.into_inner();
        self.known(request.known_at, |state| state.check_eligibility(&request))
    }

    async fn list_worker_day(
        &self,
        request: Request<pb::ListWorkerDayRequest>,
    ) -> Answer<pb::ListWorkerDayResponse> {
        let request = request.into_inner();
        self.known(request.known_at, |state| state.list_worker_day(&request))
    }
}

/// The rows of one table, a page of them, written out.
macro_rules! list {
    ($self:ident, $request:ident, $kind:ident, $wire:ident, $response:ident, $field:ident) => {
        $self.with(|state| {
            let request = $request.into_inner();
            let rows = state.rows.iter().filter(|row| row.kind == RowKind::$kind).collect();
            let (rows, next_page_token) = page(rows, request.page_size, &request.page_token)?;
            Ok(pb::$response { $field: rows.into_iter().map($wire).collect(), next_page_token })
        })
    };
}

#[tonic::async_trait]
impl RegistryService for Model {
    type RepriceOrdersStream = ReceiverStream<Result<pb::RepriceOrdersResponse, Status>>;

    async fn reprice_orders(
        &self,
        request: Request<pb::RepriceOrdersRequest>,
    ) -> Answer<Self::RepriceOrdersStream> {
        let response = self.with(|state| state.reprice_orders(request.into_inner()))?.into_inner();
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(response)).expect("the channel has room for it");
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn put_industry(&self, request: Request<pb::PutIndustryRequest>) -> Answer<pb::PutIndustryResponse> {
        self.with(|state| state.put_industry(request.into_inner()))
    }

    async fn list_industries(
        &self,
        request: Request<pb::ListIndustriesRequest>,
    ) -> Answer<pb::ListIndustriesResponse> {
        list!(self, request, Industry, wire_industry, ListIndustriesResponse, industries)
    }

    async fn put_province(&self, request: Request<pb::PutProvinceRequest>) -> Answer<pb::PutProvinceResponse> {
        self.with(|state| state.put_province(request.into_inner()))
    }

    async fn list_provinces(
        &self,
        request: Request<pb::ListProvincesRequest>,
    ) -> Answer<pb::ListProvincesResponse> {
        list!(self, request, Province, wire_province, ListProvincesResponse, provinces)
    }

    async fn put_platform(&self, request: Request<pb::PutPlatformRequest>) -> Answer<pb::PutPlatformResponse> {
        self.with(|state| state.put_platform(request.into_inner()))
    }

    async fn list_platforms(
        &self,
        request: Request<pb::ListPlatformsRequest>,
    ) -> Answer<pb::ListPlatformsResponse> {
        list!(self, request, Platform, wire_platform, ListPlatformsResponse, platforms)
    }

    async fn put_scope(&self, request: Request<pb::PutScopeRequest>) -> Answer<pb::PutScopeResponse> {
        self.with(|state| state.put_scope(request.into_inner()))
    }

    async fn list_scopes(&self, request: Request<pb::ListScopesRequest>) -> Answer<pb::ListScopesResponse> {
        list!(self, request, Scope, wire_scope, ListScopesResponse, scopes)
    }

    async fn put_rate(&self, request: Request<pb::PutRateRequest>) -> Answer<pb::PutRateResponse> {
        self.with(|state| state.put_rate(request.into_inner()))
    }

    async fn list_rates(&self, request: Request<pb::ListRatesRequest>) -> Answer<pb::ListRatesResponse> {
        list!(self, request, Rate, wire_rate, ListRatesResponse, rates)
    }

    async fn put_rule(&self, request: Request<pb::PutRuleRequest>) -> Answer<pb::PutRuleResponse> {
        self.with(|state| state.put_rule(request.into_inner()))
    }

    async fn list_rules(&self, request: Request<pb::ListRulesRequest>) -> Answer<pb::ListRulesResponse> {
        list!(self, request, Rule, wire_rule, ListRulesResponse, rules)
    }

    async fn preview_premium(
        &self,
        request: Request<pb::PreviewPremiumRequest>,
    ) -> Answer<pb::PreviewPremiumResponse> {
        self.with(|state| state.preview(&request.into_inner()))
    }
}

#[tonic::async_trait]
impl StatementService for Model {
    type ListLinesStream = ReceiverStream<Result<pb::ListLinesResponse, Status>>;

    async fn get_statement(&self, request: Request<pb::GetStatementRequest>) -> Answer<pb::GetStatementResponse> {
        let request = request.into_inner();
        self.known(request.known_at, |state| state.get_statement(&request))
    }

    async fn list_statements(
        &self,
        request: Request<pb::ListStatementsRequest>,
    ) -> Answer<pb::ListStatementsResponse> {
        let request = request.into_inner();
        self.known(request.known_at, |state| state.list_statements(&request))
    }

    async fn list_lines(&self, request: Request<pb::ListLinesRequest>) -> Answer<Self::ListLinesStream> {
        let request = request.into_inner();
        let responses = self.known(request.known_at, |state| state.list_lines(&request))?.into_inner();
        let (sender, receiver) = mpsc::channel(responses.len().max(1));
        for response in responses {
            sender.try_send(Ok(response)).expect("the channel has room for all of them");
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn freeze_period(&self, request: Request<pb::FreezePeriodRequest>) -> Answer<pb::FreezePeriodResponse> {
        self.with(|state| state.freeze_period(request.into_inner()))
    }

    async fn record_declaration(
        &self,
        request: Request<pb::RecordDeclarationRequest>,
    ) -> Answer<pb::RecordDeclarationResponse> {
        self.with(|state| state.record_declaration(request.into_inner()))
    }

    async fn record_payment(
        &self,
        request: Request<pb::RecordPaymentRequest>,
    ) -> Answer<pb::RecordPaymentResponse> {
        self.with(|state| state.record_payment(request.into_inner()))
    }

    type ExportStatementStream = ReceiverStream<Result<pb::ExportStatementResponse, Status>>;

    async fn export_statement(
        &self,
        _: Request<pb::ExportStatementRequest>,
    ) -> Result<Response<Self::ExportStatementStream>, Status> {
        Err(Status::unimplemented("tests take files through a client of their own"))
    }

    type ReconcileStream = ReceiverStream<Result<pb::ReconcileResponse, Status>>;

    async fn reconcile(
        &self,
        _: Request<Streaming<pb::ReconcileRequest>>,
    ) -> Result<Response<Self::ReconcileStream>, Status> {
        Err(Status::unimplemented("tests send files through a client of their own"))
    }

    async fn list_reconciliations(
        &self,
        _: Request<pb::ListReconciliationsRequest>,
    ) -> Answer<pb::ListReconciliationsResponse> {
        Err(Status::unimplemented("the model reads no files"))
    }

    async fn list_differences(
        &self,
        _: Request<pb::ListDifferencesRequest>,
    ) -> Answer<pb::ListDifferencesResponse> {
        Err(Status::unimplemented("the model reads no files"))
    }
}
