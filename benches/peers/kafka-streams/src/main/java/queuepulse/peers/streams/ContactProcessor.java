package queuepulse.peers.streams;

import java.time.Duration;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import queuepulse.peers.Event;
import queuepulse.peers.Fact;
import queuepulse.peers.Step;
import queuepulse.peers.Visit;
import queuepulse.peers.Windows;

/** A contact's events are in one partition, in order: no repartition before this. */
final class ContactProcessor implements Processor<byte[], Event, String, Fact> {
    private ProcessorContext<String, Fact> context;
    private KeyValueStore<String, Visit> visits;

    @Override
    public void init(ProcessorContext<String, Fact> context) {
        this.context = context;
        visits = context.getStateStore(Panes.CONTACTS);
        context.schedule(Duration.ofHours(1), PunctuationType.STREAM_TIME, this::forget);
    }

    @Override
    public void process(Record<byte[], Event> record) {
        Step step = Step.of(record.value());
        if (step == null) {
            return;
        }
        Visit visit = visits.get(step.contact);
        if (visit == null) {
            visit = new Visit();
        }
        Fact fact = visit.take(step);
        if (step.kind == Step.CLOSED) {
            visits.delete(step.contact);
        } else {
            visits.put(step.contact, visit);
        }
        if (fact != null) {
            context.forward(new Record<>(fact.queue, fact, fact.time));
        }
    }

    private void forget(long now) {
        try (var all = visits.all()) {
            all.forEachRemaining(entry -> {
                if (entry.value.since < now - Windows.FORGET) {
                    visits.delete(entry.key);
                }
            });
        }
    }
}
