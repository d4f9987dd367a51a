package queuepulse.peers.flink;

import java.io.Serializable;
import java.util.function.Consumer;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Hands windows to the results of this process. */
final class ShowSink<T> implements Sink<T> {
    /** Shows one. */
    interface Show<T> extends Consumer<T>, Serializable {}

    private final Show<T> show;

    ShowSink(Show<T> show) {
        this.show = show;
    }

    @Override
    public SinkWriter<T> createWriter(WriterInitContext context) {
        return new SinkWriter<>() {
            @Override
            public void write(T window, Context writing) {
                show.accept(window);
            }

            @Override
            public void flush(boolean endOfInput) {}

            @Override
            public void close() {}
        };
    }
}
