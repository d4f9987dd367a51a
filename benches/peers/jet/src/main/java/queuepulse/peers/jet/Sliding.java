package queuepulse.peers.jet;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.jet.aggregate.AggregateOperation;
import com.hazelcast.jet.aggregate.AggregateOperation1;
import com.hazelcast.jet.config.JobConfig;
import com.hazelcast.jet.config.ProcessingGuarantee;
import com.hazelcast.jet.datamodel.KeyedWindowResult;
import com.hazelcast.jet.kafka.KafkaSources;
import com.hazelcast.jet.pipeline.Pipeline;
import com.hazelcast.jet.pipeline.Sink;
import com.hazelcast.jet.pipeline.SinkBuilder;
import com.hazelcast.jet.pipeline.StreamSource;
import com.hazelcast.jet.pipeline.WindowDefinition;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import queuepulse.peers.Event;
import queuepulse.peers.Fact;
import queuepulse.peers.Job;
import queuepulse.peers.Meter;
import queuepulse.peers.Results;
import queuepulse.peers.Step;
import queuepulse.peers.Sums;
import queuepulse.peers.Visit;
import queuepulse.peers.Windows;

/** Hazelcast Jet: state per contact, then its own sliding window, which works by panes (it calls them frames). */
public final class Sliding {
    private static final int PARALLELISM = 2;

    private Sliding() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.of(args);
        Meter meter = new Meter(job);
        Config config = new Config();
        config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        config.getJetConfig().setEnabled(true).setCooperativeThreadCount(PARALLELISM);
        config.setProperty("hazelcast.phone.home.enabled", "false");
        config.setProperty("hazelcast.logging.type", "slf4j");
        HazelcastInstance member = Hazelcast.newHazelcastInstance(config);
        var running = member.getJet().newJob(
                pipeline(job), new JobConfig().setProcessingGuarantee(ProcessingGuarantee.NONE));
        meter.awaitEnd();
        running.cancel();
        System.exit(0);
    }

    private static Pipeline pipeline(Job job) {
        // Without this a contact's steps may overtake each other on their way to its state.
        Pipeline pipeline = Pipeline.create().setPreserveOrder(true);
        pipeline.readFrom(source(job))
                .withTimestamps(event -> event.time, Windows.LATENESS)
                .setLocalParallelism(PARALLELISM)
                .map(Step::of)
                .setLocalParallelism(PARALLELISM)
                .groupingKey(step -> step.contact)
                .mapStateful(
                        Windows.FORGET,
                        Visit::new,
                        (visit, contact, step) -> visit.take(step),
                        (visit, contact, now) -> null)
                .setLocalParallelism(PARALLELISM)
                .groupingKey(fact -> fact.queue)
                .window(WindowDefinition.sliding(Windows.SIZE, Windows.SLIDE))
                .aggregate(sums())
                .setLocalParallelism(PARALLELISM)
                .writeTo(sink());
        return pipeline;
    }

    private static StreamSource<Event> source(Job job) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers", job.brokers(),
                "key.deserializer", ByteArrayDeserializer.class.getName(),
                "value.deserializer", ByteArrayDeserializer.class.getName(),
                "auto.offset.reset", "earliest"));
        return KafkaSources.kafka(
                properties,
                (ConsumerRecord<byte[], byte[]> record) -> Event.decode(record.value()),
                job.topic());
    }

    /** Without a deduct step, since the longest wait cannot be taken off: Jet adds up the frames of each window. */
    private static AggregateOperation1<Fact, Sums, Sums> sums() {
        return AggregateOperation.withCreate(Sums::new)
                .<Fact>andAccumulate(Sums::add)
                .andCombine(Sums::merge)
                .andExportFinish(Sums::copy);
    }

    private static Sink<KeyedWindowResult<String, Sums>> sink() {
        return SinkBuilder.sinkBuilder("windows", context -> context)
                .<KeyedWindowResult<String, Sums>>receiveFn(
                        (context, window) -> Results.show(window.end(), window.key(), window.result()))
                .preferredLocalParallelism(1)
                .build();
    }
}
