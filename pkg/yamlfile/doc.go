// Package yamlfile reads a YAML file that people write, and says of every mistake where it is: file:line:column, what is
// wrong, and what to write instead.
//
// [Parse] gives the one document of a file as a tree of [Node]. A [Reader] takes the tree apart, by tables of which every
// key is known, and collects all faults instead of stopping at the first:
//
//	root, err := yamlfile.Parse(name, content)
//	r := &yamlfile.Reader{}
//	t := r.Table(root, "the file", "version", "name")
//	name := t.Text("name", "")
//	return r.Err()
//
// A hostile file ends in a fault: size and depth have limits, anchors and tags have no meaning, a panic of the parser is
// caught.
package yamlfile
