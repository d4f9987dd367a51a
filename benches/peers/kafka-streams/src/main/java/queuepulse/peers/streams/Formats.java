package queuepulse.peers.streams;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import queuepulse.peers.Event;
import queuepulse.peers.Fact;
import queuepulse.peers.Sums;
import queuepulse.peers.Visit;

/** Bytes of what is read, kept and sent on: compact, by hand. */
final class Formats {
    static final Serde<Event> EVENT = Serdes.serdeFrom(
            (topic, event) -> {
                throw new UnsupportedOperationException("events are only read");
            },
            (topic, bytes) -> Event.decode(bytes));

    static final Serde<Fact> FACT = Serdes.serdeFrom(
            (topic, fact) -> ByteBuffer.allocate(17)
                    .put(fact.kind)
                    .putLong(fact.time)
                    .putLong(fact.ms)
                    .array(),
            (topic, bytes) -> {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                byte kind = in.get();
                // The queue is the record's key.
                return new Fact(null, in.getLong(), kind, in.getLong());
            });

    static final Serde<Visit> VISIT = Serdes.serdeFrom(
            (topic, visit) -> {
                byte[] queue = visit.queue == null ? new byte[0] : visit.queue.getBytes(StandardCharsets.UTF_8);
                return ByteBuffer.allocate(9 + queue.length)
                        .put(visit.phase)
                        .putLong(visit.since)
                        .put(queue)
                        .array();
            },
            (topic, bytes) -> {
                if (bytes == null) {
                    return null;
                }
                Visit visit = new Visit();
                ByteBuffer in = ByteBuffer.wrap(bytes);
                visit.phase = in.get();
                visit.since = in.getLong();
                visit.queue = bytes.length == 9 ? null : new String(bytes, 9, bytes.length - 9, StandardCharsets.UTF_8);
                return visit;
            });

    static final Serde<Sums> SUMS = Serdes.serdeFrom(
            (topic, sums) -> ByteBuffer.allocate(40)
                    .putInt(sums.answered)
                    .putInt(sums.within)
                    .putInt(sums.abandoned)
                    .putInt(sums.handled)
                    .putLong(sums.waitMs)
                    .putLong(sums.handleMs)
                    .putLong(sums.longestMs)
                    .array(),
            (topic, bytes) -> {
                if (bytes == null) {
                    return null;
                }
                Sums sums = new Sums();
                ByteBuffer in = ByteBuffer.wrap(bytes);
                sums.answered = in.getInt();
                sums.within = in.getInt();
                sums.abandoned = in.getInt();
                sums.handled = in.getInt();
                sums.waitMs = in.getLong();
                sums.handleMs = in.getLong();
                sums.longestMs = in.getLong();
                return sums;
            });

    private Formats() {}
}
