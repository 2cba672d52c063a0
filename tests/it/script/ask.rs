//! Arguments of a step as requests. `-` is empty; times without an offset are those of Asia/Shanghai; `w7` is a worker, `L3` the third
//! line that the script was told of.

use super::tell::Labels;
use premium_ledger::api::proto as pb;
use premium_ledger::clock::Clock;
use premium_ledger::types::{EndKind, Instant, Purpose, ReversalReason};
use prost_types::Timestamp;
use std::collections::HashMap;

/// `key=value` pairs.
pub struct Args(HashMap<String, String>);

/// The request of a `record` step.
pub fn batch(orders: Vec<pb::Order>) -> pb::RecordOrdersRequest {
    pb::RecordOrdersRequest { batch_id: String::new(), orders }
}

pub fn now() -> Instant {
    Clock::system().now()
}

/// As it travels.
pub fn timestamp(instant: Instant) -> Timestamp {
    let (seconds, nanos) = instant.parts();
    Timestamp { seconds, nanos }
}

impl Args {
    pub fn parse(text: &str, labels: &Labels) -> Self {
        let pair = |token: &str| {
            let (key, value) = token.split_once('=').unwrap_or_else(|| panic!("{token:?} is no key=value"));
            let value = if value == "-" { String::new() } else { labels.resolve(value) };
            (key.to_owned(), value)
        };
        Self(text.split_whitespace().map(pair).collect())
    }

    fn text(&self, key: &str, default: &str) -> String {
        self.0.get(key).cloned().unwrap_or_else(|| default.to_owned())
    }

    fn number(&self, key: &str) -> u64 {
        self.0.get(key).map_or(0, |text| text.parse().unwrap())
    }

    fn time(&self, key: &str) -> Option<Timestamp> {
        let text = self.0.get(key).filter(|text| !text.is_empty())?;
        let instant = match text.strip_prefix("now") {
            Some("") => now(),
            Some(minutes) => now().plus_seconds(minutes.parse::<i64>().unwrap() * 60),
            None if text.ends_with('Z') || text.contains("+0") => Instant::parse(text).unwrap(),
            None => Instant::parse(&format!("{text}+08:00")).unwrap(),
        };
        Some(timestamp(instant))
    }

    /// `w7` is a UUID with 7 in it; anything else stands for itself.
    fn worker(&self) -> String {
        let text = self.text("worker", "w1");
        match text.strip_prefix('w').and_then(|n| n.parse::<u32>().ok()) {
            Some(n) => format!("00000000-0000-4000-8000-{n:012}"),
            None => text,
        }
    }

    fn word(&self, key: &str, from: impl Fn(&str) -> Option<u8>) -> i32 {
        match self.0.get(key) {
            None => 0,
            Some(text) => {
                text.parse().unwrap_or_else(|_| from(text).unwrap_or_else(|| panic!("no {key} {text:?}")).into())
            }
        }
    }

    pub fn order(&self) -> pb::Order {
        pb::Order {
            platform_code: self.text("platform", "MEITUAN"),
            order_id: self.text("id", ""),
            assignment_no: self.number("no") as u32,
            worker_id: self.worker(),
            industry_code: self.text("industry", "instant_delivery"),
            accept_area: self.text("area", "310101"),
            accepted_at: self.time("at"),
            ended_at: self.time("end"),
            end_kind: self.word("kind", |name| EndKind::from_name(name).map(EndKind::code)),
            service_agency_code: self.text("agency", ""),
            source_platform_code: self.text("from", ""),
            source_order_id: self.text("from_id", ""),
            sent_at: self.time("sent"),
        }
    }

    fn key(&self) -> Option<pb::OrderKey> {
        let order = self.order();
        let (platform_code, order_id, assignment_no) = (order.platform_code, order.order_id, order.assignment_no);
        Some(pb::OrderKey { platform_code, order_id, assignment_no })
    }

    /// A request id of its own for every call that names none.
    fn request_id(&self) -> String {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.text("req", &format!("auto-{next}"))
    }

    fn reason(&self) -> i32 {
        self.word("reason", |name| ReversalReason::from_name(name).map(ReversalReason::code))
    }

    pub fn get_order(&self) -> pb::GetOrderRequest {
        pb::GetOrderRequest { key: self.key() }
    }

    pub fn reverse(&self) -> pb::ReverseOrderRequest {
        pb::ReverseOrderRequest {
            request_id: self.request_id(),
            key: self.key(),
            line_id: self.text("line", ""),
            reversal_reason: self.reason(),
        }
    }

