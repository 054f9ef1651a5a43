import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;

/** Connect's schemas and values as JSON that loses nothing, and back: tests/oracle/forms.py is the other side. */
final class Forms {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Forms() {}

    static Schema schema(JsonNode form) {
        if (form == null || form.isNull()) return null;
        return schema(form, form.has("default"));
    }

    private static Schema schema(JsonNode form, boolean withDefault) {
        Schema.Type type = Schema.Type.valueOf(form.get("type").asText());
        Map<String, String> parameters = null;
        for (JsonNode pair : form.path("parameters")) {
            if (parameters == null) parameters = new LinkedHashMap<>();
            parameters.put(pair.get(0).asText(), pair.get(1).asText());
        }
        List<Field> fields = new ArrayList<>();
        for (JsonNode pair : form.path("fields")) {
            fields.add(new Field(pair.get(0).asText(), fields.size(), schema(pair.get(1))));
        }
        // A struct's default holds a struct of the schema without that default, as JsonConverter makes it.
        Object defaultValue = withDefault ? value(schema(form, false), form.get("default")) : null;
        return new ConnectSchema(type, form.path("optional").asBoolean(), defaultValue, text(form, "name"),
            form.has("version") ? (Integer) form.get("version").asInt() : null, text(form, "doc"), parameters,
            type == Schema.Type.STRUCT ? fields : null, schema(form.get("key")), schema(form.get("item")));
    }

    private static String text(JsonNode form, String member) {
        return form.has(member) ? form.get(member).asText() : null;
    }

    static JsonNode form(Schema schema) {
        if (schema == null) return NODES.nullNode();
        ObjectNode form = NODES.objectNode();
        form.put("type", schema.type().name());
        if (schema.isOptional()) form.put("optional", true);
        if (schema.name() != null) form.put("name", schema.name());
        if (schema.version() != null) form.put("version", schema.version());
        if (schema.doc() != null) form.put("doc", schema.doc());
        if (schema.defaultValue() != null) form.set("default", form(schema.defaultValue()));
        if (schema.parameters() != null) {
            ArrayNode pairs = form.putArray("parameters");
            schema.parameters().forEach((name, value) -> pairs.addArray().add(name).add(value));
        }
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode pairs = form.putArray("fields");
            schema.fields().forEach(field -> pairs.addArray().add(field.name()).add(form(field.schema())));
        }
        if (schema.type() == Schema.Type.MAP) form.set("key", form(schema.keySchema()));
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) {
            form.set("item", form(schema.valueSchema()));
        }
        return form;
    }

    /** The value of a form [tag, content]; `schema` is asked for the schemas of structs only. */
    static Object value(Schema schema, JsonNode form) {
        if (form == null || form.isNull()) return null;
        JsonNode content = form.get(1);
        switch (form.get(0).asText()) {
            case "byte": return (byte) content.asInt();
            case "short": return (short) content.asInt();
            case "int": return content.asInt();
            case "long": return content.asLong();
            case "float": return (float) Double.parseDouble(content.asText());
            case "double": return Double.parseDouble(content.asText());
            case "boolean": return content.asBoolean();
            case "string": return content.asText();
            case "bytes": return Base64.getDecoder().decode(content.asText());
            case "buffer": return ByteBuffer.wrap(Base64.getDecoder().decode(content.asText()));
            case "decimal": return new BigDecimal(new BigInteger(content.asText()), form.get(2).asInt());
            case "date": return new Date(content.asLong());
            case "list": return list(schema, content);
            case "map": return map(schema, content);
            case "struct": return struct(schema, content);
            default: throw new IllegalArgumentException("unknown tag " + form.get(0));
        }
    }

    private static List<Object> list(Schema schema, JsonNode content) {
        List<Object> list = new ArrayList<>();
        content.forEach(item -> list.add(value(schema == null ? null : schema.valueSchema(), item)));
        return list;
    }

    private static Map<Object, Object> map(Schema schema, JsonNode content) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (JsonNode pair : content) {
            map.put(value(schema == null ? null : schema.keySchema(), pair.get(0)),
                value(schema == null ? null : schema.valueSchema(), pair.get(1)));
        }
        return map;
    }

    private static Struct struct(Schema schema, JsonNode content) {
        Struct struct = new Struct(schema);
        for (JsonNode pair : content) {
            Field field = schema.field(pair.get(0).asText());
            Object value = value(field.schema(), pair.get(1));
            if (value != null) struct.put(field, value);
        }
        struct.validate();
        return struct;
    }

    static JsonNode form(Object value) {
        if (value == null) return NODES.nullNode();
        if (value instanceof Byte) return tagged("byte").add((Byte) value);
        if (value instanceof Short) return tagged("short").add((Short) value);
        if (value instanceof Integer) return tagged("int").add((Integer) value);
        if (value instanceof Long) return tagged("long").add((Long) value);
        if (value instanceof Float) return tagged("float").add(Double.toString((Float) value));
        if (value instanceof Double) return tagged("double").add(value.toString());
        if (value instanceof Boolean) return tagged("boolean").add((Boolean) value);
        if (value instanceof String) return tagged("string").add((String) value);
        if (value instanceof byte[]) return tagged("bytes").add(Base64.getEncoder().encodeToString((byte[]) value));
        if (value instanceof ByteBuffer) return bytes(((ByteBuffer) value).duplicate());
        if (value instanceof BigInteger) return tagged("decimal").add(value.toString()).add(0);
        if (value instanceof BigDecimal) return decimal((BigDecimal) value);
        if (value instanceof Date) return tagged("date").add(((Date) value).getTime());
        if (value instanceof Struct) return struct((Struct) value);
        if (value instanceof List) {
            ArrayNode items = NODES.arrayNode();
            ((List<?>) value).forEach(item -> items.add(form(item)));
            return tagged("list").add(items);
        }
        if (value instanceof Map) {
            ArrayNode pairs = NODES.arrayNode();
            ((Map<?, ?>) value).forEach((key, item) -> pairs.addArray().add(form(key)).add(form(item)));
            return tagged("map").add(pairs);
        }
        return tagged("unknown").add(value.getClass().getName()).add(value.toString());
    }

    private static ArrayNode tagged(String tag) {
        return NODES.arrayNode().add(tag);
    }

    private static JsonNode bytes(ByteBuffer buffer) {
        byte[] content = new byte[buffer.remaining()];
        buffer.get(content);
        return form(content);
    }

    private static JsonNode decimal(BigDecimal value) {
        return tagged("decimal").add(value.unscaledValue().toString()).add(value.scale());
    }

    private static JsonNode struct(Struct value) {
        ArrayNode pairs = NODES.arrayNode();
        for (Field field : value.schema().fields()) {
            pairs.addArray().add(field.name()).add(form(value.getWithoutDefault(field.name())));
        }
        return tagged("struct").add(pairs);
    }
}
