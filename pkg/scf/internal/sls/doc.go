// Package sls reads the configuration file of a Serverless Framework service: YAML or JSON with ${...} variables.
//
// [Load] gives the tree that `sls print` of version 3.40 shows, with the position of each value. Sources of variables:
// env, opt, self, file (YAML, JSON and plain text), sls:stage, param and strToBool. A file can be hostile: size, depth,
// files read, values and text that variables grow into are all bounded, and only files inside the service's folder are
// opened.
//
// Where it is stricter than the framework, it fails with an error and never with another value:
//   - file(...) of JavaScript or TypeScript is refused: reading a configuration runs no code.
//   - file(...) outside the service's folder, by .., an absolute path or a symbolic link, is refused: the framework reads
//     any file of the machine, so that a pulled-in change to one line could put a key file into a function's environment.
//   - useDotenv is refused: the environment is what the caller passes in, nothing else.
//   - ${sls:instanceId} is refused: it is another value at each run.
//   - A path into a text (self:custom.text.0, which JavaScript takes for its first letter) is refused.
//   - YAML that the parser here would read otherwise is refused: keys with ? before them, {a:1}, tabs and colons inside
//     unquoted texts. The goldens in testdata and the tests beside them pin the rest.
//   - YAML tags other than those of the core schema are refused (the framework knows those of another vendor).
package sls