    pub fn correct(&self) -> pb::CorrectOrderRequest {
        pb::CorrectOrderRequest {
            request_id: self.request_id(),
            line_id: self.text("line", ""),
            order: Some(self.order()),
            reversal_reason: self.reason(),
        }
    }

    pub fn watermark(&self) -> pb::ReportWatermarkRequest {
        let hours = self.text("hours", "");
        let hourly = hours.split(',').filter(|part| !part.is_empty()).map(|part| {
            let parts: Vec<&str> = part.split('/').collect();
            let hour = Instant::parse(&format!("{}+08:00", parts[0])).unwrap().parts();
            pb::HourlyCount {
                hour: Some(Timestamp { seconds: hour.0, nanos: hour.1 }),
                accepted: parts[1].parse().unwrap(),
                ended: parts[2].parse().unwrap(),
            }
        });
        pb::ReportWatermarkRequest {
            request_id: self.request_id(),
            platform_code: self.text("platform", "MEITUAN"),
            watermark: self.time("at"),
            hourly: hourly.collect(),
        }
    }

    pub fn refusals(&self) -> pb::ListRefusalsRequest {
        pb::ListRefusalsRequest {
            platform_code: self.text("platform", "MEITUAN"),
            date: self.text("date", &now().day().to_string()),
            ..Default::default()
        }
    }

    pub fn conflicts(&self) -> pb::ListConflictsRequest {
        pb::ListConflictsRequest {
            platform_code: self.text("platform", "MEITUAN"),
            date: self.text("date", &now().day().to_string()),
            ..Default::default()
        }
    }

    fn purpose(&self) -> i32 {
        match self.0.contains_key("purpose") {
            true => self.word("purpose", |name| Purpose::from_name(name).map(Purpose::code)),
            false => pb::Purpose::OwnRecords.into(),
        }
    }

    fn known_at(&self) -> Option<pb::KnownAt> {
        let seal = || Some(pb::known_at::Point::Seal(self.0.get("seal")?.parse().unwrap()));
        let point = self.time("known").map(pb::known_at::Point::Instant).or_else(seal)?;
        Some(pb::KnownAt { point: Some(point) })
    }

    pub fn coverage(&self) -> pb::GetCoverageRequest {
        pb::GetCoverageRequest {
            worker_id: self.worker(),
            at: self.time("at"),
            purpose: self.purpose(),
            case_no: self.text("case", ""),
            known_at: self.known_at(),
        }
    }

    pub fn eligible(&self) -> pb::CheckEligibilityRequest {
        let hours = self.0.get("window").map(|hours| hours.parse::<i64>().unwrap());
        pb::CheckEligibilityRequest {
            worker_id: self.worker(),
            injured_at: self.time("at"),
            reported_at: self.time("reported"),
            window: hours.map(|hours| prost_types::Duration { seconds: hours * 3_600, nanos: 0 }),
            injured_area: self.text("area", ""),
            case_no: self.text("case", "case-1"),
            purpose: match self.0.contains_key("purpose") {
                true => self.purpose(),
                false => pb::Purpose::Claim.into(),
            },
            known_at: self.known_at(),
        }
    }

    pub fn day(&self) -> pb::ListWorkerDayRequest {
        pb::ListWorkerDayRequest {
            worker_id: self.worker(),
            date: self.text("date", ""),
            purpose: self.purpose(),
            case_no: self.text("case", ""),
            known_at: self.known_at(),
        }
    }

    fn header(&self) -> Option<pb::RowHeader> {
        Some(pb::RowHeader {
            row_id: self.number("row"),
            valid_from: self.text("valid_from", "2022-07-01"),
            valid_to: self.text("valid_to", ""),
            document: self.text("doc", "测试1号"),
            confidence: self.text("confidence", ""),
            supersedes: self.number("supersedes"),
        })
    }

    pub fn industry(&self) -> pb::PutIndustryRequest {
        let industry = pb::Industry {
            header: self.header(),
            industry_code: self.text("industry", ""),
            name: self.text("name", "n"),
        };
        pb::PutIndustryRequest { request_id: self.request_id(), industry: Some(industry) }
    }

    pub fn province(&self) -> pb::PutProvinceRequest {
        let province = pb::Province {
            header: self.header(),
            province_code: self.text("province", ""),
            name: self.text("name", "n"),
        };
        pb::PutProvinceRequest { request_id: self.request_id(), province: Some(province) }
    }

