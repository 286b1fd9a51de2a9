//! What is mailed, and what is made of a mail server's answers.

use std::time::Duration;

use highstreet_domain::kernel::{Outage, Unanswered};
use highstreet_domain::notification::{Letter, Notifier, Recipient, Refused, Role, Sending};
use highstreet_testkit::servers::{MailServer, Manner};

use super::{a_sending, clock, sending};
use crate::{MailAddress, RepeatedRoute, Route, Routing, Smtp, SmtpSettings};

type Outcome = Result<Result<(), Refused>, Unanswered>;

fn smtp(server: &MailServer) -> Smtp {
    let settings = SmtpSettings::new(server.url().parse().unwrap(), "skanu@example.com".parse().unwrap());
    Smtp::new(SmtpSettings { timeout: Duration::from_millis(300), ..settings }, clock())
}

fn mailing(server: &MailServer, routes: &[&str]) -> Routing {
    let routes = routes.iter().map(|route| route.parse().unwrap()).collect();
    Routing::default().with_mail(routes, smtp(server)).unwrap()
}

async fn sent_to(manner: Manner) -> Outcome {
    let server = MailServer::start().await;
    server.set(manner);
    mailing(&server, &["*/*=mina@example.com"]).send(&a_sending()).await
}

#[tokio::test]
async fn a_mail_says_what_there_is_to_say_and_names_the_notification() {
    let server = MailServer::start().await;
    let sending = a_sending();
    let routing = mailing(&server, &["skanu/customer=mina@example.com"]);
    assert_eq!(routing.send(&sending).await, Ok(Ok(())));
    let taken = server.taken();
    let [mail] = taken.as_slice() else { panic!("one mail, and not {taken:?}") };
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("skanu@example.com", &["mina@example.com".to_owned()][..]));
    for header in [
        "From: skanu <skanu@example.com>\r\n",
        "To: mina@example.com\r\n",
        "Date: Thu, 25 Feb 2021 15:02:10 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        // "주문이 결제되었습니다"
        "Subject: =?utf-8?b?7KO866y47J20IOqysOygnOuQmOyXiOyKteuLiOuLpA==?=\r\n",
        &format!("Message-ID: <{}@example.com>\r\n", sending.key.uuid()),
    ] {
        assert!(mail.text.contains(header), "{header} is missing in:\n{}", mail.text);
    }
    // "주문이 결제되었습니다."
    assert!(mail.text.ends_with("\r\n\r\n7KO866y47J20IOqysOygnOuQmOyXiOyKteuLiOuLpC4=\r\n"), "{}", mail.text);

    assert_eq!(routing.send(&sending).await, Ok(Ok(())));
    let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
    assert_eq!(id(&server.taken()[1].text), id(&mail.text), "a repeat can be recognised");
}

#[tokio::test]
async fn what_may_get_better_is_unanswered() {
    for code in [421, 450, 451, 452, 530, 534, 535, 538] {
        assert_eq!(sent_to(Manner::Answers(code)).await.unwrap_err().outage, Outage::Unknown, "{code}");
    }
}

#[tokio::test]
async fn what_will_not_get_better_is_refused() {
    for code in [550, 551, 552, 553, 554] {
        let Ok(Err(Refused(why))) = sent_to(Manner::Answers(code)).await else { panic!("not refused: {code}") };
        assert!(why.contains("not now, or never"), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_hangs_up_may_have_sent_it() {
    for manner in [Manner::Hangs, Manner::HangsUp] {
        assert_eq!(sent_to(manner).await.unwrap_err().outage, Outage::Unknown, "{manner:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("smtp://{nobody}").parse().unwrap();
    let settings = SmtpSettings::new(url, "skanu@example.com".parse().unwrap());
    let routes = vec!["*/*=mina@example.com".parse().unwrap()];
    let routing = Routing::default().with_mail(routes, Smtp::new(settings, clock())).unwrap();
    let why = routing.send(&a_sending()).await.unwrap_err().why;
    assert!(why.starts_with(&nobody.to_string()) && why.contains("refused"), "{why}");
}

/// No mail, and no password, to a server that cannot show who it is.
#[tokio::test]
async fn a_password_does_not_leave_in_the_clear() {
    let server = MailServer::start().await;
    let url = server.url().replace("smtp://", "smtp://me:secret@") + "?tls=required";
    let settings = SmtpSettings::new(url.parse().unwrap(), "skanu@example.com".parse().unwrap());
    let routes = vec!["*/*=mina@example.com".parse().unwrap()];
    let routing = Routing::default().with_mail(routes, Smtp::new(settings, clock())).unwrap();
    assert!(routing.send(&a_sending()).await.is_err());
    assert_eq!((server.taken(), server.tried()), (vec![], 0));
}

#[tokio::test]
async fn whoever_is_known_by_an_address_is_mailed_there() {
    let server = MailServer::start().await;
    let routing = mailing(&server, &["*/owner=owner@example.com"]);
    let to = |role, name: &str| {
        let Sending { letter, .. } = sending("skanu", role);
        Sending { letter: Letter { recipient: Recipient { role, name: name.into() }, ..letter }, ..a_sending() }
    };
    assert_eq!(routing.send(&to(Role::Customer, "mina@example.org")).await, Ok(Ok(())));
    assert_eq!(routing.send(&to(Role::Customer, "010-1234-5678")).await, Ok(Ok(())), "into the log");
    assert_eq!(routing.send(&to(Role::Owner, "mina@example.org")).await, Ok(Ok(())), "a route says otherwise");
    let taken: Vec<_> = server.taken().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(taken, ["mina@example.org", "owner@example.com"]);
}

#[tokio::test]
async fn a_mail_and_a_webhook_for_the_same_are_refused() {
    let server = MailServer::start().await;
    let webhooks = vec!["skanu/*=https://one.example".parse().unwrap()];
    let routing = Routing::default().with_webhooks(webhooks, &super::settings(), &clock()).unwrap();
    let mail: Vec<Route<MailAddress>> = vec!["skanu/*=mina@example.com".parse().unwrap()];
    let repeated = routing.with_mail(mail, smtp(&server)).unwrap_err();
    assert_eq!(repeated, RepeatedRoute { shop: "skanu".into(), role: "*".into() });
}
