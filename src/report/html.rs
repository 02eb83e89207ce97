//! `report.html`: one page that needs nothing but itself, with the graph as a picture.
//!
//! It has no script and asks for nothing: its Content-Security-Policy allows the one style sheet, by its hash, and the
//! icon in a `data:` address. So a name that slipped through the escaping could still do nothing.

mod analyses;
mod counts;
mod drawing;
mod file;
mod findings;
mod flow;
mod graph;
mod page;
mod stages;
mod summary;
mod usage;

use super::Report;

/// The report as a page.
#[must_use]
pub fn render(report: &Report) -> String {
    page::render(report).into_string()
}

#[cfg(test)]
mod tests;
