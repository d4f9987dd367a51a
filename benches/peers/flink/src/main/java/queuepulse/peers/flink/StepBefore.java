package queuepulse.peers.flink;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * The row before the current one, in a ROWS frame. LAG would do, but Flink gives it a RANGE frame: of several events
 * of one contact in one millisecond, each then sees the last but one.
 */
@FunctionHint(output = @DataTypeHint("ROW<`type` STRING, ms BIGINT, queue_id STRING, channel STRING>"))
public final class StepBefore extends AggregateFunction<Row, StepBefore.Two> {
    /** The row before, and the current one. */
    public static final class Two {
        public String beforeType;
        public Long beforeMs;
        public String beforeQueue;
        public String beforeChannel;
        public String type;
        public Long ms;
        public String queue;
        public String channel;
    }

    @Override
    public Two createAccumulator() {
        return new Two();
    }

    public void accumulate(Two two, String type, Long ms, String queue, String channel) {
        two.beforeType = two.type;
        two.beforeMs = two.ms;
        two.beforeQueue = two.queue;
        two.beforeChannel = two.channel;
        two.type = type;
        two.ms = ms;
        two.queue = queue;
        two.channel = channel;
    }

    @Override
    public Row getValue(Two two) {
        return Row.of(two.beforeType, two.beforeMs, two.beforeQueue, two.beforeChannel);
    }
}
