// Writes the fixtures of this folder with Kafka's own Java client, version 2.8.2, which still
// writes every message format: NAME.bin is a log as a fetch returns it, NAME.json the records
// that the Java client reads in it.
//
//   java -cp 'DIR/*' Fixtures.java OUT     with kafka-clients, its compression jars and slf4j-nop in DIR
//   java -cp 'DIR/*' Fixtures.java OUT -r  reads the *.bin in OUT instead and writes the *.json
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;

public class Fixtures {
    record R(long offset, long time, byte[] key, byte[] value, Header... headers) {}

    static byte[] b(String s) { return s == null ? null : s.getBytes(StandardCharsets.UTF_8); }

    static List<R> records(byte magic, boolean large, int noiseSize, boolean gaps) {
        List<R> out = new ArrayList<>();
        long[] times = {-1, 0, 1, 946684799999L, 1767323045006L, 4133980799000L};
        String[] texts = {null, "", "text"};
        long offset = 1_000;
        for (String key : texts)
            for (String value : texts)
                out.add(new R(offset++, times[out.size() % times.length], b(key), b(value)));
        if (gaps) offset += 5;
        out.add(new R(offset++, 5, new byte[] {0}, new byte[] {(byte) 0xff, (byte) 0xfe, 0}));
        if (magic == 2) {
            out.add(new R(offset++, 6, null, b("v"), new RecordHeader("h", b("1")), new RecordHeader("h", b("2")), new RecordHeader("h", b("1"))));
            if (gaps) offset += 500;
            out.add(new R(offset++, 7, null, b("v"), new RecordHeader("nil", (byte[]) null), new RecordHeader("empty", b("")), new RecordHeader("", b("x"))));
        }
        if (large) {
            StringBuilder s = new StringBuilder();
            for (int i = 0; s.length() < 150_000; i++) s.append("{\"id\":").append(i % 10).append(",\"name\":\"n\"}");
            out.add(new R(offset++, 8, b("large"), b(s.toString())));
            byte[] noise = new byte[noiseSize];
            new Random(1).nextBytes(noise);
            out.add(new R(offset++, 9, b("noise"), noise));
        }
        return out;
    }

    static void write(Path dir, String name, byte magic, CompressionType codec, TimestampType type, boolean transactional, boolean gaps) throws Exception {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        int start = 0;
        boolean plain = type != TimestampType.LOG_APPEND_TIME && !transactional && !gaps && codec != CompressionType.NONE;
        int noiseSize = magic == 2 && codec == CompressionType.LZ4 ? 70_000 : 2_000; // a block of LZ4 that is stored
        for (boolean large : plain ? new boolean[] {false, true} : new boolean[] {false}) {
            List<R> records = records(magic, large, noiseSize, gaps);
            long shift = large ? 10_000 : 0;
            buffer.position(start);
            MemoryRecordsBuilder m = new MemoryRecordsBuilder(buffer, magic, codec, type, 1_000 + shift, 1767323045006L,
                transactional ? 4711 : -1, (short) (transactional ? 3 : -1), transactional ? 42 : -1, transactional, false, 17, 1 << 20);
            for (R r : records) {
                ByteBuffer key = r.key == null ? null : ByteBuffer.wrap(r.key), value = r.value == null ? null : ByteBuffer.wrap(r.value);
                m.appendWithOffset(r.offset + shift, r.time, key, value, r.headers);
            }
            start += m.build().sizeInBytes();
        }
        byte[] bytes = Arrays.copyOf(buffer.array(), start);
        Files.write(dir.resolve(name + ".bin"), bytes);
        read(dir, name);
    }

    static String hex(ByteBuffer b) {
        if (b == null) return "null";
        StringBuilder s = new StringBuilder("\"");
        while (b.hasRemaining()) s.append(String.format("%02x", b.get()));
        return s.append('"').toString();
    }

    static String digest(ByteBuffer b) throws Exception {
        if (b == null || b.remaining() <= 32) return hex(b);
        java.security.MessageDigest d = java.security.MessageDigest.getInstance("SHA-256");
        d.update(b);
        return "\"sha256:" + hex(ByteBuffer.wrap(d.digest())).substring(1);
    }

    static void read(Path dir, String name) throws Exception {
        List<String> out = new ArrayList<>();
        MemoryRecords all = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(dir.resolve(name + ".bin"))));
        for (RecordBatch batch : all.batches()) {
            batch.ensureValid();
            for (org.apache.kafka.common.record.Record r : batch) {
                r.ensureValid();
                List<String> headers = new ArrayList<>();
                for (Header h : r.headers())
                    headers.add("{\"key\":" + hex(ByteBuffer.wrap(b(h.key()))) + ",\"value\":" + digest(h.value() == null ? null : ByteBuffer.wrap(h.value())) + "}");
                out.add("{\"offset\":" + r.offset() + ",\"timestamp\":" + r.timestamp() + ",\"key\":" + digest(r.key()) + ",\"value\":" + digest(r.value())
                    + ",\"headers\":[" + String.join(",", headers) + "]}");
            }
        }
        Files.writeString(dir.resolve(name + ".json"), "[\n" + String.join(",\n", out) + "\n]\n");
    }

    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        if (args.length > 1) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "*.bin")) {
                for (Path f : files) read(dir, f.getFileName().toString().replace(".bin", ""));
            }
            return;
        }
        for (byte magic = 0; magic <= 2; magic++)
            for (CompressionType codec : CompressionType.values()) {
                if (codec == CompressionType.ZSTD && magic < 2) continue;
                String name = "v" + magic + "-" + codec.name;
                write(dir, name, magic, codec, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME, false, false);
                if (codec == CompressionType.NONE || codec == CompressionType.GZIP) {
                    if (magic > 0) write(dir, name + "-appendtime", magic, codec, TimestampType.LOG_APPEND_TIME, false, false);
                    write(dir, name + "-gaps", magic, codec, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME, false, true);
                    if (magic == 2) write(dir, name + "-transactional", magic, codec, TimestampType.CREATE_TIME, true, false);
                }
            }
        for (ControlRecordType t : new ControlRecordType[] {ControlRecordType.COMMIT, ControlRecordType.ABORT}) {
            MemoryRecords m = MemoryRecords.withEndTransactionMarker(77, 1767323045006L, 17, 4711, (short) 3, new EndTransactionMarker(t, 99));
            byte[] bytes = new byte[m.sizeInBytes()];
            m.buffer().get(bytes);
            String name = "v2-marker-" + t.name().toLowerCase();
            Files.write(dir.resolve(name + ".bin"), bytes);
            read(dir, name);
        }
    }
}
