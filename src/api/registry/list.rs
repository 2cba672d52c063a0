//! List…: all rows of any table, in the order of their numbers, from this instance's snapshot (at most seconds old).

use super::RegistryApi;
use super::rows::{TypedRow, message};
use crate::api::{page, status};
use crate::types::{Malformed, RowId, ViolationCode, Violations};
use tonic::Status;

impl RegistryApi {
    pub(super) fn list<T: TypedRow>(&self, page_size: u32, page_token: &str) -> Result<(Vec<T>, String), Status> {
        let mut wrong = Violations::default();
        let size = wrong.take("page_size", page::size(page_size));
        let after = wrong.take("page_token", after(page_token));
        let (Some(size), Some(after)) = (size, after) else { return Err(status::invalid("", &wrong)) };
        let snapshot = self.registry.snapshot();
        let mut rows = snapshot.rows().iter().filter(|row| row.draft.kind == T::KIND && row.id > after).peekable();
        let page: Vec<_> = rows.by_ref().take(size as usize).collect();
        let token = match (rows.peek(), page.last()) {
            (Some(_), Some(last)) => page::token(&[&last.id.get().to_be_bytes()]),
            _ => String::new(),
        };
        Ok((page.into_iter().map(|row| message(row)).collect(), token))
    }
}

fn after(token: &str) -> Result<RowId, Malformed> {
    let Some([id]) = page::parts(token)? else { return Ok(RowId::NONE) };
    let id = <[u8; 4]>::try_from(id).map(u32::from_be_bytes);
    id.map(RowId::new)
        .map_err(|_| Malformed::new(ViolationCode::Malformed, "must be the next_page_token of the answer before"))
}
