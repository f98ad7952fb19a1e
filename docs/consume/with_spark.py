"""What each streamer or guest got: `spark-submit with_spark.py BROKERS REGISTRY tiktok.live.gift_finalized.v1`."""

import json
import sys
from urllib.request import urlopen

from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.avro.functions import from_avro

FIELDS = ("gift.receiver_id", "gift.count", "gift.diamonds", "gift.meta.event_id")

brokers, registry, topic = sys.argv[1:]
spark = SparkSession.builder.appName("gifts").getOrCreate()
values = spark.read.format("kafka").option("kafka.bootstrap.servers", brokers).option("subscribe", topic).load()
values = values.withColumn("id", f.expr("conv(hex(substring(value, 2, 4)), 16, 10)"))

with urlopen(f"{registry}/subjects/{topic}-value/versions/latest") as answer:
    latest = json.load(answer)["schema"]

# Spark's from_avro knows no registry: it is told which schema wrote, and the latest for what to make of it.
gifts = None
for (schema_id,) in values.select("id").distinct().collect():
    with urlopen(f"{registry}/schemas/ids/{schema_id}") as answer:
        schema = json.load(answer)["schema"]
    gift = from_avro(f.expr("substring(value, 6)"), schema, {"avroSchema": latest}).alias("gift")
    of_this = values.where(f.col("id") == schema_id).select(f.col("key").cast("string").alias("streamer"), gift)
    of_this = of_this.select("streamer", *FIELDS)
    gifts = of_this if gifts is None else gifts.unionByName(of_this)

if gifts is not None:
    # The receiver is a guest, or the streamer by number; where it is not said, the streamer by name.
    receiver = f.coalesce("receiver_id", "streamer").alias("receiver")
    sums = (f.sum("count").alias("gifts"), f.sum("diamonds").alias("diamonds"))
    table = gifts.dropDuplicates(["event_id"]).groupBy(receiver).agg(*sums).orderBy("receiver")
    print("\t".join(table.columns))
    for row in table.collect():
        print("\t".join(map(str, row)))
