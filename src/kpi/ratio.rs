//! The one place where counts and milliseconds become decimal numbers.
//!
//! A count above 2^53 would lose its last digit; a year of the largest centre's agent-milliseconds
//! (100,000 agents) is 3.2 · 10^15, still below.

/// A ratio; none for an empty denominator.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, see the module's head"
)]
pub fn ratio(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}

/// Milliseconds as seconds, unrounded.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, see the module's head"
)]
pub fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// The average of `count` durations that add up to `millis`, in seconds; none of nothing.
pub fn average_seconds(millis: i64, count: i64) -> Option<f64> {
    ratio(millis, count).map(|average| average / 1000.0)
}
