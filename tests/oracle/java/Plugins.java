import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Configurable;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.ConverterType;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Transformations, predicates and converters by class name and configuration; each is made once. */
final class Plugins {
    private final Map<JsonNode, Object> made = new HashMap<>();

    /** A configuration that was refused. */
    static final class Refused extends Exception {
        Refused(Exception cause) {
            super(cause);
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    ConnectRecord<?> apply(JsonNode plugin, ConnectRecord<?> record) throws Refused {
        return ((Transformation) make(plugin)).apply(record);
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    boolean test(JsonNode plugin, ConnectRecord<?> record) throws Refused {
        return ((Predicate) make(plugin)).test(record);
    }

    Converter converter(JsonNode plugin) throws Refused {
        return (Converter) make(plugin);
    }

    HeaderConverter headerConverter(JsonNode plugin) throws Refused {
        return (HeaderConverter) make(plugin);
    }

    Object make(JsonNode plugin) throws Refused {
        Object known = made.get(plugin);
        if (known == null) {
            known = create(plugin);
            made.put(plugin, known);
        }
        return known;
    }

    private static Object create(JsonNode plugin) throws Refused {
        Object instance;
        try {
            instance = Class.forName(plugin.get("class").asText()).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException("no such class: " + plugin.get("class").asText(), error);
        }
        Map<String, Object> settings = new HashMap<>();
        plugin.path("config").fields().forEachRemaining(one -> settings.put(one.getKey(), one.getValue().asText()));
        boolean isKey = plugin.path("key").asBoolean();
        try {
            if (plugin.has("header")) {
                settings.put("converter.type", ConverterType.HEADER.getName());
                ((Configurable) instance).configure(settings);
            } else if (instance instanceof Converter) {
                ((Converter) instance).configure(settings, isKey);
            } else {
                ((Configurable) instance).configure(settings);
            }
        } catch (Exception error) {
            throw new Refused(error);
        }
        return instance;
    }
}
