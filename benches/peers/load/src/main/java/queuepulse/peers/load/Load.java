package queuepulse.peers.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Fills a topic from the files of {@code queuepulse simulate --folder}: the file of each partition into that
 * partition, every event's time moved by so many ms. A record's timestamp is its event's time. An empty topic for
 * agents' events is made too, since the engine wants one.
 */
public final class Load {
    private static final Pattern TIME = Pattern.compile("\"time\":(?:(\\d+)|\"([^\"]+)\")");
    private static final Pattern CONTACT = Pattern.compile("\"contact_id\":\"([^\"]+)\"");
    private static final DateTimeFormatter RFC_3339 =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private Load() {}

    /** Arguments: brokers, topic, folder, and for each partition the ms to move by. */
    public static void main(String[] args) throws Exception {
        Map<String, Object> client = Map.of("bootstrap.servers", args[0]);
        String topic = args[1];
        Path folder = Path.of(args[2]);
        int partitions = args.length - 3;
        try (Admin admin = Admin.create(client)) {
            NewTopic contacts = new NewTopic(topic, partitions, (short) 1);
            NewTopic agents = new NewTopic(topic + "-agents", partitions, (short) 1);
            admin.createTopics(List.of(contacts, agents)).all().get();
        }
        Map<String, Object> settings = Map.of("bootstrap.servers", args[0], "linger.ms", 20, "batch.size", 65_536);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            List<BufferedReader> files = new ArrayList<>();
            for (int partition = 0; partition < partitions; partition++) {
                Path file = folder.resolve("contact-events-" + partition + ".ndjson");
                files.add(Files.newBufferedReader(file));
            }
            long sent = 0;
            boolean more = true;
            while (more) {
                more = false;
                for (int partition = 0; partition < partitions; partition++) {
                    String line = files.get(partition).readLine();
                    if (line != null) {
                        more = true;
                        sent++;
                        producer.send(moved(topic, partition, line, Long.parseLong(args[3 + partition])));
                    }
                }
            }
            producer.flush();
            System.out.println(sent);
        }
    }

    private static ProducerRecord<String, String> moved(String topic, int partition, String line, long by)
            throws IOException {
        Matcher contact = CONTACT.matcher(line);
        Matcher time = TIME.matcher(line);
        if (!contact.find() || !time.find()) {
            throw new IOException("not an event of a contact: " + line);
        }
        boolean number = time.group(1) != null;
        long at = (number ? Long.parseLong(time.group(1)) : Instant.parse(time.group(2)).toEpochMilli()) + by;
        String stated = number ? Long.toString(at) : '"' + RFC_3339.format(Instant.ofEpochMilli(at)) + '"';
        String text = line.substring(0, time.start()) + "\"time\":" + stated + line.substring(time.end());
        return new ProducerRecord<>(topic, partition, at, contact.group(1), text);
    }
}
