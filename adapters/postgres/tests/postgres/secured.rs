//! Certificates and passwords.

use highstreet_domain::kernel::ports::Outbox;
use highstreet_postgres::{OpenError, PostgresSettings, Store};
use highstreet_testkit::servers::PostgresServer;

use crate::counting::{Replica, first, id};

const PASSWORD: &str = "hunter-of-seals";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_if_its_certificate_comes_from_the_authority_named() {
    let (server, other) = (PostgresServer::start_secured().await, PostgresServer::start_secured().await);
    let url = format!("{}?sslmode=require", server.url());
    let trusting = |authorities| PostgresSettings { authorities, ..PostgresSettings::new(&url, "secured") };
    let replica = Replica::with(&trusting(Some(server.authority()))).await;
    replica.append(first(id(1), 1)).await.unwrap();
    assert_eq!(replica.numbers(id(1)).await, [1]);
    let outbox = replica.outbox();
    assert_eq!(outbox.next(10).await.unwrap().len(), 1);
    let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name LIKE 'highstreet%' AND NOT ssl";
    assert_eq!(server.run(plain), "0", "every connection is encrypted");
    for authorities in [Some(other.authority()), None] {
        let refused = Store::open(&trusting(authorities)).await.map(drop);
        let Err(OpenError::Away(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("certificate"), "{why}");
        assert!(why.contains("authorities"), "it says what to do: {why}");
    }
    let refused = Store::open(&trusting(Some("/nowhere/ca.pem".into()))).await.map(drop);
    let Err(OpenError::Certificates(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("/nowhere/ca.pem"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_encrypt_is_refused_where_that_is_required() {
    let server = PostgresServer::start().await;
    let settings = PostgresSettings::new(format!("{}?sslmode=require", server.url()), "plain");
    let refused = Store::open(&settings).await.map(drop);
    let Err(OpenError::Away(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("TLS"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_of_and_not_told() {
    let server = PostgresServer::start().await;
    server.run("CREATE ROLE guarded");
    server.run("CREATE ROLE mina LOGIN SUPERUSER PASSWORD 'right' IN ROLE guarded");
    let with = |password: &str| server.url().replace("postgres@", &format!("mina:{password}@"));
    let settings = PostgresSettings::new(with(PASSWORD), "guarded");
    let refused = Store::open(&settings).await.map(drop);
    let Err(error @ OpenError::Away(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("password authentication failed for user \"mina\""), "{error}");
    assert_silent(&error);
    Replica::with(&PostgresSettings::new(with("right"), "guarded")).await.append(first(id(1), 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_printed() {
    let url = format!("postgres://mina:{PASSWORD}@localhost/highstreet");
    let settings = PostgresSettings::new(&url, "silent");
    assert!(!format!("{settings:?} {settings:#?}").contains(PASSWORD));
    assert!(format!("{settings:?}").contains("silent"), "{settings:?}");
    for unfit in [
        format!("postgres://mina:{PASSWORD}@localhost:port/highstreet"),
        format!("postgres://mina:{PASSWORD}@localhost/highstreet?sslmode=perhaps"),
        format!("host=localhost password=a {PASSWORD}=b"),
        format!("mina:{PASSWORD}@localhost"),
        format!("postgres://localhost/highstreet?{PASSWORD}=1"),
    ] {
        let refused = Store::open(&PostgresSettings::new(&unfit, "unfit")).await.map(drop);
        let Err(error @ OpenError::Address(_)) = refused else { panic!("{unfit}: {refused:?}") };
        assert_silent(&error);
    }
}

#[track_caller]
fn assert_silent(error: &OpenError) {
    let said = format!("{error} {error:?} {error:#?}");
    assert!(!said.contains(PASSWORD), "{said}");
}
