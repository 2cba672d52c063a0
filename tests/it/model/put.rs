//! The model's puts: what a registry row must be like, and how one is written.

use super::{State, event::code, invalid, price::hours, registry::Row};
use premium_ledger::{
    api::proto as pb,
    types::{ANY, Day, Factor, Money, Province, RowKind},
};
use tonic::Status;

impl State {
    pub fn put_industry(&mut self, request: pb::PutIndustryRequest) -> Result<pb::PutIndustryResponse, Status> {
        let put = request.industry.ok_or_else(|| invalid("industry"))?;
        let mut row = row(RowKind::Industry, put.header)?;
        row.industry = code(&put.industry_code).map_err(|_| invalid("industry.industry_code"))?;
        row.name = text("industry.name", put.name, 200)?;
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutIndustryResponse { industry: Some(wire_industry(&row)) })
    }

    pub fn put_province(&mut self, request: pb::PutProvinceRequest) -> Result<pb::PutProvinceResponse, Status> {
        let put = request.province.ok_or_else(|| invalid("province"))?;
        let mut row = row(RowKind::Province, put.header)?;
        Province::parse(&put.province_code).map_err(|_| invalid("province.province_code"))?;
        row.province = put.province_code;
        row.name = text("province.name", put.name, 200)?;
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutProvinceResponse { province: Some(wire_province(&row)) })
    }

    pub fn put_platform(&mut self, request: pb::PutPlatformRequest) -> Result<pb::PutPlatformResponse, Status> {
        let put = request.platform.ok_or_else(|| invalid("platform"))?;
        let mut row = row(RowKind::Platform, put.header)?;
        row.platform = code(&put.platform_code).map_err(|_| invalid("platform.platform_code"))?;
        if row.platform == ANY {
            return Err(invalid("platform.platform_code"));
        }
        row.name = text("platform.name", put.name, 200)?;
        let in_form = put.uscc.len() == 18 && put.uscc.bytes().all(|b| b.is_ascii_alphanumeric());
        if !put.uscc.is_empty() && !in_form {
            return Err(invalid("platform.uscc"));
        }
        row.value = put.uscc;
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutPlatformResponse { platform: Some(wire_platform(&row)) })
    }

    pub fn put_scope(&mut self, request: pb::PutScopeRequest) -> Result<pb::PutScopeResponse, Status> {
        let put = request.scope.ok_or_else(|| invalid("scope"))?;
        let mut row = row(RowKind::Scope, put.header)?;
        row.platform = self.known_or_any(RowKind::Platform, put.platform_code)?;
        row.province = self.known_or_any(RowKind::Province, put.province_code)?;
        row.industry = self.known(RowKind::Industry, put.industry_code)?;
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutScopeResponse { scope: Some(wire_scope(&row)) })
    }

    pub fn put_rate(&mut self, request: pb::PutRateRequest) -> Result<pb::PutRateResponse, Status> {
        let put = request.rate.ok_or_else(|| invalid("rate"))?;
        let mut row = row(RowKind::Rate, put.header)?;
        row.platform = self.known_or_any(RowKind::Platform, put.platform_code)?;
        row.province = self.known_or_any(RowKind::Province, put.province_code)?;
        row.industry = self.known(RowKind::Industry, put.industry_code)?;
        let base = Money::parse(&put.base).map_err(|_| invalid("rate.base"))?;
        let factor = if put.factor.is_empty() { "1" } else { &put.factor };
        let factor = Factor::parse(factor).map_err(|_| invalid("rate.factor"))?;
        if base <= Money::ZERO || base > Money::MAX_BASE {
            return Err(invalid("rate.base"));
        }
        if factor.millionths() <= 0 || factor > Factor::MAX || base.checked_times(factor).is_none() {
            return Err(invalid("rate.factor"));
        }
        (row.base, row.factor) = (Some(base), Some(factor));
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutRateResponse { rate: Some(wire_rate(&row)) })
    }

    pub fn put_rule(&mut self, request: pb::PutRuleRequest) -> Result<pb::PutRuleResponse, Status> {
        let put = request.rule.ok_or_else(|| invalid("rule"))?;
        let mut row = row(RowKind::Rule, put.header)?;
        row.platform = self.known_or_any(RowKind::Platform, put.platform_code)?;
        row.province = self.known_or_any(RowKind::Province, put.province_code)?;
        row.industry = self.known_or_any(RowKind::Industry, put.industry_code)?;
        row.value = text("rule.value", put.value, 2_000)?;
        let fits = match put.name.as_str() {
            "count_rule" => {
                let known = |name: &str| pb::EndKind::from_str_name(&format!("END_KIND_{name}"));
                row.value.split(',').all(|name| known(name).is_some_and(|kind| kind != pb::EndKind::Unspecified))
            }
            "order_length" => hours(&row.value).is_some(),
            "period_of" => row.value == "ACCEPTED_AT" || row.value == "ENDED_AT",
            "area_to_province" => row.value == "-" || row.value.split(',').all(|pair| self.moves_area(pair)),
            _ => return Err(invalid("rule.name")),
        };
        if !fits {
            return Err(invalid("rule.value"));
        }
        row.name = put.name;
        let national = row.platform == ANY && row.province == ANY && row.industry == ANY;
        if national && row.valid_to.is_some() {
            return Err(invalid("rule.header.valid_to"));
        }
        let row = self.put(&request.request_id, row)?;
        Ok(pb::PutRuleResponse { rule: Some(wire_rule(&row)) })
    }

    /// "659001=66" or "6590=66": a county code or its beginning, and a known province.
    fn moves_area(&self, pair: &str) -> bool {
        let Some((begin, province)) = pair.split_once('=') else { return false };
        let digits = (2..=6).contains(&begin.len()) && begin.bytes().all(|b| b.is_ascii_digit());
        digits && self.knows(RowKind::Province, province)
    }

    fn known(&self, kind: RowKind, code: String) -> Result<String, Status> {
        if self.knows(kind, &code) { Ok(code) } else { Err(invalid(&format!("{kind:?}"))) }
    }

    fn known_or_any(&self, kind: RowKind, code: String) -> Result<String, Status> {
        if code == ANY { Ok(code) } else { self.known(kind, code) }
    }

    /// Takes a row in, once for its request id, unless it collides with one or names one that it does not follow.
    fn put(&mut self, request_id: &str, row: Row) -> Result<Row, Status> {
        let put = self.once(request_id, format!("Put {row:?}"), |state| {
            let same_place = |other: &&Row| other.same_key(&row) && other.valid_from == row.valid_from;
            let newest = state.rows.iter().filter(same_place).map(|other| other.id).max();
            let names_one = state.rows.iter().filter(same_place).any(|other| other.id == row.supersedes);
            if row.supersedes != 0 && !names_one {
                return Err(invalid("header.supersedes"));
            }
            if row.supersedes != 0 && newest != Some(row.supersedes) {
                return Err(invalid("header.supersedes"));
            }
            if newest.unwrap_or(0) != row.supersedes {
                return Err(Status::already_exists("a row of this key begins on this day"));
            }
            let row_id = state.revision() + 1;
            state.rows.push(Row { id: row_id, ..row });
            Ok(pb::RowHeader { row_id, ..Default::default() })
        })?;
        Ok(self.rows[put.row_id as usize - 1].clone())
    }
}

