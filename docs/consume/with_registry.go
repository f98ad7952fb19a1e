// What each streamer was given: `go run with_registry.go BROKERS REGISTRY tiktok.live.gift_finalized.v1`.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

const remembered = 100_000

// Only the fields that are used; the decoder skips the others.
type gift struct {
	User *struct {
		UserID *int64 `avro:"userId"`
	} `avro:"user"`
	GiftName   *string `avro:"gift_name"`
	Count      int64   `avro:"count"`
	Diamonds   *int64  `avro:"diamonds"`
	ReceiverID *string `avro:"receiver_id"`
	Meta       *struct {
		EventID string `avro:"event_id"`
	} `avro:"meta"`
}

var schemas = map[uint32]avro.Schema{}

func schemaOf(registry string, id uint32) (avro.Schema, error) {
	if known, ok := schemas[id]; ok {
		return known, nil
	}
	answer, err := http.Get(fmt.Sprintf("%s/schemas/ids/%d", registry, id))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the registry answers %s for schema %d", answer.Status, id)
	}
	var body struct{ Schema string }
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	schemas[id], err = avro.Parse(body.Schema)
	return schemas[id], err
}

func main() {
	brokers, registry, topic := os.Args[1], os.Args[2], os.Args[3]
	// Without a group nothing is committed: the sums are kept in memory, so each start reads from the beginning.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	diamonds := map[string]int64{}
	seen, order := map[string]bool{}, []string{}
	for {
		fetches := client.PollFetches(context.Background())
		if errs := fetches.Errors(); len(errs) > 0 {
			log.Fatal(errs[0].Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			if len(record.Value) < 5 || record.Value[0] != 0 {
				log.Fatal("not the Confluent wire format")
			}
			schema, err := schemaOf(registry, binary.BigEndian.Uint32(record.Value[1:5]))
			if err != nil {
				log.Fatal(err)
			}
			var g gift
			if err := avro.Unmarshal(schema, record.Value[5:], &g); err != nil {
				log.Fatal(err)
			}
			if seen[g.Meta.EventID] {
				return
			}
			seen[g.Meta.EventID], order = true, append(order, g.Meta.EventID)
			if len(order) > remembered {
				delete(seen, order[0])
				order = order[1:]
			}
			streamer, from, name := string(record.Key), "?", ""
			receiver := streamer
			if g.ReceiverID != nil { // a guest, or the streamer by number; nil is not said
				receiver = *g.ReceiverID
			}
			if g.Diamonds != nil { // nil is unknown
				diamonds[receiver] += *g.Diamonds
			}
			if g.User != nil && g.User.UserID != nil {
				from = fmt.Sprint(*g.User.UserID)
			}
			if g.GiftName != nil {
				name = *g.GiftName
			}
			fmt.Printf("%s: %d %s from %s, %s has %d\n", streamer, g.Count, name, from, receiver, diamonds[receiver])
		})
	}
}
