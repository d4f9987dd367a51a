package queuepulse.peers.streams;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** A pane of a queue. Its bytes sort by end, so that the panes of one end are one range. */
record PaneKey(long end, String queue) {
    static final Serde<PaneKey> SERDE = Serdes.serdeFrom(
            (topic, key) -> {
                byte[] queue = key.queue.getBytes(StandardCharsets.UTF_8);
                return ByteBuffer.allocate(8 + queue.length)
                        .putLong(key.end)
                        .put(queue)
                        .array();
            },
            (topic, bytes) -> new PaneKey(
                    ByteBuffer.wrap(bytes).getLong(), new String(bytes, 8, bytes.length - 8, StandardCharsets.UTF_8)));
}
