//! Who is called from the street and is not on it: the payment provider, and the carrier of messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use highstreet_domain::kernel::ports::{Clock, Tasks};
use highstreet_domain::kernel::{Money, StepKey, Unanswered};
use highstreet_domain::notification::{Notifier, Refused, Sending};
use highstreet_domain::payment::{Authorisation, Charge, PaymentProvider};

use super::chronicle::Chronicle;
use super::network::Network;
use crate::lock;
use crate::sim::Sim;

/// Moves money, once per key.
pub(super) struct Provider {
    network: Network,
    tasks: Arc<dyn Tasks>,
    books: Arc<Books>,
}

/// Carries messages.
pub(super) struct Carrier {
    network: Network,
    tasks: Arc<dyn Tasks>,
    sent: Arc<Mutex<BTreeMap<String, u32>>>,
}

/// What the provider has written down.
struct Books {
    network: Network,
    chronicle: Chronicle,
    answers: Mutex<BTreeMap<StepKey, Authorisation>>,
    charges: Mutex<Vec<Entry>>,
}

/// Money that was taken.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The payment it was taken for.
    pub(super) payment: String,
    /// How much.
    pub(super) amount: Money,
    /// The keys under which it was given back.
    pub(super) refunds: Vec<StepKey>,
    key: StepKey,
}

// === impl Provider ===

impl Provider {
    pub(super) fn new(sim: &Sim, network: Network, chronicle: &Chronicle) -> Arc<Self> {
        let books = Arc::new(Books {
            network: network.clone(),
            chronicle: chronicle.clone(),
            answers: Mutex::default(),
            charges: Mutex::default(),
        });
        Arc::new(Self { network, tasks: sim.node().tasks(), books })
    }

    /// Everything that was ever taken.
    pub(super) fn charges(&self) -> Vec<Entry> {
        lock(&self.books.charges).clone()
    }
}

#[async_trait]
impl PaymentProvider for Provider {
    async fn authorise(&self, charge: &Charge, key: StepKey) -> Result<Authorisation, Unanswered> {
        let (books, charge) = (self.books.clone(), charge.clone());
        let what = format!("payment {} charges under {}", charge.payment, key.uuid());
        let work = async move {
            books.think().await;
            let answer = books.authorise(&charge, key);
            books.think().await;
            answer
        };
        self.network.send(&*self.tasks, &what, work).await
    }

    async fn refund(&self, reference: &str, _amount: Money, key: StepKey) -> Result<(), Unanswered> {
        let (books, reference) = (self.books.clone(), reference.to_owned());
        let what = format!("payment refunds {reference} under {}", key.uuid());
        self.network.send(&*self.tasks, &what, async move { books.refund(&reference, key) }).await
    }
}

// === impl Books ===

impl Books {
    async fn think(&self) {
        let time = self.network.clock.now().after(self.network.weather.delay() + Duration::from_millis(1));
        self.network.clock.until(time).await;
    }

    fn authorise(&self, charge: &Charge, key: StepKey) -> Authorisation {
        let mut answers = lock(&self.answers);
        if let Some(answer) = answers.get(&key) {
            return answer.clone();
        }
        let answer = if self.network.weather.strikes(20) {
            Authorisation::Declined { reason: "no funds".into() }
        } else {
            let entry = Entry { payment: charge.payment.clone(), amount: charge.amount, refunds: Vec::new(), key };
            lock(&self.charges).push(entry);
            Authorisation::Approved { reference: key.uuid().to_string() }
        };
        self.chronicle.note(|| format!("the provider answers {} for {}: {answer:?}", key.uuid(), charge.payment));
        answers.insert(key, answer.clone());
        answer
    }

    fn refund(&self, reference: &str, key: StepKey) {
        let mut charges = lock(&self.charges);
        let entry = charges.iter_mut().find(|entry| entry.key.uuid().to_string() == reference);
        let entry = entry.expect("only what was taken is given back: the reference is the provider's own");
        if !entry.refunds.contains(&key) {
            entry.refunds.push(key);
        }
    }
}

// === impl Carrier ===

impl Carrier {
    pub(super) fn new(sim: &Sim, network: Network) -> Arc<Self> {
        Arc::new(Self { network, tasks: sim.node().tasks(), sent: Arc::default() })
    }

    /// How often the notification with this id was sent.
    pub(super) fn sent(&self, id: &str) -> u32 {
        lock(&self.sent).get(id).copied().unwrap_or(0)
    }
}

#[async_trait]
impl Notifier for Carrier {
    async fn send(&self, sending: &Sending) -> Result<Result<(), Refused>, Unanswered> {
        let (sent, id) = (self.sent.clone(), sending.id.clone());
        let work = async move { *lock(&sent).entry(id).or_default() += 1 };
        self.network.send(&*self.tasks, "a message is sent", work).await.map(Ok)
    }
}
