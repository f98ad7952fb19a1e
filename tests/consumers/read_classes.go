// Reads each line's record (name, Avro in base64) into its generated struct, and writes it again.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/hamba/avro/v2"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	avro.MustParse(string(text)) // and with it every record by its name
	lines, err := os.Open(os.Args[2])
	must(err)
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 1<<24)
	equal := 0
	for scanner.Scan() {
		name, encoded, _ := strings.Cut(scanner.Text(), " ")
		body, err := base64.StdEncoding.DecodeString(encoded)
		must(err)
		schema := avro.MustParse(`"` + name + `"`)
		value := kinds[name]()
		must(avro.Unmarshal(schema, body, value))
		again, err := avro.Marshal(schema, value)
		must(err)
		var was, is any // since it writes arrays in another form, which means the same
		must(avro.Unmarshal(schema, body, &was))
		must(avro.Unmarshal(schema, again, &is))
		if !reflect.DeepEqual(was, is) {
			panic(name + " is not read as it was written")
		}
		equal++
	}
	must(scanner.Err())
	fmt.Println(equal)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
