import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.cli.ConnectStandalone;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.storage.FileOffsetBackingStore;

/** What Java's standalone worker reads from and writes to a file of offsets, and makes of a connector's file. */
public class StandaloneOracle {
    static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode question = MAPPER.readTree(line);
            ObjectNode answer = MAPPER.createObjectNode();
            try {
                answer.set("ok", answer(question));
            } catch (InvocationTargetException error) {
                answer.put("error", String.valueOf(error.getCause().getMessage()));
            } catch (Exception error) {
                answer.put("error", String.valueOf(error));
            }
            System.out.println(MAPPER.writeValueAsString(answer));
        }
    }

    static JsonNode answer(JsonNode question) throws Exception {
        String file = question.get("file").asText();
        return switch (question.get("do").asText()) {
            case "write" -> write(file, question.get("entries"));
            case "read" -> read(file, question.get("keys"));
            default -> parse(file);
        };
    }

    static FileOffsetBackingStore store(String file) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), true);
        FileOffsetBackingStore store = new FileOffsetBackingStore(converter);
        store.configure(new StandaloneConfig(Map.of(
            "bootstrap.servers", "localhost:9092",
            "offset.storage.file.filename", file,
            "key.converter", JsonConverter.class.getName(),
            "value.converter", JsonConverter.class.getName())));
        store.start();
        return store;
    }

    static ByteBuffer bytes(JsonNode text) {
        return text.isNull() ? null : ByteBuffer.wrap(text.asText().getBytes(StandardCharsets.UTF_8));
    }

    static JsonNode write(String file, JsonNode entries) throws Exception {
        FileOffsetBackingStore store = store(file);
        Map<ByteBuffer, ByteBuffer> values = new LinkedHashMap<>();
        for (JsonNode entry : entries) {
            values.put(bytes(entry.get(0)), bytes(entry.get(1)));
        }
        store.set(values, null).get(10, TimeUnit.SECONDS);
        store.stop();
        return MAPPER.createObjectNode();
    }

    static JsonNode read(String file, JsonNode keys) throws Exception {
        FileOffsetBackingStore store = store(file);
        List<ByteBuffer> wanted = new ArrayList<>();
        for (JsonNode key : keys) {
            wanted.add(bytes(key));
        }
        ObjectNode found = MAPPER.createObjectNode();
        for (Map.Entry<ByteBuffer, ByteBuffer> entry : store.get(wanted).get(10, TimeUnit.SECONDS).entrySet()) {
            found.put(text(entry.getKey()), text(entry.getValue()));
        }
        store.stop();
        return found;
    }

    static String text(ByteBuffer buffer) {
        return buffer == null ? null : new String(buffer.array(), StandardCharsets.UTF_8);
    }

    static JsonNode parse(String file) throws Exception {
        Method method = ConnectStandalone.class.getDeclaredMethod("parseConnectorConfigurationFile", String.class);
        method.setAccessible(true);
        Object standalone = ConnectStandalone.class.getDeclaredConstructor(String[].class)
            .newInstance((Object) new String[] {});
        CreateConnectorRequest request = (CreateConnectorRequest) method.invoke(standalone, file);
        ObjectNode found = MAPPER.createObjectNode();
        found.put("name", request.name());
        found.set("config", MAPPER.valueToTree(request.config()));
        found.put("state", request.initialState() == null ? null : request.initialState().name());
        return found;
    }
}
