// What each streamer was given, with Apache's Kafka client and Apache Avro:
// `java -cp 'jars/*' WithRegistry.java BROKERS REGISTRY tiktok.live.gift_finalized.v1`.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class WithRegistry {
    static final int REMEMBERED = 100_000;
    static final Map<Integer, GenericDatumReader<GenericRecord>> READERS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        // The sums are kept in memory, so each start reads from the beginning and commits nothing.
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", arguments[0], "group.id", "gifts-java",
            "auto.offset.reset", "earliest", "enable.auto.commit", false);
        Map<String, Long> diamonds = new HashMap<>();
        Map<String, Boolean> seen = new LinkedHashMap<>() {
            @Override protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                return size() > REMEMBERED;
            }
        };
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(arguments[2]));
            while (true) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    GenericRecord gift = decode(record.value(), arguments[1]);
                    String eventId = ((GenericRecord) gift.get("meta")).get("event_id").toString();
                    if (seen.put(eventId, true) != null) {
                        continue;
                    }
                    Long worth = (Long) gift.get("diamonds"); // null is unknown
                    // A guest, or the streamer by number; null is not said.
                    Object named = gift.hasField("receiver_id") ? gift.get("receiver_id") : null;
                    String receiver = named == null ? record.key() : named.toString();
                    long sum = diamonds.merge(receiver, worth == null ? 0 : worth, Long::sum);
                    GenericRecord user = (GenericRecord) gift.get("user");
                    Object from = user == null || user.get("userId") == null ? "?" : user.get("userId");
                    System.out.printf("%s: %d %s from %s, %s has %d%n",
                        record.key(), gift.get("count"), gift.get("gift_name"), from, receiver, sum);
                }
            }
        }
    }

    static GenericRecord decode(byte[] value, String registry) throws IOException, InterruptedException {
        ByteBuffer buffer = ByteBuffer.wrap(value);
        if (buffer.get() != 0) {
            throw new IOException("not the Confluent wire format: it begins with " + value[0]);
        }
        int id = buffer.getInt();
        if (!READERS.containsKey(id)) {
            var request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
            var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IOException("the registry answers " + answer.statusCode() + " for schema " + id);
            }
            String schema = new ObjectMapper().readTree(answer.body()).get("schema").asText();
            READERS.put(id, new GenericDatumReader<>(new Schema.Parser().parse(schema)));
        }
        var decoder = DecoderFactory.get().binaryDecoder(value, buffer.position(), buffer.remaining(), null);
        return READERS.get(id).read(null, decoder);
    }
}
