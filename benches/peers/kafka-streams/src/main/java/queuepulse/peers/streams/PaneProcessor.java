package queuepulse.peers.streams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import queuepulse.peers.Fact;
import queuepulse.peers.Results;
import queuepulse.peers.Sums;
import queuepulse.peers.Windows;

/**
 * Panes of this partition's queues in a store, by end and queue; and the sum of those in the window shown last, which
 * the panes can always tell again. A window is shown once stream time, the latest of what any upstream task has sent
 * here, has passed its end by {@code LATENESS}: Kafka Streams has no watermark that waits for the slowest.
 *
 * <p>Not a window store: that forgets by the latest time put into it, so a jump of stream time would take panes away
 * before they have left their window.
 */
final class PaneProcessor implements Processor<String, Fact, Void, Void> {
    private final Map<String, Sums> totals = new HashMap<>();
    private KeyValueStore<PaneKey, Sums> panes;
    /** End of the window shown last. */
    private long shown = Long.MIN_VALUE;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
        panes = context.getStateStore(Panes.PANES);
        context.schedule(Duration.ofMillis(Windows.SLIDE), PunctuationType.STREAM_TIME, this::slide);
    }

    @Override
    public void process(Record<String, Fact> record) {
        Fact fact = record.value();
        long end = Windows.paneEnd(fact.time);
        if (shown == Long.MIN_VALUE) {
            shown = end - Windows.SLIDE - Windows.LATENESS;
        }
        if (end <= shown - Windows.SIZE) {
            Results.dropped();
            return;
        }
        PaneKey key = new PaneKey(end, record.key());
        Sums pane = panes.get(key);
        if (pane == null) {
            pane = new Sums();
        }
        pane.add(fact);
        panes.put(key, pane);
        if (end <= shown) {
            // Its first windows have been shown; it counts in those to come.
            totals.computeIfAbsent(record.key(), queue -> new Sums()).add(fact);
        }
    }

    private void slide(long now) {
        while (shown != Long.MIN_VALUE && shown + Windows.SLIDE <= now - Windows.LATENESS) {
            shown += Windows.SLIDE;
            for (var pane : ending(shown)) {
                totals.computeIfAbsent(pane.key.queue(), queue -> new Sums()).merge(pane.value);
            }
            for (var pane : ending(shown - Windows.SIZE)) {
                panes.delete(pane.key);
                leave(pane.key.queue(), pane.value);
            }
            totals.forEach((queue, sums) -> Results.show(shown, queue, sums));
        }
    }

    private List<KeyValue<PaneKey, Sums>> ending(long end) {
        List<KeyValue<PaneKey, Sums>> found = new ArrayList<>();
        try (var all = panes.range(new PaneKey(end, ""), new PaneKey(end + 1, ""))) {
            all.forEachRemaining(found::add);
        }
        return found;
    }

    private void leave(String queue, Sums pane) {
        Sums total = totals.get(queue);
        total.subtractCounts(pane);
        if (pane.longestMs < total.longestMs) {
            return;
        }
        total.longestMs = -1;
        boolean holds = false;
        for (long end = shown - Windows.SIZE + Windows.SLIDE; end <= shown; end += Windows.SLIDE) {
            Sums rest = panes.get(new PaneKey(end, queue));
            if (rest != null) {
                holds = true;
                total.longestMs = Math.max(total.longestMs, rest.longestMs);
            }
        }
        if (!holds) {
            totals.remove(queue);
        }
    }
}
