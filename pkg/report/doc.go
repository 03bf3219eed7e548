// Package report makes a page of charts, numbers and tables of a dataset, as a file describes it: one HTML file that
// needs nothing else, and the same as JSON.
//
// # The way of the data
//
//	report.yaml ──Load──> *Spec                    checked: every name and key, with file:line:column
//	*Spec + moment ──Period──> [from, to)          "yesterday" of that moment, and the period before
//	queries + period ──Source.Query──> answers     pkg/dataset, or whatever else answers its queries
//	answers ──Run──> *Report                       what each part shows: rows, points, changes; nothing else is kept
//	*Report ──JSON──> report.json
//	*Report ──HTML──> report.html                  charts by Apache ECharts, as SVG; numbers of each in a table behind it
//
// Nothing of it looks at a clock: the moment is an argument, as the time at which a timer was due. The same data and
// moment give the same bytes.
//
// # A whole report.yaml
//
//	version: 1
//	name: requests                         # of the page's address: small letters, digits, -
//	title: Requests of the web server
//	language: en                           # or zh-CN: of the page's own words
//	time:
//	  column: time                         # a timestamp of the dataset
//	  range: yesterday                     # see Periods
//	  zone: Asia/Shanghai
//	where:                                 # of every query
//	- {column: path, op: "!=", value: /healthz}
//	queries:
//	  total:
//	    measures:
//	    - {name: requests, op: count}
//	    - {name: bytes, op: sum, column: size}
//	    - {name: p99, op: quantile, column: size, q: 0.99}
//	  failed:
//	    measures: [{name: requests, op: count}]
//	    where: [{column: status, op: ">=", value: 500}]
//	  hourly:
//	    measures: [{name: requests, op: count}]
//	    group_by: [{name: hour, column: time, bucket: 1h}, status]
//	  paths:
//	    measures: [{name: requests, op: count}]
//	    group_by: [path]
//	    order_by: [{name: requests, desc: true}]
//	    limit: 100
//	show:                                  # from top to bottom
//	- number: {title: Requests, query: total, value: requests, better: more}
//	- number: {title: Failed, query: failed, value: requests, per: {query: total, value: requests}, format: percent, better: less}
//	- line: {title: Requests an hour, query: hourly, x: hour, y: requests, series: status}
//	- stacked: {title: The same, stacked, query: hourly, x: hour, y: requests, series: status, top: 5}
//	- bar: {title: Paths, query: paths, x: path, y: requests, top: 10}
//	- donut: {title: Paths, query: paths, x: path, y: requests, top: 6}
//	- table: {title: Paths, query: paths, columns: [path, requests], formats: {requests: number}, top: 20}
//
// Queries have the form of [dataset.Query]. A group is a column, or a mapping with name, column, bucket (15m, 1h, 1d) and
// zone (that of time without one). Conditions are =, !=, <, <=, >, >=, in, null, not null, with value or values. The
// formats of numbers are number, percent, bytes, and seconds and milliseconds for lengths of time.
//
// # Periods
//
//	this hour, last hour, today, yesterday, this week, last week, this month, last month
//	last N hours, last N days       whole ones, before the hour or the day of the moment
//	{from: 2026-11-01, to: 2026-12-01T12:00}
//	                                fixed; to is the first moment that is not in it
//
// A day begins at midnight of the zone, a week on Monday. A period ends where it ends, not at the moment: today's page,
// made at noon, has an empty afternoon. The period before is the one that ends where this one begins, as long as it, or
// for weeks and months the week or month before.
//
// # Groups that are too many
//
// A chart shows the largest groups, by the sum of y, as many as top says, and the others as one where their sum is
// one: of count and sum, not of averages. Lines and bars of time have a place for every bucket of the period: those
// without rows are 0 for counts and sums, and a gap in others.
//
// # What a page promises
//
// Everything in it that comes from data is text, whatever it is: the page has no script, and its content security policy
// allows none, and no request. A chart has a title and a description for who does not see it, and its numbers in a table.
// It is readable on a phone, in the dark and on paper.
package report
