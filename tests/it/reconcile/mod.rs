//! Somebody's file against the ledger, over the wire: every kind of difference planted and found, files that are broken, uploads that are broken off.

mod broken;
mod planted;

use crate::served::Served;
use pb::reconcile_request::Part as Sent;
use pb::reconcile_response::Part;
use premium_ledger::api::proto as pb;
use premium_ledger::types::DifferenceType as Kind;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tokio_stream::iter;
use tonic::Status;

const OTHER_WORKER: &str = "00000000-0000-4000-8000-000000000001";

impl Served {
    /// Sends the file in small pieces.
    pub async fn reconcile(&self, start: pb::ReconcileStart, file: &[u8]) -> Result<Answer, Status> {
        let first = pb::ReconcileRequest { part: Some(Sent::Start(start)) };
        let pieces =
            file.chunks(1_000).map(|piece| pb::ReconcileRequest { part: Some(Sent::Data(piece.to_vec())) });
        let requests: Vec<_> = std::iter::once(first).chain(pieces).collect();
        let mut answers = self.statements().reconcile(iter(requests)).await?.into_inner();
        let mut answer = Answer::default();
        while let Some(response) = answers.message().await? {
            match response.part.unwrap() {
                Part::SendFrom(from) => answer.send_from = from,
                Part::Progress(_) => {}
                Part::Differences(some) => answer.differences.extend(some.differences),
                Part::Result(result) => answer.result = result,
            }
        }
        Ok(answer)
    }
}

#[derive(Debug, Default)]
pub struct Answer {
    send_from: u64,
    differences: Vec<pb::Difference>,
    pub result: pb::Reconciliation,
}

impl Answer {
    /// (type, row, order id, column) of each.
    fn told(&self) -> BTreeSet<(&'static str, u64, String, String)> {
        let one = |d: &pb::Difference| (name(d.r#type), d.row, d.order_id.clone(), d.column.clone());
        let told: BTreeSet<_> = self.differences.iter().map(one).collect();
        assert_eq!(told.len(), self.differences.len(), "each once");
        told
    }

    fn count(&self, kind: Kind) -> u64 {
        let of = |count: &&pb::DifferenceCount| count.r#type == i32::from(kind.code());
        self.result.counts.iter().find(of).map_or(0, |count| count.count)
    }
}

fn name(kind: i32) -> &'static str {
    Kind::from_code(u8::try_from(kind).unwrap()).unwrap().name()
}

pub fn start(request_id: &str, file: &[u8]) -> pb::ReconcileStart {
    pb::ReconcileStart {
        request_id: request_id.to_owned(),
        level: pb::ReconcileLevel::Line.into(),
        source: "tax".to_owned(),
        period: "2026-07".to_owned(),
        format: pb::FileFormat::Csv.into(),
        file_bytes: file.len() as u64,
        file_sha256: Sha256::digest(file).to_vec(),
        ..Default::default()
    }
}
