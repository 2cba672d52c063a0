//! An order event from the wire: every field checked, all violations collected in the order of the fields' numbers.

use super::decode::{before_scheme, instant, required, word};
use super::proto as pb;
use crate::intake::{Item, RefusedOrder};
use crate::rating::Snapshot;
use crate::types::{
    Area, Code, End, EndKind, Instant, Malformed, Order, OrderKey, PAYLOAD_LIMIT, ViolationCode, Violations,
    WorkerId,
};
use prost::Message;
use sha2::{Digest, Sha256};

/// How far an acceptance or an end may lie in the future: clocks differ.
const FUTURE_SECONDS: i64 = 300;

/// One event, as an item for the intake.
pub fn item(order: pb::Order, snapshot: &Snapshot, now: Instant) -> Item {
    match decode(order, snapshot, now) {
        Ok(order) => Item::Order(order),
        Err(refused) => Item::Refused(refused),
    }
}

/// One event, or what is wrong with it.
pub fn decode(order: pb::Order, snapshot: &Snapshot, now: Instant) -> Result<Order, Box<RefusedOrder>> {
    let mut wrong = Violations::default();
    match checked(&order, snapshot, now, &mut wrong) {
        Some(checked) if wrong.is_empty() => Ok(checked.with(order)),
        _ => Err(Box::new(refused(&order, snapshot, wrong))),
    }
}

/// The fields that are not kept as they came.
struct Checked {
    assignment_no: u8,
    worker: WorkerId,
    area: Area,
    accepted_at: Instant,
    end: Option<End>,
    sent_at: Option<Instant>,
}

impl Checked {
    /// Moves the texts over; they were checked.
    fn with(self, order: pb::Order) -> Order {
        let code = |text| Code::parse(text).expect("checked before");
        let optional = |text| Code::parse_optional(text).expect("checked before");
        Order {
            key: OrderKey {
                platform: code(order.platform_code),
                order_id: code(order.order_id),
                assignment_no: self.assignment_no,
            },
            worker: self.worker,
            industry: code(order.industry_code),
            area: self.area,
            accepted_at: self.accepted_at,
            end: self.end,
            agency: optional(order.service_agency_code),
            source_platform: optional(order.source_platform_code),
            source_order: optional(order.source_order_id),
            sent_at: self.sent_at,
        }
    }
}

fn checked(order: &pb::Order, snapshot: &Snapshot, now: Instant, wrong: &mut Violations) -> Option<Checked> {
    let unknown = |what: &'static str| Malformed::new(ViolationCode::NotInRegistry, what);
    let platform = known(&order.platform_code, |c| snapshot.knows_platform(c), "no platform of the registry");
    let platform = wrong.take("platform_code", platform);
    wrong.take("order_id", Code::check(&order.order_id));
    let assignment_no = wrong.take("assignment_no", OrderKey::parse_assignment(order.assignment_no));
    let worker = wrong.take("worker_id", WorkerId::parse(&order.worker_id));
    let industry = known(&order.industry_code, |c| snapshot.knows_industry(c), "no industry of the registry");
    let industry = wrong.take("industry_code", industry);
    let accepted_at = accepted_at(order, now);
    let day = accepted_at.as_ref().map_or(now, |at| *at).day();
    let area = Area::parse(&order.accept_area).and_then(|area| {
        let (platform, industry) = (platform.unwrap_or_default(), industry.unwrap_or_default());
        let province = snapshot.province_of(platform, industry, area, day);
        let known = snapshot.knows_province(province);
        known.then_some((area, province)).ok_or_else(|| unknown("lies in no province of the registry"))
    });
    let area = wrong.take("accept_area", area);
    let accepted_at = wrong.take("accepted_at", accepted_at);
    let length = match (platform, area, industry) {
        (Some(platform), Some((_, province)), Some(industry)) => {
            Some(snapshot.order_length(platform, province, industry, day))
        }
        _ => None,
    };
    let end = end(order, accepted_at, length, now, wrong);
    wrong.take("service_agency_code", check_optional(&order.service_agency_code));
    wrong.take("source_platform_code", check_optional(&order.source_platform_code));
    wrong.take("source_order_id", check_optional(&order.source_order_id));
    let sent_at = wrong.take("sent_at", order.sent_at.as_ref().map(instant).transpose());
    Some(Checked {
        assignment_no: assignment_no?,
        worker: worker?,
        area: area?.0,
        accepted_at: accepted_at?,
        end,
        sent_at: sent_at?,
    })
}

fn known<'a>(text: &'a str, knows: impl Fn(&str) -> bool, unknown: &'static str) -> Result<&'a str, Malformed> {
    Code::check(text)?;
    match knows(text) {
        true => Ok(text),
        false => Err(Malformed::new(ViolationCode::NotInRegistry, unknown)),
    }
}

fn check_optional(text: &str) -> Result<(), Malformed> {
    if text.is_empty() { Ok(()) } else { Code::check(text) }
}

fn accepted_at(order: &pb::Order, now: Instant) -> Result<Instant, Malformed> {
    let at = instant(required(order.accepted_at.as_ref())?)?;
    if at < Instant::SCHEME_BEGAN {
        return Err(before_scheme());
    }
    not_in_future(at, now)
}

fn not_in_future(at: Instant, now: Instant) -> Result<Instant, Malformed> {
    match at > now.plus_seconds(FUTURE_SECONDS) {
        true => Err(Malformed::new(ViolationCode::InFuture, "must lie at most 5 minutes in the future")),
        false => Ok(at),
    }
}

/// `ended_at` and `end_kind`: both or none.
fn end(
    order: &pb::Order,
    accepted_at: Option<Instant>,
    length: Option<i64>,
    now: Instant,
    wrong: &mut Violations,
) -> Option<End> {
    let Some(ended_at) = &order.ended_at else {
        if order.end_kind != 0 {
            let text = "must not be set while ended_at is not";
            wrong.add("end_kind", Malformed::new(ViolationCode::NotAllowed, text));
        }
        return None;
    };
    let at = instant(ended_at).and_then(|at| not_in_future(at, now)).and_then(|at| match (accepted_at, length) {
        (Some(accepted), _) if at < accepted => {
            Err(Malformed::new(ViolationCode::EndsBeforeAcceptance, "must not lie before accepted_at"))
        }
        (Some(accepted), Some(length)) if at > accepted.plus_seconds(length) => {
            let text = format!("must lie at most {} hours after accepted_at", length / 3_600);
            Err(Malformed::new(ViolationCode::LongerThanOrderLength, text))
        }
        _ => Ok(at),
    });
    let at = wrong.take("ended_at", at);
    let kind = wrong.take("end_kind", word(order.end_kind, EndKind::from_code));
    Some(End { at: at?, kind: kind? })
}

fn refused(order: &pb::Order, snapshot: &Snapshot, violations: Violations) -> RefusedOrder {
    let mut payload = order.encode_to_vec();
    let digest = Sha256::digest(&payload).into();
    let payload_size = payload.len() as u32; // a request is far below 4 GiB
    payload.truncate(PAYLOAD_LIMIT);
    let platform = Some(&order.platform_code).filter(|code| snapshot.knows_platform(code));
    RefusedOrder {
        platform: platform.and_then(|code| Code::parse(code.clone()).ok()),
        violations,
        digest,
        payload,
        payload_size,
    }
}
