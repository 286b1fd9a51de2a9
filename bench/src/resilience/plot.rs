//! A timeline as a picture: throughput, latency and the breaker's state over time.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::timeline::{Answer, Timeline, count, took};
use crate::Outcome;

const SIZE: (u32, u32) = (960, 640);
const STEP: f64 = 0.5;
const DONE: RGBColor = RGBColor(0x2a, 0x7f, 0x62);
const REFUSED: RGBColor = RGBColor(0xc4, 0x4e, 0x2c);
const BREAKER: RGBColor = RGBColor(0x3b, 0x5b, 0xa5);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Points = Vec<(f64, f64)>;

pub(super) fn draw(timeline: &Timeline, title: &str, path: &Path) -> Outcome<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 18))?;
    let (throughput, rest) = root.split_vertically(220);
    let (latency, breaker) = rest.split_vertically(220);
    let end = timeline.now();
    let windows: Vec<f64> = (0..(end / STEP) as usize).map(|step| step as f64 * STEP).collect();
    let over = |figure: &dyn Fn(f64) -> f64| windows.iter().map(|at| (*at, figure(*at))).collect::<Points>();
    let rate = |answer| over(&|at| count(&timeline.calls(at, at + STEP), answer) as f64 / STEP);
    let wait = |answer| over(&|at| took(&timeline.calls(at, at + STEP), answer, 0.5).as_secs_f64() * 1e3);
    let (done, refused) = (rate(Answer::Done), rate(Answer::TryAgain));
    lines(&throughput, "answers a second", 0.0..end, &[("done", DONE, done), ("try again", REFUSED, refused)])?;
    let (done, refused) = (wait(Answer::Done), wait(Answer::TryAgain));
    lines(&latency, "median, ms", 0.0..end, &[("done", DONE, done), ("try again", REFUSED, refused)])?;
    lines(&breaker, "breaker (2 is open)", 0.0..end, &[("state", BREAKER, timeline.breaker())])?;
    root.present()?;
    Ok(())
}

fn lines(area: &Area<'_>, what: &str, time: Range<f64>, lines: &[(&str, RGBColor, Points)]) -> Outcome<()> {
    let most = lines.iter().flat_map(|(_, _, points)| points).map(|(_, value)| *value).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d(time, 0.0..most * 1.1)?;
    chart.configure_mesh().light_line_style(WHITE).y_desc(what).x_labels(10).y_labels(5).draw()?;
    for (name, colour, points) in lines {
        let drawn = chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
        let colour = *colour;
        drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.2)).draw()?;
    Ok(())
}
