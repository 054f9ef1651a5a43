import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Base64;
import java.util.Date;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Values;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;

/**
 * One question a line on standard input, as JSON; one answer a line: {"ok": ...}, or {"error": message, "class":
 * simple name, "configuration": true and "key" where a configuration was refused, "invalid": true where the
 * question holds what Connect could not}. tests/oracle/java.py describes the questions.
 */
public class ConnectOracle {
    private static final ObjectMapper JSON =
        JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    private static final Pattern KEY =
        Pattern.compile("(?s)Missing required configuration \"(.*?)\".*|.*? for configuration (.*?)(: .*)?");
    private static final Plugins PLUGINS = new Plugins();

    private static final class Invalid extends Exception {
        Invalid(Exception cause) {
            super(cause);
        }
    }

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(JSON.writeValueAsString(answered(JSON.readTree(line))));
            if (!input.ready()) output.flush();
        }
        output.flush();
    }

    private static ObjectNode answered(JsonNode question) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            answer.set("ok", JSON.valueToTree(answer(question)));
        } catch (Plugins.Refused error) {
            failed(answer, error.getCause()).put("configuration", true).put("key", key(error.getCause()));
        } catch (Invalid error) {
            failed(answer, error.getCause()).put("invalid", true);
        } catch (InvocationTargetException error) {
            failed(answer, error.getCause());
        } catch (Exception | StackOverflowError error) {
            failed(answer, error);
        }
        return answer;
    }

    private static ObjectNode failed(ObjectNode answer, Throwable error) {
        return answer.put("error", String.valueOf(error.getMessage())).put("class", error.getClass().getSimpleName());
    }

    private static String key(Throwable error) {
        Matcher match = KEY.matcher(String.valueOf(error.getMessage()));
        return !match.matches() ? null : match.group(1) != null ? match.group(1) : match.group(2);
    }

    private static Object answer(JsonNode question) throws Exception {
        switch (question.get("op").asText()) {
            case "format":
                return format(question).format(new Date(question.get("ms").asLong()));
            case "parse":
                return format(question).parse(question.get("text").asText()).getTime();
            case "transform":
                return transform(question);
            case "predicate":
                return PLUGINS.test(question.get("plugin"), record(question));
            case "fromConnect":
                return fromConnect(question);
            case "toConnect":
                return toConnect(question);
            case "values":
                return values(question);
            default:
                throw new IllegalArgumentException("unknown op");
        }
    }

    private static SimpleDateFormat format(JsonNode question) {
        SimpleDateFormat format = new SimpleDateFormat(question.get("pattern").asText());
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    private static ConnectRecord<?> record(JsonNode question) throws Invalid {
        try {
            return Records.record(question.get("record"));
        } catch (Exception error) {
            throw new Invalid(error);
        }
    }

    /** As org.apache.kafka.connect.runtime.TransformationStage does it. */
    private static JsonNode transform(JsonNode question) throws Exception {
        JsonNode plugin = question.get("plugin");
        PLUGINS.make(plugin);
        ConnectRecord<?> record = record(question);
        if (question.has("predicate")) {
            boolean negate = question.path("negate").asBoolean();
            if (negate == PLUGINS.test(question.get("predicate"), record)) return Records.form(record);
        }
        return Records.form(PLUGINS.apply(plugin, record));
    }

    private static SchemaAndValue value(JsonNode question) throws Invalid {
        try {
            Schema schema = Forms.schema(question.get("schema"));
            return new SchemaAndValue(schema, Forms.value(schema, question.get("value")));
        } catch (Exception error) {
            throw new Invalid(error);
        }
    }

    private static String fromConnect(JsonNode question) throws Exception {
        JsonNode plugin = question.get("plugin");
        String topic = question.path("topic").asText("t");
        SchemaAndValue value = value(question);
        byte[] made;
        if (plugin.has("header")) {
            HeaderConverter converter = PLUGINS.headerConverter(plugin);
            made = converter.fromConnectHeader(topic, question.path("name").asText("h"), value.schema(), value.value());
        } else {
            Converter converter = PLUGINS.converter(plugin);
            made = converter.fromConnectData(topic, new RecordHeaders(), value.schema(), value.value());
        }
        return made == null ? null : Base64.getEncoder().encodeToString(made);
    }

    private static JsonNode toConnect(JsonNode question) throws Exception {
        JsonNode plugin = question.get("plugin");
        String topic = question.path("topic").asText("t");
        JsonNode payload = question.get("payload");
        byte[] content = payload.isNull() ? null : Base64.getDecoder().decode(payload.asText());
        return form(plugin.has("header")
            ? PLUGINS.headerConverter(plugin).toConnectHeader(topic, question.path("name").asText("h"), content)
            : PLUGINS.converter(plugin).toConnectData(topic, new RecordHeaders(), content));
    }

    private static JsonNode form(SchemaAndValue value) {
        ArrayNode pair = JsonNodeFactory.instance.arrayNode();
        return value == null ? pair.addNull().addNull()
            : pair.add(Forms.form(value.schema())).add(Forms.form(value.value()));
    }

    /** Methods of org.apache.kafka.connect.data.Values: convertTo...(schema, value), parseString, inferSchema. */
    private static JsonNode values(JsonNode question) throws Exception {
        String name = question.get("method").asText();
        SchemaAndValue value = value(question);
        if (name.equals("parseString")) return form(Values.parseString((String) value.value()));
        if (name.equals("inferSchema")) return Forms.form(Values.inferSchema(value.value()));
        if (name.equals("convertToDecimal")) {
            return Forms.form(Values.convertToDecimal(value.schema(), value.value(), question.get("scale").asInt()));
        }
        Method method = Values.class.getMethod(name, Schema.class, Object.class);
        return Forms.form(method.invoke(null, value.schema(), value.value()));
    }
}
