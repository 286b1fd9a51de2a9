//! Small drawings, in the colour of the text around them. They say nothing that is not written beside them.

use maud::{Markup, html};

/// A drawing of 24 by 24.
#[derive(Clone, Copy)]
pub(crate) struct Icon(&'static str);

pub(crate) const PERSON: Icon = Icon("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7.5 8a7.5 7.5 0 0 1 15 0");
pub(crate) const CUP: Icon =
    Icon("M5 9h12v6a5 5 0 0 1-5 5h-2a5 5 0 0 1-5-5V9Zm12 1.5h1.5a2.5 2.5 0 0 1 0 5H17M9 3v2.5M13 3v2.5");
pub(crate) const FILM: Icon = Icon("M4 5h16v14H4V5Zm4 0v14m8-14v14M4 9.7h4m-4 4.6h4m8-4.6h4m-4 4.6h4");
pub(crate) const BOOK: Icon =
    Icon("M12 6.5C10 5 7 4.500 4 4.800V18.500c3-.3 6 .2 8 1.700 2-1.500 5-2 8-1.700V4.800c-3-.3-6 .2-8 1.700Zm0 0V20");
pub(crate) const COUNTER: Icon = Icon("M3.500 10h17l-1.500-5H5l-1.500 5Zm1.500 0v9h14v-9M10 19v-5h4v5");
pub(crate) const CHART: Icon = Icon("M4 20h16M7 16v-5m5 5V6m5 10V9");
pub(crate) const PULSE: Icon = Icon("M3 12h4l2.500-6 4.500 12 2.500-6H21");
pub(crate) const TRUCK: Icon = Icon(
    "M3 6h11v10H3V6Zm11 4h4l3 3v3h-7v-6ZM7 19a1.800 1.800 0 1 0 0-3.600A1.800 1.800 0 0 0 7 19Zm10 0a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600Z",
);
pub(crate) const BELL: Icon = Icon("M6 16v-5a6 6 0 1 1 12 0v5l1.500 2h-15L6 16Zm4 4.500h4");
pub(crate) const ROUTE: Icon = Icon("M4 8h14m-3.500-3.500L18 8l-3.500 3.500M20 16H6m3.500-3.500L6 16l3.500 3.500");
pub(crate) const TICKET: Icon =
    Icon("M4 7h16v3.500a1.700 1.700 0 0 0 0 3V17H4v-3.500a1.700 1.700 0 0 0 0-3V7Zm10 0v10");
pub(crate) const BOX: Icon = Icon("M4 8l8-4 8 4v8l-8 4-8-4V8Zm0 0 8 4 8-4m-8 4v8");
pub(crate) const CARD: Icon = Icon("M3.500 6h17v12h-17V6Zm0 4h17M7 14.500h4");
pub(crate) const STAR: Icon =
    Icon("m12 4 2.400 5 5.500.700-4 3.800 1 5.500-4.900-2.700L7.100 19l1-5.500-4-3.800 5.500-.700L12 4Z");
pub(crate) const LIST: Icon = Icon("M9 7h11M9 12h11M9 17h11M4.500 7h.01M4.500 12h.01M4.500 17h.01");

// === impl Icon ===

impl maud::Render for Icon {
    fn render(&self) -> Markup {
        html! {
            svg.icon viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.7"
                stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false" {
                path d=(self.0) {}
            }
        }
    }
}
