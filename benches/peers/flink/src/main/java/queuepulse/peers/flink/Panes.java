package queuepulse.peers.flink;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import queuepulse.peers.Event;
import queuepulse.peers.Fact;
import queuepulse.peers.Job;
import queuepulse.peers.Meter;
import queuepulse.peers.Results;
import queuepulse.peers.Step;
import queuepulse.peers.Sums;
import queuepulse.peers.Visit;
import queuepulse.peers.Windows;

/** Flink DataStream: state per contact, then panes and a running total per queue, moved by event-time timers. */
public final class Panes {
    private Panes() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.of(args);
        Meter meter = new Meter(job);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2);
        env.getConfig().enableObjectReuse();
        KafkaSource<Event> source = KafkaSource.<Event>builder()
                .setBootstrapServers(job.brokers())
                .setTopics(job.topic())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setValueOnlyDeserializer(new Json())
                .build();
        WatermarkStrategy<Event> watermarks = WatermarkStrategy.<Event>forBoundedOutOfOrderness(
                        Duration.ofMillis(Windows.LATENESS))
                .withTimestampAssigner((event, recordTime) -> event.time);
        env.fromSource(source, watermarks, "contact events")
                .<Step>flatMap((event, out) -> {
                    Step step = Step.of(event);
                    if (step != null) {
                        out.collect(step);
                    }
                })
                .returns(Step.class)
                .keyBy(step -> step.contact)
                .process(new Contacts())
                .keyBy(fact -> fact.queue)
                .process(new Sliding())
                .sinkTo(new ShowSink<>(window -> Results.show(window.end, window.queue, window.sums)));
        JobClient running = env.executeAsync("panes");
        meter.awaitEnd();
        running.cancel().get();
        System.exit(0);
    }

    private static final class Json extends AbstractDeserializationSchema<Event> {
        @Override
        public Event deserialize(byte[] message) {
            return Event.decode(message);
        }
    }

    /** A contact's events are in one partition, in order; so they are taken as they come. */
    private static final class Contacts extends KeyedProcessFunction<String, Step, Fact> {
        private transient ValueState<Visit> visits;

        @Override
        public void open(OpenContext context) {
            ValueStateDescriptor<Visit> descriptor = new ValueStateDescriptor<>("visit", Visit.class);
            descriptor.enableTimeToLive(
                    StateTtlConfig.newBuilder(Duration.ofMillis(Windows.FORGET)).build());
            visits = getRuntimeContext().getState(descriptor);
        }

        @Override
        public void processElement(Step step, Context context, Collector<Fact> out) throws Exception {
            Visit visit = visits.value();
            if (visit == null) {
                visit = new Visit();
            }
            Fact fact = visit.take(step);
            if (step.kind == Step.CLOSED) {
                visits.clear();
            } else {
                visits.update(visit);
            }
            if (fact != null) {
                out.collect(fact);
            }
        }
    }

    /** A window of a queue. */
    public static final class Window {
        public long end;
        public String queue;
        public Sums sums;

        public Window() {}

        Window(long end, String queue, Sums sums) {
            this.end = end;
            this.queue = queue;
            this.sums = sums;
        }
    }

    /** Panes by their end, and the sum of those in the window shown last. */
    private static final class Sliding extends KeyedProcessFunction<String, Fact, Window> {
        private transient MapState<Long, Sums> panes;
        private transient ValueState<Sums> total;

        @Override
        public void open(OpenContext context) {
            panes = getRuntimeContext().getMapState(new MapStateDescriptor<>("panes", Long.class, Sums.class));
            total = getRuntimeContext().getState(new ValueStateDescriptor<>("total", Sums.class));
        }

        @Override
        public void processElement(Fact fact, Context context, Collector<Window> out) throws Exception {
            long end = Windows.paneEnd(fact.time);
            long passed = context.timerService().currentWatermark();
            if (passed >= end - 1) {
                late(fact, end, passed);
                return;
            }
            add(end, fact);
            context.timerService().registerEventTimeTimer(end - 1);
        }

        /** Its first windows have been shown; it counts in those to come. */
        private void late(Fact fact, long end, long passed) throws Exception {
            long shown = Windows.paneEnd(passed + 1) - Windows.SLIDE;
            Sums sum = total.value();
            if (end <= shown - Windows.SIZE || sum == null) {
                Results.dropped();
                return;
            }
            add(end, fact);
            sum.add(fact);
            total.update(sum);
        }

        private void add(long end, Fact fact) throws Exception {
            Sums pane = panes.get(end);
            if (pane == null) {
                pane = new Sums();
            }
            pane.add(fact);
            panes.put(end, pane);
        }

        @Override
        public void onTimer(long at, OnTimerContext context, Collector<Window> out) throws Exception {
            long end = at + 1;
            Sums sum = total.value();
            if (sum == null) {
                sum = new Sums();
            }
            Sums entering = panes.get(end);
            if (entering != null) {
                sum.merge(entering);
            }
            Sums leaving = panes.get(end - Windows.SIZE);
            if (leaving != null) {
                panes.remove(end - Windows.SIZE);
                sum.subtractCounts(leaving);
                if (leaving.longestMs == sum.longestMs) {
                    sum.longestMs = longest(end);
                }
            }
            if (leaving != null && holdsNothing(end)) {
                total.clear();
                return;
            }
            total.update(sum);
            out.collect(new Window(end, context.getCurrentKey(), sum.copy()));
            context.timerService().registerEventTimeTimer(at + Windows.SLIDE);
        }

        private long longest(long end) throws Exception {
            long longest = -1;
            for (var pane : panes.entries()) {
                if (pane.getKey() <= end) {
                    longest = Math.max(longest, pane.getValue().longestMs);
                }
            }
            return longest;
        }

        private boolean holdsNothing(long end) throws Exception {
            for (long pane : panes.keys()) {
                if (pane <= end) {
                    return false;
                }
            }
            return true;
        }
    }
}
