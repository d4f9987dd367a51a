package queuepulse.peers;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import javax.management.AttributeNotFoundException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * Watches a running job from beside it: records that the Kafka consumers of this process have read (their own
 * metric, so that the job has no counter of ours in its way), windows shown, processor time of the process.
 */
public final class Meter {
    private static final long PERIOD_MS = 200;
    private static final long QUIET_MS = 2_000;
    private static final long GIVE_UP_MS = 30_000;

    private final Job job;
    private final ObjectName consumers;
    private final MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    private final OperatingSystemMXBean system =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final List<String> samples = new ArrayList<>();

    public Meter(Job job) throws JMException {
        this.job = job;
        Thread.currentThread().setUncaughtExceptionHandler((thread, failure) -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
        });
        consumers = new ObjectName(
                "kafka.consumer:type=consumer-fetch-manager-metrics,client-id=*,topic=" + job.topic());
        Results.keepUntil(job.end());
    }

    /**
     * Returns when all records have been read and no window has been shown for a while, and writes down the samples
     * taken: epoch ms, processor time in ns, records, windows. The last is of the last change, not of this wait.
     */
    public void awaitEnd() throws JMException, IOException, InterruptedException {
        long changedAt = System.currentTimeMillis();
        long[] before = {-1, -1};
        while (true) {
            long now = System.currentTimeMillis();
            long[] progress = {records(), Results.seen()};
            if (progress[0] != before[0] || progress[1] != before[1]) {
                samples.add(now + "," + system.getProcessCpuTime() + "," + progress[0] + "," + progress[1]);
                before = progress;
                changedAt = now;
            }
            long quiet = now - changedAt;
            if (quiet > GIVE_UP_MS || quiet > QUIET_MS && progress[0] >= job.records()) {
                break;
            }
            Thread.sleep(PERIOD_MS);
        }
        Files.write(job.folder().resolve("samples.csv"), samples);
        Results.write(job.folder().resolve("windows.csv"));
        Files.writeString(job.folder().resolve("dropped"), Long.toString(Results.droppedSoFar()));
    }

    private long records() throws JMException {
        double sum = 0;
        for (ObjectName name : beans.queryNames(consumers, null)) {
            try {
                sum += ((Number) beans.getAttribute(name, "records-consumed-total")).doubleValue();
            } catch (InstanceNotFoundException | AttributeNotFoundException gone) {
                // Consumers register their metrics one by one, and anew when they are given other partitions.
                continue;
            }
        }
        return (long) sum;
    }
}
