//! What was sold by the hour, drawn as bars.

use highstreet_wire::proto::tracking::BoardSalesSlot;
use maud::{Markup, html};

use crate::lang::Lang;
use crate::show::{self, Clock};

const HOURS: usize = 24;
/// The height of the tallest bar, and how far it is from one bar to the next; stretched to the page's width.
const TALL: i64 = 100;
const APART: usize = 10;
const WIDE: usize = 7;

/// The hours of a day in Korea, and what was taken in each.
pub(crate) fn by_hour(l: Lang, slots: &[BoardSalesSlot]) -> Markup {
    let taken = hours(slots);
    let most = taken.iter().copied().max().unwrap_or_default().max(1);
    let sold = taken.iter().enumerate().filter(|(_, won)| **won != 0);
    let said = sold.map(|(hour, won)| format!("{hour}: {}", show::money(Some(&show::won(*won))))).collect::<Vec<_>>();
    html! {
        figure.chart {
            svg viewBox=(format!("0 0 {} {TALL}", HOURS * APART)) preserveAspectRatio="none" role="img"
                aria-label=(format!("{}. {}", l.sales_by_hour(), said.join(", "))) {
                @for quarter in 1..4 {
                    line class="rule" x1="0" x2=(HOURS * APART) y1=(quarter * TALL / 4) y2=(quarter * TALL / 4) {}
                }
                @for (hour, won) in taken.iter().enumerate() {
                    @let high = if *won > 0 { (won * (TALL - 4) / most).max(2) } else { 0 };
                    rect class="bar" x=(hour * APART + 1) y=(TALL - high) width=(WIDE) height=(high) rx="1" {
                        title { (hour) ":00 · " (show::money(Some(&show::won(*won)))) }
                    }
                }
            }
            div.hours aria-hidden="true" { @for hour in (0..HOURS).step_by(3) { span { (hour) } } }
            figcaption { (l.sales_by_hour()) @if most > 1 { " · " (l.at_most()) " " (show::money(Some(&show::won(most)))) } }
        }
    }
}

/// What was taken in won, hour by hour; other currencies have no place on one axis.
fn hours(slots: &[BoardSalesSlot]) -> [i64; HOURS] {
    let mut taken = [0; HOURS];
    for slot in slots {
        let hour = slot.start_time.as_ref().map_or(0, |time| Clock::of(time).second / 3600);
        let won = slot.amounts.iter().filter(|amount| amount.currency_code == "KRW").map(|amount| amount.units);
        if let Some(taken) = usize::try_from(hour).ok().and_then(|hour| taken.get_mut(hour)) {
            *taken += won.sum::<i64>();
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_an_hour_are_one_bar() {
        let slot = |seconds, won| BoardSalesSlot {
            start_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            amounts: vec![show::won(won)],
            ..BoardSalesSlot::default()
        };
        // Midnight UTC is nine o'clock in Korea.
        let taken = hours(&[slot(0, 1000), slot(300, 500), slot(3600, -200)]);
        assert_eq!((taken[9], taken[10], taken.iter().sum::<i64>()), (1500, -200, 1300));
        assert!(by_hour(Lang::English, &[slot(0, 1000)]).into_string().contains("height=\"96\""));
    }
}
