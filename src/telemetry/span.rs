//! A request's own span, from its first byte to its last, and what hangs on it: the wait in a lane, the journal it rode on.
//!
//! Kept is a request that was sampled (by its caller, else by the share of `TracerConfig::ratio`), and beside it every one that was refused, conflicting,
//! slow or failed: that is known only at the end, so a span is put together then, and costs a request that is not kept two random numbers and a copy of its order's key.

use super::export::{Made, Tracer};
use crate::types::{Instant, OrderKey};
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time;

/// A request that takes longer is kept.
const SLOW: Duration = Duration::from_millis(500);
/// The header of W3C's trace context.
const TRACEPARENT: &str = "traceparent";

/// A request that is being served. Clones are of one.
#[derive(Clone, Debug)]
pub struct RequestSpan(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracer: Tracer,
    context: SpanContext,
    parent: SpanId,
    parent_is_remote: bool,
    started: Instant,
    began: time::Instant,
    keep: AtomicBool,
    order: OnceLock<OrderKey>,
    /// Of a message: the stream's call.
    call: Option<RequestSpan>,
}

impl RequestSpan {
    /// Of a call with these headers.
    pub fn of_call(tracer: &Tracer, headers: &HeaderMap) -> Self {
        let parent = headers.get(TRACEPARENT).and_then(|value| parse(value.to_str().ok()?));
        let context = match &parent {
            Some(parent) => tracer.context(Some(parent.trace_id()), parent.is_sampled()),
            None => {
                let context = tracer.context(None, false);
                tracer.context(Some(context.trace_id()), tracer.samples(context.trace_id()))
            }
        };
        let parent_is_remote = parent.is_some();
        Self::new(
            tracer,
            context,
            parent.map_or(SpanId::INVALID, |parent| parent.span_id()),
            parent_is_remote,
            None,
        )
    }

    /// Of one message of the stream that this is the call of. What the caller decided about its stream holds for all of it.
    pub fn message(&self) -> Self {
        let own = &self.0;
        let context = own.tracer.context(Some(own.context.trace_id()), false);
        let sampled = match own.parent_is_remote {
            true => own.context.is_sampled(),
            false => own.tracer.samples_message(context.span_id()),
        };
        let flags = TraceFlags::default().with_sampled(sampled);
        let context = SpanContext::new(context.trace_id(), context.span_id(), flags, false, TraceState::NONE);
        Self::new(&own.tracer, context, own.context.span_id(), false, Some(self.clone()))
    }

    fn new(
        tracer: &Tracer,
        context: SpanContext,
        parent: SpanId,
        parent_is_remote: bool,
        call: Option<Self>,
    ) -> Self {
        Self(Arc::new(Inner {
            tracer: tracer.clone(),
            context,
            parent,
            parent_is_remote,
            started: tracer.now(),
            began: time::Instant::now(),
            keep: AtomicBool::new(false),
            order: OnceLock::new(),
            call,
        }))
    }

    /// Of one order alone: which.
    pub fn name_order(&self, key: &OrderKey) {
        if self.0.tracer.names_orders() {
            // A request is of one order.
            let _ = self.0.order.set(key.clone());
        }
    }

    /// Sampled from the start.
    pub fn is_sampled(&self) -> bool {
        self.0.context.is_sampled()
    }

    /// Whatever was decided at the start, it is kept.
    pub fn keep(&self) {
        self.0.keep.store(true, Ordering::Relaxed);
    }

    /// It is kept, or takes so long that it will be.
    pub fn is_kept(&self) -> bool {
        self.is_sampled() || self.0.keep.load(Ordering::Relaxed) || self.0.began.elapsed() >= SLOW
    }

    /// What makes it.
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }

    /// What others link to.
    pub fn context(&self) -> &SpanContext {
        &self.0.context
    }

    /// As the response gives it back.
    pub fn header(&self) -> String {
        let context = &self.0.context;
        format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
    }

    /// A message of a stream was answered.
    pub fn end_message(&self, failed: bool) {
        if failed {
            self.keep();
        }
        let status = if failed { Status::error("") } else { Status::Unset };
        self.end("message", SpanKind::Internal, Vec::new(), status);
    }

    /// It is over; sent if it is kept.
    pub fn end(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        mut attributes: Vec<KeyValue>,
        status: Status,
    ) {
        if !self.is_kept() {
            return;
        }
        let own = &self.0;
        if let Some(call) = &own.call {
            call.keep();
        }
        let hash = own.order.get().and_then(|key| own.tracer.order_hash(key));
        attributes.extend(hash.map(|hash| KeyValue::new("premium_ledger.order.hash", hash)));
        own.tracer.send(Made {
            name: name.into(),
            kind,
            context: own.context.clone(),
            parent: own.parent,
            parent_is_remote: own.parent_is_remote,
            started: own.started,
            ended: own.tracer.now(),
            attributes,
            links: Vec::new(),
            events: Vec::new(),
            status,
        });
    }
}

