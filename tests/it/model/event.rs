//! The model's order event: what it says, what is wrong with one, and how two differ.

use super::{State, timestamp};
use premium_ledger::{
    api::proto as pb,
    types::{Area, Code, Instant, OrderKey, RowKind, ViolationCode, WorkerId},
};

/// Platform, order id, assignment number.
pub type Key = (String, String, u32);

/// A field and what is wrong with it.
pub type Violation = (&'static str, ViolationCode);

/// An order event that nothing is wrong with, normalised. Absent codes are empty.
#[derive(Clone, Debug)]
pub struct Event {
    pub platform: String,
    pub order_id: String,
    pub assignment_no: u32,
    pub worker: String,
    pub industry: String,
    pub area: String,
    pub accepted_at: Instant,
    /// When and how it ended; nothing while it is open.
    pub end: Option<(Instant, pb::EndKind)>,
    pub agency: String,
    pub source_platform: String,
    pub source_order: String,
    /// No part of the content.
    pub sent_at: Option<Instant>,
}

impl Event {
    pub fn key(&self) -> Key {
        (self.platform.clone(), self.order_id.clone(), self.assignment_no)
    }

    /// OPEN or CHARGE: the kind of line that it makes, and the only one it is compared with.
    pub fn kind(&self) -> pb::LineKind {
        if self.end.is_none() { pb::LineKind::Open } else { pb::LineKind::Charge }
    }

    pub fn ended_at(&self) -> Option<Instant> {
        self.end.map(|(at, _)| at)
    }

    /// The fields in which two contents differ, in the order of their numbers.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("platform_code", self.platform != other.platform),
            ("order_id", self.order_id != other.order_id),
            ("assignment_no", self.assignment_no != other.assignment_no),
            ("worker_id", self.worker != other.worker),
            ("industry_code", self.industry != other.industry),
            ("accept_area", self.area != other.area),
            ("accepted_at", self.accepted_at != other.accepted_at),
            ("ended_at", self.ended_at() != other.ended_at()),
            ("end_kind", self.end.map(|(_, kind)| kind) != other.end.map(|(_, kind)| kind)),
            ("service_agency_code", self.agency != other.agency),
            ("source_platform_code", self.source_platform != other.source_platform),
            ("source_order_id", self.source_order != other.source_order),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// An OPEN and an ended event of one order should agree in who, what, where and since when.
    pub fn agrees_on_acceptance(&self, other: &Self) -> bool {
        self.worker == other.worker
            && self.industry == other.industry
            && self.area == other.area
            && self.accepted_at == other.accepted_at
    }

    /// The content, to tell whether two requests are the same.
    pub fn content(&self) -> String {
        format!("{:?}", Self { sent_at: None, ..self.clone() })
    }

    pub fn wire(&self) -> pb::Order {
        pb::Order {
            platform_code: self.platform.clone(),
            order_id: self.order_id.clone(),
            assignment_no: self.assignment_no,
            worker_id: self.worker.clone(),
            industry_code: self.industry.clone(),
            accept_area: self.area.clone(),
            accepted_at: Some(timestamp(self.accepted_at)),
            ended_at: self.ended_at().map(timestamp),
            end_kind: self.end.map_or(0, |(_, kind)| kind as i32),
            service_agency_code: self.agency.clone(),
            source_platform_code: self.source_platform.clone(),
            source_order_id: self.source_order.clone(),
            sent_at: self.sent_at.map(timestamp),
        }
    }
}

impl State {
    /// The event that an order states, or all that is wrong with it, by field number, at most 8.
    pub fn check(&self, order: &pb::Order, now: Instant) -> Result<Event, Vec<Violation>> {
        let platform = self.known_code(RowKind::Platform, &order.platform_code);
        let order_id = code(&order.order_id);
        let assignment_no = OrderKey::parse_assignment(order.assignment_no).map_err(|m| m.code);
        let worker = WorkerId::parse(&order.worker_id).map_err(|m| m.code);
        let industry = self.known_code(RowKind::Industry, &order.industry_code);
        let area = self.known_area(&order.accept_area);
        let accepted_at = accepted_at(order, now);
        let ended_at = self.ended_at(order, now);
        let end_kind = end_kind(order);
        let agency = optional_code(&order.service_agency_code);
        let source_platform = optional_code(&order.source_platform_code);
        let source_order = optional_code(&order.source_order_id);
        let sent_at = order.sent_at.map(instant).transpose();
        let checked = [
            ("platform_code", platform.as_ref().err()),
            ("order_id", order_id.as_ref().err()),
            ("assignment_no", assignment_no.as_ref().err()),
            ("worker_id", worker.as_ref().err()),
            ("industry_code", industry.as_ref().err()),
            ("accept_area", area.as_ref().err()),
            ("accepted_at", accepted_at.as_ref().err()),
            ("ended_at", ended_at.as_ref().err()),
            ("end_kind", end_kind.as_ref().err()),
            ("service_agency_code", agency.as_ref().err()),
            ("source_platform_code", source_platform.as_ref().err()),
            ("source_order_id", source_order.as_ref().err()),
            ("sent_at", sent_at.as_ref().err()),
        ];
        let wrong = checked.into_iter().filter_map(|(field, code)| code.map(|code| (field, *code)));
        let wrong: Vec<Violation> = wrong.take(8).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let fine = "no field is wrong";
        Ok(Event {
            platform: platform.expect(fine),
            order_id: order_id.expect(fine),
            assignment_no: u32::from(assignment_no.expect(fine)),
            worker: worker.expect(fine).to_string(),
            industry: industry.expect(fine),
            area: area.expect(fine),
            accepted_at: accepted_at.expect(fine),
            end: ended_at.expect(fine).zip(end_kind.expect(fine)),
            agency: agency.expect(fine),
            source_platform: source_platform.expect(fine),
            source_order: source_order.expect(fine),
            sent_at: sent_at.expect(fine),
        })
    }

    /// A code of a platform or industry that the registry has.
    pub fn known_code(&self, kind: RowKind, text: &str) -> Result<String, ViolationCode> {
        let text = code(text)?;
        if self.knows(kind, &text) { Ok(text) } else { Err(ViolationCode::NotInRegistry) }
    }

    /// Six digits of which the registry has the first two.
    pub fn known_area(&self, text: &str) -> Result<String, ViolationCode> {
        Area::parse(text).map_err(|m| m.code)?;
        if self.knows(RowKind::Province, &text[..2]) {
            Ok(text.to_owned())
        } else {
            Err(ViolationCode::NotInRegistry)
        }
    }

    /// An end is compared with every acceptance that is an instant, and with the rule where all is known that decides it.
    fn ended_at(&self, order: &pb::Order, now: Instant) -> Result<Option<Instant>, ViolationCode> {
        let Some(ended_at) = order.ended_at.map(instant).transpose()? else { return Ok(None) };
        if ended_at > latest(now) {
            return Err(ViolationCode::InFuture);
        }
        let Some(accepted_at) = order.accepted_at.and_then(|at| instant(at).ok()) else {
            return Ok(Some(ended_at));
        };
        if ended_at < accepted_at {
            return Err(ViolationCode::EndsBeforeAcceptance);
        }
        let platform = self.known_code(RowKind::Platform, &order.platform_code);
        let industry = self.known_code(RowKind::Industry, &order.industry_code);
        let area = self.known_area(&order.accept_area);
        if let (Ok(platform), Ok(industry), Ok(area)) = (platform, industry, area) {
            let longest = self.order_length(&platform, &area, &industry, accepted_at);
            if ended_at > accepted_at.plus_seconds(longest) {
                return Err(ViolationCode::LongerThanOrderLength);
            }
        }
        Ok(Some(ended_at))
    }
}

/// 1 to 64 visible ASCII characters.
pub fn code(text: &str) -> Result<String, ViolationCode> {
    Code::check(text).map(|()| text.to_owned()).map_err(|m| m.code)
}

fn optional_code(text: &str) -> Result<String, ViolationCode> {
    if text.is_empty() { Ok(String::new()) } else { code(text) }
}

/// A timestamp cut to microseconds.
pub fn instant(sent: prost_types::Timestamp) -> Result<Instant, ViolationCode> {
    Instant::from_parts(sent.seconds, sent.nanos).map_err(|m| m.code)
}

/// Clocks differ: 5 minutes past now is not yet the future.
fn latest(now: Instant) -> Instant {
    now.plus_seconds(5 * 60)
}

fn accepted_at(order: &pb::Order, now: Instant) -> Result<Instant, ViolationCode> {
    let at = instant(order.accepted_at.ok_or(ViolationCode::Required)?)?;
    if at < Instant::SCHEME_BEGAN {
        return Err(ViolationCode::BeforeScheme);
    }
    if at > latest(now) {
        return Err(ViolationCode::InFuture);
    }
    Ok(at)
}

/// Set exactly when `ended_at` is.
fn end_kind(order: &pb::Order) -> Result<Option<pb::EndKind>, ViolationCode> {
    match (order.ended_at.is_some(), order.end_kind) {
        (false, 0) => Ok(None),
        (false, _) => Err(ViolationCode::NotAllowed),
        (true, 0) => Err(ViolationCode::Required),
        (true, number) => pb::EndKind::try_from(number).map(Some).map_err(|_| ViolationCode::UnknownValue),
    }
}
