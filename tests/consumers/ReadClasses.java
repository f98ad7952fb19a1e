import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/** Reads each line's record (class name, Avro in base64) into its generated class, and writes it again. */
public class ReadClasses {
  public static void main(String[] arguments) throws Exception {
    int equal = 0;
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      String[] parts = line.split(" ");
      byte[] body = Base64.getDecoder().decode(parts[1]);
      var example = (SpecificRecordBase) Class.forName(parts[0]).getDeclaredConstructor().newInstance();
      var model = SpecificData.getForClass(example.getClass());
      var reader = new SpecificDatumReader<SpecificRecordBase>(example.getSchema(), example.getSchema(), model);
      var value = reader.read(null, DecoderFactory.get().binaryDecoder(body, null));
      var out = new java.io.ByteArrayOutputStream();
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
      new SpecificDatumWriter<SpecificRecordBase>(example.getSchema(), model).write(value, encoder);
      encoder.flush();
      if (!value.getClass().getName().equals(parts[0]) || !Arrays.equals(body, out.toByteArray())) {
        throw new IllegalStateException(parts[0] + " is not read as it was written");
      }
      equal++;
    }
    System.out.println(equal);
  }
}
