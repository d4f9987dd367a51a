# The project's recipes; `just` lists them. Each works without just, too.

# List the recipes
default:
    @just --list

# A simulated centre with its figures, nothing else needed
demo:
    cargo run --release -- demo

# Everything that must hold before a change lands
check:
    .ci/run

# Unit, property, scenario and surface tests
test:
    cargo test

# Format the code
fmt:
    cargo fmt

# Lints, warnings denied
lint:
    cargo clippy --all-targets --test chaos -- -D warnings

# The suite against a real Apache Kafka on loopback
kafka:
    tests/kafka/kafka.sh cargo test --release --test kafka --test kafka_several -- --ignored

# Engines on a real Kafka, disturbed for minutes: just chaos --minutes 30 --seed 7
chaos *options:
    tests/kafka/chaos {{ options }}

# promtool and a real Prometheus on the demo: its metrics, every expression of rules and dashboards
prometheus:
    cargo build --release
    python3 .ci/prometheus.py target/release/queuepulse

# Benches, all or one: just bench apply
bench *stage:
    cargo bench {{ if stage == "" { "" } else { "--bench " + stage } }}

# Licences, bans and sources of the dependencies
deny:
    cargo deny check licenses bans sources

# Write docs/metrics.md anew
metrics-doc:
    cargo run --release -- metrics-doc > docs/metrics.md

# Rules, alerts and runbooks of deploy/, with promtool and amtool
rules:
    python3 .ci/rules.py

# The wallboard in a real Chromium; screenshots in target/screenshots
browser:
    tests/browser/run target/release/queuepulse

# Whether a breach that the demo causes reaches Alertmanager, and its end (two to three minutes)
alerting:
    python3 .ci/alerting.py target/release/queuepulse 'QueueServiceLevel(Critical|Warning)'

# The Dockerfile, compose.yaml, Kubernetes and systemd files, by their tools
deploy:
    python3 .ci/deploy.py target/release/queuepulse target/ci/deploy

# The dashboards and the operator's rules anew
deploy-files:
    python3 deploy/grafana/generate.py
    python3 deploy/kubernetes/rules.py
