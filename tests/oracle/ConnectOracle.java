import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.TimeZone;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.StringConverter;
import org.apache.kafka.connect.transforms.TimestampConverter;

/** One question a line on standard input, as JSON; one answer a line, {"ok": ...} or {"error": "..."}. */
public class ConnectOracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                answer.set("ok", JSON.valueToTree(answer(JSON.readTree(line))));
            } catch (Exception error) {
                answer.put("error", String.valueOf(error.getMessage()));
            }
            output.println(JSON.writeValueAsString(answer));
        }
    }

    private static Object answer(JsonNode question) throws Exception {
        switch (question.get("op").asText()) {
            case "format":
                return format(question).format(new Date(question.get("ms").asLong()));
            case "parse":
                return format(question).parse(question.get("text").asText()).getTime();
            case "json":
                return json(question, value(question));
            case "string":
                return string(value(question));
            case "transform":
                return transform(question);
            default:
                throw new IllegalArgumentException("unknown op");
        }
    }

    private static SimpleDateFormat format(JsonNode question) {
        SimpleDateFormat format = new SimpleDateFormat(question.get("pattern").asText());
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    private static Map<String, Object> settings(JsonNode question, String member) {
        Map<String, Object> settings = new HashMap<>();
        question.path(member).fields().forEachRemaining(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
        return settings;
    }

    private static JsonConverter converter(JsonNode question, String member) {
        JsonConverter converter = new JsonConverter();
        converter.configure(settings(question, member), false);
        return converter;
    }

    private static SchemaAndValue value(JsonNode question) {
        byte[] message = question.get("message").asText().getBytes(StandardCharsets.UTF_8);
        return converter(question, "reader").toConnectData("t", message);
    }

    private static String json(JsonNode question, SchemaAndValue value) {
        byte[] message = converter(question, "writer").fromConnectData("t", value.schema(), value.value());
        return message == null ? null : new String(message, StandardCharsets.UTF_8);
    }

    private static String string(SchemaAndValue value) {
        StringConverter converter = new StringConverter();
        converter.configure(Map.of(), false);
        return new String(converter.fromConnectData("t", value.schema(), value.value()), StandardCharsets.UTF_8);
    }

    private static String transform(JsonNode question) {
        var transform = new TimestampConverter.Value<SourceRecord>();
        transform.configure(settings(question, "transform"));
        SchemaAndValue value = value(question);
        var record = new SourceRecord(Map.of(), Map.of(), "t", value.schema(), value.value());
        SourceRecord result = transform.apply(record);
        return json(question, new SchemaAndValue(result.valueSchema(), result.value()));
    }
}
