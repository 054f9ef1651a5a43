import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;

/** Records as JSON and back. One with an "offset" is a sink's, any other a source's. */
final class Records {
    private Records() {}

    static ConnectRecord<?> record(JsonNode form) {
        Schema keySchema = Forms.schema(form.get("keySchema"));
        Object key = valid(keySchema, form.get("key"));
        Schema valueSchema = Forms.schema(form.get("valueSchema"));
        Object value = valid(valueSchema, form.get("value"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : form.path("headers")) {
            Schema schema = Forms.schema(header.get(1));
            headers.add(header.get(0).asText(), Forms.value(schema, header.get(2)), schema);
        }
        String topic = form.get("topic").asText();
        Long timestamp = form.hasNonNull("timestamp") ? (Long) form.get("timestamp").asLong() : null;
        Integer partition = form.hasNonNull("partition") ? (Integer) form.get("partition").asInt() : null;
        if (form.hasNonNull("offset")) {
            return new SinkRecord(topic, partition, keySchema, key, valueSchema, value, form.get("offset").asLong(),
                timestamp, TimestampType.CREATE_TIME, headers);
        }
        return new SourceRecord(Map.of(), Map.of(), topic, partition, keySchema, key, valueSchema, value, timestamp,
            headers);
    }

    /** The value, or an error where no converter could have made it. */
    private static Object valid(Schema schema, JsonNode form) {
        Object value = Forms.value(schema, form);
        if (schema != null && (value != null || schema.defaultValue() == null)) {
            ConnectSchema.validateValue(schema, value);
        }
        return value;
    }

    static JsonNode form(ConnectRecord<?> record) {
        if (record == null) return JsonNodeFactory.instance.nullNode();
        ObjectNode form = JsonNodeFactory.instance.objectNode();
        form.put("topic", record.topic());
        form.put("partition", record.kafkaPartition());
        form.put("timestamp", record.timestamp());
        form.set("keySchema", Forms.form(record.keySchema()));
        form.set("key", Forms.form(record.key()));
        form.set("valueSchema", Forms.form(record.valueSchema()));
        form.set("value", Forms.form(record.value()));
        ArrayNode headers = form.putArray("headers");
        for (Header header : record.headers()) {
            headers.addArray().add(header.key()).add(Forms.form(header.schema())).add(Forms.form(header.value()));
        }
        return form;
    }
}
