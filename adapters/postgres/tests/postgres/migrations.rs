//! Schemas, as replicas of several versions and contexts open them.

use futures_util::future::join_all;
use highstreet_domain::kernel::ports::{Journal, Outbox};
use highstreet_postgres::{OpenError, PostgresSettings, Store};
use highstreet_testkit::servers::PostgresServer;

use crate::counting::{Replica, first, id};

#[tokio::test(flavor = "multi_thread")]
async fn ten_replicas_that_start_at_once_migrate_once() {
    let server = PostgresServer::start().await;
    let replicas = join_all((0..10).map(|_| Replica::open(&server, "ten"))).await;
    replicas[9].add(id(1), 1).await.unwrap();
    assert_eq!(replicas[0].numbers(id(1)).await, [1]);
    let each_once = "SELECT count(*) = max(version) FROM ten.refinery_schema_history";
    assert_eq!(server.run_in("highstreet", each_once), "t");
    drop(replicas);
    let again = Replica::open(&server, "ten").await;
    assert_eq!(again.numbers(id(1)).await, [1], "opened again, it is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_a_newer_version_added_to_still_opens() {
    let server = PostgresServer::start().await;
    Replica::open(&server, "newer").await.add(id(1), 1).await.unwrap();
    server.run_in(
        "highstreet",
        "SET search_path = newer; ALTER TABLE streams ADD COLUMN newer text; ALTER TABLE events ADD COLUMN newer text; \
         INSERT INTO refinery_schema_history SELECT 999, 'newer', max(applied_on), '1' FROM refinery_schema_history",
    );
    let older = Replica::open(&server, "newer").await;
    older.add(id(1), 2).await.unwrap();
    assert_eq!(older.numbers(id(1)).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_added_while_replicas_run_disturbs_them_not() {
    let server = PostgresServer::start().await;
    let replica = Replica::open(&server, "rolling").await;
    let outbox = replica.outbox();
    replica.add(id(1), 1).await.unwrap();
    let given = outbox.next(10).await.unwrap();
    assert_eq!(given.len(), 1);
    server.run_in(
        "highstreet",
        "SET search_path = rolling; ALTER TABLE streams ADD COLUMN newer text; ALTER TABLE events ADD COLUMN newer text; \
         ALTER TABLE claims ADD COLUMN newer text",
    );
    replica.add(id(1), 2).await.unwrap();
    let given = outbox.next(10).await.unwrap();
    assert_eq!(given.len(), 2);
    assert_eq!(replica.numbers(id(1)).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_in_one_database_do_not_see_each_other_whatever_they_are_called() {
    let server = PostgresServer::start().await;
    let names = [
        "plain",
        "Plain",
        "with space",
        "o'brien",
        "quo\"ted",
        "back\\slash",
        "semi;DROP SCHEMA plain CASCADE;--",
        "가게",
        "a-name-of-sixty-three-bytes-which-is-the-longest-that-there-is--",
    ];
    let names = names.map(|name| &name[..name.len().min(63)]);
    let mut replicas = Vec::new();
    for (name, number) in names.iter().zip(1..) {
        let replica = Replica::open(&server, name).await;
        replica.append(first(id(1), number)).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        replicas.push(replica);
    }
    for ((name, replica), number) in names.iter().zip(&replicas).zip(1..) {
        assert_eq!(replica.numbers(id(1)).await, [number], "{name}");
        let outbox = replica.outbox();
        let given = outbox.next(10).await.unwrap();
        assert_eq!(given.len(), 1, "{name}: each has its own outbox and its own leader");
        let standing = replica.journal.load(id(2), &[]).await.unwrap().standing;
        assert_eq!(standing.revision, 0);
        let schemas = format!("SELECT count(*) FROM pg_namespace WHERE nspname = $n${name}$n$");
        assert_eq!(server.run_in("highstreet", &schemas), "1", "{name}");
    }
    let with_long_name = |length| PostgresSettings::new(server.url(), "x".repeat(length));
    for unfit in [with_long_name(64), with_long_name(0)] {
        let refused = Store::open(&unfit).await.map(drop);
        assert!(matches!(refused, Err(OpenError::Address(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_make_schemas_is_told_and_may_use_one_made_for_it() {
    let server = PostgresServer::start().await;
    server.run_in("highstreet", "CREATE ROLE clerk LOGIN");
    let clerk = |schema| PostgresSettings::new(server.url().replace("postgres@", "clerk@"), schema);
    let refused = Store::open(&clerk("forbidden")).await.map(drop);
    let Err(OpenError::Migration(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("permission denied for database highstreet"), "{why}");
    server.run_in("highstreet", "CREATE SCHEMA given AUTHORIZATION clerk");
    let replica = Replica::with(&clerk("given")).await;
    replica.append(first(id(1), 1)).await.unwrap();
    server.run_in("highstreet", "CREATE SCHEMA closed; GRANT USAGE ON SCHEMA closed TO clerk");
    let refused = Store::open(&clerk("closed")).await.map(drop);
    let Err(OpenError::Migration(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("permission denied for schema closed"), "{why}");
    server.run_in("highstreet", "CREATE SCHEMA hidden");
    let refused = Store::open(&clerk("hidden")).await.map(drop);
    let Err(OpenError::Migration(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("hidden"), "{why}");
}
