// Package sensitive finds personal data in text and covers it: e-mail addresses,
// phone numbers, Chinese identity cards, bank cards and IP addresses.
//
// What counts as one is meant to be exact where the thing has a check digit, and
// generous where it has none: rather a number too many is covered than one too
// few. A number ends where no digit follows; letters around it do not hide it.
package sensitive
