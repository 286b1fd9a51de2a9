//! Every RPC, called by everybody, about what is theirs and what is not.

use highstreet::ContextName;
use highstreet::config::ShopArgs;
use highstreet_identity::{AccessTable, Role};
use highstreet_wire::proto::common::Access;
use prost_reflect::MethodDescriptor;
use serde_json::{Map, Value, json};
use tonic::Code;

use crate::common::HighStreet;
use crate::guest::{Guest, POOL, through};
use crate::people::{JUN, MINA, MINE, People, THEIRS};
use crate::shop::{EVERYBODY, Shop};

const ROLES: [Role; 5] = [Role::Customer, Role::Staff, Role::Owner, Role::HeadOffice, Role::Operator];
/// In which fields a request says whose something is.
const OWNERS: [&str; 6] = ["customer_phone", "customer", "payer", "member", "user_id", "recipient"];

/// A street with a lock on its door, and everybody who might come.
struct Visit {
    street: HighStreet,
    people: People,
    shop: Shop,
    methods: Vec<(MethodDescriptor, Access)>,
}

// === impl Visit ===

impl Visit {
    async fn begin() -> Self {
        let people = People::new();
        let street = HighStreet::on(people.ground("data"), ShopArgs::standard()).await;
        let everybody =
            Guest { way: through(street.channel.clone()), token: Some(people.token(&EVERYBODY, MINE, Some(MINA))) };
        let shop = Box::pin(Shop::open(&everybody)).await;
        let table = AccessTable::published().unwrap();
        let access = |method: &MethodDescriptor| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            let found = table.rpcs().find(|(known, _)| *known == path);
            found.unwrap().1.clone()
        };
        let services = POOL.services().filter(|service| service.full_name().starts_with("highstreet."));
        let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        let methods = methods.map(|method| (method.clone(), access(&method))).collect();
        Self { street, people, shop, methods }
    }

    /// What `method` says to whoever shows `token` and asks about Mina's things in the shop that is mine.
    async fn asks(&self, method: &MethodDescriptor, token: impl Into<Option<String>>) -> Code {
        let guest = Guest { way: through(self.street.channel.clone()), token: token.into() };
        let request = about_mina(method, &self.shop);
        match guest.call_method(method, request).await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        }
    }

    fn token(&self, role: Role, shop: &str, phone: &str) -> String {
        self.people.token(&[role], shop, Some(phone))
    }
}

fn context(method: &MethodDescriptor) -> String {
    method.parent_service().full_name().split('.').nth(1).unwrap().to_owned()
}

/// A request about what Mina has in the shop that is mine.
fn about_mina(method: &MethodDescriptor, shop: &Shop) -> Value {
    let context = context(method);
    let mut request = Map::new();
    let mut chosen = Vec::new();
    for field in method.input().fields() {
        let value = match field.name() {
            "shop_id" => Some(json!(MINE)),
            name if OWNERS.contains(&name) => Some(json!(MINA)),
            name => shop.says(&context, name),
        };
        // Of several ways to say what is meant, one.
        let choice = field.containing_oneof().filter(|it| !it.is_synthetic()).map(|it| it.name().to_owned());
        if choice.as_ref().is_some_and(|choice| chosen.contains(choice)) {
            continue;
        }
        if let Some(value) = value {
            chosen.extend(choice);
            request.insert(field.json_name().to_owned(), value);
        }
    }
    Value::Object(request)
}

/// Whether a call is about a shop at all.
fn is_about_a_shop(method: &MethodDescriptor) -> bool {
    context(method) != "operations"
}

