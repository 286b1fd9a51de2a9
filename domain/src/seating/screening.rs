//! One screening and who sits where.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::language::{Change, Command, Details, Event, Guest, Hall, OpenedBy, Rejection};
use crate::kernel::{Aggregate, Due, Id, Index, Never, ProductName, ScreeningId, Seat, Seats, ShopId, Timestamp};

/// A screening: the seats that somebody has now. What bookings said before is kept by booking beside it, so that it
/// stays as small as its hall for ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Screening {
    /// `None` before it was opened.
    pub opened: Option<Opened>,
    /// The entry that was read, or written, last.
    #[serde(skip)]
    entry: Option<Entry>,
}

/// A screening that seats can be had of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// What it is called.
    pub name: ScreeningName,
    /// What is shown, where and when.
    pub details: Details,
    /// How it came to be open.
    pub by: OpenedBy,
    /// The seats that somebody has.
    pub seats: BTreeMap<Seat, Holding>,
}

/// What people call a screening by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreeningName {
    /// The cinema.
    pub shop: ShopId,
    /// The screening.
    pub screening: ScreeningId,
}

/// Who has a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who.
    pub guest: Guest,
    /// Until when; `None` for good.
    pub until: Option<Timestamp>,
}

/// What was heard last of one booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// It took seats.
    Took {
        /// With this revision of its own.
        revision: u64,
    },
    /// It let go of seats.
    LetGo {
        /// With this revision of its own.
        revision: u64,
    },
}

/// Whether a seat can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatStatus {
    /// It can.
    Free,
    /// Somebody is about to have it.
    Held,
    /// Somebody has it.
    Assigned,
}

// === impl Screening ===

impl Aggregate for Screening {
    const NAME: &'static str = "screening";
    const VERSION: u32 = 1;

    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Step = Never;
    type Entry = Entry;

