//! ListLines: the lines that a statement sums, as they were booked.

use super::StatementApi;
use super::lines::{LinesOf, resumed, token};
use crate::api::{proto as pb, status};
use crate::intake::IntakeError;
use crate::store::Store;
use crate::types::{SealNo, Violations};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Answers made ahead of the reader.
const AHEAD: usize = 4;

type Answers = ReceiverStream<Result<pb::ListLinesResponse, Status>>;

impl StatementApi {
    pub(super) async fn list_lines(&self, request: pb::ListLinesRequest) -> Result<Answers, Status> {
        let mut wrong = Violations::default();
        let key = self.statement_key(request.key, &mut wrong);
        let resumed = wrong.take("resume_after", resumed(&request.resume_after));
        let (Some(key), Some(resumed), true) = (key, resumed, wrong.is_empty()) else {
            return Err(status::invalid("", &wrong));
        };
        let (after, to) = match resumed {
            Some(resumed) => resumed,
            None => ((SealNo::NONE, None), self.known(request.known_at).await?.seal),
        };
        let (province, industry) = (Some(key.province), Some(key.industry));
        let of = LinesOf { platform: key.platform, province, industry, period: key.period, after, to };
        let (send, receive) = mpsc::channel(AHEAD);
        let (store, stopping) = (self.store.clone(), self.stopping.clone());
        tokio::spawn(async move {
            if let Err(failed) = tell(&store, of, (&send, &stopping)).await {
                // A reader who went away does not want it.
                let _ = send.send(Err(failed)).await;
            }
        });
        Ok(ReceiverStream::new(receive))
    }
}

async fn tell(
    store: &Store,
    mut of: LinesOf,
    (send, stopping): (&mpsc::Sender<Result<pb::ListLinesResponse, Status>>, &watch::Receiver<bool>),
) -> Result<(), Status> {
    while let Some(told) = of.next(store).await? {
        if *stopping.borrow() {
            return Err(status::intake_status(IntakeError::Stopping));
        }
        for (lines, place) in told {
            let resume_after = token(place, of.to);
            if send.send(Ok(pb::ListLinesResponse { lines, resume_after })).await.is_err() {
                return Ok(());
            }
        }
        if send.is_closed() {
            return Ok(());
        }
    }
    Ok(())
}