/// A row of which only the header is filled in.
fn row(kind: RowKind, header: Option<pb::RowHeader>) -> Result<Row, Status> {
    let header = header.ok_or_else(|| invalid("header"))?;
    if header.row_id != 0 {
        return Err(invalid("header.row_id"));
    }
    let valid_from = Day::parse(&header.valid_from).map_err(|_| invalid("header.valid_from"))?;
    let valid_to = match header.valid_to.as_str() {
        "" => None,
        text => Some(Day::parse(text).map_err(|_| invalid("header.valid_to"))?),
    };
    let void = valid_to == Some(valid_from) && header.supersedes != 0;
    if valid_to.is_some_and(|to| to <= valid_from) && !void {
        return Err(invalid("header.valid_to"));
    }
    let document = text("header.document", header.document, 200)?;
    if !["", "law", "press", "open"].contains(&header.confidence.as_str()) {
        return Err(invalid("header.confidence"));
    }
    Ok(Row {
        id: 0,
        kind,
        name: String::new(),
        platform: String::new(),
        province: String::new(),
        industry: String::new(),
        value: String::new(),
        base: None,
        factor: None,
        valid_from,
        valid_to,
        document,
        confidence: header.confidence,
        supersedes: header.supersedes,
    })
}

/// Text that must be there, and at most so many bytes.
fn text(field: &str, text: String, most: usize) -> Result<String, Status> {
    if text.is_empty() || text.len() > most { Err(invalid(field)) } else { Ok(text) }
}

fn wire_header(row: &Row) -> Option<pb::RowHeader> {
    Some(pb::RowHeader {
        row_id: row.id,
        valid_from: row.valid_from.to_string(),
        valid_to: row.valid_to.map_or(String::new(), |day| day.to_string()),
        document: row.document.clone(),
        confidence: row.confidence.clone(),
        supersedes: row.supersedes,
    })
}

pub fn wire_industry(row: &Row) -> pb::Industry {
    pb::Industry { header: wire_header(row), industry_code: row.industry.clone(), name: row.name.clone() }
}

pub fn wire_province(row: &Row) -> pb::Province {
    pb::Province { header: wire_header(row), province_code: row.province.clone(), name: row.name.clone() }
}

pub fn wire_platform(row: &Row) -> pb::Platform {
    pb::Platform {
        header: wire_header(row),
        platform_code: row.platform.clone(),
        name: row.name.clone(),
        uscc: row.value.clone(),
    }
}

pub fn wire_scope(row: &Row) -> pb::Scope {
    pb::Scope {
        header: wire_header(row),
        platform_code: row.platform.clone(),
        province_code: row.province.clone(),
        industry_code: row.industry.clone(),
    }
}

pub fn wire_rate(row: &Row) -> pb::Rate {
    pb::Rate {
        header: wire_header(row),
        platform_code: row.platform.clone(),
        province_code: row.province.clone(),
        industry_code: row.industry.clone(),
        base: row.base.map_or(String::new(), |base| base.to_string()),
        factor: row.factor.map_or(String::new(), |factor| factor.to_string()),
    }
}

pub fn wire_rule(row: &Row) -> pb::Rule {
    pb::Rule {
        header: wire_header(row),
        name: row.name.clone(),
        platform_code: row.platform.clone(),
        province_code: row.province.clone(),
        industry_code: row.industry.clone(),
        value: row.value.clone(),
    }
}
