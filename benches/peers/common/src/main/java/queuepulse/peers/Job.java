package queuepulse.peers;

import java.nio.file.Path;

/**
 * What a program is asked to do.
 *
 * @param brokers of Kafka
 * @param topic of contact events
 * @param records in it
 * @param end of the last window that every partition has passed, epoch ms
 * @param folder for the results
 */
public record Job(String brokers, String topic, long records, long end, Path folder) {
    public static Job of(String[] args) {
        return new Job(args[0], args[1], Long.parseLong(args[2]), Long.parseLong(args[3]), Path.of(args[4]));
    }
}
