//! The layer around every call: its rate, errors and duration, and its span. The call is over with the last byte of its answer, or when its caller goes away.

use super::Telemetry;
use super::metrics::{Metrics, RpcLabels, TraceLabel};
use super::span::RequestSpan;
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};
use pin_project_lite::pin_project;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use tonic::Code;
use tower::{Layer, Service};

/// How long the caller waits, as gRPC tells it.
const GRPC_TIMEOUT: &str = "grpc-timeout";
/// Failed calls that the log tells of in a second; the others are counted there.
const LOGGED_A_SECOND: u32 = 10;
/// Where gRPC tells how a call ended.
const GRPC_STATUS: &str = "grpc-status";
/// Gives the caller the trace that its call is in (W3C Trace Context level 2).
const TRACERESPONSE: &str = "traceresponse";
/// A method that the service does not have: its name is somebody's text, of which there may be many.
const OTHER: &str = "_OTHER";

/// Makes the services around which it lies tell of each call.
#[derive(Clone, Debug)]
pub struct RpcLayer {
    telemetry: Telemetry,
    methods: Methods,
    logged: Arc<Mutex<Logged>>,
}

/// Paths of all methods.
type Methods = Arc<HashSet<String>>;

impl RpcLayer {
    /// Tells it here; of these methods by name ("package.Service/Method"), of others as one.
    pub fn new(telemetry: Telemetry, methods: HashSet<String>) -> Self {
        Self { telemetry, methods: Arc::new(methods), logged: Arc::default() }
    }
}

impl<S> Layer<S> for RpcLayer {
    type Service = Told<S>;

    fn layer(&self, inner: S) -> Told<S> {
        Told { inner, layer: self.clone() }
    }
}

/// A service whose calls are told.
#[derive(Clone, Debug)]
pub struct Told<S> {
    inner: S,
    layer: RpcLayer,
}

impl<S, B, R> Service<Request<B>> for Told<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<Answer<R>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let RpcLayer { telemetry, methods, logged } = &self.layer;
        let tracer = telemetry.tracer.as_ref();
        let span = tracer.map(|tracer| RequestSpan::of_call(tracer, request.headers()));
        let call = Call {
            metrics: telemetry.metrics.clone(),
            methods: methods.clone(),
            logged: logged.clone(),
            deadline: request.headers().get(GRPC_TIMEOUT).and_then(|value| timeout(value.to_str().ok()?)),
            uri: request.uri().clone(),
            began: Instant::now(),
            code: None,
            span: span.clone(),
        };
        if let Some(span) = span {
            request.extensions_mut().insert(span);
        }
        Answering { inner: self.inner.call(request), call: Some(call) }
    }
}

/// A call under way.
struct Call {
    metrics: Metrics,
    methods: Methods,
    logged: Arc<Mutex<Logged>>,
    uri: Uri,
    began: Instant,
    /// How long the caller waits.
    deadline: Option<Duration>,
    /// How it ended, once it is said.
    code: Option<Code>,
    span: Option<RequestSpan>,
}

impl Call {
    fn read_status(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get(GRPC_STATUS) {
            self.code = Some(Code::from_bytes(status.as_bytes()));
        }
    }
}

impl Call {
    /// Where nobody has said: the time was up, the method panicked, or the caller has gone.
    fn code(&self) -> Code {
        self.code.unwrap_or_else(|| match self.deadline {
            _ if std::thread::panicking() => Code::Internal,
            Some(deadline) if self.began.elapsed() >= deadline => Code::DeadlineExceeded,
            _ => Code::Cancelled,
        })
    }
}

/// How many failed calls were told of lately: an outage fails thousands, and a log that is slow must hold nobody up.
#[derive(Debug, Default)]
struct Logged {
    since: Option<Instant>,
    told: u32,
    left_out: u64,
}

impl Logged {
    /// Another may be told of, and how many were left out before; nothing: it may not.
    fn another(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since >= Duration::from_secs(1)) {
            (self.since, self.told) = (Some(now), 0);
        }
        if self.told == LOGGED_A_SECOND {
            self.left_out += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// At most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number = Some(digits).filter(|digits| digits.len() <= 8)?.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(3_600 * number),
        "M" => Duration::from_secs(60 * number),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

impl Drop for Call {
    fn drop(&mut self) {
        let (took, code) = (self.began.elapsed(), self.code());
        let method = self.uri.path().trim_start_matches('/');
        let method = if self.methods.contains(method) { method } else { OTHER };
        let failed = is_failure(code);
        let mut exemplar = None;
        if let Some(span) = &self.span {
            if failed {
                span.keep();
            }
            if span.is_kept() {
                exemplar = Some(TraceLabel::of(span.context()));
                let attributes = vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method.to_owned()),
                    KeyValue::new("rpc.status_code", name(code)),
                ];
                let status = if failed { Status::error(name(code)) } else { Status::Unset };
                span.end(method.to_owned(), SpanKind::Server, attributes, status);
            }
        }
        if failed && code != Code::Unimplemented {
            let left_out = self.logged.lock().expect("no panic while held").another();
            if let Some(left_out) = left_out {
                let (trace_id, span_id) =
                    exemplar.as_ref().map_or(("", ""), |label| (&label.trace_id, &label.span_id));
                tracing::warn!(
                    rpc_method = method,
                    rpc_status_code = name(code),
                    trace_id,
                    span_id,
                    left_out,
                    "a call failed"
                );
            }
        }
        let labels =
            RpcLabels { rpc_method: method.to_owned(), rpc_status_code: name(code), rpc_system_name: "grpc" };
        self.metrics.calls.get_or_create(&labels).observe(took.as_secs_f64(), exemplar, None);
    }
}

/// The service's fault, by the conventions; what a caller did wrong is none.
const fn is_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

pin_project! {
    /// The answer's head, on its way.
    pub struct Answering<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F, R, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<Answer<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let mut call = this.call.take();
        if let Some(call) = &mut call {
            // An answer without a body has its status here.
            call.read_status(response.headers());
            let header = call.span.as_ref().and_then(|span| HeaderValue::from_str(&span.header()).ok());
            if let Some(header) = header {
                response.headers_mut().insert(TRACERESPONSE, header);
            }
        }
        Poll::Ready(Ok(response.map(|inner| Answer { inner, call })))
    }
}

pin_project! {
    /// The answer's body; the call is over with it.
    pub struct Answer<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
    }
}

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        let trailers = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::trailers_ref);
        if let (Some(call), Some(trailers)) = (this.call.as_mut(), trailers) {
            call.read_status(trailers);
        }
        if trailers.is_some() || frame.is_none() {
            *this.call = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_patience_is_read() {
        assert_eq!(timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for wrong in ["", "S", "5", "5s", "123456789S", "-5S", "5\u{fc}"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn few_failures_of_a_second_are_told_of() {
        let mut logged = Logged::default();
        let told = (0..1_000).filter(|_| logged.another().is_some()).count();
        assert_eq!(told, LOGGED_A_SECOND as usize);
        logged.since = Some(Instant::now() - Duration::from_secs(2));
        assert_eq!(logged.another(), Some(990));
        assert_eq!(logged.another(), Some(0));
    }
}
