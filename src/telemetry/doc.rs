//! docs/metrics.md, made from the catalogue.

use std::fmt::Write as _;

use super::catalogue::{Family, Source, catalogue};

const HEAD: &str = "# Metrics

Made by `queuepulse metrics-doc` from the metric catalogue; do not edit.

Every metric of `/metrics`. Ratios are 0 to 1, times are seconds. A figure that does not exist (a ratio of
nothing, nobody waiting, a client without a contact feed) has no sample. Rows are per queue, so a sum
over queues is right for counts, seconds and counters; never average ratios, divide sums. Agents serve
several queues: for agents counted once take `queuepulse_client_…` and `queuepulse_all_…`.

Labels: `client`, `queue`, `channel` name the row; `window` is a time profile of the configuration (`5m`,
`30m`, `today`, …); `threshold` is in seconds; `outcome`, `state`, `reason` are closed lists or what events
say. A value longer than 128 bytes, or with characters that cannot be shown, is cut and ends in `~` and a
hash; an empty one is `__unknown__`. Of aux reasons a row shows six at most, the rest as `__other__`.

By default: counters, figures of now, and those marked *default* for the windows of `export.windows`.
Everything else by `export.families`.
";

/// The documentation of every metric.
pub fn metrics_doc() -> String {
    let mut out = HEAD.to_owned();
    section(&mut out, "Counters of a queue", |source| {
        matches!(source, Source::Counter(_))
    });
    section(&mut out, "A queue now", |source| {
        matches!(source, Source::Now(_))
    });
    section(&mut out, "A queue over a window", |source| {
        matches!(source, Source::Window(_))
    });
    section(&mut out, "Agents of a client, counted once", |source| {
        matches!(source, Source::ClientNow(_) | Source::ClientWindow(_))
    });
    section(&mut out, "All agents, counted once", |source| {
        matches!(source, Source::AllNow(_) | Source::AllWindow(_))
    });
    section(&mut out, "The engine's own", |source| {
        matches!(source, Source::Engine | Source::Corrections)
    });
    out
}

fn section(out: &mut String, title: &str, wanted: fn(&Source) -> bool) {
    // writing to a String cannot fail
    let _ = writeln!(out, "\n## {title}\n");
    let _ = writeln!(
        out,
        "| metric | type | unit | labels | default | what | how |"
    );
    let _ = writeln!(out, "|---|---|---|---|---|---|---|");
    for family in catalogue().iter().filter(|family| wanted(&family.source)) {
        let _ = writeln!(out, "{}", line(family));
    }
}

fn line(family: &Family) -> String {
    let labels: Vec<String> = family
        .labels
        .iter()
        .map(|label| format!("`{label}`"))
        .collect();
    format!(
        "| `{}` | {} | {} | {} | {} | {} | {} |",
        family.name,
        family.kind.name(),
        family.unit,
        labels.join(" "),
        if family.by_default { "yes" } else { "" },
        family.help,
        family.formula,
    )
}
