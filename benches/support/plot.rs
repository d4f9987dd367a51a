//! A row of small line plots over the same steps of one size, as the text of an SVG.

#![allow(clippy::cast_precision_loss, reason = "pixels")]

use std::fmt::Write as _;

/// Of one plot, the room around it for text included.
const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 230.0;
/// The corners of its area.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 256.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 190.0;
const COLOURS: [&str; 4] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"];

/// What it shows, and its lines, each with a value for every step.
pub struct Plot<'a> {
    pub title: &'a str,
    pub lines: Vec<(&'a str, Vec<f64>)>,
}

/// The plots side by side; each step has the same distance to the next.
pub fn svg(size: &str, steps: &[String], plots: &[Plot<'_>]) -> String {
    let width = WIDTH * plots.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    for (number, plot) in plots.iter().enumerate() {
        let left = WIDTH * number as f64;
        let _ = writeln!(text, "<g transform=\"translate({left} 0)\">");
        one(&mut text, size, steps, plot);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

fn one(text: &mut String, size: &str, steps: &[String], plot: &Plot<'_>) {
    let values = plot.lines.iter().flat_map(|(_, values)| values);
    let top = round_up(values.copied().fold(0.0, f64::max));
    let x = |step: usize| LEFT + (RIGHT - LEFT) * step as f64 / (steps.len().max(2) - 1) as f64;
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * value / top;
    label(text, (LEFT, 18.0), "start", "#000", plot.title);
    label(text, (RIGHT, HEIGHT - 8.0), "end", "#000", size);
    for part in [0.0, 0.5, 1.0] {
        let at = y(top * part);
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>"
        );
        let number = (top * part).to_string();
        label(text, (LEFT - 6.0, at + 4.0), "end", "#555", &number);
    }
    for (step, name) in steps.iter().enumerate() {
        label(text, (x(step), BOTTOM + 16.0), "middle", "#555", name);
    }
    for (number, ((name, values), colour)) in plot.lines.iter().zip(COLOURS).enumerate() {
        let points = values.iter().enumerate();
        let points: Vec<String> = points
            .map(|(step, value)| format!("{:.1},{:.1}", x(step), y(*value)))
            .collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        let beside = LEFT + 62.0 * number as f64;
        label(text, (beside, 38.0), "start", colour, name);
    }
}

fn label(text: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, what: &str) {
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{what}</text>"
    );
}

/// The next of 1, 2, 4, 10, 20, 40 …
fn round_up(value: f64) -> f64 {
    let decade = 10_f64.powf(value.max(1e-3).log10().floor());
    let steps = [1.0, 2.0, 4.0, 10.0].map(|step| step * decade);
    steps
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(value)
}
