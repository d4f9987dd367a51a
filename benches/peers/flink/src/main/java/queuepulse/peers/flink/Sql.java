package queuepulse.peers.flink;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import queuepulse.peers.Job;
import queuepulse.peers.Meter;
import queuepulse.peers.Results;
import queuepulse.peers.Sums;
import queuepulse.peers.Windows;

/** Flink SQL: runs the statements of job.sql, and shows the rows of the last. */
public final class Sql {
    private Sql() {}

    public static void main(String[] args) throws Exception {
        Job job = Job.of(args);
        Meter meter = new Meter(job);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2);
        env.getConfig().enableObjectReuse();
        StreamTableEnvironment tables = StreamTableEnvironment.create(env);
        tables.getConfig().set("table.local-time-zone", "UTC");
        tables.getConfig().set("table.exec.state.ttl", "24 h");
        tables.createTemporarySystemFunction("EVENT_TIME", EventTime.class);
        tables.createTemporarySystemFunction("MILLIS", Millis.class);
        tables.createTemporarySystemFunction("STEP_BEFORE", StepBefore.class);
        String[] statements = script(job).split(";\\s*\\n");
        for (int at = 0; at + 1 < statements.length; at++) {
            tables.executeSql(statements[at]);
        }
        Table windows = tables.sqlQuery(statements[statements.length - 1]);
        tables.toDataStream(windows).sinkTo(new ShowSink<>(Sql::show));
        JobClient running = env.executeAsync("sql");
        meter.awaitEnd();
        running.cancel().get();
        System.exit(0);
    }

    private static String script(Job job) throws IOException {
        try (InputStream in = Sql.class.getResourceAsStream("/job.sql")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .strip()
                    .replace("${brokers}", job.brokers())
                    .replace("${topic}", job.topic())
                    .replace("${lateness}", Long.toString(Windows.LATENESS / 60_000));
        }
    }

    private static void show(Row row) {
        Sums sums = new Sums();
        sums.answered = number(row, 4).intValue();
        sums.within = number(row, 5).intValue();
        sums.abandoned = number(row, 6).intValue();
        sums.handled = number(row, 7).intValue();
        sums.waitMs = number(row, 8).longValue();
        sums.handleMs = number(row, 9).longValue();
        sums.longestMs = number(row, 10).longValue();
        long end = ((LocalDateTime) row.getField(0)).toInstant(ZoneOffset.UTC).toEpochMilli();
        Results.show(end, row.getField(1) + "/" + row.getField(2) + "/" + row.getField(3), sums);
    }

    private static Number number(Row row, int field) {
        return (Number) row.getField(field);
    }
}