/// version-traceid-parentid-flags, of version 00 or a later one that begins so.
fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let shape = hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    if !shape || version == "ff" || version == "00" && parts.next().is_some() {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// The spans of one group of a lane: one for each kept part of a request, linked to the journal that carried it, which links back.
#[derive(Debug, Default)]
pub struct Spans {
    commit: Option<(Tracer, SpanContext)>,
    parts: Vec<SpanContext>,
}

impl Spans {
    /// Of a group that carries these requests; nothing is made yet.
    pub fn of<'a>(requests: impl IntoIterator<Item = &'a RequestSpan>) -> Self {
        let mut spans = Self::default();
        if let Some(sampled) = requests.into_iter().find(|request| request.is_sampled()) {
            spans.commit(sampled.tracer());
        }
        spans
    }

    fn commit(&mut self, tracer: &Tracer) -> SpanContext {
        self.commit.get_or_insert_with(|| (tracer.clone(), tracer.context(None, true))).1.clone()
    }

    /// The journal's span, where a request was sampled from the start.
    pub fn commit_context(&self) -> Option<&SpanContext> {
        self.commit.as_ref().map(|(_, context)| context)
    }

    /// A kept request's part of the group is answered: how long ago it was submitted, and how long it waited of that.
    pub fn part(
        &mut self,
        request: &RequestSpan,
        (submitted, waited): (Duration, Duration),
        orders: usize,
        events: Vec<Event>,
    ) {
        let tracer = request.tracer();
        let commit = self.commit(tracer);
        let own = tracer.context(Some(request.context().trace_id()), true);
        let ended = tracer.now();
        self.parts.push(own.clone());
        let started = earlier(ended, submitted);
        tracer.send(Made {
            name: "lane wait".into(),
            kind: SpanKind::Internal,
            context: tracer.context(Some(own.trace_id()), true),
            parent: own.span_id(),
            parent_is_remote: false,
            started,
            ended: later(started, waited),
            attributes: Vec::new(),
            links: Vec::new(),
            events: Vec::new(),
            status: Status::Unset,
        });
        tracer.send(Made {
            name: "lane".into(),
            kind: SpanKind::Internal,
            context: own,
            parent: request.context().span_id(),
            parent_is_remote: false,
            started,
            ended,
            attributes: vec![KeyValue::new("premium_ledger.orders", orders as i64)],
            links: vec![commit],
            events,
            status: Status::Unset,
        });
    }

    /// The group is answered: the journal's span, and the database's below it. `took`: the whole group, and of that the last append; how long ago that began.
    pub fn end(self, group: Vec<KeyValue>, took: Duration, append: Option<(Duration, Duration, Vec<KeyValue>)>) {
        let Some((tracer, commit)) = self.commit else { return };
        let ended = tracer.now();
        if let Some((ago, took, attributes)) = append {
            let started = earlier(ended, ago);
            tracer.send(Made {
                name: "append journal".into(),
                kind: SpanKind::Client,
                context: tracer.context(Some(commit.trace_id()), true),
                parent: commit.span_id(),
                parent_is_remote: false,
                started,
                ended: later(started, took),
                attributes,
                links: Vec::new(),
                events: Vec::new(),
                status: Status::Unset,
            });
        }
        tracer.send(Made {
            name: "journal commit".into(),
            kind: SpanKind::Internal,
            context: commit,
            parent: SpanId::INVALID,
            parent_is_remote: false,
            started: earlier(ended, took),
            ended,
            attributes: group,
            links: self.parts,
            events: Vec::new(),
            status: Status::Unset,
        });
    }
}

fn earlier(instant: Instant, by: Duration) -> Instant {
    Instant::from_micros(instant.micros() - by.as_micros() as i64).unwrap_or(instant)
}

fn later(instant: Instant, by: Duration) -> Instant {
    Instant::from_micros(instant.micros() + by.as_micros() as i64).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_callers_context_is_read_and_a_broken_one_is_none() {
        let sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = parse(sound).unwrap();
        assert_eq!(parent.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parent.span_id().to_string(), "b7ad6b7169203331");
        assert!(parent.is_sampled());
        assert!(!parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_sampled());
        assert!(parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later").is_some());
        for broken in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }
}
