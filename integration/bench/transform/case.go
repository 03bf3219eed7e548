package main

import "github.com/scf-etl/scf-etl/pkg/kafka/sample"

// comparison is one job, written for both.
type comparison struct {
	name  string
	lines []string
	rules string // of pkg/transform
	peer  peerJob

	// What the project wants to reach: MiB a second of the processor, and that many
	// times as fast as the fastest way of the peer.
	least, times float64
}

// peerJob is the job as Benthos has it.
type peerJob struct {
	// mapping in Bloblang, for an executor: this is the JSON document, or the text.
	mapping string
	json    bool // the mapping changes a document in place
	// processors, in YAML: the same for messages.
	processors []string
}

const records = 1000

// accessPattern is what people write for the combined format.
const accessPattern = `^(?P<client>\S+) (?P<identity>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] ` +
	`"(?P<method>[A-Z]+) (?P<path>\S+) (?P<protocol>[^"]+)" (?P<status>\d{3}) (?P<size>\d+|-) ` +
	`"(?P<referer>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)"$`

const accessGrok = `%{IPORHOST:client} %{NOTSPACE:identity} %{NOTSPACE:user} \[%{HTTPDATE:time}\] ` +
	`"%{WORD:method} %{NOTSPACE:path} HTTP/%{NUMBER:version}" %{INT:status:int} %{INT:size:int} %{QS:referer} %{QS:agent}`

// What people write in Bloblang to cover an address, and cheaper for these records than
// to split it.
const (
	coverIP    = `.re_replace_all("(\\d+\\.\\d+\\.\\d+)\\.\\d+", "$1.0")`
	coverEmail = `.re_replace_all("^(.)[^@]*", "$1***")`
)

const findAccess = `.re_find_object("""` + accessPattern + `""")
root = $found
root."0" = deleted()
root.client = $found.client` + coverIP

const cleanJSON = `if this.level == "debug" || this.status >= 500 {
  root = deleted()
} else {
  root.client = this.client` + coverIP + `
  root.user.email = this.user.email` + coverEmail + `
}`

func comparisons() []comparison {
	access := sample.AccessLog(records, 1)
	return []comparison{
		{
			name: "combined by regexp", lines: access, least: 40, times: 3,
			rules: "rules:\n- parse: {format: regexp, pattern: '" + accessPattern + "'}\n- mask: {fields: [client], find: [ip]}\n",
			peer: peerJob{
				mapping:    `let found = this` + findAccess,
				processors: []string{processor("mapping", `let found = content().string()`+findAccess)},
			},
		},
		{
			name: "combined by grok", lines: access, least: 40, times: 3,
			rules: "rules:\n- parse: {format: grok, pattern: '" + accessGrok + "'}\n- mask: {fields: [client], find: [ip]}\n",
			peer: peerJob{processors: []string{
				"grok: {expressions: ['" + accessGrok + "']}",
				processor("mutation", `root.client = this.client`+coverIP),
			}},
		},
		{
			name: "json, filter, mask", lines: sample.JSONLog(records, 3), least: 150, times: 5,
			rules: "rules:\n- parse: json\n- filter: level != \"debug\" && status < 500\n" +
				"- mask: {fields: [client, user.email], find: [ip, email]}\n",
			peer: peerJob{mapping: cleanJSON, json: true, processors: []string{processor("mutation", cleanJSON)}},
		},
	}
}
