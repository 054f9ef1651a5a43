import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Records a second of Kafka Connect's own classes, one question a line: {"name", "records"} keeps records under a name,
 * {"op", "plugin", "on"} answers the rate of a transformation, predicate or converter on them.
 *
 * A rate is that of the best of ROUNDS rounds of ROUND_S each, after WARM records at least, when NO_BETTER rounds
 * in turn were no quicker than the best, by the CPU time of the whole process: collecting its garbage counts.
 */
public class ConnectBench {
    private static final int ROUNDS = 4;
    private static final double ROUND_S = 0.2;
    private static final int WARM = 400_000;
    private static final double WARM_AT_MOST_S = 6;
    private static final int NO_BETTER = 4;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final OperatingSystemMXBean SYSTEM =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private interface Work {
        Object of(int row) throws Exception;
    }

    private final Map<String, List<ConnectRecord<?>>> kept = new HashMap<>();
    private final Plugins plugins = new Plugins();
    /** Results are kept for a while, as a batch is, and so that no compiler leaves the work out. */
    private Object[] results = new Object[0];

    public static void main(String[] arguments) throws Exception {
        ConnectBench bench = new ConnectBench();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(JSON.writeValueAsString(Map.of("ok", bench.answer(JSON.readTree(line)))));
        }
    }

    private double answer(JsonNode question) throws Exception {
        if (question.has("records")) {
            List<ConnectRecord<?>> records = new ArrayList<>();
            question.get("records").forEach(form -> records.add(Records.record(form)));
            kept.put(question.get("name").asText(), records);
            return records.size();
        }
        List<ConnectRecord<?>> records = kept.get(question.get("on").asText());
        results = new Object[records.size()];
        return rate(work(question, records), records.size());
    }

    private double rate(Work work, int size) throws Exception {
        long done = 0;
        double best = 0;
        double warm = 0;
        for (int worse = 0; (done < WARM || worse < NO_BETTER) && warm < WARM_AT_MOST_S; warm += ROUND_S) {
            double found = round(work, size);
            done += (long) (found * ROUND_S);
            worse = found > best * 1.02 ? 0 : worse + 1;
            best = Math.max(best, found);
        }
        for (int round = 0; round < ROUNDS; round++) best = Math.max(best, round(work, size));
        return best;
    }

    private double round(Work work, int size) throws Exception {
        long start = SYSTEM.getProcessCpuTime();
        long used = 0;
        long done = 0;
        for (; used < ROUND_S * 1e9; used = SYSTEM.getProcessCpuTime() - start) {
            for (int row = 0; row < size; row++) results[row] = work.of(row);
            done += size;
        }
        return done * 1e9 / used;
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private Work work(JsonNode question, List<ConnectRecord<?>> records) throws Exception {
        JsonNode plugin = question.get("plugin");
        switch (question.get("op").asText()) {
            case "transform":
                Transformation transformation = (Transformation) plugins.make(plugin);
                if (!question.has("predicate")) return row -> transformation.apply(records.get(row));
                Predicate condition = (Predicate) plugins.make(question.get("predicate"));
                return row -> condition.test(records.get(row))
                    ? transformation.apply(records.get(row)) : records.get(row);
            case "predicate":
                Predicate predicate = (Predicate) plugins.make(plugin);
                return row -> predicate.test(records.get(row));
            case "fromConnect":
                return from(plugin, records);
            default:
                return to(plugin, payloads(from(plugin, records), records.size()));
        }
    }

    private Work from(JsonNode plugin, List<ConnectRecord<?>> records) throws Exception {
        if (plugin.has("header")) {
            HeaderConverter converter = plugins.headerConverter(plugin);
            return row -> converter.fromConnectHeader("t", "h", records.get(row).valueSchema(), records.get(row).value());
        }
        Converter converter = plugins.converter(plugin);
        RecordHeaders headers = new RecordHeaders();
        return row -> converter.fromConnectData("t", headers, records.get(row).valueSchema(), records.get(row).value());
    }

    private static byte[][] payloads(Work work, int size) throws Exception {
        byte[][] made = new byte[size][];
        for (int row = 0; row < size; row++) made[row] = (byte[]) work.of(row);
        return made;
    }

    private Work to(JsonNode plugin, byte[][] payloads) throws Exception {
        if (plugin.has("header")) {
            HeaderConverter converter = plugins.headerConverter(plugin);
            return row -> converter.toConnectHeader("t", "h", payloads[row]);
        }
        Converter converter = plugins.converter(plugin);
        RecordHeaders headers = new RecordHeaders();
        return row -> converter.toConnectData("t", headers, payloads[row]);
    }
}
