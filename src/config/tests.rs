//! Layers, rungs, overrides and the hash of what counts.

use super::{Config, ConfigError, Overrides, parse_span};
use crate::engine::settings::AfterContact;
use crate::event::{Millis, Span};
use crate::kpi::Variant;
use crate::windows::frame::{WindowKind, WindowSpec};

fn load(text: &str) -> Config {
    Config::from_layers(Some(("test", text)), [], &Overrides::default()).expect(text)
}

fn seconds(rungs: &[Span]) -> Vec<i64> {
    rungs.iter().map(|rung| rung.0 / 1000).collect()
}

#[test]
fn the_defaults_are_right_and_are_those_of_the_code() {
    let config = Config::defaults().expect("defaults");
    let code = crate::engine::settings::StateSettings::default();
    assert_eq!(
        super::state::canonical(&config.state),
        super::state::canonical(&code)
    );
    assert_eq!(config.view, crate::kpi::QueueView::default());
    let keys: Vec<&str> = config.windows.iter().map(|window| &*window.key).collect();
    assert_eq!(keys, ["1m", "5m", "15m", "30m", "60m", "interval", "today"]);
    assert_eq!(config.export.windows, ["5m", "30m", "today"]);
}

#[test]
fn the_environment_is_laid_over_the_file() {
    let variables = [
        ("QUEUEPULSE__KAFKA__BROKERS", "a:1"),
        ("QUEUEPULSE__STATE__EXTRA_RUNGS", "7s, 8s"),
        ("QUEUEPULSE__WINDOWS__TODAY", "false"),
        ("QUEUEPULSE__EXPORT__WINDOWS", "5m"),
        ("QUEUEPULSE__VIEW__TARGET", "1"),
        ("QUEUEPULSE__KAFKA__PROPERTIES__SASL_PASSWORD", "secret"),
        ("QUEUEPULSE_VECTORS", "not ours"),
        ("PATH", "not ours"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let file = "[kafka]\nbrokers = \"b:2\"\ngroup = \"g\"";
    let config = Config::from_layers(Some(("f", file)), variables, &Overrides::default())
        .expect("a configuration");
    assert_eq!((&*config.kafka.brokers, &*config.kafka.group), ("a:1", "g"));
    assert_eq!(seconds(&config.state.rungs_other), [7, 8, 20]);
    assert!(
        !config
            .windows
            .iter()
            .any(|window| window.kind == WindowKind::Today)
    );
    assert!((config.view.target - 1.0).abs() < f64::EPSILON);
    let properties = config.kafka.all_properties();
    assert_eq!(properties["sasl.password"], "secret");
    assert_eq!(properties["heartbeat.interval.ms"], "2000");
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn a_fault_says_that_it_comes_from_the_environment() {
    let variables = [("QUEUEPULSE__STATE__RETAIN".to_owned(), "ever".to_owned())];
    let error = Config::from_layers(None, variables, &Overrides::default()).expect_err("a fault");
    let text = error.to_string();
    assert!(
        text.contains("\n  state.retain = \"ever\" (from the environment): give"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_named_but_not_quoted() {
    let file = "[kafka.properties]\nsasl_password = hunter2\n";
    let error = Config::from_layers(Some(("f.toml", file)), [], &Overrides::default());
    let error = error.expect_err("no TOML");
    assert!(matches!(error, ConfigError::Syntax { .. }));
    let text = error.to_string();
    assert!(text.contains("f.toml") && text.contains("line 2"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn rungs_come_from_what_the_file_names() {
    let config = load(
        r#"
        [view]
        short_abandon = "3s"
        [[queue]]
        channel = "chat"
        threshold = "90s"
        [[queue]]
        channel = "e*"
        threshold = "40s"
        [[queue]]
        client = "acme"
        threshold = "45s"
        [[queue]]
        channel = "email"
        threshold = "50s"
        "#,
    );
    let rungs = |channel: &str| seconds(&config.state.rungs(channel));
    assert_eq!(rungs("voice"), [3, 5, 10, 20, 30, 40, 45, 60]);
    assert_eq!(rungs("chat"), [3, 5, 10, 20, 30, 45, 60, 90]);
    assert_eq!(rungs("email"), [3, 5, 10, 20, 30, 40, 45, 50, 60]);
}

#[test]
fn the_first_rule_that_matches_holds() {
    let config = load(
        r#"
        [view]
        group = "all"
        [[queue]]
        client = "acme"
        queue = "gold-*"
        threshold = "10s"
        [[queue]]
        client = "acme"
        group = "retail"
        [[state.after_contact]]
        client = "acme"
        rule = "30s"
        [[state.zone]]
        client = "acme"
        zone = "Asia/Jerusalem"
        "#,
    );
    let gold = config.view_for("acme", "gold-1", "voice");
    assert_eq!(gold.threshold, Span::seconds(10));
    assert_eq!(gold.group.as_deref(), Some("all"));
    let other = config.view_for("acme", "tin", "voice");
    assert_eq!(other.group.as_deref(), Some("retail"));
    assert_eq!(config.view_for("x", "tin", "voice"), config.view);
    let timer = AfterContact::Timer(Span::seconds(30));
    assert_eq!(config.state.after_contact("acme", "q", "voice"), timer);
    assert_eq!(config.state.zone("acme", "q", "voice").0, 1);
    assert_eq!(config.state.zone("x", "q", "voice").0, 0);
}

#[test]
fn overrides_hold_for_all_queues_and_are_rungs() {
    let overrides = Overrides {
        threshold: parse_span("17s"),
        short_abandon: parse_span("4s"),
        variant: Some(Variant::Sl5),
        zone: Some(jiff::tz::TimeZone::get("Asia/Kolkata").expect("a zone")),
        windows: Some(vec![WindowSpec {
            key: "5163s".to_owned(),
            kind: WindowKind::Sliding(Span::seconds(5163)),
        }]),
    };
    let file = "[[queue]]\nclient = \"a\"\nthreshold = \"40s\"\n[[state.zone]]\nzone = \"UTC\"";
    let config = Config::from_layers(Some(("f", file)), [], &overrides).expect("a configuration");
    for view in [&config.view, &config.queues[0].1] {
        assert_eq!(view.threshold, Span::seconds(17));
        assert_eq!(view.variant, Variant::Sl5);
    }
    assert_eq!(
        seconds(&config.state.rungs_other),
        [4, 5, 10, 17, 20, 30, 60]
    );
    assert_eq!(config.state.log_keep, Span::seconds(5163 + 120));
    assert_eq!(config.state.zone("a", "q", "voice").0, 0);
    let noon = Millis(1_767_603_600_000);
    let midnight = config.state.zones.day_before(0, noon);
    assert_eq!(
        (noon - midnight).0,
        9 * 3_600_000 + 5 * 3_600_000 + 1_800_000
    );
}

#[test]
fn the_hash_follows_what_counts_and_nothing_else() {
    let default = load("").state_hash();
    for same in [
        "[view]\ntarget = 0.5",
        "[view]\nthreshold = \"30s\"",
        "[http]\nlisten = \"[::1]:1\"",
    ] {
        assert_eq!(load(same).state_hash(), default, "{same}");
    }
    for other in [
        "[view]\nthreshold = \"31s\"",
        "[windows]\nsliding = [\"5m\", \"30m\", \"2h\"]",
        "[state]\nretain = \"5h\"",
        "[state]\nmax_queues = 20001",
        "[kafka]\nmax_record_bytes = 65537",
        "[state]\nid_key = \"0000000000000001\"",
        "[state.ghost_after]\nfax = \"1h\"",
        "[engine]\nzone = \"Europe/Berlin\"",
        "[[state.zone]]\nclient = \"a\"\nzone = \"Europe/Berlin\"",
        "[[state.after_contact]]\nrule = \"events\"",
    ] {
        assert_ne!(load(other).state_hash(), default, "{other}");
    }
}

#[test]
fn a_property_that_librdkafka_refuses_is_a_fault_and_its_value_is_not_shown() {
    let file =
        "[kafka.properties]\nsasl_pasword = \"hunter2\"\n\"socket.timeout.ms\" = \"hunter3\"";
    let error = Config::from_layers(Some(("f", file)), [], &Overrides::default());
    let text = error.expect_err("two faults").to_string();
    assert!(text.contains("kafka.properties.sasl_pasword"), "{text}");
    assert!(
        text.contains("kafka.properties.socket.timeout.ms"),
        "{text}"
    );
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn a_mistyped_level_is_a_fault() {
    for right in [
        "warn",
        "INFO",
        "off",
        "info,rdkafka=warn",
        "queuepulse=debug, info",
    ] {
        load(&format!("[log]\nlevel = {right:?}"));
    }
    for wrong in ["", "inof", "info,wran", "info,,warn", "rdkafka=wran"] {
        let file = format!("[log]\nlevel = {wrong:?}");
        let error = Config::from_layers(Some(("f", &file)), [], &Overrides::default());
        let text = error.expect_err("a fault").to_string();
        assert!(text.contains("\n  log.level = "), "{text}");
    }
}
