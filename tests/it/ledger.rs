//! The four drivers of the script suite behind one face: a plain model, SQLite, Postgres, and the wire. The generated service traits
//! are that face.

use crate::cluster::Cluster;
pub use crate::fixture::config;
use crate::fixture::spool;
use crate::model::Model;
use pb::coverage_service_client::CoverageServiceClient;
use pb::coverage_service_server::CoverageService;
use pb::intake_service_client::IntakeServiceClient;
use pb::intake_service_server::IntakeService;
use pb::registry_service_client::RegistryServiceClient;
use pb::registry_service_server::RegistryService;
use pb::statement_service_client::StatementServiceClient;
use pb::statement_service_server::StatementService;
use premium_ledger::api::proto as pb;
use premium_ledger::api::{CoverageApi, IntakeApi, RegistryApi, StatementApi};
use premium_ledger::app::{App, open_store};
use premium_ledger::clock::Clock;
use premium_ledger::config::{Config, Database};
use premium_ledger::intake::{Intake, Registry};
use premium_ledger::store::Store;
use premium_ledger::store::sqlite::Place;
use premium_ledger::telemetry::Telemetry;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

type Orders = ReceiverStream<Result<pb::RecordOrdersResponse, Status>>;
pub type IntakeFace = dyn IntakeService<StreamOrdersStream = Orders>;
type Lines = ReceiverStream<Result<pb::ListLinesResponse, Status>>;
type Repriced = ReceiverStream<Result<pb::RepriceOrdersResponse, Status>>;
pub type RegistryFace = dyn RegistryService<RepriceOrdersStream = Repriced>;
type Exported = ReceiverStream<Result<pb::ExportStatementResponse, Status>>;
type Reconciled = ReceiverStream<Result<pb::ReconcileResponse, Status>>;
type StatementFace =
    dyn StatementService<ListLinesStream = Lines, ReconcileStream = Reconciled, ExportStatementStream = Exported>;

/// A ledger to ask.
pub struct Ledger {
    pub intake: Arc<IntakeFace>,
    pub coverage: Arc<dyn CoverageService>,
    pub registry: Arc<RegistryFace>,
    pub statement: Arc<StatementFace>,
    /// Its database, where there is one at hand.
    pub store: Option<Store>,
    _held: Vec<Box<dyn std::any::Any + Send + Sync>>,
}

/// An empty SQLite ledger's place.
pub fn sqlite() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(Place::durable(folder.path().join("ledger.sqlite")));
    (folder, database)
}

impl Ledger {
    pub fn model() -> Self {
        let model = Arc::new(Model::new());
        Self {
            intake: model.clone(),
            coverage: model.clone(),
            registry: model.clone(),
            statement: model,
            store: None,
            _held: Vec::new(),
        }
    }

    pub async fn sqlite() -> Self {
        let (folder, database) = sqlite();
        Self::in_process(&config(database), vec![Box::new(folder)]).await
    }

    pub async fn postgres() -> Self {
        let cluster = Cluster::shared();
        let url = cluster.database().await;
        Self::in_process(&config(Database::Postgres(url)), vec![Box::new(cluster)]).await
    }

    /// Over a store, without a network.
    async fn in_process(config: &Config, mut held: Vec<Box<dyn std::any::Any + Send + Sync>>) -> Self {
        let clock = Clock::system();
        let store = open_store(config, clock).await.unwrap();
        let (face, stop) = Self::over(store, config.lanes).await;
        held.push(Box::new(stop));
        Self { _held: held, ..face }
    }

    /// The services over an open store.
    pub async fn over(store: Store, lanes: usize) -> (Self, watch::Sender<bool>) {
        let clock = Clock::system();
        let registry = Registry::load(store.clone()).await.unwrap();
        let (intake, _lanes) =
            Intake::start(store.clone(), registry.clone(), lanes, &Telemetry::default(), Clock::system());
        let (stop, stopping) = watch::channel(false);
        let face = Self {
            intake: Arc::new(IntakeApi::new(intake, clock, stopping.clone())),
            coverage: Arc::new(CoverageApi::new(store.clone(), registry.clone(), clock)),
            registry: Arc::new(RegistryApi::new(registry.clone(), clock, stopping.clone())),
            statement: Arc::new(StatementApi::new(store.clone(), registry, clock, stopping, spool())),
            store: Some(store),
            _held: Vec::new(),
        };
        (face, stop)
    }

    pub async fn wire() -> Self {
        let (folder, database) = sqlite();
        let app = App::start(&config(database), Clock::system()).await.unwrap();
        let channel = channel(&app).await;
        let wire = Arc::new(Wire { channel });
        Self {
            intake: wire.clone(),
            coverage: wire.clone(),
            registry: wire.clone(),
            statement: wire,
            store: None,
            _held: vec![Box::new(app), Box::new(folder)],
        }
    }
}

