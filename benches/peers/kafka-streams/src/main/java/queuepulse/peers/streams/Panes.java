package queuepulse.peers.streams;

import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.state.Stores;
import queuepulse.peers.Event;
import queuepulse.peers.Job;
import queuepulse.peers.Meter;

/**
 * Kafka Streams, Processor API: state per contact, where the contact's partition is read; facts through a
 * repartition topic to their queue; there a store of panes and running totals, moved by stream time.
 */
public final class Panes {
    static final String CONTACTS = "contacts";
    static final String PANES = "panes";

    private Panes() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.of(args);
        Meter meter = new Meter(job);
        KafkaStreams streams = new KafkaStreams(topology(job), properties(job));
        streams.start();
        meter.awaitEnd();
        streams.close(Duration.ofSeconds(10));
        System.exit(0);
    }

    private static Topology topology(Job job) {
        StreamsBuilder builder = new StreamsBuilder();
        // Changelogs are off, as checkpoints are off in the other systems.
        builder.addStateStore(Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(CONTACTS), Serdes.String(), Formats.VISIT)
                .withLoggingDisabled());
        builder.addStateStore(Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(PANES), PaneKey.SERDE, Formats.SUMS)
                .withLoggingDisabled());
        Consumed<byte[], Event> events = Consumed.with(Serdes.ByteArray(), Formats.EVENT)
                .withTimestampExtractor((record, stream) -> ((Event) record.value()).time);
        builder.stream(job.topic(), events)
                .process(ContactProcessor::new, CONTACTS)
                .repartition(Repartitioned.with(Serdes.String(), Formats.FACT).withName("facts"))
                .process(PaneProcessor::new, PANES);
        return builder.build();
    }

    private static Properties properties(Job job) throws Exception {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                StreamsConfig.APPLICATION_ID_CONFIG, "peers-" + UUID.randomUUID(),
                StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.brokers(),
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2,
                StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("peers").toString(),
                StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest"));
        return properties;
    }
}
