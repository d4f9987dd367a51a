package queuepulse.peers;

/** One thing to count at a queue. */
public final class Fact {
    public static final byte ANSWERED = 0;
    public static final byte ABANDONED = 1;
    /** Left the queue otherwise: in the largest wait alone. */
    public static final byte LEFT = 2;
    public static final byte HANDLED = 3;
    public static final byte AFTER_CONTACT = 4;

    /** Client, queue and channel. */
    public String queue;
    public long time;
    public byte kind;
    /** The wait, or the time of handling, in ms. */
    public long ms;

    public Fact() {}

    public Fact(String queue, long time, byte kind, long ms) {
        this.queue = queue;
        this.time = time;
        this.kind = kind;
        this.ms = ms;
    }
}
