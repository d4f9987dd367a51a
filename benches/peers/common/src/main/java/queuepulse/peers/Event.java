package queuepulse.peers;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;

/** A canonical contact event, with the fields that the job needs. */
@JsonIgnoreProperties(ignoreUnknown = true)
public final class Event {
    private static final ObjectReader READER = new ObjectMapper().readerFor(Event.class);

    public String type;

    @JsonDeserialize(using = Time.class)
    public long time;

    @JsonProperty("client_id")
    public String client = "default";

    @JsonProperty("queue_id")
    public String queue;

    public String channel = "voice";

    @JsonProperty("contact_id")
    public String contact;

    public String outcome;
    public String kind;

    @JsonProperty("talk_ms")
    public Long talk;

    @JsonProperty("hold_ms")
    public Long hold;

    @JsonProperty("acw_ms")
    public Long afterContact;

    public static Event decode(byte[] json) {
        try {
            return READER.readValue(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Epoch milliseconds, as a number or as RFC 3339 text. */
    static final class Time extends StdDeserializer<Long> {
        Time() {
            super(Long.class);
        }

        @Override
        public Long deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                    ? parser.getLongValue()
                    : Instant.parse(parser.getText()).toEpochMilli();
        }
    }
}
