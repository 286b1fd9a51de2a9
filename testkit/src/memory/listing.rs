//! Pages of streams and of their entries, in memory.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Filter, Kept, Listing, Page, StoreError};
use highstreet_domain::kernel::{Aggregate, Id, Index, Standing, Timestamp};
use uuid::Uuid;

use super::Streams;
use super::trouble::Call;
use crate::lock;

#[async_trait]
impl<A: Aggregate> Listing<A> for Streams<A> {
    async fn page(&self, filter: &Filter, page: &Page) -> Result<Vec<(Id<A>, Standing<A>)>, StoreError> {
        let find = || {
            let kept = lock(&self.kept);
            let mut found: Vec<_> = kept
                .iter()
                .filter(|(_, stream)| stream.index.as_ref().is_some_and(|index| wanted(filter, index)))
                .map(|(id, stream)| (*id, stream.standing.clone()))
                .filter(|(id, standing)| behind(page, (standing.created, id.uuid())))
                .collect();
            found.sort_by_key(|(id, standing)| std::cmp::Reverse((standing.created, *id)));
            found.truncate(page.size);
            found
        };
        self.store.call(Call::Read, find).await
    }

    async fn entries(&self, id: Id<A>, page: &Page) -> Result<Vec<Kept<A>>, StoreError> {
        let find = || {
            let kept = lock(&self.kept);
            let entries = kept.get(&id).into_iter().flat_map(|stream| &stream.entries);
            let mut found: Vec<Kept<A>> = entries
                .map(|(key, kept)| {
                    let place = Timestamp::from_micros(i64::try_from(kept.place).unwrap_or(i64::MAX));
                    let (key, entry) = (key.clone(), kept.contents.clone());
                    Kept { place: (place, Uuid::nil()), key, entry, updated: kept.updated }
                })
                .filter(|kept| behind(page, kept.place))
                .collect();
            found.sort_by_key(|kept| std::cmp::Reverse(kept.place));
            found.truncate(page.size);
            found
        };
        self.store.call(Call::Read, find).await
    }
}

pub(super) fn behind(page: &Page, place: (Timestamp, Uuid)) -> bool {
    page.after.is_none_or(|after| place < after)
}

pub(super) fn wanted(filter: &Filter, index: &Index) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    is(&filter.shop, &index.shop)
        && is(&filter.owner, &index.owner)
        && is(&filter.reference, &index.reference)
        && is(&filter.status, &index.status)
}
