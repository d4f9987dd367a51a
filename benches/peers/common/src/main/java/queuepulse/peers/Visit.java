package queuepulse.peers;

import java.io.Serializable;

/** Where a contact stands. One step makes at most one fact. */
public final class Visit implements Serializable {
    public static final byte NONE = 0;
    public static final byte WAITING = 1;
    public static final byte CONNECTED = 2;

    public byte phase = NONE;
    /** When the phase began. */
    public long since;
    /** Client, queue and channel; null before the first. */
    public String queue;

    public Visit() {}

    /** Null if nothing is counted. */
    public Fact take(Step step) {
        return switch (step.kind) {
            case Step.QUEUED -> queued(step);
            case Step.ANSWERED -> answered(step);
            case Step.ABANDONED -> leave(step, Fact.ABANDONED);
            case Step.LEFT -> leave(step, Fact.LEFT);
            case Step.ENDED, Step.CLOSED -> over(step);
            case Step.WRAPPED_UP -> queue == null ? null : new Fact(queue, step.time, Fact.AFTER_CONTACT, step.ms);
            default -> null;
        };
    }

    /** Another queue while waiting: the visit overflowed without a word. */
    private Fact queued(Step step) {
        Fact fact = leave(step, Fact.LEFT);
        become(WAITING, step.time, step.queue);
        return fact;
    }

    private Fact answered(Step step) {
        Fact fact = leave(step, Fact.ANSWERED);
        become(CONNECTED, step.time, step.queue);
        return fact;
    }

    private Fact leave(Step step, byte kind) {
        if (phase != WAITING) {
            return null;
        }
        phase = NONE;
        return new Fact(queue, step.time, kind, step.time - since);
    }

    /** The agent's part is over; or the customer hung up while waiting. */
    private Fact over(Step step) {
        if (phase == WAITING) {
            return leave(step, Fact.ABANDONED);
        }
        if (phase == NONE) {
            return null;
        }
        phase = NONE;
        return new Fact(queue, step.time, Fact.HANDLED, step.ms >= 0 ? step.ms : step.time - since);
    }

    private void become(byte phase, long since, String queue) {
        this.phase = phase;
        this.since = since;
        this.queue = queue;
    }
}