    fn decide(&self, command: &Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        match (&self.opened, command) {
            (None | Some(Opened { by: OpenedBy::Use, .. }), Command::Open(name, details)) => {
                self.fits(&details.hall)?;
                Ok(vec![Event::Opened { name: name.clone(), details: details.clone(), by: OpenedBy::Hand }])
            }
            // Opened before, and just so.
            (Some(opened), Command::Open(_, details)) if opened.details == *details => Ok(vec![]),
            (Some(_), Command::Open(..)) => Err(Rejection::AlreadyOpen),

            (opened, Command::Hold { change, seats, hold_for }) => {
                self.still_counts(change.revision)?;
                // The same call again, or one for what the booking has for good.
                if opened.as_ref().is_some_and(|opened| opened.keeps(&change.guest, seats, now))
                    && self.is_repeated(change)
                {
                    return Ok(vec![]);
                }
                let mut events = self.made_room(change, seats, now)?;
                events.push(Event::Held {
                    guest: change.guest.clone(),
                    revision: change.revision,
                    seats: seats.clone(),
                    until: now.after(*hold_for),
                });
                Ok(events)
            }
            (opened, Command::Assign { change, seats }) => {
                self.still_counts(change.revision)?;
                if opened.as_ref().is_some_and(|opened| opened.is_assigned(&change.guest, seats))
                    && self.is_repeated(change)
                {
                    return Ok(vec![]);
                }
                let mut events = self.made_room(change, seats, now)?;
                let (guest, revision) = (change.guest.clone(), change.revision);
                events.push(Event::Assigned { guest, revision, seats: seats.clone() });
                Ok(events)
            }
            (opened, Command::Release { change, seats }) => Ok(self.released(opened.as_ref(), change, seats.as_ref())),

            // Nobody has a seat of it.
            (None, Command::ExpireHolds) => Ok(vec![]),
            (Some(opened), Command::ExpireHolds) => Ok(opened.expired(now, |_| true)),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match (&mut self.opened, event) {
            (opened, Event::Opened { name, details, by }) => {
                let seats = opened.take().map(|opened| opened.seats).unwrap_or_default();
                *opened = Some(Opened { name: name.clone(), details: details.clone(), by: *by, seats });
            }
            (Some(opened), Event::Held { guest, revision, seats, until }) => {
                opened.seats.retain(|_, it| it.guest.booking != guest.booking || it.until.is_none());
                for seat in seats.iter() {
                    let held = Holding { guest: guest.clone(), until: Some(*until) };
                    // What the booking has for good it does not merely hold.
                    opened.seats.entry(seat).or_insert(held);
                }
                self.entry = Some(Entry::Took { revision: *revision });
            }
            (Some(opened), Event::Assigned { guest, revision, seats }) => {
                opened.seats.retain(|_, it| it.guest.booking != guest.booking);
                let holding = |seat| (seat, Holding { guest: guest.clone(), until: None });
                opened.seats.extend(seats.iter().map(holding));
                self.entry = Some(Entry::Took { revision: *revision });
            }
            (opened, Event::Released { seats, revision, .. }) => {
                if let (Some(opened), Some(seats)) = (opened, seats) {
                    opened.seats.retain(|seat, _| !seats.contains(*seat));
                }
                self.entry = Some(Entry::LetGo { revision: *revision });
            }
            (Some(opened), Event::HoldExpired { seats, .. }) => {
                opened.seats.retain(|seat, _| !seats.contains(*seat));
            }
            // No history holds such a pair.
            (None, Event::Held { .. } | Event::Assigned { .. } | Event::HoldExpired { .. }) => {}
        }
        self
    }

    fn due(&self) -> Option<Due<Self>> {
        let at = self.opened.as_ref()?.seats.values().filter_map(|holding| holding.until).min()?;
        Some(Due::Deadline { at, command: Command::ExpireHolds })
    }

    fn index(&self) -> Option<Index> {
        let opened = self.opened.as_ref()?;
        Some(Index { shop: opened.name.shop.to_string(), ..Index::default() })
    }

    fn entry_key(command: &Command) -> Option<String> {
        match command {
            Command::Hold { change, .. } | Command::Assign { change, .. } | Command::Release { change, .. } => {
                Some(change.guest.booking.clone())
            }
            Command::Open(..) | Command::ExpireHolds => None,
        }
    }

    fn open(self, _key: &str, entry: Option<Entry>) -> Self {
        Self { entry, ..self }
    }

    fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()
    }
}

impl Screening {
    /// Whether what a booking asks for at `revision` still counts: it took nothing later, and let go of nothing since.
    fn still_counts(&self, revision: u64) -> Result<(), Rejection> {
        match self.entry {
            Some(Entry::Took { revision: last }) if revision < last => Err(Rejection::Superseded),
            Some(Entry::LetGo { revision: last }) if revision <= last => Err(Rejection::Superseded),
            _ => Ok(()),
        }
    }

    fn is_repeated(&self, change: &Change) -> bool {
        self.entry == Some(Entry::Took { revision: change.revision })
    }

    /// What has to happen before `change` can have `seats`: the screening opens, holds that ran out are gone.
    fn made_room(&self, change: &Change, seats: &Seats, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        let Some(opened) = &self.opened else {
            let opening = change.name.opened_by_use()?;
            let Event::Opened { details, .. } = &opening else { return Ok(vec![]) };
            within(&details.hall, seats)?;
            return Ok(vec![opening]);
        };
        within(&opened.details.hall, seats)?;
        let others = |seat: &Seat| opened.seats.get(seat).filter(|it| it.guest.booking != change.guest.booking);
        let taken = seats.iter().filter(|seat| others(seat).is_some_and(|holding| !holding.ran_out(now)));
        match Seats::of(taken) {
            Some(taken) => Err(Rejection::SeatTaken(taken)),
            None => Ok(opened.expired(now, |seat| seats.contains(seat) && others(&seat).is_some())),
        }
    }