/// CAP-13: without a token nobody calls anything; with one, whoever the RPC's `access` option names, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn every_rpc_admits_whom_it_names_and_nobody_else() {
    let visit = Visit::begin().await;
    let mut wrong = Vec::new();
    for (method, access) in &visit.methods {
        let name = method.full_name();
        let mut expect = |who: String, code: Code, wanted: Code| {
            if code != wanted {
                wrong.push(format!("{name} by {who}: {code:?}, not {wanted:?}"));
            }
        };
        expect("nobody".into(), visit.asks(method, None).await, Code::Unauthenticated);
        let forged = visit.people.token(&EVERYBODY, MINE, Some(MINA)).replace('.', "x.");
        expect("a forger".into(), visit.asks(method, forged).await, Code::Unauthenticated);
        let admits = |role: Role| access.signed_in || access.roles().chain(access.own()).any(|it| it == role);
        for role in ROLES.into_iter().filter(|role| !admits(*role)) {
            let token = visit.token(role, MINE, MINA);
            expect(format!("{role:?}"), visit.asks(method, token).await, Code::PermissionDenied);
        }
        if !access.signed_in {
            let nobody = visit.people.token(&[], MINE, Some(MINA));
            expect("somebody without a role".into(), visit.asks(method, nobody).await, Code::PermissionDenied);
        }
        let named = |context: &ContextName| access.contexts.iter().any(|named| named == context.as_str());
        for context in ContextName::ALL.iter().filter(|context| !named(context)) {
            let token = visit.people.context(*context);
            expect(format!("context {context}"), visit.asks(method, token).await, Code::PermissionDenied);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// CAP-13: what is another shop's or another customer's does not exist, for whoever may call at all; what is their own
/// does.
#[tokio::test(flavor = "multi_thread")]
async fn data_of_others_does_not_exist() {
    let visit = Visit::begin().await;
    let mut wrong = Vec::new();
    let about_shops = visit.methods.iter().filter(|(method, _)| is_about_a_shop(method));
    for (method, access) in about_shops.clone() {
        let name = method.full_name();
        for role in ROLES.into_iter().filter(|role| access.roles().chain(access.own()).any(|it| it == *role)) {
            let code = visit.asks(method, visit.token(role, THEIRS, MINA)).await;
            if code != Code::NotFound {
                wrong.push(format!("{name} by {role:?} of another shop: {code:?}"));
            }
        }
        for role in access.own() {
            let code = visit.asks(method, visit.token(role, MINE, JUN)).await;
            if code != Code::NotFound {
                wrong.push(format!("{name} by another {role:?}: {code:?}"));
            }
        }
    }
    // Then what may change things.
    for (method, access) in about_shops {
        let name = method.full_name();
        let of_shop =
            access.roles().chain(access.own()).map(|role| (format!("{role:?}"), visit.token(role, MINE, MINA)));
        let of_mesh = ContextName::ALL.iter().filter(|it| access.contexts.iter().any(|named| named == it.as_str()));
        let of_mesh = of_mesh.map(|it| (it.to_string(), visit.people.context(*it)));
        for (who, token) in of_shop.chain(of_mesh).collect::<Vec<_>>() {
            let code = visit.asks(method, token).await;
            let kept_out =
                [Code::NotFound, Code::PermissionDenied, Code::Unauthenticated, Code::Internal, Code::Unknown];
            if kept_out.contains(&code) {
                wrong.push(format!("{name} by {who}, about their own: {code:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// CAP-13: a list that names nobody shows a customer what is theirs, and staff everything.
#[tokio::test(flavor = "multi_thread")]
async fn lists_show_customers_their_own() {
    let visit = Visit::begin().await;
    let list = async |role, phone| {
        let guest = Guest { way: through(visit.street.channel.clone()), token: Some(visit.token(role, MINE, phone)) };
        let listed = guest.call("ordering.v1.OrderingService/ListOrders", json!({"shopId": MINE})).await.unwrap();
        listed["orders"].as_array().unwrap().len()
    };
    assert_eq!(list(Role::Customer, MINA).await, 1);
    assert_eq!(list(Role::Customer, JUN).await, 0);
    assert_eq!(list(Role::Staff, JUN).await, 1);
}
