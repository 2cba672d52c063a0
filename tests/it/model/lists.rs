//! What the model kept, given back: one order, refusals and conflicts of a day, pages of anything.

use super::{
    KeptConflict, State,
    correct::key,
    event::code,
    invalid,
    line::{Line, adjusted, net, stands},
    timestamp,
};
use premium_ledger::{api::proto as pb, types::Day};
use tonic::Status;

impl State {
    pub fn get_order(&self, request: &pb::GetOrderRequest) -> Result<pb::GetOrderResponse, Status> {
        let key = key(request.key.as_ref())?;
        let lines = self.lines(&key)?;
        let standing = |ended: bool| {
            lines.iter().rev().find(|line| stands(&lines, line) && line.event.end.is_some() == ended)
        };
        let newest = standing(true).or_else(|| standing(false));
        let state = newest.map_or(pb::PremiumState::NotCharged, |line| adjusted(&lines, line).state);
        let conflicts = self.conflicts.iter().filter(|conflict| conflict.event.key() == key);
        Ok(pb::GetOrderResponse {
            lines: lines.iter().take(1_000).map(Line::wire).collect(),
            net_premium: net(&lines).to_string(),
            premium_state: state as i32,
            conflicts: conflicts.take(100).map(wire_conflict).collect(),
        })
    }

    pub fn list_refusals(&self, request: &pb::ListRefusalsRequest) -> Result<pb::ListRefusalsResponse, Status> {
        if !request.platform_code.is_empty() {
            code(&request.platform_code).map_err(|_| invalid("platform_code"))?;
        }
        let day = Day::parse(&request.date).map_err(|_| invalid("date"))?;
        let of_day = self.refusals.iter().filter(|r| r.platform == request.platform_code && r.day == day);
        let mut found: Vec<_> = of_day.collect();
        found.sort_by(|a, b| (&a.digest, a.code).cmp(&(&b.digest, b.code)));
        let (found, next_page_token) = page(found, request.page_size, &request.page_token)?;
        let refusals = found.into_iter().map(|kept| pb::Refusal {
            code: kept.code,
            field: kept.field.to_owned(),
            payload_digest: kept.digest.clone(),
            payload: kept.payload.clone(),
            payload_size: kept.payload_size,
            received_at: Some(timestamp(kept.received_at)),
            repeats: kept.repeats,
        });
        Ok(pb::ListRefusalsResponse {
            refusals: refusals.collect(),
            next_page_token,
            truncated: false,
            uncounted_repeats: 0,
        })
    }

    pub fn list_conflicts(&self, request: &pb::ListConflictsRequest) -> Result<pb::ListConflictsResponse, Status> {
        let platform = code(&request.platform_code).map_err(|_| invalid("platform_code"))?;
        let day = Day::parse(&request.date).map_err(|_| invalid("date"))?;
        let of_platform = self.conflicts.iter().filter(|conflict| conflict.event.platform == platform);
        let mut found: Vec<_> = of_platform.filter(|conflict| conflict.received_at.day() == day).collect();
        found.sort_by_key(|conflict| (conflict.event.order_id.clone(), conflict.event.assignment_no));
        let (found, next_page_token) = page(found, request.page_size, &request.page_token)?;
        Ok(pb::ListConflictsResponse {
            conflicts: found.into_iter().map(wire_conflict).collect(),
            next_page_token,
            truncated: false,
            uncounted_repeats: 0,
        })
    }
}

fn wire_conflict(kept: &KeptConflict) -> pb::Conflict {
    pb::Conflict {
        order: Some(kept.event.wire()),
        differing_fields: kept.differing.iter().map(|name| (*name).to_owned()).collect(),
        line_id: kept.line_id.clone(),
        received_at: Some(timestamp(kept.received_at)),
        repeats: kept.repeats,
    }
}

/// One page of a list and the token of the next: how many came before it.
pub fn page<T>(all: Vec<T>, size: u32, token: &str) -> Result<(Vec<T>, String), Status> {
    let size = match size {
        0 => 100,
        1..=1_000 => size as usize,
        _ => return Err(invalid("page_size")),
    };
    let before = if token.is_empty() { 0 } else { token.parse().map_err(|_| invalid("page_token"))? };
    let total = all.len();
    let taken: Vec<T> = all.into_iter().skip(before).take(size).collect();
    let after = before.saturating_add(taken.len());
    let next = if !taken.is_empty() && after < total { after.to_string() } else { String::new() };
    Ok((taken, next))
}
