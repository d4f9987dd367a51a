package queuepulse.peers;

/** The windows: 5 minutes, every 10 s, from their start inclusive to their end exclusive. */
public final class Windows {
    public static final long SIZE = 300_000;
    public static final long SLIDE = 10_000;
    /** How far an event may lie behind the latest: windows are shown this much later. */
    public static final long LATENESS = Long.getLong("peers.lateness", 60_000);
    /** How long a contact is remembered that nobody closes. */
    public static final long FORGET = 86_400_000;

    private Windows() {}

    /** The end of the pane, one slide long, that an instant lies in. */
    public static long paneEnd(long time) {
        return Math.floorDiv(time, SLIDE) * SLIDE + SLIDE;
    }
}
