//! Loyalty over gRPC.

use async_trait::async_trait;
use highstreet_domain::kernel::ports::Filter;
use highstreet_domain::kernel::{Payer, ShopId, Timestamp};
use highstreet_domain::loyalty::{Account, AccountName, Command, Entry, Program};
use highstreet_wire::convert::{reference, timestamp};
use highstreet_wire::loyalty::program;
use highstreet_wire::proto::loyalty as proto;
use highstreet_wire::proto::loyalty::loyalty_service_server::LoyaltyService;
use tonic::{Request, Response, Status};

use crate::Desk;
use crate::fields::Fields;
use crate::opened::Opened;
use crate::page::Wanted;
use crate::scope::{asked, refuse_beyond};
use crate::status::of_store;

/// The most points of one grant.
const MOST_POINTS: i64 = 1_000_000;

/// Loyalty, inbound.
pub struct Loyalty(pub Desk<Account>);

#[async_trait]
impl LoyaltyService for Loyalty {
    async fn grant_points(
        &self,
        request: Request<proto::GrantPointsRequest>,
    ) -> Result<Response<proto::GrantPointsResponse>, Status> {
        let Opened { call, message, terms, mut fields } = self.0.open(request)?;
        let name = read_name(&mut fields, &message.shop_id, Some(Program::Points), &message.member);
        let reference = fields.reference("reference", message.reference.as_ref());
        let root = message.root.as_ref().and_then(|root| fields.reference("root", Some(root)));
        let amount = u64::try_from(message.points).ok().filter(|_| (1..=MOST_POINTS).contains(&message.points));
        let amount = fields.check("points", amount.ok_or("must be 1 to 1,000,000"));
        let ((name, reference), amount) = fields.finish_with(name.zip(reference).zip(amount))?;
        let command = Command::Earn { name: name.clone(), reference, amount, root };
        let (id, account) = self.0.change(&call, terms, name.id(), command).await?;
        let entry = highstreet_domain::kernel::Aggregate::entry(&account.state);
        Ok(Response::new(proto::GrantPointsResponse {
            entry: entry.map(|entry| show_entry(entry, account.updated)),
            account: Some(show(&name, id.to_string(), Some(&account))),
        }))
    }

    async fn get_account(
        &self,
        request: Request<proto::GetAccountRequest>,
    ) -> Result<Response<proto::GetAccountResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let program = read_program(&mut fields, message.program);
        let name = read_name(&mut fields, &message.shop_id, program, &message.member);
        let name = fields.finish_with(name)?;
        refuse_beyond(&scope, name.shop.as_str(), Some(&name.member_key()))?;
        let account = self.0.handler.find(name.id()).await.map_err(|error| of_store(&error))?;
        // Whoever has earned nothing yet has an account with nothing on it.
        let account = show(&name, name.id().to_string(), account.as_ref());
        Ok(Response::new(proto::GetAccountResponse { account: Some(account) }))
    }

    async fn list_entries(
        &self,
        request: Request<proto::ListEntriesRequest>,
    ) -> Result<Response<proto::ListEntriesResponse>, Status> {
        let (scope, message) = asked(request);
        let mut fields = Fields::default();
        let program = read_program(&mut fields, message.program);
        let name = read_name(&mut fields, &message.shop_id, program, &message.member);
        let owner = name.as_ref().map(|name| name.id().to_string());
        let filter = Filter { owner, ..Filter::default() };
        let wanted = Wanted::new(&mut fields, filter, message.page_size, &message.page_token);
        let name = fields.finish_with(name)?;
        refuse_beyond(&scope, name.shop.as_str(), Some(&name.member_key()))?;
        let (found, next_page_token) = self.0.entries(name.id(), &wanted).await?;
        let entries = found.iter().map(|kept| show_entry(&kept.entry, kept.updated)).collect();
        Ok(Response::new(proto::ListEntriesResponse { entries, next_page_token }))
    }
}

fn read_program(fields: &mut Fields, value: i32) -> Option<Program> {
    match proto::Program::try_from(value) {
        Ok(proto::Program::Stamps) => Some(Program::Stamps),
        Ok(proto::Program::Points) => Some(Program::Points),
        _ => {
            fields.wrong("program", "must be PROGRAM_STAMPS or PROGRAM_POINTS");
            None
        }
    }
}

fn read_name(fields: &mut Fields, shop: &str, program: Option<Program>, member: &str) -> Option<AccountName> {
    let shop = fields.check("shop_id", ShopId::parse(shop));
    let member = fields.check("member", Payer::parse(member));
    let ((shop, member), program) = shop.zip(member).zip(program)?;
    Some(AccountName { shop, program, member: member.to_string() })
}

fn show(
    name: &AccountName,
    account_id: String,
    account: Option<&highstreet_domain::kernel::Standing<Account>>,
) -> proto::Account {
    proto::Account {
        account_id,
        shop_id: name.shop.to_string(),
        program: program(name.program).into(),
        member: name.member.clone(),
        balance: account.map_or(0, |account| account.state.balance),
        revision: account.map_or(0, |account| account.revision.cast_signed()),
        create_time: account.map(|account| timestamp(account.created)),
        update_time: account.map(|account| timestamp(account.updated)),
    }
}

fn show_entry(entry: &Entry, updated: Timestamp) -> proto::Entry {
    proto::Entry {
        reference: Some(reference(&entry.reference)),
        earned: entry.earned,
        reversed: entry.reversed,
        create_time: Some(timestamp(entry.created)),
        update_time: Some(timestamp(updated)),
    }
}