    fn released(&self, opened: Option<&Opened>, change: &Change, wanted: Option<&Seats>) -> Vec<Event> {
        let revision = change.revision;
        let known = match self.entry {
            // It took seats since: what an older revision let go of is not those.
            Some(Entry::Took { revision: last }) if revision < last => return vec![],
            Some(Entry::LetGo { revision: last }) => revision <= last,
            _ => false,
        };
        let has = |seat: &Seat| wanted.is_none_or(|wanted| wanted.contains(*seat));
        let seats = opened.and_then(|opened| Seats::of(opened.seats_of(&change.guest).filter(has)));
        // Known already, and nothing is left.
        if known && seats.is_none() {
            return vec![];
        }
        vec![Event::Released { guest: change.guest.clone(), revision, seats }]
    }

    fn fits(&self, hall: &Hall) -> Result<(), Rejection> {
        let seats = self.opened.iter().flat_map(|opened| opened.seats.keys().copied());
        Seats::of(seats.filter(|seat| !hall.has(*seat))).map_or(Ok(()), |seats| Err(Rejection::HallTooSmall(seats)))
    }
}

fn within(hall: &Hall, seats: &Seats) -> Result<(), Rejection> {
    Seats::of(seats.iter().filter(|seat| !hall.has(*seat))).map_or(Ok(()), |seats| Err(Rejection::NoSuchSeat(seats)))
}

// === impl Opened ===

impl Opened {
    /// Whether `seat` can be had at `now`.
    pub fn status(&self, seat: Seat, now: Timestamp) -> SeatStatus {
        match self.seats.get(&seat) {
            None => SeatStatus::Free,
            Some(holding) if holding.ran_out(now) => SeatStatus::Free,
            Some(Holding { until: Some(_), .. }) => SeatStatus::Held,
            Some(Holding { until: None, .. }) => SeatStatus::Assigned,
        }
    }

    fn seats_of<'a>(&'a self, guest: &'a Guest) -> impl Iterator<Item = Seat> + 'a {
        self.seats.iter().filter(|(_, it)| it.guest.booking == guest.booking).map(|(seat, _)| *seat)
    }

    fn keeps(&self, guest: &Guest, seats: &Seats, now: Timestamp) -> bool {
        seats
            .iter()
            .all(|seat| self.seats.get(&seat).is_some_and(|it| it.guest.booking == guest.booking && !it.ran_out(now)))
    }

    fn is_assigned(&self, guest: &Guest, seats: &Seats) -> bool {
        self.seats_of(guest).count() == seats.count()
            && seats.iter().all(|seat| {
                self.seats.get(&seat).is_some_and(|it| it.guest.booking == guest.booking && it.until.is_none())
            })
    }

    /// The holds that ran out on seats that `matter`, one event for each booking.
    fn expired(&self, now: Timestamp, matter: impl Fn(Seat) -> bool) -> Vec<Event> {
        let mut guests: Vec<(&Guest, Vec<Seat>)> = Vec::new();
        for (seat, holding) in self.seats.iter().filter(|(seat, holding)| holding.ran_out(now) && matter(**seat)) {
            match guests.iter_mut().find(|(guest, _)| guest.booking == holding.guest.booking) {
                Some((_, seats)) => seats.push(*seat),
                None => guests.push((&holding.guest, vec![*seat])),
            }
        }
        let expired = |(guest, seats): (&Guest, Vec<Seat>)| {
            Seats::of(seats).map(|seats| Event::HoldExpired { guest: guest.clone(), seats })
        };
        guests.into_iter().filter_map(expired).collect()
    }
}

// === impl ScreeningName ===

impl ScreeningName {
    /// The screening's id.
    pub fn id(&self) -> Id<Screening> {
        Id::named(&[self.shop.as_str(), self.screening.as_str()])
    }

    /// Nobody opened it, and somebody wants a seat: it is in the standard hall, and what is shown is called like it.
    fn opened_by_use(&self) -> Result<Event, Rejection> {
        // Every screening's name, up to 64 characters without control characters, can be a film's name.
        let movie = ProductName::parse(self.screening.as_str()).map_err(|_| Rejection::AlreadyOpen)?;
        let details = Details { movie, hall: Hall::standard(), starts_at: None };
        Ok(Event::Opened { name: self.clone(), details, by: OpenedBy::Use })
    }
}

// === impl Holding ===

impl Holding {
    fn ran_out(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
