// Package pattern matches regular expressions and grok patterns on log lines
// with the result of the standard library's regexp, several times faster.
//
// A pattern is parsed by regexp/syntax and turned into a small program: literals,
// runs of one character class, alternatives, loops. A [Matcher] tries its paths
// in the order of their priority, which is the definition of what a Perl-like
// expression matches, so the first path that succeeds is the match that regexp
// reports. Backing off from a greedy run is left out where the class of the run
// and what may come next have no byte in common; on a log line most are so, and
// the match is one pass.
//
// Where this is not sure, regexp itself decides: a pattern with what has no
// node (loops over what can be empty, classes that hold a part of the letters
// outside of ASCII and meet one), a text that is not UTF-8, and a search that
// takes more steps than a bound that is linear in the length of the text. So the
// time stays linear, as regexp's is.
package pattern
