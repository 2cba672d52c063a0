//! RegistryService: six tables, each with a put and a list. All puts are one piece of code and all lists another; what differs between
//! the tables, their messages, stands in `rows`.

mod list;
mod preview_premium;
mod put;
mod reprice_orders;
mod rows;

use super::proto as pb;
use super::proto::registry_service_server::RegistryService;
use crate::clock::Clock;
use crate::intake::Registry;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The service on the wire.
#[derive(Clone, Debug)]
pub struct RegistryApi {
    registry: Registry,
    clock: Clock,
    stopping: watch::Receiver<bool>,
}

impl RegistryApi {
    /// Over a registry; the clock decides what lies in the future. A repricing ends when the service stops.
    pub const fn new(registry: Registry, clock: Clock, stopping: watch::Receiver<bool>) -> Self {
        Self { registry, clock, stopping }
    }
}

type Answered<T> = Result<Response<T>, Status>;

/// Forwards a put: (method, request, response, field).
macro_rules! put {
    ($self:ident, $request:ident, $response:ident, $field:ident) => {{
        let request = $request.into_inner();
        let row = $self.put(request.request_id, request.$field, stringify!($field)).await?;
        Ok(Response::new(pb::$response { $field: Some(row) }))
    }};
}

/// Forwards a list: (method, request, response, field).
macro_rules! list {
    ($self:ident, $request:ident, $response:ident, $field:ident) => {{
        let request = $request.into_inner();
        let ($field, next_page_token) = $self.list(request.page_size, &request.page_token)?;
        Ok(Response::new(pb::$response { $field, next_page_token }))
    }};
}

#[tonic::async_trait]
impl RegistryService for RegistryApi {
    type RepriceOrdersStream = ReceiverStream<Result<pb::RepriceOrdersResponse, Status>>;

    async fn reprice_orders(
        &self,
        request: Request<pb::RepriceOrdersRequest>,
    ) -> Answered<Self::RepriceOrdersStream> {
        self.reprice_orders(request.into_inner()).await.map(Response::new)
    }

    async fn put_industry(&self, request: Request<pb::PutIndustryRequest>) -> Answered<pb::PutIndustryResponse> {
        put!(self, request, PutIndustryResponse, industry)
    }

    async fn list_industries(
        &self,
        request: Request<pb::ListIndustriesRequest>,
    ) -> Answered<pb::ListIndustriesResponse> {
        list!(self, request, ListIndustriesResponse, industries)
    }

    async fn put_province(&self, request: Request<pb::PutProvinceRequest>) -> Answered<pb::PutProvinceResponse> {
        put!(self, request, PutProvinceResponse, province)
    }

    async fn list_provinces(
        &self,
        request: Request<pb::ListProvincesRequest>,
    ) -> Answered<pb::ListProvincesResponse> {
        list!(self, request, ListProvincesResponse, provinces)
    }

    async fn put_platform(&self, request: Request<pb::PutPlatformRequest>) -> Answered<pb::PutPlatformResponse> {
        put!(self, request, PutPlatformResponse, platform)
    }

    async fn list_platforms(
        &self,
        request: Request<pb::ListPlatformsRequest>,
    ) -> Answered<pb::ListPlatformsResponse> {
        list!(self, request, ListPlatformsResponse, platforms)
    }

    async fn put_scope(&self, request: Request<pb::PutScopeRequest>) -> Answered<pb::PutScopeResponse> {
        put!(self, request, PutScopeResponse, scope)
    }

    async fn list_scopes(&self, request: Request<pb::ListScopesRequest>) -> Answered<pb::ListScopesResponse> {
        list!(self, request, ListScopesResponse, scopes)
    }

    async fn put_rate(&self, request: Request<pb::PutRateRequest>) -> Answered<pb::PutRateResponse> {
        put!(self, request, PutRateResponse, rate)
    }

    async fn list_rates(&self, request: Request<pb::ListRatesRequest>) -> Answered<pb::ListRatesResponse> {
        list!(self, request, ListRatesResponse, rates)
    }

    async fn put_rule(&self, request: Request<pb::PutRuleRequest>) -> Answered<pb::PutRuleResponse> {
        put!(self, request, PutRuleResponse, rule)
    }

    async fn list_rules(&self, request: Request<pb::ListRulesRequest>) -> Answered<pb::ListRulesResponse> {
        list!(self, request, ListRulesResponse, rules)
    }

    async fn preview_premium(
        &self,
        request: Request<pb::PreviewPremiumRequest>,
    ) -> Answered<pb::PreviewPremiumResponse> {
        self.preview_premium(request.into_inner()).map(Response::new)
    }
}
