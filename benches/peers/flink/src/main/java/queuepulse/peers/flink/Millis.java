package queuepulse.peers.flink;

import java.time.Instant;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/** Epoch milliseconds of a timestamp: SQL's TIMESTAMPDIFF knows seconds. */
public final class Millis extends ScalarFunction {
    public Long eval(@DataTypeHint("TIMESTAMP_LTZ(3)") Instant time) {
        return time == null ? null : time.toEpochMilli();
    }
}
