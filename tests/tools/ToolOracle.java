import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools in one JVM: a command line a line on standard input, {"tool": class, "arguments": [...],
 * "stdin": text}; one answer a line, {"status": n, "out": text, "err": text}. What a tool prints after its first call of
 * exit, which would have ended its process, does not count.
 */
public class ToolOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ByteArrayOutputStream OUT = new ByteArrayOutputStream();
    private static final ByteArrayOutputStream ERR = new ByteArrayOutputStream();
    private static final List<Runnable> HOOKS = new ArrayList<>();
    private static ObjectNode answer;

    /** Thrown where the process would have ended. */
    private static final class Exited extends Error { }

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure((status, message) -> exit(status));
        Exit.setHaltProcedure((status, message) -> exit(status));
        Exit.setShutdownHookAdder((name, hook) -> HOOKS.add(hook));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(JSON.writeValueAsString(run(JSON.readTree(line))));
        }
    }

    private static ObjectNode run(JsonNode question) throws Exception {
        OUT.reset();
        ERR.reset();
        answer = null;
        System.setIn(new ByteArrayInputStream(question.get("stdin").asText().getBytes(StandardCharsets.UTF_8)));
        List<String> arguments = new ArrayList<>();
        question.get("arguments").forEach(argument -> arguments.add(argument.asText()));
        try {
            Class.forName(question.get("tool").asText())
                .getMethod("main", String[].class)
                .invoke(null, (Object) arguments.toArray(new String[0]));
            settle(0);
        } catch (InvocationTargetException error) {
            if (answer == null) {
                error.getCause().printStackTrace();
                settle(1);
            }
        }
        HOOKS.forEach(Runnable::run);
        HOOKS.clear();
        return answer;
    }

    private static void exit(int status) {
        settle(status);
        throw new Exited();
    }

    private static void settle(int status) {
        if (answer == null) {
            answer = JSON.createObjectNode().put("status", status)
                .put("out", OUT.toString(StandardCharsets.UTF_8)).put("err", ERR.toString(StandardCharsets.UTF_8));
        }
    }
}
