package queuepulse.peers;

import java.io.Serializable;

/** What a pane or a window of a queue adds up to: the figures are ratios of these. */
public final class Sums implements Serializable {
    /** T of the service level. A wait of exactly T is within it. */
    public static final long THRESHOLD = 20_000;

    public int answered;
    public int within;
    public int abandoned;
    public int handled;
    public long waitMs;
    public long handleMs;
    /** -1 if nobody left the queue. */
    public long longestMs = -1;

    public Sums() {}

    public void add(Fact fact) {
        switch (fact.kind) {
            case Fact.ANSWERED -> {
                answered++;
                within += fact.ms <= THRESHOLD ? 1 : 0;
                waitMs += fact.ms;
            }
            case Fact.ABANDONED -> abandoned++;
            case Fact.HANDLED -> {
                handled++;
                handleMs += fact.ms;
            }
            case Fact.AFTER_CONTACT -> handleMs += fact.ms;
            default -> {}
        }
        if (fact.kind <= Fact.LEFT) {
            longestMs = Math.max(longestMs, fact.ms);
        }
    }

    public void merge(Sums other) {
        addCounts(other, 1);
        longestMs = Math.max(longestMs, other.longestMs);
    }

    /** Takes off all but the longest wait, which the rest of the window has to tell. */
    public void subtractCounts(Sums other) {
        addCounts(other, -1);
    }

    private void addCounts(Sums other, int sign) {
        answered += sign * other.answered;
        within += sign * other.within;
        abandoned += sign * other.abandoned;
        handled += sign * other.handled;
        waitMs += sign * other.waitMs;
        handleMs += sign * other.handleMs;
    }

    public Sums copy() {
        Sums copy = new Sums();
        copy.merge(this);
        return copy;
    }
}
