package queuepulse.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/**
 * Where windows go. All are counted; kept are those that end at {@code end} or a whole number of window sizes
 * before it: together they hold every fact exactly once, so that whatever was dropped is missing in one of them.
 */
public final class Results {
    private static final Queue<String> KEPT = new ConcurrentLinkedQueue<>();
    private static final LongAdder SEEN = new LongAdder();
    private static final LongAdder DROPPED = new LongAdder();
    private static volatile long end;

    private Results() {}

    public static void keepUntil(long end) {
        Results.end = end;
    }

    public static void show(long windowEnd, String queue, Sums sums) {
        SEEN.increment();
        if (windowEnd > end || (end - windowEnd) % Windows.SIZE != 0) {
            return;
        }
        KEPT.add(String.join(
                ",",
                List.of(
                        Long.toString(windowEnd),
                        queue,
                        Integer.toString(sums.answered),
                        Integer.toString(sums.within),
                        Integer.toString(sums.abandoned),
                        Integer.toString(sums.handled),
                        Long.toString(sums.waitMs),
                        Long.toString(sums.handleMs),
                        Long.toString(sums.longestMs))));
    }

    /** A fact came after its last window had been shown. */
    public static void dropped() {
        DROPPED.increment();
    }

    public static long seen() {
        return SEEN.sum();
    }

    public static long droppedSoFar() {
        return DROPPED.sum();
    }

    public static void write(Path file) throws IOException {
        Files.write(file, KEPT);
    }
}
