package queuepulse.peers;

/** What an event does to its contact: the little of it that has to travel to the contact's state. */
public final class Step {
    public static final byte QUEUED = 0;
    public static final byte ANSWERED = 1;
    public static final byte ABANDONED = 2;
    /** The visit ended unanswered otherwise. */
    public static final byte LEFT = 3;
    /** The agent's part is over. */
    public static final byte ENDED = 4;
    public static final byte WRAPPED_UP = 5;
    public static final byte CLOSED = 6;

    /** Client and contact. */
    public String contact;
    public byte kind;
    public long time;
    /** Client, queue and channel, where the event names a queue. */
    public String queue;
    /** Talk and hold, or after-contact work, in ms; -1 where not stated. */
    public long ms;

    public Step() {}

    /** Null if the event does nothing that the job counts. */
    public static Step of(Event event) {
        byte kind = kind(event);
        if (kind < 0) {
            return null;
        }
        Step step = new Step();
        step.contact = event.client + '/' + event.contact;
        step.kind = kind;
        step.time = event.time;
        step.queue = event.queue == null ? null : event.client + '/' + event.queue + '/' + event.channel;
        step.ms = -1;
        if (kind == ENDED && event.talk != null) {
            step.ms = event.talk + (event.hold == null ? 0 : event.hold);
        } else if (kind == WRAPPED_UP) {
            step.ms = event.afterContact;
        }
        return step;
    }

    private static byte kind(Event event) {
        return switch (event.type) {
            case "contact.queued" -> QUEUED;
            case "contact.answered" -> ANSWERED;
            case "contact.dequeued" -> "abandoned".equals(event.outcome) ? ABANDONED : LEFT;
            case "contact.ended" -> ENDED;
            case "contact.transferred" -> "blind".equals(event.kind) ? ENDED : -1;
            case "contact.wrapped_up" -> event.afterContact == null ? -1 : WRAPPED_UP;
            case "contact.closed" -> CLOSED;
            default -> -1;
        };
    }
}
