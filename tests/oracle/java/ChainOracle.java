import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.ConnectMetrics;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.util.ConnectorTaskId;

/**
 * What Kafka Connect makes of the transformations and predicates of a connector's config, one a line: each key with
 * its errors as `/config/validate` shows them, and what is said when the chain is made for a task ("start").
 */
public class ChainOracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        Plugins plugins = new Plugins(Map.of("plugin.discovery", "service_load"));
        String converter = "org.apache.kafka.connect.json.JsonConverter";
        ConnectMetrics metrics = new ConnectMetrics("worker", new StandaloneConfig(Map.of(
            "bootstrap.servers", "localhost:9092", "offset.storage.file.filename", "/dev/null",
            "key.converter", converter, "value.converter", converter)), Time.SYSTEM, "cluster");
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(JSON.writeValueAsString(answer(plugins, metrics, JSON.readTree(line))));
        }
    }

    private static ObjectNode answer(Plugins plugins, ConnectMetrics metrics, JsonNode question) {
        Map<String, String> properties = new LinkedHashMap<>();
        question.fields().forEachRemaining(one -> properties.put(one.getKey(), one.getValue().asText()));
        ObjectNode answer = JSON.createObjectNode();
        try {
            validate(plugins, properties, answer.putArray("keys"));
        } catch (Exception error) {
            answer.put("refused", error.getMessage());
        }
        try {
            new ConnectorConfig(plugins, properties)
                .transformationStages(plugins, new ConnectorTaskId("c", 0), metrics);
        } catch (Exception error) {
            answer.put("start", String.valueOf(error.getMessage()));
        }
        return answer;
    }

    private static void validate(Plugins plugins, Map<String, String> properties, ArrayNode keys) {
        ConfigDef definition = ConnectorConfig.enrich(plugins, ConnectorConfig.configDef(), properties, false);
        for (ConfigValue value : definition.validate(properties)) {
            ConfigDef.ConfigKey key = definition.configKeys().get(value.name());
            if (!value.name().startsWith("transforms") && !value.name().startsWith("predicates")) continue;
            ObjectNode node = keys.addObject();
            node.put("name", value.name()).put("value", String.valueOf(value.value()));
            node.put("type", key.type().name()).put("importance", key.importance.name()).put("group", key.group);
            node.put("order", key.orderInGroup).put("width", key.width.name()).put("display", key.displayName);
            node.put("default", String.valueOf(key.defaultValue)).put("required", !key.hasDefault());
            node.put("doc", key.documentation);
            ArrayNode errors = node.putArray("errors");
            value.errorMessages().forEach(errors::add);
        }
    }
}
