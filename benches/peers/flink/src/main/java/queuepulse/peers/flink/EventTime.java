package queuepulse.peers.flink;

import java.time.Instant;
import org.apache.flink.table.functions.ScalarFunction;

/** Epoch milliseconds of a time that is a number or RFC 3339. SQL alone has no such thing. */
public final class EventTime extends ScalarFunction {
    public Long eval(String time) {
        return time.indexOf('T') < 0 ? Long.parseLong(time) : Instant.parse(time).toEpochMilli();
    }
}
