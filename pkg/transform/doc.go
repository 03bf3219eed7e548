// Package transform cleans records by rules: it parses logs, sets event times,
// filters, covers personal data, removes duplicates and routes, one record at a time.
//
// [Load] checks and compiles a rules file; [Rules.New] gives one goroutine a
// [Transformer]; [Transformer.Transform] turns a record into none, one or several, or
// into an [Error] that is permanent: the place of that record is the dead letter. No
// record disappears otherwise, and none makes it panic; [Counters] add up.
//
// # A whole rules file
//
//	version: 1
//	patterns:                          # grok patterns of one's own
//	  ORDER: 'ord-[0-9]{6,}'
//	rules:                             # from top to bottom
//	- parse: combined                  # see Formats
//	- timestamp: {field: time, into: "@timestamp"}
//	- filter: path != "/healthz" and status not in [301, 304]
//	- deduplicate: {expr: record.value, window: 10m}
//	- mask: {fields: [client, path], find: [ip, phone, email, id_card, bank_card]}
//	- mask: {fields: [user], hash: ETL_KEY}
//	- rename: {size: bytes}
//	- drop: [identity, time]
//	- set: {source: {from: topic}, env: prod}
//	- set: {class: 5xx}
//	  when: status >= 500              # any rule can have a when
//	output:
//	  format: json                     # or raw, logfmt, csv
//	  topic: log-clean                 # where no route fits
//	  routes: [{when: status >= 500, topic: log-errors}]
//	  key: {field: client}             # or {expr: ...}, or none; as it came without
//	  headers: {site: {field: host}}   # to add: a text, {field: ...}, {expr: ...}; or keep, or drop
//	  tombstones: drop                 # or fail, or pass
//
// testdata/rules.yaml is the same with comments. A file with mistakes gives a
// [RulesError]: all of them at once, each with file:line:column and what to write
// instead.
//
// # Formats
//
// parse takes a format, or a mapping with format and: field (instead of the value),
// prefix (before all names), types (int, float, bool by field). Fields keep the order
// in which they were parsed, and then set.
//
//	json        an object of RFC 8259; numbers keep their digits, text its escapes
//	combined    Apache httpd and nginx: client identity user time method path protocol
//	            (or request) status size referer agent rest
//	common      the same without referer and agent
//	regexp      pattern: an expression of package regexp with named groups
//	grok        pattern: %{NAME:field:type}, by the patterns of github.com/elastic/go-grok
//	logfmt      key=value key="a value" key
//	keyvalue    the same with a separator and an assign of one's own
//	csv         columns: [a, b]; separator; RFC 4180
//	syslog      rfc5424 or rfc3164, whichever it is: facility severity time host app pid
//	            msgid data message
//
// # Rules
//
//	timestamp    field; layouts: rfc3339, common_log, datetime, syslog, unix, unix_ms,
//	             unix_us, unix_ns, or one of package time; zone; failure: fail or keep; into
//	filter       lets through what the expression is true for
//	mask         fields: [a, b] or all; find: email, phone, id_card, bank_card, ip, or all of
//	             the value without it; hash: the variable with the key of a pseudonym instead
//	             of stars; keep_ipv4 and keep_ipv6: bits of an address to keep
//	rename       old: new
//	drop, keep   fields
//	set          field: a constant, {expr: e}, or {from: topic, partition, offset, timestamp,
//	             key, value, headers.NAME}
//	deduplicate  by: fields or expr: e; window: of event time or records: in offsets;
//	             capacity: keys to remember of a partition
//
// Expressions are those of https://expr-lang.org. A name is a field, a.b a member of an
// object or the field of that name, nil where there is none; record.topic and what else
// set has by from is the record's. There is no clock in them, so that a record that is
// delivered again becomes what it became before.
//
// # What deduplicate promises
//
// A record is left out where one with the same key passed before it in its partition,
// within the window, through the same [Transformer]. Not between partitions, and not
// between transformers. The decision follows from the records before it alone: a
// redelivery is decided as the first delivery was, as far back as capacity reaches. A
// new instance starts with nothing; [Transformer.Warm] gives it the records of the
// window before its first.
//
// # Text that is not UTF-8
//
// JSON has no place for other bytes. A record with such bytes where JSON is written, or
// read, fails; with invalid_utf8: replace in output, the bytes of other formats become
// U+FFFD.
package transform