    pub fn platform(&self) -> pb::PutPlatformRequest {
        let platform = pb::Platform {
            header: self.header(),
            platform_code: self.text("platform", ""),
            name: self.text("name", "n"),
            uscc: self.text("uscc", ""),
        };
        pb::PutPlatformRequest { request_id: self.request_id(), platform: Some(platform) }
    }

    pub fn scope(&self) -> pb::PutScopeRequest {
        let scope = pb::Scope {
            header: self.header(),
            platform_code: self.text("platform", "*"),
            province_code: self.text("province", "*"),
            industry_code: self.text("industry", "instant_delivery"),
        };
        pb::PutScopeRequest { request_id: self.request_id(), scope: Some(scope) }
    }

    pub fn rate(&self) -> pb::PutRateRequest {
        let rate = pb::Rate {
            header: self.header(),
            platform_code: self.text("platform", "*"),
            province_code: self.text("province", "*"),
            industry_code: self.text("industry", "instant_delivery"),
            base: self.text("base", ""),
            factor: self.text("factor", "1"),
        };
        pb::PutRateRequest { request_id: self.request_id(), rate: Some(rate) }
    }

    pub fn rule(&self) -> pb::PutRuleRequest {
        let rule = pb::Rule {
            header: self.header(),
            name: self.text("name", ""),
            platform_code: self.text("platform", "*"),
            province_code: self.text("province", "*"),
            industry_code: self.text("industry", "*"),
            value: self.text("value", "").replace(';', ","),
        };
        pb::PutRuleRequest { request_id: self.request_id(), rule: Some(rule) }
    }

    pub fn preview(&self) -> pb::PreviewPremiumRequest {
        pb::PreviewPremiumRequest { order: Some(self.order()) }
    }

    pub fn rates(&self) -> pb::ListRatesRequest {
        pb::ListRatesRequest { page_size: 1_000, page_token: String::new() }
    }

    fn statement_key(&self) -> Option<pb::StatementKey> {
        Some(pb::StatementKey {
            platform_code: self.text("platform", "MEITUAN"),
            province_code: self.text("province", "31"),
            industry_code: self.text("industry", "instant_delivery"),
            period: self.text("period", ""),
        })
    }

    pub fn statement(&self) -> pb::GetStatementRequest {
        pb::GetStatementRequest { key: self.statement_key(), known_at: self.known_at() }
    }

    pub fn statement_lines(&self) -> pb::ListLinesRequest {
        let resume_after = String::new();
        pb::ListLinesRequest { key: self.statement_key(), known_at: self.known_at(), resume_after }
    }

    pub fn statements(&self) -> pb::ListStatementsRequest {
        pb::ListStatementsRequest {
            period: self.text("period", ""),
            platform_code: self.text("platform", ""),
            known_at: self.known_at(),
            ..Default::default()
        }
    }

    pub fn freeze(&self) -> pb::FreezePeriodRequest {
        pb::FreezePeriodRequest {
            request_id: self.request_id(),
            platform_code: self.text("platform", "MEITUAN"),
            province_code: self.text("province", "31"),
            period: self.text("period", ""),
        }
    }

    pub fn declare(&self) -> pb::RecordDeclarationRequest {
        let pb::FreezePeriodRequest { request_id, platform_code, province_code, period } = self.freeze();
        let declaration = pb::Declaration {
            declaration_no: self.text("no", ""),
            declared_on: self.text("on", ""),
            amount: self.text("amount", ""),
        };
        let declaration = Some(declaration);
        pb::RecordDeclarationRequest { request_id, platform_code, province_code, period, declaration }
    }

    pub fn pay(&self) -> pb::RecordPaymentRequest {
        let pb::FreezePeriodRequest { request_id, platform_code, province_code, period } = self.freeze();
        let payment = pb::Payment {
            receipt_no: self.text("no", ""),
            paid_on: self.text("on", ""),
            amount: self.text("amount", ""),
        };
        let payment = Some(payment);
        pb::RecordPaymentRequest { request_id, platform_code, province_code, period, payment }
    }

    pub fn reprice(&self) -> pb::RepriceOrdersRequest {
        pb::RepriceOrdersRequest {
            request_id: self.request_id(),
            platform_code: self.text("platform", ""),
            province_code: self.text("province", ""),
            industry_code: self.text("industry", ""),
            accepted_from: self.text("since", "2022-07-01"),
            accepted_before: self.text("until", ""),
            dry_run: self.0.contains_key("dry"),
        }
    }
}
