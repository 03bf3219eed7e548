// Package convention holds the tests of what the whole repository keeps to and
// no compiler checks: its borders, its dependencies and its documentation.
// CONTRIBUTING.md has the rules in words.
package convention
