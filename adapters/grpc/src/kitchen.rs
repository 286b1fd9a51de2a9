//! The kitchen over gRPC.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Id, ShopId, Standing};
use highstreet_domain::kitchen::{Command, Preparation};
use highstreet_wire::convert::{items, reference, timestamp};
use highstreet_wire::proto::kitchen as proto;
use highstreet_wire::proto::kitchen::kitchen_service_server::KitchenService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, scope_of};
use crate::status::not_found;

/// The kitchen, inbound.
pub struct Kitchen(pub Desk<Preparation>);

#[async_trait]
impl KitchenService for Kitchen {
    async fn complete_preparation(
        &self,
        request: Request<proto::CompletePreparationRequest>,
    ) -> Result<Response<proto::CompletePreparationResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let id = fields.uuid("preparation_id", &message.preparation_id);
        let id = Id::new(fields.finish_with(id)?);
        let (id, preparation) = self.0.change(&call, terms, id, Command::Complete).await?;
        Ok(Response::new(proto::CompletePreparationResponse { preparation: Some(show(id, &preparation)?) }))
    }

    async fn get_preparation(
        &self,
        request: Request<proto::GetPreparationRequest>,
    ) -> Result<Response<proto::GetPreparationResponse>, Status> {
        let mut fields = Fields::default();
        let id = fields.uuid("preparation_id", &request.get_ref().preparation_id);
        let id = Id::new(fields.finish_with(id)?);
        let preparation = self.0.find(&scope_of(&request), id).await?;
        Ok(Response::new(proto::GetPreparationResponse { preparation: Some(show(id, &preparation)?) }))
    }

    async fn list_preparations(
        &self,
        request: Request<proto::ListPreparationsRequest>,
    ) -> Result<Response<proto::ListPreparationsResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let status = proto::PreparationStatus::try_from(message.status).ok().map(|status| status.as_str_name());
        let filter = Filter {
            shop: fields.check("shop_id", ShopId::parse(&message.shop_id)).map(|shop| shop.to_string()),
            status: fields.status("status", message.status, status, "PREPARATION_STATUS_"),
            ..Filter::default()
        };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        fields.finish()?;
        let (found, next_page_token) = self.0.list(&scope, &wanted).await?;
        let preparations = found.iter().map(|(id, it)| show(*id, it)).collect::<Result<_, _>>()?;
        Ok(Response::new(proto::ListPreparationsResponse { preparations, next_page_token }))
    }
}

fn show(id: Id<Preparation>, preparation: &Standing<Preparation>) -> Result<proto::Preparation, Status> {
    let work = preparation.state.work().ok_or_else(|| not_found("preparation", &id.to_string()))?;
    let status = match preparation.state {
        Preparation::Unborn | Preparation::Preparing(_) => proto::PreparationStatus::Preparing,
        Preparation::Ready(_) => proto::PreparationStatus::Ready,
        Preparation::Cancelled(_) => proto::PreparationStatus::Cancelled,
    };
    Ok(proto::Preparation {
        preparation_id: id.to_string(),
        shop_id: work.case.shop.to_string(),
        order: Some(reference(&work.order)),
        customer: work.case.customer.clone(),
        items: items(&work.items),
        status: status.into(),
        revision: preparation.revision.cast_signed(),
        create_time: Some(timestamp(preparation.created)),
        update_time: Some(timestamp(preparation.updated)),
    })
}