/// A connection to a served ledger.
pub async fn channel(app: &App) -> Channel {
    Channel::from_shared(format!("http://{}", app.address())).unwrap().connect().await.unwrap()
}

/// The services over a connection.
struct Wire {
    channel: Channel,
}

macro_rules! forward {
    ($service:ident, $client:ident, [$($method:ident($request:ident) -> $response:ident),+ $(,)?] $($rest:tt)*) => {
        #[tonic::async_trait]
        impl $service for Wire {
            $($rest)*
            $(async fn $method(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                $client::new(self.channel.clone()).$method(request).await
            })+
        }
    };
}

forward!(IntakeService, IntakeServiceClient, [
    record_order(RecordOrderRequest) -> RecordOrderResponse,
    record_orders(RecordOrdersRequest) -> RecordOrdersResponse,
    get_order(GetOrderRequest) -> GetOrderResponse,
    reverse_order(ReverseOrderRequest) -> ReverseOrderResponse,
    correct_order(CorrectOrderRequest) -> CorrectOrderResponse,
    report_watermark(ReportWatermarkRequest) -> ReportWatermarkResponse,
    list_refusals(ListRefusalsRequest) -> ListRefusalsResponse,
    list_conflicts(ListConflictsRequest) -> ListConflictsResponse,
]
    type StreamOrdersStream = Orders;

    async fn stream_orders(&self, _: Request<Streaming<pb::RecordOrdersRequest>>) -> Result<Response<Orders>, Status> {
        Err(Status::unimplemented("tests stream through a client of their own"))
    }
);

forward!(CoverageService, CoverageServiceClient, [
    get_coverage(GetCoverageRequest) -> GetCoverageResponse,
    check_eligibility(CheckEligibilityRequest) -> CheckEligibilityResponse,
    list_worker_day(ListWorkerDayRequest) -> ListWorkerDayResponse,
]);

forward!(RegistryService, RegistryServiceClient, [
    put_industry(PutIndustryRequest) -> PutIndustryResponse,
    list_industries(ListIndustriesRequest) -> ListIndustriesResponse,
    put_province(PutProvinceRequest) -> PutProvinceResponse,
    list_provinces(ListProvincesRequest) -> ListProvincesResponse,
    put_platform(PutPlatformRequest) -> PutPlatformResponse,
    list_platforms(ListPlatformsRequest) -> ListPlatformsResponse,
    put_scope(PutScopeRequest) -> PutScopeResponse,
    list_scopes(ListScopesRequest) -> ListScopesResponse,
    put_rate(PutRateRequest) -> PutRateResponse,
    list_rates(ListRatesRequest) -> ListRatesResponse,
    put_rule(PutRuleRequest) -> PutRuleResponse,
    list_rules(ListRulesRequest) -> ListRulesResponse,
    preview_premium(PreviewPremiumRequest) -> PreviewPremiumResponse,
]
    type RepriceOrdersStream = Repriced;

    async fn reprice_orders(&self, request: Request<pb::RepriceOrdersRequest>) -> Result<Response<Repriced>, Status> {
        Ok(hand_on(RegistryServiceClient::new(self.channel.clone()).reprice_orders(request).await?.into_inner()))
    }
);

/// A stream of answers as the services give it.
fn hand_on<T: Send + 'static>(mut answers: Streaming<T>) -> Response<ReceiverStream<Result<T, Status>>> {
    let (send, receive) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(answer) = answers.message().await.transpose() {
            if send.send(answer).await.is_err() {
                return;
            }
        }
    });
    Response::new(ReceiverStream::new(receive))
}

forward!(StatementService, StatementServiceClient, [
    get_statement(GetStatementRequest) -> GetStatementResponse,
    list_statements(ListStatementsRequest) -> ListStatementsResponse,
    freeze_period(FreezePeriodRequest) -> FreezePeriodResponse,
    record_declaration(RecordDeclarationRequest) -> RecordDeclarationResponse,
    record_payment(RecordPaymentRequest) -> RecordPaymentResponse,
    list_reconciliations(ListReconciliationsRequest) -> ListReconciliationsResponse,
    list_differences(ListDifferencesRequest) -> ListDifferencesResponse,
]
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

    type ListLinesStream = Lines;

    async fn list_lines(&self, request: Request<pb::ListLinesRequest>) -> Result<Response<Lines>, Status> {
        Ok(hand_on(StatementServiceClient::new(self.channel.clone()).list_lines(request).await?.into_inner()))
    }
);
